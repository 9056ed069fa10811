import { BloomFilter, type Hash64 } from '../../lib/sketches/index.ts'
import {
  counting,
  dayStart,
  slotEnd,
  slotStart,
  type VisitorCounting,
  windowStart,
} from './counting.ts'
import { toHash64 } from './hashes.ts'
import { LeastHashes } from './least.ts'
import { isSuspectVisit, type Visit, VisitorSlot } from './slot.ts'
import type { Count, VisitorOptions, VisitorResult } from './types.ts'
import { about, exactly } from './uniques.ts'

/** What was odd about the times of lines. */
export interface TimeCounts {
  /** Lines that came after their slot was final: counted here and nowhere else. */
  late: number
  /** Lines far ahead of all before: in their slots, but nothing is final by them until others follow. */
  ahead: number
  /** Lines for slots that would be more than are held: counted here and nowhere else. */
  unplaced: number
}

/** Lines by which the time at the beginning is found, and after which a jump is believed. */
const BELIEVED_AFTER = 16
/** Slots that are not final yet, beyond those that lateness asks for. */
const OPEN_MAX = 2000
/** Visitors of a day that are known one by one; further ones are in the filter. */
const DAY_KNOWN_MAX = 65_536
const SUSPECTS_MAX = 65_536

/**
 * Unique visitors of a stream of requests. A slot is final once a line is later than its end by more than the
 * declared lateness; final slots come out in order of time. What comes out does not depend on the order of
 * lines within the lateness, nor on where a run was broken off: back-fill and live are the same.
 */
export class VisitorStream {
  readonly how: VisitorCounting
  readonly times: TimeCounts = { late: 0, ahead: 0, unplaced: 0 }
  /** By their beginning. */
  readonly open = new Map<number, VisitorSlot>()
  /** Final slots of the window, oldest first. */
  closed: { readonly start: number; readonly slot: VisitorSlot }[] = []
  /** The latest time that is believed. */
  highUs: number | undefined
  /** The beginning of the first slot that is not final. */
  nextStart: number | undefined
  day: VisitorDay | undefined
  /** Times of the first lines, or of lines in a row that are far ahead. */
  unbelieved: number[] = []
  readonly options: VisitorOptions
  /** Nothing becomes final before the end. */
  isHolding = false
  /** The slot of the line before, which most lines share. */
  private last = { start: 0, end: 0 }

  constructor(options: VisitorOptions) {
    this.options = options
    this.how = counting(options)
  }

  /** Counts a request; returns what is final by it. */
  add(visit: Visit): VisitorResult[] {
    const { timeUs } = visit
    const start = this.startOf(timeUs)
    if (this.nextStart !== undefined && start < this.nextStart) {
      this.times.late++
      this.unbelieved.length = 0
      return []
    }
    const slot = this.slotAt(start)
    if (slot === undefined) {
      this.times.unplaced++
      return []
    }
    slot.add(visit)
    if (this.isHolding) return []
    if (this.highUs !== undefined && timeUs <= this.highUs) {
      this.unbelieved.length = 0
      return []
    }
    return this.advance(timeUs) ? this.finish(this.highUs! - this.how.latenessUs) : []
  }

  /** All slots become final; nothing may follow that is earlier. */
  end(): VisitorResult[] {
    return this.finish(Infinity)
  }

  /** What the slots that are not final would say now, by a copy; the stream stays as it is. */
  provisional(): VisitorResult[] {
    const copy = new VisitorStream(this.options)
    copy.closed = [...this.closed]
    copy.nextStart = this.nextStart
    copy.day = this.day?.copy()
    for (const [start, slot] of this.open) {
      const own = new VisitorSlot(this.how)
      own.merge(slot)
      copy.open.set(start, own)
    }
    return copy.end().map((result) => ({ ...result, isFinal: false }))
  }

