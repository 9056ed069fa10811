/**
 * Tuning judged honestly: each outer fold tunes on its own training rows alone, then learns with
 * the best setting and predicts rows that nothing of this has seen.
 */
import { fail } from '../errors.ts'
import {
  combineFolds,
  crossValidate,
  type CrossValidation,
  type FoldFacts,
  resultsOf,
  type TrainTest,
} from '../preparation/cross-validation.ts'
import { checkRows } from '../preparation/rows.ts'
import { crossValidationObjective, figureOf, type ObjectiveOptions } from './objective.ts'
import type { Setting } from './space.ts'
import { tuning, type TuningSpec } from './spec.ts'
import { tune, type TuneOptions, type TuningState } from './tune.ts'

/** An outer fold with folds of its training rows, as `nestedFolds` gives them. */
export type NestedTrainTest = TrainTest & { readonly inner: readonly TrainTest[] }

export type NestedOptions = Omit<ObjectiveOptions, 'folds'> & {
  readonly folds: readonly NestedTrainTest[]
  readonly tuning: Omit<TuningSpec, 'better'>
  /** Called when a fold has been tuned, tested and is done. */
  readonly onFold?: (fold: NestedFoldResult) => void
} & Pick<TuneOptions, 'signal'>

export type NestedFoldResult = {
  readonly setting: Setting
  /** The figure of the best trial, by which it was chosen: it flatters. */
  readonly chosenBy: number
  /** The figure on the outer test rows. */
  readonly figure: number
  readonly facts: FoldFacts
  readonly state: TuningState
}

export type NestedResult = {
  readonly outputs: readonly string[]
  /** Rows that an outer fold tested, ascending, and what its tuned learner says of them. */
  readonly rows: Uint32Array
  readonly predictions: Float64Array
  readonly folds: readonly NestedFoldResult[]
  /** Means over the outer folds; their difference is how much tuning flattered itself. */
  readonly chosenBy: number
  readonly figure: number
}

/**
 * Throws `tuning_failed` where a fold has no trial that was done, `split_invalid` where an inner
 * fold leaves the training rows of its outer one, and what `crossValidate` throws.
 */
export async function nestedTuning(options: NestedOptions): Promise<NestedResult> {
  const { folds, seed, onFold, signal } = options
  const results: NestedFoldResult[] = []
  const tested: CrossValidation[] = []
  for (const [index, fold] of folds.entries()) {
    checkInner(fold, options.table.rows)
    const objective = crossValidationObjective({ ...options, folds: fold.inner })
    const spec = tuning({ ...options.tuning, better: objective.better })
    const own = `${seed}/outer ${index}`
    const { best, state, ended, note } = await tune(spec, objective.evaluate, {
      seed: own,
      ...(signal === undefined ? {} : { signal }),
    })
    if (ended !== 'finished') throw fail.tuning_failed(`Outer fold ${index} was stopped.`)
    if (best?.outcome.status !== 'done') {
      throw fail.tuning_failed(`Outer fold ${index}: ${note} ${firstError(state)}`)
    }
    const learnt = { preparation: options.preparation, learner: options.learner(best.setting) }
    const one = crossValidate(learnt, options.table, options.target, [fold], {
      seed: own,
      ...(options.groups === undefined ? {} : { groups: options.groups }),
      ...(options.threads === undefined ? {} : { threads: options.threads }),
    })
    tested.push(one)
    const [{ rows, predictions, ...facts }] = one.folds
    const figure = figureOf(
      options.measure,
      resultsOf(options.target, { rows, predictions }, options.groups),
    )
    const result = { setting: best.setting, chosenBy: best.outcome.value, figure, facts, state }
    results.push(result)
    onFold?.(result)
  }
  if (results.length === 0) throw fail.split_invalid('There are no outer folds.')
  const { outputs } = tested[0]
  const mean = (of: (fold: NestedFoldResult) => number) =>
    results.reduce((sum, fold) => sum + of(fold), 0) / results.length
  return {
    outputs,
    ...combineFolds(tested, outputs.length, options.table.rows),
    folds: results,
    chosenBy: mean(({ chosenBy }) => chosenBy),
    figure: mean(({ figure }) => figure),
  }
}

/** Tuning must not read a row of the outer test. */
function checkInner(fold: NestedTrainTest, tableRows: number): void {
  const train = new Set(checkRows(fold.train, tableRows, 'training'))
  for (const { train: own, test, validation = [] } of fold.inner) {
    for (const rows of [own, test, validation]) {
      const stray = Array.from(rows).find((row) => !train.has(row))
      if (stray !== undefined) {
        throw fail.split_invalid(
          `Row ${stray} of an inner fold is not a training row of its outer fold.`,
        )
      }
    }
  }
}

function firstError({ trials }: TuningState): string {
  const failed = trials.find(({ outcome }) => outcome.status === 'failed')
  return failed?.outcome.status === 'failed' ? failed.outcome.error : ''
}
