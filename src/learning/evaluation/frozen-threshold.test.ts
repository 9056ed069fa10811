import { expect, test } from 'vitest'
import { freezeThreshold } from './frozen-threshold.ts'

const f = (...values: number[]) => Float64Array.from(values)
const on = { data: 'd1', rows: Uint32Array.of(7, 2, 4, 9) }
const chosen = { y: f(1, 0, 1, 0), scores: f(0.9, 0.2, 0.6, 0.4) }
const rule = { kind: 'precision-at-least', precision: 1 } as const
const frozen = freezeThreshold(rule, on, chosen)

test('a frozen threshold records what it was chosen by and on', () => {
  expect(frozen.record).toMatchObject({
    rule,
    threshold: 0.6,
    effect: { alerts: 2, precision: 1 },
    chosenOn: { data: 'd1', rows: 4, positives: 2 },
  })
  // The order of rows does not matter; which rows does.
  const again = freezeThreshold(rule, { ...on, rows: Uint32Array.of(2, 4, 7, 9) }, chosen)
  expect(again.record.chosenOn.rowsHash).toBe(frozen.record.chosenOn.rowsHash)
  const other = freezeThreshold(rule, { ...on, rows: Uint32Array.of(2, 4, 7, 8) }, chosen)
  expect(other.record.chosenOn.rowsHash).not.toBe(frozen.record.chosenOn.rowsHash)
  expect(JSON.parse(JSON.stringify(frozen.record))).toEqual(frozen.record)
})

test('it is applied to other rows as it is', () => {
  expect([...frozen.alerts(f(0.59, 0.6, 1))]).toEqual([0, 1, 1])
  const results = { y: f(0, 1), scores: f(0.7, 0.5) }
  const effect = frozen.test({ data: 'd1', rows: Uint32Array.of(1, 3) }, results)
  expect(effect).toMatchObject({ threshold: 0.6, alerts: 1, truePositives: 0, recall: 0 })
  // The same numbers in another data set are other rows.
  expect(frozen.test({ data: 'd2', rows: Uint32Array.of(2, 4) }, results)).toEqual(effect)
  expect(Object.isFrozen(frozen)).toBe(true)
})

test('it refuses rows on which it was chosen, and lengths that differ', () => {
  const results = { y: f(0, 1), scores: f(0.7, 0.5) }
  expect(() => frozen.test({ data: 'd1', rows: Uint32Array.of(1, 9) }, results)).toThrow(
    'chosen on 1 of the 2 rows',
  )
  expect(() => frozen.test({ data: 'd2', rows: Uint32Array.of(1) }, results)).toThrow('1 rows')
  expect(() => freezeThreshold(rule, on, results)).toThrow('4 rows, 2 labels')
})
