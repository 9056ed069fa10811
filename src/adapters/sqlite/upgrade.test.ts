import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDatabase } from './database.ts'
import { checkDatabase, freezeDatabase } from './frozen.ts'
import type { RoomMigrations } from './migrations.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'assay-upgrade-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const first = { version: 1, sql: 'CREATE TABLE letters (text TEXT) STRICT' }
const older: RoomMigrations[] = [{ room: 'post', migrations: [first] }]
const withStep = (sql: string): RoomMigrations[] => [
  { room: 'post', migrations: [first, { version: 2, sql }] },
]

interface Tables {
  letters: { text: string }
}

async function writtenBy(rooms: RoomMigrations[]) {
  const path = join(directory, 'assay.sqlite')
  const database = openDatabase(path, rooms)
  for (let i = 0; i < 50; i++) {
    await database.write<Tables, unknown>((db) =>
      db
        .insertInto('letters')
        .values({ text: `letter ${i} ${'x'.repeat(500)}` })
        .execute(),
    )
  }
  await database.close()
  return path
}

async function letters(path: string, rooms: RoomMigrations[]): Promise<number> {
  const database = openDatabase(path, rooms)
  const found = await database.reader<Tables>().selectFrom('letters').selectAll().execute()
  await database.close()
  return found.length
}

test.each([
  ['is wrong', 'ALTER TABLE letters ADD COLUMN read INTEGER; SELECT * FROM nowhere'],
  [
    'finds the disk full',
    'PRAGMA max_page_count = 20; CREATE TABLE copies AS SELECT a.text FROM letters a, letters b',
  ],
])('a migration that %s leaves the file to the version before', async (_, sql) => {
  const path = await writtenBy(older)
  expect(() => openDatabase(path, withStep(sql))).toThrow()
  expect(await letters(path, older)).toBe(50)
  expect(checkDatabase(path)).toBe('ok')
})

test('an upgrade keeps the file as it was, with which the version before goes on', async () => {
  const path = await writtenBy(older)
  const newer = withStep('ALTER TABLE letters ADD COLUMN read INTEGER')
  expect(await letters(path, newer)).toBe(50)
  expect(() => openDatabase(path, older)).toThrow(/version 2; this Assay knows 1/)
  const copy = join(directory, 'before-1.sqlite')
  expect(await letters(copy, older)).toBe(50)
})

test('nothing is migrated where the copy of before cannot be written', async () => {
  const path = await writtenBy(older)
  mkdirSync(join(directory, 'before-1.sqlite'))
  mkdirSync(join(directory, 'before-1.sqlite', 'in the way'))
  const newer = withStep('ALTER TABLE letters ADD COLUMN read INTEGER')
  expect(() => openDatabase(path, newer)).toThrow(/nothing was changed/)
  expect(await letters(path, older)).toBe(50)
})

test('a file that is as it should be is not copied', async () => {
  const path = await writtenBy(older)
  await letters(path, older)
  expect(readdirSync(directory).filter((name) => name.startsWith('before'))).toEqual([])
})

test('a frozen file is copied as of its moment, whatever is written meanwhile', async () => {
  const path = await writtenBy(older)
  const frozen = freezeDatabase(path)
  expect(frozen.versions).toEqual({ post: 1 })
  const writer = new DatabaseSync(path)
  writer.exec("INSERT INTO letters VALUES ('later')")
  const target = `${path}.copy`
  await frozen.copyTo(target, {
    onPages: () => writer.exec("INSERT INTO letters VALUES ('later still')"),
  })
  expect(frozen.rows()).toMatchObject({ letters: 50 })
  frozen.close()
  writer.close()
  expect(checkDatabase(target)).toBe('ok')
  expect(await letters(target, older)).toBe(50)
  expect(await letters(path, older)).toBeGreaterThan(50)
})

test('a copy ends where it is aborted', async () => {
  const path = await writtenBy(older)
  const frozen = freezeDatabase(path)
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(frozen.copyTo(`${path}.copy`, { signal })).rejects.toThrow('enough')
  frozen.close()
})
