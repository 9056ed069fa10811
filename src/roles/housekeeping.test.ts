import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemActor } from '../access/index.ts'
import { createMemorySnapshots } from '../data/index.ts'
import { manualClock, systemClock } from '../lib/clock.ts'
import { sha256Hex } from '../lib/hash.ts'
import { DAY_US, parseTimestamp } from '../lib/time.ts'
import { openObjects } from '../pipelines/index.ts'
import { openHome, type Home } from '../projects/index.ts'
import { usualHousekeeping } from './config.ts'
import {
  housekeepingOfKeep,
  housekeepingOfWork,
  keepHouse,
  nextAtUs,
  type Housekeeping,
  type HousekeepingOptions,
} from './housekeeping.ts'
import { openMetadata, type Metadata } from './metadata.ts'
import { pipelineFolders } from './pipeline-folders.ts'

const by = { actor: systemActor, reason: 'A test' }
const { hour: _, ...rules } = usualHousekeeping
const served = { sweep: async () => 0 }
let home: Home
let metadata: Metadata

beforeEach(async () => {
  home = await openHome(mkdtempSync(join(tmpdir(), 'assay-housekeeping-')), '0.1.0')
  metadata = await openMetadata(home)
})
afterEach(async () => {
  await metadata.close()
  rmSync(home.root, { recursive: true })
})

/** Both processes' parts, so many days from now. */
function inDays(days: number, options: Partial<HousekeepingOptions> = {}): Housekeeping {
  const clock = manualClock(systemClock.nowUs() + days * DAY_US)
  const all = { rules, clock, ...options }
  const keep = housekeepingOfKeep({ ...metadata, served }, all)
  const work = housekeepingOfWork({ ...metadata, home, snapshots: createMemorySnapshots() }, all)
  return {
    run: async (request, reason) => [
      ...(await keep.run(request, reason)),
      ...(await work.run(request, reason)),
    ],
  }
}

const counts = async (housekeeping: Housekeeping, dryRun: boolean) => {
  const swept = await housekeeping.run({ dryRun }, 'Housekeeping')
  expect(swept.filter(({ problem }) => problem !== null)).toEqual([])
  return Object.fromEntries(swept.map((each) => [each.part, each.counts]))
}

const actions = async () => {
  const entries = await Array.fromAsync(metadata.audit.export())
  return entries.flatMap((line) => {
    const { action, actor, reason } = JSON.parse(line) as Record<string, string>
    return /purged|removed/.test(action ?? '') ? [{ action, actor, reason }] : []
  })
}

test('what is due in all stores goes, each with its audit entry, and a dry run says so before', async () => {
  const { tracking, registry } = metadata
  const experiment = await tracking.createExperiment({ name: 'old' }, by)
  const run = await tracking.startRun({ experimentId: experiment.id }, by)
  await tracking.files.put({ kind: 'run', id: run.id }, { path: 'a', content: 'a' }, by)
  await tracking.deleteExperiment(experiment.id, by)
  await registry.createModel({ name: 'churn' }, by)
  await registry.deleteModel('churn', by)
  writeFileSync(join(home.artifacts, sha256Hex('never named')), 'never named')
  writeFileSync(join(home.models, `${sha256Hex('{}')}.json`), '{}')
  const folders = pipelineFolders(home)
  mkdirSync(join(folders.scratch, 'pipe_1'), { recursive: true })
  writeFileSync(join(folders.scratch, 'out'), 'unused')
  await openObjects(folders.objects).adopt(join(folders.scratch, 'out'), 'file')

  const nothing = { data: { versions: 0, files: 0, bytes: 0 } }
  expect(await counts(inDays(29), true)).toMatchObject({
    ...nothing,
    models: { models: 0, versions: 0 },
    experiments: { experiments: 0, runs: 0, loggedModels: 0, kept: 0 },
    files: { files: 0, found: 1 },
  })
  const due = {
    ...nothing,
    models: { models: 1, versions: 0 },
    experiments: { experiments: 1, runs: 1, loggedModels: 0, kept: 0 },
    files: { files: 0, modelFiles: 1, servedModels: 0, found: 1, uploads: 0 },
    results: { files: 1, bytes: 6, scratch: 1 },
  }
  expect(await counts(inDays(31), true)).toEqual(due)
  expect(await actions()).toEqual([])
  // The rooms have today's clock, so what the purge lets go of counts as let go of a month ago.
  const files = { files: 1, modelFiles: 1, servedModels: 0, found: 1, uploads: 0 }
  expect(await counts(inDays(31), false)).toEqual({ ...due, files })
  const audited = await actions()
  expect(audited.map(({ action }) => action)).toEqual([
    'registry.purged',
    'tracking.purged',
    'tracking.purged',
    'registry.model-files-removed',
    'tracking.contents-removed',
    'pipelines.results-removed',
  ])
  expect(new Set(audited.map(({ actor }) => actor))).toEqual(new Set([systemActor.id]))
  expect(audited[0].reason).toBe('Housekeeping: deleted 30 days ago or earlier, and never approved')
  expect(existsSync(join(folders.scratch, 'pipe_1'))).toBe(false)
  expect((await counts(inDays(33), true))['files']).toMatchObject({ found: 0 })
})

