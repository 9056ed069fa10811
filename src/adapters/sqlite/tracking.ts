import type { TrackingStore } from '../../tracking/index.ts'
import type { SqliteDatabase } from './database.ts'
import { experimentStore } from './tracking-experiments.ts'
import { createSqliteFileStore } from './tracking-files.ts'
import { historyStore } from './tracking-history.ts'
import { loggedModelStore } from './tracking-models.ts'
import { purgeStore } from './tracking-purge.ts'
import { runStore } from './tracking-runs.ts'
import { searchStore } from './tracking-search.ts'

export { trackingMigrations } from './tracking-tables.ts'

/**
 * Experiments, runs and logged models in SQLite. What every client's every batch passes through
 * runs on prepared statements; what people do now and then is written with Kysely.
 */
export function createSqliteTrackingStore(database: SqliteDatabase): TrackingStore {
  return {
    ...experimentStore(database),
    ...runStore(database),
    ...historyStore(database),
    ...searchStore(database),
    ...loggedModelStore(database),
    ...purgeStore(database),
    files: createSqliteFileStore(database),
  }
}
