import { expect, test } from 'vitest'
import { manualClock, monotonicUs, systemClock } from './clock.ts'

test('a manual clock moves only when told to', () => {
  const clock = manualClock(10)
  expect(clock.nowUs()).toBe(10)
  clock.advance(5)
  clock.advance(-20)
  expect(clock.nowUs()).toBe(-5)
  clock.set(7)
  expect(clock.nowUs()).toBe(7)
  expect(() => clock.set(0.5)).toThrow('whole microseconds')
})

test("the machine's clock gives whole microseconds, and the monotonic one never steps back", () => {
  expect(Number.isSafeInteger(systemClock.nowUs())).toBe(true)
  const first = monotonicUs()
  expect(monotonicUs()).toBeGreaterThanOrEqual(first)
})
