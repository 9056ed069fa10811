import type { CompiledSource, Row } from '../../data/index.ts'
import { formatDuration, formatTimestamp } from '../../lib/time.ts'
import { mergeSets } from '../compile.ts'
import type { CompiledFeatureSet } from '../compiled.ts'
import { fail } from '../errors.ts'
import type { ColdStore } from '../cold.ts'
import { ColdEntities } from './cold-entities.ts'
import { Dictionary, NO_KEY } from './dictionary.ts'
import type { Explanation } from './explain.ts'
import { explainFeature } from './explain.ts'
import { LiveGraph } from './graphs.ts'
import type { EventId } from './labelled-events.ts'
import { LabelledEvents, eventIdOf } from './labelled-events.ts'
import type { LabelPlan, Plan } from './plan.ts'
import { planOf } from './planner.ts'
import { read } from './readings.ts'
import { readSnapshot, writeSnapshot } from './snapshot.ts'
import { SourceStage, keyOf } from './stage.ts'
import type { StagedEvent } from './windows.ts'
import { EntityWindows } from './windows.ts'

/** Of each kind, this many entities are looked after with every event, whoever’s it is. */
const SWEPT_EACH = 1

/**
 * What may be in use of the memory that a state may take: the rest is room for rings that grow, and
 * for what lies idle between them.
 */
const IN_USE_MAX = 0.6
/** How many are moved out with one event, how many are looked at for each, and how many expire. */
const MOVED_EACH = 8
const TRIED_EACH = 32
const EXPIRED_EACH = 4

/** What became of a label: it changed figures, said what was known, or came for no live event. */
export type LabelOutcome = 'applied' | 'unchanged' | 'unknownEvent'

/** How much memory a state may take, and where what has no room in it goes. */
export interface MemoryLimit {
  /** For `FeatureStateStatistics.bytes`. A single entity is never divided, however large it is. */
  readonly maxBytes: number
  readonly cold: ColdStore
}

export interface FeatureStateStatistics {
  /** Events that a window may still reach, counted once for each of their entities. */
  readonly liveEvents: number
  /** Entities with live events, by their keys: `customer_id`, `customer_id+terminal_id`. */
  readonly entities: Readonly<Record<string, number>>
  /** Memory of the state, near enough. */
  readonly bytes: number
  /** What lies in the cold store: entities, and events that labels may name. */
  readonly away: number
  /** The newest event time, microseconds UTC; −Infinity before the first event. */
  readonly newestUs: number
  readonly lastSequence: number
}

/**
 * A state for the features of one source, without any events yet. `others` are the further sources
 * that the sets read.
 */
export function createFeatureState(
  sets: readonly CompiledFeatureSet[],
  source: CompiledSource,
  others: readonly CompiledSource[] = [],
  memory?: MemoryLimit,
): FeatureState {
  const set = mergeSets(sets)
  const read = others.filter(({ name }) => set.sources?.some((side) => side.source === name))
  return new FeatureState(planOf(set, [source, ...read]), memory)
}

/**
 * The state that a snapshot was taken of. Fails with `feature_state_mismatch` where it was taken for
 * other declarations, and with `feature_state_damaged`.
 */
export function restoreFeatureState(
  bytes: Uint8Array,
  sets: readonly CompiledFeatureSet[],
  source: CompiledSource,
  others: readonly CompiledSource[] = [],
  memory?: MemoryLimit,
): FeatureState {
  const state = createFeatureState(sets, source, others, memory)
  state.restore(bytes)
  return state
}

/**
 * The one operator behind history, stream and request. It keeps what its windows can reach of the
 * events of one source, and of those of others that its features look at, and gives each event of the
 * first the values of all features as of (event time, sequence). Its caller is its clock and its log:
 * facts come with rising sequences, one thread, no waiting.
 */
export class FeatureState {
  readonly plan: Plan
  /** Names of the features, in the order of a vector: the sets' features, each once. */
  readonly names: readonly string[]
  /** Sequence of the last fact applied; 0 before the first. */
  lastSequence = 0
  /** Newest event time of the features' source, microseconds UTC. */
  newestUs = -Infinity
  readonly dictionaries: readonly Dictionary[]
  readonly kinds: readonly EntityWindows[]
  /** Null where the set reads no labels. */
  readonly labelled: LabelledEvents | null
  readonly stages: readonly SourceStage[]
  readonly graphs: readonly LiveGraph[]
  private readonly own: SourceStage
  private readonly labels: ReadonlyMap<string, LabelPlan>
  /** Positions of the kinds that labels change. */
  private readonly labelledKinds: readonly number[]
  private readonly swept: Int32Array
  private readonly memory: MemoryLimit | undefined
  private readonly cold: ColdEntities | undefined
  /** By kind: the entity that was looked at last, of those that may be moved out. */
  private readonly hands: Int32Array
  /** The cold store's mark that belongs to the last snapshot; 0 before the first. */
  coldMark = 0

