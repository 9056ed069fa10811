import type { ColdStore } from '../cold.ts'
import { ColdEntities } from './cold-entities.ts'
import type { Dictionary } from './dictionary.ts'
import type { LiveGraph } from './graphs.ts'
import type { LabelledEvents } from './labelled-events.ts'
import type { Plan } from './plan.ts'
import type { EntityWindows } from './windows.ts'

/**
 * Shares of the memory that a state may take: rings; what is kept for each entity and key; events
 * that labels may name. Neither of them can give back what it has, so none may take another's. The
 * rest is for what one event adds before anything can be moved out.
 */
const RINGS_MAX = 0.4
const RECORDS_MAX = 0.45
const LABELLED_MAX = 0.1
/** By how much each of them grows at a time, at most. */
const GROWTH = 0.25
/** Rings that are in use up to here find room within what there is, once it is put in order. */
const RINGS_FULL = 0.65
/** Records are full where so few codes are free, or so small a share of them. */
const CODES_FREE = 8
const CODES_FREE_SHARE = 0.02
/** How much more room events that labels may name take at a time, at most. */
const LABELLED_STEP_BYTES = 4096 * 32
/**
 * How many entities of a kind are moved out with one event, at most: mostly one or two, but many small
 * ones have to make room for a large one that came back. And how many places are looked at for each.
 */
const MOVED_EACH = 1000
const TRIED_EACH = 512
/** The same of events that labels may name. */
const EVENTS_MOVED_EACH = 8
/** After how many events what lies in the cold store for nothing is removed, and how much at once. */
const EXPIRED_EVERY = 256
const EXPIRED_MAX = 512

/** Events of an entity that has no new ones may stay longer than they are reached, by this share. */
const LINGER_SHARE = 1 / 8

/** What lies in the cold store may lie there longer than needed, by this share of the longest window. */
const EXPIRY_STEP = 1 / 8

/** How much memory a state may take, and where what has no room in it goes. */
export interface MemoryLimit {
  /** For `FeatureStateStatistics.bytes`. A single entity is never divided, nor a graph moved out. */
  readonly maxBytes: number
  readonly cold: ColdStore
}

/** What a state is made of. */
export interface StateParts {
  readonly plan: Plan
  readonly dictionaries: readonly Dictionary[]
  readonly kinds: readonly EntityWindows[]
  readonly graphs: readonly LiveGraph[]
  readonly labelled: LabelledEvents | null
  /** Positions of the kinds that labels change. */
  readonly labelledKinds: readonly number[]
  /** Newest event time of the features' source, microseconds UTC. */
  readonly newestUs: number
}

/** Lets go of what no window reaches any more, and moves out what memory has no room for. */
export class Upkeep {
  readonly cold: ColdEntities | undefined
  private readonly state: StateParts
  private readonly memory: MemoryLimit | undefined
  /** By kind: how far behind the newest event a window of an event that may still come reaches. */
  private readonly reachesUs: Float64Array
  /** By kind: the entity that was looked after last. */
  private readonly swept: Int32Array
  /** By kind: the entity that was looked at last, of those that may be moved out. */
  private readonly hands: Int32Array
  /** For how long after its event a label may change a figure. */
  private readonly labelsReachUs: number
  /** Times of expiry are multiples of this, so that most entities keep theirs from write to write. */
  private readonly expiryStepUs: number
  private turns = 0

  private readonly beforeEntity: (kind: number, entity: number) => void

  /** `beforeEntity` is told of an entity that is about to change. */
  constructor(
    state: StateParts,
    memory: MemoryLimit | undefined,
    beforeEntity: (kind: number, entity: number) => void,
  ) {
    this.state = state
    this.memory = memory
    this.beforeEntity = beforeEntity
    this.cold = memory && new ColdEntities(memory.cold, state.dictionaries, state.kinds)
    this.swept = new Int32Array(state.kinds.length)
    this.hands = new Int32Array(state.kinds.length)
    const { sources, kinds, horizonUs } = state.plan
    this.reachesUs = Float64Array.from(
      kinds,
      (kind) => kind.horizonUs + Math.max(sources[0].toleranceUs, sources[kind.source].toleranceUs),
    )
    this.labelsReachUs = Math.max(0, ...state.labelledKinds.map((k) => this.reachesUs[k]))
    this.expiryStepUs = Math.max(1, Math.ceil(horizonUs * EXPIRY_STEP))
  }

