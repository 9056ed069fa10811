import { ln, pow } from '../../lib/math.ts'
import { finite } from './evaluate.ts'
import { sampleStdExact, sampleVarianceExact } from './exact.ts'
import type { Reading } from './plan.ts'
import type { EntityWindows, StagedEvent } from './windows.ts'

const SECOND_US = 1_000_000

/**
 * Figures that are worked out of a window's events anew each time: those that depend on their order,
 * that round, or that need all values at once.
 */
export function walk(
  reading: Reading,
  windows: EntityWindows,
  entity: number,
  current: StagedEvent | null,
  timeUs: number,
): number {
  windows.rings.select(entity)
  const chosen = new ChosenEvents(reading, windows, entity, current)
  const { aggregate, scale } = reading
  switch (aggregate.function) {
    case 'timeSinceLast':
      return (timeUs - chosen.newest(1).timeUs) / SECOND_US
    case 'timeSinceFirst':
      return (timeUs - chosen.oldest().timeUs) / SECOND_US
    case 'first':
      return chosen.oldest().value / scale
    case 'last': {
      const { timeUs: lastUs, value } = chosen.newest(1)
      const stale = aggregate.staleUs !== undefined && timeUs - lastUs >= aggregate.staleUs
      return stale ? Number.NaN : value / scale
    }
    case 'lag':
      return chosen.newest(aggregate.lag!).value / scale
    case 'count':
      return chosen.count(reading.partMask)
    case 'share': {
      const n = chosen.count(reading.mask)
      return n === 0 ? Number.NaN : chosen.count(reading.partMask) / n
    }
    case 'distinct':
    case 'entropy':
    case 'topShare':
      return frequencyFigure(reading, chosen.codes())
    case 'vpin':
      return vpin(reading, chosen)
    default:
      return finite(numericFigure(reading, windows, chosen.values()))
  }
}

interface Chosen {
  readonly timeUs: number
  readonly value: number
}
const nothing: Chosen = { timeUs: Number.NaN, value: Number.NaN }

/** The events of a reading's window that pass its filter, at most the newest so many. */
class ChosenEvents {
  private readonly reading: Reading
  private readonly windows: EntityWindows
  private readonly entity: number
  private readonly current: StagedEvent | null
  private readonly start: number
  private readonly end: number
  private readonly limit: number

  constructor(
    reading: Reading,
    windows: EntityWindows,
    entity: number,
    current: StagedEvent | null,
  ) {
    this.reading = reading
    this.windows = windows
    this.entity = entity
    const passes = current !== null && (current.flags & reading.mask) === reading.mask
    this.current = passes ? current : null
    this.start = Math.max(windows.start(entity, reading.span), windows.rings.first)
    this.end = windows.endOf(entity, reading.span)
    this.limit = reading.aggregate.events ?? Infinity
  }

  /** Calls back from the newest to the oldest, the current one being −1, until `see` says stop. */
  private back(see: (entry: number, position: number) => boolean): void {
    const { rings, entries } = this.windows
    const { mask } = this.reading
    let left = this.limit
    if (this.current !== null && left-- > 0 && see(-1, -1)) return
    for (let position = this.end - 1; position >= this.start && left > 0; position--) {
      const entry = rings.slot(position)
      if ((entries.flags(entry) & mask) !== mask) continue
      left--
      if (see(entry, position)) return
    }
  }

  private numberOf(entry: number, number: number): number {
    if (number < 0) return Number.NaN
    return entry < 0 ? this.current!.numbers[number] : this.windows.entries.number(entry, number)
  }

  private chosen(entry: number, position: number): Chosen {
    const timeUs = entry < 0 ? this.current!.timeUs : this.windows.rings.time(position)
    return { timeUs, value: this.numberOf(entry, this.reading.number) }
  }

  /** The n-th newest event, 1 being the newest of all. */
  newest(n: number): Chosen {
    let found: Chosen | undefined
    let rank = n
    this.back((entry, position) => {
      if (--rank > 0) return false
      found = this.chosen(entry, position)
      return true
    })
    return found ?? (n === 1 ? this.left() : nothing)
  }

  oldest(): Chosen {
    const left = this.left()
    if (!Number.isNaN(left.timeUs)) return left
    let found = nothing
    if (this.limit === Infinity) {
      const { rings, entries } = this.windows
      const { mask } = this.reading
      for (let position = this.start; position < this.end; position++) {
        const entry = rings.slot(position)
        if ((entries.flags(entry) & mask) === mask) return this.chosen(entry, position)
      }
    }
    this.back((entry, position) => {
      found = this.chosen(entry, position)
      return false
    })
    return found
  }

  /** What has left the ring of a window over all time. */
  private left(): Chosen {
    const { edge } = this.reading
    if (edge === null) return nothing
    const at = this.windows.lanes(this.entity) + edge.slot
    return { timeUs: this.windows.figures[at], value: this.windows.figures[at + 1] }
  }

  /** How many have all these flags. */
  count(mask: number): number {
    let n = 0
    this.back((entry) => {
      const flags = entry < 0 ? this.current!.flags : this.windows.entries.flags(entry)
      if ((flags & mask) === mask) n++
      return false
    })
    return n
  }

  codes(): number[] {
    const { dictionary } = this.reading
    const codes: number[] = []
    this.back((entry) => {
      const code =
        entry < 0 ? this.current!.codes[dictionary] : this.windows.entries.code(entry, dictionary)
      if (code >= 0) codes.push(code)
      return false
    })
    return codes
  }

