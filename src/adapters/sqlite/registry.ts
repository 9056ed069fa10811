import { sql, type Kysely } from 'kysely'
import {
  recordOf,
  type AliasPeriod,
  type LivePeriod,
  type RegistryStore,
  type RunVersion,
  type VersionName,
} from '../../registry/index.ts'
import type { SqliteDatabase } from './database.ts'
import { versionOf, withLabels, withTags } from './registry-joins.ts'
import { searchModels, searchVersions } from './registry-search.ts'
import type { RegistryTables, VersionRow } from './registry-tables.ts'
import { toJson, withoutNulls } from './values.ts'

export { registryMigrations } from './registry-tables.ts'

type Db = Kysely<RegistryTables>

export function createSqliteRegistryStore(database: SqliteDatabase): RegistryStore {
  const read = () => database.reader<RegistryTables>()
  const write = (work: (db: Db) => Promise<unknown>): Promise<void> =>
    database.write<RegistryTables, void>(async (db) => {
      await work(db)
    })
  return {
    ...modelsOf(read, write),
    ...versionsOf(read, write),
    ...labelsOf(read, write),
    ...periodsOf(read, write),
    searchModels: (search, after) => searchModels(read(), search, after),
    searchVersions: (search, after) => searchVersions(read(), search, after),
  }
}

type Read = () => Db
type Write = (work: (db: Db) => Promise<unknown>) => Promise<void>

function modelsOf(read: Read, write: Write) {
  return {
    async insertModel({ tags, description, deletedAtUs, ...model }) {
      await write(async (db) => {
        const row = { ...model, description: description ?? null, deletedAtUs: deletedAtUs ?? null }
        await db.insertInto('registry_models').values(row).execute()
        const rows = Object.entries(tags).map(([key, value]) => ({ model: model.name, key, value }))
        if (rows.length > 0) await db.insertInto('registry_model_tags').values(rows).execute()
        await nameInUse(db, model.name, 0)
      })
    },
    async model(name) {
      const rows = await read()
        .selectFrom('registry_models')
        .selectAll()
        .where('name', '=', name)
        .execute()
      return (await withTags(read(), rows))[0]
    },
    async models(deleted) {
      let rows = read().selectFrom('registry_models').selectAll().orderBy('name')
      if (deleted !== 'with') rows = rows.where('deletedAtUs', 'is', null)
      return withTags(read(), await rows.execute())
    },
    async changeModel(name, change) {
      if (Object.keys(change).length === 0) return
      await write((db) =>
        db.updateTable('registry_models').set(change).where('name', '=', name).execute(),
      )
    },
    async setModelTag(model, key, value) {
      await write((db) =>
        value === undefined
          ? db
              .deleteFrom('registry_model_tags')
              .where('model', '=', model)
              .where('key', '=', key)
              .execute()
          : db.replaceInto('registry_model_tags').values({ model, key, value }).execute(),
      )
    },
    async renameModel(from, to) {
      await write(async (db) => {
        // Rows name each other, and all of them are right again only at the end.
        await sql`PRAGMA defer_foreign_keys = ON`.execute(db)
        await db.updateTable('registry_models').set({ name: to }).where('name', '=', from).execute()
        for (const table of [
          'registry_model_tags',
          'registry_versions',
          'registry_version_tags',
          'registry_alias_periods',
          'registry_live_periods',
        ] as const) {
          await db.updateTable(table).set({ model: to }).where('model', '=', from).execute()
        }
        const use = await useOf(db, from)
        await db.updateTable('registry_names').set({ now: to }).where('now', '=', from).execute()
        await nameInUse(db, to, use?.lastVersion ?? 0)
      })
    },
    async removeModel(name) {
      await write(async (db) => {
        await db.deleteFrom('registry_model_tags').where('model', '=', name).execute()
        await db.deleteFrom('registry_models').where('name', '=', name).execute()
      })
    },
    async nameUse(name) {
      const use = await useOf(read(), name)
      return use && { now: use.now, lastVersion: use.lastVersion }
    },
  } satisfies Partial<RegistryStore>
}

