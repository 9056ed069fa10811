/** What every store of file names and every store of parts must do. */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import type { FileOwner, FileStore, PartStore, StoredFile } from './file-ports.ts'
import { createMemoryFileStore } from './files-memory.ts'

export interface OpenedFileStore {
  readonly store: FileStore
  readonly unit: UnitOfWork
  readonly close?: () => Promise<void>
}

const run: FileOwner = { kind: 'run', id: 'r1' }
const model: FileOwner = { kind: 'logged-model', id: 'r1' }
const all = { limit: 100 }

function stored(path: string, sha256 = 'a', size = 1): StoredFile {
  return { path, contentType: 'text/plain', sha256, size, putAtUs: 5 }
}

export function fileStoreCases(name: string, open: () => Promise<OpenedFileStore>): void {
  describe(`${name} as a store of files`, () => {
    let opened: OpenedFileStore
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(async () => opened.close?.())

    test('gives a file back by owner and path, the last one put', async () => {
      const { store } = opened
      await store.put(run, stored('a/b.txt', 'x', 1))
      await store.put(run, stored('a/b.txt', 'y', 2))
      await store.put(model, stored('a/b.txt', 'z', 3))
      expect(await store.file(run, 'a/b.txt')).toEqual(stored('a/b.txt', 'y', 2))
      expect(await store.file(model, 'a/b.txt')).toEqual(stored('a/b.txt', 'z', 3))
      expect(await store.file(run, 'a')).toBeUndefined()
      expect(await store.file({ kind: 'run', id: 'r2' }, 'a/b.txt')).toBeUndefined()
    })

    test('lists a folder one level deep, with the sizes of all below', async () => {
      const { store } = opened
      for (const path of ['top', 'a/1', 'a/b/2', 'a/b/3', 'ab/4', 'a!', 'ä/ö']) {
        await store.put(run, stored(path, path, 10))
      }
      expect(await store.entries(run, '', all)).toEqual([
        { path: 'a', isFolder: true, size: 30 },
        { path: 'a!', isFolder: false, size: 10 },
        { path: 'ab', isFolder: true, size: 10 },
        { path: 'top', isFolder: false, size: 10 },
        { path: 'ä', isFolder: true, size: 10 },
      ])
      expect(await store.entries(run, 'a', all)).toEqual([
        { path: 'a/1', isFolder: false, size: 10 },
        { path: 'a/b', isFolder: true, size: 20 },
      ])
      expect(await store.entries(run, 'a', { limit: 1, after: 'a/1' })).toHaveLength(1)
      expect(await store.entries(run, 'a', { limit: 5, after: 'a/b' })).toEqual([])
      expect(await store.entries(run, 'top', all)).toEqual([])
    })

    test('removes a file, or a folder with all below it', async () => {
      const { store } = opened
      for (const path of ['a', 'b/1', 'b/c/2', 'b0', 'b.txt']) await store.put(run, stored(path))
      expect(await store.remove(run, 'a', 6)).toEqual([stored('a')])
      const gone = await store.remove(run, 'b', 6)
      expect(gone.map(({ path }) => path)).toEqual(['b/1', 'b/c/2'])
      expect(await store.remove(run, 'nothing', 6)).toEqual([])
      const left = await store.filesBelow(run, '', all)
      expect(left.map(({ path }) => path)).toEqual(['b.txt', 'b0'])
      expect(await store.remove(run, '', 6)).toHaveLength(2)
    })

    test('knows which contents nothing names, and since when', async () => {
      const { store } = opened
      await store.put(run, stored('a', 'first'))
      await store.put(run, { ...stored('a', 'second'), putAtUs: 10 })
      await store.put(model, stored('kept', 'shared'))
      await store.put(run, stored('b', 'shared'))
      await store.remove(run, 'b', 20)
      await store.remove(run, 'a', 30)
      await store.loosen(['never-named'], 5)
      expect(await store.loose(31, 10)).toEqual(['never-named', 'first', 'second'])
      expect(await store.loose(30, 10)).toEqual(['never-named', 'first'])
      expect(await store.loose(31, 1)).toEqual(['never-named'])
      await store.forget(['first', 'never-named'])
      expect(await store.loose(31, 10)).toEqual(['second'])
      await store.put(run, stored('c', 'second'))
      expect(await store.loose(31, 10)).toEqual([])
    })

    test('tells contents that nobody named or let go of from all others', async () => {
      const { store } = opened
      await store.put(run, stored('a', 'named'))
      await store.put(run, stored('b', 'loose'))
      await store.remove(run, 'b', 5)
      expect(await store.strays(['named', 'loose', 'stray'])).toEqual(['stray'])
      await store.loosen(['stray'], 50)
      expect(await store.strays(['stray'])).toEqual([])
      expect(await store.loose(50, 10)).toEqual(['loose'])
      expect(await store.loose(51, 10)).toEqual(['loose', 'stray'])
    })

    test('takes back what a failed transaction did', async () => {
      const { store, unit } = opened
      await store.put(run, stored('a'))
      const work = unit.transaction(async () => {
        await store.remove(run, 'a', 6)
        throw new Error('no')
      })
      await expect(work).rejects.toThrow('no')
      expect(await store.file(run, 'a')).toEqual(stored('a'))
      expect(await store.loose(100, 10)).toEqual([])
    })

    test('answers as the simplest store does, whatever the names', async () => {
      const part = fc.constantFrom('a', 'b', 'a.b', 'A', '0', '%', '_', '😀', '\uffee', 'é')
      const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
      const step = fc.record({ path, sha256: fc.constantFrom('x', 'y', 'z'), remove: fc.boolean() })
      let owners = 0
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), path, async (steps, folder) => {
          const oracle = createMemoryFileStore()
          const owner: FileOwner = { kind: 'run', id: `p${++owners}` }
          for (const { path: at, sha256, remove } of steps) {
            for (const store of [oracle, opened.store]) {
              if (remove) await store.remove(owner, at, 6)
              else await store.put(owner, stored(at, sha256))
            }
          }
          for (const at of ['', folder]) {
            const [wanted, got] = [oracle, opened.store]
            expect(await got.filesBelow(owner, at, all)).toEqual(
              await wanted.filesBelow(owner, at, all),
            )
            expect(await got.entries(owner, at, all)).toEqual(await wanted.entries(owner, at, all))
          }
        }),
        { numRuns: 60 },
      )
    })
  })
}

async function* pieces(...texts: string[]) {
  for (const text of texts) yield new TextEncoder().encode(text)
}

export function partStoreCases(name: string, open: () => Promise<PartStore>): void {
  describe(`${name} as a store of parts`, () => {
    test('keeps a part until it is removed', async () => {
      const store = await open()
      const { size } = await store.write('u-1', pieces('ab', 'c'), 10)
      expect(size).toBe(3)
      const read: Uint8Array[] = []
      for await (const chunk of store.read('u-1')) read.push(chunk)
      expect(Buffer.concat(read).toString()).toBe('abc')
      await store.remove('u-1')
      await store.remove('u-1')
      await expect(Array.fromAsync(store.read('u-1'))).rejects.toThrow()
    })

    test('keeps nothing of a part that is too large', async () => {
      const store = await open()
      const write = store.write('u-1', pieces('ab', 'c'), 2)
      await expect(write).rejects.toMatchObject({ code: 'artifact_too_large' })
      await expect(Array.fromAsync(store.read('u-1'))).rejects.toThrow()
    })
  })
}
