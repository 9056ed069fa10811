import { conflictsOf } from './conflicts.ts'
import type { CompiledLabels, CompiledSource } from './contract.ts'
import { datasetIds } from './dataset.ts'
import { fail } from './errors.ts'
import { EventTable } from './event-table.ts'
import {
  startJob,
  storeTable,
  type IngestOptions,
  type IngestPorts,
  type Job,
  type OnIngestProgress,
} from './ingestion-job.ts'
import { inspectFile, type FileFormat, type FileInput } from './inputs.ts'
import { LabelTable } from './label-table.ts'
import type { SnapshotOrigin, SnapshotRecord } from './ports.ts'
import type { Profile } from './profile.ts'
import type { RuleCount } from './quarantine.ts'
import { readCsv, readNdjson, readParquet, readRecords, type Reading } from './readers.ts'
import type { RowTable } from './row-table.ts'

export interface IngestFileRequest extends IngestOptions {
  readonly path: string
  /** Found out from name and content unless given. */
  readonly format?: FileFormat
  readonly source: CompiledSource
  /** Labels that stand in a column of the file (their declaration has `from`). */
  readonly labels?: CompiledLabels
  /** Whether the file may lack the labels' column. Default: it may not. */
  readonly labelsOptional?: boolean
}

export interface IngestRecordsRequest extends IngestOptions {
  /** What made the rows, for people. */
  readonly name: string
  readonly records: Iterable<unknown> | AsyncIterable<unknown>
  readonly source: CompiledSource
  readonly labels?: CompiledLabels
  readonly labelsOptional?: boolean
}

export interface IngestLabelsRequest extends IngestOptions {
  readonly path: string
  readonly format?: FileFormat
  readonly labels: CompiledLabels
}

export interface IngestLabelRecordsRequest extends IngestOptions {
  readonly name: string
  readonly records: Iterable<unknown> | AsyncIterable<unknown>
  readonly labels: CompiledLabels
}

export interface IngestedSnapshot {
  readonly dataset: string
  readonly hash: string
  readonly rows: number
  readonly bytes: number
  readonly path: string | null
  /** Time of the first and last row: event time, or arrival time of labels on their own. */
  readonly fromUs: number | null
  readonly toUs: number | null
}

export interface IngestReport {
  readonly ingestion: string
  readonly dataset: string
  readonly read: number
  readonly accepted: number
  readonly quarantined: number
  readonly snapshot: IngestedSnapshot
  /** Where the file carried labels. */
  readonly labelsSnapshot?: IngestedSnapshot
  readonly quarantine: {
    /** Rows kept with their content; more were only counted if this is less than `quarantined`. */
    readonly stored: number
    readonly byRule: readonly RuleCount[]
  }
  readonly profile: Profile
  readonly labelsProfile?: Profile
}

/**
 * Reads a file of events: checks every row, sets the bad ones aside, stores the good ones as an
 * immutable snapshot in order of (event time, row), with the labels the file carries as a second
 * one, and records both. A row that contradicts an event accepted live before is a bad one. Either everything is recorded or nothing is; only quarantined rows are
 * kept when not one row was good (`no_row_accepted`).
 */
export async function ingestFile(
  request: IngestFileRequest,
  ports: IngestPorts,
  onProgress?: OnIngestProgress,
): Promise<IngestReport> {
  const input = await inspectFile(request.path, request.format)
  const { source, labels } = request
  const take = async (conflicting?: ReadonlySet<string>) => {
    const table = await openTable(request, ports, conflicting)
    const job = startJob(request, ports, source, originOf(input), onProgress, input.bytes)
    const read = await readFile(input, job.reading(table), ports)
    return { table, job, read }
  }
  let taken = await take()
  if (ports.accepted !== undefined && taken.table.accepted > 0) {
    const { frame } = taken.table.finish()
    const conflicting = await conflictsOf(source, frame, ports.accepted(source.name))
    // Rare, and a row goes to quarantine as it stands in the file: so the file is read once more.
    if (conflicting.size > 0) taken = await take(conflicting)
  }
  return finishEvents(taken.job, taken.table, taken.read, source, labels)
}

/** The same for events that come as objects, from a generator for example. */
export async function ingestRecords(
  request: IngestRecordsRequest,
  ports: IngestPorts,
  onProgress?: OnIngestProgress,
): Promise<IngestReport> {
  const { source, labels, name } = request
  const table = await openTable(request, ports)
  const job = startJob(request, ports, source, { kind: 'generator', name }, onProgress, 0)
  const read = await readRecords(name, request.records, job.reading(table))
  return finishEvents(job, table, read, source, labels)
}

