/**
 * DuckDB: snapshots as Parquet files, what differs between versions of them, Parquet files as rows,
 * tables of pipeline steps, and features of the past. DuckDB runs in memory only, with its memory and threads capped, and is asked for storage and exact arithmetic,
 * never for floats whose order matters.
 */
export { duckdbSnapshots, type DuckdbSnapshotsOptions } from './snapshots.ts'
export { duckdbDifferences } from './differences.ts'
export { duckdbHistoryEngine } from './feature-history.ts'
export { duckdbParquetRows } from './parquet-rows.ts'
export { readTableFile } from './table-file.ts'
export type { DatabaseLimits } from './database.ts'
export { openDayTables } from './day-tables.ts'
export { writeParquet } from './write-parquet.ts'
export { writeFrame } from './write-frame.ts'
export { duckdbStepTables } from './step-tables.ts'
export { csvToParquet, type CsvColumn } from './csv-to-parquet.ts'
export {
  eventsInOrder,
  type EventFiles,
  type EventsInOrderRequest,
  type OrderedEvents,
} from './events-in-order.ts'
