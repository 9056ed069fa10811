import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../lib/clock.ts'
import { sha256Hex } from '../lib/hash.ts'
import { systemIds } from '../lib/ids.ts'
import type { FileToLearn } from '../pipelines/index.ts'
import { createLearningFiles, pathOfLearningFile } from './learning-files.ts'

let incoming: string
const description = { rows: 2, columns: [], guess: { target: null, group: null, time: null } }
const csv = 'a,b\n1,2\n3,4\n'

beforeEach(() => {
  incoming = mkdtempSync(join(tmpdir(), 'assay-incoming-'))
})
afterEach(() => rmSync(incoming, { recursive: true }))

const open = (options: { bytesMax?: number; filesMax?: number; describe?: () => never } = {}) =>
  createLearningFiles({
    home: { incoming },
    describe: async () => description,
    ids: systemIds,
    clock: systemClock,
    ...options,
  })
const upload = (content: string | Buffer, bytes?: number) => ({
  stream: Readable.from([Buffer.from(content)]),
  bytes,
})
const kept = () => readdirSync(join(incoming, 'learning')).sort()

test('a file is named by the hash of its bytes, whatever it is called, and found again by it', async () => {
  const files = open()
  const file = await files.receive(upload(csv), '../../etc/passwd')
  expect(file).toMatchObject({ id: sha256Hex(csv), form: 'csv', bytes: csv.length, rows: 2 })
  expect(kept()).toEqual([`${file.id}.csv`, `${file.id}.json`])
  expect(readFileSync(pathOfLearningFile({ incoming }, file), 'utf8')).toBe(csv)
  expect(await files.get(file.id)).toEqual(file)
  expect(await files.get(`../learning/${file.id}`)).toBeUndefined()
  expect(await files.get('f'.repeat(64))).toBeUndefined()
})

test('what a file is, its first bytes say', async () => {
  const files = open()
  const formOf = async (content: string | Buffer) =>
    (await files.receive(upload(content), 'x.csv')).form
  expect(await formOf(gzipSync(csv))).toBe('csv.gz')
  expect(await formOf('PAR1 and so on')).toBe('parquet')
  expect(await formOf('a')).toBe('csv')
})

test('a file that is too large is refused, as declared or as it comes, and nothing of it stays', async () => {
  const files = open({ bytesMax: 10 })
  for (const tooLarge of [upload(csv), upload('', 11)]) {
    await expect(files.receive(tooLarge, 'x')).rejects.toMatchObject({ code: 'upload_too_large' })
  }
  await expect(files.receive(upload('a\n1\n'), 'x')).resolves.toMatchObject({ bytes: 4 })
  expect(kept()).toHaveLength(2)
})

test('a file that cannot be read is not kept', async () => {
  const files = open({
    describe: () => {
      throw new Error('no table')
    },
  })
  await expect(files.receive(upload(csv), 'x')).rejects.toThrow('no table')
  expect(kept()).toEqual([])
})

test('a client that goes away in the middle leaves nothing behind', async () => {
  const broken = new Readable({
    read() {
      this.push('a,b\n')
      this.destroy(new Error('gone'))
    },
  })
  await expect(open().receive({ stream: broken, bytes: 100 }, 'x')).rejects.toThrow('gone')
  expect(kept()).toEqual([])
})

test('the newest files are kept, and one that is asked for counts as new', async () => {
  const files = open({ filesMax: 2 })
  const taken: FileToLearn[] = []
  for (const [index, content] of ['a\n1', 'a\n2', 'a\n3'].entries()) {
    const file = await files.receive(upload(content), 'x')
    utimesSync(pathOfLearningFile({ incoming }, file), index, index)
    taken.push(file)
    if (index === 1) await files.get(taken[0].id)
  }
  expect(await files.get(taken[0].id)).toBeDefined()
  expect(await files.get(taken[1].id)).toBeUndefined()
  expect(await files.get(taken[2].id)).toBeDefined()
})
