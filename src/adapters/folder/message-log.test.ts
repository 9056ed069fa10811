import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { messageLogCases } from '../../decisions/message-log.cases.ts'
import { createFolderLog, createLineAppender } from './message-log.ts'

function folder(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'assay-log-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

messageLogCases('a folder', async (partitions) =>
  createFolderLog({ directory: folder(), partitions }),
)

const { signal } = new AbortController()
const from = (offset: number) => ({
  topic: 't',
  partition: 0,
  offset,
  limit: 10,
  waitMs: 0,
  signal,
})

test('a file that another program writes is read as it grows, half a line not before its end', async () => {
  const directory = folder()
  mkdirSync(path.join(directory, 't'))
  const file = path.join(directory, 't', '0.ndjson')
  writeFileSync(file, '{"a":1}\n\n{"a":2}\n{"a":')
  const log = createFolderLog({ directory })
  const read = await log.read(from(0))
  expect(read.map(({ value, offset }) => [Buffer.from(value).toString(), offset])).toEqual([
    ['{"a":1}', 7],
    ['{"a":2}', 16],
  ])
  expect(await log.read(from(17))).toEqual([])
  appendFileSync(file, '3}\n')
  expect(await log.read(from(17))).toMatchObject([{ offset: 24 }])
  await expect(log.read(from(1000))).rejects.toThrow('it was replaced')
})

test('a line that is too long for anybody is handed on cut, and the next one is found', async () => {
  const directory = folder()
  const log = createFolderLog({ directory })
  const long = Buffer.alloc(5 * 1024 * 1024, 'x')
  await log.append('t', [{ key: null, value: long }])
  await log.append('t', [{ key: null, value: Buffer.from('next') }])
  const [cut] = await log.read(from(0))
  expect(cut.offset).toBe(long.length)
  expect(cut.value.length).toBeLessThan(long.length)
  expect(await log.read(from(cut.offset + 1))).toMatchObject([{ value: Buffer.from('next') }])
})

test('half a line that a fall left behind does not spoil the next one', async () => {
  const file = path.join(folder(), 'told.ndjson')
  writeFileSync(file, 'whole\nhal')
  const append = createLineAppender()
  await Promise.all([append(file, [Buffer.from('a')]), append(file, [Buffer.from('b')])])
  expect(readFileSync(file, 'utf8')).toBe('whole\nhal\na\nb\n')
  await expect(append(file, [Buffer.from('two\nlines')])).rejects.toThrow('line end')
})
