import { grown } from './dictionary.ts'
import type { Dictionary } from './dictionary.ts'
import type { EventStore } from './event-store.ts'
import { SQUARE_SPLIT, SUM_SPLIT, addWideSquare } from './exact.ts'
import type { KindPlan, Span } from './plan.ts'
import { Rings, earliestOf, momentOf } from './rings.ts'

/**
 * The windows of all entities of one kind. Each entity has one ring of its events in order of (event
 * time, sequence); each window is a pair of cursors into it, [start, end), with exact figures of the
 * events between. `seek` moves the cursors to any time, forward or back, adding and taking away what
 * they pass: a late event only moves them back a little. Because the figures are exact integers (and
 * extremes are searched again when one leaves), they depend on the events between the cursors alone.
 */
export class EntityWindows {
  readonly plan: KindPlan
  readonly rings = new Rings()
  /** Start and end of each span, by entity. */
  cursors: Int32Array
  /** The lanes of all accumulators, by entity. NaN in an extreme's lane: search it again. */
  figures: Float64Array
  /** The time at which each entity's windows stand; −Infinity: all cursors are at 0. */
  private soughtUs: Float64Array
  /**
   * By entity and span: no event enters or leaves the window before this time. It may be earlier
   * than need be, never later.
   */
  private dues: Float64Array
  private readonly events: EventStore
  private readonly cursorStride: number
  /** A span without delay, whose windows end where the current event goes; −1: there is none. */
  private readonly immediate: number
  private readonly initial: Float64Array
  private readonly saved: Float64Array

  constructor(plan: KindPlan, events: EventStore) {
    this.plan = plan
    this.events = events
    this.cursorStride = plan.spans.length * 2
    this.immediate = plan.spans.findIndex(({ delayUs }) => delayUs === 0)
    this.initial = new Float64Array(plan.lanes)
    for (const { accumulators } of plan.spans) {
      for (const { op, slot } of accumulators) {
        if (op === 'min') this.initial[slot] = Infinity
        if (op === 'max') this.initial[slot] = -Infinity
      }
    }
    this.saved = new Float64Array(plan.lanes)
    this.cursors = new Int32Array(this.cursorStride * 64)
    this.figures = new Float64Array(plan.lanes * 64)
    this.soughtUs = new Float64Array(64)
    this.dues = new Float64Array(plan.spans.length * 64)
    this.reset(0)
  }

  /** Prepares an entity that had no events. */
  begin(entity: number): void {
    this.rings.reserve(entity)
    if (entity >= this.soughtUs.length) this.soughtUs = grown(this.soughtUs, entity + 1)
    const duesNeeded = (entity + 1) * this.plan.spans.length
    if (duesNeeded > this.dues.length) this.dues = grown(this.dues, duesNeeded)
    const cursorsNeeded = (entity + 1) * this.cursorStride
    if (cursorsNeeded > this.cursors.length) this.cursors = grown(this.cursors, cursorsNeeded)
    const lanesNeeded = (entity + 1) * this.plan.lanes
    if (lanesNeeded > this.figures.length) this.figures = grown(this.figures, lanesNeeded)
    this.reset(entity)
  }

  start(entity: number, span: number): number {
    return this.cursors[entity * this.cursorStride + span * 2]
  }
  end(entity: number, span: number): number {
    return this.cursors[entity * this.cursorStride + span * 2 + 1]
  }
  /** Where the entity's lanes begin in `figures`. */
  lanes(entity: number): number {
    return entity * this.plan.lanes
  }

  /** Moves every window of the entity so that it ends at a time (less its delay). */
  seek(entity: number, timeUs: number): void {
    const forward = timeUs >= this.soughtUs[entity]
    this.soughtUs[entity] = timeUs
    this.rings.select(entity)
    const { spans } = this.plan
    const { cursors } = this
    let at = entity * this.cursorStride
    for (let s = 0; s < spans.length; s++, at += 2) {
      const last = timeUs - spans[s].delayUs
      const due = entity * spans.length + s
      if (!forward) this.seekBack(entity, spans[s], at, last)
      else if (timeUs < this.dues[due]) continue
      else this.seekForward(entity, spans[s], at, last)
      this.dues[due] = this.dueAfter(entity, spans[s], cursors[at], cursors[at + 1])
    }
  }

