import { trackingLimits } from './limits.ts'
import type { Metric } from './types.ts'

/** A range of steps, or of times where all steps are the same; both ends belong to it. */
export interface AxisRange {
  readonly from: number
  readonly to: number
}

/**
 * Cuts an axis into equal ranges for a curve of at most so many points: each range may keep four
 * (first, last, smallest, largest), so there are a quarter as many ranges as points.
 */
export function rangesOf(from: number, to: number, points: number): AxisRange[] {
  const count = Math.max(1, Math.min(Math.floor(points / 4), to - from + 1))
  const width = (to - from + 1) / count
  const starts = Array.from({ length: count }, (_, index) => from + Math.ceil(index * width))
  return starts.map((start, index) => ({ from: start, to: (starts[index + 1] ?? to + 1) - 1 }))
}

/** The plain meaning of thinning, over values in their order. */
export function thinned(metrics: readonly Metric[], points: number): Metric[] {
  if (metrics.length <= points) return [...metrics]
  const [first, last] = [metrics[0], metrics.at(-1)!]
  const axis = first.step === last.step ? 'atUs' : 'step'
  const kept = new Set<Metric>()
  for (const { from, to } of rangesOf(first[axis], last[axis], points)) {
    const inside = metrics.filter((metric) => metric[axis] >= from && metric[axis] <= to)
    if (inside.length === 0) continue
    const numbers = inside.filter(({ value }) => !Number.isNaN(value))
    kept.add(inside[0]).add(inside.at(-1)!)
    if (numbers.length === 0) continue
    kept.add(numbers.reduce((least, metric) => (metric.value < least.value ? metric : least)))
    kept.add(numbers.reduce((most, metric) => (metric.value > most.value ? metric : most)))
  }
  return metrics.filter((metric) => kept.has(metric))
}

/**
 * Places of evenly spaced values: the first of each of so many equal parts, and the last of all in
 * place of the last part's first. MLflow's store samples a history so (NTILE, the larger parts first).
 */
export function evenPlaces(count: number, points: number): number[] {
  if (count <= points) return Array.from({ length: count }, (_, place) => place)
  const [size, larger] = [Math.floor(count / points), count % points]
  const places = Array.from({ length: points }, (_, n) => n * size + Math.min(n, larger))
  return [...places.slice(0, -1), count - 1]
}

/**
 * Evenly spaced values of a curve together with those of its extremes that a line between the values
 * beside them would leave out: none where it is flat or only rises. Where both are more than a history
 * may have, undefined.
 */
export function withExtremes(
  samples: readonly Metric[],
  extremes: readonly Metric[],
): Metric[] | undefined {
  const kept: Metric[] = []
  let next = 0
  for (const extreme of extremes) {
    while (next < samples.length && compare(samples[next], extreme) < 0) kept.push(samples[next++])
    let after = next
    while (after < samples.length && compare(samples[after], extreme) === 0) after++
    const beside = [samples[after - 1], samples[next]].filter((sample) => sample !== undefined)
    if (isBeyond(extreme, beside)) kept.push(extreme)
  }
  kept.push(...samples.slice(next))
  return kept.length <= trackingLimits.pointsPerHistory ? kept : undefined
}

function isBeyond({ value }: Metric, beside: readonly Metric[]): boolean {
  const values = beside.map((sample) => sample.value).filter((other) => !Number.isNaN(other))
  return value < Math.min(...values) || value > Math.max(...values)
}

const compare = (a: Metric, b: Metric) => a.step - b.step || a.atUs - b.atUs
