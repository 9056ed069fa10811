// What is kept of a count, with the place in its source, in one file that is replaced as a whole.
import { canonicalJson } from '../../lib/canonical-json.ts'
import { fileErrorCode, type FileSystem, readWholeFile, writeFileAtomic } from '../../lib/files.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { BloomFilter, HyperLogLog } from '../../lib/sketches/index.ts'
import { fail } from '../errors.ts'
import type { SourcePlace } from '../sources/port.ts'
import { LeastHashes } from './least.ts'
import type { Pair, VisitorPairs } from './pairs.ts'
import { VisitorSlot } from './slot.ts'
import { type TimeCounts, VisitorDay, VisitorStream } from './stream.ts'
import type { VisitorOptions } from './types.ts'
import type { Uniques, Visits } from './uniques.ts'

const FORMAT = 'assay-visitors'
const VERSION = 1

export interface KeptVisitors {
  readonly stream: VisitorStream
  readonly place: SourcePlace
  readonly format: string | undefined
}

/** All of a stream as JSON. */
export interface SavedStream {
  readonly options: VisitorOptions
  readonly times: TimeCounts
  readonly highUs: number | null
  readonly nextStart: number | null
  readonly unbelieved: readonly number[]
  readonly open: readonly (readonly [number, SavedSlot])[]
  readonly closed: readonly (readonly [number, SavedSlot])[]
  readonly day: SavedDay | null
}

interface SavedLeast<Row> {
  readonly bound: number | null
  readonly rows: readonly Row[]
}
interface SavedUniques extends SavedLeast<readonly [number, number, 0 | 1]> {
  readonly sketch: string | null
  readonly filter: string | null
}
interface SavedPairs extends SavedLeast<readonly [number, string, number, number]> {
  readonly field: string
  readonly hits: number
  readonly keys: string | null
}
interface SavedSlot {
  readonly hits: number
  readonly botHits: number
  readonly people: SavedUniques
  readonly bots: SavedUniques
  readonly pairs: readonly SavedPairs[]
}
interface SavedDay {
  readonly startUs: number
  readonly known: readonly number[] | null
  readonly filter: string | null
  readonly suspects: SavedLeast<number>
}

/**
 * Keeps a count and the place behind the last line that is in it: after a loss of power there is either this or
 * what was kept before, never a mixture.
 */
export async function keepVisitors(
  file: string,
  { stream, place, format }: KeptVisitors,
  files: FileSystem,
): Promise<void> {
  const body = JSON.stringify({ place, format: format ?? null, stream: savedStream(stream) })
  const head = JSON.stringify({ format: FORMAT, version: VERSION, sha256: sha256Hex(body) })
  await writeFileAtomic(file, `${head}\n${body}\n`, files)
}

/**
 * What was kept, or undefined where there is no file. Errors: `visitors_state_unreadable`,
 * `visitors_state_damaged`, and `visitors_state_other` where it counts in another way than is asked for.
 */
export async function keptVisitors(
  file: string,
  options: VisitorOptions,
  files: FileSystem,
): Promise<KeptVisitors | undefined> {
  let text: string
  try {
    text = new TextDecoder().decode(await readWholeFile(file, files))
  } catch (error) {
    const code = fileErrorCode(error)
    if (code === undefined) throw error
    if (code === 'ENOENT') return undefined
    const why = code === 'EISDIR' ? 'is a folder' : `cannot be read (${code})`
    throw fail.visitors_state_unreadable(`${file} ${why}.`, { cause: error })
  }
  const { place, format, stream } = bodyOf(file, text)
  const restored = restoredStream(stream)
  const [own, asked] = [restored.how, new VisitorStream({ ...restored.options, ...options }).how]
  if (canonicalJson({ ...own }) !== canonicalJson({ ...asked })) {
    const differing = Object.keys(own).filter(
      (name) =>
        canonicalJson(own[name as keyof typeof own]) !==
        canonicalJson(asked[name as keyof typeof own]),
    )
    throw fail.visitors_state_other(`${file} counts with another ${differing.join(', ')}.`)
  }
  return { stream: restored, place, format: format ?? undefined }
}

interface Body {
  readonly place: SourcePlace
  readonly format: string | null
  readonly stream: SavedStream
}

function bodyOf(file: string, text: string): Body {
  const [head, body = ''] = text.split('\n')
  let found: { readonly format?: unknown; readonly version?: unknown; readonly sha256?: unknown }
  try {
    found = JSON.parse(head) as typeof found
  } catch (cause) {
    throw fail.visitors_state_damaged(`${file} is no state of visitors.`, { cause })
  }
  if (found.format !== FORMAT || found.version !== VERSION) {
    throw fail.visitors_state_damaged(`${file} is no state of visitors of version ${VERSION}.`)
  }
  if (found.sha256 !== sha256Hex(body)) {
    throw fail.visitors_state_damaged(`${file} is not what was written: its hash differs.`)
  }
  return JSON.parse(body) as Body
}

