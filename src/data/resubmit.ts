import type { ChangeBy } from '../access/index.ts'
import { conflictsOf } from './conflicts.ts'
import type { CompiledLabels, CompiledSource } from './contract.ts'
import { createCsvReader } from './csv.ts'
import { datasetIds } from './dataset.ts'
import { fail } from './errors.ts'
import { EventTable } from './event-table.ts'
import { failure, rules, type Failure } from './failures.ts'
import { snapshotOf, type IngestedSnapshot } from './ingest.ts'
import { startJob, storeTable, type IngestPorts } from './ingestion-job.ts'
import { LabelTable } from './label-table.ts'
import type { CorrectableCatalog, QuarantineEntry } from './ports.ts'
import { parseJson } from './readers.ts'
import type { RowTable } from './row-table.ts'

/** A quarantined row as it should have been: the line, or the row as a JSON object. */
export type Correction =
  | { readonly id: string; readonly raw: string }
  | { readonly id: string; readonly body: unknown }

export interface ResubmitRequest {
  /** At most 1,000, all of one dataset. */
  readonly corrections: readonly Correction[]
  /** The dataset's contract as it is now; it may be another version than the one that refused. */
  readonly contract: CompiledSource | CompiledLabels
  /** Labels that stand in a column of the source's files. */
  readonly labels?: CompiledLabels
  readonly by: ChangeBy
}

export interface ResubmitReport {
  readonly ingestion: string
  readonly accepted: number
  readonly snapshot: IngestedSnapshot
  readonly labelsSnapshot?: IngestedSnapshot
}

/** What an ingestion needs, with a catalogue that takes rows in and closes them at once. */
export type ResubmitPorts = IngestPorts & { readonly catalog: CorrectableCatalog }

const correctionsMax = 1000

/**
 * Takes corrected rows into their dataset as a small snapshot of their own, and marks them resolved
 * with a link to it; earlier snapshots stay as they are. Every row must pass, and its id must be
 * new to the dataset: else `resubmission_failed` lists what is wrong with each, and nothing changes.
 */
export async function resubmit(
  request: ResubmitRequest,
  ports: ResubmitPorts,
): Promise<ResubmitReport> {
  const { corrections, contract, by } = request
  const entries = await openEntries(
    corrections.map(({ id }) => id),
    contract,
    ports,
  )
  const table = await tableOf(request, ports)
  takeAll(table, corrections, entries)
  if (contract.kind !== 'labels' && ports.accepted !== undefined) {
    const { frame } = table.finish()
    const conflicting = await conflictsOf(contract, frame, ports.accepted(contract.name))
    // Taken once more, each row is told what it contradicts.
    if (conflicting.size > 0) {
      takeAll(await tableOf(request, ports, conflicting), corrections, entries)
    }
  }

  const origin = { kind: 'resubmission' as const, name: `${corrections.length} corrected rows` }
  const job = startJob({ by, mode: 'append' }, ports, contract, origin, undefined, 0)
  const finished = table.finish()
  const records = [await storeTable(job, finished, contract, corrections.length)]
  if (table instanceof EventTable && request.labels !== undefined) {
    const labelled = table.finishLabels(finished.frame)
    if (labelled !== undefined) {
      records.push(await storeTable(job, labelled, request.labels, corrections.length))
    }
  }
  const [record, labelsRecord] = records
  const ids = entries.map(({ id }) => id)
  const corrected = { ids, snapshot: record.hash, atUs: ports.clock.nowUs() }
  await ports.catalog.recordCorrected(records, corrected, by)
  return {
    ingestion: job.ingestion,
    accepted: table.accepted,
    snapshot: snapshotOf(record),
    ...(labelsRecord === undefined ? {} : { labelsSnapshot: snapshotOf(labelsRecord) }),
  }
}

async function tableOf(
  { contract, labels }: ResubmitRequest,
  ports: IngestPorts,
  conflicting?: ReadonlySet<string>,
): Promise<EventTable | LabelTable> {
  if (contract.kind === 'labels') return new LabelTable(contract)
  const seen = await datasetIds(contract, ports)
  return new EventTable(contract, { labels, labelsOptional: true, seen, conflicting })
}

/** Closes quarantined rows that will not be mended. Returns how many were open. */
export function dismiss(
  ids: readonly string[],
  by: ChangeBy,
  ports: Pick<IngestPorts, 'quarantine' | 'clock'>,
): Promise<number> {
  const resolution = { status: 'dismissed' as const, snapshot: null, atUs: ports.clock.nowUs() }
  return ports.quarantine.resolve(ids, resolution, by)
}

async function openEntries(
  ids: readonly string[],
  contract: CompiledSource | CompiledLabels,
  ports: IngestPorts,
): Promise<QuarantineEntry[]> {
  if (ids.length === 0 || ids.length > correctionsMax) {
    throw fail.resubmission_failed(`Send 1 to ${correctionsMax} corrected rows, not ${ids.length}.`)
  }
  const entries = await ports.quarantine.get(ids)
  const known = new Set(entries.map(({ id }) => id))
  const missing = ids.find((id) => !known.has(id))
  if (missing !== undefined || known.size < ids.length) {
    throw fail.quarantine_not_found(
      missing === undefined
        ? 'A row was sent twice; send each quarantined row once.'
        : `No quarantined row has the id ${JSON.stringify(missing)}.`,
    )
  }
  for (const { id, status, dataset } of entries) {
    if (dataset !== contract.name) {
      throw fail.quarantine_not_found(`Row ${id} belongs to ${dataset}, not to ${contract.name}.`)
    }
    if (status !== 'open') throw fail.quarantine_not_open(`Row ${id} is already ${status}.`)
  }
  return entries
}

function takeAll(
  table: RowTable,
  corrections: readonly Correction[],
  entries: readonly QuarantineEntry[],
): void {
  const failed: { id: string; failures: readonly Failure[] }[] = []
  corrections.forEach((correction, index) => {
    const failures = takeOne(table, correction, entries[index])
    if (failures !== undefined) failed.push({ id: correction.id, failures })
  })
  if (failed.length === 0) return
  const first = failed[0]
  throw fail.resubmission_failed(
    `${failed.length} of ${corrections.length} rows still fail. ${first.id}: ` +
      first.failures.map(({ message }) => message).join(' '),
    { extra: { failures: failed } },
  )
}

function takeOne(
  table: RowTable,
  correction: Correction,
  entry: QuarantineEntry,
): readonly Failure[] | undefined {
  if ('body' in correction) return table.object(correction.body, entry.row)
  if (entry.header.length === 0) {
    const parsed = parseJson(correction.raw)
    return 'failures' in parsed ? parsed.failures : table.object(parsed.value, entry.row)
  }
  table.header(entry.header, entry.input)
  return takeLine(table, correction.raw, entry.row)
}

function takeLine(table: RowTable, raw: string, row: number): readonly Failure[] | undefined {
  let taken = 0
  let failures: readonly Failure[] | undefined
  const reader = createCsvReader({
    record(record) {
      if (taken++ === 0) failures = table.record(record, row)
    },
    fault({ rule }) {
      taken++
      failures = [failure(null, rule, null, rules[rule])]
    },
  })
  reader.push(Buffer.from(raw))
  reader.end()
  if (taken === 1) return failures
  return [failure(null, 'field_count', null, `Send one row, not ${taken}.`)]
}
