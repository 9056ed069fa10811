import { expect, test } from 'vitest'
import { createWaiters } from './waiters.ts'

const HOUR_MS = 3_600_000

test('everybody who waits goes on when it happens, whoever comes later waits anew', async () => {
  const waiters = createWaiters()
  const { signal } = new AbortController()
  const went: number[] = []
  const wait = async (n: number) => {
    await waiters.wait(HOUR_MS, signal)
    went.push(n)
  }
  const first = [wait(1), wait(2)]
  waiters.wake()
  await Promise.all(first)
  expect(went).toEqual([1, 2])
  const later = wait(3)
  expect(went).toEqual([1, 2])
  waiters.wake()
  await later
})

test('nobody waits longer than they said, nor once they are told to stop', async () => {
  const waiters = createWaiters()
  await waiters.wait(1, new AbortController().signal)
  const stopping = new AbortController()
  const waited = waiters.wait(HOUR_MS, stopping.signal)
  stopping.abort()
  await waited
  await waiters.wait(HOUR_MS, stopping.signal)
})
