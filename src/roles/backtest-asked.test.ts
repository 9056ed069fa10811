import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { systemActor } from '../access/index.ts'
import { manualClock } from '../lib/clock.ts'
import { openBacktestFiles, type OpenBacktests } from './backtest-asked.ts'
import { backtestFiles } from './backtest-files.ts'
import { createBacktests, type RunningBacktest } from './backtests.ts'

let root: string
let open: OpenBacktests
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'assay-asked-'))
  open = openBacktestFiles({ root })
})
afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

const clock = manualClock(1_000_000)
let made = 0

/** A process that runs back-tests; leaving it without a word is its fall. */
async function oneProcess() {
  const begun: string[] = []
  const ends: ((found: Awaited<RunningBacktest['settled']>) => void)[] = []
  const backtests = createBacktests({
    files: backtestFiles({ root }),
    open,
    clock,
    ids: (prefix) => `${prefix}_${++made}`,
    onDefect: () => {},
    run({ title }) {
      begun.push(title)
      const one = Promise.withResolvers<Awaited<RunningBacktest['settled']>>()
      ends.push(one.resolve)
      return {
        settled: one.promise,
        stop: async () => one.reject(new Error('terminated')),
      }
    },
  })
  await backtests.resume()
  const start = (title: string) => {
    clock.advance(1)
    const asked = { policy: 'card', title, fromUs: null, toUs: null }
    return backtests.remote.start(asked, { actor: systemActor, reason: 'r' })
  }
  const states = async () =>
    (await backtests.remote.states())
      .toReversed()
      .map(({ asked: { title }, state }) => `${title} ${state}`)
  return { begun, ends, start, states, backtests }
}

/** What is on disk has come to this; a fall before that is another one. */
const onDisk = (begun: readonly number[]) =>
  vi.waitFor(async () => expect((await open.list()).map((each) => each.begun)).toEqual(begun))

test('back-tests that ran or waited when the process fell are taken up in their order', async () => {
  const fallen = await oneProcess()
  for (const title of ['a', 'b', 'c', 'd']) await fallen.start(title)
  await onDisk([1, 1, 0, 0])
  const next = await oneProcess()
  expect(await next.states()).toEqual(['a running', 'b running', 'c waiting', 'd waiting'])
  expect((await next.backtests.remote.states()).map(({ actor }) => actor)).toContain('system')
  next.ends[0]({ problem: 'No event.' })
  await vi.waitFor(() => expect(next.begun).toEqual(['a', 'b', 'c']))
})

test('one that has ended or was cancelled is not taken up', async () => {
  const first = await oneProcess()
  const ids = []
  for (const title of ['a', 'b', 'c']) ids.push(await first.start(title))
  first.ends[0]({ problem: 'No event.' })
  await vi.waitFor(async () => expect(await first.states()).toContain('a failed'))
  await first.backtests.remote.cancel(ids[1])
  await onDisk([1])
  expect(await (await oneProcess()).states()).toEqual(['c running'])
})

test('one that was running each time the process fell is failed with words', async () => {
  await (await oneProcess()).start('a')
  await onDisk([1])
  await oneProcess()
  await onDisk([2])
  const third = await oneProcess()
  expect(third.begun).toEqual([])
  const [state] = await third.backtests.remote.states()
  expect(state).toMatchObject({ state: 'failed', problem: expect.stringMatching(/fell 2 times/) })
  await onDisk([])
})

test('stopping the server counts for nothing', async () => {
  for (let time = 0; time < 4; time++) {
    const one = await oneProcess()
    if (time === 0) await one.start('a')
    expect(await one.states()).toEqual(['a running'])
    await one.backtests.stop()
    await onDisk([0])
  }
})

test('a file that is none is left alone', async () => {
  await (await oneProcess()).start('a')
  await onDisk([1])
  const directory = join(root, 'backtests', 'asked')
  writeFileSync(join(directory, 'cut.json'), '{"id": "c')
  writeFileSync(join(directory, 'other.json'), '{"id": "backtest_9", "asked": {"policy": "card"}}')
  writeFileSync(join(directory, 'null.json'), 'null')
  expect(await (await oneProcess()).states()).toEqual(['a running'])
})

test('what could not be kept was not asked for', async () => {
  const error = new Error('ENOSPC')
  const full = { ...open, keep: () => Promise.reject(error) }
  open = full
  const one = await oneProcess()
  await expect(one.start('a')).rejects.toBe(error)
  expect(await one.states()).toEqual([])
})
