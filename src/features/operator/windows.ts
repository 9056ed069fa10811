import type { Dictionary } from './dictionary.ts'
import { changeGroup } from './figures.ts'
import { KnownEntities } from './known-entities.ts'
import type { KindPlan, Reading, StoredNumber } from './plan.ts'
import { SpanFigures, addToFold, initialLanes } from './span-figures.ts'

/** Doubles of a record: where the windows stand, dues, figures. */
const SOUGHT = 0

/** An event as the windows see it: what entries of its kinds will hold. */
export interface StagedEvent {
  timeUs: number
  /** The filters that it passes, a bit each. */
  flags: number
  /** Its number among the events that labels may name. */
  event: number
  /** By stored number of its source; NaN for none. */
  readonly numbers: Float64Array
  /** By dictionary; negative where it has no key. */
  readonly codes: Int32Array
}

/**
 * The windows of all entities of one kind. Each entity has one ring of its events in order of (event
 * time, sequence); each window is a pair of cursors into it, [start, end), with exact figures of the
 * events between. `seek` moves the cursors to any time, forward or back, adding and taking away what
 * they pass: a late event only moves them back a little. Because the figures are exact integers (and
 * extremes are searched again when one leaves), they depend on the events between the cursors alone.
 * A window over all time starts at position 0, before every ring, and keeps what has left it.
 */
export class EntityWindows extends KnownEntities {
  private readonly spanFigures: SpanFigures
  /** A span without delay, whose windows end where the current event goes; −1: there is none. */
  private readonly immediate: number
  private readonly initial: Float64Array
  private readonly saved: Float64Array
  /** Takes what was touched, so that its looks are not taken for useless. */
  touched = 0
  /** By link: where the entity had the current event's code before, as `findEqual` found it. */
  private readonly equals: Int32Array

  constructor(
    plan: KindPlan,
    stored: readonly StoredNumber[],
    dictionaries: readonly Dictionary[],
  ) {
    super(plan, stored, dictionaries)
    const { spans, lanes, links } = plan
    this.equals = new Int32Array(links.length)
    this.spanFigures = new SpanFigures(plan, this.rings, this.entries, this.distinctLinks)
    this.immediate = spans.findIndex(({ delayUs }) => delayUs === 0)
    this.initial = initialLanes(plan)
    this.saved = new Float64Array(lanes)
    this.reserve(0)
  }

  protected override reset(entity: number): void {
    const { doubles, integers } = this.records
    const record = this.records.doublesOf(entity)
    this.rings.clear(entity)
    this.rings.begin(entity)
    doubles.fill(-Infinity, record, record + this.lanesAt)
    this.records.oldestUs[entity] = Infinity
    doubles.set(this.initial, record + this.lanesAt)
    let at = this.cursorsOf(entity)
    for (const { windowUs } of this.plan.spans) {
      integers[at++] = windowUs === Infinity ? 0 : 1
      integers[at++] = 1
    }
  }

  /** The lanes of all figures; NaN in an extreme's lane: it must be searched again. */
  get figures(): Float64Array {
    return this.records.doubles
  }
  /** Where the entity's lanes begin in `figures`. */
  lanes(entity: number): number {
    return this.records.doublesOf(entity) + this.lanesAt
  }
  /** First position of a window: 0 where it covers all time, even what has left the ring. */
  start(entity: number, span: number): number {
    return this.records.integers[this.cursorsOf(entity) + span * 2]
  }
  /** How many events a window of the ring's time holds. */
  eventsIn(entity: number, span: number): number {
    const at = this.cursorsOf(entity) + span * 2
    return this.records.integers[at + 1] - this.records.integers[at]
  }
  /** The position after the window's last. */
  endOf(entity: number, span: number): number {
    return this.records.integers[this.cursorsOf(entity) + span * 2 + 1]
  }

  /**
   * Looks at the memory that an entity's figures take, and does nothing with it. Each first look at
   * memory waits for it; here, and in `touchRing`, none waits for another's result, so that the
   * processor fetches all of it at once.
   */
  touchRecord(entity: number): void {
    this.touched = this.records.touch(entity)
  }

  /** Looks at the memory of an entity's ring: at all of it, unless it is long. */
  touchRing(entity: number): void {
    this.rings.select(entity)
    this.touched = this.rings.touch()
  }

