import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDatabase } from './database.ts'
import { openSqlite } from './index.ts'
import { migrate, type RoomMigrations } from './migrations.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'assay-sqlite-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const file = () => path.join(directory, 'assay.sqlite')
const first = { version: 1, sql: 'CREATE TABLE notes (text TEXT NOT NULL) STRICT' }
const second = { version: 2, sql: "ALTER TABLE notes ADD COLUMN author TEXT NOT NULL DEFAULT 'x'" }
const room = (...migrations: RoomMigrations['migrations']): RoomMigrations => {
  return { room: 'notes', migrations }
}
interface Tables {
  notes: { text: string }
}

describe('the tables of a room', () => {
  test('go forward step by step, each once', () => {
    const connection = new DatabaseSync(file())
    migrate(connection, [room(first)])
    connection.exec("INSERT INTO notes VALUES ('kept')")
    migrate(connection, [room(first, second)])
    migrate(connection, [room(first, second)])
    expect({ ...connection.prepare('SELECT * FROM notes').get() }).toEqual({
      text: 'kept',
      author: 'x',
    })
    connection.close()
  })

  test('of a newer version are refused and left alone', () => {
    const connection = new DatabaseSync(file())
    migrate(connection, [room(first, second)])
    expect(() => migrate(connection, [room(first)])).toThrow(
      expect.objectContaining({ code: 'metadata_newer' }),
    )
    connection.close()
  })

  test('stay as they were where a step fails', () => {
    const connection = new DatabaseSync(file())
    migrate(connection, [room(first)])
    const broken = { version: 2, sql: 'CREATE TABLE half (a TEXT); CREATE TABLE half (a TEXT)' }
    expect(() => migrate(connection, [room(first, broken)])).toThrow()
    const tables = connection.prepare("SELECT name FROM sqlite_schema WHERE name = 'half'").all()
    expect(tables).toEqual([])
    migrate(connection, [room(first, second)])
    connection.close()
  })
})

describe('a database', () => {
  test('shows a reader committed state alone, and a transaction its own', async () => {
    const database = openDatabase(file(), [room(first)])
    const texts = () =>
      database
        .reader<Tables>()
        .selectFrom('notes')
        .selectAll()
        .execute()
        .then((rows) => rows.map((row) => row.text))
    let seenOutside: Promise<string[]> | undefined
    let release = () => {}
    const looked = new Promise<void>((resolve) => {
      release = resolve
    })
    const writing = database.write<Tables, string[]>(async (db) => {
      await db.insertInto('notes').values({ text: 'a' }).execute()
      await looked
      return texts()
    })
    await new Promise((resolve) => setImmediate(resolve))
    seenOutside = texts()
    expect(await seenOutside).toEqual([])
    release()
    expect(await writing).toEqual(['a'])
    expect(await texts()).toEqual(['a'])
    await database.close()
  })

  test('lets nothing be written past the unit of work', async () => {
    const database = openDatabase(file(), [room(first)])
    const write = database.reader<Tables>().insertInto('notes').values({ text: 'a' }).execute()
    await expect(write).rejects.toThrow('readonly')
    await database.close()
  })

  test('keeps what was committed when it is opened again', async () => {
    const identity = { id: 'i1', name: 'Ada', kind: 'person', roles: [], createdAtUs: 1 } as const
    const before = openSqlite(file())
    await before.access.insertIdentity(identity)
    await before.close()
    const after = openSqlite(file())
    expect(await after.access.identities()).toEqual([identity])
    await after.close()
  })

  test('on a full disk refuses the change as a whole and goes on', async () => {
    const database = openDatabase(file(), [room(first)])
    const insert = (text: string) =>
      database.write<Tables, unknown>((db) => db.insertInto('notes').values({ text }).execute())
    await insert('before')
    await database.write<unknown, unknown>((db) => sql`PRAGMA max_page_count = 8`.execute(db))
    const large = database.write<Tables, void>(async (db) => {
      await db.insertInto('notes').values({ text: 'half' }).execute()
      await db
        .insertInto('notes')
        .values({ text: 'x'.repeat(100_000) })
        .execute()
    })
    await expect(large).rejects.toMatchObject({ code: 'metadata_unwritable', status: 503 })
    await insert('after')
    const rows = await database.reader<Tables>().selectFrom('notes').select('text').execute()
    expect(rows.map((row) => row.text)).toEqual(['before', 'after'])
    await database.close()
  })

  test('takes back a failed change alone when others share its commit', async () => {
    const database = openDatabase(file(), [room(first)])
    const change = (text: string, ending?: string) =>
      database.unit.transaction(async () => {
        const db = database.reader<Tables>()
        const before = await db.selectFrom('notes').select('text').execute()
        await database.write<Tables, unknown>((writer) =>
          writer.insertInto('notes').values({ text }).execute(),
        )
        if (ending !== undefined) throw new Error(ending)
        return before.map((row) => row.text)
      })
    const all = await Promise.allSettled([change('a'), change('b', 'no'), change('c')])
    expect(all).toEqual([
      { status: 'fulfilled', value: [] },
      { status: 'rejected', reason: new Error('no') },
      { status: 'fulfilled', value: ['a'] },
    ])
    const rows = await database.reader<Tables>().selectFrom('notes').select('text').execute()
    expect(rows.map((row) => row.text)).toEqual(['a', 'c'])
    await database.close()
  })

  test('on a full disk tells each that shares a commit what is true of it', async () => {
    const database = openDatabase(file(), [room(first)])
    const insert = (text: string) =>
      database.write<Tables, unknown>((db) => db.insertInto('notes').values({ text }).execute())
    await database.write<unknown, unknown>((db) => sql`PRAGMA max_page_count = 8`.execute(db))
    const all = await Promise.allSettled(['small', 'x'.repeat(100_000), 'after'].map(insert))
    const rows = await database.reader<Tables>().selectFrom('notes').select('text').execute()
    const told = all.flatMap((one, i) => (one.status === 'fulfilled' ? [i] : []))
    expect(rows.map((row) => row.text)).toEqual(told.map((i) => ['small', '', 'after'][i]))
    expect(all[1]).toMatchObject({ reason: { code: 'metadata_unwritable' } })
    await insert('later')
    await database.close()
  })

  test('that is no SQLite file is refused with its path', () => {
    writeFileSync(file(), 'this is a text and not a database, '.repeat(100))
    expect(() => openSqlite(file())).toThrow(
      expect.objectContaining({ code: 'metadata_unreadable' }),
    )
  })
})