export function savedStream(stream: VisitorStream): SavedStream {
  const { options, times, highUs, nextStart, unbelieved, open, closed, day } = stream
  return {
    options,
    times,
    highUs: highUs ?? null,
    nextStart: nextStart ?? null,
    unbelieved,
    open: [...open].sort(([a], [b]) => a - b).map(([start, slot]) => [start, savedSlot(slot)]),
    closed: closed.map(({ start, slot }) => [start, savedSlot(slot)]),
    day: day === undefined ? null : savedDay(day),
  }
}

export function restoredStream(saved: SavedStream): VisitorStream {
  const stream = new VisitorStream(saved.options)
  Object.assign(stream.times, saved.times)
  stream.highUs = saved.highUs ?? undefined
  stream.nextStart = saved.nextStart ?? undefined
  stream.unbelieved = [...saved.unbelieved]
  for (const [start, slot] of saved.open) stream.open.set(start, restoredSlot(stream, slot, true))
  stream.closed = saved.closed.map(([start, slot]) => ({
    start,
    slot: restoredSlot(stream, slot, false),
  }))
  if (saved.day !== null) stream.day = restoredDay(stream, saved.day)
  return stream
}

/** In order of their hashes, so that the same state is the same bytes. */
function savedLeast<Entry, Row>(
  least: LeastHashes<Entry>,
  row: (hash: number, entry: Entry) => Row,
): SavedLeast<Row> {
  least.settle()
  const rows = [...least.entries].sort(([a], [b]) => a - b).map(([hash, entry]) => row(hash, entry))
  return { bound: least.bound === Infinity ? null : least.bound, rows }
}

function restore<Entry, Row>(
  into: LeastHashes<Entry>,
  { bound, rows }: SavedLeast<Row>,
  entry: (row: Row) => readonly [number, Entry],
): void {
  into.bound = bound ?? Infinity
  for (const row of rows) into.entries.set(...entry(row))
}

function savedUniques({ known, sketch, filter }: Uniques): SavedUniques {
  return {
    ...savedLeast(known, (hash, { hits, isSuspect }) => [hash, hits, isSuspect ? 1 : 0] as const),
    sketch: sketch === undefined ? null : base64(sketch.toBytes()),
    filter: filter === undefined ? null : base64(filter.toBytes()),
  }
}

function restoreUniques(into: Uniques, saved: SavedUniques): void {
  restore<Visits, readonly [number, number, 0 | 1]>(into.known, saved, ([hash, hits, suspect]) => [
    hash,
    { hits, isSuspect: suspect === 1 },
  ])
  if (saved.sketch !== null) into.sketch = HyperLogLog.fromBytes(fromBase64(saved.sketch))
  if (saved.filter !== null) into.filter = BloomFilter.fromBytes(fromBase64(saved.filter))
}

function savedPairs({ field, hits, pairs, keys }: VisitorPairs): SavedPairs {
  return {
    field,
    hits,
    ...savedLeast(pairs, (hash, pair) => [hash, pair.key, pair.visitor, pair.hits] as const),
    keys: keys === undefined ? null : base64(keys.toBytes()),
  }
}

function restorePairs(into: VisitorPairs, saved: SavedPairs): void {
  into.hits = saved.hits
  restore<Pair, readonly [number, string, number, number]>(
    into.pairs,
    saved,
    ([hash, key, visitor, hits]) => [hash, { key, visitor, hits }],
  )
  if (saved.keys !== null) into.keys = HyperLogLog.fromBytes(fromBase64(saved.keys))
}

function savedSlot({ hits, botHits, people, bots, pairs }: VisitorSlot): SavedSlot {
  return {
    hits,
    botHits,
    people: savedUniques(people),
    bots: savedUniques(bots),
    pairs: pairs.map(savedPairs),
  }
}

function restoredSlot({ how }: VisitorStream, saved: SavedSlot, isOpen: boolean): VisitorSlot {
  const slot = new VisitorSlot(how, isOpen)
  slot.hits = saved.hits
  slot.botHits = saved.botHits
  restoreUniques(slot.people, saved.people)
  restoreUniques(slot.bots, saved.bots)
  slot.pairs.forEach((pairs, i) => restorePairs(pairs, saved.pairs[i]))
  return slot
}

function savedDay({ startUs, known, filter, suspects }: VisitorDay): SavedDay {
  return {
    startUs,
    known: known === undefined ? null : [...known].sort((a, b) => a - b),
    filter: filter === undefined ? null : base64(filter.toBytes()),
    suspects: savedLeast(suspects, (hash) => hash),
  }
}

function restoredDay({ how }: VisitorStream, saved: SavedDay): VisitorDay {
  const day = new VisitorDay(saved.startUs, how.dayVisitors)
  day.known = saved.known === null ? undefined : new Set(saved.known)
  day.filter = saved.filter === null ? undefined : BloomFilter.fromBytes(fromBase64(saved.filter))
  restore<true, number>(day.suspects, saved.suspects, (hash) => [hash, true])
  return day
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}

function fromBase64(text: string): Uint8Array {
  return Buffer.from(text, 'base64')
}