  /** From the oldest to the newest, those without a value left out. */
  values(): number[] {
    const values: number[] = []
    this.back((entry) => {
      const value = this.numberOf(entry, this.reading.number)
      if (!Number.isNaN(value)) values.push(value)
      return false
    })
    return values.reverse()
  }

  /** Signed volumes from the newest to the oldest, those of unknown side left out. */
  trades(see: (volume: number, buys: boolean) => boolean): void {
    this.back((entry) => {
      const volume = this.numberOf(entry, this.reading.number)
      const side = this.numberOf(entry, this.reading.side)
      if (Number.isNaN(volume) || Number.isNaN(side)) return false
      return see(volume, side === 1)
    })
  }
}

function frequencyFigure({ aggregate }: Reading, codes: readonly number[]): number {
  const counts = countsOf(codes)
  if (aggregate.function === 'distinct') return counts.size
  if (codes.length === 0) return Number.NaN
  const rising = [...counts.values()].sort((a, b) => a - b)
  if (aggregate.function === 'topShare') return rising[rising.length - 1] / codes.length
  if (counts.size === 1) return 0
  let sum = 0
  for (const count of rising) sum += count * ln(count)
  return ln(codes.length) - sum / codes.length
}

function countsOf(values: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}

/** The most frequent value; the lower one where two are as frequent. */
function mostFrequent(values: readonly number[]): number {
  let [found, most] = [Number.NaN, 0]
  for (const [value, count] of countsOf(values)) {
    if (count < most || (count === most && value > found)) continue
    most = count
    found = value
  }
  return found
}

function numericFigure(reading: Reading, windows: EntityWindows, values: number[]): number {
  const { aggregate, scale } = reading
  const n = values.length
  const fn = aggregate.function
  const whole = windows.isWhole(reading.number)
  if (n === 0) return fn === 'sum' ? 0 : Number.NaN
  switch (fn) {
    case 'min':
      return values.reduce((least, value) => (value < least ? value : least)) / scale
    case 'max':
      return values.reduce((most, value) => (value > most ? value : most)) / scale
    case 'sum':
      return (whole ? Number(wholeSum(values)) : floatSum(values)) / scale
    case 'mean':
      return whole ? Number(wholeSum(values)) / (n * scale) : floatSum(values) / n
    case 'top':
      return mostFrequent(values)
    case 'percentile':
      return interpolated(values, aggregate.quantile!) / scale
    case 'approximatePercentile':
      return approximated(values, aggregate.quantile!, aggregate.relativeError!) / scale
    case 'std':
      if (n < 2) return Number.NaN
      if (whole) return sampleStdExact(n, wholeSum(values), wholeSquares(values)) / scale
      return Math.sqrt(squaredDeviations(values) / (n - 1))
    default:
      if (n < 2) return Number.NaN
      if (whole) return sampleVarianceExact(n, wholeSum(values), wholeSquares(values), scale)
      return squaredDeviations(values) / (n - 1)
  }
}

/** Type 7 of Hyndman & Fan (1996). */
function interpolated(values: number[], quantile: number): number {
  const rising = Float64Array.from(values).sort()
  const h = (rising.length - 1) * quantile
  const low = Math.floor(h)
  if (low === h) return rising[low]
  return rising[low] + (h - low) * (rising[low + 1] - rising[low])
}

/** The bucket of DDSketch (Masson, Rim & Lee 2019) that holds the value of the rank. */
function approximated(values: number[], quantile: number, relativeError: number): number {
  const rising = Float64Array.from(values).sort()
  const value = rising[Math.floor((rising.length - 1) * quantile)]
  if (value === 0) return 0
  const gamma = (1 + relativeError) / (1 - relativeError)
  const bucket = Math.ceil(ln(Math.abs(value)) / ln(gamma))
  return Math.sign(value) * ((2 * pow(gamma, bucket)) / (gamma + 1))
}

/** Volume buckets are filled from the newest trade backwards; one that spans two is split. */
function vpin({ aggregate }: Reading, chosen: ChosenEvents): number {
  const { bucketVolume = 1, buckets = 1 } = aggregate
  let [bucket, filled, flow, imbalance] = [0, 0, 0, 0n]
  chosen.trades((volume, buys) => {
    let rest = volume
    while (rest > 0 && bucket < buckets) {
      const part = Math.min(rest, bucketVolume - filled)
      filled += part
      rest -= part
      flow += buys ? part : -part
      if (filled < bucketVolume) break
      imbalance += BigInt(Math.abs(flow))
      bucket++
      filled = 0
      flow = 0
    }
    return bucket === buckets
  })
  if (bucket < buckets) return Number.NaN
  return Number(imbalance) / Number(BigInt(bucketVolume) * BigInt(buckets))
}

function wholeSum(values: readonly number[]): bigint {
  let sum = 0n
  for (const value of values) sum += BigInt(value)
  return sum
}
function wholeSquares(values: readonly number[]): bigint {
  let sum = 0n
  for (const value of values) sum += BigInt(value) * BigInt(value)
  return sum
}
/** In the order of the window: the value then follows from the events and their order alone. */
function floatSum(values: readonly number[]): number {
  let sum = 0
  for (const value of values) sum += value
  return sum
}
function squaredDeviations(values: readonly number[]): number {
  const mean = floatSum(values) / values.length
  let sum = 0
  for (const value of values) sum += (value - mean) * (value - mean)
  return sum
}