  /** Moves every window of the entity so that it ends at a time (less its delay), and selects it. */
  seek(entity: number, timeUs: number): void {
    const { doubles } = this.records
    const record = this.records.doublesOf(entity)
    const forward = timeUs >= doubles[record + SOUGHT]
    doubles[record + SOUGHT] = timeUs
    this.rings.select(entity)
    const { length } = this.plan.spans
    const due = record + this.duesAt
    for (let s = 0; s < length; s++) {
      // No event enters or leaves before it is due.
      if (forward && timeUs < doubles[due + s]) continue
      if (!forward) this.seekBack(entity, s)
      this.seekForward(entity, s)
    }
  }

  // What lies between the cursors is always counted once: ends move before starts on the way
  // forward, and after them on the way back.

  /** Moves a window on to the time that is sought, and notes when another event may enter or leave. */
  private seekForward(entity: number, s: number): void {
    const { rings, figures, spanFigures } = this
    const { integers, doubles } = this.records
    const span = this.plan.spans[s]
    const { distincts, folds, windowUs, delayUs } = span
    const { doubles: times, size, end: newest } = rings
    const record = this.records.doublesOf(entity)
    const lanes = record + this.lanesAt
    const last = doubles[record + SOUGHT] - delayUs
    const base = rings.offset >> 1
    const at = this.cursorsOf(entity) + s * 2
    const start = integers[at]
    let end = integers[at + 1]
    let dueUs = Infinity
    for (; end < newest; end++) {
      const slot = rings.slot(end)
      const timeUs = times[base + slot]
      if (timeUs > last) {
        dueUs = timeUs + delayUs
        break
      }
      spanFigures.changeEntry(figures, lanes, span, slot, 1)
      for (let i = 0; i < distincts.length; i++) {
        spanFigures.changeDistinctAtEnd(figures, entity, lanes, distincts[i], end, start, 1)
      }
      for (let i = 0; i < folds.length; i++) {
        spanFigures.foldEntry(figures, lanes + folds[i].slot, folds[i], end)
      }
    }
    integers[at + 1] = end
    let position = start
    if (windowUs < Infinity && start < end) {
      const before = last - windowUs
      let slot = rings.slot(start)
      for (; position < end; position++) {
        const timeUs = times[base + slot]
        if (timeUs > before) {
          dueUs = Math.min(dueUs, timeUs + delayUs + windowUs)
          break
        }
        spanFigures.changeEntry(figures, lanes, span, slot, -1)
        for (let i = 0; i < distincts.length; i++) {
          spanFigures.changeDistinctAtStart(figures, lanes, distincts[i], position, end, -1)
        }
        slot = slot + 1 === size ? 0 : slot + 1
      }
      integers[at] = position
      if (position === end) spanFigures.empty(figures, lanes, span)
    }
    doubles[record + this.duesAt + s] = dueUs
  }

  private seekBack(entity: number, s: number): void {
    const { rings, figures } = this
    const { integers, doubles } = this.records
    const span = this.plan.spans[s]
    const record = this.records.doublesOf(entity)
    const lanes = record + this.lanesAt
    const last = doubles[record + SOUGHT] - span.delayUs
    const at = this.cursorsOf(entity) + s * 2
    let start = integers[at]
    let end = integers[at + 1]
    if (span.windowUs !== Infinity) {
      const before = last - span.windowUs
      for (; start > rings.first && rings.time(start - 1) > before; start--) {
        this.spanFigures.changeEntry(figures, lanes, span, rings.slot(start - 1), 1)
        for (const figure of span.distincts) {
          this.spanFigures.changeDistinctAtStart(figures, lanes, figure, start - 1, end, 1)
        }
      }
    }
    const lowest = Math.max(start, rings.first)
    for (; end > lowest && rings.time(end - 1) > last; end--) {
      this.spanFigures.changeEntry(figures, lanes, span, rings.slot(end - 1), -1)
      for (const figure of span.distincts) {
        this.spanFigures.changeDistinctAtEnd(figures, entity, lanes, figure, end - 1, start, -1)
      }
    }
    integers[at] = start
    integers[at + 1] = end
    for (const fold of span.folds) this.spanFigures.foldAgain(figures, lanes + fold.slot, fold, end)
  }

