import type { Dictionary } from './dictionary.ts'
import type { EventStore } from './event-store.ts'
import { exactSum, sampleStd, sampleStdExact, sumOf, wideSquares } from './exact.ts'
import type { Reading } from './plan.ts'
import type { EntityWindows } from './windows.ts'

/** No event: what is read leaves the current event out. */
export const NO_EVENT = -1

const SECOND_US = 1_000_000

/**
 * Reads aggregates of an entity whose windows stand at the current event's time. With a `current`
 * event, which the figures count already but the ring does not hold yet, windows include it.
 */
export function read(
  readings: readonly Reading[],
  windows: EntityWindows,
  entity: number,
  current: number,
  timeUs: number,
  events: EventStore,
  dictionaries: readonly Dictionary[],
  into: Float64Array,
): void {
  const { figures } = windows
  const lanes = windows.lanes(entity)
  for (let i = 0; i < readings.length; i++) {
    const reading = readings[i]
    const { span, count, main, scale } = reading
    const start = windows.start(entity, span)
    const end = windows.end(entity, span)
    const n = count < 0 ? end - start + Number(current >= 0) : figures[lanes + count]
    const at = lanes + main
    let value = Number.NaN
    switch (reading.op) {
      case 'count':
        value = n
        break
      case 'sum':
        value = sumOf(figures[at], figures[at + 1]) / scale
        break
      case 'mean':
        if (n > 0) value = sumOf(figures[at], figures[at + 1]) / (n * scale)
        break
      case 'std': {
        const squares = lanes + reading.squares
        if (n < 2) break
        const [high, low] = [figures[squares], figures[squares + 1]]
        value = sampleStd(n, figures[at], figures[at + 1], high, low) / scale
        break
      }
      case 'wideStd': {
        const squares = lanes + reading.squares
        if (n < 2) break
        const sum = exactSum(figures[at], figures[at + 1])
        const [low, middle, high] = [figures[squares], figures[squares + 1], figures[squares + 2]]
        value = sampleStdExact(n, sum, wideSquares(low, middle, high)) / scale
        break
      }
      case 'min':
      case 'max': {
        const found = windows.extreme(entity, reading, current)
        if (Number.isFinite(found)) value = found / scale
        break
      }
      case 'share':
        if (n > 0) value = figures[at] / n
        break
      case 'distinct': {
        const dictionary = dictionaries[reading.dictionary]
        value = windows.distinct(entity, reading, dictionary, current)
        break
      }
      case 'timeSinceLast':
        value = secondsSince(windows, entity, start, end, timeUs, reading.mask, events)
        break
      case 'scanSum':
      case 'scanMean':
      case 'scanStd':
        value = scan(reading, windows, entity, start, end, current, events)
        break
    }
    into[reading.to] = value
  }
}

function secondsSince(
  windows: EntityWindows,
  entity: number,
  start: number,
  end: number,
  timeUs: number,
  mask: number,
  events: EventStore,
): number {
  windows.rings.select(entity)
  for (let position = end - 1; position >= start; position--) {
    const event = windows.rings.event(position)
    if ((events.flags(event) & mask) !== mask) continue
    return (timeUs - events.time(event)) / SECOND_US
  }
  return Number.NaN
}

/**
 * Sums of measured numbers round, so they are added up anew each time, in the order of (event time,
 * sequence): the value then follows from the events and their order, not from what was there before.
 */
function scan(
  reading: Reading,
  windows: EntityWindows,
  entity: number,
  start: number,
  end: number,
  current: number,
  events: EventStore,
): number {
  windows.rings.select(entity)
  const each = (see: (value: number) => void): void => {
    for (let position = start; position <= end; position++) {
      const event = position < end ? windows.rings.event(position) : current
      if (event < 0 || (events.flags(event) & reading.mask) !== reading.mask) continue
      const value = events.number(event, reading.number)
      if (!Number.isNaN(value)) see(value)
    }
  }
  let n = 0
  let sum = 0
  each((value) => {
    n++
    sum += value
  })
  if (reading.op === 'scanSum') return sum
  if (n === 0) return Number.NaN
  const mean = sum / n
  if (reading.op === 'scanMean') return mean
  if (n < 2) return Number.NaN
  let squares = 0
  each((value) => {
    squares += (value - mean) * (value - mean)
  })
  return Math.sqrt(squares / (n - 1))
}
