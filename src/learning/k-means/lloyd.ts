/**
 * Lloyd's iteration: rows to their nearest centre, centres to the mean of their rows. With
 * Hamerly's bounds (2010) most rows need no distance at all: a row keeps its centre while that is
 * surely nearer than half way to any other centre, or than any other centre can have come.
 */
import { type Points, nearestCentre, squaredDistance } from './points.ts'

export type Clustering = {
  readonly centres: Float64Array
  /** Weighted sum of squared distances from the nearest centres. */
  readonly inertia: number
  readonly iterations: number
}

/** Bounds are widened by this share, so that rounding never makes them wrong. */
const SLACK = 1e-12

export function iterateLloyd(
  points: Points,
  start: Float64Array,
  limits: { readonly iterations: number; readonly tolerance: number },
): Clustering {
  const { count, width, values } = points
  const clusters = start.length / width
  let centres: Float64Array = Float64Array.from(start)
  const owner = new Int32Array(count)
  /** No row is further from its own centre than this, or nearer to any other. */
  const upper = new Float64Array(count).fill(Infinity)
  const lower = new Float64Array(count)
  const enough = limits.tolerance * meanVariance(points)
  let iterations = 0
  while (iterations < limits.iterations) {
    const changed = assign()
    if (changed === 0 && iterations > 0) break
    iterations++
    const { centres: next, moved } = meanOfRows(points, owner, centres)
    const steps = Float64Array.from({ length: clusters }, (_, c) =>
      Math.sqrt(squaredDistance(centres, c, next, c, width)),
    )
    centres = next
    if (steps.reduce((sum, step) => sum + step * step, 0) <= enough) break
    if (moved) {
      upper.fill(Infinity)
      lower.fill(0)
    } else loosen(steps)
  }
  return { centres, inertia: inertiaOf(points, centres), iterations }

  function assign(): number {
    const half = halfWayToOthers(centres, clusters, width)
    let changed = 0
    for (let i = 0; i < count; i++) {
      const own = owner[i]
      const safe = Math.max(half[own], lower[i])
      if (upper[i] < safe) continue
      upper[i] = Math.sqrt(squaredDistance(values, i, centres, own, width)) * (1 + SLACK)
      if (upper[i] < safe) continue
      if (assignRow(i) !== own) changed++
    }
    return changed
  }

  function assignRow(i: number): number {
    let nearest = 0
    let first = Infinity
    let second = Infinity
    for (let c = 0; c < clusters; c++) {
      const squared = squaredDistance(values, i, centres, c, width)
      if (squared < first) {
        second = first
        first = squared
        nearest = c
      } else if (squared < second) second = squared
    }
    owner[i] = nearest
    upper[i] = Math.sqrt(first) * (1 + SLACK)
    lower[i] = Math.sqrt(second) * (1 - SLACK)
    return nearest
  }

  /** A row's own centre may have gone away by its step, and any other have come by the longest. */
  function loosen(steps: Float64Array): void {
    let longest = 0
    for (const step of steps) longest = Math.max(longest, step)
    for (let i = 0; i < count; i++) {
      upper[i] = (upper[i] + steps[owner[i]]) * (1 + SLACK)
      lower[i] = Math.max(0, (lower[i] - longest) * (1 - SLACK) - longest * SLACK)
    }
  }
}

export function inertiaOf(
  { count, width, values, weights }: Points,
  centres: Float64Array,
): number {
  let inertia = 0
  for (let i = 0; i < count; i++) {
    inertia += weights[i] * nearestCentre(values, i, centres, width).squared
  }
  return inertia
}

/** Half the distance from each centre to the nearest other one. */
function halfWayToOthers(centres: Float64Array, clusters: number, width: number): Float64Array {
  const half = new Float64Array(clusters).fill(Infinity)
  for (let a = 0; a < clusters; a++) {
    for (let b = 0; b < a; b++) {
      const distance =
        (0.5 * Math.sqrt(squaredDistance(centres, a, centres, b, width))) / (1 + SLACK)
      half[a] = Math.min(half[a], distance)
      half[b] = Math.min(half[b], distance)
    }
  }
  return half
}

/**
 * The weighted mean of each centre's rows. A centre without rows moves to the row that lies
 * furthest from its own centre, and that row leaves its cluster.
 */
function meanOfRows(
  points: Points,
  owner: Int32Array,
  before: Float64Array,
): { centres: Float64Array; moved: boolean } {
  const { count, width, values, weights } = points
  const clusters = before.length / width
  const centres = new Float64Array(before.length)
  const totals = new Float64Array(clusters)
  const rows = new Uint32Array(clusters)
  for (let i = 0; i < count; i++) add(i, owner[i], weights[i])
  const empty = Array.from(rows.keys()).filter((c) => rows[c] === 0)
  const far = empty.length === 0 ? [] : furthestRows(points, owner, before, empty.length, rows)
  for (const [index, c] of empty.entries()) {
    const row = far[index]
    if (row === undefined) {
      centres.set(before.subarray(c * width, (c + 1) * width), c * width)
      totals[c] = 1
      continue
    }
    add(row, owner[row], -weights[row])
    owner[row] = c
    add(row, c, weights[row])
  }
  for (let c = 0; c < clusters; c++) {
    for (let j = 0; j < width; j++) centres[c * width + j] /= totals[c]
  }
  return { centres, moved: far.length > 0 }

  function add(i: number, c: number, weight: number): void {
    rows[c] += weight > 0 ? 1 : -1
    totals[c] += weight
    for (let j = 0; j < width; j++) centres[c * width + j] += weight * values[i * width + j]
  }
}

/** The rows furthest from their centres, none that would leave its cluster empty or lies on it. */
function furthestRows(
  { count, width, values }: Points,
  owner: Int32Array,
  centres: Float64Array,
  wanted: number,
  rows: Uint32Array,
): number[] {
  const squared = Float64Array.from({ length: count }, (_, i) =>
    squaredDistance(values, i, centres, owner[i], width),
  )
  const left = Uint32Array.from(rows)
  const far: number[] = []
  for (let n = 0; n < wanted; n++) {
    let best = -1
    for (let i = 0; i < count; i++) {
      const better = squared[i] > (best < 0 ? 0 : squared[best])
      if (better && left[owner[i]] > 1) best = i
    }
    if (best < 0) break
    far.push(best)
    left[owner[best]]--
    squared[best] = 0
  }
  return far
}

function meanVariance({ count, width, values }: Points): number {
  let total = 0
  for (let j = 0; j < width; j++) {
    let sum = 0
    let squares = 0
    for (let i = 0; i < count; i++) sum += values[i * width + j]
    const mean = sum / count
    for (let i = 0; i < count; i++) {
      const distance = values[i * width + j] - mean
      squares += distance * distance
    }
    total += squares / count
  }
  return total / width
}