  /** Looks after one entity of each kind, so that what nobody asks for again is let go of as well. */
  sweep(): void {
    const { kinds } = this.state
    for (let k = 0; k < kinds.length; k++) {
      const windows = kinds[k]
      const entity = this.swept[k] + 1 < windows.limit ? this.swept[k] + 1 : 1
      this.swept[k] = entity
      if (entity >= windows.limit) continue
      // Most entities have events of their own soon, and let old ones go then: they are at hand anyway.
      const lingerUs = this.reachesUs[k] * LINGER_SHARE
      if (windows.hasUntil(entity, this.forgottenUs(k) - lingerUs)) this.tidy(windows, k, entity)
    }
    for (const graph of this.state.graphs) graph.evict(this.graphForgottenUs(graph))
    this.sweepLabelled()
  }

  private graphForgottenUs({ part }: LiveGraph): number {
    return this.state.newestUs - this.state.plan.sources[0].toleranceUs - part.plan.horizonUs
  }

  /** Labels of events up to this time change nothing any more. */
  get unlabelledUs(): number {
    return this.state.newestUs - this.labelsReachUs
  }

  private sweepLabelled(): void {
    const { labelled } = this.state
    if (labelled === null) return
    const throughUs = this.unlabelledUs
    while (labelled.live > 0 && labelled.time(labelled.first) <= throughUs) {
      for (let i = 0; i < this.state.labelledKinds.length; i++) {
        this.labelledDictionary(i).release(labelled.code(labelled.first, i))
      }
      labelled.dropFirst()
    }
  }

  /** Lets go of everything that no window reaches. */
  tidyAll(): void {
    for (const [k, windows] of this.state.kinds.entries()) {
      for (let entity = 1; entity < windows.limit; entity++) this.tidy(windows, k, entity)
    }
  }

  /** No window of any event that may still come reaches back to this time. */
  private forgottenUs(kind: number): number {
    return this.state.newestUs - this.reachesUs[kind]
  }

  /** Lets an entity's old events go; its windows stand at a time of an event that may still come. */
  forgetPast(windows: EntityWindows, kind: number, entity: number): void {
    windows.evict(entity, this.forgottenUs(kind))
    if (windows.length(entity) === 0 && !windows.plan.ever) windows.forget(entity)
  }

  /** Lets an entity's old events go, wherever its windows stand. */
  private tidy(windows: EntityWindows, kind: number, entity: number): void {
    if (!windows.hasUntil(entity, this.forgottenUs(kind))) return
    this.beforeEntity(kind, entity)
    windows.seek(entity, this.state.newestUs)
    this.forgetPast(windows, kind, entity)
  }

  /** A time from which on no label of an event of this time changes anything. */
  labelsExpireUs(timeUs: number): number {
    return this.expiryUs(timeUs + this.labelsReachUs)
  }

  /** That time or a little later: one for many, see `expiryStepUs`. */
  private expiryUs(timeUs: number): number {
    return Math.ceil(timeUs / this.expiryStepUs) * this.expiryStepUs
  }

  /**
   * Moves what was not used lately out of memory, a little at a time, instead of letting memory grow
   * beyond the limit.
   */
  makeRoom(): void {
    const { memory, cold } = this
    if (memory === undefined || cold === undefined) return
    for (let i = 0; i < MOVED_EACH; i++) {
      const full = this.areRecordsFull(memory.maxBytes * RECORDS_MAX)
      const moved = full
        ? this.moveOneOfEach(cold)
        : this.makeRoomInRings(cold, memory.maxBytes * RINGS_MAX)
      if (!moved) break
    }
    const bytes = this.state.labelled?.bytes() ?? 0
    if (bytes * (1 + GROWTH) + LABELLED_STEP_BYTES > memory.maxBytes * LABELLED_MAX) {
      this.moveEventsOut(cold, EVENTS_MOVED_EACH)
    }
    if (++this.turns % EXPIRED_EVERY === 0) memory.cold.expire(this.state.newestUs, EXPIRED_MAX)
  }

