import type { AccessStore, Identity, Role, StoredKey } from '../../access/index.ts'
import type { SqliteDatabase } from './database.ts'
import type { RoomMigrations } from './migrations.ts'
import { fromJson, toJson, withoutNulls } from './values.ts'

export const accessMigrations: RoomMigrations = {
  room: 'access',
  migrations: [
    {
      version: 1,
      sql: `
        CREATE TABLE access_identities (
          id TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, roles TEXT NOT NULL,
          createdAtUs INTEGER NOT NULL) STRICT;
        CREATE TABLE access_keys (
          id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE,
          identityId TEXT NOT NULL REFERENCES access_identities (id), name TEXT NOT NULL,
          createdAtUs INTEGER NOT NULL, lastUsedAtUs INTEGER, revokedAtUs INTEGER) STRICT;
        CREATE TABLE access_links (
          hash TEXT PRIMARY KEY, identityId TEXT NOT NULL REFERENCES access_identities (id),
          expiresAtUs INTEGER NOT NULL, usedAtUs INTEGER) STRICT;
        CREATE TABLE access_sessions (
          hash TEXT PRIMARY KEY, identityId TEXT NOT NULL REFERENCES access_identities (id),
          createdAtUs INTEGER NOT NULL, expiresAtUs INTEGER NOT NULL) STRICT;`,
    },
    { version: 2, sql: 'ALTER TABLE access_sessions ADD COLUMN keyId TEXT' },
  ],
}

interface Tables {
  access_identities: Omit<Identity, 'roles'> & { roles: string }
  access_keys: {
    id: string
    hash: string
    identityId: string
    name: string
    createdAtUs: number
    lastUsedAtUs: number | null
    revokedAtUs: number | null
  }
  access_links: { hash: string; identityId: string; expiresAtUs: number; usedAtUs: number | null }
  access_sessions: {
    hash: string
    identityId: string
    keyId: string | null
    createdAtUs: number
    expiresAtUs: number
  }
}

export function createSqliteAccessStore(database: SqliteDatabase): AccessStore {
  const read = () => database.reader<Tables>()
  const write = database.write<Tables, unknown>
  const keyWhere = async (column: 'id' | 'hash', value: string) => {
    const row = await read()
      .selectFrom('access_keys')
      .selectAll()
      .where(column, '=', value)
      .executeTakeFirst()
    return row && keyOf(row)
  }

  return {
    async insertIdentity(identity) {
      const row = { ...identity, roles: toJson(identity.roles) }
      await write((db) => db.insertInto('access_identities').values(row).execute())
    },
    async setRoles(id, roles) {
      await write((db) =>
        db
          .updateTable('access_identities')
          .set({ roles: toJson(roles) })
          .where('id', '=', id)
          .execute(),
      )
    },
    async identity(id) {
      const row = await read()
        .selectFrom('access_identities')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst()
      return row && identityOf(row)
    },
    async identities() {
      const rows = await read()
        .selectFrom('access_identities')
        .selectAll()
        .orderBy('createdAtUs')
        .orderBy('id')
        .execute()
      return rows.map(identityOf)
    },

    async insertKey({ lastUsedAtUs = null, revokedAtUs = null, ...key }) {
      const row = { ...key, lastUsedAtUs, revokedAtUs }
      await write((db) => db.insertInto('access_keys').values(row).execute())
    },
    key: (id) => keyWhere('id', id),
    keyByHash: (hash) => keyWhere('hash', hash),
    async keys() {
      const rows = await read()
        .selectFrom('access_keys')
        .selectAll()
        .orderBy('createdAtUs')
        .orderBy('id')
        .execute()
      return rows.map(keyOf)
    },
    async setKeyRevoked(id, revokedAtUs) {
      await write((db) =>
        db.updateTable('access_keys').set({ revokedAtUs }).where('id', '=', id).execute(),
      )
    },
    async setKeyUsed(id, lastUsedAtUs) {
      await write((db) =>
        db.updateTable('access_keys').set({ lastUsedAtUs }).where('id', '=', id).execute(),
      )
    },

    async insertLink({ usedAtUs = null, ...link }) {
      await write((db) =>
        db
          .insertInto('access_links')
          .values({ ...link, usedAtUs })
          .execute(),
      )
    },
    async link(hash) {
      const row = await read()
        .selectFrom('access_links')
        .selectAll()
        .where('hash', '=', hash)
        .executeTakeFirst()
      return row && withoutNulls(row)
    },
    async useLink(hash, usedAtUs) {
      const [result] = await database.write<Tables, { numUpdatedRows: bigint }[]>((db) =>
        db
          .updateTable('access_links')
          .set({ usedAtUs })
          .where('hash', '=', hash)
          .where('usedAtUs', 'is', null)
          .execute(),
      )
      return result?.numUpdatedRows === 1n
    },

    async insertSession({ keyId = null, ...session }) {
      const row = { ...session, keyId }
      await write((db) => db.insertInto('access_sessions').values(row).execute())
    },
    async session(hash) {
      const row = await read()
        .selectFrom('access_sessions')
        .selectAll()
        .where('hash', '=', hash)
        .executeTakeFirst()
      return row && withoutNulls(row)
    },
    async sessions() {
      const rows = await read()
        .selectFrom('access_sessions')
        .selectAll()
        .orderBy('createdAtUs')
        .execute()
      return rows.map((row) => withoutNulls(row))
    },
    async deleteSession(hash) {
      await write((db) => db.deleteFrom('access_sessions').where('hash', '=', hash).execute())
    },
    async deleteSessionsOf(identityId) {
      await write((db) =>
        db.deleteFrom('access_sessions').where('identityId', '=', identityId).execute(),
      )
    },
    async deleteSessionsOfKey(keyId) {
      await write((db) => db.deleteFrom('access_sessions').where('keyId', '=', keyId).execute())
    },
    async deleteExpired(beforeUs) {
      await write(async (db) => {
        await db.deleteFrom('access_sessions').where('expiresAtUs', '<', beforeUs).execute()
        await db.deleteFrom('access_links').where('expiresAtUs', '<', beforeUs).execute()
      })
    },
  }
}

function identityOf(row: Tables['access_identities']): Identity {
  return { ...row, roles: fromJson<Role[]>(row.roles) }
}

function keyOf(row: Tables['access_keys']): StoredKey {
  return withoutNulls(row)
}