  /** Counts the current event in every window that reaches it; the cursors are at its time. */
  countCurrent(entity: number, staged: StagedEvent): void {
    const lanes = this.lanes(entity)
    const { figures } = this
    const { spans } = this.plan
    this.rings.select(entity)
    const { immediate } = this
    this.findEqual(entity, staged, immediate < 0 ? this.rings.end : this.endOf(entity, immediate))
    for (let s = 0; s < spans.length; s++) {
      const { delayUs, groups, distincts, folds } = spans[s]
      if (delayUs > 0) continue
      for (let i = 0; i < groups.length; i++) {
        const group = groups[i]
        if ((staged.flags & group.mask) !== group.mask) continue
        changeGroup(figures, lanes, group, staged.numbers[group.number], 1)
      }
      for (let i = 0; i < distincts.length; i++) {
        const { mask, link, slot } = distincts[i]
        const code = staged.codes[this.plan.links[link].dictionary]
        if (code < 0 || (staged.flags & mask) !== mask) continue
        if (this.equals[link] < this.start(entity, s)) figures[lanes + slot]++
      }
      for (const fold of folds) {
        if ((staged.flags & fold.mask) !== fold.mask) continue
        addToFold(figures, lanes + fold.slot, fold, staged.numbers[fold.number], staged.timeUs)
      }
    }
  }

  /** Finds where below a position the selected entity last had the codes of the current event. */
  private findEqual(entity: number, staged: StagedEvent, position: number): void {
    const { links } = this.plan
    for (let i = 0; i < links.length; i++) {
      const equal = this.distinctLinks[i]
      if (equal === undefined) continue
      const code = staged.codes[links[i].dictionary]
      this.equals[i] = code < 0 ? -1 : equal.lastBefore(entity, code, position)
    }
  }

  /** Puts the current event, which is counted already, into the ring behind its windows' ends. */
  insert(entity: number, staged: StagedEvent): void {
    const { spans } = this.plan
    const { integers, doubles } = this.records
    const { timeUs } = staged
    this.rings.select(entity)
    const { immediate } = this
    const position =
      immediate < 0 ? this.rings.positionAfter(timeUs) : this.endOf(entity, immediate)
    let at = this.cursorsOf(entity)
    let due = this.records.doublesOf(entity) + this.duesAt
    for (let s = 0; s < spans.length; s++, at += 2, due++) {
      const { delayUs, windowUs } = spans[s]
      // The event is the next to enter a delayed window, or the first to leave one that was empty.
      let dueUs = integers[at] === position ? timeUs + delayUs + windowUs : Infinity
      if (delayUs === 0) integers[at + 1] = position + 1
      else if (integers[at + 1] === position) dueUs = timeUs + delayUs
      if (dueUs < doubles[due]) doubles[due] = dueUs
    }
    this.place(entity, position, staged)
  }

  /** Puts an event behind the newest of the ring, without counting it. */
  append(entity: number, staged: StagedEvent): void {
    this.rings.select(entity)
    this.findEqual(entity, staged, this.rings.end)
    this.place(entity, this.rings.end, staged)
  }

