import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { boostedTrees, logisticRegression } from '../learners.ts'
import { crossValidate, resultsOf } from '../preparation/cross-validation.ts'
import { exampleOf } from '../preparation/example.cases.ts'
import { linearPreparation, preparation, targetEncoding } from '../preparation/spec.ts'
import { numberColumn, tableOf } from '../preparation/table.ts'
import { foldsOf, nestedFolds } from '../splits/folds.ts'
import { nestedTuning } from './nested.ts'
import { crossValidationObjective, figureOf, type ObjectiveOptions } from './objective.ts'
import { defaultSpace, learnerWith } from './spaces.ts'
import { tpe } from './sampler.ts'
import type { Space } from './space.ts'
import { tuning } from './spec.ts'
import { tune } from './tune.ts'

const seed = 'objective'
const { table, target } = exampleOf(240)
const rows = { count: 240, classes: target.y }
const folds = foldsOf({ kind: 'k-fold', folds: 3, seed, stratified: true }, rows)
const base = boostedTrees({ trees: 12, minChildWeight: 0.1 })

const options: ObjectiveOptions = {
  table,
  target,
  folds,
  preparation: preparation({ columns: { job: targetEncoding(), id: { step: 'drop' } } }),
  learner: (setting) => learnerWith(base, setting),
  measure: 'roc_auc',
  budget: 'trees',
  seed,
}

const space: Space = [
  { name: 'learningRate', kind: 'log-uniform', from: 0.03, to: 0.5 },
  { name: 'depth', kind: 'integer', from: 1, to: 4 },
]

const attemptOf = (setting: object, budget = 1) => {
  return {
    number: 0,
    configuration: 0,
    budget,
    setting: setting as Readonly<Record<string, number>>,
  }
}

describe('the figure of a setting', () => {
  test('is the mean over the folds, as cross-validation gives it', async () => {
    const { evaluate, better } = crossValidationObjective(options)
    expect(better).toBe('higher')
    const spec = { preparation: options.preparation, learner: options.learner({ depth: 2 }) }
    const { folds: done } = crossValidate(spec, table, target, folds, { seed })
    const figures = done.map((fold) => figureOf('roc_auc', resultsOf(target, fold)))
    const evaluation = await evaluate(attemptOf({ depth: 2 }))
    expect(evaluation).toEqual({
      value: figures.reduce((sum, figure) => sum + figure, 0) / 3,
      facts: { folds: figures },
    })
    expect(await evaluate(attemptOf({ depth: 2 }))).toEqual(evaluation)
  })

  test('of a smaller budget is that of fewer trees, or of fewer rows', async () => {
    const small = { ...options, learner: () => boostedTrees({ ...base.params, trees: 3 }) }
    const { evaluate } = crossValidationObjective(options)
    const wanted = await crossValidationObjective(small).evaluate(attemptOf({}))
    expect(await evaluate(attemptOf({}, 0.25))).toEqual(wanted)
    const sampled = crossValidationObjective({ ...options, budget: 'rows' })
    const half = await sampled.evaluate(attemptOf({}, 0.5))
    expect(half).not.toEqual(await sampled.evaluate(attemptOf({})))
    expect(half).toEqual(await sampled.evaluate(attemptOf({}, 0.5)))
  })

  test('fails the trial where the learner has no such parameter or no trees to share', async () => {
    const spec = tuning({
      space: [{ name: 'oracle', kind: 'integer', from: 1, to: 2 }],
      better: 'higher',
      trials: 2,
    })
    const { state } = await tune(spec, crossValidationObjective(options).evaluate, { seed })
    expect(state.trials[0].outcome).toMatchObject({ error: expect.stringContaining('"oracle"') })
    const linear = crossValidationObjective({ ...options, learner: () => logisticRegression() })
    expect(() => linear.evaluate(attemptOf({}, 0.5))).toThrow('no trees to share out')
  })

  test('is refused for a measure or a task that has none', () => {
    expect(() => crossValidationObjective({ ...options, measure: 'rmse' })).toThrow('"rmse"')
    const unlabelled = { ...options, target: { task: 'anomaly' } as const }
    expect(() => crossValidationObjective(unlabelled)).toThrow('without labels')
  })
})

describe('tuning over folds', () => {
  const spec = tuning({ space, better: 'higher', trials: 8, sampler: tpe({ startup: 4 }) })

  test('gives the same trials for the same seed', async () => {
    const { evaluate } = crossValidationObjective(options)
    const [a, b] = [await tune(spec, evaluate, { seed }), await tune(spec, evaluate, { seed })]
    expect(canonicalJson(a.state)).toBe(canonicalJson(b.state))
    expect(a.best?.outcome.status).toBe('done')
  })

  test('works by rungs of rows for learners without trees', async () => {
    const { evaluate } = crossValidationObjective({
      ...options,
      preparation: linearPreparation({ columns: { id: { step: 'drop' } } }),
      learner: (setting) => learnerWith(logisticRegression(), setting),
      budget: 'rows',
      measure: 'log_loss',
    })
    const halving = tuning({
      space: defaultSpace('logistic-regression'),
      better: 'lower',
      trials: 20,
      schedule: { kind: 'halving', configurations: 6, from: 0.25, eta: 2 },
    })
    const { best, state } = await tune(halving, evaluate, { seed })
    expect(best?.budget).toBe(1)
    expect(state.trials.filter(({ outcome }) => outcome.status === 'done')).toHaveLength(10)
  })
})

describe('nested tuning', () => {
  const nested = nestedFolds(
    {
      outer: { kind: 'k-fold', folds: 2, seed, stratified: true },
      inner: { kind: 'k-fold', folds: 2, seed: 'inner', stratified: true },
    },
    rows,
  )
  const declared = { ...tuning({ space, better: 'higher', trials: 4 }) }

  test('predicts every row with a learner that was tuned without it', async () => {
    const result = await nestedTuning({ ...options, folds: nested, tuning: declared })
    expect(result.rows).toHaveLength(240)
    expect(result.folds).toHaveLength(2)
    expect(result.figure).toBe((result.folds[0].figure + result.folds[1].figure) / 2)
    result.folds.forEach(({ facts, state }, index) => {
      expect(facts.trained.count).toBe(nested[index].train.length)
      expect(state.trials).toHaveLength(4)
    })
  })

  test('cannot see labels or values of the outer test rows while it tunes', async () => {
    const hit = new Set(nested[0].test)
    const of = async (y: Float64Array) => {
      const leak = numberColumn(
        'leak',
        Array.from(y, (label, row) => (hit.has(row) ? label : row % 5)),
      )
      const { folds: done } = await nestedTuning({
        ...options,
        table: tableOf([...table.columns, leak]),
        target: { task: 'binary', y },
        folds: nested.slice(0, 1),
        tuning: declared,
      })
      const [{ state, setting, facts }] = done
      return { state, setting, facts }
    }
    const changed = target.y.map((label, row) => (hit.has(row) ? 1 - label : label))
    expect(await of(changed)).toEqual(await of(target.y))
  })

  test('refuses inner folds that leave the training rows of the outer one', async () => {
    const [{ train, test: own, inner }] = nested
    const stray = [{ train, test: own, inner: [{ ...inner[0], test: own }] }]
    await expect(nestedTuning({ ...options, folds: stray, tuning: declared })).rejects.toThrow(
      'not a training row of its outer fold',
    )
  })

  test('says why no setting works', async () => {
    const learner = () => {
      throw new Error('no such learner')
    }
    await expect(
      nestedTuning({ ...options, learner, folds: nested, tuning: declared }),
    ).rejects.toThrow('no such learner')
  })
})
