/**
 * First centres by greedy k-means++ (Arthur and Vassilvitskii 2007): each is drawn among the rows
 * by weight times squared distance from the centres before it; of several draws the one is kept
 * that leaves the least sum of squares.
 */
import { ln } from '../../lib/math.ts'
import type { Random } from '../../lib/random.ts'
import { type Points, squaredDistance } from './points.ts'

export function seedCentres(points: Points, clusters: number, random: Random): Float64Array {
  const { count, width, values, weights } = points
  const centres = new Float64Array(clusters * width)
  const trials = 2 + Math.floor(ln(clusters))
  let nearest: Float64Array = new Float64Array(count).fill(Infinity)
  const first = drawByWeight((row) => weights[row], count, random)
  take(first, 0)
  nearest = leftBy(first)
  for (let cluster = 1; cluster < clusters; cluster++) {
    let best = { sum: Infinity, row: 0, nearest }
    for (let trial = 0; trial < trials; trial++) {
      const row = drawByWeight((i) => weights[i] * nearest[i], count, random)
      const left = leftBy(row)
      const sum = left.reduce((total, squared, i) => total + weights[i] * squared, 0)
      if (sum < best.sum) best = { sum, row, nearest: left }
    }
    take(best.row, cluster)
    nearest = best.nearest
  }
  return centres

  function take(row: number, cluster: number): void {
    centres.set(values.subarray(row * width, (row + 1) * width), cluster * width)
  }

  /** Squared distances to the nearest centre, with the row as a further one. */
  function leftBy(row: number): Float64Array {
    return nearest.map((squared, i) =>
      Math.min(squared, squaredDistance(values, i, values, row, width)),
    )
  }
}

/** An index with probability in proportion to its weight; uniform where all weights are 0. */
function drawByWeight(weightOf: (index: number) => number, count: number, random: Random): number {
  let total = 0
  for (let index = 0; index < count; index++) total += weightOf(index)
  if (!(total > 0 && total < Infinity)) return random.int(count)
  const wanted = random.next() * total
  let sum = 0
  let last = 0
  for (let index = 0; index < count; index++) {
    const weight = weightOf(index)
    if (weight === 0) continue
    sum += weight
    last = index
    if (sum > wanted) return index
  }
  return last
}
