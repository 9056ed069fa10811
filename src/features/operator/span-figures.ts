import { pow } from '../../lib/math.ts'
import type { Entries } from './entries.ts'
import { changeGroup } from './figures.ts'
import type { DistinctLinks } from './links.ts'
import type { DistinctFigure, FigureGroup, Fold, KindPlan, Span } from './plan.ts'
import type { Rings } from './rings.ts'

/**
 * The figures of spans: what they gain and lose as events enter and leave. Methods speak of the entries
 * of the selected ring; `figures` are the lanes of all entities, `lanes` where those of the entity
 * begin, `sign` 1 for what enters and −1 for what leaves.
 */
export class SpanFigures {
  private readonly plan: KindPlan
  private readonly rings: Rings
  private readonly entries: Entries
  private readonly distinctLinks: readonly (DistinctLinks | undefined)[]

  constructor(
    plan: KindPlan,
    rings: Rings,
    entries: Entries,
    distinctLinks: readonly (DistinctLinks | undefined)[],
  ) {
    this.plan = plan
    this.rings = rings
    this.entries = entries
    this.distinctLinks = distinctLinks
  }

  /** Adds (`sign` 1) or takes away (−1) the selected ring's entry in a slot in a span's figures. */
  changeEntry(figures: Float64Array, lanes: number, span: Span, slot: number, sign: number): void {
    const { groups } = span
    for (let i = 0; i < groups.length; i++) {
      const group = groups[i]
      const { mask } = group
      if (mask !== 0 && (this.entries.flags(slot) & mask) !== mask) continue
      changeGroup(figures, lanes, group, this.numberOf(slot, group), sign)
    }
  }

  /** Tells the extremes of a span that has just become empty: nothing need be searched. */
  empty(figures: Float64Array, lanes: number, { groups }: Span): void {
    for (let i = 0; i < groups.length; i++) {
      const { min, max } = groups[i]
      if (min >= 0) figures[lanes + min] = Infinity
      if (max >= 0) figures[lanes + max] = -Infinity
    }
  }

  /** The value that a group counts of the entry in a slot. */
  numberOf(slot: number, { number }: FigureGroup): number {
    return number < 0 ? 0 : this.entries.number(slot, number)
  }

  changeDistinctAtEnd(
    figures: Float64Array,
    entity: number,
    lanes: number,
    { link, slot }: DistinctFigure,
    position: number,
    start: number,
    sign: number,
  ): void {
    const isFirst = this.distinctLinks[link]!.isFirst(entity, position, start)
    if (isFirst) figures[lanes + slot] += sign
  }
  changeDistinctAtStart(
    figures: Float64Array,
    lanes: number,
    { link, slot }: DistinctFigure,
    position: number,
    end: number,
    sign: number,
  ): void {
    if (this.distinctLinks[link]!.isLast(position, end)) figures[lanes + slot] += sign
  }

  foldEntry(figures: Float64Array, at: number, fold: Fold, position: number): void {
    const { rings, entries } = this
    const entry = rings.slot(position)
    if ((entries.flags(entry) & fold.mask) !== fold.mask) return
    const value = fold.number < 0 ? 1 : entries.number(entry, fold.number)
    addToFold(figures, at, fold, value, rings.time(position))
  }

  /** Works a fold out from what has left the ring and the entries up to a position. */
  foldAgain(figures: Float64Array, at: number, fold: Fold, end: number): void {
    const { rings } = this
    figures[at] = figures[at + 2]
    figures[at + 1] = figures[at + 3]
    for (let position = rings.first; position < end; position++)
      this.foldEntry(figures, at, fold, position)
  }

  /** Adds a leaving event to what windows over all time keep of the past. */
  keepLeaving(figures: Float64Array, lanes: number, position: number): void {
    const { entries, rings } = this
    const at = rings.slot(position)
    const flags = entries.flags(at)
    const passes = (mask: number): boolean => (flags & mask) === mask
    for (const { windowUs, groups, folds, edges } of this.plan.spans) {
      if (windowUs !== Infinity) continue
      for (const { mask, number, min, max } of groups) {
        if (number < 0 || !passes(mask)) continue
        const value = entries.number(at, number)
        if (min >= 0 && value < figures[lanes + min + 1]) figures[lanes + min + 1] = value
        if (max >= 0 && value > figures[lanes + max + 1]) figures[lanes + max + 1] = value
      }
      for (const fold of folds) {
        if (passes(fold.mask)) this.foldEntry(figures, lanes + fold.slot + 2, fold, position)
      }
      for (const { end, mask, number, slot } of edges) {
        const known = !Number.isNaN(figures[lanes + slot])
        if (!passes(mask) || (end === 'first' && known)) continue
        figures[lanes + slot] = rings.time(position)
        figures[lanes + slot + 1] = number < 0 ? Number.NaN : entries.number(at, number)
      }
    }
  }
}

/** Adds an event to a fading sum. */
export function addToFold(
  figures: Float64Array,
  at: number,
  { number, ones, halfLifeUs }: Fold,
  value: number,
  timeUs: number,
): void {
  if (number >= 0 && Number.isNaN(value)) return
  const last = figures[at + 1]
  const kept = last === -Infinity ? 0 : pow(2, -(timeUs - last) / halfLifeUs)
  figures[at] = figures[at] * kept + (ones ? 1 : value)
  figures[at + 1] = timeUs
}

/** The lanes of an entity without events. */
export function initialLanes({ lanes, spans }: KindPlan): Float64Array {
  const initial = new Float64Array(lanes)
  for (const { windowUs, groups, folds, edges } of spans) {
    const width = windowUs === Infinity ? 2 : 1
    for (const { min, max } of groups) {
      if (min >= 0) initial.fill(Infinity, min, min + width)
      if (max >= 0) initial.fill(-Infinity, max, max + width)
    }
    for (const { slot } of folds) {
      initial[slot + 1] = -Infinity
      initial[slot + 3] = -Infinity
    }
    for (const { slot } of edges) initial.fill(Number.NaN, slot, slot + 2)
  }
  return initial
}
