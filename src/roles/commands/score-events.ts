// The events that `assay score` is asked about, among those that the home knows: checked by the
// contract, put aside on disk, and read back in order, so that no file has to fit into memory.
import { appendFile, mkdir, rm } from 'node:fs/promises'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import {
  duckdbParquetRows,
  duckdbSnapshots,
  eventsInOrder,
  type EventFiles,
} from '../../adapters/duckdb/index.ts'
import {
  columnOf,
  dataErrors,
  readEventBlocks,
  readParts,
  textAt,
  type CompiledLabels,
  type CompiledSource,
  type DatasetVersionDetail,
  type Frame,
  type RefusedEvent,
  type SnapshotInfo,
  type SnapshotRecord,
  type SnapshotStore,
} from '../../data/index.ts'
import type { SourceEvents } from '../../features/index.ts'
import { eventsOf, knownLabels, type KnownLabels } from '../../pipelines/index.ts'
import type { RefusedRow } from './batch-run.ts'
import type { Kept } from './connection.ts'
import { snapshotsOf } from './engines.ts'

/** Accepted rows that are put aside together. */
const BLOCK_ROWS = 200_000
const LIMITS = { memory: '1GB', threads: 2 }

/** What is to be scored. */
export interface AskedEvents {
  /** As snapshots, oldest first. */
  readonly parts: readonly SnapshotInfo[]
  readonly snapshots: Pick<SnapshotStore, 'read'>
  readonly rows: number
  /** Whether an event may be in two of the parts. */
  readonly mayRepeat: boolean
  readonly labels: readonly KnownLabels[]
  readonly refused: number
  /** Those that are refused, behind the first `from`. */
  refusals(from: number): AsyncIterable<readonly RefusedRow[]>
}

export interface FileToScore {
  readonly path: string
  readonly source: CompiledSource
  /** Of a column that the file may have. */
  readonly labels: CompiledLabels | undefined
  /** Whether features look at them. */
  readonly keepsLabels: boolean
  /** An own folder for what is put aside; it is emptied first. */
  readonly folder: string
}

/** Checks the rows of a file and puts them aside. Errors: those of `readEventBlocks`. */
export async function askedOfFile(file: FileToScore): Promise<AskedEvents> {
  const { path, source, labels: declared, keepsLabels, folder } = file
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const snapshots = duckdbSnapshots({ directory: folder, ...LIMITS })
  const refusals = join(folder, 'refused.ndjson')
  const parts: SnapshotInfo[] = []
  const labels: KnownLabels[] = []
  let rows = 0
  let refused = 0
  await readEventBlocks(
    {
      path,
      source,
      labels: declared,
      rows: BLOCK_ROWS,
      async take({ events, labels: told }) {
        parts.push(await snapshots.write(events.frame, events.schema))
        rows += events.frame.rows
        if (declared !== undefined && keepsLabels && told !== undefined) {
          labels.push(knownLabels(declared, told.frame))
        }
      },
      async refuse(events) {
        refused += events.length
        const lines = events.map((each) => `${JSON.stringify(refusalOf(each))}\n`)
        await appendFile(refusals, lines.join(''))
      },
    },
    duckdbParquetRows(LIMITS),
  )
  return {
    parts,
    snapshots,
    rows,
    mayRepeat: false,
    labels,
    refused,
    refusals: (from) => (refused > from ? linesOf(refusals, from) : noRefusals()),
  }
}

/** The rows of a version of a dataset, which were checked when they came. */
export async function askedOfVersion(
  { parts }: DatasetVersionDetail,
  { home }: Pick<Kept, 'home'>,
): Promise<AskedEvents> {
  const found = await presentSnapshots(parts, home)
  return {
    parts: found,
    snapshots: snapshotsOf(home),
    rows: found.reduce((sum, each) => sum + each.rows, 0),
    mayRepeat: found.length > 1,
    labels: [],
    refused: 0,
    refusals: noRefusals,
  }
}

async function* noRefusals(): AsyncGenerator<readonly RefusedRow[]> {}

const REFUSALS_AT_ONCE = 1000

async function* linesOf(path: string, from: number): AsyncGenerator<readonly RefusedRow[]> {
  let rows: RefusedRow[] = []
  let at = 0
  for await (const line of createInterface({ input: createReadStream(path) })) {
    if (at++ < from) continue
    rows.push(JSON.parse(line) as RefusedRow)
    if (rows.length < REFUSALS_AT_ONCE) continue
    yield rows
    rows = []
  }
  if (rows.length > 0) yield rows
}

