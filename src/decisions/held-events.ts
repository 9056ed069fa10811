// The events that a base of live state took from history and that a live door would still let in: one
// of them that is sent is known, and counts once. A base carries their ids, exactly, a digest of what
// they say, and the values that they entered with.
import { columnOf, numbersOf, textAt } from '../data/index.ts'
import type { CompiledSource, Frame } from '../data/index.ts'
import { crc32c } from '../lib/checksum.ts'
import type { FileSystem } from '../lib/files.ts'
import { sha256Hex } from '../lib/hash.ts'
import type { Matrix } from '../lib/matrix.ts'
import { eventHashOf } from './contracts.ts'
import { canonicalVector } from './engine.ts'
import { decisionErrors } from './errors.ts'

/** Events of a source that are in a base. */
export interface BaseEvents {
  readonly source: CompiledSource
  /** In order of event time. */
  readonly frame: Frame
  /** Events after this time are carried, µs UTC: `FeatureState.tooLateUsOf` at the end of history. */
  readonly afterUs: number
  /** The values of the newest events, from `firstRow` of the frame on; columns as in the layout. */
  readonly values?: { readonly matrix: Matrix; readonly firstRow: number }
}

/** What a checkpoint file says of the events that it carries. */
export interface HeldHead {
  readonly sources: readonly HeldSource[]
  /** Values an event, and for how many of the newest events of the first source they are there. */
  readonly width: number
  readonly valued: number
  /** The ids and what belongs to them; the values follow, each event's with its checksum. */
  readonly indexBytes: number
  readonly indexSha256: string
  readonly bytes: number
  readonly sha256: string
}

interface HeldSource {
  readonly name: string
  readonly events: number
  readonly idBytes: number
  /** The newest event that had no room, µs UTC; null where all had. What is as old is too late. */
  readonly beyondUs: number | null
}

/** Where the events of a base lie: what a later start needs to find them. */
export interface HeldPlace {
  readonly head: HeldHead
  readonly file: string
  /** Bytes into the file. */
  readonly at: number
  /** The journal sequence of the base. */
  readonly sequence: number
  readonly layout: string
}

/** An event of a base. */
export interface HeldEvent {
  /** The journal sequence of the base: with it the event became known here. */
  readonly sequence: number
  /** The first digits of the hash of its content; empty where history lacks columns of the contract. */
  readonly digest: string
  /** How many events of its source are newer. */
  readonly rank: number
}

/** Most ids that a base carries of each source: about 36 MB with ids of 20 letters. */
const EVENTS_MAX = 1_000_000

/** Most bytes of values that a base carries: those of the newest events. They stay on disk. */
export const HELD_VALUES_BYTES_MAX = 64 * 1024 * 1024

const DIGEST_BYTES = 8
const CHECKSUM_BYTES = 4

/** The bytes that a base carries of events, and what its head says of them. The first source has values. */
export function writeHeldEvents(
  all: readonly BaseEvents[],
  eventsMax = EVENTS_MAX,
): { readonly head: HeldHead; readonly bytes: Uint8Array } {
  const written = all.map((events) => writeSource(events, eventsMax))
  const index = Buffer.concat(written.map(({ bytes }) => bytes))
  const sources = written.map(({ source }) => source)
  const values = writeValues(all[0], sources[0].events)
  const bytes = Buffer.concat([index, values.bytes])
  const head = {
    sources,
    width: values.width,
    valued: values.rows,
    indexBytes: index.length,
    indexSha256: sha256Hex(index),
    bytes: bytes.length,
    sha256: sha256Hex(bytes),
  }
  return { head, bytes }
}