  constructor(plan: Plan, memory?: MemoryLimit) {
    this.plan = plan
    this.names = plan.names
    this.dictionaries = plan.dictionaries.map(() => new Dictionary())
    this.kinds = plan.kinds.map(
      (kind) => new EntityWindows(kind, plan.sources[kind.source].stored, this.dictionaries),
    )
    this.stages = plan.sources.map((source) => new SourceStage(source, plan, this.dictionaries))
    this.own = this.stages[0]
    this.labels = new Map(plan.labels.map((label) => [label.name, label]))
    this.labelledKinds = plan.kinds.flatMap((kind, k) => (kind.labelled ? [k] : []))
    this.labelled = plan.labels.length > 0 ? new LabelledEvents(this.labelledKinds.length) : null
    this.graphs = plan.sources[0].graphs.map((part) => new LiveGraph(part))
    this.swept = new Int32Array(plan.kinds.length)
    this.hands = new Int32Array(plan.kinds.length)
    this.memory = memory
    this.cold = memory && new ColdEntities(memory.cold, this.dictionaries)
  }

  /** Hash of everything that the values depend on. */
  get version(): string {
    return this.plan.set.version
  }

  /** Events at or before this time are refused, because what they would need may be gone. */
  get tooLateUs(): number {
    return this.newestUs - this.plan.sources[0].toleranceUs
  }

  /**
   * Takes an event in and returns its features, in the order of `names`, NaN where missing. The row
   * passed the source's contract and its id is new. An event that is older than others counts from
   * its own time on. Fails with `feature_event_too_late` beyond the source's declared lateness.
   */
  apply(row: Row, sequence: number): Float64Array {
    const vector = new Float64Array(this.names.length)
    this.applyInto(row, sequence, vector)
    return vector
  }

  /** As `apply`, into an array that the caller reuses. */
  applyInto(row: Row, sequence: number, vector: Float64Array): void {
    const { own } = this
    this.checkTime(own, row)
    this.advanceSequence(sequence)
    this.takeIn(own, row)
    own.evaluate(this.plan.outputs, vector)
    if (own.event.timeUs > this.newestUs) this.newestUs = own.event.timeUs
    this.sweep()
    this.makeRoom()
  }

  /**
   * Takes in an event of another source that the features look at; rows of sources that they do not
   * read change nothing. Fails as `apply`, by that source's own lateness.
   */
  applyOther(source: string, row: Row, sequence: number): void {
    const stage = this.stages.find(({ plan }) => plan.name === source)
    if (stage === undefined || stage === this.own) {
      this.advanceSequence(sequence)
      return
    }
    this.checkTime(stage, row)
    this.advanceSequence(sequence)
    this.takeIn(stage, row)
    this.makeRoom()
  }

  private takeIn(stage: SourceStage, row: Row): void {
    stage.begin(row)
    if (this.cold !== undefined) this.recallAll(stage, row)
    stage.acquireKeys(row)
    this.lookBack(stage, row)
    stage.derive()
    const { event } = stage
    if (this.labelled !== null && stage === this.own) {
      const codes = this.labelledKinds.map((k) => event.codes[this.plan.kinds[k].dictionary])
      for (let i = 0; i < codes.length; i++) this.labelledDictionary(i).hold(codes[i])
      event.event = this.labelled.add(
        eventIdOf(row[stage.plan.idPosition]!),
        event.timeUs,
        event.flags,
        codes,
      )
    }
    for (const { kind, view } of stage.kinds) {
      const windows = this.kinds[kind]
      const entity = event.codes[windows.plan.dictionary]
      if (entity === NO_KEY) continue
      // Without a view nobody has moved the windows yet.
      if (view === undefined) {
        this.ready(kind, entity)
        windows.seek(entity, event.timeUs)
      }
      windows.countCurrent(entity, event)
      if (view !== undefined) {
        read(view.after, windows, entity, event, event.timeUs, stage.values.aggregates)
      }
      windows.insert(entity, event)
      this.forgetPast(windows, kind, entity)
    }
    stage.releaseKeys()
    if (stage === this.own) for (const graph of this.graphs) graph.insert(row, stage)
  }

