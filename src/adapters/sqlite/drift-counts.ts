import { sql } from 'kysely'
import type { DriftCount, DriftCountStore } from '../../monitoring/index.ts'
import type { SqliteDatabase } from './database.ts'
import type { RoomMigrations } from './migrations.ts'
import { fromJson, toJson } from './values.ts'

export const monitoringMigrations: RoomMigrations = {
  room: 'monitoring',
  migrations: [
    {
      version: 1,
      sql: `
        CREATE TABLE monitoring_drift_counts (
          namespace TEXT NOT NULL, policy TEXT NOT NULL, reference TEXT NOT NULL,
          columnName TEXT NOT NULL, startUs INTEGER NOT NULL, counts TEXT NOT NULL,
          total REAL NOT NULL,
          PRIMARY KEY (namespace, policy, reference, columnName, startUs)) STRICT, WITHOUT ROWID;
        CREATE TABLE monitoring_drift_positions (
          namespace TEXT PRIMARY KEY, sequence INTEGER NOT NULL) STRICT, WITHOUT ROWID;`,
    },
  ],
}

interface CountColumns {
  namespace: string
  policy: string
  reference: string
  columnName: string
  startUs: number
  counts: string
  total: number
}

export function createSqliteDriftCounts(database: SqliteDatabase): DriftCountStore {
  return {
    async position(namespace) {
      const result = await sql<{ sequence: number }>`
        SELECT sequence FROM monitoring_drift_positions WHERE namespace = ${namespace}`.execute(
        database.reader(),
      )
      return result.rows[0]?.sequence ?? 0
    },
    async add(namespace, counts, through) {
      await database.write<unknown, void>(async (db) => {
        for (const added of counts) {
          const { policy, reference, column, startUs } = added
          const found = await sql<CountColumns>`
            SELECT counts, total FROM monitoring_drift_counts
            WHERE namespace = ${namespace} AND policy = ${policy} AND reference = ${reference}
              AND columnName = ${column} AND startUs = ${startUs}`.execute(db)
          const before = found.rows[0]
          const known = before === undefined ? [] : fromJson<number[]>(before.counts)
          const sums = added.counts.map((count, bin) => count + (known[bin] ?? 0))
          await sql`INSERT OR REPLACE INTO monitoring_drift_counts VALUES (${namespace}, ${policy},
            ${reference}, ${column}, ${startUs}, ${toJson(sums)},
            ${(before?.total ?? 0) + added.sum})`.execute(db)
        }
        await sql`INSERT OR REPLACE INTO monitoring_drift_positions
          VALUES (${namespace}, ${through})`.execute(db)
      })
    },
    async counts({ namespace, policy, reference, fromUs, untilUs }) {
      const result = await sql<CountColumns>`
        SELECT * FROM monitoring_drift_counts
        WHERE namespace = ${namespace} AND policy = ${policy} AND reference = ${reference}
          AND startUs >= ${fromUs} AND startUs < ${untilUs}
        ORDER BY columnName, startUs`.execute(database.reader())
      return result.rows.map(countOf)
    },
  }
}

function countOf({ columnName, counts, total, ...row }: CountColumns): DriftCount {
  return { ...row, column: columnName, counts: fromJson<number[]>(counts), sum: total }
}
