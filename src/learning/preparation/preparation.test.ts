import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { selectRows } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { exampleOf, specs } from './example.cases.ts'
import { type FittedPreparation, fitPreparation } from './fit-preparation.ts'
import { preparer } from './preparer.ts'
import { rowsHash } from './rows.ts'
import { numericFeature, oneHot, preparation, targetEncoding } from './spec.ts'
import {
  categoryColumn,
  numberColumn,
  selectTableRows,
  type Table,
  type TableColumn,
  tableOf,
  tableOfRecords,
} from './table.ts'

const seed = 'test'
const roundTrip = (fitted: FittedPreparation) =>
  JSON.parse(JSON.stringify(fitted)) as FittedPreparation

/** Every second row, and those that are left. */
function halves(rows: number): { train: Uint32Array; others: Uint32Array } {
  const all = Uint32Array.from({ length: rows }, (_, row) => row)
  return { train: all.filter((row) => row % 2 === 0), others: all.filter((row) => row % 2 === 1) }
}

/** The table with other values, and so other texts, in the given rows. */
function vandalised({ columns }: Table, rows: Uint32Array, by: string): Table {
  const random = createRandom(by)
  const hit = new Set(rows)
  return tableOf(
    columns.map((column): TableColumn => {
      if (column.kind === 'number') {
        const values = column.values.map((value, row) =>
          hit.has(row) ? random.normal(0, 1e6) : value,
        )
        return { ...column, values }
      }
      const { codes, dictionary } = column
      const texts = Array.from(codes, (code, row) => {
        if (hit.has(row)) return random.next() < 0.3 ? null : `${by} ${random.int(5)}`
        return code < 0 ? null : dictionary[code]
      })
      // Another order of first appearance: the dictionary must not matter either.
      const turned = categoryColumn(column.name, texts.toReversed())
      return { ...turned, codes: turned.codes.toReversed() }
    }),
  )
}

describe.each(Object.entries(specs))('a preparation %s', (_, spec) => {
  const { table, target } = exampleOf(300)
  const { train, others } = halves(300)
  const fitted = fitPreparation(spec, table, train, target, { seed })
  const ready = preparer(fitted.preparation)

  test('is the same bytes for the same seed, whatever the order of rows', () => {
    const again = fitPreparation(spec, table, train.toReversed(), target, { seed })
    expect(canonicalJson(again.preparation)).toBe(canonicalJson(fitted.preparation))
    expect(again.data).toEqual(fitted.data)
    expect(again.rows).toEqual(fitted.rows)
  })

  test('survives a round trip exactly', () => {
    const back = roundTrip(fitted.preparation)
    expect(back).toEqual(fitted.preparation)
    expect(preparer(back).apply(table)).toEqual(ready.apply(table))
  })

  test('makes of one row what it makes of it in a table', () => {
    const whole = ready.apply(table)
    expect(whole.names).toEqual(fitted.preparation.features)
    for (const row of [0, 1, 17, 299]) {
      const wanted = selectRows(whole, [row])
      expect(ready.apply(selectTableRows(table, [row]))).toEqual(wanted)
      expect(ready.apply(table, Uint32Array.of(row))).toEqual(wanted)
      const record = Object.fromEntries(
        table.columns.map((column) => {
          if (column.kind === 'category')
            return [column.name, column.dictionary[column.codes[row]] ?? null]
          return [column.name, Number.isNaN(column.values[row]) ? null : column.values[row]]
        }),
      )
      expect(ready.apply(tableOfRecords([record], ready.columns))).toEqual(wanted)
    }
  })

  test('is fitted on the given rows alone: others may hold anything', () => {
    fc.assert(
      fc.property(fc.string(), (by) => {
        const y = target.y.map((label, row) => (row % 2 === 1 ? createRandom(by).int(9) : label))
        const other = { ...target, y }
        const again = fitPreparation(spec, vandalised(table, others, by), train, other, { seed })
        expect(canonicalJson(again.preparation)).toBe(canonicalJson(fitted.preparation))
        expect(again.data).toEqual(fitted.data)
      }),
      { numRuns: 10 },
    )
  })

  test('names the rows it was fitted on', () => {
    expect(fitted.preparation.rows).toEqual({ count: 150, hash: rowsHash(train) })
    expect(rowsHash(train.toReversed())).toBe(rowsHash(train))
    expect(rowsHash(others)).not.toBe(rowsHash(train))
  })

  test('finds columns by name, and refuses others by name', () => {
    const turned = tableOf(table.columns.toReversed())
    expect(ready.apply(turned)).toEqual(ready.apply(table))
    const lacking = tableOf(table.columns.slice(1))
    expect(() => ready.apply(lacking)).toThrow('lacks the column "age"')
    const more = tableOf([
      ...table.columns,
      numberColumn('new', table.columns.map(() => 1).concat(Array(294).fill(1))),
    ])
    expect(() => ready.apply(more)).toThrow('has the column "new"')
    const texts = Array.from({ length: 300 }, () => 'x')
    const changed = tableOf([categoryColumn('age', texts), ...table.columns.slice(1)])
    expect(() => ready.apply(changed)).toThrow('"age" holds category values')
  })

  test('takes rows of which it has seen nothing', () => {
    const blank = tableOf(
      table.columns.map(({ name, kind }) =>
        kind === 'number'
          ? numberColumn(name, [null, -5])
          : categoryColumn(name, [null, 'never seen']),
      ),
    )
    const { columns, rows } = ready.apply(blank)
    expect(rows).toBe(2)
    for (const column of columns) {
      expect(column.every((value) => Math.abs(value) < 1e6 || Number.isNaN(value))).toBe(true)
    }
  })
})

