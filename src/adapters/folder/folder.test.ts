import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { faultyFiles } from '../../lib/faulty-files.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { createRandom } from '../../lib/random.ts'
import { partStoreCases } from '../../tracking/files-store.cases.ts'
import { artifactStoreCases } from '../../tracking/store.cases.ts'
import { createFolderArtifacts, createFolderParts, sweepFolder } from './index.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'assay-folder-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

artifactStoreCases('a folder', async () => createFolderArtifacts({ directory }))
partStoreCases('a folder', async () => createFolderParts({ directory }))

async function* pieces(...texts: string[]) {
  for (const text of texts) yield new TextEncoder().encode(text)
}

test('a file that was changed is an error, and putting the content again repairs it', async () => {
  const store = createFolderArtifacts({ directory, extension: '.json' })
  const bytes = new TextEncoder().encode('{"a":1}')
  const { sha256 } = await store.put(bytes)
  expect(readdirSync(directory)).toEqual([`${sha256}.json`])
  const damage = () => writeFileSync(path.join(directory, `${sha256}.json`), '{"a":2}')
  damage()
  await expect(store.get(sha256)).rejects.toMatchObject({ code: 'artifact_damaged' })
  await store.put(bytes)
  expect(await store.get(sha256)).toEqual(bytes)
  damage()
  await store.putStream(pieces('{"a"', ':1}'), 100)
  expect(await store.get(sha256)).toEqual(bytes)
})

test('a damaged stream ends before its last piece', async () => {
  const store = createFolderArtifacts({ directory })
  const bytes = new Uint8Array(3 * 1024 * 1024).fill(7)
  const { sha256 } = await store.put(bytes)
  bytes[3] = 8
  writeFileSync(path.join(directory, sha256), bytes)
  const opened = await store.open(sha256)
  let seen = 0
  const read = async () => {
    for await (const chunk of opened!.stream) seen += chunk.length
  }
  await expect(read()).rejects.toMatchObject({ code: 'artifact_damaged' })
  expect(seen).toBeLessThan(bytes.length)
})

test('a full disk, a client that leaves and too much leave nothing behind', async () => {
  const disk = faultyFiles()
  await disk.makeDirectory(directory)
  disk.capacityBytes = 10
  const store = createFolderArtifacts({ directory, files: disk })
  const full = store.putStream(pieces('0123456789', 'x'), 100)
  await expect(full).rejects.toMatchObject({ code: 'artifact_store_full', status: 507 })
  const failing = async function* () {
    yield* pieces('01')
    throw new Error('The client left')
  }
  await expect(store.putStream(failing(), 100)).rejects.toThrow('The client left')
  const large = store.putStream(pieces('01', '2'), 2)
  await expect(large).rejects.toMatchObject({ code: 'artifact_too_large' })
  const parts = createFolderParts({ directory, files: disk })
  const part = parts.write('u-1', pieces('0123456789', 'x'), 100)
  await expect(part).rejects.toMatchObject({ code: 'artifact_store_full' })
  expect(await disk.list(directory)).toEqual([])
})

test('when the power goes, a file is there whole or not at all, and the sweep takes the rest', async () => {
  const content = 'x'.repeat(3000)
  const sha256 = sha256Hex(content)
  const outcomes = new Set<string>()
  for (let operations = 0; operations < 8; operations++) {
    for (let seed = 0; seed < 20; seed++) {
      const random = createRandom(seed * 100 + operations)
      const disk = faultyFiles()
      await disk.makeDirectory(directory)
      disk.stopAfter(operations)
      const store = createFolderArtifacts({ directory, files: disk })
      const answered = await Promise.race([
        store.putStream(pieces(content.slice(0, 1700), content.slice(1700)), 1e6).then(() => true),
        disk.stopped.then(() => false),
      ])
      const after = disk.restart((below) => random.int(below))
      await after.makeDirectory(directory)
      await sweepFolder(directory, after)
      const names = await after.list(directory)
      if (answered) expect(names).toEqual([sha256])
      for (const name of names) {
        expect(name).toBe(sha256)
        const reopened = createFolderArtifacts({ directory, files: after })
        expect(Buffer.from((await reopened.get(name))!).toString()).toBe(content)
      }
      outcomes.add(`${answered} ${names.length}`)
    }
  }
  expect(outcomes).toEqual(new Set(['false 0', 'false 1', 'true 1']))
})

test('the sweep leaves what is whole', async () => {
  const store = createFolderArtifacts({ directory })
  const { sha256 } = await store.put(new TextEncoder().encode('a'))
  writeFileSync(path.join(directory, `${sha256}.0a1b2c3d.tmp`), 'half')
  writeFileSync(path.join(directory, 'u-1.tmp'), 'half')
  expect(await sweepFolder(directory)).toBe(2)
  expect(await sweepFolder(path.join(directory, 'none'))).toBe(0)
  expect(readdirSync(directory)).toEqual([sha256])
})
