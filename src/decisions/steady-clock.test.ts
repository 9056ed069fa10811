import { expect, test } from 'vitest'
import { manualClock } from '../lib/clock.ts'
import { closeServices, codeOf, deployedBank } from '../../test/running-bank.ts'
import { payment } from '../../test/small-bank.ts'
import { steadyClock } from './steady-clock.ts'

const SECOND = 1_000_000
const DAY = 86_400 * SECOND

function clocks() {
  const wall = manualClock(100 * DAY)
  let passedUs = 0
  const steady = steadyClock(wall, () => passedUs)
  return {
    wall,
    steady,
    /** Time passes, and the wall clock shows it. */
    pass(us: number) {
      passedUs += us
      wall.advance(us)
    },
  }
}

test('a clock that is set back goes on from where it was, and follows once it is right again', () => {
  const { wall, steady, pass } = clocks()
  wall.advance(-DAY)
  expect(steady.nowUs()).toBe(100 * DAY)
  pass(10 * SECOND)
  expect(steady.nowUs()).toBe(100 * DAY + 10 * SECOND)
  wall.advance(DAY)
  expect(steady.nowUs()).toBe(wall.nowUs())
  pass(SECOND)
  expect(steady.nowUs()).toBe(wall.nowUs())
})

test('a clock that is set ahead is followed, there and back', () => {
  const { wall, steady } = clocks()
  wall.advance(DAY)
  expect(steady.nowUs()).toBe(101 * DAY)
  wall.advance(-DAY)
  expect(steady.nowUs()).toBe(100 * DAY)
  wall.advance(-DAY)
  expect(steady.nowUs()).toBe(100 * DAY)
})

test('small corrections are followed, both ways', () => {
  const { wall, steady } = clocks()
  wall.advance(-SECOND / 2)
  expect(steady.nowUs()).toBe(wall.nowUs())
  wall.advance(SECOND / 2)
  expect(steady.nowUs()).toBe(wall.nowUs())
})

test('payments of now are decided while the clock stands a day behind, and as late while it stands ahead', async () => {
  const { answer, clock, decide } = await deployedBank()
  const nowUs = clock.nowUs()
  const at = (seconds: number) => ({
    at: new Date((nowUs + seconds * SECOND) / 1000).toISOString(),
  })
  expect((await answer(payment(1, at(0)))).late).toBe(false)
  clock.advance(-DAY)
  expect((await answer(payment(2, at(1)))).late).toBe(false)
  expect(await codeOf(decide(payment(3, at(3600))))).toBe('event_in_future')
  clock.advance(3 * DAY)
  // Of two days ago, as far as anybody can tell.
  expect((await answer(payment(4, at(2)))).late).toBe(true)
  expect(await decide(payment(1, at(0)))).toBe(await decide(payment(1, at(0))))
  await closeServices()
})
