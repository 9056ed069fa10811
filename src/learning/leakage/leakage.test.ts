import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { needs, sharedData } from '../../../test/tools.ts'
import type { Matrix } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { foldsOf } from '../splits/folds.ts'
import { rowsHash } from '../preparation/rows.ts'
import { categoryColumn, numberColumn, tableOf } from '../preparation/table.ts'
import { checkLeakage, leakageColumns, type LeakageInput } from './leakage.ts'

const random = createRandom(8)
const n = 1200
const normal = () => Float64Array.from({ length: n }, () => random.normal(0, 1))
const honest = normal()
const y = honest.map((value) => (value + random.normal(0, 2) > 0.8 ? 1 : 0))
const table = (columns: Record<string, Float64Array>): Matrix => ({
  names: Object.keys(columns),
  rows: n,
  columns: Object.values(columns),
})
const plain = { honest, noise: normal(), other: normal() }
const input = (columns: Record<string, Float64Array>, more: Partial<LeakageInput> = {}) => ({
  x: table({ ...plain, ...columns }),
  target: { task: 'binary' as const, y },
  ...more,
})
const codes = (given: LeakageInput) =>
  checkLeakage(given).map(({ code, column }) => (column === undefined ? code : `${code} ${column}`))

describe('a column', () => {
  test('of honest data raises nothing', () => {
    expect(codes(input({}))).toEqual([])
  })

  test('that is the target under another name is named, coded or with missing values', () => {
    const coded = y.map((label) => (label === 1 ? 7 : 3))
    const blank = y.map((label) => (label === 1 ? 1 : NaN))
    expect(codes(input({ coded, blank }))).toEqual(['target_copy coded', 'target_copy blank'])
  })

  test('that alone tells too much is named, in order or not, with its figure', () => {
    const rising = y.map((label) => label + random.normal(0, 0.3))
    // High and low mean positive, the middle genuine: no order shows it.
    const both = y.map(
      (label, i) => (label === 1 ? (i % 2 === 0 ? 9 : -9) : 0) + random.normal(0, 1),
    )
    const found = checkLeakage(input({ rising, both }))
    expect(found.map(({ code, column, level }) => [code, column, level])).toEqual([
      ['too_good', 'rising', 'likely'],
      ['too_good', 'both', 'likely'],
    ])
    expect(found[0].figure).toBeGreaterThan(0.95)
    expect(found[0].words).toContain('"rising" alone has an area under the ROC curve of 0.9')
  })

  test('that stands far out among many is named as possible', () => {
    const ahead = y.map((label) => 1.7 * label + random.normal(0, 1))
    const found = checkLeakage(input({ ahead }))
    expect(found).toMatchObject([{ code: 'too_good', column: 'ahead', level: 'possible' }])
    // Beside another that is as good it is not out of the ordinary.
    const beside = y.map((label) => 1.7 * label + random.normal(0, 1))
    expect(codes(input({ ahead, beside }))).toEqual([])
  })

  test('of categories with many values says nothing by their number', () => {
    const shops = Float64Array.from({ length: n }, () => random.int(700))
    expect(codes(input({ shops }, { categorical: ['shops'] }))).toEqual([])
    const kinds = y.map((label) => (label === 1 ? random.int(20) : 20 + random.int(20)))
    expect(codes(input({ kinds }, { categorical: ['kinds'] }))).toEqual(['too_good kinds'])
  })

  test('whose being missing tells too much is named', () => {
    const closed = y.map((label) => (label === 1 ? NaN : random.next()))
    const gaps = y.map(() => (random.next() < 0.3 ? NaN : random.next()))
    const found = checkLeakage(input({ closed, gaps }))
    expect(found.map(({ code, column }) => `${code} ${column}`)).toEqual([
      'too_good closed',
      'missing_too_good closed',
    ])
  })

  test('with a value of its own in every row is like an id, an amount is not', () => {
    const id = random.shuffle(Float64Array.from({ length: n }, (_, row) => 1000 + row))
    expect(codes(input({ id }))).toEqual(['id_like id'])
    const name = id.map((value) => value - 1000)
    expect(codes(input({ name }, { categorical: ['name'] }))).toEqual(['id_like name'])
  })

  test('with one value, or none, is constant', () => {
    const one = new Float64Array(n).fill(3)
    const none = new Float64Array(n).fill(NaN)
    expect(codes(input({ one, none }))).toEqual(['constant one', 'constant none'])
  })

  test('is judged the same way for numbers and for several classes', () => {
    const amount = honest.map((value) => 3 * value + random.normal(0, 1))
    const near = amount.map((value) => value + random.normal(0, 0.3))
    const scaled = amount.map((value) => 100 - 2 * value)
    const numbers = {
      ...input({ near, scaled }),
      target: { task: 'regression', y: amount } as const,
    }
    expect(codes(numbers)).toEqual(['too_good near', 'target_copy scaled'].concat())
    const classes = ['a', 'b', 'c']
    const kind = y.map((label, i) => label + (i % 3 === 0 ? 1 : 0))
    const third = kind.map((label) => (label === 2 ? 5 : 0) + random.normal(0, 1))
    const target = { task: 'multiclass', y: kind, classes } as const
    expect(codes({ ...input({ third, again: kind.map((k) => 9 - k) }), target })).toEqual([
      'too_good third',
      'target_copy again',
    ])
  })

  test('is judged by a sample of many rows, the rare label kept', () => {
    const many = 120_000
    const rare = Float64Array.from({ length: many }, (_, row) => (row % 300 === 7 ? 1 : 0))
    const leak = rare.map((label) => 3 * label + random.normal(0, 1))
    const calm = rare.map(() => random.next())
    const x = { names: ['leak', 'calm'], rows: many, columns: [leak, calm] }
    expect(codes({ x, target: { task: 'binary', y: rare } })).toEqual(['too_good leak'])
  })
})

