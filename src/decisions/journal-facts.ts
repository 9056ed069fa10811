// What a journal says of the past, for those who compute with it: events and labels with their
// arrival, as a dataset has them.
import * as path from 'node:path'
import type { CompiledSource, Frame, FrameColumn } from '../data/index.ts'
import { fileErrorCode, type FileSystem } from '../lib/files.ts'
import { readJournal } from '../lib/journal.ts'
import { decodeRecord } from './records.ts'
import type { EventRecord, LabelRecord } from './records.ts'

export interface JournalFacts {
  /** Each event once, in order of (event time, sequence); ids are text. */
  readonly events: Frame
  /** What the source's clock said when each event came, µs UTC. */
  readonly arrivalsUs: Float64Array
  /** By labels declaration, in the order of the journal. */
  readonly labels: ReadonlyMap<string, JournalLabels>
}

export interface JournalLabels {
  readonly eventIds: string[]
  readonly values: number[]
  readonly arrivalsUs: number[]
}

type JournalEvent = Pick<EventRecord, 'event' | 'eventTimeUs' | 'clockUs'>

const RECORDS_A_TURN = 2048

/** Reads the events of a source, and their labels, from a namespace's folder; none where there is none. */
export async function readJournalFacts(
  directory: string,
  source: CompiledSource,
  files: FileSystem,
): Promise<JournalFacts> {
  const journal = path.join(directory, 'journal')
  const events: JournalEvent[] = []
  const labels = new Map<string, JournalLabels>()
  if (await isThere(journal, files)) {
    let records = 0
    for await (const { payload } of readJournal(journal, files, 1)) {
      const record = decodeRecord(payload)
      if (record.type === 'label' && record.of === source.name) note(labels, record)
      const isEvent = record.type === 'decision' || record.type === 'event'
      if (isEvent && record.source === source.name && record.entry !== 'known') {
        const { event, eventTimeUs, clockUs } = record
        events.push({ event, eventTimeUs, clockUs })
      }
      if (++records % RECORDS_A_TURN === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }
  // Sorting keeps the order of the journal among events of one instant.
  events.sort((a, b) => a.eventTimeUs - b.eventTimeUs)
  return {
    events: { rows: events.length, columns: columnsOf(source, events) },
    arrivalsUs: Float64Array.from(events, ({ clockUs }) => clockUs),
    labels,
  }
}

async function isThere(directory: string, files: FileSystem): Promise<boolean> {
  try {
    return (await files.list(directory)).length > 0
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return false
    throw error
  }
}

function note(labels: Map<string, JournalLabels>, record: LabelRecord): void {
  const known = labels.get(record.source) ?? { eventIds: [], values: [], arrivalsUs: [] }
  known.eventIds.push(record.eventId)
  known.values.push(record.code)
  known.arrivalsUs.push(record.arrivalTimeUs)
  labels.set(record.source, known)
}

function columnsOf(
  source: CompiledSource,
  events: readonly JournalEvent[],
): Record<string, FrameColumn> {
  const columns = source.columns.map((column) => {
    const { name, kind } = column
    const isText =
      kind === 'id' ||
      kind === 'text' ||
      kind === 'category' ||
      (kind === 'key' && column.type === 'text')
    const values: FrameColumn = isText
      ? events.map(({ event }) => event[name] as string | undefined)
      : Float64Array.from(events, ({ event }) => (event[name] as number | undefined) ?? NaN)
    return [name, values] as const
  })
  return Object.fromEntries(columns)
}
