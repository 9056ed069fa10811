/** Whether a score of 0.2 means one in five: predicted against observed shares. */
import { clopperPearson, type Interval } from '../../lib/statistics.ts'
import { rank, type Ranking } from './ranking.ts'

export type CalibrationBin = {
  readonly rows: number
  readonly positives: number
  readonly meanScore: number
  readonly observed: number
  /** Exact 95 % interval of the observed share. */
  readonly interval: Interval
}

/**
 * Bins of about equally many rows in ascending order of score; equal scores stay together. With
 * rare positives most bins lie close to 0, so the last tenth of the rows is cut as finely again.
 */
export function calibrationTable(
  y: Float64Array,
  scores: Float64Array,
  bins = 10,
): CalibrationBin[] {
  const { order, groupEnds } = rank(y, scores)
  const total = order.length
  // Walking from the highest score down: fine cuts within the top tenth, then coarse ones.
  const fine = Array.from({ length: bins }, (_, i) => ((i + 1) * total) / (10 * bins))
  const coarse = Array.from({ length: bins }, (_, i) => ((i + 1) * total) / bins)
  const targets = [...fine, ...coarse.filter((at) => at > total / 10)]
  const table: CalibrationBin[] = []
  let from = 0
  let next = 0
  for (const end of groupEnds) {
    if (end < targets[next] && end < total) continue
    table.push(summarise(y, scores, order.subarray(from, end)))
    from = end
    while (next < targets.length && targets[next] <= end) next++
  }
  return table.reverse()
}

function summarise(y: Float64Array, scores: Float64Array, rows: Uint32Array): CalibrationBin {
  let positives = 0
  let sum = 0
  for (const row of rows) {
    positives += y[row]
    sum += scores[row]
  }
  return {
    rows: rows.length,
    positives,
    meanScore: sum / rows.length,
    observed: positives / rows.length,
    interval: clopperPearson(positives, rows.length, 0.95),
  }
}

/** The bin of each score among bins of equal width from 0 to 1; 1 itself is in the last. */
export function widthBins(scores: Float64Array, bins: number): Uint16Array {
  return Uint16Array.from(scores, (score) => Math.min(Math.floor(score * bins), bins - 1))
}

/** The bin of each row among bins of about equally many rows; equal scores stay together. */
export function rowBins({ order, groupEnds }: Ranking, bins: number): Uint16Array {
  const binOf = new Uint16Array(order.length)
  let from = 0
  for (const end of groupEnds) {
    // A group lies in the bin of its middle, so that none is pushed to the side by its size.
    const bin = Math.floor(((from + end) / 2 / order.length) * bins)
    for (let i = from; i < end; i++) binOf[order[i]] = bin
    from = end
  }
  return binOf
}

/**
 * What the Brier score is made of (Murphy 1973; Stephenson, Coelho and Jolliffe 2008 for bins):
 * score = reliability − resolution + uncertainty + withinBins.
 */
export type BrierParts = {
  readonly score: number
  /** How far the observed shares lie from the scores; 0 is perfect calibration. */
  readonly reliability: number
  /** How far the observed shares lie from the overall share; more is better. */
  readonly resolution: number
  /** The Brier score of always saying the overall share. */
  readonly uncertainty: number
  /** What bins hide: 0 where each holds one distinct score. */
  readonly withinBins: number
}

/** `bins` of about equally many rows; absent: one for each distinct score. */
export function brierParts(y: Float64Array, scores: Float64Array, bins?: number): BrierParts {
  const ranking = rank(y, scores)
  const count = bins ?? ranking.groupEnds.length
  const binOf = bins === undefined ? groupOf(ranking) : rowBins(ranking, bins)
  const rows = new Float64Array(count)
  const positives = new Float64Array(count)
  const sums = new Float64Array(count)
  for (let row = 0; row < y.length; row++) {
    rows[binOf[row]]++
    positives[binOf[row]] += y[row]
    sums[binOf[row]] += scores[row]
  }
  const overall = positives.reduce((sum, found) => sum + found, 0) / y.length
  let reliability = 0
  let resolution = 0
  let score = 0
  let withinBins = 0
  for (let bin = 0; bin < count; bin++) {
    if (rows[bin] === 0) continue
    const observed = positives[bin] / rows[bin]
    const meant = sums[bin] / rows[bin]
    reliability += rows[bin] * (meant - observed) * (meant - observed)
    resolution += rows[bin] * (observed - overall) * (observed - overall)
  }
  for (let row = 0; row < y.length; row++) {
    const bin = binOf[row]
    const above = scores[row] - sums[bin] / rows[bin]
    withinBins += above * (above - 2 * (y[row] - positives[bin] / rows[bin]))
    score += (y[row] - scores[row]) * (y[row] - scores[row])
  }
  return {
    score: score / y.length,
    reliability: reliability / y.length,
    resolution: resolution / y.length,
    uncertainty: overall * (1 - overall),
    withinBins: withinBins / y.length,
  }
}

function groupOf({ order, groupEnds }: Ranking): Uint32Array {
  const groups = new Uint32Array(order.length)
  let from = 0
  groupEnds.forEach((end, group) => {
    for (let i = from; i < end; i++) groups[order[i]] = group
    from = end
  })
  return groups
}