describe('the order of the rows', () => {
  const trend = Float64Array.from({ length: n }, (_, row) => (random.next() * n < row ? 1 : 0))
  const target = { task: 'binary', y: trend } as const

  test('is named where the target follows it', () => {
    expect(codes({ ...input({}), target })).toEqual(['target_follows_order'])
  })

  test('may be of time, and is answered by folds in time', () => {
    const eventTimeUs = random.shuffle(Float64Array.from({ length: n }, (_, row) => row))
    const late = eventTimeUs.map((time) => (random.next() * n < time ? 1 : 0))
    const given = { ...input({}, { eventTimeUs }), target: { task: 'binary', y: late } as const }
    const [warning] = checkLeakage(given)
    expect(warning).toMatchObject({ code: 'target_follows_order' })
    expect(warning.words).toContain('The target follows time')
    const folds = foldsOf({ kind: 'time-folds', folds: 3 }, { count: n, eventTimeUs })
    expect(codes({ ...given, folds })).toEqual([])
    const byChance = foldsOf({ kind: 'k-fold', folds: 3, seed: 1 }, { count: n })
    expect(codes({ ...given, folds: byChance })).toEqual(['target_follows_order', 'times_straddle'])
  })
})

describe('a split', () => {
  const folds = foldsOf({ kind: 'k-fold', folds: 4, seed: 1 }, { count: n })

  test('of rows that occur once raises nothing', () => {
    expect(codes(input({}, { folds }))).toEqual([])
  })

  test('with the same rows on both sides says how many', () => {
    // Every fifth row again, 240 rows in all.
    const twice = (column: Float64Array) =>
      column.map((value, row) => (row < 240 ? column[row + 240] : value))
    const x = table({ a: twice(plain.honest), b: twice(plain.noise), c: twice(plain.other) })
    const given = { x, target: { task: 'binary', y: twice(y) } as const, folds }
    const [warning] = checkLeakage(given)
    expect(warning).toMatchObject({ code: 'duplicates_across', level: 'possible' })
    let across = 0
    for (const { train, test: tested } of folds) {
      const learnt = new Set(Array.from(train, (row) => x.columns[0][row]))
      across += tested.filter((row) => learnt.has(x.columns[0][row])).length
    }
    expect(warning.figure).toBe(across / n)
  })

  test('counts the same rows as comparing all pairs does, missing equal to missing', () => {
    const cell = fc.constantFrom(0, -0, 1, NaN, 0.1 + 0.2, 0.3, -1e300)
    const rows = fc.array(fc.tuple(cell, cell), { minLength: 6, maxLength: 40 })
    fc.assert(
      fc.property(rows, (list) => {
        const columns = [0, 1].map((c) => Float64Array.from(list, (row) => row[c as 0 | 1]))
        const count = list.length
        const parted = foldsOf({ kind: 'k-fold', folds: 2, seed: 1 }, { count })
        const given = {
          x: { names: ['a', 'b'], rows: count, columns },
          target: { task: 'binary', y: columns[0].map((_, row) => row % 2) } as const,
          folds: parted,
        }
        const same = (a: number, b: number) =>
          columns.every((of) => of[a] === of[b] || (Number.isNaN(of[a]) && Number.isNaN(of[b])))
        const across = parted.reduce((sum, { train, test: tested }) => {
          return sum + tested.filter((row) => train.some((other) => same(row, other))).length
        }, 0)
        const found = checkLeakage(given).find(({ code }) => code === 'duplicates_across')
        expect(found?.figure ?? 0).toBeCloseTo(across / count, 12)
      }),
    )
  })

  test('that cuts groups says how much of the test it concerns', () => {
    const groups = Array.from({ length: n }, (_, row) => `c${Math.floor(row / 3)}`)
    const [warning] = checkLeakage(input({}, { folds, groups }))
    expect(warning).toMatchObject({ code: 'groups_straddle', level: 'likely' })
    expect(warning.figure).toBeGreaterThan(0.8)
    const kept = foldsOf({ kind: 'k-fold', folds: 4, seed: 1, grouped: true }, { count: n, groups })
    expect(codes(input({}, { folds: kept, groups }))).toEqual([])
  })

  test('that learns from labels not yet known is named', () => {
    const eventTimeUs = Float64Array.from({ length: n }, (_, row) => row)
    const knownUs = eventTimeUs.map((time) => time + 100)
    const rows = { count: n, eventTimeUs, knownUs }
    const early = foldsOf({ kind: 'time-folds', folds: 2 }, { count: n, eventTimeUs })
    const given = input({}, { eventTimeUs, knownUs })
    const [warning] = checkLeakage({ ...given, folds: early })
    expect(warning).toMatchObject({ code: 'labels_not_yet_known', figure: 198 / 1200 })
    const patient = foldsOf({ kind: 'time-folds', folds: 2 }, rows)
    expect(codes({ ...given, folds: patient })).toEqual([])
  })

  test('with a preparation fitted on more than its training rows is named', () => {
    const inside = { name: 'target encoding', fold: 1, fittedOn: folds[1].train }
    const everywhere = { ...inside, fittedOn: Uint32Array.from(y.keys()) }
    expect(codes(input({}, { folds, preparations: [inside] }))).toEqual([])
    const [warning] = checkLeakage(input({}, { folds, preparations: [inside, everywhere] }))
    expect(warning).toMatchObject({ code: 'prepared_outside', level: 'likely', figure: 0.25 })
    expect(warning.words).toContain('"target encoding" of fold 1')
    // Where only number and hash of the rows are known, they must be those of the training.
    const hashed = (rows: Uint32Array) => ({
      ...inside,
      fittedOn: { count: rows.length, hash: rowsHash(rows) },
    })
    const known = hashed(folds[1].train)
    expect(codes(input({}, { folds, preparations: [known] }))).toEqual([])
    const other = hashed(folds[1].test)
    expect(codes(input({}, { folds, preparations: [other] }))).toEqual(['prepared_outside'])
  })
})

