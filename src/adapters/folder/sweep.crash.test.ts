// The sweep of bytes against a disk that stops at any operation: what is named always has its bytes,
// and the next sweep takes the rest.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { systemActor } from '../../access/index.ts'
import { manualClock } from '../../lib/clock.ts'
import { faultyFiles, type FaultyFiles } from '../../lib/faulty-files.ts'
import { createIds } from '../../lib/ids.ts'
import { createRandom } from '../../lib/random.ts'
import { DAY_US } from '../../lib/time.ts'
import { createMemoryUnitOfWork, type UnitOfWork } from '../../lib/unit-of-work.ts'
import {
  createMemoryPartStore,
  createMemoryTrackingStore,
  createTracking,
} from '../../tracking/index.ts'
import { createFolderArtifacts, sweepFolder } from './index.ts'

const by = { actor: systemActor, reason: 'A test' }
const directory = '/tmp/assay-sweep-crash'
const everything = { kind: 'folder', id: '' } as const

/** A process over a disk and a store; `die` leaves the store as it was when the last commit was done. */
function start(store: ReturnType<typeof createMemoryTrackingStore>, files: FaultyFiles) {
  const clock = manualClock(1_000_000)
  const inner = createMemoryUnitOfWork([store])
  const open: (() => void)[] = []
  const unit: UnitOfWork = {
    ...inner,
    async transaction(work) {
      open.push(store.save())
      const result = await inner.transaction(work)
      open.pop()
      return result
    },
  }
  const artifacts = createFolderArtifacts({ directory, files })
  const tracking = createTracking({
    store,
    artifacts,
    parts: createMemoryPartStore(),
    unit,
    audit: { append: async (entry) => ({ ...entry, index: 0, id: 'x', atUs: 0 }) },
    clock,
    ids: createIds(clock, (length) => new Uint8Array(length)),
    random: (length) => new Uint8Array(length),
  })
  const sweep = async () => {
    await tracking.files.findStrays({ fromUs: clock.nowUs() + DAY_US })
    clock.advance(DAY_US + 1)
    return tracking.files.sweep(clock.nowUs(), by)
  }
  return { artifacts, files: tracking.files, sweep, die: () => open[0]?.() }
}

const act = fc.record({
  what: fc.constantFrom('put', 'remove', 'stray'),
  path: fc.constantFrom('a', 'b', 'c'),
  content: fc.constantFrom('1', '2', '3', '4', '5'),
})

test('wherever a sweep is killed, nothing is named without its bytes, and the next one ends it', async () => {
  let killed = 0
  const property = fc.asyncProperty(
    fc.array(act, { maxLength: 12 }),
    fc.nat(12),
    fc.nat(),
    async (acts, operations, seed) => {
      const random = createRandom(seed)
      const disk = faultyFiles()
      await disk.makeDirectory(directory)
      const store = createMemoryTrackingStore()
      const process = start(store, disk)
      for (const { what, path, content } of acts) {
        if (what === 'put') await process.files.put(everything, { path, content }, by)
        else if (what === 'remove') await process.files.remove(everything, path, by)
        else await process.artifacts.put(new TextEncoder().encode(content))
      }
      disk.stopAfter(operations)
      const ended = process.sweep().then(() => false)
      if (await Promise.race([ended, disk.stopped.then(() => true)])) {
        killed++
        process.die()
      }
      const after = disk.restart((below) => random.int(below))
      await after.makeDirectory(directory)
      await sweepFolder(directory, after)
      const next = start(store, after)
      const named = await next.files.filesBelow(everything, '')
      const read = () => Promise.all(named.map(({ path }) => next.files.read(everything, path)))
      expect(await read()).toHaveLength(named.length)
      await next.sweep()
      await read()
      const left = (await Array.fromAsync(next.artifacts.stored())).flat().toSorted()
      expect(left).toEqual([...new Set(named.map(({ sha256 }) => sha256))].toSorted())
    },
  )
  await fc.assert(property, { numRuns: 300 })
  expect(killed).toBeGreaterThan(30)
})
