/**
 * Which trials come next. A pure function of the spec, the seed and the trials that are finished:
 * a tuning that was stopped and resumed tries what it would have tried without the stop.
 */
import { createRandom } from '../../lib/random.ts'
import { goodness } from '../evaluation/measure.ts'
import { bracketRungs } from './rungs.ts'
import { nextSetting, type Observation } from './sampler.ts'
import type { Setting } from './space.ts'
import type { TuningSpec } from './spec.ts'

/** A trial as it is proposed. */
export type Proposal = {
  /** Counted from 0 in the order of proposal. */
  readonly number: number
  /** Trials of one block are chosen together. */
  readonly block: number
  /** Which setting this is; it keeps its number from rung to rung. */
  readonly configuration: number
  /** Which halving, and which rung of it; both 0 where every trial has the whole budget. */
  readonly bracket: number
  readonly rung: number
  /** Share of the whole budget, above 0, up to 1. */
  readonly budget: number
  readonly setting: Setting
}

export type Trial = Proposal & { readonly outcome: Outcome }

export type Outcome =
  | { readonly status: 'done'; readonly value: number; readonly facts?: TrialFacts }
  | { readonly status: 'failed'; readonly error: string }

/** What an evaluation wants to keep beside its figure, as JSON. */
export type TrialFacts = Readonly<Record<string, unknown>>

/** The next block after the given ones, all of which are finished; empty at the end. */
export function nextBlock(
  spec: TuningSpec,
  seed: number | string,
  finished: readonly Trial[],
): Proposal[] {
  const places = nextPlaces(spec, finished).slice(0, Math.min(spec.batch, left(spec, finished)))
  const block = (finished.at(-1)?.block ?? -1) + 1
  const started = new Set(finished.map(({ configuration }) => configuration)).size
  let fresh = 0
  return places.map((place, i) => {
    const number = finished.length + i
    if (place.promoted !== undefined) {
      const { configuration, setting } = place.promoted
      return { ...place.at, number, block, configuration, setting }
    }
    const configuration = started + fresh++
    const setting = settingOf(spec, seed, finished, configuration)
    return { ...place.at, number, block, configuration, setting }
  })
}

function left({ trials }: TuningSpec, finished: readonly Trial[]): number {
  return Math.max(0, trials - finished.length)
}

/** Where a trial stands in the schedule; it tries a setting promoted to it, or a new one. */
type Place = {
  readonly at: Pick<Proposal, 'bracket' | 'rung' | 'budget'>
  readonly promoted?: Trial
}

function nextPlaces(spec: TuningSpec, finished: readonly Trial[]): Place[] {
  if (spec.schedule.kind === 'full') {
    const at = { bracket: 0, rung: 0, budget: 1 }
    return Array.from({ length: left(spec, finished) }, () => ({ at }))
  }
  const last = finished.at(-1)
  const bracket = last?.bracket ?? 0
  for (const rung of [last?.rung ?? 0, (last?.rung ?? 0) + 1]) {
    const places = placesOfRung(spec, finished, bracket, rung)
    if (places.length > 0) return places
  }
  // The rung after the last has no places, and neither has one to which nothing was promoted.
  return last === undefined ? [] : placesOfRung(spec, finished, bracket + 1, 0)
}

/** The places of a rung that no finished trial has taken. */
function placesOfRung(
  spec: TuningSpec,
  finished: readonly Trial[],
  bracket: number,
  rung: number,
): Place[] {
  const shape = bracketRungs(spec.schedule, bracket)?.[rung]
  if (shape === undefined) return []
  const at = { bracket, rung, budget: shape.budget }
  const of = (wanted: number) =>
    finished.filter((trial) => trial.bracket === bracket && trial.rung === wanted)
  const taken = of(rung).length
  if (rung === 0) return Array.from({ length: shape.count - taken }, () => ({ at }))
  const promoted = ranked(spec, of(rung - 1)).slice(0, shape.count)
  return promoted.slice(taken).map((trial) => ({ at, promoted: trial }))
}

/** Trials that were done, best first, of equal ones the earlier. */
export function ranked({ better }: TuningSpec, trials: readonly Trial[]): Trial[] {
  const rated = trials.flatMap((trial) => {
    const { outcome } = trial
    return outcome.status === 'done' ? [{ trial, good: goodness(better, outcome.value) }] : []
  })
  rated.sort((a, b) => b.good - a.good || a.trial.number - b.trial.number)
  return rated.map(({ trial }) => trial)
}

function settingOf(
  spec: TuningSpec,
  seed: number | string,
  finished: readonly Trial[],
  configuration: number,
): Setting {
  if (configuration < spec.first.length) return spec.first[configuration]
  const random = createRandom(seed).fork(`configuration ${configuration}`)
  return nextSetting(spec.sampler, spec.space, observationsOf(spec, finished), random)
}

/**
 * What the sampler may learn from: figures on one budget only, the largest on which there are
 * enough (as BOHB does, Falkner, Klein and Hutter 2018).
 */
function observationsOf(spec: TuningSpec, finished: readonly Trial[]): Observation[] {
  if (spec.sampler.kind === 'random') return []
  const { startup } = spec.sampler
  const budgets = [...new Set(finished.map(({ budget }) => budget))].sort((a, b) => b - a)
  for (const budget of budgets) {
    const trials = finished.filter((trial) => trial.budget === budget)
    if (trials.length < startup) continue
    return trials.map(({ setting, outcome }) => ({
      setting,
      goodness: outcome.status === 'done' ? goodness(spec.better, outcome.value) : undefined,
    }))
  }
  return []
}
