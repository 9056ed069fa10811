import type { CompiledSource, Row } from '../../data/index.ts'
import { formatDuration, formatTimestamp } from '../../lib/time.ts'
import { mergeSets } from '../compile.ts'
import type { CompiledFeatureSet } from '../compiled.ts'
import { fail } from '../errors.ts'
import type { KeyValue } from './dictionary.ts'
import { Dictionary, NO_KEY } from './dictionary.ts'
import { EventStore } from './event-store.ts'
import { EventValues } from './evaluate.ts'
import type { Explanation } from './explain.ts'
import { explainFeature } from './explain.ts'
import { IdIndex, eventIdOf } from './id-index.ts'
import type { KeyPart, LabelPlan, Plan } from './plan.ts'
import { planOf } from './plan.ts'
import { NO_EVENT, read } from './readings.ts'
import type { RestoredKeys } from './snapshot.ts'
import { readSnapshot, writeSnapshot } from './snapshot.ts'
import { EntityWindows } from './windows.ts'

/** How much longer than need be events are kept, as a share of that time. */
const LINGER = 1 / 32

/** What became of a label: it changed figures, said what was known, or came for no live event. */
export type LabelOutcome = 'applied' | 'unchanged' | 'unknownEvent'

export interface FeatureStateStatistics {
  /** Events that a window may still reach. */
  readonly liveEvents: number
  /** Entities with live events, by their keys: `customer_id`, `customer_id+terminal_id`. */
  readonly entities: Readonly<Record<string, number>>
  /** Memory of the state, near enough. */
  readonly bytes: number
  /** The newest event time, microseconds UTC; −Infinity before the first event. */
  readonly newestUs: number
  readonly lastSequence: number
}

/** A state for the features of one source, without any events yet. */
export function createFeatureState(
  sets: readonly CompiledFeatureSet[],
  source: CompiledSource,
): FeatureState {
  return new FeatureState(planOf(mergeSets(sets), source))
}

/**
 * The state that a snapshot was taken of. Fails with `feature_state_mismatch` where it was taken for
 * other declarations, and with `feature_state_damaged`.
 */
export function restoreFeatureState(
  bytes: Uint8Array,
  sets: readonly CompiledFeatureSet[],
  source: CompiledSource,
): FeatureState {
  const state = createFeatureState(sets, source)
  state.restore(bytes)
  return state
}

/**
 * The one operator behind history, stream and request. It keeps the events of one source that its
 * windows can reach, and gives each event the values of all features as of (event time, sequence).
 * Its caller is its clock and its log: facts come with rising sequences, one thread, no waiting.
 */
export class FeatureState {
  readonly plan: Plan
  /** Names of the features, in the order of a vector: the sets' features, each once. */
  readonly names: readonly string[]
  /** Sequence of the last fact applied; 0 before the first. */
  lastSequence = 0
  /** Newest event time, microseconds UTC. */
  newestUs = -Infinity
  readonly events: EventStore
  readonly dictionaries: readonly Dictionary[]
  readonly kinds: readonly EntityWindows[]
  private readonly ids: IdIndex | undefined
  private readonly values: EventValues
  private readonly codes: Int32Array
  private readonly labels: ReadonlyMap<string, LabelPlan>

  constructor(plan: Plan) {
    this.plan = plan
    this.names = plan.names
    this.events = new EventStore({
      compact: plan.stored.map((stored) => stored.compact),
      codes: plan.dictionaries.length,
      ids: plan.labels.length > 0,
    })
    this.dictionaries = plan.dictionaries.map(() => new Dictionary())
    this.kinds = plan.kinds.map((kind) => new EntityWindows(kind, this.events))
    this.ids = this.events.keepsIds ? new IdIndex(this.events) : undefined
    const { numbers, texts, aggregates, set } = plan
    this.values = new EventValues(numbers.length, texts.length, aggregates.length, set.timeZone)
    this.codes = new Int32Array(plan.dictionaries.length)
    this.labels = new Map(plan.labels.map((label) => [label.name, label]))
  }

  /** Hash of everything that the values depend on. */
  get version(): string {
    return this.plan.set.version
  }

