import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { systemActor } from '../../access/index.ts'
import type { NewAuditEntry } from '../../audit/index.ts'
import { manualClock, systemClock } from '../../lib/clock.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { DAY_US } from '../../lib/time.ts'
import { createMemoryUnitOfWork } from '../../lib/unit-of-work.ts'
import { createMemoryPipelineRuns } from '../memory.ts'
import { createMemoryEngineStore } from './memory.ts'
import { openObjects } from './objects.ts'
import type { KeptOutput } from './records.ts'
import { cleanResults, createResultKeeper } from './retention.ts'
import { temporaryFolder } from './runner.cases.ts'
import { run, step } from './store.cases.ts'

const by = { actor: systemActor, reason: 'A test' }
/** The clock begins at some day, so that there is a time before it. */
const start = 1000 * DAY_US
const rules = { days: 90, unusedDays: 1, dryRun: false }

function open() {
  const folder = temporaryFolder()
  const clock = manualClock(start)
  const objects = openObjects(join(folder, 'objects'), clock)
  const store = createMemoryEngineStore(createMemoryPipelineRuns())
  const entries: NewAuditEntry[] = []
  const held: string[] = []
  const keeper = createResultKeeper({
    unit: createMemoryUnitOfWork([]),
    audit: {
      append: async (entry) => {
        entries.push(entry)
        return { ...entry, index: 0, id: 'x', atUs: 0 }
      },
    },
    heldElsewhere: async () => held,
  })
  let made = 0
  /** Keeps a file of one content, or a folder of several. */
  async function keep(contents: readonly string[], kind: 'json' | 'folder'): Promise<KeptOutput> {
    const scratch = join(folder, `scratch-${made++}`)
    if (kind === 'json') writeFileSync(scratch, contents[0])
    else {
      mkdirSync(scratch)
      for (const content of contents) writeFileSync(join(scratch, `${content}.txt`), content)
    }
    return { kind, ...(await objects.adopt(scratch, kind === 'json' ? 'file' : 'folder')) }
  }
  /** A run of the day that the clock shows, which made an output. */
  async function record(output: KeptOutput, status: 'done' | 'waiting' | 'failed' = 'done') {
    const id = `pipe_${made++}`
    const endedAtUs = status === 'waiting' ? null : clock.nowUs()
    await store.record({
      run: { ...run(id), startedAtUs: clock.nowUs(), status, endedAtUs },
      steps: [{ ...step(id, 'a', 0), outputs: { out: output } }],
    })
  }
  const names = async () =>
    (await Array.fromAsync(objects.stored()))
      .flat()
      .map(({ name }) => name)
      .toSorted()
  const ports = { objects, store, keeper, clock }
  return { folder, clock, objects, store, entries, held, keep, record, names, ports }
}

test('what no run of the last days made or read goes, with an audit entry, and the rest stays', async () => {
  const { clock, keep, record, names, ports, entries, store, held } = open()
  const old = await keep(['old'], 'json')
  const waiting = await keep(['waiting'], 'json')
  const product = await keep(['product'], 'json')
  const version = await keep(['version'], 'json')
  const folder = await keep(['one', 'two'], 'folder')
  for (const output of [old, product, version, folder]) await record(output)
  await record(waiting, 'waiting')
  const made = { pipeline: 'texts', output: 'rows', partition: null, runId: 'r', atUs: 1 }
  await store.record({ products: [{ ...made, kept: product }] })
  held.push(version.digest)
  expect(await cleanResults(ports, rules, by)).toEqual({ files: 0, bytes: 0 })
  clock.advance(80 * DAY_US)
  await record(folder)
  clock.advance(11 * DAY_US)
  const would = await cleanResults(ports, { ...rules, dryRun: true }, by)
  expect(would).toEqual({ files: 1, bytes: 3 })
  expect(entries).toEqual([])
  expect(await cleanResults(ports, rules, by)).toEqual(would)
  expect(entries).toMatchObject([
    { action: 'pipelines.results-removed', details: { ...would, names: [old.digest] } },
  ])
  const stay = [waiting, product, version, folder].map(({ digest }) => digest)
  expect(await names()).toEqual([...stay, sha256Hex('one'), sha256Hex('two')].toSorted())
  clock.advance(90 * DAY_US)
  expect(await cleanResults(ports, rules, by)).toMatchObject({ files: 3 })
})

