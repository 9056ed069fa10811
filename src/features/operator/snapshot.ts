import { sha256Hex } from '../../lib/hash.ts'
import { fail } from '../errors.ts'
import type { KeyValue } from './dictionary.ts'
import { NO_KEY } from './dictionary.ts'
import { following } from './event-store.ts'
import type { FeatureState } from './state.ts'

/**
 * The saved form of a state: `ASSAYFS1`, the SHA-256 (hex) of all that follows, a JSON header with
 * its length, and columns of the live events in the order in which they came. It holds facts only;
 * rings, cursors and sums follow from them, and give the same values whatever way they were made.
 */
const MAGIC = 'ASSAYFS1'
const DIGEST_LENGTH = 64
const HEADER_AT = MAGIC.length + DIGEST_LENGTH

interface Header {
  /** Version of the merged feature set. */
  readonly set: string
  readonly events: number
  readonly newestUs: number | null
  readonly lastSequence: number
  /** By dictionary: the values of the codes in the columns. */
  readonly keys: readonly (readonly KeyValue[])[]
  /** Ids that are not integers: position and text. */
  readonly textIds: readonly (readonly [number, string])[]
}

type Column = Float64Array | Int32Array | Uint32Array

export function writeSnapshot(state: FeatureState): Uint8Array {
  const { events, plan } = state
  const count = events.live
  const keys: KeyValue[][] = []
  const textIds: [number, string][] = []
  const columns: Column[] = [new Float64Array(count), new Uint32Array(count)]
  for (const stored of plan.stored) {
    columns.push(stored.compact ? new Int32Array(count) : new Float64Array(count))
  }
  const codesAt = columns.length
  for (let d = 0; d < plan.dictionaries.length; d++) columns.push(new Int32Array(count))
  const ids = new Float64Array(events.keepsIds ? count : 0)
  columns.push(ids)

  const dense = state.dictionaries.map((dictionary) => new Int32Array(dictionary.limit).fill(-1))
  for (let d = 0; d < dense.length; d++) keys.push([])
  for (let i = 0, event = events.first; i < count; i++, event = following(event)) {
    columns[0][i] = events.time(event)
    columns[1][i] = events.flags(event)
    for (let c = 0; c < plan.stored.length; c++) columns[2 + c][i] = events.number(event, c)
    for (let d = 0; d < dense.length; d++) {
      const code = events.code(event, d)
      if (code !== NO_KEY && dense[d][code] < 0) {
        dense[d][code] = keys[d].push(state.dictionaries[d].valueOf(code)!) - 1
      }
      columns[codesAt + d][i] = code === NO_KEY ? NO_KEY : dense[d][code]
    }
    const id = events.keepsIds ? events.id(event) : undefined
    if (typeof id === 'string') textIds.push([i, id])
    if (id !== undefined) ids[i] = typeof id === 'number' ? id : Number.NaN
  }
  return encode(
    {
      set: state.version,
      events: count,
      newestUs: count === 0 && state.newestUs === -Infinity ? null : state.newestUs,
      lastSequence: state.lastSequence,
      keys,
      textIds,
    },
    columns,
  )
}

/** The keys of a dictionary, and how many events have each. Their codes are 1, 2, and so on. */
export interface RestoredKeys {
  readonly values: readonly KeyValue[]
  readonly uses: Int32Array
}

export interface Restorer {
  /** Told how much there will be, with the keys by dictionary. */
  begin(events: number, keys: readonly RestoredKeys[]): void
  /** Takes in the event that was staged, with the codes of its keys by dictionary. */
  add(codes: Int32Array): void
}

/** Fills an empty state. */
export function readSnapshot(state: FeatureState, bytes: Uint8Array, restorer: Restorer): void {
  const { header, body } = decode(bytes)
  const { plan, events } = state
  if (header.set !== state.version) {
    throw fail.feature_state_mismatch(
      `The state was saved for version ${header.set.slice(0, 12)} of the features; ` +
        `${state.version.slice(0, 12)} is wanted.`,
    )
  }
  const count = header.events
  const reader = new ColumnReader(body)
  const times = reader.floats(count)
  const flags = reader.integers(count)
  const numbers = plan.stored.map(({ compact }) =>
    compact ? reader.integers(count) : reader.floats(count),
  )
  const positions = plan.dictionaries.map(() => reader.integers(count))
  const ids = reader.floats(events.keepsIds ? count : 0)
  const textIds = new Map(header.textIds)
  restorer.begin(
    count,
    header.keys.map((values, d) => ({ values, uses: usesOf(positions[d], values.length) })),
  )
  const codes = new Int32Array(positions.length)
  for (let i = 0; i < count; i++) {
    const event = events.next
    events.setTime(event, times[i])
    events.setFlags(event, flags[i])
    for (let c = 0; c < numbers.length; c++) events.setNumber(event, c, numbers[c][i])
    for (let d = 0; d < codes.length; d++) {
      codes[d] = positions[d][i] === NO_KEY ? NO_KEY : positions[d][i] + 1
    }
    if (events.keepsIds) events.setId(event, Number.isNaN(ids[i]) ? textIds.get(i)! : ids[i])
    restorer.add(codes)
  }
  state.newestUs = header.newestUs ?? -Infinity
  state.lastSequence = header.lastSequence
}

function usesOf(positions: Int32Array, keys: number): Int32Array {
  const uses = new Int32Array(keys)
  for (const position of positions) if (position !== NO_KEY) uses[position]++
  return uses
}

function encode(header: Header, columns: readonly Column[]): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(header))
  const columnsAt = align(HEADER_AT + 4 + json.length)
  const length = columns.reduce((end, column) => align(end + column.byteLength), columnsAt)
  const bytes = new Uint8Array(length)
  bytes.set(new TextEncoder().encode(MAGIC))
  new DataView(bytes.buffer).setUint32(HEADER_AT, json.length, true)
  bytes.set(json, HEADER_AT + 4)
  let at = columnsAt
  for (const column of columns) {
    bytes.set(new Uint8Array(column.buffer, 0, column.byteLength), at)
    at = align(at + column.byteLength)
  }
  bytes.set(new TextEncoder().encode(sha256Hex(bytes.subarray(HEADER_AT))), MAGIC.length)
  return bytes
}

function decode(bytes: Uint8Array): { header: Header; body: Uint8Array } {
  const text = (from: number, to: number): string =>
    new TextDecoder().decode(bytes.subarray(from, to))
  if (bytes.length < HEADER_AT + 4 || text(0, MAGIC.length) !== MAGIC) {
    throw fail.feature_state_damaged('The saved state does not begin as one does.')
  }
  if (text(MAGIC.length, HEADER_AT) !== sha256Hex(bytes.subarray(HEADER_AT))) {
    throw fail.feature_state_damaged('The saved state does not match its checksum.')
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(HEADER_AT, true)
  const header = JSON.parse(text(HEADER_AT + 4, HEADER_AT + 4 + length)) as Header
  // Typed arrays need their bytes aligned, which those of a file's part may not be.
  return { header, body: bytes.slice(align(HEADER_AT + 4 + length)) }
}

class ColumnReader {
  private readonly bytes: Uint8Array
  private at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  floats(count: number): Float64Array {
    const column = new Float64Array(this.bytes.buffer, this.at, count)
    this.at = align(this.at + column.byteLength)
    return column
  }
  integers(count: number): Int32Array {
    const column = new Int32Array(this.bytes.buffer, this.at, count)
    this.at = align(this.at + column.byteLength)
    return column
  }
}

function align(length: number): number {
  return (length + 7) & ~7
}
