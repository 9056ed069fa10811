import type { Dictionary } from './dictionary.ts'
import { EntityRecords } from './entity-records.ts'
import type { EventStore } from './event-store.ts'
import { change } from './figures.ts'
import { earliestOf, momentOf } from './moment.ts'
import type { EntryField, KindPlan, Reading, Span } from './plan.ts'
import { FIELDS_BEFORE, RING_INTEGERS, Rings } from './rings.ts'

/** Doubles of a record: where the windows stand, how old the oldest event is, dues, figures. */
const SOUGHT = 0
const OLDEST = 1
const DUES = 2

/**
 * The windows of all entities of one kind. Each entity has one ring of its events in order of (event
 * time, sequence); each window is a pair of cursors into it, [start, end), with exact figures of the
 * events between. `seek` moves the cursors to any time, forward or back, adding and taking away what
 * they pass: a late event only moves them back a little. Because the figures are exact integers (and
 * extremes are searched again when one leaves), they depend on the events between the cursors alone.
 */
export class EntityWindows {
  readonly plan: KindPlan
  readonly rings: Rings
  private readonly records: EntityRecords
  private readonly events: EventStore
  /** A span without delay, whose windows end where the current event goes; −1: there is none. */
  private readonly immediate: number
  private readonly initial: Float64Array
  private readonly saved: Float64Array

  constructor(plan: KindPlan, events: EventStore) {
    const { spans, lanes, fields } = plan
    this.plan = plan
    this.events = events
    this.records = new EntityRecords(DUES + spans.length + lanes, RING_INTEGERS + spans.length * 2)
    this.rings = new Rings(this.records, fields.length)
    this.immediate = spans.findIndex(({ delayUs }) => delayUs === 0)
    this.initial = new Float64Array(lanes)
    for (const { accumulators } of spans) {
      for (const { op, slot } of accumulators) {
        if (op === 'min') this.initial[slot] = Infinity
        if (op === 'max') this.initial[slot] = -Infinity
      }
    }
    this.saved = new Float64Array(lanes)
    this.begin(0)
  }

  /** Prepares an entity that had no events. */
  begin(entity: number): void {
    this.records.reserve(entity)
    this.reset(entity)
  }

  /** Prepares the entities 1, 2, … of a snapshot, by their numbers of events. */
  beginAll(events: Int32Array): void {
    this.records.reserve(events.length)
    for (let entity = 1; entity <= events.length; entity++) this.reset(entity)
    this.rings.reserve(events)
  }

  /** The lanes of all accumulators; NaN in an extreme's lane: it must be searched again. */
  get figures(): Float64Array {
    return this.records.doubles
  }
  /** Where the entity's lanes begin in `figures`. */
  lanes(entity: number): number {
    return this.records.doublesOf(entity) + DUES + this.plan.spans.length
  }
  start(entity: number, span: number): number {
    return this.records.integers[this.cursorsOf(entity) + span * 2]
  }
  end(entity: number, span: number): number {
    return this.records.integers[this.cursorsOf(entity) + span * 2 + 1]
  }

  /** Moves every window of the entity so that it ends at a time (less its delay). */
  seek(entity: number, timeUs: number): void {
    const { doubles, integers } = this.records
    const record = this.records.doublesOf(entity)
    const forward = timeUs >= doubles[record + SOUGHT]
    doubles[record + SOUGHT] = timeUs
    this.rings.select(entity)
    const length = this.rings.length(entity)
    const lanes = this.lanes(entity)
    const { spans } = this.plan
    let at = this.cursorsOf(entity)
    let due = record + DUES
    for (let s = 0; s < spans.length; s++, at += 2, due++) {
      // No event enters or leaves before it is due.
      if (forward && timeUs < doubles[due]) continue
      const span = spans[s]
      const last = timeUs - span.delayUs
      if (forward) this.seekForward(lanes, length, span, at, last)
      else this.seekBack(lanes, span, at, last)
      doubles[due] = this.dueAfter(length, span, integers[at], integers[at + 1])
    }
  }

  /** The first time at which an event may enter or leave; the entity's ring is selected. */
  private dueAfter(length: number, span: Span, start: number, end: number): number {
    const { rings } = this
    let due = Infinity
    if (end < length) due = earliestOf(rings.moment(end)) + span.delayUs
    if (start === end) return due
    return Math.min(due, earliestOf(rings.moment(start)) + span.delayUs + span.windowUs)
  }

  /** Whether the selected ring's event at a position is later than a time, whose moment is given. */
  private isLater(position: number, timeUs: number, moment: number): boolean {
    const own = this.rings.moment(position)
    if (own !== moment) return own > moment
    return this.events.time(this.rings.event(position)) > timeUs
  }

  // What lies between the cursors is always counted once: ends move before starts on the way
  // forward, and after them on the way back.

