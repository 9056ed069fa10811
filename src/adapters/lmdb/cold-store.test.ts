import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { COLD_STEP_KEYS, coldStep } from '../../features/cold-steps.cases.ts'
import { coldStoreCases } from '../../features/cold.cases.ts'
import { createMemoryColdStore } from '../../features/index.ts'
import { openLmdbColdStore } from './cold-store.ts'
import { openColdTables } from './cold-tables.ts'
import { openLmdbDecisionIndex } from './index.ts'

const root = mkdtempSync(join(tmpdir(), 'assay-lmdb-cold-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let made = 0

coldStoreCases('LMDB', () =>
  openLmdbColdStore(join(root, String(made++)), { waitingBytesMax: 600 }),
)

test('what a mark covers is there after closing and opening, with its expiry', async () => {
  const directory = join(root, 'again')
  const first = openLmdbColdStore(directory)
  first.put('a', new Uint8Array([1, 2]), 5)
  first.put('b', new Uint8Array([3]))
  await first.mark(1)
  first.put('b', new Uint8Array([4, 4, 4]))
  await first.mark(2)
  first.remove('a')
  await first.close()
  const second = openLmdbColdStore(directory)
  second.returnTo(2)
  expect(second.get('b')).toEqual(new Uint8Array([4, 4, 4]))
  second.returnTo(1)
  expect(second.get('b')).toEqual(new Uint8Array([3]))
  expect(second.statistics()).toEqual({ entries: 2, bytes: 3 })
  expect(second.expire(6, 10)).toBe(1)
  expect(second.get('a')).toBeUndefined()
  await second.close()
})

test('the disk holds what lives and what was replaced since a few marks, however long it runs', async () => {
  const directory = join(root, 'bounded')
  const store = openLmdbColdStore(directory, { waitingBytesMax: 100_000 })
  const sizes: number[] = []
  for (let step = 1; step <= 30_000; step++) {
    coldStep(store, step)
    if (step % 1_500 !== 0) continue
    await store.mark(step)
    sizes.push(statSync(join(directory, 'data.mdb')).size)
  }
  // LMDB needs some room beside it, and leaves part of each page empty.
  expect(sizes.at(-1)).toBeLessThan(1.5 * sizes[9])
  await store.close()
})

test.each([100, 4096, 8192, 50_000, -5000])(
  'a file cut to %d bytes is called damaged',
  async (size) => {
    const directory = join(root, `cut ${size}`)
    const store = openLmdbColdStore(directory)
    for (let step = 1; step <= 100; step++) coldStep(store, step)
    await store.mark(1)
    await store.close()
    const file = join(directory, 'data.mdb')
    truncateSync(file, size < 0 ? statSync(file).size + size : size)
    expect(() => openLmdbColdStore(directory)).toThrow(
      expect.objectContaining({ code: 'cold_store_damaged' }),
    )
  },
)

test('a return that was cut short is finished when the store opens again', async () => {
  const directory = join(root, 'half')
  const store = openLmdbColdStore(directory)
  const expected = createMemoryColdStore()
  for (let step = 1; step <= 500; step++) {
    coldStep(store, step)
    coldStep(expected, step)
  }
  await store.mark(500)
  for (let step = 501; step <= 900; step++) coldStep(store, step)
  await store.mark(900)
  for (let step = 901; step <= 1300; step++) coldStep(store, step)
  // What waits goes to disk with no mark of its own.
  store.expire(Number.MAX_SAFE_INTEGER, 0)
  await store.close()
  const tables = openColdTables(directory)
  tables.transaction(() => tables.beginUndoing(500))
  tables.transaction(() => tables.undoSome(10))
  await tables.close()
  const again = openLmdbColdStore(directory)
  for (const key of COLD_STEP_KEYS) expect(again.get(key)).toEqual(expected.get(key))
  expect(again.statistics()).toEqual(expected.statistics())
  expect(() => again.returnTo(900)).toThrow('The mark 900 is not kept; kept: 500.')
  await again.close()
})

test('a value that changed on disk is called damaged, not given out', async () => {
  const directory = join(root, 'flipped')
  const store = openLmdbColdStore(directory)
  store.put('whole', new Uint8Array(500).fill(7))
  store.put('flipped', new Uint8Array(500).fill(171))
  await store.mark(1)
  await store.close()
  const file = join(directory, 'data.mdb')
  const bytes = readFileSync(file)
  bytes[bytes.indexOf(new Uint8Array(500).fill(171)) + 250]++
  writeFileSync(file, bytes)
  const again = openLmdbColdStore(directory)
  expect(again.get('whole')).toEqual(new Uint8Array(500).fill(7))
  expect(() => again.get('flipped')).toThrow(
    expect.objectContaining({ code: 'cold_store_damaged' }),
  )
  await again.close()
})

test('a directory of something else is left alone', async () => {
  const foreign = join(root, 'files')
  mkdirSync(foreign)
  writeFileSync(join(foreign, 'letter.txt'), 'Dear')
  expect(() => openLmdbColdStore(foreign)).toThrow('it holds other files')
  const index = join(root, 'index')
  const database = await openLmdbDecisionIndex(index)
  await database.put([{ key: 'a', sequence: 5, bodyHash: 'h' }], 5)
  await database.close()
  expect(() => openLmdbColdStore(index)).toThrow('it holds another database')
  const text = join(root, 'text')
  mkdirSync(text)
  copyFileSync(import.meta.filename, join(text, 'data.mdb'))
  expect(() => openLmdbColdStore(text)).toThrow('data.mdb is no LMDB file')
})

// A limit on the size of files stands in for a full disk: the system refuses the write alike.
test.skipIf(process.platform === 'win32')(
  'a full disk is an error for who writes, what was written stays readable, the process lives on',
  () => {
    const module = JSON.stringify(new URL('./cold-store.ts', import.meta.url).href)
    const script = `
      const { openLmdbColdStore } = await import(${module})
      const store = openLmdbColdStore(${JSON.stringify(join(root, 'full'))}, { waitingBytesMax: 20_000 })
      store.put('first', new Uint8Array([1]))
      await store.mark(1)
      let refused = 0
      let taken = 0
      for (let i = 0; i < 200; i++) {
        try { store.put('k' + i, new Uint8Array(3000)); taken++ } catch (error) {
          if (error.code === 'cold_store_refused') refused++
        }
      }
      let read = 0
      for (let i = 0; i < 200; i++) if (store.get('k' + i) !== undefined) read++
      console.log(refused > 0, read === taken, store.get('first')[0])
      process.exit()`
    const { stdout, stderr } = spawnSync('sh', [
      '-c',
      'ulimit -f 400 && exec "$0" --input-type=module --eval "$1"',
      process.execPath,
      script,
    ])
    expect(String(stdout), String(stderr)).toBe('true true 1\n')
  },
)
