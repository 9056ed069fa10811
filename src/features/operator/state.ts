import type { CompiledSource, Row } from '../../data/index.ts'
import { durationInWords, formatTimestamp } from '../../lib/time.ts'
import { mergeSets } from '../compile.ts'
import type { CompiledFeatureSet } from '../compiled.ts'
import { fail } from '../errors.ts'
import { Dictionary, NO_KEY } from './dictionary.ts'
import type { Explanation } from './explain.ts'
import { explainFeature } from './explain.ts'
import { LiveGraph } from './graphs.ts'
import type { EventId } from './labelled-events.ts'
import { LabelledEvents, eventIdOf } from './labelled-events.ts'
import type { LabelPlan, Plan } from './plan.ts'
import { planOf } from './planner.ts'
import { SnapshotWriting, readSnapshot, writeSnapshot, writeSnapshotAside } from './snapshot.ts'
import { SourceStage, keyOf } from './stage.ts'
import type { MemoryLimit } from './upkeep.ts'
import { Upkeep } from './upkeep.ts'
import type { StagedEvent } from './windows.ts'
import { EntityWindows } from './windows.ts'

/** What became of a label: it changed figures, said what was known, or came for no live event. */
export type LabelOutcome = 'applied' | 'unchanged' | 'unknownEvent'