  private seekForward(lanes: number, length: number, span: Span, at: number, last: number): void {
    const { integers } = this.records
    const lastMoment = momentOf(last)
    let end = integers[at + 1]
    while (end < length && !this.isLater(end, last, lastMoment)) {
      this.count(lanes, span, end++, 1)
    }
    const before = last - span.windowUs
    const beforeMoment = momentOf(before)
    let start = integers[at]
    while (start < end && !this.isLater(start, before, beforeMoment)) {
      this.count(lanes, span, start++, -1)
    }
    integers[at] = start
    integers[at + 1] = end
  }

  private seekBack(lanes: number, span: Span, at: number, last: number): void {
    const { integers } = this.records
    const before = last - span.windowUs
    const beforeMoment = momentOf(before)
    let start = integers[at]
    while (start > 0 && this.isLater(start - 1, before, beforeMoment)) {
      this.count(lanes, span, --start, 1)
    }
    const lastMoment = momentOf(last)
    let end = integers[at + 1]
    while (end > start && this.isLater(end - 1, last, lastMoment)) {
      this.count(lanes, span, --end, -1)
    }
    integers[at] = start
    integers[at + 1] = end
  }

  /** Counts the current event in every window that reaches it; the cursors are at its time. */
  countCurrent(entity: number, event: number): void {
    const { events } = this
    const lanes = this.lanes(entity)
    const flags = events.flags(event)
    for (const { delayUs, accumulators } of this.plan.spans) {
      if (delayUs > 0) continue
      for (let i = 0; i < accumulators.length; i++) {
        const { op, number, mask, slot } = accumulators[i]
        if ((flags & mask) !== mask) continue
        const value = number < 0 ? 0 : events.number(event, number)
        change(this.figures, lanes + slot, op, value, 1)
      }
    }
  }

  /** Puts the current event, which is counted already, into the ring behind its windows' ends. */
  insert(entity: number, event: number): void {
    const { spans } = this.plan
    const { integers, doubles } = this.records
    const timeUs = this.events.time(event)
    const { immediate } = this
    const position =
      immediate < 0 ? this.positionAfter(entity, timeUs) : this.end(entity, immediate)
    let at = this.cursorsOf(entity)
    let due = this.records.doublesOf(entity) + DUES
    for (let s = 0; s < spans.length; s++, at += 2, due++) {
      const { delayUs, windowUs } = spans[s]
      // The event is the next to enter a delayed window, or the first to leave one that was empty.
      let dueUs = integers[at] === position ? timeUs + delayUs + windowUs : Infinity
      if (delayUs === 0) integers[at + 1] = position + 1
      else if (integers[at + 1] === position) dueUs = timeUs + delayUs
      if (dueUs < doubles[due]) doubles[due] = dueUs
    }
    this.place(entity, position, event)
  }

  /** Puts an event into the ring at a position, without counting it. */
  place(entity: number, position: number, event: number): void {
    const { rings, events } = this
    const timeUs = events.time(event)
    rings.insert(entity, position, event, timeUs)
    const { fields } = this.plan
    for (let i = 0; i < fields.length; i++) {
      rings.setField(position, FIELDS_BEFORE + i, this.repeated(event, fields[i]))
    }
    const oldest = this.records.doublesOf(entity) + OLDEST
    if (timeUs < this.records.doubles[oldest]) this.records.doubles[oldest] = timeUs
  }

  /** Remembers the entity's figures, so that `undo` can forget what was counted for a look ahead. */
  save(entity: number): void {
    const from = this.lanes(entity)
    for (let i = 0; i < this.saved.length; i++) this.saved[i] = this.figures[from + i]
  }
  undo(entity: number): void {
    const from = this.lanes(entity)
    for (let i = 0; i < this.saved.length; i++) this.figures[from + i] = this.saved[i]
  }

  /** Removes the entity's events up to a time, which no window will reach again. */
  evict(entity: number, throughUs: number): void {
    const { rings } = this
    const { spans } = this.plan
    const { doubles, integers } = this.records
    const oldest = this.records.doublesOf(entity) + OLDEST
    if (doubles[oldest] > throughUs) return
    const moment = momentOf(throughUs)
    const lanes = this.lanes(entity)
    rings.select(entity)
    while (rings.length(entity) > 0) {
      if (this.isLater(0, throughUs, moment)) {
        doubles[oldest] = earliestOf(rings.moment(0))
        return
      }
      let at = this.cursorsOf(entity)
      for (let s = 0; s < spans.length; s++, at += 2) {
        if (integers[at] > 0) integers[at]--
        else if (integers[at + 1] > 0) this.count(lanes, spans[s], 0, -1)
        if (integers[at + 1] > 0) integers[at + 1]--
      }
      rings.shift(entity)
    }
    this.reset(entity)
  }

