import type { ColdStore } from '../cold.ts'
import { ColdEntities } from './cold-entities.ts'
import type { Dictionary } from './dictionary.ts'
import type { LiveGraph } from './graphs.ts'
import type { LabelledEvents } from './labelled-events.ts'
import type { Plan } from './plan.ts'
import type { EntityWindows } from './windows.ts'

/** Of each kind, this many entities are looked after with every event, whoever’s it is. */
const SWEPT_EACH = 1

/**
 * What may be in use of the memory that a state may take: the rest is room for rings that grow, and
 * for what lies idle between them.
 */
const IN_USE_MAX = 0.5
/** How many are moved out with one event, and how many are looked at for each. */
const MOVED_EACH = 8
const TRIED_EACH = 32
/** After how many events what lies in the cold store for nothing is removed, and how much at once. */
const EXPIRED_EVERY = 256
const EXPIRED_MAX = 512

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
  /** By kind: the entity that was looked after last. */
  private readonly swept: Int32Array
  /** By kind: the entity that was looked at last, of those that may be moved out. */
  private readonly hands: Int32Array
  private turns = 0

  constructor(state: StateParts, memory: MemoryLimit | undefined) {
    this.state = state
    this.memory = memory
    this.cold = memory && new ColdEntities(memory.cold, state.dictionaries)
    this.swept = new Int32Array(state.kinds.length)
    this.hands = new Int32Array(state.kinds.length)
  }

  /** Looks after a few entities, so that what nobody asks for again is let go of as well. */
  sweep(): void {
    for (let k = 0; k < this.state.kinds.length; k++) {
      const windows = this.state.kinds[k]
      for (let i = 0; i < SWEPT_EACH; i++) {
        this.swept[k] = this.swept[k] + 1 < windows.limit ? this.swept[k] + 1 : 1
        if (this.swept[k] < windows.limit) this.tidy(windows, k, this.swept[k])
      }
    }
    for (const graph of this.state.graphs) graph.evict(this.graphForgottenUs(graph))
    this.sweepLabelled()
  }

  private graphForgottenUs({ part }: LiveGraph): number {
    return this.state.newestUs - this.state.plan.sources[0].toleranceUs - part.plan.horizonUs
  }

  /** Labels of events up to this time change nothing any more. */
  get unlabelledUs(): number {
    let throughUs = Infinity
    for (const k of this.state.labelledKinds) throughUs = Math.min(throughUs, this.forgottenUs(k))
    return throughUs
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
    const { sources, kinds } = this.state.plan
    const { horizonUs, source } = kinds[kind]
    const toleranceUs = Math.max(sources[0].toleranceUs, sources[source].toleranceUs)
    return this.state.newestUs - toleranceUs - horizonUs
  }

  /** Lets an entity's old events go; its windows stand at a time of an event that may still come. */
  forgetPast(windows: EntityWindows, kind: number, entity: number): void {
    windows.evict(entity, this.forgottenUs(kind))
    if (windows.length(entity) === 0 && !windows.plan.ever) windows.forget(entity)
  }

  /** Lets an entity's old events go, wherever its windows stand. */
  private tidy(windows: EntityWindows, kind: number, entity: number): void {
    if (!windows.hasUntil(entity, this.forgottenUs(kind))) return
    windows.seek(entity, this.state.newestUs)
    this.forgetPast(windows, kind, entity)
  }

  /** When what happened at a time matters to nothing any more. */
  expiryUs(timeUs: number): number {
    const { sources, kinds, horizonUs } = this.state.plan
    if (kinds.some(({ ever }) => ever)) return Infinity
    return timeUs + horizonUs + Math.max(...sources.map(({ toleranceUs }) => toleranceUs))
  }

  /** Moves what was not used lately out of memory, a little at a time, once too much is in use. */
  makeRoom(): void {
    const { memory, cold } = this
    if (memory === undefined || cold === undefined) return
    const roomBytes = memory.maxBytes * IN_USE_MAX
    for (let i = 0; i < MOVED_EACH && this.bytesInUse() > roomBytes; i++) this.moveOut(cold)
    if (++this.turns % EXPIRED_EVERY === 0) memory.cold.expire(this.state.newestUs, EXPIRED_MAX)
  }

  /** Memory that is in use, without the room for more. */
  private bytesInUse(): number {
    let bytes = this.state.labelled?.bytes() ?? 0
    for (const windows of this.state.kinds) bytes += windows.bytesInUse()
    for (const dictionary of this.state.dictionaries) bytes += dictionary.bytes()
    for (const graph of this.state.graphs) bytes += graph.bytes()
    return bytes
  }

  /** Moves out one entity of each kind, and the events that labels named long ago. */
  private moveOut(cold: ColdEntities): void {
    for (let k = 0; k < this.state.kinds.length; k++) {
      const windows = this.state.kinds[k]
      for (let tried = 0; tried < TRIED_EACH; tried++) {
        const entity = this.hands[k] + 1 < windows.limit ? this.hands[k] + 1 : 1
        this.hands[k] = entity
        if (entity >= windows.limit || !windows.isKnown(entity) || windows.wasUsed(entity)) continue
        const expiresUs = windows.plan.ever ? Infinity : this.expiryUs(windows.newestUs(entity))
        cold.freeze(k, windows, entity, expiresUs)
        break
      }
    }
    const { labelled } = this.state
    for (let i = 0; i < MOVED_EACH && labelled !== null && labelled.live > 0; i++) {
      const event = labelled.first
      const codes = this.state.labelledKinds.map((_, e) => labelled.code(event, e))
      const timeUs = labelled.time(event)
      const flags = labelled.flags(event)
      const keys = codes.map((code, e) => this.labelledDictionary(e).valueOf(code))
      cold.putEvent(labelled.id(event), { event, timeUs, flags, keys }, this.expiryUs(timeUs))
      codes.forEach((code, e) => this.labelledDictionary(e).release(code))
      labelled.dropFirst()
    }
  }

  /** The dictionary of the entities of a kind that labels change. */
  labelledDictionary(index: number): Dictionary {
    return this.state.dictionaries[
      this.state.plan.kinds[this.state.labelledKinds[index]].dictionary
    ]
  }
}