  private place(entity: number, position: number, staged: StagedEvent): void {
    const { rings, entries, plan, dictionaries } = this
    this.welcome(entity)
    const slot = rings.insert(entity, position, staged.timeUs)
    const { fields, links } = plan
    for (let i = 0; i < fields.length; i++) {
      const { holds, index } = fields[i]
      if (holds === 'flags') entries.setFlags(slot, staged.flags)
      else if (holds === 'event') entries.setEvent(slot, staged.event)
      else if (holds === 'code') {
        entries.setCode(slot, index, staged.codes[index])
        dictionaries[index].hold(staged.codes[index])
      } else if (holds !== 'link') entries.setNumber(slot, index, staged.numbers[index])
    }
    const { oldestUs } = this.records
    if (staged.timeUs < oldestUs[entity]) oldestUs[entity] = staged.timeUs
    const late = position + 1 < rings.end
    for (let i = 0; i < links.length; i++) {
      const code = links[i].dictionary < 0 ? -1 : staged.codes[links[i].dictionary]
      if (late) {
        this.distinctLinks[i]?.insert(entity, position, code, staged.flags)
        this.extremeLinks[i]?.rebuild(entity)
      } else {
        this.distinctLinks[i]?.append(entity, code, staged.flags, this.equals[i])
        this.extremeLinks[i]?.append(entity)
      }
    }
    if (rings.excess > 0) this.lowerPositions(entity)
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

  /** Whether the entity has events up to a time. */
  hasUntil(entity: number, throughUs: number): boolean {
    return this.records.oldestUs[entity] <= throughUs
  }

  /**
   * Removes the entity's events up to a time, which no window will reach again. The windows must stand
   * at a time whose windows begin later.
   */
  evict(entity: number, throughUs: number): void {
    if (!this.hasUntil(entity, throughUs)) return
    const { rings, plan } = this
    rings.select(entity)
    while (rings.first < rings.end && rings.time(rings.first) <= throughUs) {
      if (plan.ever) this.spanFigures.keepLeaving(this.figures, this.lanes(entity), rings.first)
      for (let i = 0; i < this.distinctLinks.length; i++) this.distinctLinks[i]?.forget(entity)
      this.releaseCodes(rings.slot(rings.first))
      rings.drop(entity, 1)
    }
    const isEmpty = rings.first === rings.end
    this.records.oldestUs[entity] = isEmpty ? Infinity : rings.time(rings.first)
    for (let i = 0; i < plan.links.length; i++) {
      if (this.distinctLinks[i]?.isSettled(entity) === false) this.distinctLinks[i]!.settle(entity)
      this.extremeLinks[i]?.settle(entity)
    }
  }

  /** Changes the flags of an event that was found by its time, in every window that holds it. */
  relabel(entity: number, event: number, timeUs: number, flags: number): void {
    const { rings, entries, figures } = this
    const { spans } = this.plan
    const { integers } = this.records
    const position = this.positionOf(entity, event, timeUs)
    if (position < 0) return
    const entry = rings.slot(position)
    const old = entries.flags(entry)
    const lanes = this.lanes(entity)
    let at = this.cursorsOf(entity)
    for (let s = 0; s < spans.length; s++, at += 2) {
      if (position < integers[at] || position >= integers[at + 1]) continue
      for (const group of spans[s].groups) {
        const was = (old & group.mask) === group.mask
        const is = (flags & group.mask) === group.mask
        if (was === is) continue
        changeGroup(figures, lanes, group, this.spanFigures.numberOf(entry, group), is ? 1 : -1)
      }
    }
    entries.setFlags(entry, flags)
  }

  /**
   * Searches an extreme that was lost, between the cursors and with the current event. What is known
   * of `inner`, the same figure over a shorter window that ends alike, is not searched again.
   */
  findExtreme(
    entity: number,
    reading: Reading,
    inner: Reading | null,
    current: StagedEvent | null,
  ): number {
    const { span, main } = reading
    const group = reading.group!
    const lanes = this.lanes(entity)
    const at = lanes + main
    const least = main === group.min
    const links = this.extremeLinks[least ? group.minLink : group.maxLink]!
    this.rings.select(entity)
    const start = Math.max(this.start(entity, span), this.rings.first)
    const end = inner === null ? this.endOf(entity, span) : this.start(entity, inner.span)
    let found = least ? Infinity : -Infinity
    if (this.plan.spans[span].windowUs === Infinity) found = this.figures[at + 1]
    const searched = start < end ? links.search(entity, start, end) : found
    if (least ? searched < found : searched > found) found = searched
    let known = found
    if (inner !== null) known = this.figures[lanes + inner.main]
    else if (current !== null && (current.flags & group.mask) === group.mask) {
      known = current.numbers[group.number]
    }
    if (least ? known < found : known > found) found = known
    this.figures[at] = found
    return found
  }

  private lowerPositions(entity: number): void {
    const { rings, plan } = this
    const by = rings.excess
    rings.lower(entity, by)
    const { integers } = this.records
    let at = this.cursorsOf(entity)
    for (const { windowUs } of plan.spans) {
      if (windowUs !== Infinity) integers[at] = Math.max(1, integers[at] - by)
      integers[at + 1] = Math.max(1, integers[at + 1] - by)
      at += 2
    }
    for (const links of this.distinctLinks) links?.settle(entity)
    for (const links of this.extremeLinks) links?.rebuild(entity)
  }

  private cursorsOf(entity: number): number {
    return this.records.integersOf(entity) + this.cursorsAt
  }
}
