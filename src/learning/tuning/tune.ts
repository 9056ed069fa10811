/**
 * Tuning: trials of settings, one after the other or a batch side by side.
 *
 * What always holds: the same spec, seed and evaluation give the same trials, byte for byte, also
 * when the tuning was stopped and resumed in between; a trial that fails is recorded and the next
 * one goes on; trials and time are bounded.
 */
import { setImmediate } from 'node:timers/promises'
import { contentHash } from '../../lib/hash.ts'
import { monotonicUs } from '../../lib/clock.ts'
import { fail } from '../errors.ts'
import { checkSetting } from './space.ts'
import { checkTuning, type TuningSpec } from './spec.ts'
import { nextBlock, type Proposal, ranked, type Trial, type TrialFacts } from './trials.ts'

/** The format of a tuning's state; a reader refuses any other. */
export const TUNING_FORMAT = 'assay-tuning/1'

/** A tuning as far as it got: plain JSON, enough to resume it. */
export type TuningState = {
  readonly format: typeof TUNING_FORMAT
  /** Content hash of the spec. */
  readonly spec: string
  readonly seed: number | string
  /** Finished trials by their numbers. */
  readonly trials: readonly Trial[]
}

/** What is to be evaluated: the same for the same setting and budget, whatever the trial. */
export type Attempt = Pick<Proposal, 'number' | 'configuration' | 'budget' | 'setting'>

/** The figure of a trial, with what else is to be kept of it. */
export type Evaluation = number | { readonly value: number; readonly facts?: TrialFacts }

export type Evaluate = (attempt: Attempt) => Evaluation | Promise<Evaluation>

export type TuneOptions = {
  readonly seed: number | string
  /** A state that an earlier call with the same spec and seed gave. */
  readonly resume?: TuningState
  /** No trial is begun when so much time has passed in this call. */
  readonly seconds?: number
  /** A clock of microseconds that only goes forward; the machine's if absent. */
  readonly nowUs?: () => number
  /** No trial is begun once it is aborted. */
  readonly signal?: AbortSignal
  /** Called after each trial with the state to save. */
  readonly onTrial?: (trial: Trial, progress: TuningProgress) => void
}

export type TuningProgress = {
  readonly done: number
  /** Trials at most. */
  readonly total: number
  readonly best: Trial | undefined
  readonly state: TuningState
}

export type TuningResult = {
  readonly state: TuningState
  /** Why the tuning ended; the last two can be resumed. */
  readonly ended: 'finished' | 'time' | 'stopped'
  /** The best trial on the largest budget that was tried; undefined where none was done. */
  readonly best: Trial | undefined
  /** What must be said with the figure of the best trial. */
  readonly note: string
}

/**
 * Runs trials until the schedule or a limit ends. Trials of a block run side by side, so an
 * evaluation that hands its work to a worker uses as many workers as the spec's `batch`.
 *
 * Throws `tuning_invalid` for a wrong spec and `tuning_state_mismatch` for a state of another one.
 * What an evaluation throws becomes the outcome of its trial.
 */
export async function tune(
  spec: TuningSpec,
  evaluate: Evaluate,
  options: TuneOptions,
): Promise<TuningResult> {
  checkTuning(spec)
  const { seed, onTrial, nowUs = monotonicUs } = options
  const specHash = contentHash(spec)
  const startedUs = nowUs()
  const trials = new Map<number, Trial>()
  for (const trial of resumedTrials(spec, specHash, options)) trials.set(trial.number, trial)
  let ended: TuningResult['ended'] = 'finished'

  const state = (): TuningState => {
    return { format: TUNING_FORMAT, spec: specHash, seed, trials: inOrder(trials.values()) }
  }
  const stopReason = () => {
    if (options.signal?.aborted === true) return 'stopped'
    const { seconds } = options
    return seconds !== undefined && nowUs() - startedUs >= seconds * 1e6 ? 'time' : undefined
  }

  for (let finished: Trial[] = []; ;) {
    const block = nextBlock(spec, seed, finished)
    const open = block.filter(({ number }) => !trials.has(number))
    checkResumed(block, trials)
    if (block.length === 0) break
    // An evaluation may block the thread: what would stop the tuning gets its turn between trials.
    await setImmediate()
    const reason = open.length === 0 ? undefined : stopReason()
    if (reason !== undefined) {
      ended = reason
      break
    }
    await Promise.all(
      open.map(async (proposal) => {
        const trial = await attempt(proposal, evaluate)
        trials.set(trial.number, trial)
        const saved = state()
        const best = bestOf(spec, saved.trials)
        onTrial?.(trial, { done: trials.size, total: spec.trials, best, state: saved })
      }),
    )
    finished = [...finished, ...block.map(({ number }) => trials.get(number) as Trial)]
  }
  const last = state()
  const best = bestOf(spec, last.trials)
  return { state: last, ended, best, note: noteOn(best, last.trials) }
}