test('records of decisions go by their age, where somebody set one and a server runs', async () => {
  const asked: unknown[] = []
  const kept = { ...rules, keepDecisions: 2555 }
  const some = { segments: 2, decisions: 900, bytes: 5_000_000 }
  const retention: NonNullable<Parameters<typeof housekeepingOfKeep>[0]['retention']> = {
    plan: async () => {
      return { ...some, first: [1, 451], kept: [{ ...some, decisions: 7, why: 'a hold' }] }
    },
    remove: async (request, { actor, reason }) => {
      asked.push({ ...request, actor: actor.id, reason })
      return some
    },
  }
  const clock = manualClock(3000 * DAY_US)
  const decisionsOf = async (dryRun: boolean, given: Partial<typeof kept> = {}) => {
    const options = { rules: { ...kept, ...given }, clock }
    const house = housekeepingOfKeep({ ...metadata, served, retention }, options)
    const swept = await house.run({ dryRun }, 'Housekeeping')
    return swept.find(({ part }) => part === 'decisions')
  }
  expect(await decisionsOf(false, { keepDecisions: 0 })).toBe(undefined)
  const why = 'received 2555 days ago or earlier; their events and keys stay'
  const told = { part: 'decisions', counts: { decisions: 900, kept: 7 }, why, problem: null }
  expect(await decisionsOf(true)).toEqual(told)
  expect(asked).toEqual([])
  expect(await decisionsOf(false)).toEqual(told)
  expect(asked).toEqual([
    {
      beforeUs: 445 * DAY_US,
      first: [1, 451],
      exportedTo: null,
      actor: systemActor.id,
      reason: `Housekeeping: ${why}`,
    },
  ])
  const alone = await inDays(1, { rules: kept }).run({ dryRun: true }, 'Housekeeping')
  expect(alone.find(({ part }) => part === 'decisions')?.problem).toContain('running server')
})

test('a rule of 0 days switches its parts off', async () => {
  const kept = { ...rules, keepDeleted: 0 }
  const swept = await inDays(1000, { rules: kept }).run({ dryRun: true }, 'Housekeeping')
  expect(swept.map(({ part }) => part)).toEqual(['files', 'data', 'results'])
  const asked = { dryRun: true, rules: { keepDeleted: 7 } }
  const again = await inDays(1000, { rules: kept }).run(asked, 'Housekeeping')
  expect(again.map(({ part }) => part)).toEqual([
    'models',
    'experiments',
    'files',
    'data',
    'results',
  ])
  expect(again[0].why).toBe('deleted 7 days ago or earlier, and never approved')
})

test('a part that fails is told, and the others go on', async () => {
  writeFileSync(join(home.root, 'pipelines'), 'no folder')
  utimesSync(join(home.root, 'pipelines'), 1, 1)
  const told: string[] = []
  const housekeeping = inDays(31, { onProblem: (part) => void told.push(part) })
  const swept = await housekeeping.run({ dryRun: false }, 'Housekeeping')
  expect(told).toEqual(['results'])
  expect(swept.map(({ problem }) => problem !== null)).toEqual([false, false, false, false, true])
})

test('it runs some minutes after the start and then daily at its hour, until it is stopped', async () => {
  const clock = manualClock(parseTimestamp('2026-03-01T22:58:00Z')!)
  const ran: string[] = []
  const slept: number[] = []
  let awake = Promise.withResolvers<void>()
  const house = keepHouse(
    ({ signal }) => ({
      async run({ dryRun }) {
        if (signal?.aborted !== true) ran.push(`${dryRun} ${clock.nowUs()}`)
        return []
      },
    }),
    { ...usualHousekeeping, hour: 3 },
    {
      clock,
      log: { info: () => {}, error: () => {} },
      async sleep(ms, signal) {
        slept.push(ms)
        clock.advance(ms * 1000)
        if (slept.length === 4) {
          awake.resolve()
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        }
      },
    },
  )
  await awake.promise
  await house.stop()
  const hours = 3_600_000
  expect(slept).toEqual([300_000, 3 * hours + 57 * 60_000, 24 * hours, 24 * hours])
  expect(ran).toHaveLength(3)
})

test('the next hour of the day is after now, and never a day away twice', () => {
  const at = (text: string) => parseTimestamp(text)!
  expect(nextAtUs(at('2026-03-01T02:59:59Z'), 3)).toBe(at('2026-03-01T03:00:00Z'))
  expect(nextAtUs(at('2026-03-01T03:00:00Z'), 3)).toBe(at('2026-03-02T03:00:00Z'))
  expect(nextAtUs(at('2026-03-01T00:00:00Z'), 0)).toBe(at('2026-03-02T00:00:00Z'))
})

test('where it is not to run by itself, a command still may', async () => {
  const ran: boolean[] = []
  const house = keepHouse(
    () => ({
      async run({ dryRun }) {
        ran.push(dryRun)
        return []
      },
    }),
    { ...usualHousekeeping, hour: null },
    { clock: systemClock, log: { info: () => {}, error: () => {} }, sleep: () => Promise.reject() },
  )
  await house.run({ dryRun: false }, 'By hand')
  expect(ran).toEqual([false])
  await house.stop()
})
