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
