import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { faultyFiles } from './faulty-files.ts'
import { fileErrorCode, nodeFiles, readWholeFile, writeFileAtomic } from './files.ts'

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

describe("the machine's file system", () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'assay-files-'))
  })
  afterEach(() => rm(directory, { recursive: true }))

  test('writes, reads, truncates and syncs at positions', async () => {
    const file = path.join(directory, 'a')
    const open = await nodeFiles.open(file, 'create')
    await open.write(Buffer.from('hello world'), 0)
    await open.write(Buffer.from('W'), 6)
    await open.sync()
    const into = new Uint8Array(100)
    expect(await open.read(into, 6)).toBe(5)
    expect(text(into.subarray(0, 5))).toBe('World')
    await open.truncate(5)
    expect(await open.size()).toBe(5)
    await open.close()
    expect(await readFile(file, 'utf8')).toBe('hello')
  })

  test('reads, writes and cuts a durable file as any other', async () => {
    const file = path.join(directory, 'a')
    const made = await nodeFiles.open(file, 'create', { durable: true })
    await made.write(Buffer.from('hello world'), 0)
    await made.close()
    const open = await nodeFiles.open(file, 'update', { durable: true })
    await open.write(Buffer.from('W'), 6)
    await open.truncate(7)
    await open.sync()
    await open.close()
    expect(await readFile(file, 'utf8')).toBe('hello W')
    await expect(nodeFiles.open(file, 'create', { durable: true })).rejects.toThrow('EEXIST')
  })

  test('keeps what it makes from other users', async () => {
    const inside = path.join(directory, 'x', 'y')
    await nodeFiles.makeDirectory(inside)
    const file = await nodeFiles.open(path.join(inside, 'f'), 'create')
    await file.close()
    if (process.platform === 'win32') return
    expect((await stat(inside)).mode & 0o077).toBe(0)
    expect((await stat(path.join(inside, 'f'))).mode & 0o077).toBe(0)
  })

  test('says with a code why it refuses', async () => {
    const file = path.join(directory, 'a')
    await (await nodeFiles.open(file, 'create')).close()
    const again = await nodeFiles.open(file, 'create').catch((error: unknown) => error)
    expect(fileErrorCode(again)).toBe('EEXIST')
    const absent = await nodeFiles.open(`${file}-none`, 'update').catch((error: unknown) => error)
    expect(fileErrorCode(absent)).toBe('ENOENT')
    expect(fileErrorCode(new Error('x'))).toBeUndefined()
    expect(fileErrorCode(null)).toBeUndefined()
  })

  test('replaces a file as a whole and leaves no temporary file behind', async () => {
    const file = path.join(directory, 'state.json')
    await writeFileAtomic(file, '{"a":1}')
    await writeFileAtomic(file, '{"a":2}')
    expect(text(await readWholeFile(file, nodeFiles))).toBe('{"a":2}')
    expect(await readdir(directory)).toEqual(['state.json'])
  })
})

describe('an atomic write', () => {
  test('leaves the old content or the new at every point where the power goes', async () => {
    for (let operations = 0; operations <= 8; operations++) {
      for (let seed = 0; seed < 40; seed++) {
        const files = faultyFiles()
        await files.makeDirectory('/d')
        await writeFileAtomic('/d/f', 'old', files)
        files.stopAfter(operations)
        const written = writeFileAtomic('/d/f', 'new content', files).then(() => 'written')
        const ending = await Promise.race([written, files.stopped])
        const after = files.restart(dice(seed))
        const content = text(await readWholeFile('/d/f', after))
        expect(ending === 'written' ? ['new content'] : ['old', 'new content']).toContain(content)
      }
    }
  })

  test('leaves the old content when the disk is full or fails to sync', async () => {
    const files = faultyFiles()
    await files.makeDirectory('/d')
    await writeFileAtomic('/d/f', 'old', files)
    files.capacityBytes = 10
    await expect(writeFileAtomic('/d/f', 'much too long', files)).rejects.toThrow('ENOSPC')
    files.fail('sync', 'EIO')
    await expect(writeFileAtomic('/d/f', 'new', files)).rejects.toThrow('EIO')
    expect(text(await readWholeFile('/d/f', files))).toBe('old')
    expect(await files.list('/d')).toEqual(['f'])
  })
})

/** A small generator, so that a failing case can be repeated. */
function dice(seed: number): (below: number) => number {
  let state = seed + 1
  return (below) => {
    state = (state * 48271) % 2147483647
    return state % below
  }
}