/** Offsets of the ids, ranks, digests, ids: all in the order of the ids' bytes. */
function writeSource({ source, frame, afterUs }: BaseEvents, eventsMax: number) {
  const times = numbersOf(frame, source.eventTime)
  const ids = columnOf(frame, source.id)
  let first = frame.rows
  while (first > 0 && times[first - 1] > afterUs && frame.rows - first < eventsMax) first--
  const isCut = first > 0 && times[first - 1] > afterUs
  const events = frame.rows - first
  const texts = Array.from({ length: events }, (_, rank) =>
    Buffer.from(textAt(ids, frame.rows - 1 - rank)!, 'utf8'),
  )
  const ranks = Uint32Array.from(texts.keys()).sort((a, b) => texts[a].compare(texts[b]))
  const offsets = new Uint32Array(events + 1)
  ranks.forEach((rank, place) => (offsets[place + 1] = offsets[place] + texts[rank].length))
  const idBytes = offsets[events]
  const digestOf = digestsOf(source, frame)
  const digests = Buffer.alloc(events * DIGEST_BYTES)
  ranks.forEach((rank, place) => {
    digests.write(digestOf(frame.rows - 1 - rank), place * DIGEST_BYTES, 'hex')
  })
  const sorted = Array.from(ranks, (rank) => texts[rank])
  const padding = Buffer.alloc(alignedBytes(idBytes) - idBytes)
  const bytes = Buffer.concat([bytesOf(offsets), bytesOf(ranks), digests, ...sorted, padding])
  const beyondUs = isCut ? times[first - 1] : null
  return { source: { name: source.name, events, idBytes, beyondUs }, bytes }
}

/** The digest of a row's event: the start of the hash that the same event from a live door has. */
function digestsOf({ columns, id }: CompiledSource, frame: Frame): (row: number) => string {
  const found = columns.map(({ name }) => [name, frame.columns[name]] as const)
  if (found.some(([, column]) => column === undefined)) return () => ''
  return (row) => {
    const event: Record<string, number | string> = {}
    for (const [name, column] of found) {
      const value = name === id ? textAt(column, row) : column[row]
      if (value === undefined || Number.isNaN(value)) continue
      event[name] = value === 0 ? 0 : value
    }
    return eventHashOf(event).slice(0, DIGEST_BYTES * 2)
  }
}

function writeValues({ frame, values }: BaseEvents, events: number) {
  if (values === undefined) return { bytes: Buffer.alloc(0), width: 0, rows: 0 }
  const { columns } = values.matrix
  const width = columns.length
  const rows = Math.min(frame.rows - values.firstRow, events)
  const bytes = Buffer.alloc(rows * rowBytes(width))
  for (let rank = 0; rank < rows; rank++) {
    const row = frame.rows - 1 - rank - values.firstRow
    const vector = canonicalVector(Float64Array.from(columns, (column) => column[row]))
    const start = rank * rowBytes(width)
    const end = start + width * Float64Array.BYTES_PER_ELEMENT
    bytes.set(bytesOf(vector), start)
    bytes.writeUInt32LE(crc32c(bytes, start, end), end)
  }
  return { bytes, width, rows }
}

/** The events of a base, found by id: their index is in memory as it lies in the file. */
export class HeldEvents {
  readonly place: HeldPlace
  private readonly files: FileSystem
  private readonly sources: ReadonlyMap<string, SourceIndex>

  /** `index` is what lies at the place; it must be whole. */
  constructor(place: HeldPlace, index: Uint8Array, files: FileSystem) {
    this.place = place
    this.files = files
    const sources = new Map<string, SourceIndex>()
    // Numbers are read in place, which asks for aligned ones.
    const aligned = new Uint8Array(index)
    let at = 0
    for (const source of place.head.sources) {
      const bytes = indexBytesOf(source)
      sources.set(source.name, new SourceIndex(source, aligned.subarray(at, at + bytes)))
      at += bytes
    }
    this.sources = sources
  }

  find(source: string, eventId: string): HeldEvent | undefined {
    const found = this.sources.get(source)?.find(eventId)
    return found && { ...found, sequence: this.place.sequence }
  }

  /** Whether nobody can say if an event of this time is in the base: there was no room for its id. */
  isBeyond(source: string, eventTimeUs: number): boolean {
    return eventTimeUs <= (this.sources.get(source)?.beyondUs ?? -Infinity)
  }