function inOrder(trials: Iterable<Trial>): Trial[] {
  return [...trials].sort((a, b) => a.number - b.number)
}

async function attempt(proposal: Proposal, evaluate: Evaluate): Promise<Trial> {
  const { number, configuration, budget, setting } = proposal
  try {
    const evaluation = await evaluate({ number, configuration, budget, setting })
    const { value, facts } =
      typeof evaluation === 'number' ? { value: evaluation, facts: undefined } : evaluation
    if (!Number.isFinite(value)) {
      return { ...proposal, outcome: { status: 'failed', error: `The figure is ${value}.` } }
    }
    const kept = facts === undefined ? {} : { facts }
    return { ...proposal, outcome: { status: 'done', value: value + 0, ...kept } }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { ...proposal, outcome: { status: 'failed', error: message } }
  }
}

/** The best trial on the largest budget on which any was done. */
export function bestOf(spec: TuningSpec, trials: readonly Trial[]): Trial | undefined {
  const done = trials.filter(({ outcome }) => outcome.status === 'done')
  const budget = Math.max(...done.map((trial) => trial.budget))
  return ranked(
    spec,
    done.filter((trial) => trial.budget === budget),
  )[0]
}

function noteOn(best: Trial | undefined, trials: readonly Trial[]): string {
  const failed = trials.filter(({ outcome }) => outcome.status === 'failed').length
  const failures = failed === 0 ? '' : ` ${failed} of ${trials.length} trials failed.`
  if (best === undefined) return `No trial was done, so there is no best setting.${failures}`
  const part = best.budget < 1 ? ' No trial had the whole budget.' : ''
  return (
    `The best of ${trials.length} trials was chosen by this figure, so the figure flatters it: ` +
    `judge it on rows that the tuning did not see, or by nested folds.${part}${failures}`
  )
}

/** Trials of an earlier call, each of which the space can give. */
function resumedTrials(
  spec: TuningSpec,
  specHash: string,
  { resume, seed }: TuneOptions,
): readonly Trial[] {
  if (resume === undefined) return []
  if (resume.format !== TUNING_FORMAT || !Array.isArray(resume.trials)) {
    throw fail.tuning_state_mismatch(`The state's format is "${resume.format}".`)
  }
  if (resume.spec !== specHash) {
    throw fail.tuning_state_mismatch('The state was saved by a tuning that is declared otherwise.')
  }
  if (resume.seed !== seed) {
    throw fail.tuning_state_mismatch(
      `The state was saved under the seed ${JSON.stringify(resume.seed)}.`,
    )
  }
  for (const { number, setting, outcome } of resume.trials) {
    checkSetting(spec.space, setting)
    if (!Number.isInteger(number) || number < 0 || number >= spec.trials) {
      throw fail.tuning_state_mismatch(`The state has a trial ${number} of ${spec.trials}.`)
    }
    const done = outcome?.status === 'done' && Number.isFinite(outcome.value)
    if (!done && !(outcome?.status === 'failed' && typeof outcome.error === 'string')) {
      throw fail.tuning_state_mismatch('A trial of the state has no outcome.')
    }
  }
  return resume.trials
}

/** Saved trials are used only where they are the very ones that are proposed now. */
function checkResumed(block: readonly Proposal[], trials: ReadonlyMap<number, Trial>): void {
  for (const proposal of block) {
    const saved = trials.get(proposal.number)
    if (saved === undefined) continue
    const { outcome: _, ...own } = saved
    if (contentHash(own) !== contentHash(proposal)) {
      throw fail.tuning_state_mismatch(
        `Trial ${proposal.number} of the state is not the one that this tuning tries.`,
      )
    }
  }
}
