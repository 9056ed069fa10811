import { setImmediate as nextTurn } from 'node:timers/promises'
import { sha256Hex, sha256OfPieces } from '../../lib/hash.ts'
import { fail } from '../errors.ts'
import { ByteReader, PieceWriter } from './bytes.ts'
import type { Dictionary, KeyValue } from './dictionary.ts'
import { NO_KEY, grown } from './dictionary.ts'
import type { EarlierHeader } from './earlier-snapshot.ts'
import { aligned, readEarlierSnapshot } from './earlier-snapshot.ts'
import type { References } from './entity-bytes.ts'
import { readEntity, writeEntity } from './entity-bytes.ts'
import type { GraphWriting } from './graph-writing.ts'
import { distance, following } from './labelled-events.ts'
import type { FeatureState } from './state.ts'
import type { EntityWindows } from './windows.ts'

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
  const writing = new SnapshotWriting(state)
  writing.step(Infinity)
  const bytes = Uint8Array.from(Buffer.concat(writing.pieces()))
  sealWith(bytes, sha256Hex(bytes.subarray(HEADER_AT)))
  return bytes
}

/** About how much of a snapshot is written, or hashed, between two events. */
const STEP_BYTES = 64 * 1024

/**
 * As `writeSnapshot`, a little between one event and the next: the pieces, one after the other, are
 * the snapshot of the moment at which this was called.
 */
export async function writeSnapshotAside(
  writing: SnapshotWriting,
  stepBytes = STEP_BYTES,
): Promise<Uint8Array[]> {
  while (!writing.step(stepBytes)) await nextTurn()
  const pieces = writing.pieces()
  const [head, ...rest] = pieces
  sealWith(head, await sha256OfPieces([head.subarray(HEADER_AT), ...rest]))
  return pieces
}

function sealWith(beginning: Uint8Array, digest: string): void {
  beginning.set(new TextEncoder().encode(digest), MAGIC.length)
}

/**
 * A snapshot in the making, of the moment at which it was begun: what is about to change is written
 * first ("copy on update": Cao et al., *Fast Checkpoint Recovery Algorithms for Frequently Consistent
 * Applications*, SIGMOD 2011). So it can be made in steps, and nobody waits for the whole.
 */
export class SnapshotWriting {
  private readonly state: FeatureState
  private readonly codes: readonly DenseCodes[]
  private readonly labelled = new PieceWriter()
  /** Events that labels may name, at the beginning; how many of them are written. */
  private readonly labelledCount: number
  private labelledWritten = 0
  /** Of events that are not written: the flags that they had. */
  private readonly flagsBefore = new Map<number, number>()
  private readonly kinds: readonly {
    readonly windows: EntityWindows
    readonly to: PieceWriter
    /** By entity: 1 where it is written, or need not be. */
    readonly done: Uint8Array
    readonly entities: number[]
  }[]
  private readonly graphs: readonly GraphWriting[]
  private readonly header: Omit<Header, 'keys' | 'entities'>
  /** The kind and the entity that a step goes on with. */
  private kind = 0
  private entity = 1

  constructor(state: FeatureState) {
    const { labelled } = state
    this.state = state
    this.codes = state.dictionaries.map((dictionary) => new DenseCodes(dictionary))
    this.labelledCount = labelled?.live ?? 0
    this.kinds = state.kinds.map((windows) => {
      return { windows, to: new PieceWriter(), done: new Uint8Array(windows.limit), entities: [] }
    })
    this.graphs = state.graphs.map((graph) => graph.write())
    this.header = {
      set: state.version,
      newestUs: state.newestUs === -Infinity ? null : state.newestUs,
      lastSequence: state.lastSequence,
      labelled: this.labelledCount,
      firstLabelled: labelled?.first ?? 0,
      coldMark: state.coldMark,
      away: state.away,
    }
  }

  /** Must be called before anything of an entity changes, even before its windows move. */
  beforeEntity(kind: number, entity: number): void {
    const { done, windows } = this.kinds[kind]
    if (entity >= done.length || done[entity] > 0) return
    done[entity] = 1
    if (windows.isKnown(entity)) this.writeEntity(kind, entity)
  }