  /**
   * The values that an event of the first source entered with, in the order of the layout; undefined
   * where the base has no room for them. Error: `checkpoint_invalid`.
   */
  async valuesOf({ rank }: HeldEvent): Promise<Float64Array | undefined> {
    const { head, file, at } = this.place
    if (rank >= head.valued) return undefined
    const bytes = Buffer.alloc(rowBytes(head.width))
    await readAt(this.files, file, bytes, at + head.indexBytes + rank * bytes.length)
    const end = bytes.length - CHECKSUM_BYTES
    if (crc32c(bytes, 0, end) !== bytes.readUInt32LE(end)) throw damaged(file)
    return Float64Array.from({ length: head.width }, (_, i) => bytes.readDoubleLE(i * 8))
  }
}

/** Finds the events of a base again. Error: `checkpoint_invalid`. */
export async function openHeldEvents(place: HeldPlace, files: FileSystem): Promise<HeldEvents> {
  const { head, file, at } = place
  const index = new Uint8Array(head.indexBytes)
  await readAt(files, file, index, at)
  if (sha256Hex(index) !== head.indexSha256) throw damaged(file)
  return new HeldEvents(place, index, files)
}

async function readAt(files: FileSystem, file: string, into: Uint8Array, at: number) {
  try {
    const open = await files.open(file, 'read')
    try {
      if ((await open.read(into, at)) === into.length) return
    } finally {
      await open.close()
    }
  } catch (cause) {
    throw decisionErrors.checkpoint_invalid(`${file} cannot be read.`, { cause })
  }
  throw damaged(file)
}

function damaged(file: string) {
  return decisionErrors.checkpoint_invalid(`${file} is damaged: the events of its base do not fit.`)
}

/** The ids of one source, sorted, in one piece of memory. */
class SourceIndex {
  readonly beyondUs: number | null
  private readonly offsets: Uint32Array
  private readonly ranks: Uint32Array
  private readonly digests: Buffer
  private readonly ids: Buffer

  constructor({ events, idBytes, beyondUs }: HeldSource, bytes: Uint8Array) {
    const { buffer, byteOffset } = bytes
    this.beyondUs = beyondUs
    this.offsets = new Uint32Array(buffer, byteOffset, events + 1)
    const ranksAt = byteOffset + this.offsets.byteLength
    this.ranks = new Uint32Array(buffer, ranksAt, events)
    const digestsAt = ranksAt + this.ranks.byteLength
    this.digests = Buffer.from(buffer, digestsAt, events * DIGEST_BYTES)
    this.ids = Buffer.from(buffer, digestsAt + this.digests.length, idBytes)
  }

  find(eventId: string): Omit<HeldEvent, 'sequence'> | undefined {
    const wanted = Buffer.from(eventId, 'utf8')
    let [low, high] = [0, this.ranks.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      const order = this.ids.compare(
        wanted,
        0,
        wanted.length,
        this.offsets[middle],
        this.offsets[middle + 1],
      )
      if (order === 0) return { rank: this.ranks[middle], digest: this.digestAt(middle) }
      if (order < 0) low = middle + 1
      else high = middle
    }
    return undefined
  }

  /** Zeros stand for none. */
  private digestAt(place: number): string {
    const start = place * DIGEST_BYTES
    const digest = this.digests.toString('hex', start, start + DIGEST_BYTES)
    return /^0+$/.test(digest) ? '' : digest
  }
}

function indexBytesOf({ events, idBytes }: HeldSource): number {
  const numbers = (events + 1 + events) * Uint32Array.BYTES_PER_ELEMENT
  return numbers + events * DIGEST_BYTES + alignedBytes(idBytes)
}

function alignedBytes(bytes: number): number {
  return Math.ceil(bytes / Uint32Array.BYTES_PER_ELEMENT) * Uint32Array.BYTES_PER_ELEMENT
}

function rowBytes(width: number): number {
  return width * Float64Array.BYTES_PER_ELEMENT + CHECKSUM_BYTES
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