function versionsOf(read: Read, write: Write) {
  const rowsOf = () => read().selectFrom('registry_versions').selectAll()
  return {
    async insertVersion(version, { tags, description, deletedAtUs, ...labels }) {
      const { model, version: number, hash, status, statusReason } = version
      await write(async (db) => {
        const row = {
          model,
          version: number,
          hash,
          status,
          statusReason,
          ...labels,
          record: toJson({ ...recordOf(version), hash }),
          description: description ?? null,
          deletedAtUs: deletedAtUs ?? null,
          wasApproved: 0,
          declaration: version.build.declaration,
        }
        await db.insertInto('registry_versions').values(row).execute()
        const rows = Object.entries(tags).map(([key, value]) => ({
          model,
          version: number,
          key,
          value,
        }))
        if (rows.length > 0) await db.insertInto('registry_version_tags').values(rows).execute()
        await nameInUse(db, model, number)
      })
    },
    async version(model, version) {
      const row = await rowsOf()
        .where('model', '=', model)
        .where('version', '=', version)
        .executeTakeFirst()
      return row && versionOf(row)
    },
    async versions(model) {
      const rows = rowsOf()
        .where('model', '=', model)
        .where('deletedAtUs', 'is', null)
        .orderBy('version', 'desc')
      return (await rows.execute()).map(versionOf)
    },
    async trainedOn({ kind, name, hash }, most) {
      const { rows } = await sql<VersionName>`
        SELECT DISTINCT i.model, i.version
        FROM registry_inputs i CROSS JOIN registry_versions v USING (model, version)
        WHERE i.kind = ${kind} AND i.name = ${name}
          AND ${hash === undefined ? sql`TRUE` : sql`i.hash = ${hash}`}
          AND v.deletedAtUs IS NULL
        ORDER BY i.model, i.version DESC LIMIT ${most + 1}`.execute(read())
      return { versions: rows.slice(0, most), more: rows.length > most }
    },
    async registeredFrom(runIds) {
      const { rows } = await sql<RunVersion>`
        SELECT runId, model, version FROM (
          SELECT v.runId, v.model, v.version,
            row_number() OVER (PARTITION BY v.runId ORDER BY v.model, v.version DESC) AS place
          FROM registry_versions v
          WHERE v.runId IN (SELECT value FROM json_each(${toJson(runIds)}))
            AND v.deletedAtUs IS NULL)
        WHERE place = 1`.execute(read())
      return rows
    },
    async statusCounts(model) {
      let rows = read()
        .selectFrom('registry_versions')
        .select(({ fn }) => ['status', fn.countAll<number>().as('n')])
        .where('deletedAtUs', 'is', null)
        .groupBy('status')
      if (model !== undefined) rows = rows.where('model', '=', model)
      return Object.fromEntries((await rows.execute()).map(({ status, n }) => [status, n]))
    },
    async versionByHash(hash) {
      const row = await rowsOf().where('hash', '=', hash).limit(1).executeTakeFirst()
      return row && versionOf(row)
    },
    async setStatus(model, version, status, statusReason) {
      const approved = status === 'approved' || status === 'live'
      await write((db) =>
        db
          .updateTable('registry_versions')
          .set({ status, statusReason, ...(approved && { wasApproved: 1 }) })
          .where('model', '=', model)
          .where('version', '=', version)
          .execute(),
      )
    },
    async removable(beforeUs, limit) {
      return read()
        .selectFrom('registry_versions')
        .select(['model', 'version'])
        .where('deletedAtUs', '<', beforeUs)
        .where('wasApproved', '=', 0)
        .orderBy('model')
        .orderBy('version', 'desc')
        .limit(limit)
        .execute()
    },
    async emptyModels(beforeUs, limit) {
      const { rows } = await sql<{ name: string }>`
        SELECT name FROM registry_models AS m WHERE deletedAtUs < ${beforeUs}
          AND NOT EXISTS (SELECT 1 FROM registry_versions WHERE model = m.name)
        ORDER BY name LIMIT ${limit}`.execute(read())
      return rows.map(({ name }) => name)
    },
    async modelsNamed() {
      const { rows } = await sql<{ hash: string }>`
        SELECT DISTINCT record ->> 'modelHash' AS hash FROM registry_versions`.execute(read())
      return rows.map(({ hash }) => hash)
    },
    async dataNamed() {
      const { rows } = await sql<{ hash: string }>`
        SELECT DISTINCT s.value AS hash
        FROM registry_versions AS v, json_each(v.record, '$.build.snapshots') AS s`.execute(read())
      return rows.map(({ hash }) => hash)
    },
    async removeVersion(model, version) {
      await write(async (db) => {
        for (const table of ['registry_version_tags', 'registry_versions'] as const) {
          await db
            .deleteFrom(table)
            .where('model', '=', model)
            .where('version', '=', version)
            .execute()
        }
      })
    },
    async cameOf(source) {
      const rows = read().selectFrom('registry_versions').select('version').limit(1)
      const found =
        'runId' in source
          ? rows.where('runId', '=', source.runId)
          : rows.where('loggedModelId', '=', source.loggedModelId)
      return (await found.executeTakeFirst()) !== undefined
    },
  } satisfies Partial<RegistryStore>
}