test('the columns of a table are checked by their codes, missing categories as missing', () => {
  const table = tableOf([
    numberColumn('amount', [1, null, 3]),
    categoryColumn('branch', ['north', null, 'south']),
  ])
  expect(leakageColumns(table)).toEqual({
    x: {
      names: ['amount', 'branch'],
      rows: 3,
      columns: [Float64Array.of(1, NaN, 3), Float64Array.of(0, NaN, 1)],
    },
    categorical: ['branch'],
  })
})

test('lists that do not fit are refused', () => {
  expect(() => checkLeakage(input({}, { groups: [1] }))).toThrow('1 groups for 1200 rows')
  const target = (of: Float64Array) => ({ target: { task: 'binary', y: of } as const })
  expect(() => checkLeakage({ ...input({}), ...target(y.slice(1)) })).toThrow('1199 labels')
  expect(() => checkLeakage({ ...input({}), ...target(y.map(() => 1)) })).toThrow('same value')
  expect(() => checkLeakage({ ...input({}), ...target(y.map(() => NaN)) })).toThrow('missing')
  const preparations = [{ name: 'scaler', fold: 0, fittedOn: Uint32Array.of(1) }]
  expect(() => checkLeakage(input({}, { preparations }))).toThrow('"scaler" serves fold 0')
})