  /**
   * Takes in what another stream has counted of other lines: a history that is read in parts. Neither may have made
   * anything final, which `isHolding` sees to.
   */
  absorb(other: VisitorStream): void {
    if (JSON.stringify(this.how) !== JSON.stringify(other.how)) {
      throw new Error('The streams count in different ways.')
    }
    if (this.nextStart !== undefined || other.nextStart !== undefined) {
      throw new Error('Something is final already.')
    }
    for (const [start, slot] of other.open) {
      const own = this.slotAt(start)
      if (own !== undefined) own.merge(slot)
      else this.times.unplaced += slot.hits + slot.botHits
    }
    this.times.late += other.times.late
    this.times.unplaced += other.times.unplaced
    this.times.ahead += other.times.ahead
  }

  private startOf(us: number): number {
    const { last } = this
    if (us >= last.start && us < last.end) return last.start
    const start = slotStart(this.how, us)
    this.last = { start, end: slotEnd(this.how, start) }
    return start
  }

  private slotAt(start: number): VisitorSlot | undefined {
    const known = this.open.get(start)
    if (known !== undefined) return known
    const lateness = Math.ceil(this.how.latenessUs / this.how.everyUs)
    if (this.open.size >= OPEN_MAX + lateness && !this.makeRoom(start)) return undefined
    const slot = new VisitorSlot(this.how)
    this.open.set(start, slot)
    return slot
  }

  /** Lets the latest slot go for an earlier one: lines of a wrong clock must not take the room of all others. */
  private makeRoom(start: number): boolean {
    const latest = [...this.open.keys()].reduce((one, other) => Math.max(one, other))
    if (latest <= start) return false
    const { hits, botHits } = this.open.get(latest)!
    this.times.unplaced += hits + botHits
    this.open.delete(latest)
    return true
  }

  /** Whether time goes on by this line. One line with a wrong clock must not make others late. */
  private advance(timeUs: number): boolean {
    const { jumpUs } = this.how
    if (this.highUs !== undefined && timeUs <= this.highUs + jumpUs) {
      this.unbelieved.length = 0
      this.highUs = timeUs
      return true
    }
    if (this.highUs !== undefined) this.times.ahead++
    this.unbelieved.push(timeUs)
    if (this.unbelieved.length < BELIEVED_AFTER) return false
    const sorted = this.unbelieved.toSorted((a, b) => a - b)
    const middle = sorted[BELIEVED_AFTER >> 1]
    this.highUs = sorted.findLast((us) => us <= middle + jumpUs)!
    this.unbelieved.length = 0
    return true
  }

  /** Makes all slots final that end by then. */
  private finish(untilUs: number): VisitorResult[] {
    const results: VisitorResult[] = []
    for (;;) {
      if (this.open.size === 0) return results
      if (this.closed.length === 0) this.nextStart = this.firstStart(untilUs)
      const start = this.nextStart!
      if (slotEnd(this.how, start) > untilUs) return results
      const result = this.finishSlot(start)
      if (result !== undefined) results.push(result)
    }
  }

  /** The next slot that is not final: the first one in which something came, or the one that lasts until then. */
  private firstStart(untilUs: number): number {
    let first = Infinity
    for (const start of this.open.keys()) if (start < first) first = start
    if (slotEnd(this.how, first) <= untilUs) return first
    return Math.max(this.nextStart ?? -Infinity, Math.min(first, slotStart(this.how, untilUs)))
  }

  private finishSlot(start: number): VisitorResult | undefined {
    const { how } = this
    const slot = this.open.get(start)
    const dayUs = dayStart(how.timeZone, start)
    if (this.day?.startUs !== dayUs) this.day = new VisitorDay(dayUs, how.dayVisitors)
    const before = this.day.seen()
    if (slot !== undefined) {
      this.open.delete(start)
      slot.judge(how.slotHitsMax, this.day.suspects)
      this.day.add(slot)
      this.closed.push({ start, slot })
    }
    this.nextStart = slotEnd(how, start)
    const from = windowStart(how, start)
    this.closed = this.closed.filter((each) => each.start >= from)
    if (this.closed.length === 0) return undefined
    const today = this.day.seen()
    const result = {
      from,
      to: this.nextStart,
      isFinal: true,
      ...resultOf(
        how,
        this.closed.map((each) => each.slot),
      ),
      firstSeen: gainedBy(before, today),
      today,
    }
    slot?.people.close()
    const next = windowStart(how, this.nextStart)
    this.closed = this.closed.filter((each) => each.start >= next)
    return result
  }
}