  /** Events at or before this time are refused, because what they would need may be gone. */
  get tooLateUs(): number {
    return this.newestUs - this.plan.toleranceUs
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
    this.checkTime(row[this.plan.timePosition] as number)
    this.advanceSequence(sequence)
    const timeUs = this.stage(row, true)
    const event = this.events.next
    const { kinds, codes, values, events, dictionaries } = this
    for (let k = 0; k < kinds.length; k++) {
      const windows = kinds[k]
      const entity = codes[windows.plan.dictionary]
      if (entity === NO_KEY) {
        this.miss(windows)
        continue
      }
      const { before, after } = windows.plan
      const into = values.aggregates
      windows.seek(entity, timeUs)
      read(before, windows, entity, NO_EVENT, timeUs, events, dictionaries, into)
      windows.countCurrent(entity, event)
      read(after, windows, entity, event, timeUs, events, dictionaries, into)
      windows.insert(entity, event)
      windows.evict(entity, this.forgottenUs)
    }
    this.evaluate(vector)
    this.commit(timeUs)
  }

  /** Takes in a staged event of a snapshot, with its codes by dictionary; nothing is calculated. */
  private readd(codes: Int32Array): void {
    const event = this.events.next
    const timeUs = this.events.time(event)
    for (let d = 0; d < codes.length; d++) this.events.setCode(event, d, codes[d])
    for (const windows of this.kinds) {
      const entity = codes[windows.plan.dictionary]
      if (entity === NO_KEY) continue
      windows.place(entity, windows.positionAfter(entity, timeUs), event)
    }
    this.events.commit()
    this.ids?.add(event)
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
    this.checkTime(row[this.plan.timePosition] as number)
    const timeUs = this.stage(row, false)
    const event = this.events.next
    const { values, events, dictionaries } = this
    for (const windows of this.kinds) {
      const entity = this.codes[windows.plan.dictionary]
      if (entity === NO_KEY) {
        this.miss(windows)
        continue
      }
      const { before, after } = windows.plan
      const into = values.aggregates
      windows.seek(entity, timeUs)
      windows.save(entity)
      read(before, windows, entity, NO_EVENT, timeUs, events, dictionaries, into)
      if (counts) windows.countCurrent(entity, event)
      const current = counts ? event : NO_EVENT
      read(after, windows, entity, current, timeUs, events, dictionaries, into)
      windows.undo(entity)
    }
    const vector = new Float64Array(this.names.length)
    this.evaluate(vector)
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
    if (label === undefined || this.ids === undefined) return 'unchanged'
    const event = this.ids.find(eventIdOf(eventId))
    if (event < 0) return 'unknownEvent'
    const old = this.events.flags(event)
    const positive = value === label.positive
    const flags = positive ? old | label.mask : old & ~label.mask
    if (flags === old) return 'unchanged'
    for (const windows of this.kinds) {
      const { dictionary, labelled } = windows.plan
      const entity = this.events.code(event, dictionary)
      if (labelled && entity !== NO_KEY) windows.relabel(entity, event, flags)
    }
    this.events.setFlags(event, flags)
    return 'applied'
  }

  /** The events behind a feature's value, as of a row that is looked ahead at. */
  explain(row: Row, feature: string): Explanation {
    return explainFeature(this, row, feature, (own) => this.stage(own, false))
  }

  /** An aggregate as of the row that was last looked at. */
  valueOfAggregate(at: number): number {
    return this.values.aggregates[at]
  }

  statistics(): FeatureStateStatistics {
    const entities: Record<string, number> = {}
    let bytes = this.events.bytes() + (this.ids?.bytes() ?? 0)
    for (const windows of this.kinds) {
      bytes += windows.bytes()
      const { keys, dictionary } = windows.plan
      entities[keys.join('+')] = this.dictionaries[dictionary].size
    }
    for (const dictionary of this.dictionaries) bytes += dictionary.bytes()
    const { newestUs, lastSequence } = this
    return { liveEvents: this.events.live, entities, bytes, newestUs, lastSequence }
  }

  /** The state as bytes, for `restoreFeatureState`: live events and labels, no derived figures. */
  snapshot(): Uint8Array {
    return writeSnapshot(this)
  }

  /** Fills an empty state from a snapshot. */
  restore(bytes: Uint8Array): void {
    readSnapshot(this, bytes, {
      begin: (events, keys) => this.beginRestore(events, keys),
      add: (codes) => this.readd(codes),
    })
  }

  private advanceSequence(sequence: number): void {
    if (!(sequence > this.lastSequence)) {
      throw new Error(`Sequence ${sequence} does not follow ${this.lastSequence}.`)
    }
    this.lastSequence = sequence
  }