test('with 0 days only what no run ever named goes', async () => {
  const { clock, keep, record, names, ports, folder } = open()
  const named = await keep(['named'], 'json')
  await record(named)
  await keep(['never named'], 'json')
  const broken = join(folder, 'objects', 'ab')
  mkdirSync(broken, { recursive: true })
  writeFileSync(join(broken, 'cd.0a1b2c3d.tmp'), 'half')
  clock.advance(DAY_US - 1)
  // The half file has the time of the machine's clock, which is long after the test's.
  expect(await cleanResults(ports, { ...rules, days: 0 }, by)).toMatchObject({ files: 0 })
  clock.set(systemClock.nowUs() + 2 * DAY_US)
  expect(await cleanResults(ports, { ...rules, days: 0 }, by)).toMatchObject({ files: 2 })
  expect(await names()).toEqual([named.digest])
})

test('an output that a run begins to count on while it is to be removed stays, with its files', async () => {
  const { clock, keep, record, names, ports, objects } = open()
  const folder = await keep(['one', 'two'], 'folder')
  await record(folder)
  clock.advance(100 * DAY_US)
  const keeper: typeof ports.keeper = {
    ...ports.keeper,
    async recordRemoval(removed, who) {
      expect(await objects.has(folder.digest, 'folder')).toBe(true)
      return ports.keeper.recordRemoval(removed, who)
    },
  }
  expect(await cleanResults({ ...ports, keeper }, rules, by)).toMatchObject({ bytes: 0 })
  expect(await names()).toHaveLength(3)
  await objects.layOut(folder.digest, temporaryFolder())
})

test('a folder of which a file is gone counts as none', async () => {
  const { clock, keep, objects } = open()
  const folder = await keep(['one', 'two'], 'folder')
  expect(await objects.has(folder.digest, 'folder')).toBe(true)
  clock.advance(2 * DAY_US)
  expect(objects.remove(sha256Hex('two'), clock.nowUs())).toBe(3)
  expect(await objects.has(folder.digest, 'folder')).toBe(false)
})

test('nothing is removed while a list that is needed cannot be read', async () => {
  const { clock, keep, record, ports, objects } = open()
  const folder = await keep(['one'], 'folder')
  await record(folder, 'waiting')
  await keep(['stray'], 'json')
  clock.advance(2 * DAY_US)
  objects.remove(folder.digest, clock.nowUs())
  writeFileSync(objects.path(folder.digest), '[]')
  const cleaning = cleanResults(ports, rules, by)
  await expect(cleaning).rejects.toMatchObject({ code: 'pipeline_list_damaged' })
  expect(existsSync(objects.path(sha256Hex('stray')))).toBe(true)
})

const output = fc.record({
  kind: fc.constantFrom('json', 'folder'),
  contents: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1 }),
  day: fc.nat(120),
  as: fc.constantFrom('done', 'failed', 'waiting', 'product', 'stray'),
})

test('wherever a cleaning is killed, nothing is named without its bytes, and the next one ends it', async () => {
  let killed = 0
  const property = fc.asyncProperty(
    fc.array(output, { minLength: 4, maxLength: 8 }),
    fc.nat(2),
    async (outputs, removals) => {
      const { clock, keep, record, names, ports, store } = open()
      const needed = new Set<string>()
      for (const { kind, contents, day, as } of outputs.toSorted((a, b) => a.day - b.day)) {
        clock.set(start + day * DAY_US)
        const kept = await keep(contents, kind)
        const atUs = clock.nowUs()
        const made = { pipeline: 'texts', output: kept.digest, partition: null, runId: 'r', atUs }
        if (as === 'product') await store.record({ products: [{ ...made, kept }] })
        else if (as !== 'stray') await record(kept, as)
        // The naive rule, by the ages alone.
        const isYoung = (as === 'done' || as === 'failed') && day >= 122 - 90
        if (as !== 'product' && as !== 'waiting' && !isYoung) continue
        needed.add(kept.digest)
        if (kind === 'folder') for (const content of contents) needed.add(sha256Hex(content))
      }
      clock.set(start + 122 * DAY_US)
      let left = removals
      const objects: typeof ports.objects = {
        ...ports.objects,
        remove(name, unusedSinceUs) {
          if (left-- === 0) throw new Error('killed')
          return ports.objects.remove(name, unusedSinceUs)
        },
      }
      await cleanResults({ ...ports, objects }, rules, by).catch(() => killed++)
      const there = new Set(await names())
      expect([...needed].filter((name) => !there.has(name))).toEqual([])
      await cleanResults(ports, rules, by)
      expect(await names()).toEqual([...needed].toSorted())
    },
  )
  await fc.assert(property, { numRuns: 30 })
  expect(killed).toBeGreaterThan(3)
}, 60_000)
