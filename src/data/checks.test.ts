import fc from 'fast-check'
import { expect, test } from 'vitest'
import { check, runChecks, type TableCheck } from './checks.ts'
import type { CheckCell, ColumnSpread } from './column-spread.ts'

function table(columns: Readonly<Record<string, readonly CheckCell[]>>) {
  const rows = Object.values(columns)[0]?.length ?? 0
  return { rows, column: (name: string) => columns[name] }
}

const one = (
  each: TableCheck,
  columns: Readonly<Record<string, readonly CheckCell[]>>,
  before?: ColumnSpread,
) => runChecks([each], table(columns), () => before)[0]

test('rows are counted against both bounds', () => {
  const columns = { x: [1, 2, 3] }
  expect(one(check.rows({ min: 3, max: 3 }), columns).passed).toBe(true)
  expect(one(check.rows({ min: 4 }), columns)).toMatchObject({
    passed: false,
    said: '3 rows; at least 4.',
  })
  expect(one(check.rows({ max: 2 }), columns).passed).toBe(false)
})

test('null, empty text and NaN are missing, zero and false are not', () => {
  const found = one(check.missing('x', { maxShare: 0.5 }), {
    x: [null, '', Number.NaN, 0, false, 1],
  })
  expect(found).toMatchObject({ passed: true, figures: { missing: 3, share: 0.5 } })
})

test('rows are repeated where all named columns are, and missing values repeat nothing', () => {
  const columns = { a: [1, 1, 1, null, null], b: ['x', 'x', 'y', 'x', 'x'] }
  expect(one(check.unique('a', 'b'), columns).figures).toEqual({ repeated: 1 })
  expect(one(check.unique('b'), columns).figures).toEqual({ repeated: 3 })
  // One and "1" are different values.
  expect(one(check.unique('a'), { a: [1, '1'] }).passed).toBe(true)
})

test('a range takes its ends, and text is outside', () => {
  const found = one(check.range('x', { min: 0, max: 10 }), { x: [0, 10, null, 11, 'many'] })
  expect(found).toMatchObject({ passed: false, figures: { outside: 2, min: 0, max: 11 } })
})

test('values that are not allowed are named', () => {
  const found = one(check.allowed('x', ['a', 'b']), { x: ['a', 'c', null, 'c'] })
  expect(found.said).toBe('2 values of x are not allowed: c.')
})

test('a column that is not there has not passed', () => {
  expect(one(check.unique('y'), { x: [1] })).toMatchObject({
    passed: false,
    said: 'There is no column y.',
  })
})

test('the first version differs from nothing, the same content never does', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer({ min: -50, max: 50 }), fc.constant(null)), { minLength: 1 }),
      (cells) => {
        const drift = check.drift('x', { maxPsi: 0.1 })
        const first = one(drift, { x: cells })
        expect(first.passed).toBe(true)
        const again = one(drift, { x: cells.toReversed() }, first.spread)
        expect(again.figures['psi'] ?? 0).toBeCloseTo(0, 12)
      },
    ),
  )
})

test('the stability index has its textbook value', () => {
  const before = { kind: 'text', counts: { a: 50, b: 50, '\u0000others': 0 } } as const
  const cells = [...Array.from({ length: 80 }, () => 'a'), ...Array.from({ length: 20 }, () => 'b')]
  const found = one(check.drift('x', { maxPsi: 0.25 }), { x: cells }, before)
  // (0.8 − 0.5) ln(0.8 / 0.5) + (0.2 − 0.5) ln(0.2 / 0.5)
  expect(found.figures['psi']).toBeCloseTo(0.3 * Math.log(1.6) - 0.3 * Math.log(0.4), 12)
  expect(found.passed).toBe(false)
})

test('numbers are compared by the bins of the version before', () => {
  const drift = check.drift('x', { maxPsi: 0.2 })
  const x = Array.from({ length: 1000 }, (_, i) => i)
  const { spread } = one(drift, { x })
  expect(one(drift, { x: x.map((value) => value + 10) }, spread).passed).toBe(true)
  expect(one(drift, { x: x.map((value) => value + 500) }, spread).passed).toBe(false)
  expect(one(drift, { x: x.map(String) }, spread).said).toContain('was of kind number')
})

test('not a number counts as missing, not as the largest of all', () => {
  const { spread } = one(check.drift('x', { maxPsi: 0.2 }), { x: [1, 2, 3, NaN, null] })
  expect(spread).toMatchObject({ bounds: [1, 2, 3], counts: [1, 1, 1, 0, 2] })
})

test('groups that are missing or small are named', () => {
  const columns = { g: ['a', 'a', 'b', null] }
  expect(one(check.coverage('g', { minRows: 2 }), columns).said).toBe(
    '2 of 3 groups of g have fewer than 2 rows: b has 1, missing has 1.',
  )
  expect(one(check.coverage('g', { minRows: 1, groups: ['a', 'c'] }), columns)).toMatchObject({
    passed: false,
    figures: { leastRows: 0 },
  })
})

test('label rates are compared between groups that are large enough', () => {
  const group = (name: string, yes: number, no: number) =>
    Array.from({ length: yes + no }, (_, i) => ({ g: name, y: i < yes ? 1 : 0 }))
  const rows = [...group('a', 10, 30), ...group('b', 20, 20), ...group('tiny', 2, 0)]
  const columns = { g: rows.map(({ g }) => g), y: rows.map(({ y }) => y) }
  const options = { positive: 1, by: 'g', maxDifference: 0.2 }
  const found = one(check.labelRate('y', options), columns)
  expect(found).toMatchObject({
    passed: false,
    figures: { difference: 0.25, groups: 2, smallGroups: 1 },
  })
  expect(found.said).toContain('a 25.00 % of 40, b 50.00 % of 40')
  expect(one(check.labelRate('y', { ...options, maxDifference: 0.25 }), columns).passed).toBe(true)
  // One group cannot be compared, and that is not the same as fair.
  expect(one(check.labelRate('y', { ...options, minRows: 1000 }), columns).passed).toBe(false)
})

test('rows without a label count in no rate, and do count where missing values are compared', () => {
  const columns = {
    g: [...Array.from({ length: 40 }, () => 'a'), ...Array.from({ length: 40 }, () => 'b')],
    y: Array.from({ length: 80 }, (_, i) => (i < 20 ? null : 1)),
  }
  const rate = check.labelRate('y', { positive: 1, by: 'g', maxDifference: 0, minRows: 20 })
  expect(one(rate, columns)).toMatchObject({ passed: true, figures: { low: 1, high: 1 } })
  const missing = check.missingByGroup('y', { by: 'g', maxDifference: 0.4 })
  expect(one(missing, columns)).toMatchObject({ passed: false, figures: { difference: 0.5 } })
})
