import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DecisionRow, LiveDecisions } from '../../../src/server/contract/index.ts'
import { follow, followedLimits, lastHeldBack, nothingFollowed } from './followed.ts'

const outcomes = fc.constantFrom('allow', 'allow', 'allow', 'review', 'decline')

/** A journal of decisions, newest last, and where its answers to a page end. */
const journals = fc.record({
  rows: fc.array(outcomes, { maxLength: 80 }),
  cuts: fc.array(fc.nat(80), { maxLength: 8 }),
})

function rowsOf(given: readonly string[]): DecisionRow[] {
  return given.map((outcome, i) => ({ namespace: 'live', sequence: i + 1, outcome }) as DecisionRow)
}

const answer = (items: DecisionRow[], more: Partial<LiveDecisions> = {}) =>
  ({
    namespace: 'live',
    items: items.toReversed(),
    left: 0,
    isWhole: true,
    ...more,
  }) as LiveDecisions

const isHeldBack = ({ outcome }: DecisionRow) => outcome !== 'allow'

test('however the answers are cut, it shows the newest, and the last that were held back', () => {
  fc.assert(
    fc.property(journals, ({ rows: given, cuts }) => {
      const rows = rowsOf(given)
      const ends = [...cuts.filter((cut) => cut < rows.length), rows.length].toSorted(
        (a, b) => a - b,
      )
      let followed = nothingFollowed
      let from = 0
      for (const end of ends) {
        followed = follow(followed, answer(rows.slice(from, end)))
        from = end
      }
      const last = (all: DecisionRow[], most: number) => all.slice(-most).toReversed()
      expect(followed.newest).toEqual(last(rows, followedLimits.newest))
      expect(followed.heldBack).toEqual(last(rows.filter(isHeldBack), followedLimits.heldBack))
      expect(followed.gaps).toBe(1)
    }),
  )
})

test('what was asked for earlier and what was told of later are one list, each row once', () => {
  fc.assert(
    fc.property(journals, ({ rows: given, cuts: [cut = 0, next = 0] }) => {
      const stopped = rowsOf(given).filter(isHeldBack).toReversed()
      const most = followedLimits.heldBack
      // Told of from one place on, asked for at another; together they reach back far enough.
      const told = stopped.slice(0, Math.min(cut, most))
      const asked = stopped.slice(Math.min(next, told.length)).slice(0, most)
      const followed = { ...nothingFollowed, namespace: 'live', heldBack: told }
      expect(lastHeldBack(followed, asked)).toEqual(stopped.slice(0, most))
      const other = { ...nothingFollowed, namespace: 'replay-2' }
      expect(lastHeldBack(other, asked)).toEqual([])
    }),
  )
})

test('nothing new changes nothing; a gap and another namespace say that something is to be asked', () => {
  const [first, second, third] = rowsOf(['review', 'allow', 'decline'])
  const before = follow(nothingFollowed, answer([first]))
  expect(follow(before, answer([]))).toBe(before)
  const gap = follow(before, answer([third], { left: 1 }))
  expect(gap).toMatchObject({ newest: [third, first], gaps: 2 })
  const anew = follow(gap, answer([second], { namespace: 'replay-2' }))
  expect(anew).toEqual({ namespace: 'replay-2', newest: [second], heldBack: [], gaps: 3 })
})
