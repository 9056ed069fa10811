import { afterEach, describe, expect, test } from 'vitest'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { boostedTrees } from '../learners.ts'
import { exampleOf } from '../preparation/example.cases.ts'
import { preparation, targetEncoding } from '../preparation/spec.ts'
import { foldsOf } from '../splits/folds.ts'
import { crossValidationObjective, type ObjectiveOptions } from './objective.ts'
import type { Space } from './space.ts'
import { learnerWith } from './spaces.ts'
import { tuning } from './spec.ts'
import { type ObjectiveInWorkers, objectiveInWorkers } from './trial-workers.ts'
import { tune } from './tune.ts'

const seed = 'workers'
const { table, target } = exampleOf(200)
const space: Space = [
  { name: 'learningRate', kind: 'log-uniform', from: 0.03, to: 0.5 },
  { name: 'depth', kind: 'integer', from: 1, to: 4 },
]
const options: ObjectiveOptions = {
  table,
  target,
  folds: foldsOf({ kind: 'k-fold', folds: 2, seed }, { count: 200 }),
  preparation: preparation({ columns: { job: targetEncoding(), id: { step: 'drop' } } }),
  learner: (setting) => learnerWith(boostedTrees({ trees: 5 }), setting),
  measure: 'log_loss',
  budget: 'trees',
  seed,
}
const spec = tuning({ space, better: 'lower', trials: 7, batch: 3 })

describe('trials on threads', () => {
  const open: ObjectiveInWorkers[] = []
  const started = (over: Partial<ObjectiveOptions> = {}, workers = 2) => {
    const objective = objectiveInWorkers({ ...options, ...over }, workers)
    open.push(objective)
    return objective
  }
  afterEach(async () => {
    await Promise.all(open.splice(0).map((objective) => objective.close()))
  })

  test('give the same bytes as trials one after the other', async () => {
    const { evaluate, better } = started()
    expect(better).toBe('lower')
    const side = await tune(spec, evaluate, { seed })
    const alone = await tune(spec, crossValidationObjective(options).evaluate, { seed })
    expect(canonicalJson(side.state)).toBe(canonicalJson(alone.state))
  })

  test('fail alone, for the reason they would fail for on one thread', async () => {
    // The classes of the second fold's training rows are one, so no learner can learn there.
    const y = target.y.map((label, row) =>
      (options.folds[1].test as Uint32Array).includes(row) ? label : 0,
    )
    const over = { target: { task: 'binary', y } as const }
    const side = await tune(spec, started(over).evaluate, { seed })
    const alone = await tune(spec, crossValidationObjective({ ...options, ...over }).evaluate, {
      seed,
    })
    expect(side.state.trials[0].outcome.status).toBe('failed')
    expect(canonicalJson(side.state)).toBe(canonicalJson(alone.state))
  })

  test('wait where there are more of them than threads, and fail when they are ended', async () => {
    const objective = started({}, 1)
    const attempt = { number: 0, configuration: 0, budget: 1, setting: { depth: 2 } }
    const all = [1, 2, 3].map(() => objective.evaluate(attempt))
    const figures = await Promise.all(all)
    expect(figures[2]).toEqual(figures[0])
    const late = objective.evaluate(attempt)
    await objective.close()
    await expect(late).rejects.toThrow('ended')
    await expect(objective.evaluate(attempt)).rejects.toThrow('closed')
  })

  test('are refused for a number of threads that makes no sense', () => {
    expect(() => objectiveInWorkers(options, 0)).toThrow('1 to 64 workers')
  })
})
