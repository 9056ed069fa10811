import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { deployment } from '../../test/small-bank.ts'
import { systemActor } from '../access/index.ts'
import { createBacktest, createEngine } from '../decisions/index.ts'
import { manualClock } from '../lib/clock.ts'
import { contentHash } from '../lib/hash.ts'
import type { BacktestEvidence, BacktestProgress } from '../pipelines/index.ts'
import { backtestFiles } from './backtest-files.ts'
import { createBacktests, type RunningBacktest } from './backtests.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'assay-backtests-'))
})
afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

const document = deployment()
const names = document.featureSets[0].features.map(({ name }) => name)

function evidence(through: number): BacktestEvidence {
  return {
    format: 1,
    policy: 'card',
    draft: { policy: 'p', document: 'd', model: 'm', modelNumber: 1 },
    before: null,
    period: { fromUs: null, toUs: null },
    over: { kind: 'records', through },
    report: createBacktest(createEngine(document, names), null).report(),
  }
}

/** Back-tests that end when the test says so. */
function room() {
  const clock = manualClock(1_000_000)
  const running: {
    end: (found: Awaited<RunningBacktest['settled']>) => void
    fall: (error: Error) => void
    tell: (progress: BacktestProgress) => void
    stopped: boolean
  }[] = []
  const defects: unknown[] = []
  let made = 0
  const backtests = createBacktests({
    files: backtestFiles({ root }),
    open: { keep: async () => {}, forget: async () => {}, list: async () => [] },
    clock,
    ids: (prefix) => `${prefix}_${++made}`,
    onDefect: (error) => defects.push(error),
    run(_asked, tell) {
      const one = Promise.withResolvers<Awaited<RunningBacktest['settled']>>()
      const entry = { end: one.resolve, fall: one.reject, tell, stopped: false }
      running.push(entry)
      return {
        settled: one.promise,
        async stop() {
          entry.stopped = true
          one.reject(new Error('terminated'))
        },
      }
    },
  })
  const ask = { policy: 'card', title: 'A draft', fromUs: null, toUs: null }
  const start = () => backtests.remote.start(ask, { actor: systemActor, reason: 'r' })
  const states = async () =>
    (await backtests.remote.states()).map(({ state }) => state).toReversed()
  return { clock, backtests, running, defects, start, states }
}

describe('back-tests', () => {
  test('run two at a time; the others wait their turn', async () => {
    const { running, start, states, backtests } = room()
    for (let n = 0; n < 4; n++) await start()
    expect(await states()).toEqual(['running', 'running', 'waiting', 'waiting'])
    running[0].end(evidence(1))
    await vi.waitFor(async () =>
      expect(await states()).toEqual(['done', 'running', 'running', 'waiting']),
    )
    await backtests.stop()
  })

  test('are refused where too many wait', async () => {
    const { start, backtests } = room()
    for (let n = 0; n < 10; n++) await start()
    await expect(start()).rejects.toMatchObject({ code: 'backtests_full' })
    await backtests.stop()
  })

  test('say how far they are and how long it takes', async () => {
    const { running, start, clock, backtests } = room()
    await start()
    running[0].tell({ stage: 'deciding', done: 0, total: 100 })
    clock.advance(2_000_000)
    running[0].tell({ stage: 'deciding', done: 25, total: 100 })
    const [state] = await backtests.remote.states()
    expect(state).toMatchObject({ progress: { done: 25, total: 100 }, secondsLeft: 6 })
    await backtests.stop()
  })

  test('are stopped by whoever asks; what waits goes on', async () => {
    const { running, start, states, backtests, defects } = room()
    const ids = [await start(), await start(), await start()]
    expect(await backtests.remote.cancel(ids[0])).toBe(true)
    await vi.waitFor(async () =>
      expect(await states()).toEqual(['cancelled', 'running', 'running']),
    )
    expect(running[0].stopped).toBe(true)
    expect(await backtests.remote.cancel(ids[0])).toBe(false)
    expect(defects).toEqual([])
    await backtests.stop()
  })

  test('that are refused say why, and those that fall are told of', async () => {
    const { running, start, states, backtests, defects } = room()
    await start()
    await start()
    running[0].end({ problem: 'No event.' })
    running[1].fall(new Error('memory'))
    await vi.waitFor(async () => expect(await states()).toEqual(['failed', 'failed']))
    const [, refused] = await backtests.remote.states()
    expect(refused).toMatchObject({ problem: 'No event.' })
    expect(defects).toHaveLength(1)
  })
})

