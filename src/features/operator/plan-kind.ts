import type { Aggregate } from '../compiled.ts'
import { NARROW_MAX, ONE_LANE_MAX } from './exact.ts'
import type { Edge, EntryField, FigureGroup, KindPlan, Span, StoredNumber } from './plan.ts'
import { TIME_WIDTH } from './rings.ts'

const INT32_MAX = 2 ** 31 - 1

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] }

/** Gathers what has to be kept for the aggregates of one kind, each thing once. */
export class KindBuilder {
  readonly plan: Mutable<KindPlan>

  constructor(source: number, keys: readonly string[], dictionary: number) {
    this.plan = {
      source,
      keys,
      dictionary,
      spans: [],
      lanes: 0,
      labelled: false,
      fields: [],
      links: [],
      horizonUs: 0,
      ever: false,
    }
  }

  finish(): KindPlan {
    const { plan } = this
    if (plan.labelled) this.field('event', 0, 1)
    const reaches = plan.spans.map(({ windowUs, delayUs }) =>
      windowUs === Infinity ? delayUs : windowUs + delayUs,
    )
    plan.horizonUs = Math.max(0, ...reaches)
    plan.ever = plan.spans.some(({ windowUs }) => windowUs === Infinity)
    return plan
  }

  span(windowUs: number, delayUs: number): number {
    const { spans } = this.plan
    const known = spans.findIndex((s) => s.windowUs === windowUs && s.delayUs === delayUs)
    if (known >= 0) return known
    const span: Span = { windowUs, delayUs, groups: [], distincts: [], folds: [], edges: [] }
    return spans.push(span) - 1
  }

  keepFlags(): void {
    this.field('flags', 0, 1)
  }

  /** Has entries hold a code; returns its dictionary. */
  keepCode(dictionary: number): number {
    this.field('code', dictionary, 1)
    return dictionary
  }

  /** Has entries hold a stored number; returns it. */
  keepNumber(number: number, { whole, absMax }: StoredNumber): number {
    if (whole && absMax <= INT32_MAX) this.field('integer', number, 1)
    else this.field('double', number, 2)
    return number
  }

  /** The figures over a number's values, or over events alone where `number` is −1. */
  group(span: number, mask: number, number: number, stored?: StoredNumber): GroupBuilder {
    if (mask !== 0) this.keepFlags()
    if (stored !== undefined) this.keepNumber(number, stored)
    const { groups, windowUs } = this.plan.spans[span]
    let figures = groups.find((group) => group.mask === mask && group.number === number)
    if (figures === undefined) {
      figures = groupOf(mask, number, stored)
      groups.push(figures)
    }
    return new GroupBuilder(this, figures, windowUs === Infinity)
  }

  /** The slot of a count of different values. */
  distinct(span: number, mask: number, dictionary: number): number {
    if (mask !== 0) this.keepFlags()
    const { distincts, windowUs } = this.plan.spans[span]
    const link = this.link('distinct', mask, dictionary, -1)
    if (windowUs === Infinity) this.plan.links[link].ever = true
    const known = distincts.find((figure) => figure.link === link)
    if (known !== undefined) return known.slot
    const slot = this.lanes(1)
    distincts.push({ mask, link, slot })
    return slot
  }

  /** The slot of a fading sum. */
  fold(
    span: number,
    { halfLifeUs = 1 }: Aggregate,
    mask: number,
    number: number,
    ones: boolean,
  ): number {
    if (mask !== 0) this.keepFlags()
    const { folds } = this.plan.spans[span]
    const known = folds.find(
      (fold) =>
        fold.mask === mask &&
        fold.number === number &&
        fold.ones === ones &&
        fold.halfLifeUs === halfLifeUs,
    )
    if (known !== undefined) return known.slot
    const slot = this.lanes(4)
    folds.push({ mask, number, ones, halfLifeUs, slot })
    return slot
  }

  /** What is kept of events that left the ring; null where the span has an end. */
  edge(span: number, end: Edge['end'], mask: number, number: number): Edge | null {
    const { edges, windowUs } = this.plan.spans[span]
    if (mask !== 0) this.keepFlags()
    if (windowUs !== Infinity) return null
    const known = edges.find(
      (edge) => edge.end === end && edge.mask === mask && edge.number === number,
    )
    if (known !== undefined) return known
    const edge: Edge = { end, mask, number, slot: this.lanes(2) }
    edges.push(edge)
    return edge
  }

  link(op: 'distinct' | 'min' | 'max', mask: number, dictionary: number, number: number): number {
    const { links } = this.plan
    const known = links.findIndex(
      (link) =>
        link.op === op &&
        link.mask === mask &&
        link.dictionary === dictionary &&
        link.number === number,
    )
    if (known >= 0) return known
    const at = op === 'distinct' ? this.field('link', links.length, 1) : 0
    return links.push({ op, mask, dictionary, number, at, ever: false }) - 1
  }

  lanes(count: number): number {
    const slot = this.plan.lanes
    this.plan.lanes += count
    return slot
  }

  private field(holds: EntryField['holds'], index: number, width: number): number {
    const { fields } = this.plan
    const known = fields.find((field) => field.holds === holds && field.index === index)
    if (known !== undefined) return known.at
    const at = fields.reduce((sum, field) => sum + field.width, TIME_WIDTH)
    fields.push({ holds, index, width, at })
    return at
  }
}

/** Gives out the slots of a group's figures, each once. */
class GroupBuilder {
  readonly figures: FigureGroup
  private readonly kind: KindBuilder
  private readonly ever: boolean

  constructor(kind: KindBuilder, figures: FigureGroup, ever: boolean) {
    this.kind = kind
    this.figures = figures
    this.ever = ever
  }

  slot(figure: 'count' | 'present' | 'sum' | 'squares'): number {
    const { figures } = this
    if (figures[figure] < 0) {
      const lanes = { count: 1, present: 1, sum: figures.sumLanes, squares: figures.squareLanes }
      figures[figure] = this.kind.lanes(lanes[figure])
    }
    return figures[figure]
  }

  extreme(op: 'min' | 'max'): number {
    const { figures, kind } = this
    if (figures[op] < 0) {
      figures[op] = kind.lanes(this.ever ? 2 : 1)
      figures[`${op}Link`] = kind.link(op, figures.mask, -1, figures.number)
    }
    return figures[op]
  }
}

function groupOf(mask: number, number: number, stored: StoredNumber | undefined): FigureGroup {
  const absMax = stored?.absMax ?? 0
  return {
    mask,
    number,
    count: -1,
    present: -1,
    sum: -1,
    sumLanes: absMax <= ONE_LANE_MAX ? 1 : 2,
    squares: -1,
    squareLanes: absMax <= NARROW_MAX ? 2 : 3,
    min: -1,
    minLink: -1,
    max: -1,
    maxLink: -1,
  }
}
