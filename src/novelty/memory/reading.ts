/** Events from a CSV file, plain or gzip, one at a time: no more than a piece of it is held. */
import {
  createCsvReader,
  type CsvRecord,
  fieldText,
  inspectFile,
  readChunks,
} from '../../data/index.ts'
import { parseTimestamp } from '../../lib/time.ts'
import { fail } from '../errors.ts'
import type { TrainingEvent } from './stream.ts'

/** Which columns say who, when, with whom and of what class. */
export type EventColumns = {
  readonly entity: string
  readonly time: string
  readonly party?: string
  readonly label?: string
  /** What a number in the time column counts. */
  readonly timeUnit: 's' | 'ms' | 'us'
}

export interface RefusedRow {
  /** Physical line of the file, from 1. */
  readonly line: number
  readonly reason: string
}

export interface EventFile {
  /** Names of the columns that are looked at. */
  readonly columns: readonly string[]
  /** The events in the order of the file; rows that cannot be read are told to `refused`. */
  events(refused: (row: RefusedRow) => void): AsyncGenerator<TrainingEvent>
}

const unitUs = { s: 1_000_000, ms: 1000, us: 1 } as const

/** Reads the header. Errors: `novelty_stream_unusable`, those of the file. */
export async function openEvents(path: string, named: EventColumns): Promise<EventFile> {
  const input = await inspectFile(path, 'csv')
  const header = await readHeader(path)
  const at = (name: string | undefined, option: string) => {
    if (name === undefined) return -1
    const position = header.indexOf(name)
    if (position >= 0) return position
    throw fail.novelty_stream_unusable(
      `${input.name} has no column "${name}" (--${option}); it has ${header.slice(0, 20).join(', ')}.`,
    )
  }
  const places = {
    entity: at(named.entity, 'entity'),
    time: at(named.time, 'time'),
    party: at(named.party, 'party'),
    label: at(named.label, 'label'),
  }
  const own = new Set(Object.values(places))
  const kept = header.map((_, i) => i).filter((i) => !own.has(i))
  if (kept.length === 0) {
    throw fail.novelty_stream_unusable(`${input.name} has no column besides those named.`)
  }
  const columns = kept.map((i) => header[i])
  const toEvent = (record: CsvRecord): TrainingEvent | string => {
    if (record.count !== header.length) {
      return `It has ${record.count} fields; the header has ${header.length}.`
    }
    const entity = fieldText(record, places.entity)
    const time = fieldText(record, places.time)
    const timeUs = timeOf(time, unitUs[named.timeUnit])
    if (entity === '') return `"${named.entity}" is empty.`
    if (timeUs === undefined) return `"${named.time}" is no time: ${time.slice(0, 40)}`
    const party = places.party < 0 ? undefined : fieldText(record, places.party)
    const label = places.label < 0 ? undefined : fieldText(record, places.label)
    return {
      timeUs,
      entity,
      fields: kept.map((i) => fieldText(record, i)),
      ...(party === undefined ? {} : { party }),
      ...(label === undefined || label === '' ? {} : { label }),
    }
  }
  return { columns, events: (refused) => eventsOf(input, toEvent, refused) }
}

async function* eventsOf(
  input: Awaited<ReturnType<typeof inspectFile>>,
  toEvent: (record: CsvRecord) => TrainingEvent | string,
  refused: (row: RefusedRow) => void,
): AsyncGenerator<TrainingEvent> {
  let ready: TrainingEvent[] = []
  let header = true
  const reader = createCsvReader({
    record(record) {
      if (header) header = false
      else {
        const event = toEvent(record)
        if (typeof event === 'string') refused({ line: record.line, reason: event })
        else ready.push(event)
      }
    },
    fault({ rule, line }) {
      const reason =
        rule === 'quote' ? 'A quote is never closed, or text follows it.' : 'The line is too long.'
      refused({ line, reason })
    },
  })
  for await (const chunk of readChunks(input)) {
    reader.push(chunk)
    const events = ready
    ready = []
    yield* events
  }
  reader.end()
  yield* ready
}

async function readHeader(path: string): Promise<readonly string[]> {
  const input = await inspectFile(path, 'csv')
  let header: string[] | undefined
  const reader = createCsvReader({
    record(record) {
      header ??= Array.from({ length: Math.min(record.count, 4096) }, (_, i) =>
        fieldText(record, i),
      )
    },
    fault: () => {
      if (header !== undefined) return
      throw fail.novelty_stream_unusable(`${input.name}: its first line is no CSV header.`)
    },
  })
  for await (const chunk of readChunks(input)) {
    reader.push(chunk)
    if (header !== undefined) break
  }
  if (header === undefined) reader.end()
  if (header === undefined) throw fail.novelty_stream_unusable(`${input.name} has no header line.`)
  return header
}

function timeOf(text: string, unit: number): number | undefined {
  if (/^-?\d+(\.\d+)?$/.test(text)) {
    const us = Math.round(Number(text) * unit)
    return Number.isSafeInteger(us) ? us : undefined
  }
  return parseTimestamp(text)
}