  /** Whether a record more could make them grow to more than so many bytes. */
  private areRecordsFull(bytesMax: number): boolean {
    const { kinds, dictionaries, graphs } = this.state
    let bytes = 0
    let growth = 0
    for (const windows of kinds) {
      const own = windows.bytes() - windows.rings.bytes()
      bytes += own
      const codes = dictionaries[windows.plan.dictionary].size
      const full = codes * (1 + CODES_FREE_SHARE) + CODES_FREE > windows.limit
      if (full) growth += own * GROWTH
    }
    if (growth === 0) return false
    for (const dictionary of dictionaries) bytes += dictionary.bytes()
    for (const graph of graphs) bytes += graph.bytes()
    return bytes + growth > bytesMax
  }

  /** Moves out what holds codes: an entity of each kind, and an event; returns whether there was any. */
  private moveOneOfEach(cold: ColdEntities): boolean {
    let moved = false
    for (let k = 0; k < this.hands.length; k++) moved = this.moveOut(cold, k) || moved
    return this.moveEventsOut(cold, 1) || moved
  }

  /** Moves an entity out of each kind whose rings could grow too far; returns whether there was any. */
  private makeRoomInRings(cold: ColdEntities, bytesMax: number): boolean {
    const { kinds } = this.state
    let bytes = 0
    for (const { rings } of kinds) bytes += rings.bytes()
    let moved = false
    for (let k = 0; k < kinds.length; k++) {
      const { rings } = kinds[k]
      const full = rings.bytesInUse() > rings.bytes() * RINGS_FULL
      if (!full || bytes + rings.bytes() * GROWTH <= bytesMax) continue
      moved = this.moveOut(cold, k) || moved
    }
    return moved
  }

  /** Moves out an entity of a kind that was not used lately; returns whether one was found. */
  private moveOut(cold: ColdEntities, kind: number): boolean {
    const windows = this.state.kinds[kind]
    for (let tried = 0; tried < TRIED_EACH; tried++) {
      const entity = this.hands[kind] + 1 < windows.limit ? this.hands[kind] + 1 : 1
      this.hands[kind] = entity
      if (entity >= windows.limit || !windows.isKnown(entity) || windows.wasUsed(entity)) continue
      const reachedUs = windows.newestUs(entity) + this.reachesUs[kind]
      this.beforeEntity(kind, entity)
      cold.freeze(kind, windows, entity, windows.plan.ever ? Infinity : this.expiryUs(reachedUs))
      return true
    }
    return false
  }

  /** Moves out the oldest events that labels may name; returns whether there were any. */
  private moveEventsOut(cold: ColdEntities, count: number): boolean {
    const { labelled } = this.state
    if (labelled === null || labelled.live === 0) return false
    for (let i = 0; i < count && labelled.live > 0; i++) {
      const event = labelled.first
      const codes = this.state.labelledKinds.map((_, e) => labelled.code(event, e))
      const timeUs = labelled.time(event)
      const flags = labelled.flags(event)
      const keys = codes.map((code, e) => this.labelledDictionary(e).valueOf(code))
      cold.putEvent(labelled.id(event), { event, timeUs, flags, keys }, this.labelsExpireUs(timeUs))
      codes.forEach((code, e) => this.labelledDictionary(e).release(code))
      labelled.dropFirst()
    }
    return true
  }

  /** The dictionary of the entities of a kind that labels change. */
  labelledDictionary(index: number): Dictionary {
    return this.state.dictionaries[
      this.state.plan.kinds[this.state.labelledKinds[index]].dictionary
    ]
  }
}
