// The rows of a file that a command reads for itself: checked by the contract like any other, kept
// in memory, and recorded nowhere.
import { duckdbParquetRows } from '../../adapters/duckdb/index.ts'
import type { Terminal } from '../../cli/index.ts'
import { count } from '../../cli/index.ts'
import {
  createMemoryCatalog,
  createMemoryQuarantine,
  createMemorySnapshots,
  ingestFile,
  type CompiledLabels,
  type CompiledSource,
  type Frame,
  type QuarantineEntry,
} from '../../data/index.ts'
import { systemClock } from '../../lib/clock.ts'
import { systemIds } from '../../lib/ids.ts'
import { byCommand } from './connection.ts'

export interface FileRows {
  /** In order of event time; rows of equal times in the file's order. */
  readonly frame: Frame
  /** The labels that the file carries; undefined where it has no column for them. */
  readonly labels: Frame | undefined
  readonly read: number
  readonly quarantined: number
  /** The first rows that were refused. */
  readonly refused: readonly QuarantineEntry[]
}

const REFUSED_SHOWN = 5

/** Reads a file of a source, with the labels of a column of its own where it has one. */
export async function readRows(
  path: string,
  source: CompiledSource,
  labels: CompiledLabels | undefined,
): Promise<FileRows> {
  const snapshots = createMemorySnapshots()
  const quarantine = createMemoryQuarantine()
  const report = await ingestFile(
    {
      path,
      source,
      ...(labels !== undefined && { labels, labelsOptional: true }),
      by: byCommand('read a file'),
    },
    {
      snapshots,
      quarantine,
      catalog: createMemoryCatalog(),
      parquet: duckdbParquetRows(),
      clock: systemClock,
      ids: systemIds,
    },
  )
  const labelRows = report.labelsSnapshot
  return {
    frame: await snapshots.read(report.snapshot.hash),
    labels:
      labelRows === undefined || labelRows.rows === 0
        ? undefined
        : await snapshots.read(labelRows.hash),
    read: report.read,
    quarantined: report.quarantined,
    refused: (await quarantine.list({}, { limit: REFUSED_SHOWN })).rows,
  }
}

/** Says which rows were left out and why; nothing where there are none. */
export function reportRefused({ err }: Terminal, rows: FileRows): void {
  const { quarantined, refused } = rows
  if (quarantined === 0) return
  const noun = quarantined === 1 ? 'row was' : 'rows were'
  err.line(err.style('yellow', `${count(quarantined)} ${noun} refused and left out:`))
  for (const { row, line, failures } of refused) {
    const [first] = failures
    const where = first?.column == null ? '' : ` ${first.column}:`
    err.line(`  row ${row} (line ${line}):${where} ${first?.message ?? ''}`)
  }
  const more = quarantined - refused.length
  if (more > 0) err.line(`  and ${count(more)} more`)
}
