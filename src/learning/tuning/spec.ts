/** A tuning as data: what is searched, how, and for how long. */
import { fail } from '../errors.ts'
import type { Better } from '../evaluation/measure.ts'
import { rungBudgets } from './rungs.ts'
import type { Sampler } from './sampler.ts'
import { checkSetting, checkSpace, type Setting, type Space } from './space.ts'

export type TuningSpec = {
  readonly space: Space
  readonly sampler: Sampler
  readonly schedule: Schedule
  /** Which way is good for the figure of a trial. */
  readonly better: Better
  /** Trials at most, those on a small budget included. */
  readonly trials: number
  /**
   * Trials that are chosen together, without knowing each other's outcome, and may run side by
   * side. It is part of the spec, so that the choice does not depend on how many do.
   */
  readonly batch: number
  /** Settings tried before any other, such as the learner's defaults. */
  readonly first: readonly Setting[]
}

export type Schedule =
  /** Every trial has the whole budget. */
  | { readonly kind: 'full' }
  /**
   * Successive halving (Jamieson and Talwalkar 2016): so many settings on the least budget, and
   * the best one of `eta` of each rung on `eta` times the budget, up to the whole.
   */
  | {
      readonly kind: 'halving'
      readonly configurations: number
      /** The least share of the budget that tells something; above 0, up to 1. */
      readonly from: number
      readonly eta: number
    }
  /**
   * Hyperband (Li et al. 2018): halvings one after the other, from many settings on the least
   * budget to few on the whole, again and again while trials are left.
   */
  | { readonly kind: 'hyperband'; readonly from: number; readonly eta: number }

export const TRIALS_MAX = 10_000
const BATCH_MAX = 256

/** Throws `tuning_invalid` that names the parameter that is wrong. */
export function tuning(
  declared: Pick<TuningSpec, 'space' | 'better' | 'trials'> & Partial<TuningSpec>,
): TuningSpec {
  const spec: TuningSpec = {
    sampler: { kind: 'random' },
    schedule: { kind: 'full' },
    batch: 1,
    first: [],
    ...declared,
  }
  checkTuning(spec)
  return spec
}

export function checkTuning(spec: TuningSpec): void {
  checkSpace(spec.space)
  check('trials', isCount(spec.trials) && spec.trials <= TRIALS_MAX)
  check('batch', isCount(spec.batch) && spec.batch <= BATCH_MAX)
  check('first', Array.isArray(spec.first) && spec.first.length <= spec.trials)
  for (const setting of spec.first) checkSetting(spec.space, setting)
  const { better } = spec
  const directed = better === 'higher' || better === 'lower'
  check('better', directed || Number.isFinite(better?.nearest))
  checkSampler(spec.sampler)
  checkSchedule(spec.schedule)
}

function checkSampler(sampler: Sampler): void {
  if (sampler.kind === 'random') return
  check('sampler.kind', sampler.kind === 'tpe')
  check('sampler.startup', isCount(sampler.startup))
  check('sampler.candidates', isCount(sampler.candidates) && sampler.candidates <= 1000)
  check('sampler.goodShare', sampler.goodShare > 0 && sampler.goodShare < 1)
  check('sampler.goodMax', isCount(sampler.goodMax))
  check('sampler.priorWeight', sampler.priorWeight > 0 && Number.isFinite(sampler.priorWeight))
}

function checkSchedule(schedule: Schedule): void {
  if (schedule.kind === 'full') return
  check('schedule.kind', schedule.kind === 'halving' || schedule.kind === 'hyperband')
  const { eta, from } = schedule
  check('schedule.eta', isCount(eta) && eta >= 2 && eta <= 100)
  check('schedule.from', from >= 1e-6 && from <= 1)
  if (schedule.kind === 'halving') {
    const { configurations } = schedule
    const budgets = rungBudgets(from, eta)
    const rungs = budgets.length
    const least = Math.round(1 / budgets[0])
    check('schedule.configurations', isCount(configurations) && configurations <= TRIALS_MAX)
    if (configurations < least) {
      throw fail.tuning_invalid(
        `${configurations} settings do not last through ${rungs} rungs by ${eta}; take ` +
          `${least} or more.`,
      )
    }
  }
}

function check(name: string, holds: boolean): void {
  if (!holds) throw fail.tuning_invalid(`The parameter "${name}" of the tuning is not a valid one.`)
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1
}