  /** Must be called before the flags of an event that labels may name change, or it is dropped. */
  beforeLabelled(event: number): void {
    const place = distance(this.header.firstLabelled, event)
    if (place >= this.labelledCount || place < this.labelledWritten) return
    // The first one is all that can be dropped.
    if (place === this.labelledWritten) this.writeNextLabelled()
    else if (!this.flagsBefore.has(event)) {
      this.flagsBefore.set(event, this.state.labelled!.flags(event))
    }
  }

  /** Must be called before the first edge of a graph leaves. */
  beforeEdge(graph: number): void {
    this.graphs[graph].beforeFirstLeaves()
  }

  /** Writes about so many bytes more; returns whether all is written. */
  step(bytes: number): boolean {
    let left = bytes
    for (; this.labelledWritten < this.labelledCount; left -= LABELLED_BYTES) {
      if (left <= 0) return false
      this.writeNextLabelled()
    }
    for (; this.kind < this.kinds.length; this.kind++, this.entity = 1) {
      const { windows, done } = this.kinds[this.kind]
      for (; this.entity < done.length; this.entity++) {
        if (left <= 0) return false
        const isLeft = done[this.entity] === 0
        this.beforeEntity(this.kind, this.entity)
        left -= isLeft ? windows.length(this.entity) * ENTRY_BYTES + ENTITY_BYTES : 1
      }
    }
    for (const graph of this.graphs) {
      left -= graph.step(left)
      if (!graph.isWhole) return false
    }
    return true
  }

  /** All of it, without its checksum. */
  pieces(): Uint8Array[] {
    const keys = this.codes.map(({ values }) => values)
    const entities = this.kinds.map((kind) => kind.entities)
    const head = encodeHead({ ...this.header, keys, entities })
    const parts = [this.labelled, ...this.kinds.map(({ to }) => to), ...this.graphs]
    return [head, ...parts.flatMap((part) => part.pieces())]
  }

  private writeEntity(kind: number, entity: number): void {
    const { windows, to, entities } = this.kinds[kind]
    entities.push(this.codes[windows.plan.dictionary].of(entity))
    writeEntity(windows, entity, to, this.references)
  }

  private readonly references: References = {
    code: (dictionary, own) => (own === NO_KEY ? NO_KEY : this.codes[dictionary].of(own)),
    event: (event) => event,
  }

  private writeNextLabelled(): void {
    const labelled = this.state.labelled!
    const event = following(this.header.firstLabelled, this.labelledWritten++)
    const id = labelled.id(event)
    const to = this.labelled
    to.double(typeof id === 'number' ? id : Number.NaN)
    if (typeof id === 'string') to.text(id)
    to.double(labelled.time(event))
    to.integer(this.flagsBefore.get(event) ?? labelled.flags(event))
    for (const [e, k] of this.state.labelledKinds.entries()) {
      const { dictionary } = this.state.plan.kinds[k]
      to.integer(this.references.code(dictionary, labelled.code(event, e)))
    }
  }
}

/** What is about written for each; a step need not be exact. */
const LABELLED_BYTES = 28
const ENTITY_BYTES = 64
const ENTRY_BYTES = 32

/** Numbers codes anew, in the order in which they are first asked for. */
class DenseCodes {
  readonly values: KeyValue[] = []
  private readonly dictionary: Dictionary
  private byOwn = new Int32Array(1 << 10)

  constructor(dictionary: Dictionary) {
    this.dictionary = dictionary
  }

  of(own: number): number {
    if (own >= this.byOwn.length) this.byOwn = grown(this.byOwn, own + 1)
    const known = this.byOwn[own] - 1
    const value = this.dictionary.valueOf(own)!
    // A code that was let go of in the meantime may stand for another value.
    if (known >= 0 && this.values[known] === value) return known
    this.byOwn[own] = this.values.push(value)
    return this.values.length - 1
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

/** What comes before the body, without its checksum. */
function encodeHead(header: Header): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(header))
  const bytes = new Uint8Array(HEADER_AT + 4 + json.length)
  bytes.set(new TextEncoder().encode(MAGIC))
  new DataView(bytes.buffer).setUint32(HEADER_AT, json.length, true)
  bytes.set(json, HEADER_AT + 4)
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
