import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { needs, sharedData } from '../../../test/tools.ts'
import { fromRows, selectRows, selectValues } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { dataOf } from '../estimator.cases.ts'
import { fit } from '../fit.ts'
import { boostedTrees, calibrated, linearRegression, multinomialRegression } from '../learners.ts'
import { predictor } from '../predictor.ts'
import { calibratedModel, crossCalibrate } from './calibrated.ts'
import { calibrate } from './calibration.ts'
import type { CalibratedModel } from './model.ts'

describe('a calibrated learner', () => {
  const data = dataOf('binary', 300)
  const labelled = { ...data, y: data.y ?? new Float64Array() }
  const learner = boostedTrees({ trees: 20 })

  test('keeps the inner model, its margins and its explanations', () => {
    const model = fit(calibrated({ learner, method: 'platt' }), data, { seed: 4 })
    const inner = fit(learner, data, { seed: 4 })
    expect(model.kind === 'calibrated' && model.model).toEqual(inner)
    const row = Float64Array.of(1, 2, 3, 0, 7, NaN)
    const [ours, theirs] = [predictor(model), predictor(inner)]
    expect(ours.margin(row)).toBe(theirs.margin(row))
    expect(ours.explain(row)).toEqual(theirs.explain(row))
    expect(ours.score(row)).not.toBe(theirs.score(row))
  })

  test('calibrates on margins out of fold alone', () => {
    // The labels of the second half are turned: a model of the first half is wrong on all of it.
    const rows = Array.from({ length: 200 }, (_, row) => [row % 2])
    const y = Float64Array.from(rows, ([a], row) => (row < 100 ? a : 1 - a))
    const folds = [{ train: range(0, 100), test: range(100, 200) }]
    const turned = { x: fromRows(['a'], rows), y }
    const spec = boostedTrees({ trees: 20 })
    const calibration = crossCalibrate('platt', spec, turned, folds, { seed: 1 })
    expect(calibration).toMatchObject({ kind: 'platt', slope: 0 })
  })

  test('never parts a group between learning and calibrating', () => {
    // Each customer has one label and many rows alike: parted, they would be told by heart.
    const random = createRandom(3)
    const customers = Array.from({ length: 60 }, () => [
      random.next(),
      random.next(),
      random.int(2),
    ])
    const groups = Array.from({ length: 600 }, (_, row) => row % 60)
    const x = fromRows(
      ['a', 'b'],
      groups.map((of) => customers[of].slice(0, 2)),
    )
    const y = Float64Array.from(groups, (of) => customers[of][2])
    const spec = calibrated({ learner: boostedTrees({ trees: 60 }), method: 'platt' })
    const slope = (of?: number[]) => {
      const model = fit(spec, { x, y, ...(of && { groups: of }) }, { seed: 1 })
      const { calibration } = model as CalibratedModel
      return calibration.kind === 'platt' ? calibration.slope : NaN
    }
    expect(slope(groups)).toBeLessThan(slope() / 4)
    expect(() => fit(spec, { x, y, groups: [1] }, { seed: 1 })).toThrow('1 groups for 600 rows')
    const alike = new Array<number>(600).fill(1)
    expect(() => fit(spec, { x, y, groups: alike }, { seed: 1 })).toThrow('two groups with rows')
  })

  test('takes folds of any making, such as by time', () => {
    const folds = [
      { train: range(0, 100), test: range(100, 200) },
      { train: range(0, 200), test: range(200, 300) },
    ]
    const calibration = crossCalibrate('isotonic', learner, labelled, folds, { seed: 4 })
    const model = calibratedModel(fit(learner, data, { seed: 4 }), calibration)
    const scores = predictor(model).scoreMatrix(data.x)
    expect(scores.every((score) => score > 0 && score < 1)).toBe(true)
  })

  test('refuses learners without classes, and several classes but by temperature', () => {
    const spec = calibrated({ learner: linearRegression() })
    expect(() => fit(spec, dataOf('regression', 50), { seed: 1 })).toThrow('regression learner')
    const classes = calibrated({ learner: multinomialRegression(), method: 'platt' })
    expect(() => fit(classes, dataOf('multiclass', 50), { seed: 1 })).toThrow('"platt"')
    expect(() => calibrated({ learner: calibrated({ learner }) })).toThrow('"learner"')
    const margins = { margins: Float64Array.of(0, 1), y: Float64Array.of(0, 1) }
    const platt = calibrate('platt', margins)
    const several = fit(multinomialRegression(), dataOf('multiclass', 50), { seed: 1 })
    expect(() => calibratedModel(several, platt)).toThrow('damaged')
  })
})

test.skipIf(!needs('shared-data')).each(['isotonic', 'platt', 'temperature'] as const)(
  'by %s improves the Brier score of over-confident trees on incomes not learnt from (needs ../shared/data)',
  (method) => {
    const all = incomes()
    const part = (from: number, to: number) => ({
      x: selectRows(all.x, range(from, to)),
      y: selectValues(all.y, range(from, to)),
    })
    const [train, test] = [part(0, 2000), part(2000, 10_000)]
    const learner = boostedTrees({ trees: 60, learningRate: 0.5 })
    const brier = (model: ReturnType<typeof fit>) => {
      const scores = predictor(model).scoreMatrix(test.x)
      return scores.reduce((sum, score, i) => sum + (score - test.y[i]) ** 2, 0) / test.y.length
    }
    const before = brier(fit(learner, train, { seed: 1 }))
    const after = brier(fit(calibrated({ learner, method }), train, { seed: 1 }))
    expect(after).toBeLessThan(before)
  },
)

/** Adult: the numeric columns, and whether the income is above 50k. */
function incomes() {
  const text = gunzipSync(readFileSync(sharedData('uci_adult', 'adult.data.gz'))).toString()
  const cells = text
    .trim()
    .split('\n')
    .map((line) => line.split(', '))
  const numeric = [0, 2, 4, 10, 11, 12]
  const names = ['age', 'weight', 'education', 'gain', 'loss', 'hours']
  const x = fromRows(
    names,
    cells.map((row) => numeric.map((column) => Number(row[column]))),
  )
  return { x, y: Float64Array.from(cells, (row) => (row[14] === '>50K' ? 1 : 0)) }
}

function range(from: number, to: number): Uint32Array {
  return Uint32Array.from({ length: to - from }, (_, i) => from + i)
}
