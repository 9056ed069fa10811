// What measurements of features have in common: time by the clock and by the processor, quantiles of
// latencies, and the memory that remains when garbage is gone.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { monotonicUs } from '../src/lib/clock.ts'

export interface Spent {
  /** Seconds by the clock. */
  readonly wallS: number
  /** Seconds of processor time of the whole process, garbage collection and compilation included. */
  readonly cpuS: number
}

export async function spent<T>(
  work: () => T | Promise<T>,
): Promise<{ readonly result: T } & Spent> {
  const beforeS = cpuSeconds()
  const startUs = monotonicUs()
  const result = await work()
  const wallS = (monotonicUs() - startUs) / 1e6
  return { result, wallS, cpuS: cpuSeconds() - beforeS }
}

/** Processor time of this process so far. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Latencies of single calls, microseconds. */
export class Latencies {
  private readonly values: Float64Array
  private count = 0

  constructor(most: number) {
    this.values = new Float64Array(most)
  }

  add(us: number): void {
    this.values[this.count++] = us
  }

  /** The q-th quantile by nearest rank: a latency that a call had. Sorts, so ask at the end. */
  quantiles(...wanted: readonly number[]): number[] {
    const sorted = this.values.subarray(0, this.count).toSorted()
    return wanted.map((q) => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN)
  }
}

/** Bytes of heap and array buffers that are in use once garbage is collected. */
export function bytesInUse(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  // Array buffers are given back by a second collection at the latest.
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** So many significant digits: more would claim what no measurement gives. */
export function significant(value: number, digits = 4): number {
  return Number.isFinite(value) ? Number(value.toPrecision(digits)) : value
}
