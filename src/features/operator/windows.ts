import { grown } from './dictionary.ts'
import type { Dictionary } from './dictionary.ts'
import type { EventStore } from './event-store.ts'
import { SQUARE_SPLIT, SUM_SPLIT, addWideSquare } from './exact.ts'
import type { Accumulator, KindPlan } from './plan.ts'
import { Rings } from './rings.ts'

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
  private readonly events: EventStore
  private readonly cursorStride: number
  private readonly initial: Float64Array
  private readonly saved: Float64Array

  constructor(plan: KindPlan, events: EventStore) {
    this.plan = plan
    this.events = events
    this.cursorStride = plan.spans.length * 2
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
    this.reset(0)
  }

  /** Prepares an entity that had no events. */
  begin(entity: number): void {
    this.rings.reserve(entity)
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
    const { rings, events, cursors } = this
    const { spans } = this.plan
    const length = rings.length(entity)
    let at = entity * this.cursorStride
    for (let s = 0; s < spans.length; s++, at += 2) {
      const span = spans[s]
      const last = timeUs - span.delayUs
      const before = last - span.windowUs
      let start = cursors[at]
      let end = cursors[at + 1]
      // Ends move before starts on the way forward, and after them on the way back: what lies
      // between the cursors is always counted once.
      while (end < length) {
        const event = rings.get(entity, end)
        if (events.times.get(event) > last) break
        this.count(entity, span.accumulators, event, 1)
        end++
      }
      while (start < end) {
        const event = rings.get(entity, start)
        if (events.times.get(event) > before) break
        this.count(entity, span.accumulators, event, -1)
        start++
      }
      while (start > 0) {
        const event = rings.get(entity, start - 1)
        if (events.times.get(event) <= before) break
        this.count(entity, span.accumulators, event, 1)
        start--
      }
      while (end > start) {
        const event = rings.get(entity, end - 1)
        if (events.times.get(event) <= last) break
        this.count(entity, span.accumulators, event, -1)
        end--
      }
      cursors[at] = start
      cursors[at + 1] = end
    }
  }

  /** Counts the current event in every window that reaches it; the cursors are at its time. */
  countCurrent(entity: number, event: number): void {
    for (const { delayUs, accumulators } of this.plan.spans) {
      if (delayUs === 0) this.count(entity, accumulators, event, 1)
    }
  }

  /** Puts the current event, which is counted already, into the ring behind its windows' ends. */
  insert(entity: number, event: number): void {
    const { spans } = this.plan
    let position = -1
    let at = entity * this.cursorStride
    for (let s = 0; s < spans.length; s++, at += 2) {
      if (spans[s].delayUs > 0) continue
      position = this.cursors[at + 1]
      this.cursors[at + 1] = position + 1
    }
    if (position < 0) position = this.positionAfter(entity, this.events.times.get(event))
    this.rings.insert(entity, position, event)
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
    const { rings, events, cursors } = this
    const { spans } = this.plan
    while (rings.length(entity) > 0) {
      const event = rings.get(entity, 0)
      if (events.times.get(event) > throughUs) return
      let at = entity * this.cursorStride
      for (let s = 0; s < spans.length; s++, at += 2) {
        if (cursors[at] > 0) cursors[at]--
        else if (cursors[at + 1] > 0) this.count(entity, spans[s].accumulators, event, -1)
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
    const old = this.events.flags.get(event)
    let at = entity * this.cursorStride
    for (let s = 0; s < spans.length; s++, at += 2) {
      if (position < this.cursors[at] || position >= this.cursors[at + 1]) continue
      this.count(entity, spans[s].accumulators, event, -1)
      this.events.flags.set(event, flags)
      this.count(entity, spans[s].accumulators, event, 1)
      this.events.flags.set(event, old)
    }
  }

  /** Position of the first event after a time. */
  positionAfter(entity: number, timeUs: number): number {
    let low = 0
    let high = this.rings.length(entity)
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.events.times.get(this.rings.get(entity, middle)) <= timeUs) low = middle + 1
      else high = middle
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
    const values = events.numbers[reading.number]
    const least = reading.op === 'min'
    let found = least ? Infinity : -Infinity
    const end = this.end(entity, span)
    for (let i = this.start(entity, span); i <= end; i++) {
      const event = i < end ? rings.get(entity, i) : current
      if (event < 0 || (events.flags.get(event) & reading.mask) !== reading.mask) continue
      const value = values.get(event)
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
    const codes = events.codes[dictionaryAt]
    const stamp = dictionary.newStamp()
    const end = this.end(entity, span)
    let found = 0
    for (let i = this.start(entity, span); i <= end; i++) {
      const event = i < end ? rings.get(entity, i) : current
      if (event < 0 || (events.flags.get(event) & mask) !== mask) continue
      if (dictionary.stampFirst(codes.get(event), stamp)) found++
    }
    return found
  }

  bytes(): number {
    return this.rings.bytes() + this.cursors.byteLength + this.figures.byteLength
  }

  /** Adds (`sign` 1) or takes away (−1) an event in a window's figures. */
  private count(
    entity: number,
    accumulators: readonly Accumulator[],
    event: number,
    sign: number,
  ): void {
    const { events, figures } = this
    const flags = events.flags.get(event)
    const lanes = entity * this.plan.lanes
    for (let i = 0; i < accumulators.length; i++) {
      const { op, number, mask, slot } = accumulators[i]
      if ((flags & mask) !== mask) continue
      const at = lanes + slot
      if (op === 'count') {
        figures[at] += sign
        continue
      }
      const value = events.numbers[number].get(event)
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
    const timeUs = events.times.get(event)
    for (let position = this.positionAfter(entity, timeUs) - 1; position >= 0; position--) {
      const candidate = rings.get(entity, position)
      if (candidate === event) return position
      if (events.times.get(candidate) < timeUs) break
    }
    return -1
  }

  private reset(entity: number): void {
    this.rings.clear(entity)
    this.cursors.fill(0, entity * this.cursorStride, (entity + 1) * this.cursorStride)
    this.figures.set(this.initial, entity * this.plan.lanes)
  }
}