  /** Reads what the staged event may know of its past, before it counts itself. */
  private lookBack(stage: SourceStage, row: Row): void {
    const { values, event, plan } = stage
    if (stage === this.own) for (const graph of this.graphs) graph.look(row, stage)
    for (let v = 0; v < plan.views.length; v++) {
      const view = plan.views[v]
      const windows = this.kinds[view.kind]
      const entity = view.own
        ? event.codes[windows.plan.dictionary]
        : this.dictionaries[windows.plan.dictionary].find(keyOf(row, view.keys))
      stage.entities[v] = entity
      if (entity === NO_KEY) continue
      this.ready(view.kind, entity)
      windows.touch(entity, event.timeUs)
    }
    for (let v = 0; v < plan.views.length; v++) {
      const view = plan.views[v]
      const windows = this.kinds[view.kind]
      const entity = stage.entities[v]
      if (entity === NO_KEY) {
        for (const at of view.aggregates) values.aggregates[at] = Number.NaN
        continue
      }
      windows.seek(entity, event.timeUs)
      read(view.before, windows, entity, null, event.timeUs, values.aggregates)
    }
  }

  /** Makes room for an entity, and brings it back where it is in the cold store. */
  private ready(kind: number, entity: number): void {
    const windows = this.kinds[kind]
    windows.reserve(entity)
    if (this.cold === undefined || this.cold.away === 0 || windows.isKnown(entity)) return
    const value = this.dictionaries[windows.plan.dictionary].valueOf(entity)
    if (value !== undefined) this.cold.thaw(kind, windows, entity, value, this.thawed(kind))
  }

  /**
   * Brings back all whose past a row looks at. Memory may know nothing of them, not even their keys,
   * and with them come the codes that the row's own values are found by.
   */
  private recallAll({ plan }: SourceStage, row: Row): void {
    for (const { kind, keys } of plan.views) {
      const value = keyOf(row, keys)
      const dictionary = this.dictionaries[this.plan.kinds[kind].dictionary]
      if (value === undefined || !this.cold!.has(kind, value)) continue
      const entity = dictionary.acquire(value)
      this.ready(kind, entity)
      dictionary.release(entity)
    }
  }

  /** A place for the events of an entity that is read. */
  private thawed(kind: number): StagedEvent {
    return this.stages[this.plan.kinds[kind].source].scratch
  }

  /** The features that `apply` would return for this event now; nothing changes. */
  peek(row: Row): Float64Array {
    return this.look(row, true)
  }

  /**
   * The features of a row that is no event: what is known of its keys at its time. Windows hold past
   * events only; columns that the row lacks are missing.
   */
  valuesAt(row: Row): Float64Array {
    return this.look(row, false)
  }

  private look(row: Row, counts: boolean): Float64Array {
    const { own } = this
    this.checkTime(own, row)
    own.begin(row)
    if (this.cold !== undefined) this.recallAll(own, row)
    own.findKeys(row)
    this.lookBack(own, row)
    if (counts) own.derive()
    const { event, values, plan } = own
    for (let v = 0; v < plan.views.length; v++) {
      const view = plan.views[v]
      const windows = this.kinds[view.kind]
      const entity = own.entities[v]
      if (entity === NO_KEY || view.after.length === 0) continue
      windows.save(entity)
      if (counts) windows.countCurrent(entity, event)
      const current = counts ? event : null
      read(view.after, windows, entity, current, event.timeUs, values.aggregates)
      windows.undo(entity)
    }
    const vector = new Float64Array(this.names.length)
    own.evaluate(this.plan.outputs, vector)
    this.makeRoom()
    return vector
  }

  /**
   * Takes in what became known of an event: the number that stands for the label's value in its
   * declaration, or null where it is withdrawn. What is applied last holds.
   */
  applyLabel(
    labels: string,
    eventId: string | number,
    value: number | null,
    sequence: number,
  ): LabelOutcome {
    this.advanceSequence(sequence)
    return this.label(labels, eventId, value)
  }

  /** As `applyLabel`, for labels that share a sequence with what follows: those of a history. */
  label(labels: string, eventId: string | number, value: number | null): LabelOutcome {
    const label = this.labels.get(labels)
    const { labelled } = this
    if (label === undefined || labelled === null) return 'unchanged'
    const event = labelled.find(eventIdOf(eventId))
    if (event < 0) return this.labelCold(label, eventIdOf(eventId), value)
    const old = labelled.flags(event)
    const positive = value === label.positive
    const flags = positive ? old | label.mask : old & ~label.mask
    if (flags === old) return 'unchanged'
    labelled.setFlags(event, flags)
    for (let i = 0; i < this.labelledKinds.length; i++) {
      const entity = labelled.code(event, i)
      if (entity === NO_KEY) continue
      this.ready(this.labelledKinds[i], entity)
      this.kinds[this.labelledKinds[i]].relabel(entity, event, labelled.time(event), flags)
    }
    this.makeRoom()
    return 'applied'
  }

