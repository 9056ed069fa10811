import { expect, test } from 'vitest'
import { DAY_US } from '../lib/time.ts'
import { by, openRun } from './opened.cases.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

test('bytes that were stored and never named go once they were found and a day has passed', async () => {
  const { tracking, run, artifacts, clock, entries } = await openRun()
  const { files } = tracking
  const owner = { kind: 'run', id: run.id } as const
  await files.put(owner, { path: 'a', content: 'named' }, by)
  const { sha256 } = await artifacts.put(bytes('never named'))
  const find = (dryRun: boolean) => files.findStrays({ fromUs: clock.nowUs() + DAY_US, dryRun })
  expect(await find(true)).toBe(1)
  expect(await find(false)).toBe(1)
  expect(await find(false)).toBe(0)
  // What a purge sweeps at once is what was let go of, not what may just be on its way in.
  clock.advance(DAY_US - 1)
  expect(await files.sweep(clock.nowUs(), by)).toEqual({ files: 0 })
  expect(await artifacts.has(sha256)).toBe(true)
  clock.advance(2)
  expect(await files.loose(clock.nowUs())).toBe(1)
  expect(await files.sweep(clock.nowUs(), by)).toEqual({ files: 1 })
  expect(await artifacts.has(sha256)).toBe(false)
  expect((await files.read(owner, 'a')).size).toBe(5)
  expect(entries.at(-1)).toMatchObject({
    action: 'tracking.contents-removed',
    details: { files: 1, hashes: [sha256] },
  })
})

test('bytes that were found unnamed and are named after all stay', async () => {
  const { tracking, run, artifacts, clock } = await openRun()
  const { files } = tracking
  await artifacts.put(bytes('late'))
  expect(await files.findStrays({ fromUs: clock.nowUs() + DAY_US })).toBe(1)
  await files.put({ kind: 'run', id: run.id }, { path: 'a', content: 'late' }, by)
  clock.advance(2 * DAY_US)
  expect(await files.sweep(clock.nowUs(), by)).toEqual({ files: 0 })
})

test('a sweep that is asked to end does so between two batches', async () => {
  const { tracking, artifacts, clock } = await openRun()
  const { files } = tracking
  for (let i = 0; i < 501; i++) await artifacts.put(bytes(`${i}`))
  await files.findStrays({ fromUs: clock.nowUs() })
  clock.advance(1)
  const stop = new AbortController()
  stop.abort()
  expect(await files.sweep(clock.nowUs(), by, stop.signal)).toEqual({ files: 0 })
  expect(await files.findStrays({ fromUs: 0, signal: stop.signal })).toBe(0)
  expect(await files.sweep(clock.nowUs(), by)).toEqual({ files: 501 })
})