function labelsOf(read: Read, write: Write) {
  return {
    async labelled(model, version) {
      const rows = await read()
        .selectFrom('registry_versions')
        .selectAll()
        .where('model', '=', model)
        .where('version', '=', version)
        .execute()
      return (await withLabels(read(), rows))[0]
    },
    async allLabelled(model, deleted) {
      let rows = read().selectFrom('registry_versions').selectAll()
      rows = rows.where('model', '=', model).orderBy('version', 'desc')
      if (deleted !== 'with') rows = rows.where('deletedAtUs', 'is', null)
      return withLabels(read(), await rows.execute())
    },
    async latestByStage(models) {
      const { rows } = await sql<VersionRow>`
        SELECT v.* FROM registry_versions v JOIN (
          SELECT model, stage, max(version) AS version FROM registry_versions
          WHERE deletedAtUs IS NULL
            AND model IN (SELECT value FROM json_each(${JSON.stringify(models)}))
          GROUP BY model, stage) newest USING (model, version)
        ORDER BY v.model, v.version DESC`.execute(read())
      return withLabels(read(), rows)
    },
    async changeLabels(model, version, change) {
      if (Object.keys(change).length === 0) return
      await write((db) =>
        db
          .updateTable('registry_versions')
          .set(change)
          .where('model', '=', model)
          .where('version', '=', version)
          .execute(),
      )
    },
    async setVersionTag(model, version, key, value) {
      await write((db) =>
        value === undefined
          ? db
              .deleteFrom('registry_version_tags')
              .where('model', '=', model)
              .where('version', '=', version)
              .where('key', '=', key)
              .execute()
          : db
              .replaceInto('registry_version_tags')
              .values({ model, version, key, value })
              .execute(),
      )
    },
  } satisfies Partial<RegistryStore>
}

function periodsOf(read: Read, write: Write) {
  const aliasRows = (model: string) =>
    read().selectFrom('registry_alias_periods').selectAll().where('model', '=', model)
  return {
    async openAlias({ toUs = null, endedBy = null, ...period }) {
      const row = { ...period, toUs, endedBy, sequence: undefined }
      await write((db) => db.insertInto('registry_alias_periods').values(row).execute())
    },
    async closeAlias(model, alias, toUs, endedBy) {
      await write((db) =>
        db
          .updateTable('registry_alias_periods')
          .set({ toUs, endedBy })
          .where('model', '=', model)
          .where('alias', '=', alias)
          .where('toUs', 'is', null)
          .execute(),
      )
    },
    async aliases(model) {
      const rows = await aliasRows(model).where('toUs', 'is', null).execute()
      return Object.fromEntries(rows.map(({ alias, version }) => [alias, version]))
    },
    async aliasPeriods(model) {
      const rows = await aliasRows(model).orderBy('sequence').execute()
      return rows.map(({ sequence: _, ...row }): AliasPeriod => withoutNulls(row))
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
  } satisfies Partial<RegistryStore>
}

function useOf(db: Db, name: string) {
  return db.selectFrom('registry_names').selectAll().where('name', '=', name).executeTakeFirst()
}

/** The name is what its model is called now, and numbers up to this one are given. */
async function nameInUse(db: Db, name: string, version: number): Promise<void> {
  const lastVersion = Math.max(version, (await useOf(db, name))?.lastVersion ?? 0)
  await db.replaceInto('registry_names').values({ name, now: name, lastVersion }).execute()
}
