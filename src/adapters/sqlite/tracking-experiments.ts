import { sql, type Kysely } from 'kysely'
import type { Experiment, ExperimentField, ExperimentStore } from '../../tracking/index.ts'
import type { SqliteDatabase } from './database.ts'
import { whereFilter, type FilterColumn } from './filter.ts'
import { deletedIs, ordered, pageAfter, pageFrom, places, type OrderColumn } from './keyset.ts'
import type { ExperimentRow, TrackingTables } from './tracking-tables.ts'
import { withoutNulls } from './values.ts'

export function experimentStore(database: SqliteDatabase): ExperimentStore {
  const read = () => database.reader<TrackingTables>()
  const write = database.write<TrackingTables, void>
  const one = async (column: 'id' | 'name', value: string) => {
    const rows = await read()
      .selectFrom('tracking_experiments')
      .selectAll()
      .where(column, '=', value)
      .execute()
    return (await withTags(read(), rows))[0]
  }
  const mark = (id: string, set: { deletedAtUs: number | null; wentAlong: 0 | 1 }) =>
    database.write<TrackingTables, number>(async (db) => {
      const counts: number[] = []
      for (const table of ['tracking_runs', 'tracking_models'] as const) {
        const update = db.updateTable(table).set(set).where('experimentId', '=', id)
        const marked =
          set.deletedAtUs === null
            ? update.where('wentAlong', '=', 1)
            : update.where('deletedAtUs', 'is', null)
        counts.push(Number((await marked.executeTakeFirstOrThrow()).numUpdatedRows))
      }
      return counts[0]
    })

  return {
    insertExperiment: ({ tags, deletedAtUs = null, artifactLocation = null, ...experiment }) =>
      write(async (db) => {
        const row: ExperimentRow = { ...experiment, deletedAtUs, artifactLocation }
        await db.insertInto('tracking_experiments').values(row).execute()
        await setTags(db, experiment.id, tags)
      }),
    updateExperiment: (id, change) =>
      write(async (db) => {
        await db.updateTable('tracking_experiments').set(change).where('id', '=', id).execute()
      }),
    setExperimentTags: (id, tags) => write((db) => setTags(db, id, tags)),
    deleteExperimentTag: (id, name) =>
      database.write<TrackingTables, boolean>(async (db) => {
        const result = await db
          .deleteFrom('tracking_experiment_tags')
          .where('experimentId', '=', id)
          .where('name', '=', name)
          .executeTakeFirstOrThrow()
        return result.numDeletedRows > 0n
      }),
    experiment: (id) => one('id', id),
    experimentByName: (name) => one('name', name),
    async experiments() {
      const rows = await read()
        .selectFrom('tracking_experiments')
        .selectAll()
        .where('deletedAtUs', 'is', null)
        .orderBy('createdAtUs')
        .orderBy('id')
        .execute()
      return withTags(read(), rows)
    },
    async searchExperiments({ filter = { all: [] }, deleted, order, limit, after }) {
      const columns = order.map(({ field, descending }): OrderColumn => {
        const { value } = columnOf(field)
        return field.of === 'tag'
          ? { value: tagOf(field.name), descending, isNullable: true }
          : { value, descending, isNullable: false }
      })
      const keys: readonly OrderColumn[] = [
        ...columns,
        { value: sql`e.createdAtUs`, descending: true, isNullable: false },
        { value: sql`e.id`, descending: false, isNullable: false },
      ]
      const { rows } = await sql<ExperimentRow & Record<string, string | number | null>>`
        SELECT e.*, ${places(keys)}
        FROM tracking_experiments AS e
        WHERE ${deletedIs(sql`e.deletedAtUs`, deleted)} AND ${whereFilter(filter, columnOf)}
          AND ${pageAfter(keys, after)}
        ORDER BY ${ordered(keys)} LIMIT ${limit + 1}`.execute(read())
      return pageFrom(rows, limit, keys.length, (page) => withTags(read(), page))
    },
    deleteContents: (id, atUs) => mark(id, { deletedAtUs: atUs, wentAlong: 1 }),
    restoreContents: (id) => mark(id, { deletedAtUs: null, wentAlong: 0 }),
  }
}

function columnOf(field: ExperimentField): FilterColumn {
  if (field.of === 'attribute') return { value: sql.ref(`e.${field.name}`) }
  return {
    value: sql`t.value`,
    holds: (condition) => sql`e.id IN (SELECT t.experimentId FROM tracking_experiment_tags AS t
      WHERE t.name = ${field.name} AND ${condition})`,
  }
}

function tagOf(name: string) {
  return sql`(SELECT t.value FROM tracking_experiment_tags AS t
    WHERE t.experimentId = e.id AND t.name = ${name})`
}

async function setTags(
  db: Kysely<TrackingTables>,
  experimentId: string,
  tags: Readonly<Record<string, string>>,
): Promise<void> {
  const rows = Object.entries(tags).map(([name, value]) => ({ experimentId, name, value }))
  if (rows.length > 0) await db.replaceInto('tracking_experiment_tags').values(rows).execute()
}

async function withTags(
  db: Kysely<TrackingTables>,
  rows: readonly ExperimentRow[],
): Promise<Experiment[]> {
  if (rows.length === 0) return []
  const ids = JSON.stringify(rows.map(({ id }) => id))
  const { rows: tags } = await sql<{ experimentId: string; name: string; value: string }>`
    SELECT * FROM tracking_experiment_tags
    WHERE experimentId IN (SELECT value FROM json_each(${ids}))`.execute(db)
  const byId = Map.groupBy(tags, ({ experimentId }) => experimentId)
  return rows.map(
    ({ id, name, createdAtUs, createdBy, updatedAtUs, deletedAtUs, artifactLocation }) => ({
      ...withoutNulls({
        id,
        name,
        createdAtUs,
        createdBy,
        updatedAtUs,
        deletedAtUs,
        artifactLocation,
      }),
      tags: Object.fromEntries((byId.get(id) ?? []).map((tag) => [tag.name, tag.value])),
    }),
  )
}