export interface FeatureStateStatistics {
  /** Events that a window may still reach: those of the kind of entity that has most. */
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
  readonly labelledKinds: readonly number[]
  private readonly upkeep: Upkeep
  private readonly memory: MemoryLimit | undefined
  /** Told what is about to change while one is written. */
  private writing: SnapshotWriting | undefined
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
    this.memory = memory
    this.upkeep = new Upkeep(this, memory, (kind, entity) => {
      this.writing?.beforeEntity(kind, entity)
    })
  }

  /** Hash of everything that the values depend on. */
  get version(): string {
    return this.plan.set.version
  }

  /** Events at or before this time are refused, because what they would need may be gone. */
  get tooLateUs(): number {
    return this.newestUs - this.plan.sources[0].toleranceUs
  }

  /** Whether the features look at events of this other source. */
  reads(source: string): boolean {
    return this.stages.some((stage) => stage !== this.own && stage.plan.name === source)
  }

  /** As `tooLateUs`, for the events of another source: by its lateness, and the own newest event. */
  tooLateUsOf(source: string): number {
    const plan = this.plan.sources.find(({ name }) => name === source)
    return plan === undefined ? -Infinity : this.newestUs - plan.toleranceUs
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
    own.evaluate(vector)
    if (own.event.timeUs > this.newestUs) this.newestUs = own.event.timeUs
    this.upkeep.sweep()
    this.upkeep.makeRoom()
  }

  /**
   * Takes in an event of another source that the features look at; rows of sources that they do not
   * read change nothing. Fails as `apply`, by that source's own lateness.
   */
  applyOther(source: string, row: Row, sequence: number): void {
    const stage = this.stages.find(({ plan }) => plan.name === source)
    if (stage === this.own) throw new Error(`Events of ${source} are taken in by apply.`)
    if (stage === undefined) {
      this.advanceSequence(sequence)
      return
    }
    this.checkTime(stage, row)
    this.advanceSequence(sequence)
    this.takeIn(stage, row)
    this.upkeep.makeRoom()
  }

  private takeIn(stage: SourceStage, row: Row): void {
    stage.begin(row)
    if (this.upkeep.cold !== undefined) this.recallAll(stage, row)
    stage.acquireKeys(row)
    this.lookBack(stage, row)
    stage.derive()
    const { event } = stage
    if (this.labelled !== null && stage === this.own) {
      const codes = this.labelledKinds.map((k) => event.codes[this.plan.kinds[k].dictionary])
      for (let i = 0; i < codes.length; i++) this.upkeep.labelledDictionary(i).hold(codes[i])
      event.event = this.labelled.add(
        eventIdOf(row[stage.plan.idPosition]!),
        event.timeUs,
        event.flags,
        codes,
      )
    }
    this.count(stage)
    stage.releaseKeys()
    if (stage === this.own) for (const graph of this.graphs) graph.insert(row, stage)
  }

  /**
   * Counts the staged event for its entities and reads what they have with it. One step after the other
   * for all of them: the processor has the code of a step at hand for the next entity.
   */
  private count({ kinds, event, after, values }: SourceStage): void {
    for (let i = 0; i < kinds.length; i++) {
      const { kind, view } = kinds[i]
      const windows = this.kinds[kind]
      const entity = event.codes[windows.plan.dictionary]
      if (entity === NO_KEY) continue
      // Without a view nobody has moved the windows yet.
      if (view < 0) {
        this.ready(kind, entity)
        windows.seek(entity, event.timeUs)
      }
      windows.countCurrent(entity, event)
    }
    for (let i = 0; i < kinds.length; i++) {
      const { kind, view } = kinds[i]
      const windows = this.kinds[kind]
      const entity = event.codes[windows.plan.dictionary]
      if (entity === NO_KEY || view < 0) continue
      after[view].read(windows, entity, event, event.timeUs, values.aggregates)
    }
    for (let i = 0; i < kinds.length; i++) {
      const { kind } = kinds[i]
      const windows = this.kinds[kind]
      const entity = event.codes[windows.plan.dictionary]
      if (entity === NO_KEY) continue
      windows.insert(entity, event)
      this.upkeep.forgetPast(windows, kind, entity)
    }
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
      windows.touchRecord(entity)
    }
    for (let v = 0; v < plan.views.length; v++) {
      if (stage.entities[v] !== NO_KEY) this.kinds[plan.views[v].kind].touchRing(stage.entities[v])
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
      if (stage.before[v].length === 0) continue
      stage.before[v].read(windows, entity, null, event.timeUs, values.aggregates)
    }
  }

  /** Makes room for an entity, which may change then, and brings it back from the cold store. */
  private ready(kind: number, entity: number): void {
    const windows = this.kinds[kind]
    windows.reserve(entity)
    this.writing?.beforeEntity(kind, entity)
    if (this.upkeep.cold === undefined || windows.isKnown(entity)) return
    const value = this.dictionaries[windows.plan.dictionary].valueOf(entity)
    if (value !== undefined) this.upkeep.cold.thaw(kind, windows, entity, value, this.thawed(kind))
  }

  /**
   * Brings back all whose past a row looks at. Memory may know nothing of them, not even their keys,
   * and with them come the codes that the row's own values are found by.
   */
  private recallAll({ plan }: SourceStage, row: Row): void {
    for (const { kind, keys } of plan.views) {
      const value = keyOf(row, keys)
      const dictionary = this.dictionaries[this.plan.kinds[kind].dictionary]
      if (value === undefined || !this.upkeep.cold!.has(kind, value)) continue
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
    if (this.upkeep.cold !== undefined) this.recallAll(own, row)
    own.findKeys(row)
    this.lookBack(own, row)
    if (counts) own.derive()
    const { event, values, plan } = own
    for (let v = 0; v < plan.views.length; v++) {
      const windows = this.kinds[plan.views[v].kind]
      const entity = own.entities[v]
      if (entity === NO_KEY || own.after[v].length === 0) continue
      windows.save(entity)
      if (counts) windows.countCurrent(entity, event)
      const current = counts ? event : null
      own.after[v].read(windows, entity, current, event.timeUs, values.aggregates)
      windows.undo(entity)
    }
    const vector = new Float64Array(this.names.length)
    own.evaluate(vector)
    this.upkeep.makeRoom()
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
    // It may linger, and another state's may not.
    if (labelled.time(event) <= this.upkeep.unlabelledUs) return 'unknownEvent'
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
    this.upkeep.makeRoom()
    return 'applied'
  }

  /** As `label`, for an event that memory has no room for. */
  private labelCold(label: LabelPlan, id: EventId, value: number | null): LabelOutcome {
    const { labelledKinds } = this
    const { cold } = this.upkeep
    const known = cold?.event(id, labelledKinds.length)
    if (cold === undefined || known === undefined) return 'unknownEvent'
    const { event, timeUs, keys } = known
    if (timeUs <= this.upkeep.unlabelledUs) return 'unknownEvent'
    const flags = value === label.positive ? known.flags | label.mask : known.flags & ~label.mask
    if (flags === known.flags) return 'unchanged'
    cold.putEvent(id, { ...known, flags }, this.upkeep.labelsExpireUs(timeUs))
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]
      if (key === undefined) continue
      const entity = this.upkeep.labelledDictionary(i).acquire(key)
      this.ready(labelledKinds[i], entity)
      this.kinds[labelledKinds[i]].relabel(entity, event, timeUs, flags)
      this.upkeep.labelledDictionary(i).release(entity)
    }
    this.upkeep.makeRoom()
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
    return this.upkeep.cold?.away ?? 0
  }

  /** The state as bytes, for `restoreFeatureState`: live events and labels, no derived figures. */
  snapshot(): Uint8Array {
    this.upkeep.tidyAll()
    return writeSnapshot(this)
  }

  /**
   * As `snapshot`, together with what lies in the cold store, of the moment of the call; facts may come
   * in while it is written, about `stepBytes` a turn. Its pieces, one after the other, count once the
   * promise has resolved; there may be one checkpoint at a time.
   */
  async checkpoint(stepBytes?: number): Promise<readonly Uint8Array[]> {
    if (this.writing !== undefined) throw new Error('A checkpoint is being written already.')
    if (this.memory !== undefined) this.coldMark++
    const writing = new SnapshotWriting(this)
    this.watch(writing)
    try {
      const [pieces] = await Promise.all([
        writeSnapshotAside(writing, stepBytes),
        this.memory?.cold.mark(this.coldMark),
      ])
      return pieces
    } finally {
      this.watch(undefined)
    }
  }

  private watch(writing: SnapshotWriting | undefined): void {
    this.writing = writing
    this.graphs.forEach((graph, g) => {
      graph.onLeave = writing && (() => writing.beforeEdge(g))
    })
    if (this.labelled === null) return
    this.labelled.onChange = writing && ((event) => writing.beforeLabelled(event))
  }

  /** Takes the cold store back to where it was when a snapshot was taken. */
  returnTo(mark: number, away: number): void {
    this.coldMark = mark
    if (this.upkeep.cold === undefined || this.memory === undefined) {
      if (away === 0) return
      throw fail.feature_state_mismatch(
        'Part of the saved state is in a cold store, which is gone.',
      )
    }
    this.memory.cold.returnTo(mark)
  }

  /** Moves a little out of memory where too much is in it. */
  makeRoom(): void {
    this.upkeep.makeRoom()
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

  private checkTime(stage: SourceStage, row: Row): void {
    const timeUs = row[stage.plan.timePosition] as number
    const { toleranceUs } = stage.plan
    if (timeUs > this.newestUs - toleranceUs) return
    throw fail.feature_event_too_late(
      `The event of ${formatTimestamp(timeUs)} came when the newest was of ` +
        `${formatTimestamp(this.newestUs)}, more than ${durationInWords(toleranceUs)} later.`,
    )
  }
}
