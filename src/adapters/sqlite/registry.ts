import type {
  LivePeriod,
  ModelVersion,
  RegisteredModel,
  RegistryStore,
  VersionStatus,
} from '../../registry/index.ts'
import type { SqliteDatabase } from './database.ts'
import type { RoomMigrations } from './migrations.ts'
import { fromJson, toJson, withoutNulls } from './values.ts'

export const registryMigrations: RoomMigrations = {
  room: 'registry',
  migrations: [
    {
      version: 1,
      // The record is immutable and kept whole, as what its hash is of; only the status moves.
      sql: `
        CREATE TABLE registry_models (
          name TEXT PRIMARY KEY, project TEXT NOT NULL, createdAtUs INTEGER NOT NULL,
          createdBy TEXT NOT NULL) STRICT;
        CREATE TABLE registry_versions (
          model TEXT NOT NULL REFERENCES registry_models (name), version INTEGER NOT NULL,
          hash TEXT NOT NULL, record TEXT NOT NULL, status TEXT NOT NULL,
          statusReason TEXT NOT NULL, PRIMARY KEY (model, version)) STRICT;
        CREATE INDEX registry_versions_by_hash ON registry_versions (hash);
        CREATE TABLE registry_aliases (
          model TEXT NOT NULL REFERENCES registry_models (name), alias TEXT NOT NULL,
          version INTEGER NOT NULL, PRIMARY KEY (model, alias)) STRICT, WITHOUT ROWID;
        CREATE TABLE registry_live_periods (
          sequence INTEGER PRIMARY KEY, model TEXT NOT NULL, version INTEGER NOT NULL,
          policy TEXT NOT NULL, fromUs INTEGER NOT NULL, toUs INTEGER, startedBy TEXT NOT NULL,
          endedBy TEXT, FOREIGN KEY (model, version) REFERENCES registry_versions (model, version)
        ) STRICT;
        CREATE UNIQUE INDEX registry_one_live
          ON registry_live_periods (model, policy) WHERE toUs IS NULL;`,
    },
  ],
}

interface VersionRow {
  model: string
  version: number
  hash: string
  record: string
  status: VersionStatus
  statusReason: string
}

interface Tables {
  registry_models: RegisteredModel
  registry_versions: VersionRow
  registry_aliases: { model: string; alias: string; version: number }
  registry_live_periods: {
    sequence: number | undefined
    model: string
    version: number
    policy: string
    fromUs: number
    toUs: number | null
    startedBy: string
    endedBy: string | null
  }
}

export function createSqliteRegistryStore(database: SqliteDatabase): RegistryStore {
  const read = () => database.reader<Tables>()
  const write = database.write<Tables, unknown>
  const versionRows = () => read().selectFrom('registry_versions').selectAll()

  return {
    async insertModel(model) {
      await write((db) => db.insertInto('registry_models').values(model).execute())
    },
    model: (name) =>
      read().selectFrom('registry_models').selectAll().where('name', '=', name).executeTakeFirst(),
    models: () => read().selectFrom('registry_models').selectAll().orderBy('name').execute(),

    async insertVersion({ status, statusReason, ...record }) {
      const { model, version, hash } = record
      const row = { model, version, hash, record: toJson(record), status, statusReason }
      await write((db) => db.insertInto('registry_versions').values(row).execute())
    },
    async version(model, version) {
      const row = await versionRows()
        .where('model', '=', model)
        .where('version', '=', version)
        .executeTakeFirst()
      return row && versionOf(row)
    },
    async versions(model) {
      let rows = versionRows().orderBy('model').orderBy('version', 'desc')
      if (model !== undefined) rows = rows.where('model', '=', model)
      return (await rows.execute()).map(versionOf)
    },
    async versionByHash(hash) {
      const row = await versionRows().where('hash', '=', hash).limit(1).executeTakeFirst()
      return row && versionOf(row)
    },
    async setStatus(model, version, status, statusReason) {
      await write((db) =>
        db
          .updateTable('registry_versions')
          .set({ status, statusReason })
          .where('model', '=', model)
          .where('version', '=', version)
          .execute(),
      )
    },

    async setAlias(model, alias, version) {
      const row = { model, alias, version }
      await write((db) => db.replaceInto('registry_aliases').values(row).execute())
    },
    async aliases(model) {
      const rows = await read()
        .selectFrom('registry_aliases')
        .selectAll()
        .where('model', '=', model)
        .execute()
      return Object.fromEntries(rows.map((row) => [row.alias, row.version]))
    },

    async openLivePeriod({ toUs = null, endedBy = null, ...period }) {
      const row = { ...period, toUs, endedBy, sequence: undefined }
      await write((db) => db.insertInto('registry_live_periods').values(row).execute())
    },
    async closeLivePeriod(model, policy, toUs, endedBy) {
      await write((db) =>
        db
          .updateTable('registry_live_periods')
          .set({ toUs, endedBy })
          .where('model', '=', model)
          .where('policy', '=', policy)
          .where('toUs', 'is', null)
          .execute(),
      )
    },
    async livePeriods(model) {
      const rows = await read()
        .selectFrom('registry_live_periods')
        .selectAll()
        .where('model', '=', model)
        .orderBy('sequence')
        .execute()
      return rows.map(({ sequence: _, ...row }): LivePeriod => withoutNulls(row))
    },
  }
}

function versionOf({ record, status, statusReason }: VersionRow): ModelVersion {
  return {
    ...fromJson<Omit<ModelVersion, 'status' | 'statusReason'>>(record),
    status,
    statusReason,
  }
}
