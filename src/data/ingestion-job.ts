import type { ChangeBy } from '../access/index.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { AcceptedEvent } from './conflicts.ts'
import type { CompiledLabels, CompiledSource } from './contract.ts'
import { numbersOf } from './frame.ts'
import type {
  DatasetCatalog,
  ParquetRows,
  QuarantineStore,
  SnapshotOrigin,
  SnapshotRecord,
  SnapshotStore,
} from './ports.ts'
import { profileFrame, type ProfileOptions } from './profile.ts'
import { QuarantineBatch } from './quarantine.ts'
import type { Reading } from './readers.ts'
import type { FinishedTable, RowTable } from './row-table.ts'
import { partStarts } from './versions-parts.ts'

export interface IngestPorts {
  readonly snapshots: SnapshotStore
  readonly catalog: DatasetCatalog
  readonly quarantine: QuarantineStore
  /** Needed for Parquet files only. */
  readonly parquet?: ParquetRows
  /** The events of a source that live doors accepted: rows that contradict one are refused. */
  readonly accepted?: (source: string) => AsyncIterable<AcceptedEvent>
  readonly clock: Clock
  readonly ids: Ids
}

/** What every kind of ingestion takes. */
export interface IngestOptions {
  readonly by: ChangeBy
  /** `replace` (default) starts the dataset's content anew, `append` adds to it. */
  readonly mode?: 'replace' | 'append'
  /** Most rows that are taken: 20 million unless given. */
  readonly rowsMax?: number
}

export interface IngestProgress {
  readonly read: number
  readonly accepted: number
  readonly quarantined: number
  /** Bytes of the file, as it is on disk; 0 where there is no file. */
  readonly bytesRead: number
  readonly bytesTotal: number
}

export type OnIngestProgress = (progress: IngestProgress) => void

const rowsMaxDefault = 20_000_000

/** One ingestion under way: who wants it, where its rows come from and go. */
export interface Job {
  readonly ingestion: string
  readonly mode: 'replace' | 'append'
  readonly by: ChangeBy
  readonly origin: SnapshotOrigin
  readonly ports: IngestPorts
  readonly refused: QuarantineBatch
  reading(table: RowTable): Reading
}

export function startJob(
  options: IngestOptions,
  ports: IngestPorts,
  contract: CompiledSource | CompiledLabels,
  origin: SnapshotOrigin,
  onProgress: OnIngestProgress | undefined,
  bytesTotal: number,
): Job {
  const ingestion = ports.ids('ing')
  const refused = new QuarantineBatch({
    dataset: contract.name,
    ingestion,
    input: origin.name,
    contractVersion: contract.version,
    quarantinedAtUs: ports.clock.nowUs(),
  })
  return {
    ingestion,
    mode: options.mode ?? 'replace',
    by: options.by,
    origin,
    ports,
    refused,
    reading: (table) => ({
      table,
      refused,
      rowsMax: options.rowsMax ?? rowsMaxDefault,
      onProgress: ({ read, bytesRead }) =>
        onProgress?.({
          read,
          accepted: table.accepted,
          quarantined: refused.count,
          bytesRead,
          bytesTotal,
        }),
    }),
  }
}

/** Writes accepted rows as a snapshot; it counts only once the record is in the catalogue. */
export async function storeTable(
  job: Job,
  table: FinishedTable,
  contract: CompiledSource | CompiledLabels,
  read: number,
): Promise<SnapshotRecord> {
  const { frame, schema, fromUs, toUs } = table
  const parts = partStarts(numbersOf(frame, orderColumn(contract)), granularityOf(contract))
  const stored = await job.ports.snapshots.write(frame, schema, { parts })
  const profile = profileFrame(frame, schema, profileOptions(contract))
  return {
    dataset: contract.name,
    kind: contract.kind,
    hash: stored.hash,
    mode: job.mode,
    contract,
    rows: frame.rows,
    bytes: stored.bytes,
    path: stored.path,
    fromUs,
    toUs,
    origin: job.origin,
    ingestion: job.ingestion,
    counts: { read, accepted: frame.rows, quarantined: job.refused.count },
    profile,
    recordedAtUs: job.ports.clock.nowUs(),
  }
}

/** The column by which a dataset's rows stand in order, and are cut into parts. */
export function orderColumn(contract: CompiledSource | CompiledLabels): string {
  return contract.kind === 'labels' ? 'arrival_time' : contract.eventTime
}

function granularityOf(contract: CompiledSource | CompiledLabels) {
  return contract.kind === 'labels' ? undefined : contract.parts
}

/** What a profile must know of a contract: its time, its zone, and what is personal. */
function profileOptions(contract: CompiledSource | CompiledLabels): ProfileOptions {
  const { timeZone } = contract
  if (contract.kind === 'labels') return { eventTime: 'event_time', timeZone }
  const personal = new Set(
    contract.columns.filter((column) => column.personal).map((column) => column.name),
  )
  return { eventTime: contract.eventTime, timeZone, personal, unique: contract.id }
}
