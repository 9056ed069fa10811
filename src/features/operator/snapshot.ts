import { sha256Hex, sha256HexAside } from '../../lib/hash.ts'
import { fail } from '../errors.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import type { KeyValue } from './dictionary.ts'
import { NO_KEY } from './dictionary.ts'
import type { EarlierHeader } from './earlier-snapshot.ts'
import { aligned, readEarlierSnapshot } from './earlier-snapshot.ts'
import { readEntity, writeEntity } from './entity-bytes.ts'
import { following } from './labelled-events.ts'
import type { FeatureState } from './state.ts'

/**
 * The saved form of a state: `ASSAYFS2`, the SHA-256 (hex) of all that follows, a JSON header with its
 * length, the events that labels may name, and the entities of each kind. It holds facts only; cursors
 * and figures follow from them, and give the same values whatever way they were made.
 */
const MAGIC = 'ASSAYFS2'
const MAGIC_BEFORE = 'ASSAYFS1'
const DIGEST_LENGTH = 64
const HEADER_AT = MAGIC.length + DIGEST_LENGTH

interface Header {
  /** Version of the merged feature set. */
  readonly set: string
  readonly newestUs: number | null
  readonly lastSequence: number
  /** By dictionary: the values of the codes that follow. */
  readonly keys: readonly (readonly KeyValue[])[]
  /** How many events labels may name, and the number of the first. */
  readonly labelled: number
  readonly firstLabelled: number
  /** What the cold store held then: its mark, and how many entities. */
  readonly coldMark: number
  readonly away: number
  /** By kind: the entities, as codes. */
  readonly entities: readonly (readonly number[])[]
}

export function writeSnapshot(state: FeatureState): Uint8Array {
  const bytes = writeUnsealed(state)
  return seal(bytes, sha256Hex(bytes.subarray(HEADER_AT)))
}

/** As `writeSnapshot`: what is written is of now, its checksum is worked out aside. */
export async function writeSnapshotAside(state: FeatureState): Promise<Uint8Array> {
  const bytes = writeUnsealed(state)
  return seal(bytes, await sha256HexAside(bytes.subarray(HEADER_AT)))
}

function seal(bytes: Uint8Array, digest: string): Uint8Array {
  bytes.set(new TextEncoder().encode(digest), MAGIC.length)
  return bytes
}

function writeUnsealed(state: FeatureState): Uint8Array {
  const dense = state.dictionaries.map(() => new DenseCodes())
  const code = (dictionary: number, own: number): number =>
    own === NO_KEY ? NO_KEY : dense[dictionary].of(own)
  const event = (own: number): number => own
  // Growing by doubling would copy what takes long enough as it is: nothing is decided meanwhile.
  const body = new ByteWriter(state.snapshotBytes)
  writeLabelled(state, body, code)
  const entities = state.kinds.map((windows) => {
    const codes: number[] = []
    for (let entity = 1; entity < windows.limit; entity++) {
      if (!windows.isKnown(entity)) continue
      codes.push(code(windows.plan.dictionary, entity))
      writeEntity(windows, entity, body, { code, event })
    }
    return codes
  })
  for (const graph of state.graphs) graph.write(body)
  const header: Header = {
    set: state.version,
    newestUs: state.newestUs === -Infinity ? null : state.newestUs,
    lastSequence: state.lastSequence,
    keys: dense.map((codes, d) => codes.own.map((own) => state.dictionaries[d].valueOf(own)!)),
    labelled: state.labelled?.live ?? 0,
    firstLabelled: state.labelled?.first ?? 0,
    coldMark: state.coldMark,
    away: state.away,
    entities,
  }
  const bytes = encode(header, body.written())
  state.snapshotBytes = Math.ceil(bytes.length * 1.1)
  return bytes
}

/** Numbers codes anew, in the order in which they are first asked for. */
class DenseCodes {
  readonly own: number[] = []
  private byOwn = new Int32Array(1 << 10)

  of(own: number): number {
    if (own >= this.byOwn.length) {
      const longer = new Int32Array(Math.max(this.byOwn.length * 2, own + 1))
      longer.set(this.byOwn)
      this.byOwn = longer
    }
    const known = this.byOwn[own]
    if (known > 0) return known - 1
    this.byOwn[own] = this.own.push(own)
    return this.own.length - 1
  }
}