  /** Puts the row where the next event will be; returns its time. Codes are in `codes` afterwards. */
  private stage(row: Row, keep: boolean): number {
    const { plan, events, values, codes } = this
    const timeUs = row[plan.timePosition] as number
    const event = events.next
    values.begin(timeUs)
    for (let i = 0; i < plan.numbers.length; i++) {
      const value = row[plan.numbers[i].position]
      // Adding 0 turns −0 into 0: they are one value.
      values.numbers[i] = value === undefined ? Number.NaN : (value as number) + 0
    }
    for (let i = 0; i < plan.texts.length; i++) {
      const value = row[plan.texts[i].position]
      values.texts[i] = typeof value === 'number' ? String(value) : value
    }
    let flags = 0
    for (const { holds, mask } of plan.filters) if (holds(values) === 1) flags |= mask
    events.setTime(event, timeUs)
    events.setFlags(event, flags)
    for (let i = 0; i < plan.stored.length; i++) {
      events.setNumber(event, i, values.numbers[plan.stored[i].input])
    }
    for (let d = 0; d < codes.length; d++) {
      const value = keyOf(row, plan.dictionaries[d])
      const dictionary = this.dictionaries[d]
      codes[d] = keep ? dictionary.acquire(value) : dictionary.find(value)
      events.setCode(event, d, codes[d])
    }
    if (keep) {
      this.beginEntities()
      if (events.keepsIds) events.setId(event, eventIdOf(row[plan.idPosition]!))
    }
    return timeUs
  }

  /** Makes room for what is to be restored; an empty dictionary numbers its keys from 1. */
  private beginRestore(events: number, keys: readonly RestoredKeys[]): void {
    if (this.events.live > 0) throw new Error('Only an empty state can be restored.')
    this.ids?.reserve(events)
    keys.forEach(({ values, uses }, d) => {
      for (let i = 0; i < values.length; i++) this.dictionaries[d].acquire(values[i], uses[i])
    })
    for (const windows of this.kinds) windows.beginAll(keys[windows.plan.dictionary].uses)
  }

  private beginEntities(): void {
    for (const windows of this.kinds) {
      const code = this.codes[windows.plan.dictionary]
      if (code !== NO_KEY && this.dictionaries[windows.plan.dictionary].isNew(code)) {
        windows.begin(code)
      }
    }
  }

  private miss(windows: EntityWindows): void {
    for (const at of windows.plan.aggregates) this.values.aggregates[at] = Number.NaN
  }

  private evaluate(vector: Float64Array): void {
    const { outputs } = this.plan
    for (let i = 0; i < outputs.length; i++) vector[i] = outputs[i](this.values) + 0
  }

  private commit(timeUs: number): void {
    const event = this.events.next
    this.events.commit()
    this.ids?.add(event)
    if (timeUs > this.newestUs) {
      this.newestUs = timeUs
      this.evict()
    }
  }

  /** No window of any event that may still come reaches back to this time. */
  private get forgottenUs(): number {
    return this.newestUs - this.plan.toleranceUs - this.plan.horizonUs
  }

  /**
   * Lets go of old events. They linger a little: most leave their rings when their entities are next
   * at hand, so that here there is nothing left to do for them.
   */
  private evict(): void {
    const { events, dictionaries, kinds, plan } = this
    const throughUs = this.forgottenUs - (plan.toleranceUs + plan.horizonUs) * LINGER
    while (events.live > 0 && events.time(events.first) <= throughUs) {
      const event = events.first
      for (const windows of kinds) {
        const entity = events.code(event, windows.plan.dictionary)
        if (entity !== NO_KEY) windows.evict(entity, throughUs)
      }
      for (let d = 0; d < dictionaries.length; d++) {
        dictionaries[d].release(events.code(event, d))
      }
      this.ids?.remove(event)
      events.dropFirst()
    }
  }

  private checkTime(timeUs: number): void {
    if (timeUs > this.tooLateUs) return
    throw fail.feature_event_too_late(
      `The event of ${formatTimestamp(timeUs)} came when the newest was of ` +
        `${formatTimestamp(this.newestUs)}, more than ` +
        `${formatDuration(this.plan.toleranceUs)} later.`,
    )
  }
}

/** A key's value in a row; several columns are joined so that no two combinations look alike. */
function keyOf(row: Row, parts: readonly KeyPart[]): KeyValue | undefined {
  if (parts.length === 1) return row[parts[0].position]
  let joined = ''
  for (const { position } of parts) {
    const value = row[position]
    if (value === undefined) return undefined
    const text = String(value)
    joined += `${text.length}:${text}`
  }
  return joined
}
