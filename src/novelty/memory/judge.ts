/**
 * What a cluster of unknown records is: a drift of a pattern, the return of one, or something new.
 *
 * A cluster beyond every pattern is a novelty, unless it was reached by a gradual path: the records
 * at the edge of the pattern lead to it without an empty step, or they lie the further out the later
 * they came and the one-class SVM does not find most of the cluster strange. A path that has led too far
 * without a person's word is still told as a drift, but is not learnt into its pattern.
 */
import type { Shift } from './adwin.ts'
import { shapeOf } from './grouping.ts'
import { distanceOf, meanOf } from './points.ts'
import { rankCorrelation } from './rank-correlation.ts'
import type { MemorySettings } from './settings.ts'
import type {
  Cluster,
  Evidence,
  NearPattern,
  PathStep,
  Pattern,
  Unknown,
  Verdict,
} from './types.ts'
import type { Witnesses } from './witnesses.ts'

/** A record near the edge of the usual. */
export interface FrontierPoint {
  readonly sequence: number
  readonly point: Float64Array
}

export interface Neighbour {
  readonly cluster: Cluster
  readonly pattern: Pattern
  /** Where the cluster stands in its store, until something is removed. */
  readonly row: number
  /** In the store's memory: it moves with what is learnt. */
  readonly centre: Float64Array
  /** In limits. */
  readonly distance: number
}

/** The nearest of the usual, of what was found, and of what sleeps. */
export interface Surroundings {
  readonly usual?: Neighbour
  readonly found?: Neighbour
  readonly asleep?: Neighbour
}

export interface Question {
  readonly members: readonly Unknown[]
  readonly limit: number
  readonly settings: MemorySettings
  readonly around: (point: Float64Array) => Surroundings
  readonly frontier: readonly FrontierPoint[]
  readonly shift: (Shift & { readonly sequence: number }) | null
  readonly witnesses: Witnesses
}

export interface Judgement {
  readonly verdict: Exclude<Verdict, 'noise'>
  /** The pattern that it belongs to from now on; null: one of its own. */
  readonly into: string | null
  readonly label: string | null
  /** All steps from what was learnt, in limits. */
  readonly moved: number
  readonly why: string
  readonly centre: Float64Array
  /** The centre that it is compared with, field by field. */
  readonly from: Neighbour | undefined
  readonly evidence: Omit<Evidence, 'differs'>
}

/** A cluster that reaches no further than one limit hangs together with the pattern itself. */
const TOUCHING = 1
const STRANGE_SHARE = 0.5
const EXAMPLES_MAX = 5

/** Undefined where the members do not hang together well enough to be judged. */
export function judge(question: Question): Judgement | undefined {
  const { members, limit, settings, around } = question
  const points = members.map(({ point }) => point)
  const shape = shapeOf(points, (point) => {
    const { usual, found } = around(point)
    return limit * Math.min(usual?.distance ?? Infinity, found?.distance ?? Infinity)
  })
  if (shape.silhouette <= 0) return undefined
  const near = around(shape.centre)
  const closest = closestOf(near)
  const way = wayTo(question, near.usual, shape.centre)
  const strange = question.witnesses.strange(points)
  const evidence = {
    nearest: shown(closestOf({ usual: near.usual, found: near.found })),
    asleep: shown(near.asleep),
    spread: shape.spread / limit,
    silhouette: shape.silhouette,
    witnesses: { nearestNeighbour: 1, ...strange },
    widestStep: way.widest,
    risesWithTime: way.rises,
    shift: question.shift,
    path: [],
    examples: members.slice(0, EXAMPLES_MAX).map(exampleOf),
  }
  const base = { centre: shape.centre, from: closest, evidence, moved: 0, into: null, label: null }
  const apart = closest === undefined ? '' : ` ${words(closest.distance)} from ${nameOf(closest)}`
  const novelty = { ...base, verdict: 'novelty' as const }
  if (closest === undefined) return { ...novelty, why: 'There is no pattern to compare it with.' }
  const last = members[members.length - 1]
  const step = closest.distance
  const moved = closest.cluster.moved + step
  const path = [{ ...timeOf(last), pattern: closest.pattern.id, step, moved }]
  const joined = { ...base, into: closest.pattern.id, label: closest.pattern.label, moved }
  const stepped = { ...joined, evidence: { ...evidence, path: [...closest.pattern.path, ...path] } }
  if (closest === near.asleep && step <= settings.driftReach) {
    const why = `It lies${apart}, which slept.`
    return { ...stepped, verdict: 'recurrence', why }
  }
  if (closest === near.found && step <= settings.foundReach) {
    return { ...stepped, verdict: 'drift', why: `It lies${apart}, which was found before.` }
  }
  const gradual = gradualPath(way, step, strange.oneClassSvm, settings)
  if (closest !== near.usual || step > settings.driftReach || gradual === undefined) {
    return { ...novelty, why: `It lies${apart}, and no gradual path leads to it.` }
  }
  if (moved > settings.driftMax) {
    const why = `${gradual} The pattern has moved ${words(moved)} in all, more than it may before a person confirms it: it is not learnt.`
    return { ...stepped, into: null, verdict: 'drift', why }
  }
  return { ...stepped, verdict: 'drift', why: `It lies${apart}. ${gradual}` }
}