function writeLabelled(
  { labelled, plan }: FeatureState,
  to: ByteWriter,
  code: (dictionary: number, own: number) => number,
): void {
  if (labelled === null) return
  const dictionaries = plan.kinds.flatMap((kind) => (kind.labelled ? [kind.dictionary] : []))
  for (let i = 0, event = labelled.first; i < labelled.live; i++, event = following(event)) {
    const id = labelled.id(event)
    to.double(typeof id === 'number' ? id : Number.NaN)
    if (typeof id === 'string') to.text(id)
    to.double(labelled.time(event))
    to.integer(labelled.flags(event))
    dictionaries.forEach((dictionary, e) => to.integer(code(dictionary, labelled.code(event, e))))
  }
}

/** Fills an empty state. Fails with `feature_state_mismatch` and `feature_state_damaged`. */
export function readSnapshot(state: FeatureState, bytes: Uint8Array): void {
  const { magic, header, body } = decode(bytes)
  if (header.set !== state.version) {
    throw fail.feature_state_mismatch(
      `The state was saved for version ${header.set.slice(0, 12)} of the features; ` +
        `${state.version.slice(0, 12)} is wanted.`,
    )
  }
  if (magic === MAGIC_BEFORE) {
    state.returnTo(0, 0)
    readEarlierSnapshot(state, header as unknown as EarlierHeader, body)
    return
  }
  state.newestUs = header.newestUs ?? -Infinity
  state.returnTo(header.coldMark, header.away)
  // Each key is held while its codes are given out, so that they stay the same.
  const codes = header.keys.map((values, d) =>
    values.map((value) => state.dictionaries[d].acquire(value)),
  )
  const code = (dictionary: number, index: number): number =>
    index === NO_KEY ? NO_KEY : codes[dictionary][index]
  const from = new ByteReader(body)
  state.labelled?.beginAt(header.firstLabelled)
  readLabelled(state, header.labelled, from, code)
  state.kinds.forEach((windows, k) => {
    const { event } = state.stages[windows.plan.source]
    for (const index of header.entities[k]) {
      const entity = code(windows.plan.dictionary, index)
      readEntity(windows, entity, from, { code, event: (own) => own }, event)
      state.makeRoom()
    }
  })
  for (const graph of state.graphs) graph.read(from)
  codes.forEach((own, d) => own.forEach((each) => state.dictionaries[d].release(each)))
  state.lastSequence = header.lastSequence
}

function readLabelled(
  { labelled, plan, dictionaries }: FeatureState,
  count: number,
  from: ByteReader,
  code: (dictionary: number, index: number) => number,
): void {
  if (labelled === null) return
  const held = plan.kinds.flatMap((kind) => (kind.labelled ? [kind.dictionary] : []))
  for (let i = 0; i < count; i++) {
    const integer = from.double()
    const id = Number.isNaN(integer) ? from.text() : integer
    const timeUs = from.double()
    const flags = from.integer()
    const codes = held.map((dictionary) => code(dictionary, from.integer()))
    codes.forEach((each, e) => dictionaries[held[e]].hold(each))
    labelled.add(id, timeUs, flags, codes)
  }
}

/** Without its checksum. */
function encode(header: Header, body: Uint8Array): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(header))
  const bytes = new Uint8Array(HEADER_AT + 4 + json.length + body.length)
  bytes.set(new TextEncoder().encode(MAGIC))
  new DataView(bytes.buffer).setUint32(HEADER_AT, json.length, true)
  bytes.set(json, HEADER_AT + 4)
  bytes.set(body, HEADER_AT + 4 + json.length)
  return bytes
}

function decode(bytes: Uint8Array): { magic: string; header: Header; body: Uint8Array } {
  const text = (from: number, to: number): string =>
    new TextDecoder().decode(bytes.subarray(from, to))
  const magic = text(0, MAGIC.length)
  if (bytes.length < HEADER_AT + 4 || (magic !== MAGIC && magic !== MAGIC_BEFORE)) {
    throw fail.feature_state_damaged('The saved state does not begin as one does.')
  }
  if (text(MAGIC.length, HEADER_AT) !== sha256Hex(bytes.subarray(HEADER_AT))) {
    throw fail.feature_state_damaged('The saved state does not match its checksum.')
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(HEADER_AT, true)
  const header = JSON.parse(text(HEADER_AT + 4, HEADER_AT + 4 + length)) as Header
  const end = HEADER_AT + 4 + length
  // Columns began at a multiple of eight; what is written now needs no such place.
  return { magic, header, body: bytes.subarray(magic === MAGIC ? end : aligned(end)) }
}
