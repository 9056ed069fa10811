/** Whether a score of 0.2 means one in five: predicted against observed shares. */
import { clopperPearson, type Interval } from '../../lib/statistics.ts'
import { rank } from './ranking.ts'

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
  const coarse = Array.from({ length: bins - 1 }, (_, i) => ((i + 2) * total) / bins)
  const targets = [...fine, ...(bins === 10 ? coarse : coarse.filter((at) => at > total / 10))]
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