/**
 * A second look at what was called a novelty, once more of it has come: where recent records lead to
 * it from a usual pattern after all, it is a drift of that one. Undefined where they do not.
 */
export function reconsider(
  question: Omit<Question, 'members' | 'shift' | 'witnesses'>,
  centres: readonly Float64Array[],
): { readonly from: Neighbour; readonly moved: number; readonly why: string } | undefined {
  const { around, settings } = question
  const centre = meanOf(centres)
  const { usual } = around(centre)
  if (usual === undefined || usual.distance > settings.driftReach) return undefined
  const moved = usual.cluster.moved + usual.distance
  if (moved > settings.driftMax) return undefined
  const way = wayTo({ ...question, members: [] }, usual, centre)
  // A novelty fills the way with records of its own: only one that moves on is a drift.
  if (way.widest > settings.pathGap || way.rises < settings.pathRise) return undefined
  const why = `Records lie all the way, and the further out the later they came (rank correlation ${way.rises.toFixed(2)}).`
  return { from: usual, moved, why }
}

/** Why the cluster was reached by a gradual path; undefined where it was not. */
function gradualPath(
  way: Way,
  step: number,
  strange: number,
  { pathRise, pathGap }: MemorySettings,
): string | undefined {
  if (way.widest <= pathGap) {
    return `Records lie all the way, no step wider than ${words(way.widest)}.`
  }
  if (strange >= STRANGE_SHARE) return undefined
  if (step < TOUCHING) return 'It touches the pattern.'
  if (way.rises < pathRise) return undefined
  return `Records came the further out the later they were (rank correlation ${way.rises.toFixed(2)}).`
}

interface Way {
  /** The widest empty step along the way, in limits. */
  readonly widest: number
  readonly rises: number
}

/** How recent records lie between a pattern and a cluster: along the line, and near to it. */
function wayTo(
  { frontier, members, limit }: Pick<Question, 'frontier' | 'members' | 'limit'>,
  from: Neighbour | undefined,
  centre: Float64Array,
): Way {
  const length = from === undefined ? 0 : distanceOf(from.centre, centre)
  if (from === undefined || length === 0) return { widest: length / limit, rises: 0 }
  const along: { at: number; sequence: number }[] = []
  for (const { point, sequence } of [...frontier, ...members]) {
    let dot = 0
    let square = 0
    for (let i = 0; i < centre.length; i++) {
      const step = point[i] - from.centre[i]
      dot += step * (centre[i] - from.centre[i])
      square += step * step
    }
    const at = dot / length
    const aside = Math.sqrt(Math.max(0, square - at * at))
    if (at < 0 || at > 1.2 * length || aside > 0.8 * limit) continue
    along.push({ at: at / limit, sequence })
  }
  let widest = 0
  let before = 0
  for (const { at } of along.toSorted((a, b) => a.at - b.at)) {
    widest = Math.max(widest, at - before)
    before = at
    if (before >= length / limit) break
  }
  const rises = rankCorrelation(
    along.map(({ sequence }) => sequence),
    along.map(({ at }) => at),
  )
  return { widest, rises }
}

function closestOf({ usual, found, asleep }: Surroundings): Neighbour | undefined {
  return [usual, found, asleep]
    .filter((one) => one !== undefined)
    .reduce<Neighbour | undefined>(
      (best, one) => (best === undefined || one.distance < best.distance ? one : best),
      undefined,
    )
}

function shown(one: Neighbour | undefined): NearPattern | null {
  return one === undefined
    ? null
    : { pattern: one.pattern.id, label: one.pattern.label, distance: one.distance }
}

function nameOf({ pattern }: Neighbour): string {
  return pattern.label === null ? pattern.id : `${pattern.id} (${pattern.label})`
}

function words(limits: number): string {
  return `${limits.toFixed(2)} limits`
}

function timeOf({ sequence, timeUs }: Unknown): Pick<PathStep, 'sequence' | 'timeUs'> {
  return { sequence, timeUs }
}

function exampleOf({ sequence, timeUs, entity, fields }: Unknown) {
  return { sequence, timeUs, entity, fields }
}