describe('a preparation is refused', () => {
  const { table, target } = exampleOf(40)
  const rows = [0, 1, 2, 3, 4, 5]
  const fitOn = (spec = preparation(), own: ArrayLike<number> = rows, over = table) =>
    fitPreparation(spec, over, own, target, { seed })

  test('where its declaration is wrong, by step and parameter', () => {
    expect(() => preparation({ numbers: numericFeature({ scale: 'tall' as 'none' }) })).toThrow(
      '"scale" of numbers',
    )
    expect(() => preparation({ columns: { a: oneHot({ categoriesMax: 0 }) } })).toThrow(
      '"categoriesMax" of "a"',
    )
    expect(() => preparation({ columns: { a: targetEncoding({ folds: 1 }) } })).toThrow('"folds"')
    expect(() => preparation({ balance: { kind: 'under-sampling', ratio: 0.5 } })).toThrow(
      '"ratio"',
    )
    expect(() => preparation({ extra: 1 } as object)).toThrow('"extra"')
  })

  test('where it names a column that is not there, or one that holds texts', () => {
    expect(() => fitOn(preparation({ columns: { agee: oneHot() } }))).toThrow('"agee"')
    expect(() => fitOn(preparation({ categories: numericFeature() }))).toThrow('"job" holds texts')
  })

  test('where rows are none, twice or beyond the table', () => {
    expect(() => fitOn(preparation(), [])).toThrow('no training rows')
    expect(() => fitOn(preparation(), [1, 1])).toThrow('row 1 is listed twice')
    expect(() => fitOn(preparation(), [40])).toThrow('row 40 is not in a table of 40')
  })

  test('where labels of its rows are not those of the task', () => {
    const wrong = { task: 'binary', y: target.y.map(() => NaN) } as const
    expect(() => fitPreparation(preparation(), table, rows, wrong, { seed })).toThrow(
      'label of row 0 is NaN',
    )
    const spec = preparation({ columns: { job: targetEncoding() } })
    expect(() => fitPreparation(spec, table, rows, { task: 'anomaly' }, { seed })).toThrow(
      'needs labels',
    )
  })

  test('where a column is empty and its imputation needs a value, unless a constant may stand in', () => {
    const empty = tableOf([numberColumn('a', [null, null]), categoryColumn('b', [null, null])])
    const labels = { task: 'regression', y: Float64Array.of(1, 2) } as const
    const numbers = numericFeature({ impute: 'median' })
    const categories = oneHot({ impute: 'most-frequent' })
    const of = (declared: Parameters<typeof preparation>[0]) =>
      fitPreparation(preparation(declared), empty, [0, 1], labels, { seed })
    expect(() => of({ numbers })).toThrow('No training row has a value of "a"')
    expect(() => of({ categories })).toThrow('No training row has a value of "b"')
    expect(of({ numbers, categories, empty: 'constant' }).data.x.columns[0]).toEqual(
      new Float64Array(2),
    )
  })

  test('where a value is infinite', () => {
    const endless = tableOf([numberColumn('a', [1, Infinity])])
    const labels = { task: 'regression', y: Float64Array.of(1, 2) } as const
    expect(() => fitPreparation(preparation(), endless, [0, 1], labels, { seed })).toThrow(
      '"a" is infinite in row 1',
    )
    const fitted = fitPreparation(preparation(), endless, [0], labels, { seed })
    expect(() => preparer(fitted.preparation).apply(endless)).toThrow('"a" is infinite in row 1')
  })

  test('where two features would have one name', () => {
    const clash = tableOf([categoryColumn('a', ['b=c']), categoryColumn('a=b', ['c'])])
    const labels = { task: 'regression', y: Float64Array.of(1) } as const
    const spec = preparation({ categories: oneHot() })
    expect(() => fitPreparation(spec, clash, [0], labels, { seed })).toThrow('"a=b=c"')
  })

  test('where its document is damaged', () => {
    const fitted = fitOn(
      specs['encoded by labels'],
      Array.from({ length: 40 }, (_, row) => row),
    )
    const damage: ((document: any) => void)[] = [
      (d) => (d.format = 'assay-preparation/2'),
      (d) => (d.task = 'oracle'),
      (d) => (d.classes = ['a']),
      (d) => (d.rows.hash = 'x'),
      (d) => (d.rows.count = 0.5),
      (d) => (d.columns = []),
      (d) => d.columns.pop(),
      (d) => (d.columns[0].name = 'other'),
      (d) => (d.columns[0].kind = 'category'),
      (d) => (d.columns[0].fitted.scale = 0),
      (d) => (d.columns[0].fitted.fill = 'x'),
      (d) => (d.columns[2].fitted.dictionary.kept[0] = 7),
      (d) => d.columns[3].fitted.means[0].pop(),
      (d) => d.columns[3].fitted.means.pop(),
      (d) => (d.columns[3].fitted.step = 'oracle'),
      (d) => d.features.reverse(),
      (d) => (d.categorical = []),
      (d) => d.balance.corrections.pop(),
      (d) => (d.balance.kind = 'oracle'),
    ]
    for (const change of damage) {
      const copy = roundTrip(fitted.preparation)
      change(copy)
      expect(() => preparer(copy), String(change)).toThrow(
        expect.objectContaining({ code: 'model_invalid' }),
      )
    }
    expect(() => preparer(null as never)).toThrow('format')
  })
})