describe('finished back-tests', () => {
  const about = { title: 'A draft', actor: 'ann', atUs: 1, seconds: 2 }

  test('are kept once under the hash of what they found', async () => {
    const files = backtestFiles({ root })
    const first = await files.keep(evidence(1), about)
    const again = await files.keep(evidence(1), { ...about, atUs: 5 })
    expect(again).toEqual(first)
    const second = await files.keep(evidence(2), { ...about, atUs: 9 })
    expect((await files.list()).map(({ hash }) => hash)).toEqual([second.hash, first.hash])
    expect(await files.get(first.hash)).toEqual(first)
    expect(await files.newestOf('p')).toEqual({
      hash: second.hash,
      summary: 'Back-tested on 0 recorded decisions: 0 answered otherwise',
    })
    expect(await files.newestOf('q')).toBeUndefined()
  })

  test('say of which namespace they are, where they know', async () => {
    const files = backtestFiles({ root })
    await files.keep({ ...evidence(1), namespace: 'replay-3' }, about)
    expect(await files.newestOf('p')).toMatchObject({
      summary: 'Back-tested on 0 recorded decisions in namespace replay-3: 0 answered otherwise',
    })
  })

  test('that were changed on disk are not shown', async () => {
    const files = backtestFiles({ root })
    const kept = await files.keep(evidence(1), about)
    const changed = { ...kept, evidence: evidence(2) }
    writeFileSync(join(root, 'backtests', `${kept.hash}.json`), JSON.stringify(changed))
    expect(await files.get(kept.hash)).toBeUndefined()
    expect(await files.list()).toEqual([])
    expect(await files.get('../format')).toBeUndefined()
  })

  const other = { format: 1, policy: 'card' }
  test.each<readonly [string, (file: (name: string) => string) => void]>([
    ['is cut off', (file) => writeFileSync(file('a'.repeat(64)), '{"hash": "a')],
    ['is empty', (file) => writeFileSync(file('a'.repeat(64)), '')],
    ['holds null', (file) => writeFileSync(file('a'.repeat(64)), 'null')],
    ['holds bytes', (file) => writeFileSync(file('a'.repeat(64)), Uint8Array.of(0xff, 0, 0xfe))],
    ['is a folder', (file) => mkdirSync(file('a'.repeat(64)))],
    ['is a link to nowhere', (file) => symlinkSync('nowhere', file('a'.repeat(64)))],
    ['has another name', (file) => writeFileSync(file('notes'), '{}')],
    [
      'says otherwise what it found',
      (file) => {
        const kept = { ...about, hash: contentHash(other), evidence: other }
        writeFileSync(file(kept.hash), JSON.stringify(kept))
      },
    ],
  ])('are listed beside an entry that %s', async (_, damage) => {
    const files = backtestFiles({ root })
    const kept = await files.keep(evidence(1), about)
    damage((name) => join(root, 'backtests', `${name}.json`))
    expect((await files.list()).map(({ hash }) => hash)).toEqual([kept.hash])
    expect((await files.newestOf('p'))?.hash).toBe(kept.hash)
    const next = await files.keep(evidence(2), { ...about, atUs: 9 })
    expect((await files.list()).map(({ hash }) => hash)).toEqual([next.hash, kept.hash])
  })
})
