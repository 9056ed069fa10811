import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { faultyFiles } from '../../lib/faulty-files.ts'
import { nodeFiles } from '../../lib/files.ts'
import { fileSource } from '../sources/files.ts'
import { openSpool } from './spool.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'assay-spool-'))
})
afterEach(() => rm(directory, { recursive: true }))

async function linesOf(file: string): Promise<string[]> {
  const lines: string[] = []
  for await (const batch of fileSource(file).batches()) lines.push(...batch.lines)
  return lines
}

test('lines are read back in the order in which they were sent, also after it is opened again', async () => {
  const spool = await openSpool(directory, nodeFiles)
  await Promise.all([spool.append(['a', 'b']), spool.append(['c'])])
  await spool.close()
  const again = await openSpool(directory, nodeFiles)
  await again.append(['d'])
  await again.close()
  expect(await linesOf(again.file)).toEqual(['a', 'b', 'c', 'd'])
})

test('a full file is rotated, and who follows it misses nothing', async () => {
  const spool = await openSpool(directory, nodeFiles, 10)
  await spool.append(['0123456789'])
  const begun: string[] = []
  let place: Readonly<Record<string, string | number | boolean>> = {}
  for await (const batch of fileSource(spool.file).batches()) {
    begun.push(...batch.lines)
    place = batch.place
  }
  await spool.append(['second'])
  await spool.append(['third'])
  for await (const batch of fileSource(spool.file).batches(place)) begun.push(...batch.lines)
  expect(begun).toEqual(['0123456789', 'second', 'third'])
  await spool.release(() => Promise.resolve(true))
  expect(await readdir(directory)).toEqual(['sent.log'])
  await spool.close()
})

test('who sends faster than is read is told to wait, and may go on once it was read', async () => {
  const spool = await openSpool(directory, nodeFiles, 1)
  for (let i = 0; i < 5; i++) await spool.append([`line ${i}`])
  await expect(spool.append(['too much'])).rejects.toThrow('wait to be read')
  await spool.release(() => Promise.resolve(true))
  await spool.append(['again'])
  await spool.close()
  expect(await readFile(spool.file, 'utf8')).toBe('again\n')
})

test('what was answered outlives a loss of power, and what was refused is not there', async () => {
  const files = faultyFiles()
  const spool = await openSpool('/spool', files)
  await spool.append(['kept'])
  files.fail('write', 'ENOSPC')
  await expect(spool.append(['refused'])).rejects.toThrow('ENOSPC')
  await spool.append(['after'])
  const after = files.restart(() => 0)
  expect(Buffer.from(after.bytes('/spool/sent.log')).toString()).toBe('kept\nafter\n')
})

test('a line with a line end in it is refused, for it would be two', async () => {
  const spool = await openSpool(directory, nodeFiles)
  await expect(spool.append(['fine', 'a\nb'])).rejects.toThrow('Line 2')
  await spool.close()
})

test('what a crash cut does not run into the next line', async () => {
  await writeFile(join(directory, 'sent.log'), `${'x'.repeat(70_000)}\nfine\n${'y'.repeat(70_000)}`)
  const spool = await openSpool(directory, nodeFiles)
  await spool.append(['next'])
  await spool.close()
  expect((await linesOf(spool.file)).slice(1)).toEqual(['fine', 'next'])
})

test('a file that is rotated away while it is asked what was read stays', async () => {
  const spool = await openSpool(directory, nodeFiles, 1)
  await spool.append(['read'])
  await spool.append(['read too'])
  await spool.release(async () => {
    await spool.append(['not read'])
    return true
  })
  expect(await readFile(`${spool.file}.2`, 'utf8')).toBe('read too\n')
  await spool.release(() => Promise.resolve(false))
  expect(await readdir(directory)).toEqual(['sent.log', 'sent.log.2'])
  await spool.close()
})

test('lines are taken again once a disk that failed a rotation works', async () => {
  const files = faultyFiles()
  const spool = await openSpool('/spool', files, 1)
  await spool.append(['first'])
  files.fail('rename', 'EIO')
  await expect(spool.append(['refused'])).rejects.toThrow('EIO')
  await spool.append(['second'])
  expect(await files.list('/spool')).toEqual(['sent.log', 'sent.log.1'])
  const after = files.restart(() => 0)
  expect(Buffer.from(after.bytes('/spool/sent.log')).toString()).toBe('second\n')
  expect(Buffer.from(after.bytes('/spool/sent.log.1')).toString()).toBe('first\n')
})