/** What a slot brought. The keys that were there before are in both counts with the same error. */
function gainedBy(before: Count, after: Count): Count {
  const value = Math.max(0, after.value - before.value)
  const error = (after.high - after.value) * Math.sqrt(value / Math.max(1, after.value))
  return { value, low: Math.max(0, Math.floor(value - error)), high: Math.ceil(value + error) }
}

function resultOf(
  how: VisitorCounting,
  slots: readonly VisitorSlot[],
): Pick<VisitorResult, 'visitors' | 'hits' | 'bots' | 'botHits' | 'suspects' | 'by'> {
  const whole = slots.length === 1 ? slots[0] : new VisitorSlot(how, false)
  if (slots.length > 1) for (const slot of slots) whole.merge(slot)
  const suspects = whole.people.countOf(isSuspectVisit)
  return {
    visitors: without(whole.people.count, suspects),
    hits: whole.hits,
    bots: whole.bots.count,
    botHits: whole.botHits,
    suspects,
    by: whole.pairs.map((pairs) => pairs.breakdown(how.top, whole.isSuspect)),
  }
}

function without(all: Count, some: Count): Count {
  const value = all.value - some.value
  const below = Math.sqrt((all.value - all.low) ** 2 + (some.high - some.value) ** 2)
  const above = Math.sqrt((all.high - all.value) ** 2 + (some.value - some.low) ** 2)
  return { value, low: Math.max(0, Math.floor(value - below)), high: Math.ceil(value + above) }
}

/**
 * Who came on a day so far, in slots that are final. Without suspects, but for slots with so many visitors that they
 * are not known one by one.
 */
export class VisitorDay {
  readonly startUs: number
  readonly capacity: number
  /** One by one, until they are too many. */
  known: Set<number> | undefined = new Set()
  filter: BloomFilter | undefined
  readonly suspects: LeastHashes<true>
  private readonly hash: Hash64 = { low: 0, high: 0 }

  constructor(startUs: number, capacity: number, suspects = new LeastHashes<true>(SUSPECTS_MAX)) {
    this.startUs = startUs
    this.capacity = capacity
    this.suspects = suspects
  }

  add({ people }: VisitorSlot): void {
    if (people.sketch === undefined) {
      for (const [hash, { isSuspect }] of people.known.entries) if (!isSuspect) this.addOne(hash)
      return
    }
    this.toFilter()
    this.filter!.merge(people.filter!)
  }

  seen(): Count {
    if (this.known !== undefined) return exactly(this.known.size)
    const { keys: estimate, error } = this.filter!.estimate()
    return about(estimate, error)
  }

  copy(): VisitorDay {
    const suspects = new LeastHashes(
      SUSPECTS_MAX,
      new Map(this.suspects.entries),
      this.suspects.bound,
    )
    const day = new VisitorDay(this.startUs, this.capacity, suspects)
    day.known = this.known === undefined ? undefined : new Set(this.known)
    day.filter =
      this.filter === undefined ? undefined : BloomFilter.fromBytes(this.filter.toBytes())
    return day
  }

  private addOne(hash: number): void {
    if (this.known !== undefined) {
      this.known.add(hash)
      if (this.known.size > DAY_KNOWN_MAX) this.toFilter()
    } else this.filter!.addHash(toHash64(hash, this.hash))
  }

  private toFilter(): void {
    const { known } = this
    if (known === undefined) return
    this.filter = BloomFilter.of({ capacity: this.capacity })
    for (const hash of known) this.filter.addHash(toHash64(hash, this.hash))
    this.known = undefined
  }
}
