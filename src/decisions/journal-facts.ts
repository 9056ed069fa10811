// What a journal says of the past, for those who compute with it: events and labels with their
// arrival, as a dataset has them.
import * as path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type {
  AcceptedEvent,
  CompiledColumn,
  CompiledSource,
  Frame,
  FrameColumn,
} from '../data/index.ts'
import type { FileSystem } from '../lib/files.ts'
import { recordsIn } from './outlines.ts'
import { decodeRecord, isEventful } from './records.ts'
import type { EventfulRecord, LabelRecord } from './records.ts'

export interface JournalFacts {
  /** Each event once, in order of (event time, sequence); ids are text. */
  readonly events: Frame
  /** What the source's clock said when each event came, µs UTC. */
  readonly arrivalsUs: Float64Array
  /** When each event was accepted by the clock of the machine, µs UTC. */
  readonly acceptedUs: Float64Array
  /** By labels declaration, in the order of the journal. */
  readonly labels: ReadonlyMap<string, JournalLabels>
}

export interface JournalLabels {
  readonly eventIds: string[]
  readonly values: number[]
  readonly arrivalsUs: number[]
}

export interface JournalReading {
  /** By source, in the order asked for. */
  readonly facts: ReadonlyMap<string, JournalFacts>
  /** The last sequence that was read; 0 where there is none. */
  readonly through: number
}

const RECORDS_A_TURN = 2048

/**
 * Reads the events of sources, and their labels, from a namespace's folder, in one go, up to a sequence
 * where one is given; none where there is no journal. It holds the columns of what it found, and of the
 * records one at a time.
 */
export async function readJournalFacts(
  directory: string,
  sources: readonly CompiledSource[],
  files: FileSystem,
  upTo = Infinity,
): Promise<JournalReading> {
  const gathered = new Map(sources.map((source) => [source.name, new Gathered(source)]))
  let through = 0
  const journal = path.join(directory, 'journal')
  for await (const { sequence, payload } of recordsIn(journal, files, { through: upTo })) {
    through = sequence
    const record = decodeRecord(payload)
    if (record.type === 'label') gathered.get(record.of)?.addLabel(record)
    else if (isEventful(record)) {
      if (record.entry !== 'known') gathered.get(record.source)?.addEvent(record)
    }
    if (sequence % RECORDS_A_TURN === 0) await nextTurn()
  }
  const facts = [...gathered].map(([name, each]) => [name, each.finish()] as const)
  return { facts: new Map(facts), through }
}

/** The events of a source that a namespace's journal holds, each once, in its order. */
export async function* acceptedEvents(
  directory: string,
  source: string,
  files: FileSystem,
): AsyncGenerator<AcceptedEvent> {
  for await (const { payload } of recordsIn(path.join(directory, 'journal'), files)) {
    const record = decodeRecord(payload)
    if (isEventful(record) && record.source === source && record.entry !== 'known') yield record
  }
}

/** What was found of one source, column by column. */
class Gathered {
  private readonly columns: readonly {
    readonly name: string
    readonly isText: boolean
    readonly values: (number | string | undefined)[]
  }[]
  private readonly timesUs: number[] = []
  private readonly arrivalsUs: number[] = []
  private readonly acceptedUs: number[] = []
  private readonly labels = new Map<string, JournalLabels>()

  constructor({ columns }: CompiledSource) {
    this.columns = columns.map((column) => {
      return { name: column.name, isText: isText(column), values: [] }
    })
  }

  addEvent({ event, eventTimeUs, clockUs, receivedAtUs }: EventfulRecord): void {
    for (const { name, isText: text, values } of this.columns) {
      values.push(event[name] ?? (text ? undefined : Number.NaN))
    }
    this.timesUs.push(eventTimeUs)
    this.arrivalsUs.push(clockUs)
    this.acceptedUs.push(receivedAtUs)
  }

  addLabel({ source, eventId, code, arrivalTimeUs }: LabelRecord): void {
    const known = this.labels.get(source) ?? { eventIds: [], values: [], arrivalsUs: [] }
    known.eventIds.push(eventId)
    known.values.push(code)
    known.arrivalsUs.push(arrivalTimeUs)
    this.labels.set(source, known)
  }

  finish(): JournalFacts {
    const { timesUs, labels } = this
    // Events of one instant keep the order of the journal.
    const order = Uint32Array.from(timesUs.keys()).sort((a, b) => timesUs[a] - timesUs[b] || a - b)
    const numbers = (values: readonly unknown[]) =>
      Float64Array.from(order, (row) => values[row] as number)
    const columns = this.columns.map(({ name, isText: text, values }) => {
      const column: FrameColumn = text
        ? Array.from(order, (row) => values[row] as string | undefined)
        : numbers(values)
      return [name, column] as const
    })
    return {
      events: { rows: order.length, columns: Object.fromEntries(columns) },
      arrivalsUs: numbers(this.arrivalsUs),
      acceptedUs: numbers(this.acceptedUs),
      labels,
    }
  }
}

function isText(column: CompiledColumn): boolean {
  switch (column.kind) {
    case 'id':
    case 'text':
    case 'category':
      return true
    case 'key':
      return column.type === 'text'
    default:
      return false
  }
}
