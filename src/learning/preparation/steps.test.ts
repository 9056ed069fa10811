import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRandom } from '../../lib/random.ts'
import { fitPreparation } from './fit-preparation.ts'
import { preparer } from './preparer.ts'
import {
  type ColumnStep,
  numericFeature,
  oneHot,
  ordinalCodes,
  preparation,
  targetEncoding,
} from './spec.ts'
import { categoryColumn, numberColumn, type TableCell, type TableColumn, tableOf } from './table.ts'
import type { Target } from './target.ts'

const seed = 'steps'

/** Fits one step on the training cells; gives the features of training and of other cells. */
function applied(
  step: ColumnStep,
  cells: readonly TableCell[],
  { others = [], y = cells.map(() => 0) }: { others?: readonly TableCell[]; y?: number[] } = {},
) {
  const column = (values: readonly TableCell[]): TableColumn =>
    step.step === 'number' ? numberColumn('c', values) : categoryColumn('c', values)
  const rows = cells.map((_, row) => row)
  const target: Target = { task: 'regression', y: Float64Array.from(y) }
  const spec = preparation({ columns: { c: step } })
  const fitted = fitPreparation(spec, tableOf([column(cells)]), rows, target, { seed })
  const after = preparer(fitted.preparation).apply(tableOf([column(others)]))
  const list = (columns: readonly Float64Array[]) => columns.map((values) => [...values])
  return {
    names: fitted.preparation.features,
    training: list(fitted.data.x.columns),
    others: list(after.columns),
    fitted: fitted.preparation.columns[0].fitted,
  }
}

describe('a number step', () => {
  // Values as of scikit-learn 1.9: SimpleImputer, StandardScaler, RobustScaler, MinMaxScaler.
  const cells = [1, 2, 2, 4, null, 11]

  test('imputes mean, median, the most frequent value or a constant', () => {
    const filled = (impute: 'mean' | 'median' | 'most-frequent' | { constant: number }) =>
      applied(numericFeature({ impute }), cells).training[0][4]
    expect(filled('mean')).toBe(4)
    expect(filled('median')).toBe(2)
    expect(filled('most-frequent')).toBe(2)
    expect(filled({ constant: -7 })).toBe(-7)
    expect(applied(numericFeature(), cells).training[0][4]).toBeNaN()
  })

  test('takes the smallest of equally frequent values', () => {
    const { training } = applied(numericFeature({ impute: 'most-frequent' }), [3, 1, null])
    expect(training[0][2]).toBe(1)
  })

  test('scales by the training rows, and other rows alike', () => {
    const scaled = (scale: 'standard' | 'robust' | 'min-max') =>
      applied(numericFeature({ scale }), cells, { others: [4, 21] }).others[0]
    expect(scaled('standard')[0]).toBe(0)
    expect(scaled('standard')[1]).toBeCloseTo(17 / Math.sqrt(66 / 5), 12)
    expect(scaled('robust')).toEqual([1, 9.5])
    expect(scaled('min-max')).toEqual([0.3, 2])
  })

  test('only centres a column without spread', () => {
    for (const scale of ['standard', 'robust', 'min-max'] as const) {
      const { others } = applied(numericFeature({ scale }), [0.1, 0.1, 0.1], { others: [1.1] })
      expect(others[0][0]).toBeCloseTo(1, 12)
    }
  })

  test('takes logarithms on both sides of zero, constants included', () => {
    const step = numericFeature({ log1p: true, impute: { constant: 9 } })
    const { others } = applied(step, [1], { others: [0, 99, -99, null] })
    expect(others[0][0]).toBe(0)
    expect(others[0][1]).toBeCloseTo(Math.log(100), 14)
    expect(others[0][2]).toBe(-others[0][1])
    expect(others[0][3]).toBeCloseTo(Math.log(10), 14)
  })

  test('keeps features finite whatever finite values come', () => {
    const step = numericFeature({ scale: 'min-max' })
    const { others } = applied(step, [1e-300, 2e-300], { others: [1e300, -1e300] })
    expect(others[0]).toEqual([Number.MAX_VALUE, -Number.MAX_VALUE])
    const huge = numericFeature({ impute: 'mean' })
    expect(() => applied(huge, [1.5e308, 1.5e308])).toThrow('"c" are too large to be added up')
  })

  test('marks what was missing', () => {
    const { names, training } = applied(numericFeature({ impute: 'mean', indicator: true }), cells)
    expect(names).toEqual(['c', 'missing(c)'])
    expect(training[1]).toEqual([0, 0, 0, 0, 1, 0])
  })
})

