import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromRows, readRow } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { limeExplainer } from './lime.ts'
import { limeFeature } from './lime-discretiser.ts'
import { drawTable, formulaModel, manyFormulas } from './models.cases.ts'

const names = ['a', 'b', 'c', 'd']
const table = drawTable(createRandom(1), 800, names)

/**
 * Five standard errors of the weight of a feature that the model does not look at: the deviation of
 * a sum of the slopes below is 4.6, and half of 5000 neighbours count, a quarter of them alike.
 */
const chance = (5 * 4.6) / Math.sqrt((5000 / 2) * 0.25 * 0.75)

describe('LIME', () => {
  test('recovers the signs and the order of a linear model, wherever the row lies', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 799 }), { minLength: 1, maxLength: 1 }),
        fc.integer(),
        ([at], seed) => {
          const slopes = [4, -2, 1, 0]
          const model = formulaModel(names, (row) => row.reduce((s, v, j) => s + slopes[j] * v, 0))
          const row = readRow(table, at)
          // In an outer quarter a greater value really says more; in an inner one it may not.
          const outer = row.every((value) => Math.abs(value) > 0.8)
          const { weights } = limeExplainer(model, table)(row, { seed })
          for (const { feature, weight } of weights) {
            const j = names.indexOf(feature)
            if (outer && slopes[j] !== 0)
              expect(Math.sign(weight)).toBe(Math.sign(slopes[j] * row[j]))
            if (slopes[j] === 0) expect(Math.abs(weight)).toBeLessThan(chance)
          }
        },
      ),
      { numRuns: 25 },
    )
  })

  test('finds the features that a steep model looks at first', () => {
    const slopes = [4, -2, 1, 0]
    const model = formulaModel(names, (row) => row.reduce((s, v, j) => s + slopes[j] * v, 0))
    const { weights, fit, predicted, approximated } = limeExplainer(model, table)(
      Float64Array.of(1.5, 1.5, 1.5, 1.5),
      { seed: 3 },
    )
    expect(weights.map(({ feature }) => feature)).toEqual(['a', 'b', 'c', 'd'])
    expect(weights[0].part).toEqual({ kind: 'range', above: expect.closeTo(0.67, 0) })
    expect(predicted).toBe(4.5)
    expect(approximated).toBeGreaterThan(2)
    expect(fit).toBeGreaterThan(0.5)
  })

  test('says the same for the same seed, and records what it was asked with', () => {
    const model = formulaModel(names, (row) => row[0] * row[1])
    const explain = limeExplainer(model, table)
    const row = readRow(table, 0)
    const once = explain(row, { seed: 's' })
    expect(explain(row, { seed: 's' })).toEqual(once)
    expect(explain(row, { seed: 't' })).not.toEqual(once)
    expect(once).toMatchObject({ seed: 's', samples: 5000, kernelWidth: 1.5, alpha: 1 })
  })

  test('takes categories and missing values as parts of their own', () => {
    const random = createRandom(2)
    const rows = Array.from({ length: 500 }, () => [random.int(3), random.next() < 0.3 ? NaN : 1])
    const x = fromRows(['kind', 'gap'], rows)
    const model = formulaModel(
      ['kind', 'gap'],
      (row) => (row[0] === 2 ? 1 : 0) + (row[1] !== row[1] ? 5 : 0),
    )
    const { weights } = limeExplainer(model, x, ['kind'])(Float64Array.of(2, NaN), { seed: 1 })
    expect(weights).toMatchObject([
      { feature: 'gap', part: { kind: 'missing' }, weight: expect.closeTo(5, 0) },
      { feature: 'kind', part: { kind: 'category', code: 2 }, weight: expect.closeTo(1, 0) },
    ])
  })

  test('explains the output that is asked for, and no more features than are', () => {
    const model = manyFormulas(names, ['x', 'y'], (row) => [row[0], row[1]])
    const explain = limeExplainer(model, table)
    const row = Float64Array.of(2, 2, 2, 2)
    const first = explain(row, { seed: 1, features: 1 })
    const second = explain(row, { seed: 1, features: 1, output: 1 })
    expect([first.weights[0].feature, second.weights[0].feature]).toEqual(['a', 'b'])
    expect([first.output, second.output]).toEqual(['x', 'y'])
  })

  test('refuses what it cannot do', () => {
    const model = formulaModel(names, (row) => row[0])
    const explain = limeExplainer(model, table)
    const row = readRow(table, 0)
    expect(() => explain(row, { seed: 1, samples: 1 })).toThrow('"samples" is 1')
    expect(() => explain(row, { seed: 1, alpha: 0 })).toThrow('"alpha" is 0')
    expect(() => explain(row, { seed: 1, output: 1 })).toThrow('no output 1')
    expect(() => explain(row.subarray(1), { seed: 1 })).toThrow('takes 4 features')
    expect(() => limeExplainer(model, table, ['z'])).toThrow('no feature "z"')
    expect(() => limeExplainer(model, fromRows(names, []))).toThrow('no training rows')
  })
})

test('a part is drawn as often as it occurs, and its values lie in it', () => {
  const random = createRandom(5)
  const column = Float64Array.from({ length: 400 }, (_, i) => (i < 100 ? NaN : random.normal(7, 2)))
  const feature = limeFeature(column, false)
  let missing = 0
  for (let i = 0; i < 4000; i++) {
    const part = feature.drawPart(random)
    const value = feature.drawValue(part, random)
    expect(feature.partOf(value)).toBe(part)
    if (Number.isNaN(value)) missing++
  }
  expect(missing / 4000).toBeCloseTo(0.25, 1)
})
