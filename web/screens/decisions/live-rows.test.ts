import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DecisionRow, LiveDecisions } from '../../../src/server/contract/index.ts'
import { liveLimits, noRows, release, take } from './live-rows.ts'

const row = (sequence: number) => ({ sequence }) as DecisionRow
const upTo = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => row(to - i))

function answer(from: number, to: number, most = 200, isWhole = true): LiveDecisions {
  const items = upTo(from, to)
  return {
    namespace: 'live',
    items: items.slice(0, most),
    left: Math.max(0, items.length - most),
    isWhole,
  } as unknown as LiveDecisions
}

const numbers = (rows: readonly DecisionRow[]) => rows.map(({ sequence }) => sequence)

test('whatever comes, and whenever it is held, the list ends at the newest and has no gap', () => {
  const step = fc.record({
    came: fc.integer({ min: 0, max: 260 }),
    isHeld: fc.boolean(),
    isWhole: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let rows = take(noRows, answer(0, 10), false)
      let last = 10
      for (const { came, isHeld, isWhole } of steps) {
        const before = rows
        rows = take(isHeld ? rows : release(rows), answer(last, last + came, 200, isWhole), isHeld)
        last += came
        if (isHeld) {
          expect(rows.shown).toBe(before.shown)
          expect(rows.came).toBe(before.came + came)
        } else if (came > 0) {
          expect(rows.shown[0].sequence).toBe(last)
          expect(rows.came).toBe(0)
        }
        for (const list of [rows.shown, rows.waiting]) {
          const [newest = 0] = numbers(list)
          expect(numbers(list)).toEqual(list.map((_, i) => newest - i))
        }
        expect(rows.shown.length).toBeLessThanOrEqual(liveLimits.shown)
        expect(rows.waiting.length).toBeLessThanOrEqual(liveLimits.waiting)
      }
    }),
  )
})

test('those that waited come in when it goes on; too many take the place of what stood', () => {
  const first = take(noRows, answer(0, 3), false)
  const held = take(first, answer(3, 5), true)
  expect([numbers(held.shown), held.came]).toEqual([[3, 2, 1], 2])
  expect(numbers(release(held).shown)).toEqual([5, 4, 3, 2, 1])
  const many = take(held, answer(5, 305), true)
  expect([many.came, many.joins]).toEqual([302, false])
  expect(numbers(release(many).shown)).toEqual(numbers(upTo(105, 305)))
})

test('another replay begins with an empty list', () => {
  const first = take(noRows, answer(0, 3), false)
  const other = { ...answer(0, 1), namespace: 'replay-2' }
  expect(take(first, other, true)).toMatchObject({ shown: [row(1)], came: 0 })
})