describe('an ordinal step', () => {
  const cells = ['b', 'a', 'b', 'c', null, 'a', 'd']

  test('numbers categories by frequency, then by name', () => {
    const { training, others } = applied(ordinalCodes(), cells, { others: ['x', null, 'd'] })
    expect(training[0]).toEqual([1, 0, 1, 2, NaN, 0, 3])
    expect(others[0]).toEqual([NaN, NaN, 3])
  })

  test('gives rare categories one code, and unseen ones a further one where asked', () => {
    const step = ordinalCodes({ rowsMin: 2, unseen: 'own-code' })
    const { training, others } = applied(step, cells, { others: ['x', 'c'] })
    expect(training[0]).toEqual([1, 0, 1, 2, NaN, 0, 2])
    expect(others[0]).toEqual([3, 2])
    const full = applied(ordinalCodes({ unseen: 'own-code' }), cells, { others: ['x'] })
    expect(full.others[0]).toEqual([4])
  })

  test('imputes before it counts', () => {
    const constant = ordinalCodes({ impute: { constant: 'c' }, indicator: true })
    const { training, others } = applied(constant, cells, { others: [null] })
    expect(training[0]).toEqual([1, 0, 1, 2, 2, 0, 3])
    expect(others).toEqual([[2], [1]])
    const frequent = applied(ordinalCodes({ impute: 'most-frequent' }), cells)
    expect(frequent.training[0][4]).toBe(0)
  })

  test('takes numbers as categories by their text', () => {
    const column = numberColumn('c', [3, 7, 3, null])
    const target: Target = { task: 'regression', y: new Float64Array(4) }
    const spec = preparation({ columns: { c: ordinalCodes() } })
    const { data } = fitPreparation(spec, tableOf([column]), [0, 1, 2, 3], target, { seed })
    expect(data.x.columns[0]).toEqual(Float64Array.of(0, 1, 0, NaN))
    expect(data.categorical).toEqual(['c'])
  })
})