  /** Changes an event's flags, in every window that holds it. */
  relabel(entity: number, event: number, flags: number): void {
    const { rings } = this
    const { spans, flagField } = this.plan
    const { integers } = this.records
    const position = this.positionOf(entity, event)
    if (position < 0) return
    const old = rings.field(position, flagField)
    const lanes = this.lanes(entity)
    let at = this.cursorsOf(entity)
    for (let s = 0; s < spans.length; s++, at += 2) {
      if (position < integers[at] || position >= integers[at + 1]) continue
      this.count(lanes, spans[s], position, -1)
      rings.setField(position, flagField, flags)
      this.count(lanes, spans[s], position, 1)
      rings.setField(position, flagField, old)
    }
    rings.setField(position, flagField, flags)
  }

  /** Position of the first event after a time; selects the entity's ring. */
  positionAfter(entity: number, timeUs: number): number {
    const moment = momentOf(timeUs)
    this.rings.select(entity)
    let low = 0
    let high = this.rings.length(entity)
    // Most events come in order, so the end is the best guess.
    if (high > 0 && !this.isLater(high - 1, timeUs, moment)) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.isLater(middle, timeUs, moment)) high = middle
      else low = middle + 1
    }
    return low
  }

  /**
   * The least or greatest value between the cursors and of the current event (−1: none), searched
   * again where it was lost.
   */
  extreme(entity: number, reading: Reading, current: number): number {
    const { events, rings } = this
    const at = this.lanes(entity) + reading.main
    const known = this.figures[at]
    if (!Number.isNaN(known)) return known
    const { mask, field, number } = reading
    const { flagField } = this.plan
    const least = reading.op === 'min'
    let found = least ? Infinity : -Infinity
    if (current >= 0 && (events.flags(current) & mask) === mask) {
      const value = events.number(current, number)
      if (!Number.isNaN(value)) found = value
    }
    const end = this.end(entity, reading.span)
    rings.select(entity)
    for (let i = this.start(entity, reading.span); i < end; i++) {
      if (mask !== 0 && (rings.field(i, flagField) & mask) !== mask) continue
      const value = field > 0 ? rings.field(i, field) : events.number(rings.event(i), number)
      if (least ? value < found : value > found) found = value
    }
    this.figures[at] = found
    return found
  }

  /** How many different codes there are between the cursors and of the current event (−1: none). */
  distinct(entity: number, reading: Reading, dictionary: Dictionary, current: number): number {
    const { events, rings } = this
    const { mask, field } = reading
    const { flagField } = this.plan
    const stamp = dictionary.newStamp()
    let found = 0
    if (current >= 0 && (events.flags(current) & mask) === mask) {
      found += Number(dictionary.stampFirst(events.code(current, reading.dictionary), stamp))
    }
    const end = this.end(entity, reading.span)
    rings.select(entity)
    for (let i = this.start(entity, reading.span); i < end; i++) {
      if (mask !== 0 && (rings.field(i, flagField) & mask) !== mask) continue
      found += Number(dictionary.stampFirst(rings.field(i, field), stamp))
    }
    return found
  }

  bytes(): number {
    return this.rings.bytes() + this.records.bytes()
  }

  /** Adds (`sign` 1) or takes away (−1) the selected ring's event at a position. */
  private count(lanes: number, span: Span, position: number, sign: number): void {
    const { events, rings, figures } = this
    const { accumulators } = span
    const flags = span.flagged ? rings.field(position, this.plan.flagField) : 0
    for (let i = 0; i < accumulators.length; i++) {
      const { op, number, field, mask, slot } = accumulators[i]
      if ((flags & mask) !== mask) continue
      let value = 0
      if (field > 0) value = rings.field(position, field)
      else if (number >= 0) value = events.number(rings.event(position), number)
      change(figures, lanes + slot, op, value, sign)
    }
  }

  /** What a ring's entry repeats of its event. */
  private repeated(event: number, { holds, index }: EntryField): number {
    const { events } = this
    if (holds === 'flags') return events.flags(event)
    return holds === 'number' ? events.number(event, index) : events.code(event, index)
  }

  private positionOf(entity: number, event: number): number {
    const { rings, events } = this
    const timeUs = events.time(event)
    for (let position = this.positionAfter(entity, timeUs) - 1; position >= 0; position--) {
      const candidate = rings.event(position)
      if (candidate === event) return position
      if (events.time(candidate) < timeUs) break
    }
    return -1
  }

  private cursorsOf(entity: number): number {
    return this.records.integersOf(entity) + RING_INTEGERS
  }

  private reset(entity: number): void {
    this.rings.clear(entity)
    const { doubles, integers } = this.records
    const { spans } = this.plan
    const record = this.records.doublesOf(entity)
    doubles.fill(-Infinity, record, record + DUES + spans.length)
    doubles[record + OLDEST] = Infinity
    doubles.set(this.initial, this.lanes(entity))
    const cursors = this.cursorsOf(entity)
    integers.fill(0, cursors, cursors + spans.length * 2)
  }
}
