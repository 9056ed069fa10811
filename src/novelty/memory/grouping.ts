/** How points become micro-clusters: those of training, and those among the unknowns. */
import { quantile } from '../../lib/statistics.ts'
import { distanceOf, meanOf, type Nearest, Points } from './points.ts'

export interface Covered {
  readonly centres: readonly Float64Array[]
  /** Points near each centre. */
  readonly counts: readonly number[]
}

/**
 * Leaders (Hartigan 1975): a point within `radius` of a leader belongs to the nearest one, any other
 * becomes a leader itself. One pass, in the order given; undefined where more than `most` would be
 * needed.
 */
export function cover(
  points: readonly Float64Array[],
  radius: number,
  most: number,
): Covered | undefined {
  if (points.length === 0) return { centres: [], counts: [] }
  const leaders = new Points(points[0].length)
  const counts: number[] = []
  const nearest: Nearest = { row: -1, distance: Infinity }
  const groups = new Uint8Array(most)
  for (const point of points) {
    leaders.nearest(point, groups, [nearest])
    if (nearest.distance <= radius) {
      counts[nearest.row]++
      continue
    }
    if (leaders.size === most) return undefined
    leaders.add(point)
    counts.push(1)
  }
  return { centres: counts.map((_, row) => leaders.at(row).slice()), counts }
}

/** As `cover`, with the radius grown until the centres are at most `most`. */
export function coverWithin(
  points: readonly Float64Array[],
  radius: number,
  most: number,
): Covered & { readonly radius: number } {
  for (let reach = radius; ; reach *= 1.25) {
    const covered = cover(points, reach, most)
    if (covered !== undefined) return { ...covered, radius: reach }
  }
}

/**
 * The points that hang together with the one at `seed`: steps of at most `reach`, through points
 * that have at least `least` others within it (DBSCAN, Ester et al. 1996). Returns rows, or none
 * where the seed itself stands in no dense place. From `most` points on no further ones are looked
 * for, which bounds the work.
 */
export function hangingTogether(
  points: readonly Float64Array[],
  seed: number,
  reach: number,
  least: number,
  most: number,
): number[] {
  const near = (row: number) => {
    const found: number[] = []
    for (let other = 0; other < points.length; other++) {
      if (distanceOf(points[row], points[other]) <= reach) found.push(other)
    }
    return found
  }
  const taken = new Set<number>([seed])
  const open = [seed]
  let dense = false
  while (open.length > 0 && taken.size < most) {
    const row = open.pop() as number
    const around = near(row)
    if (around.length < least) {
      if (row === seed) return []
      continue
    }
    dense = true
    for (const other of around) {
      if (taken.has(other)) continue
      taken.add(other)
      open.push(other)
    }
  }
  return dense ? [...taken].sort((a, b) => a - b) : []
}

export interface Shape {
  readonly centre: Float64Array
  /** Mean distance of the members from their centre. */
  readonly spread: number
  /** Mean of (b − a)/max(a, b): a to the other members, b to the nearest known centre. */
  readonly silhouette: number
}

/** `known` gives a member's distance to the nearest pattern that the cluster is compared with. */
export function shapeOf(
  members: readonly Float64Array[],
  known: (member: Float64Array) => number,
): Shape {
  const centre = meanOf(members)
  const distances = members.map((member) => distanceOf(member, centre))
  const spread = distances.reduce((sum, distance) => sum + distance, 0) / members.length
  // The simplified silhouette (Hruschka et al. 2004): distances to centres stand for all pairs.
  const silhouette =
    members.reduce((sum, member, i) => {
      const [a, b] = [distances[i], known(member)]
      const most = Math.max(a, b)
      return sum + (most === 0 ? 0 : b === Infinity ? 1 : (b - a) / most)
    }, 0) / members.length
  return { centre, spread, silhouette }
}

/** The distance below which the share 1 − `outside` of the points lies from their nearest centre. */
export function limitOf(
  points: readonly Float64Array[],
  centres: readonly Float64Array[],
  outside: number,
): number {
  const place = new Points(centres[0].length)
  for (const centre of centres) place.add(centre)
  const nearest: Nearest = { row: -1, distance: Infinity }
  const groups = new Uint8Array(centres.length)
  const distances = Float64Array.from(points, (point) => {
    place.nearest(point, groups, [nearest])
    return nearest.distance
  })
  return quantile(distances, 1 - outside)
}
