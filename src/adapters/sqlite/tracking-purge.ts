import { sql, type Kysely } from 'kysely'
import type { PurgeStore } from '../../tracking/index.ts'
import type { SqliteDatabase } from './database.ts'
import type { TrackingTables } from './tracking-tables.ts'
import { toJson } from './values.ts'

const tables = {
  experiment: 'tracking_experiments',
  run: 'tracking_runs',
  'logged-model': 'tracking_models',
} as const

/** Deletion for good: what lies under a row goes before it. */
export function purgeStore(database: SqliteDatabase): PurgeStore {
  const read = () => database.reader<TrackingTables>()
  const write = database.write<TrackingTables, void>

  return {
    async deletedBefore(kind, us, { after = '', limit }) {
      const { rows } = await sql<{ id: string }>`SELECT id FROM ${sql.table(tables[kind])}
        WHERE deletedAtUs < ${us} AND id > ${after} ORDER BY id LIMIT ${limit}`.execute(read())
      return rows.map(({ id }) => id)
    },

    purgeRuns: (ids) =>
      write(async (db) => {
        const keys = sql`(SELECT key FROM tracking_runs WHERE id IN ${listed(ids)})`
        await sql`DELETE FROM tracking_history WHERE series IN
          (SELECT key FROM tracking_series WHERE runKey IN ${keys})`.execute(db)
        for (const table of ofRuns) {
          await sql`DELETE FROM ${sql.table(table)} WHERE runKey IN ${keys}`.execute(db)
        }
        await remove(db, 'tracking_runs', ids)
      }),

    purgeLoggedModels: (ids) =>
      write(async (db) => {
        const keys = sql`(SELECT key FROM tracking_models WHERE id IN ${listed(ids)})`
        for (const table of ofModels) {
          await sql`DELETE FROM ${sql.table(table)} WHERE modelKey IN ${keys}`.execute(db)
        }
        await remove(db, 'tracking_models', ids)
      }),

    purgeExperiments: (ids) =>
      database.write<TrackingTables, string[]>(async (db) => {
        const { rows } = await sql<{ id: string }>`
          SELECT id FROM tracking_experiments AS e WHERE id IN ${listed(ids)}
            AND NOT EXISTS (SELECT 1 FROM tracking_runs WHERE experimentId = e.id)
            AND NOT EXISTS (SELECT 1 FROM tracking_models WHERE experimentId = e.id)`.execute(db)
        const empty = rows.map(({ id }) => id)
        for (const table of ofExperiments) {
          await sql`DELETE FROM ${sql.table(table)} WHERE experimentId IN ${listed(empty)}`.execute(
            db,
          )
        }
        await remove(db, tables.experiment, empty)
        return empty
      }),
  }
}

const ofExperiments = ['tracking_experiment_tags', 'tracking_datasets', 'tracking_names']
const ofRuns = [
  'tracking_series',
  'tracking_params',
  'tracking_tags',
  'tracking_readings',
  'tracking_model_inputs',
  'tracking_model_outputs',
]
const ofModels = ['tracking_model_metrics', 'tracking_model_params', 'tracking_model_tags']

function listed(ids: readonly string[]) {
  return sql`(SELECT value FROM json_each(${toJson(ids)}))`
}

async function remove(db: Kysely<TrackingTables>, table: string, ids: readonly string[]) {
  await sql`DELETE FROM ${sql.table(table)} WHERE id IN ${listed(ids)}`.execute(db)
}