  /** The first time at which an event may enter or leave; the entity's ring is selected. */
  private dueAfter(entity: number, span: Span, start: number, end: number): number {
    const { rings } = this
    let due = Infinity
    if (end < rings.length(entity)) due = earliestOf(rings.moment(end)) + span.delayUs
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

  private seekForward(entity: number, span: Span, at: number, last: number): void {
    const { rings, cursors } = this
    const length = rings.length(entity)
    const lastMoment = momentOf(last)
    let end = cursors[at + 1]
    while (end < length && !this.isLater(end, last, lastMoment)) {
      this.count(entity, span, rings.event(end++), 1)
    }
    const before = last - span.windowUs
    const beforeMoment = momentOf(before)
    let start = cursors[at]
    while (start < end && !this.isLater(start, before, beforeMoment)) {
      this.count(entity, span, rings.event(start++), -1)
    }
    cursors[at] = start
    cursors[at + 1] = end
  }

  private seekBack(entity: number, span: Span, at: number, last: number): void {
    const { rings, cursors } = this
    const before = last - span.windowUs
    const beforeMoment = momentOf(before)
    let start = cursors[at]
    while (start > 0 && this.isLater(start - 1, before, beforeMoment)) {
      this.count(entity, span, rings.event(--start), 1)
    }
    const lastMoment = momentOf(last)
    let end = cursors[at + 1]
    while (end > start && this.isLater(end - 1, last, lastMoment)) {
      this.count(entity, span, rings.event(--end), -1)
    }
    cursors[at] = start
    cursors[at + 1] = end
  }

  /** Counts the current event in every window that reaches it; the cursors are at its time. */
  countCurrent(entity: number, event: number): void {
    for (const span of this.plan.spans) {
      if (span.delayUs === 0) this.count(entity, span, event, 1)
    }
  }

  /** Puts the current event, which is counted already, into the ring behind its windows' ends. */
  insert(entity: number, event: number): void {
    const { spans } = this.plan
    const timeUs = this.events.time(event)
    const { immediate } = this
    const position =
      immediate < 0 ? this.positionAfter(entity, timeUs) : this.end(entity, immediate)
    let at = entity * this.cursorStride
    let due = entity * spans.length
    for (let s = 0; s < spans.length; s++, at += 2, due++) {
      const { delayUs, windowUs } = spans[s]
      // The event is the next to enter a delayed window, or the first to leave one that was empty.
      if (this.cursors[at] === position) this.lower(due, timeUs + delayUs + windowUs)
      if (delayUs === 0) this.cursors[at + 1] = position + 1
      else if (this.cursors[at + 1] === position) this.lower(due, timeUs + delayUs)
    }
    this.rings.insert(entity, position, event, momentOf(timeUs))
  }

  /** Puts an event of a snapshot into the ring of an entity whose windows were not used yet. */
  readd(entity: number, position: number, event: number): void {
    this.rings.insert(entity, position, event, momentOf(this.events.time(event)))
  }

  private lower(due: number, timeUs: number): void {
    if (timeUs < this.dues[due]) this.dues[due] = timeUs
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
    const { rings, cursors } = this
    const { spans } = this.plan
    const moment = momentOf(throughUs)
    while (rings.length(entity) > 0) {
      rings.select(entity)
      if (this.isLater(0, throughUs, moment)) return
      const event = rings.event(0)
      let at = entity * this.cursorStride
      for (let s = 0; s < spans.length; s++, at += 2) {
        if (cursors[at] > 0) cursors[at]--
        else if (cursors[at + 1] > 0) this.count(entity, spans[s], event, -1)
        if (cursors[at + 1] > 0) cursors[at + 1]--
      }
      rings.shift(entity)
    }
    this.reset(entity)
  }

  /** Changes an event's flags, in every window that holds it. */
  relabel(entity: number, event: number, flags: number): void {
    const { spans } = this.plan
    const position = this.positionOf(entity, event)
    const old = this.events.flags(event)
    let at = entity * this.cursorStride
    for (let s = 0; s < spans.length; s++, at += 2) {
      if (position < this.cursors[at] || position >= this.cursors[at + 1]) continue
      this.count(entity, spans[s], event, -1)
      this.events.setFlags(event, flags)
      this.count(entity, spans[s], event, 1)
      this.events.setFlags(event, old)
    }
  }

  /** Position of the first event after a time. */
  positionAfter(entity: number, timeUs: number): number {
    const moment = momentOf(timeUs)
    this.rings.select(entity)
    let low = 0
    let high = this.rings.length(entity)
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.isLater(middle, timeUs, moment)) high = middle
      else low = middle + 1
    }
    return low
  }

  /** The least or greatest value between the cursors, searched again where it was lost. */
  extreme(
    entity: number,
    span: number,
    slot: number,
    reading: { readonly op: string; readonly number: number; readonly mask: number },
    current: number,
  ): number {
    const at = this.lanes(entity) + slot
    const known = this.figures[at]
    if (!Number.isNaN(known)) return known
    const { events, rings } = this
    const least = reading.op === 'min'
    let found = least ? Infinity : -Infinity
    const end = this.end(entity, span)
    rings.select(entity)
    for (let i = this.start(entity, span); i <= end; i++) {
      const event = i < end ? rings.event(i) : current
      if (event < 0 || (events.flags(event) & reading.mask) !== reading.mask) continue
      const value = events.number(event, reading.number)
      if (least ? value < found : value > found) found = value
    }
    this.figures[at] = found
    return found
  }

  /** How many different codes there are between the cursors, the current event's included. */
  distinct(
    entity: number,
    span: number,
    mask: number,
    dictionary: Dictionary,
    dictionaryAt: number,
    current: number,
  ): number {
    const { events, rings } = this
    const stamp = dictionary.newStamp()
    const end = this.end(entity, span)
    let found = 0
    rings.select(entity)
    for (let i = this.start(entity, span); i <= end; i++) {
      const event = i < end ? rings.event(i) : current
      if (event < 0 || (mask !== 0 && (events.flags(event) & mask) !== mask)) continue
      if (dictionary.stampFirst(events.code(event, dictionaryAt), stamp)) found++
    }
    return found
  }

  bytes(): number {
    const { cursors, figures, soughtUs, dues } = this
    const perEntity = [cursors, figures, soughtUs, dues]
    return perEntity.reduce((sum, array) => sum + array.byteLength, this.rings.bytes())
  }

  /** Adds (`sign` 1) or takes away (−1) an event in a window's figures. */
  private count(
    entity: number,
    span: Span,
    event: number,
    sign: number,
  ): void {
    const { events, figures } = this
    const { accumulators } = span
    const flags = span.flagged ? events.flags(event) : 0
    const lanes = entity * this.plan.lanes
    for (let i = 0; i < accumulators.length; i++) {
      const { op, number, mask, slot } = accumulators[i]
      if ((flags & mask) !== mask) continue
      const at = lanes + slot
      if (op === 'count') {
        figures[at] += sign
        continue
      }
      const value = events.number(event, number)
      if (Number.isNaN(value)) continue
      switch (op) {
        case 'present':
          figures[at] += sign
          break
        case 'sum': {
          const high = Math.floor(value / SUM_SPLIT)
          figures[at] += sign * high
          figures[at + 1] += sign * (value - high * SUM_SPLIT)
          break
        }
        case 'squares': {
          const square = value * value
          const high = Math.floor(square / SQUARE_SPLIT)
          figures[at] += sign * high
          figures[at + 1] += sign * (square - high * SQUARE_SPLIT)
          break
        }
        case 'wideSquares':
          addWideSquare(figures, at, value, sign)
          break
        case 'min':
          if (sign < 0 ? value === figures[at] : value < figures[at]) {
            figures[at] = sign < 0 ? Number.NaN : value
          }
          break
        case 'max':
          if (sign < 0 ? value === figures[at] : value > figures[at]) {
            figures[at] = sign < 0 ? Number.NaN : value
          }
          break
      }
    }
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

  private reset(entity: number): void {
    this.rings.clear(entity)
    this.soughtUs[entity] = -Infinity
    const { length } = this.plan.spans
    this.dues.fill(-Infinity, entity * length, (entity + 1) * length)
    this.cursors.fill(0, entity * this.cursorStride, (entity + 1) * this.cursorStride)
    this.figures.set(this.initial, entity * this.plan.lanes)
  }
}