function refusalOf({ row, line, raw, failures }: RefusedEvent): RefusedRow {
  const columns = failures.flatMap(({ column }) => column ?? [])
  return {
    row,
    line,
    column: columns.length === 0 ? null : columns.join(', '),
    reason: failures.map(({ message }) => message).join(' '),
    raw,
  }
}

/** Some events in the order in which they are taken in, and which of them are asked about. */
export interface Among {
  readonly events: SourceEvents
  isAsked(row: number): boolean
}

/**
 * The home's events with those that are asked about, which stand for what the home knows of the same
 * ids: it is one event, not two. In pieces by event time; of a source that says when rows arrived all at
 * once, because there the order is another.
 */
export async function* eventsAmong(
  asked: AskedEvents,
  source: CompiledSource,
  known: readonly SnapshotRecord[],
  { home, folder }: { readonly home: Kept['home']; readonly folder: string },
): AsyncGenerator<Among> {
  if (source.arrivalTime !== undefined) {
    yield await allAtOnce(asked, source, known, home)
    return
  }
  const past = await presentSnapshots(known, home)
  const files = (of: readonly SnapshotInfo[], mayRepeat: boolean): EventFiles => ({
    files: of.flatMap(({ parts, schema }) => parts.map(({ path }) => ({ path: path!, schema }))),
    mayRepeat,
  })
  const spillDirectory = join(folder, 'spill')
  const pieces = eventsInOrder(
    {
      source,
      past: files(past, past.length > 1),
      own: files(asked.parts, asked.mayRepeat),
    },
    { ...LIMITS, spillDirectory },
  )
  for await (const { frame, isOwn } of pieces) {
    yield { events: { source, frame }, isAsked: (row) => isOwn[row] === 1 }
  }
}

/** Error: `snapshot_not_found`. */
async function presentSnapshots(
  records: readonly SnapshotRecord[],
  home: Kept['home'],
): Promise<SnapshotInfo[]> {
  const snapshots = snapshotsOf(home)
  const found: SnapshotInfo[] = []
  for (const { hash } of records) {
    const info = await snapshots.describe(hash)
    if (info === undefined) throw dataErrors.snapshot_not_found(`No snapshot is named ${hash}.`)
    found.push(info)
  }
  return found
}

async function allAtOnce(
  asked: AskedEvents,
  source: CompiledSource,
  known: readonly SnapshotRecord[],
  home: Kept['home'],
): Promise<Among> {
  const own = new Map<string, Frame>()
  for (const { hash } of asked.parts) own.set(hash, await asked.snapshots.read(hash))
  const ids = new Set([...own.values()].flatMap((frame) => idsOf(frame, source.id)))
  const snapshots = snapshotsOf(home)
  const like = known.at(-1)
  const record = (hash: string) => ({ ...like, contract: source, hash }) as SnapshotRecord
  const ownRecords = asked.parts.map(({ hash }) => record(`asked ${hash}`))
  const { frame } = await readParts([...known, ...ownRecords], {
    snapshots: {
      read: async (hash) =>
        hash.startsWith('asked ')
          ? own.get(hash.slice('asked '.length))!
          : without(await snapshots.read(hash), source.id, ids),
    },
  })
  const column = columnOf(frame, source.id)
  return { events: eventsOf(source, frame), isAsked: (row) => ids.has(textAt(column, row)!) }
}

function idsOf(frame: Frame, id: string): string[] {
  const column = columnOf(frame, id)
  return Array.from({ length: frame.rows }, (_, row) => textAt(column, row)!)
}

function without(frame: Frame, id: string, ids: ReadonlySet<string>): Frame {
  const column = columnOf(frame, id)
  const kept: number[] = []
  for (let row = 0; row < frame.rows; row++) if (!ids.has(textAt(column, row)!)) kept.push(row)
  if (kept.length === frame.rows) return frame
  const columns = Object.entries(frame.columns).map(([name, values]) => [
    name,
    values instanceof Float64Array
      ? Float64Array.from(kept, (row) => values[row])
      : kept.map((row) => values[row]),
  ])
  return { rows: kept.length, columns: Object.fromEntries(columns) as Frame['columns'] }
}