  /** As `label`, for an event that memory has no room for. */
  private labelCold(label: LabelPlan, id: EventId, value: number | null): LabelOutcome {
    const { cold, labelledKinds } = this
    const known = cold?.event(id, labelledKinds.length)
    if (cold === undefined || known === undefined) return 'unknownEvent'
    const { event, timeUs, keys } = known
    const flags = value === label.positive ? known.flags | label.mask : known.flags & ~label.mask
    if (flags === known.flags) return 'unchanged'
    cold.putEvent(id, { ...known, flags }, this.expiryUs(timeUs))
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]
      if (key === undefined) continue
      const entity = this.labelledDictionary(i).acquire(key)
      this.ready(labelledKinds[i], entity)
      this.kinds[labelledKinds[i]].relabel(entity, event, timeUs, flags)
      this.labelledDictionary(i).release(entity)
    }
    this.makeRoom()
    return 'applied'
  }

  /** The events behind a feature's value: what `peek` gives for an event, `valuesAt` for a row. */
  explain(row: Row, feature: string, as: 'event' | 'row' = 'event'): Explanation {
    return explainFeature(this, row, feature, as)
  }

  statistics(): FeatureStateStatistics {
    const entities: Record<string, number> = {}
    let bytes = this.labelled?.bytes() ?? 0
    let liveEvents = 0
    for (const windows of this.kinds) {
      bytes += windows.bytes()
      const known = windows.count()
      liveEvents = Math.max(liveEvents, known.events)
      entities[windows.plan.keys.join('+')] = known.entities
    }
    for (const dictionary of this.dictionaries) bytes += dictionary.bytes()
    for (const graph of this.graphs) bytes += graph.bytes()
    const { newestUs, lastSequence } = this
    return { liveEvents, entities, bytes, away: this.away, newestUs, lastSequence }
  }

  /** What lies in the cold store. */
  get away(): number {
    return this.cold?.away ?? 0
  }

  /** The state as bytes, for `restoreFeatureState`: live events and labels, no derived figures. */
  snapshot(): Uint8Array {
    for (const [k, windows] of this.kinds.entries()) {
      for (let entity = 1; entity < windows.limit; entity++) this.tidy(windows, k, entity)
    }
    return writeSnapshot(this)
  }

  /**
   * As `snapshot`, together with what lies in the cold store: the bytes count once the returned
   * promise has resolved.
   */
  async checkpoint(): Promise<Uint8Array> {
    if (this.memory !== undefined) this.coldMark++
    const bytes = this.snapshot()
    await this.memory?.cold.mark(this.coldMark)
    return bytes
  }

  /** Takes the cold store back to where it was when a snapshot was taken. */
  returnTo(mark: number, away: number): void {
    this.coldMark = mark
    if (this.cold === undefined || this.memory === undefined) {
      if (away === 0) return
      throw fail.feature_state_mismatch(
        'Part of the saved state is in a cold store, which is gone.',
      )
    }
    this.memory.cold.returnTo(mark)
  }

  /** Fills an empty state from a snapshot. */
  restore(bytes: Uint8Array): void {
    if (this.lastSequence > 0) throw new Error('Only an empty state can be restored.')
    readSnapshot(this, bytes)
  }

  private advanceSequence(sequence: number): void {
    if (!(sequence > this.lastSequence)) {
      throw new Error(`Sequence ${sequence} does not follow ${this.lastSequence}.`)
    }
    this.lastSequence = sequence
  }

  /** No window of any event that may still come reaches back to this time. */
  private forgottenUs(kind: number): number {
    const { sources, kinds } = this.plan
    const { horizonUs, source } = kinds[kind]
    const toleranceUs = Math.max(sources[0].toleranceUs, sources[source].toleranceUs)
    return this.newestUs - toleranceUs - horizonUs
  }

  private forgetPast(windows: EntityWindows, kind: number, entity: number): void {
    windows.evict(entity, this.forgottenUs(kind))
    if (windows.length(entity) === 0 && !windows.plan.ever) windows.forget(entity)
  }

  /** Lets an entity's old events go, wherever its windows stand. */
  private tidy(windows: EntityWindows, kind: number, entity: number): void {
    if (!windows.hasUntil(entity, this.forgottenUs(kind))) return
    windows.seek(entity, this.newestUs)
    this.forgetPast(windows, kind, entity)
  }

  /** When what happened at a time matters to nothing any more. */
  private expiryUs(timeUs: number): number {
    const { sources, kinds, horizonUs } = this.plan
    if (kinds.some(({ ever }) => ever)) return Infinity
    return timeUs + horizonUs + Math.max(...sources.map(({ toleranceUs }) => toleranceUs))
  }

  /** Moves what was not used lately out of memory, a little at a time, once too much is in use. */
  private makeRoom(): void {
    const { memory, cold } = this
    if (memory === undefined || cold === undefined) return
    const roomBytes = memory.maxBytes * IN_USE_MAX
    for (let i = 0; i < MOVED_EACH && this.bytesInUse() > roomBytes; i++) this.moveOut(cold)
    memory.cold.expire(this.newestUs, EXPIRED_EACH)
  }

  private bytesInUse(): number {
    let bytes = this.labelled?.bytes() ?? 0
    for (const windows of this.kinds) bytes += windows.bytesInUse()
    for (const dictionary of this.dictionaries) bytes += dictionary.bytes()
    for (const graph of this.graphs) bytes += graph.bytes()
    return bytes
  }

  /** Moves out one entity of each kind, and the events that labels named long ago. */
  private moveOut(cold: ColdEntities): void {
    for (let k = 0; k < this.kinds.length; k++) {
      const windows = this.kinds[k]
      for (let tried = 0; tried < TRIED_EACH; tried++) {
        const entity = this.hands[k] + 1 < windows.limit ? this.hands[k] + 1 : 1
        this.hands[k] = entity
        if (entity >= windows.limit || !windows.isKnown(entity) || windows.wasUsed(entity)) continue
        const expiresUs = windows.plan.ever ? Infinity : this.expiryUs(windows.newestUs(entity))
        cold.freeze(k, windows, entity, expiresUs)
        break
      }
    }
    const { labelled } = this
    for (let i = 0; i < MOVED_EACH && labelled !== null && labelled.live > 0; i++) {
      const event = labelled.first
      const codes = this.labelledKinds.map((_, e) => labelled.code(event, e))
      const timeUs = labelled.time(event)
      const flags = labelled.flags(event)
      const keys = codes.map((code, e) => this.labelledDictionary(e).valueOf(code))
      cold.putEvent(labelled.id(event), { event, timeUs, flags, keys }, this.expiryUs(timeUs))
      codes.forEach((code, e) => this.labelledDictionary(e).release(code))
      labelled.dropFirst()
    }
  }

  /** Looks after a few entities, so that what nobody asks for again is let go of as well. */
  private sweep(): void {
    for (let k = 0; k < this.kinds.length; k++) {
      const windows = this.kinds[k]
      for (let i = 0; i < SWEPT_EACH; i++) {
        this.swept[k] = this.swept[k] + 1 < windows.limit ? this.swept[k] + 1 : 1
        if (this.swept[k] < windows.limit) this.tidy(windows, k, this.swept[k])
      }
    }
    for (const graph of this.graphs) graph.evict(this.graphForgottenUs(graph))
    this.sweepLabelled()
  }

  private graphForgottenUs({ part }: LiveGraph): number {
    return this.newestUs - this.plan.sources[0].toleranceUs - part.plan.horizonUs
  }

  private sweepLabelled(): void {
    const { labelled } = this
    if (labelled === null) return
    let throughUs = Infinity
    for (const k of this.labelledKinds) throughUs = Math.min(throughUs, this.forgottenUs(k))
    while (labelled.live > 0 && labelled.time(labelled.first) <= throughUs) {
      for (let i = 0; i < this.labelledKinds.length; i++) {
        this.labelledDictionary(i).release(labelled.code(labelled.first, i))
      }
      labelled.dropFirst()
    }
  }

  /** The dictionary of the entities of a kind that labels change. */
  labelledDictionary(index: number): Dictionary {
    return this.dictionaries[this.plan.kinds[this.labelledKinds[index]].dictionary]
  }

  private checkTime(stage: SourceStage, row: Row): void {
    const timeUs = row[stage.plan.timePosition] as number
    const { toleranceUs } = stage.plan
    if (timeUs > this.newestUs - toleranceUs) return
    throw fail.feature_event_too_late(
      `The event of ${formatTimestamp(timeUs)} came when the newest was of ` +
        `${formatTimestamp(this.newestUs)}, more than ${formatDuration(toleranceUs)} later.`,
    )
  }
}