describe.skipIf(!needs('shared-data'))('on public data (needs ../shared/data)', () => {
  const kinds = ['target_copy', 'too_good', 'missing_too_good']
  const tooGood = (given: LeakageInput) =>
    checkLeakage(given).flatMap(({ code, column }) => (kinds.includes(code) ? [column] : []))

  test('bank marketing: the duration of the call is named, and nothing else', () => {
    const marketing = read(['uci_bank_marketing', 'bank-full.csv.gz'], {
      cut: ';',
      target: 'y',
      positive: 'yes',
    })
    expect(tooGood(marketing)).toEqual(['duration'])
    // Its rows are ordered by date.
    expect(codes(marketing)).toContain('target_follows_order')
    expect(tooGood(without(marketing, 'duration'))).toEqual([])
    const tenth = read(['uci_bank_marketing', 'bank.csv.gz'], {
      cut: ';',
      target: 'y',
      positive: 'yes',
    })
    expect(tooGood(tenth)).toEqual(['duration'])
  })

  test('Adult, German credit and Give Me Some Credit: no column is too good', () => {
    const adult = read(['uci_adult', 'adult.data.gz'], {
      cut: ',',
      target: 'c14',
      positive: '>50K',
    })
    expect(codes(adult)).toEqual([])
    const german = read(['uci_german_credit', 'german.data.gz'], {
      cut: ',',
      target: 'c20',
      positive: '2',
    })
    expect(codes(german)).toEqual([])
    const given = read(['give_me_some_credit', 'cs-training.csv.gz'], {
      cut: ',',
      target: 'SeriousDlqin2yrs',
      positive: '1',
    })
    expect(codes(given)).toEqual(['id_like c0'])
  })

  /** Text columns become codes; `?`, `NA` and nothing are missing. Columns without names are c0, c1, … */
  function read(
    path: readonly string[],
    { cut, target, positive }: { cut: string; target: string; positive: string },
  ): LeakageInput {
    const lines = gunzipSync(readFileSync(sharedData(...path)))
      .toString()
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => line.split(cut).map((cell) => cell.replaceAll('"', '').trim()))
    const first = lines[0].map((name, c) => (name === '' ? `c${c}` : name))
    const named = first.includes(target)
    const names = named ? first : first.map((_, c) => `c${c}`)
    const cells = named ? lines.slice(1) : lines
    const at = names.indexOf(target)
    const categorical: string[] = []
    const columns = names.map((name, c) => {
      const values = cells.map((row) => row[c])
      const missing = (value: string) => value === '' || value === '?' || value === 'NA'
      if (values.every((value) => missing(value) || !Number.isNaN(Number(value)))) {
        return Float64Array.from(values, (value) => (missing(value) ? NaN : Number(value)))
      }
      categorical.push(name)
      const numbers = new Map([...new Set(values)].map((value, code) => [value, code]))
      return Float64Array.from(values, (value) => numbers.get(value) ?? NaN)
    })
    return {
      x: {
        names: names.filter((_, c) => c !== at),
        rows: cells.length,
        columns: columns.filter((_, c) => c !== at),
      },
      categorical: categorical.filter((name) => name !== target),
      target: {
        task: 'binary',
        y: Float64Array.from(cells, (row) => (row[at] === positive ? 1 : 0)),
      },
    }
  }

  function without(given: LeakageInput, name: string): LeakageInput {
    const kept = given.x.names.flatMap((other, i) => (other === name ? [] : [i]))
    return {
      ...given,
      x: {
        ...given.x,
        names: kept.map((i) => given.x.names[i]),
        columns: kept.map((i) => given.x.columns[i]),
      },
    }
  }
})
