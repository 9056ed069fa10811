import { expect, test } from 'vitest'
import { manualClock, systemClock } from './clock.ts'
import { createIds, idTimeUs, newId, systemIds, systemRandomBytes } from './ids.ts'

const clock = manualClock(1_700_000_000_123_456)

test('an id is its prefix, its millisecond and its randomness', () => {
  const id = newId('run', clock, (length) => new Uint8Array(length).fill(255))
  expect(id).toBe('run_01hf7yat3vzzzzzzzzzzzzzzzz')
  expect(newId('run', clock, (length) => new Uint8Array(length))).toBe(
    'run_01hf7yat3v0000000000000000',
  )
  expect(idTimeUs(id)).toBe(1_700_000_000_123_000)
})

test('ids sort by the time at which they were made', () => {
  const moving = manualClock(0)
  const ids = Array.from({ length: 200 }, (_, i) => {
    moving.set(i ** 4 * 1000)
    return newId('run', moving, systemRandomBytes)
  })
  expect([...ids].sort()).toEqual(ids)
  expect(new Set(ids).size).toBe(200)
})

test('a source of ids is strictly increasing while the clock stands still or steps back', () => {
  const moving = manualClock(5_000_000)
  const ids = createIds(moving, (length) => new Uint8Array(length).fill(255))
  const made = Array.from({ length: 600 }, (_, i) => {
    if (i === 300) moving.set(1_000_000)
    return ids('run')
  })
  expect([...made].sort()).toEqual(made)
  expect(new Set(made).size).toBe(600)
})

test('ids of the machine carry the time of the machine', () => {
  const before = systemClock.nowUs()
  const us = idTimeUs(systemIds('case'))!
  expect(us).toBeGreaterThanOrEqual(Math.floor(before / 1000) * 1000)
})

test('what is no id has no time', () => {
  for (const text of ['', 'run', 'run_1', 'run_01hf7yat3vzzzzzzzzzzzzzzzu', 'Run_01hf7yat3v']) {
    expect(idTimeUs(text)).toBeUndefined()
  }
})

test('a prefix must be a short lower case word', () => {
  for (const prefix of ['', 'Run', 'a_b', '1a', 'x'.repeat(17)]) {
    expect(() => newId(prefix, clock, systemRandomBytes)).toThrow('prefix')
  }
  expect(() => newId('run', clock, () => new Uint8Array(3))).toThrow('10 random bytes')
})
