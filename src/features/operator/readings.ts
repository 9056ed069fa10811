import {
  exactSum,
  sampleStd,
  sampleStdExact,
  sampleVarianceExact,
  squaresOf,
  sumOf,
} from './exact.ts'
import { pow } from '../../lib/math.ts'
import { finite } from './evaluate.ts'
import type { FigureGroup, Reading } from './plan.ts'
import { walk } from './walk.ts'
import type { EntityWindows, StagedEvent } from './windows.ts'

/**
 * The readings of a view, sorted by how they are read: the commonest sorts lie in tables and are read
 * in a loop of their own each, which knows beforehand what it does.
 */
export class Readings {
  readonly length: number
  /** Of figures that are taken as they are: the slot, and where the value goes. */
  private readonly plain: Int32Array
  /** Of the numbers of a window's events: the span, and where the value goes. */
  private readonly events: Int32Array
  /** Of sums in one lane: the slot, and where the value goes; and what they are divided by. */
  private readonly sums: Int32Array
  private readonly sumScales: Float64Array
  /** Those of the same figure follow one another, the shortest window first. */
  private readonly extremes: readonly Reading[]
  /** The one before, where it is the same figure over a shorter window. */
  private readonly inner: readonly (Reading | null)[]
  private readonly extremeSlots: Int32Array
  private readonly extremeScales: Float64Array
  /** Of deviations in narrow lanes: slots of number (or −1), sum and squares, span, and where to. */
  private readonly deviations: Int32Array
  private readonly deviationScales: Float64Array
  private readonly others: readonly Reading[]

  constructor(readings: readonly Reading[]) {
    const sorts = Map.groupBy(readings, sortOf)
    const of = (sort: Sort): readonly Reading[] => sorts.get(sort) ?? []
    const table = (sort: Sort, row: (reading: Reading) => number[]) =>
      Int32Array.from(of(sort).flatMap(row))
    const scales = (sort: Sort) => Float64Array.from(of(sort), ({ scale }) => scale)
    this.length = readings.length
    this.plain = table('plain', ({ op, main, count, to }) => [op === 'count' ? count : main, to])
    this.events = table('events', ({ span, to }) => [span, to])
    this.sums = table('sum', ({ main, to }) => [main, to])
    this.sumScales = scales('sum')
    this.extremes = of('extreme').toSorted(byFigureAndWindow)
    this.inner = this.extremes.map((reading, i) => {
      const before = this.extremes[i - 1]
      return before !== undefined && figureOf(before) === figureOf(reading) ? before : null
    })
    this.extremeSlots = Int32Array.from(this.extremes.flatMap(({ main, to }) => [main, to]))
    this.extremeScales = Float64Array.from(this.extremes, ({ scale }) => scale)
    this.deviations = table('deviation', ({ count, main, group, span, to }) => [
      count,
      main,
      group!.squares,
      span,
      to,
    ])
    this.deviationScales = scales('deviation')
    this.others = of('other')
  }

  /**
   * Reads aggregates of an entity whose windows stand at the current event's time. With a `current`
   * event, which the figures count already but the ring does not hold yet, windows include it.
   */
  read(
    windows: EntityWindows,
    entity: number,
    current: StagedEvent | null,
    timeUs: number,
    into: Float64Array,
  ): void {
    const { plain, events, sums, sumScales, others } = this
    const { figures } = windows
    const lanes = windows.lanes(entity)
    const own = current === null ? 0 : 1
    for (let i = 0; i < plain.length; i += 2) into[plain[i + 1]] = figures[lanes + plain[i]]
    for (let i = 0; i < events.length; i += 2) {
      into[events[i + 1]] = windows.eventsIn(entity, events[i]) + own
    }
    for (let i = 0; i < sumScales.length; i++) {
      into[sums[2 * i + 1]] = figures[lanes + sums[2 * i]] / sumScales[i]
    }
    this.readExtremes(windows, entity, current, into)
    this.readDeviations(windows, entity, own, into)
    for (let i = 0; i < others.length; i++) {
      into[others[i].to] = valueOf(others[i], windows, entity, current, timeUs, figures, lanes)
    }
  }

  private readExtremes(
    windows: EntityWindows,
    entity: number,
    current: StagedEvent | null,
    into: Float64Array,
  ): void {
    const { extremeSlots, extremeScales, extremes, inner } = this
    const { figures } = windows
    const lanes = windows.lanes(entity)
    for (let i = 0; i < extremeScales.length; i++) {
      let value = figures[lanes + extremeSlots[2 * i]]
      // NaN: the record left, and no other is known.
      if (value !== value) value = windows.findExtreme(entity, extremes[i], inner[i], current)
      const isThere = value - value === 0
      into[extremeSlots[2 * i + 1]] = isThere ? value / extremeScales[i] : Number.NaN
    }
  }

