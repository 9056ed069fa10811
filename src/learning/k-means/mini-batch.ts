/**
 * Mini-batch k-means (Sculley 2010): each step draws a batch of rows and moves the centres towards
 * those of its rows that are nearest to them, the less the more rows a centre has had. It never
 * holds more than a batch.
 */
import type { Matrix } from '../../lib/matrix.ts'
import type { Random } from '../../lib/random.ts'
import { type Standard, standardiseRows } from '../standardised.ts'
import { nearestCentre, type Points } from './points.ts'
import { seedCentres } from './seeding.ts'

/** A start ends when the smoothed loss has not fallen for so many batches, as scikit-learn's. */
const PATIENCE = 10
/** A centre with less than this share of the rows of the largest has starved. */
const STARVED = 0.01
/** First centres are sought among so many batches of rows. */
const SEED_BATCHES = 3

export type Source = {
  readonly x: Matrix
  readonly standard: Standard
  readonly weights: Float64Array
}

/** Centres from batches, and how many batches it took. */
export function iterateBatches(
  source: Source,
  { clusters, batchRows, iterations }: { clusters: number; batchRows: number; iterations: number },
  random: Random,
): { centres: Float64Array; iterations: number } {
  const { rows } = source.x
  const width = source.standard.means.length
  const size = Math.min(batchRows, rows)
  const seeds = Math.min(rows, Math.max(SEED_BATCHES * size, 3 * clusters))
  const centres = seedCentres(readBatch(source, drawRows(rows, seeds, random)), clusters, random)
  const totals = new Float64Array(clusters)
  let smoothed = Infinity
  let best = Infinity
  let waited = 0
  let done = 0
  while (done < iterations && waited < PATIENCE) {
    const batch = readBatch(source, drawRows(rows, size, random))
    const loss = step(batch)
    done++
    // An average that forgets, over about as many batches as hold half the rows.
    const share = Math.min(1, (2 * size) / (rows + 1))
    smoothed = smoothed === Infinity ? loss : smoothed * (1 - share) + loss * share
    waited = smoothed < best ? 0 : waited + 1
    best = Math.min(best, smoothed)
    if (done % PATIENCE === 0) feedStarved(batch)
  }
  return { centres, iterations: done }

  /** Moves the centres and returns the batch's mean loss before that. */
  function step({ count, values, weights }: Points): number {
    // The whole batch is assigned before any centre moves.
    const owners = Int32Array.from({ length: count })
    let loss = 0
    let total = 0
    for (let i = 0; i < count; i++) {
      const { centre, squared } = nearestCentre(values, i, centres, width)
      owners[i] = centre
      loss += weights[i] * squared
      total += weights[i]
    }
    for (let i = 0; i < count; i++) {
      const c = owners[i]
      totals[c] += weights[i]
      const share = weights[i] / totals[c]
      for (let j = 0; j < width; j++) {
        centres[c * width + j] += share * (values[i * width + j] - centres[c * width + j])
      }
    }
    return loss / total
  }

  /** Puts starved centres on rows of the batch; what they had counts for little from then on. */
  function feedStarved({ count, values }: Points): void {
    const most = totals.reduce((a, b) => Math.max(a, b))
    const fed = totals.filter((total) => total >= STARVED * most)
    const least = fed.reduce((a, b) => Math.min(a, b))
    for (let c = 0; c < clusters; c++) {
      if (totals[c] >= STARVED * most) continue
      const row = random.int(count)
      centres.set(values.subarray(row * width, (row + 1) * width), c * width)
      totals[c] = least
      waited = 0
    }
  }
}

/** Standardised rows with their weights. */
export function readBatch({ x, standard, weights }: Source, rows: Uint32Array): Points {
  const width = standard.means.length
  const values = new Float64Array(rows.length * width)
  standardiseRows(standard, x, rows, values)
  const own = Float64Array.from(rows, (row) => weights[row])
  return { count: rows.length, width, values, weights: own }
}

/** Rows drawn one by one, with replacement. */
function drawRows(rows: number, wanted: number, random: Random): Uint32Array {
  return Uint32Array.from({ length: wanted }, () => random.int(rows))
}
