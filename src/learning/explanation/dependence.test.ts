import { describe, expect, test } from 'vitest'
import { fromRows } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { drawTable, formulaModel, manyFormulas } from './models.cases.ts'
import { partialDependence } from './partial-dependence.ts'
import { permutationImportance } from './permutation-importance.ts'

const names = ['a', 'b', 'c']
const x = drawTable(createRandom(4), 600, names)

describe('permutation importance', () => {
  const model = formulaModel(names, (row) => 3 * row[0] - row[1])
  const y = Float64Array.from({ length: x.rows }, (_, i) => 3 * x.columns[0][i] - x.columns[1][i])
  const squares = (told: Float64Array, wanted: Float64Array) =>
    told.reduce((sum, value, i) => sum + (value - wanted[i]) ** 2, 0) / told.length
  const ask = { x, y, measure: squares, better: 'lower', seed: 1 } as const

  test('is twice the variance that a term of a sum has, and 0 where the model does not look', () => {
    const { measured, features } = permutationImportance(model, { ...ask, repeats: 20 })
    expect(measured).toBe(0)
    expect(features.map((each) => each.features[0])).toEqual(['a', 'b', 'c'])
    expect(features[0].importance).toBeGreaterThan(15)
    expect(features[0].importance).toBeLessThan(21)
    expect(features[0].interval.lower).toBeLessThan(features[0].importance)
    expect(features[2]).toMatchObject({ importance: 0, interval: { lower: 0, upper: 0 } })
  })

  test('has Student’s interval over the repeats', () => {
    const [first] = permutationImportance(model, { ...ask, repeats: 2 }).features
    // Of two values the deviation is their distance by √2, and t(1 degree, 95 %) is 12.7062.
    const reach = (12.7062047 * Math.abs(first.values[0] - first.values[1])) / 2
    expect(first.interval.upper - first.importance).toBeCloseTo(reach, 4)
  })

  test('follows a figure of which more is better, and is the same for the same seed', () => {
    const agree = (told: Float64Array, wanted: Float64Array) => -squares(told, wanted)
    const higher = permutationImportance(model, { ...ask, measure: agree, better: 'higher' })
    expect(higher.features).toEqual(permutationImportance(model, ask).features)
  })

  test('shuffles features together that are asked for together', () => {
    // Two copies of one column: the model's difference of them never sees the shuffling of both.
    const twins = fromRows(
      names,
      Array.from(x.columns[0], (value) => [value, value, 0]),
    )
    const apart = formulaModel(names, (row) => row[0] - row[1])
    const figures = { ...ask, x: twins, y: new Float64Array(x.rows) }
    const alone = permutationImportance(apart, figures).features
    const both = permutationImportance(apart, { ...figures, together: [['a', 'b']] }).features
    expect(alone[0].importance).toBeGreaterThan(1)
    expect(both[0]).toMatchObject({ features: ['a', 'b'], importance: 0 })
  })

  test('refuses what it cannot do', () => {
    expect(() => permutationImportance(model, { ...ask, repeats: 1 })).toThrow('"repeats" is 1')
    expect(() => permutationImportance(model, { ...ask, y: y.subarray(1) })).toThrow('599 labels')
    expect(() => permutationImportance(model, { ...ask, together: [['a'], ['a']] })).toThrow(
      'twice',
    )
    expect(() => permutationImportance(model, { ...ask, together: [['z']] })).toThrow('"z"')
    expect(() => permutationImportance(model, { ...ask, measure: () => NaN })).toThrow('gave NaN')
  })
})

describe('partial dependence', () => {
  test('of a sum is the term of the feature and the mean of the rest', () => {
    const model = formulaModel(names, (row) => row[0] * row[0] + 10 * row[1])
    const rest = x.columns[1].reduce((sum, value) => sum + 10 * value, 0) / x.rows
    const { points } = partialDependence(model, { x, feature: 'a', points: 9 })
    expect(points).toHaveLength(9)
    for (const { value, mean } of points) expect(mean).toBeCloseTo(value * value + rest, 9)
    expect(points.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12)
  })

  test('tells the rows one by one, whose mean it is', () => {
    const model = formulaModel(names, (row) => row[0] * row[1])
    const { points, curves } = partialDependence(model, { x, feature: 'a', rows: 40, curves: 40 })
    expect(curves).toHaveLength(40)
    points.forEach(({ value, mean }, at) => {
      const own = curves.map(({ outputs }) => outputs[at])
      expect(own.reduce((sum, told) => sum + told, 0) / 40).toBeCloseTo(mean, 9)
      curves.forEach(({ row, outputs }) =>
        expect(outputs[at]).toBeCloseTo(value * x.columns[1][row], 12),
      )
    })
  })

  test('has a point for each category, and one for missing values', () => {
    const codes = fromRows(['kind'], [[0], [2], [2], [NaN], [7]])
    const model = formulaModel(['kind'], ([kind]) => (kind === kind ? kind * 10 : -1))
    const { points, missing } = partialDependence(model, {
      x: codes,
      feature: 'kind',
      categorical: true,
    })
    expect(points).toEqual([
      { value: 0, mean: 0, share: 0.2 },
      { value: 2, mean: 20, share: 0.4 },
      { value: 7, mean: 70, share: 0.2 },
    ])
    expect(missing).toEqual({ value: NaN, mean: -1, share: 0.2 })
  })

  test('takes other points and another output', () => {
    const model = manyFormulas(names, ['one', 'two'], (row) => [row[0], 2 * row[0]])
    const told = partialDependence(model, { x, feature: 'a', output: 1, grid: [3, -1, 3] })
    expect(told.output).toBe('two')
    expect(told.points.map(({ value, mean }) => [value, mean])).toEqual([
      [-1, expect.closeTo(-2, 12)],
      [3, expect.closeTo(6, 12)],
    ])
  })

  test('refuses what it cannot do', () => {
    const model = formulaModel(names, (row) => row[0])
    const ask = (options: object) => () => partialDependence(model, { x, feature: 'a', ...options })
    expect(ask({ feature: 'z' })).toThrow('no feature "z"')
    expect(ask({ categorical: true })).toThrow('600 categories')
    expect(ask({ grid: [] })).toThrow('grid')
    expect(ask({ rows: 0 })).toThrow('"rows" is 0')
    expect(ask({ output: 2 })).toThrow('no output 2')
  })
})