describe('a document with anything in any place', () => {
  /** Every place of a JSON value, as the keys that lead there. */
  function placesOf(value: unknown, path: string[] = []): string[][] {
    if (typeof value !== 'object' || value === null) return [path]
    const below = Object.entries(value).slice(0, 20)
    return [path, ...below.flatMap(([key, member]) => placesOf(member, [...path, key]))]
  }

  function replaced(value: unknown, [key, ...rest]: string[], by: unknown): unknown {
    if (key === undefined) return by
    const copy: any = Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }
    copy[key] = replaced(copy[key], rest, by)
    return copy
  }

  test.each(Object.entries(specs))('is refused as damaged, or works (%s)', (_, spec) => {
    const { table, target } = exampleOf(60)
    const rows = Array.from({ length: 60 }, (_row, row) => row)
    const document = fitPreparation(spec, table, rows, target, { seed }).preparation
    const places = placesOf(document)
    fc.assert(
      fc.property(fc.nat(), fc.jsonValue({ maxDepth: 2 }), (at, value) => {
        const changed = replaced(document, places[at % places.length], value)
        try {
          const { columns } = preparer(changed as FittedPreparation).apply(table)
          for (const column of columns) expect(column).toHaveLength(60)
        } catch (error) {
          expect(error).toMatchObject({ name: 'AssayError' })
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('tables', () => {
  test('hold numbers, flags and texts, and say what does not fit', () => {
    expect(numberColumn('a', [1, true, false, null, undefined]).values).toEqual(
      Float64Array.of(1, 1, 0, NaN, NaN),
    )
    expect(() => numberColumn('a', [1, 'x'])).toThrow('row 1 the text "x"')
    expect(categoryColumn('a', ['x', null, 'y', 'x', 3, true])).toMatchObject({
      codes: Int32Array.of(0, -1, 1, 0, 2, 3),
      dictionary: ['x', 'y', '3', 'true'],
    })
    expect(() => categoryColumn('a', ['\ud800'])).toThrow('not valid Unicode')
    expect(() => tableOf([numberColumn('a', [1]), numberColumn('a', [1])])).toThrow('twice')
    expect(() => tableOf([numberColumn('a', [1]), numberColumn('b', [])])).toThrow('0 values for 1')
  })

  test('come from records that hold exactly the known columns', () => {
    const kinds = [{ name: 'a', kind: 'number' }] as const
    expect(() => tableOfRecords([{ a: 1 }, {}], kinds)).toThrow('Record 1 lacks the column "a"')
    expect(() => tableOfRecords([{ a: 1, b: 2 }], kinds)).toThrow('column "b", which is not known')
  })
})
