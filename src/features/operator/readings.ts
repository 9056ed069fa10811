import {
  exactSum,
  sampleStd,
  sampleStdExact,
  sampleVarianceExact,
  squaresOf,
  sumOf,
} from './exact.ts'
import { pow } from '../../lib/math.ts'
import type { FigureGroup, Reading } from './plan.ts'
import { walk } from './walk.ts'
import type { EntityWindows, StagedEvent } from './windows.ts'

/**
 * Reads aggregates of an entity whose windows stand at the current event's time. With a `current`
 * event, which the figures count already but the ring does not hold yet, windows include it.
 */
export function read(
  readings: readonly Reading[],
  windows: EntityWindows,
  entity: number,
  current: StagedEvent | null,
  timeUs: number,
  into: Float64Array,
): void {
  const { figures } = windows
  const lanes = windows.lanes(entity)
  for (let i = 0; i < readings.length; i++) {
    const reading = readings[i]
    const at = lanes + reading.main
    let value: number
    // The commonest are read here: to call for each would cost more than to read it.
    switch (reading.op) {
      case 'distinct':
        value = figures[at]
        break
      case 'sum':
        value = sum(figures, at, reading.group!.sumLanes) / reading.scale
        break
      case 'extreme':
        value = figures[at]
        if (Number.isNaN(value)) value = windows.findExtreme(entity, reading, current)
        value = Number.isFinite(value) ? value / reading.scale : Number.NaN
        break
      case 'count':
        value = numberOf(reading, windows, entity, current, figures, lanes)
        break
      default:
        value = valueOf(reading, windows, entity, current, timeUs, figures, lanes)
    }
    into[reading.to] = value
  }
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
      const value = figures[at] / (figures[lanes + reading.second] * reading.scale)
      return Number.isFinite(value) ? value : Number.NaN
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
  const events = windows.endOf(entity, span) - windows.start(entity, span)
  return current === null ? events : events + 1
}

function sum(figures: Float64Array, at: number, lanes: 1 | 2): number {
  return lanes === 1 ? figures[at] : sumOf(figures[at], figures[at + 1])
}

function exact(figures: Float64Array, at: number, lanes: 1 | 2): bigint {
  return lanes === 1 ? BigInt(figures[at]) : exactSum(figures[at], figures[at + 1])
}

function std(figures: Float64Array, lanes: number, group: FigureGroup, n: number): number {
  const squares = lanes + group.squares
  if (group.sumLanes === 1 && group.squareLanes === 2) {
    return sampleStd(n, figures[lanes + group.sum], figures[squares], figures[squares + 1])
  }
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
  const value = (figures[at] * pow(2, -(timeUs - last) / halfLifeUs)) / scale
  return Number.isFinite(value) ? value : Number.NaN
}