  private readDeviations(
    windows: EntityWindows,
    entity: number,
    own: number,
    into: Float64Array,
  ): void {
    const { deviations, deviationScales } = this
    const { figures } = windows
    const lanes = windows.lanes(entity)
    for (let i = 0, at = 0; i < deviationScales.length; i++, at += 5) {
      const count = deviations[at]
      const n =
        count < 0 ? windows.eventsIn(entity, deviations[at + 3]) + own : figures[lanes + count]
      const squares = lanes + deviations[at + 2]
      into[deviations[at + 4]] =
        n < 2
          ? Number.NaN
          : sampleStd(
              n,
              figures[lanes + deviations[at + 1]],
              figures[squares],
              figures[squares + 1],
            ) / deviationScales[i]
    }
  }
}

/** What an extreme is of, whatever its window. */
function figureOf({ aggregate, group, scale }: Reading): string {
  const { mask, number } = group!
  return [aggregate.function, mask, number, scale, aggregate.delayUs].join(' ')
}

function byFigureAndWindow(a: Reading, b: Reading): number {
  const [left, right] = [figureOf(a), figureOf(b)]
  if (left !== right) return left < right ? -1 : 1
  return (a.aggregate.windowUs ?? Infinity) - (b.aggregate.windowUs ?? Infinity)
}

type Sort = 'plain' | 'events' | 'sum' | 'extreme' | 'deviation' | 'other'

function sortOf({ op, count, group }: Reading): Sort {
  if (op === 'count') return count < 0 ? 'events' : 'plain'
  if (op === 'distinct') return 'plain'
  if (op === 'extreme') return 'extreme'
  if (op === 'sum' && group!.sumLanes === 1) return 'sum'
  if (op === 'std' && group!.sumLanes === 1 && group!.squareLanes === 2) return 'deviation'
  return 'other'
}

function valueOf(
  reading: Reading,
  windows: EntityWindows,
  entity: number,
  current: StagedEvent | null,
  timeUs: number,
  figures: Float64Array,
  lanes: number,
): number {
  const at = lanes + reading.main
  switch (reading.op) {
    case 'sum':
      return sum(figures, at, reading.group!.sumLanes) / reading.scale
    case 'mean': {
      const n = numberOf(reading, windows, entity, current, figures, lanes)
      if (n === 0) return Number.NaN
      return sum(figures, at, reading.group!.sumLanes) / (n * reading.scale)
    }
    case 'std': {
      const n = numberOf(reading, windows, entity, current, figures, lanes)
      return n < 2 ? Number.NaN : std(figures, lanes, reading.group!, n) / reading.scale
    }
    case 'share': {
      const n = numberOf(reading, windows, entity, current, figures, lanes)
      return n === 0 ? Number.NaN : figures[at] / n
    }
    case 'variance': {
      const n = numberOf(reading, windows, entity, current, figures, lanes)
      return n < 2 ? Number.NaN : variance(figures, lanes, reading.group!, n, reading.scale)
    }
    case 'decayedSum':
      return decayed(figures, at, timeUs, reading.aggregate.halfLifeUs!, reading.scale)
    case 'decayedMean': {
      if (figures[at + 1] === -Infinity) return Number.NaN
      return finite(figures[at] / (figures[lanes + reading.second] * reading.scale))
    }
    case 'walk':
      return walk(reading, windows, entity, current, timeUs)
    default:
      throw new Error(`${reading.op} is read elsewhere.`)
  }
}

/** How many events, or values, the reading's window holds. */
function numberOf(
  { count, span }: Reading,
  windows: EntityWindows,
  entity: number,
  current: StagedEvent | null,
  figures: Float64Array,
  lanes: number,
): number {
  if (count >= 0) return figures[lanes + count]
  return windows.eventsIn(entity, span) + (current === null ? 0 : 1)
}

function sum(figures: Float64Array, at: number, lanes: 1 | 2): number {
  return lanes === 1 ? figures[at] : sumOf(figures[at], figures[at + 1])
}

function exact(figures: Float64Array, at: number, lanes: 1 | 2): bigint {
  return lanes === 1 ? BigInt(figures[at]) : exactSum(figures[at], figures[at + 1])
}

function std(figures: Float64Array, lanes: number, group: FigureGroup, n: number): number {
  const squares = lanes + group.squares
  const total = exact(figures, lanes + group.sum, group.sumLanes)
  return sampleStdExact(n, total, squaresOf(figures, squares, group.squareLanes))
}

function variance(
  figures: Float64Array,
  lanes: number,
  group: FigureGroup,
  n: number,
  scale: number,
): number {
  const total = exact(figures, lanes + group.sum, group.sumLanes)
  const squares = squaresOf(figures, lanes + group.squares, group.squareLanes)
  return sampleVarianceExact(n, total, squares, scale)
}

function decayed(
  figures: Float64Array,
  at: number,
  timeUs: number,
  halfLifeUs: number,
  scale: number,
): number {
  const last = figures[at + 1]
  if (last === -Infinity) return 0
  return finite((figures[at] * pow(2, -(timeUs - last) / halfLifeUs)) / scale)
}