/** Reads a file of labels that come on their own: event id, value, times, author. */
export async function ingestLabels(
  request: IngestLabelsRequest,
  ports: IngestPorts,
  onProgress?: OnIngestProgress,
): Promise<IngestReport> {
  const input = await inspectFile(request.path, request.format)
  const table = new LabelTable(request.labels)
  const job = startJob(request, ports, request.labels, originOf(input), onProgress, input.bytes)
  const read = await readFile(input, job.reading(table), ports)
  return finishLabels(job, table, read, request.labels)
}

/** The same for labels that come as objects. */
export async function ingestLabelRecords(
  request: IngestLabelRecordsRequest,
  ports: IngestPorts,
  onProgress?: OnIngestProgress,
): Promise<IngestReport> {
  const { labels, name } = request
  const table = new LabelTable(labels)
  const job = startJob(request, ports, labels, { kind: 'generator', name }, onProgress, 0)
  const read = await readRecords(name, request.records, job.reading(table))
  return finishLabels(job, table, read, labels)
}

/** What is appended must not repeat an id of the dataset; what replaces it may. */
async function openTable(
  { source, labels, labelsOptional, mode }: IngestFileRequest | IngestRecordsRequest,
  ports: IngestPorts,
  conflicting?: ReadonlySet<string>,
): Promise<EventTable> {
  const seen = mode === 'append' ? await datasetIds(source, ports) : undefined
  return new EventTable(source, { labels, labelsOptional, seen, conflicting })
}

function originOf(input: FileInput): SnapshotOrigin {
  return { kind: 'file', name: input.name, format: input.format, bytes: input.bytes }
}

function readFile(input: FileInput, reading: Reading, ports: IngestPorts): Promise<number> {
  switch (input.format) {
    case 'csv':
      return readCsv(input, reading)
    case 'ndjson':
      return readNdjson(input, reading)
    case 'parquet':
      if (ports.parquet === undefined) throw new Error('No engine was given to read Parquet.')
      return readParquet(input, reading, ports.parquet)
  }
}

async function finishEvents(
  job: Job,
  table: EventTable,
  read: number,
  source: CompiledSource,
  labels: CompiledLabels | undefined,
): Promise<IngestReport> {
  await requireRows(job, table, read)
  const events = table.finish()
  const labelled = table.finishLabels(events.frame)
  const record = await storeTable(job, events, source, read)
  const records = [record]
  if (labelled !== undefined && labels !== undefined) {
    records.push(await storeTable(job, labelled, labels, read))
  }
  return finish(job, read, table.accepted, records)
}

async function finishLabels(
  job: Job,
  table: LabelTable,
  read: number,
  labels: CompiledLabels,
): Promise<IngestReport> {
  await requireRows(job, table, read)
  const record = await storeTable(job, table.finish(), labels, read)
  return finish(job, read, table.accepted, [record])
}

/** A file without one good row must not replace a dataset; its rows are kept to be looked at. */
async function requireRows(job: Job, table: RowTable, read: number): Promise<void> {
  if (table.accepted > 0) return
  if (read === 0) throw fail.file_empty(`${job.origin.name} has a header but no rows.`)
  await job.refused.store(job.ports.quarantine)
  const [worst] = job.refused.byRule()
  throw fail.no_row_accepted(
    `None of the ${read} rows of ${job.origin.name} passed the contract. Most often: rule ` +
      `${worst.rule}${worst.column === null ? '' : ` of column ${worst.column}`} (${worst.rows} rows).`,
    { extra: { byRule: job.refused.byRule() } },
  )
}

/** Makes it count: quarantined rows first, so that no row can be lost between the two. */
async function finish(
  job: Job,
  read: number,
  accepted: number,
  records: readonly SnapshotRecord[],
): Promise<IngestReport> {
  await job.refused.store(job.ports.quarantine)
  await job.ports.catalog.record(records, job.by)
  const [record, labelsRecord] = records
  return {
    ingestion: job.ingestion,
    dataset: record.dataset,
    read,
    accepted,
    quarantined: job.refused.count,
    snapshot: snapshotOf(record),
    ...(labelsRecord === undefined
      ? {}
      : { labelsSnapshot: snapshotOf(labelsRecord), labelsProfile: labelsRecord.profile }),
    quarantine: { stored: job.refused.rows.length, byRule: job.refused.byRule() },
    profile: record.profile,
  }
}

export function snapshotOf(record: SnapshotRecord): IngestedSnapshot {
  const { dataset, hash, rows, bytes, path, fromUs, toUs } = record
  return { dataset, hash, rows, bytes, path, fromUs, toUs }
}