describe('a one-hot step', () => {
  const cells = ['b', 'a', 'b', 'c', null, 'a', 'd']

  test('makes a feature a category, one for the rare and none for the unseen', () => {
    const step = oneHot({ categoriesMax: 2 })
    const { names, training, others } = applied(step, cells, { others: ['x', 'd', null] })
    expect(names).toEqual(['c=a', 'c=b', 'rare(c)', 'missing(c)'])
    expect(training[2]).toEqual([0, 0, 0, 1, 0, 0, 1])
    expect(others).toEqual([
      [0, 0, 0],
      [0, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ])
  })
})

describe('a step over an identifier', () => {
  test('forgets the rarest categories, those of one count all or none', () => {
    const cells = Array.from({ length: 250_000 }, (_, row) => `id ${row}`)
    cells.push('id 7', 'id 9', 'id 9')
    const { fitted, training } = applied(ordinalCodes(), cells)
    expect(fitted).toMatchObject({
      dictionary: { kept: ['id 9', 'id 7'], rare: [], forgotten: 249_998 },
    })
    expect(training[0][0]).toBeNaN()
    expect(training[0][9]).toBe(0)
  })
})

describe('target encoding', () => {
  const step = targetEncoding({ smoothing: 2, folds: 3 })

  /** The definition, from the labels of the given rows. */
  function naive(
    cells: readonly TableCell[],
    y: readonly number[],
    rows: number[],
    cell: TableCell,
  ) {
    const prior = rows.reduce((sum, row) => sum + y[row], 0) / Math.max(1, rows.length)
    const own = rows.filter((row) => cells[row] === cell)
    const sum = own.reduce((total, row) => total + y[row], 0)
    return (sum + 2 * prior) / (own.length + 2)
  }

  const cases = fc.array(
    fc.tuple(fc.constantFrom('a', 'b', 'c', null), fc.integer({ min: -9, max: 9 })),
    { minLength: 4, maxLength: 40 },
  )

  test('gives new rows the smoothed mean of their category, unseen ones that of all', () => {
    fc.assert(
      fc.property(cases, (list) => {
        const cells = list.map(([cell]) => cell)
        const y = list.map(([, label]) => label)
        const asked = ['a', 'b', 'c', null, 'x']
        const { others } = applied(step, cells, { y, others: asked })
        const rows = cells.map((_, row) => row)
        asked.forEach((cell, i) => {
          expect(others[0][i]).toBeCloseTo(naive(cells, y, rows, cell), 10)
        })
      }),
    )
  })

  test('never lets a training row see its own label', () => {
    fc.assert(
      fc.property(cases, fc.nat(), fc.integer({ min: -1e6, max: 1e6 }), (list, at, label) => {
        const cells = list.map(([cell]) => cell)
        const y = list.map(([, own]) => own)
        const row = at % list.length
        const changed = y.with(row, label)
        const before = applied(step, cells, { y }).training[0][row]
        expect(applied(step, cells, { y: changed }).training[0][row]).toBe(before)
      }),
    )
  })

  test('encodes a training row from the other two thirds', () => {
    const random = createRandom(seed)
    const cells = Array.from({ length: 300 }, () => `c${random.int(4)}`)
    const y = cells.map((cell) => (random.next() < Number(cell[1]) / 4 ? 1 : 0))
    const { training } = applied(step, cells, { y })
    // As many different values as there are categories and folds, each near the naive mean.
    expect(new Set(training[0]).size).toBe(12)
    const rows = cells.map((_, row) => row)
    training[0].forEach((value, row) => {
      expect(Math.abs(value - naive(cells, y, rows, cells[row]))).toBeLessThan(0.15)
    })
  })

  test('keeps a pure identifier from telling labels', () => {
    const cells = Array.from({ length: 60 }, (_, row) => `id ${row}`)
    const y = cells.map((_, row) => row % 2)
    const { training } = applied(targetEncoding({ smoothing: 0, folds: 5 }), cells, { y })
    // Rows see only the mean of the other folds: one value a fold.
    expect(new Set(training[0]).size).toBeLessThanOrEqual(5)
  })

  test('leaves the labels of a whole group out, where rows belong together', () => {
    const cells = Array.from({ length: 40 }, (_, row) => (row % 2 === 0 ? 'a' : 'b'))
    const groups = cells.map((_, row) => Math.floor(row / 4))
    const table = tableOf([categoryColumn('c', cells)])
    const spec = preparation({ columns: { c: step } })
    const values = (y: number[]) => {
      const target: Target = { task: 'regression', y: Float64Array.from(y) }
      const rows = cells.map((_, row) => row)
      return fitPreparation(spec, table, rows, target, { seed, groups }).data.x.columns[0]
    }
    const y = cells.map((_, row) => row)
    const changed = y.map((label, row) => (row < 4 ? 1000 : label))
    expect(values(changed).subarray(0, 4)).toEqual(values(y).subarray(0, 4))
    expect(values(changed)).not.toEqual(values(y))
  })

  test('makes one feature a class of a multi-class task', () => {
    const target: Target = {
      task: 'multiclass',
      classes: ['low', 'high', 'top'],
      y: Float64Array.of(0, 1, 2, 0, 1, 2),
    }
    const table = tableOf([categoryColumn('c', ['x', 'x', 'x', 'y', 'y', 'y'])])
    const spec = preparation({ columns: { c: step } })
    const { preparation: fitted } = fitPreparation(spec, table, [0, 1, 2, 3, 4, 5], target, {
      seed,
    })
    expect(fitted.features).toEqual(['target(c,low)', 'target(c,high)', 'target(c,top)'])
    const { columns } = preparer(fitted).apply(table)
    columns.forEach((column) => expect(column[0]).toBeCloseTo(1 / 3, 12))
  })

  test('is refused where it would keep more sums than memory holds', () => {
    const classes = Array.from({ length: 2000 }, (_, k) => `class ${k}`)
    const cells = Array.from({ length: 1000 }, (_, row) => `c ${row}`)
    const target: Target = { task: 'multiclass', classes, y: new Float64Array(1000) }
    const spec = preparation({ columns: { c: targetEncoding({ folds: 50 }) } })
    const table = tableOf([categoryColumn('c', cells)])
    const rows = cells.map((_, row) => row)
    expect(() => fitPreparation(spec, table, rows, target, { seed })).toThrow('categoriesMax')
  })
})
