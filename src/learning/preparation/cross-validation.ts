/**
 * Cross-validation of a preparation and a learner: in every fold both are fitted anew on the
 * fold's training rows, so that no row has had a part in what scores it.
 */
import { contentHash } from '../../lib/hash.ts'
import type { Matrix } from '../../lib/matrix.ts'
import { fail } from '../errors.ts'
import type { Results } from '../evaluation/results.ts'
import { fit } from '../fit.ts'
import type { FitOptions, LearnerSpec, TrainingFacts } from '../model.ts'
import { fitPreparation, type PreparedTraining } from './fit-preparation.ts'
import {
  checkTask,
  type PreparedModel,
  preparedModel,
  type PreparedSpec,
  predictorBehind,
} from './prepared-model.ts'
import { preparer } from './preparer.ts'
import { checkApart, checkRows, type FittedRows, rowsHash } from './rows.ts'
import type { PreparationSpec } from './spec.ts'
import type { Table } from './table.ts'
import { checkTarget, type Target } from './target.ts'

/** Rows to learn from and rows to test on, apart from each other. */
export type TrainTest = {
  readonly train: ArrayLike<number>
  readonly test: ArrayLike<number>
  /** Rows for early stopping, apart from both. */
  readonly validation?: ArrayLike<number>
}

export type CrossValidationOptions = {
  readonly seed: number | string
  /** What must not be parted when categories are encoded by labels, a table row. */
  readonly groups?: ArrayLike<number | string>
  readonly threads?: number
  /** Called after each fold with what was fitted in it; models are not kept otherwise. */
  readonly onFold?: (facts: FoldFacts, model: PreparedModel) => void
}

export type CrossValidation = {
  readonly outputs: readonly string[]
  /** Rows that were tested, ascending. */
  readonly rows: Uint32Array
  /** Outputs of these rows, row after row; the mean where a row was tested in several folds. */
  readonly predictions: Float64Array
  readonly folds: readonly (FoldFacts & FoldPredictions)[]
}

export type FoldPredictions = {
  /** The fold's test rows, ascending, and their outputs, row after row. */
  readonly rows: Uint32Array
  readonly predictions: Float64Array
}

/** What a report can say of a fold, and a leakage check can verify. */
export type FoldFacts = {
  readonly fold: number
  readonly trained: FittedRows
  readonly tested: FittedRows
  /** The rows that the preparation says it was fitted on; the same as `trained`. */
  readonly prepared: FittedRows
  /** Content hash of the fitted preparation. */
  readonly preparation: string
  readonly features: number
  readonly model: TrainingFacts
}

/** Throws what `fitPreparation` and `fit` throw, and `split_invalid` for folds that overlap. */
export function crossValidate(
  spec: PreparedSpec,
  table: Table,
  target: Target,
  folds: readonly TrainTest[],
  options: CrossValidationOptions,
): CrossValidation {
  checkTask(spec.learner, target)
  if (folds.length === 0) throw fail.split_invalid('There are no folds.')
  const done = folds.map((fold, index) => {
    const prepared = prepareFold(spec.preparation, table, target, fold, { ...options, index })
    const { facts, model, tested } = learnFold(prepared, spec.learner, options)
    options.onFold?.(facts, model)
    return { ...facts, ...tested, outputs: tested.outputs }
  })
  const { outputs } = done[0]
  return { outputs, ...combineFolds(done, outputs.length, table.rows), folds: done }
}

/** A fold whose rows are features already; any learner may be fitted on it. */
export type PreparedFold = {
  readonly index: number
  readonly training: PreparedTraining
  readonly trained: FittedRows
  /** Content hash of the fitted preparation. */
  readonly hash: string
  /** The test rows, ascending, and their features. */
  readonly rows: Uint32Array
  readonly x: Matrix
}

/** Fits the preparation on a fold's training rows and applies it to its other rows. */
export function prepareFold(
  spec: PreparationSpec,
  table: Table,
  target: Target,
  fold: TrainTest,
  { seed, groups, index }: CrossValidationOptions & { readonly index: number },
): PreparedFold {
  const train = checkRows(fold.train, table.rows, 'training')
  const rows = checkRows(fold.test, table.rows, 'test')
  checkApart(train, rows, ['training', 'test'])
  const training = fitPreparation(spec, table, train, target, {
    seed: seedOfFold(seed, index),
    ...(groups === undefined ? {} : { groups }),
  })
  const ready = preparer(training.preparation)
  const prepared = {
    index,
    training,
    trained: { count: train.length, hash: rowsHash(train) },
    hash: contentHash(training.preparation),
    rows,
    x: ready.apply(table, rows),
  }
  if (fold.validation === undefined || !('y' in target)) return prepared
  const stop = checkRows(fold.validation, table.rows, 'validation')
  checkApart(train, stop, ['training', 'validation'])
  checkApart(rows, stop, ['test', 'validation'])
  checkTarget(target, stop, table.rows)
  const y = Float64Array.from(stop, (row) => target.y[row])
  const data = { ...training.data, validation: { x: ready.apply(table, stop), y } }
  return { ...prepared, training: { ...training, data } }
}

/** Fits a learner on a prepared fold and predicts the fold's test rows. */
export function learnFold(
  { index, training, trained, hash, rows, x }: PreparedFold,
  learner: LearnerSpec,
  options: Pick<CrossValidationOptions, 'seed' | 'threads'> & Pick<FitOptions, 'bins'>,
): {
  readonly facts: FoldFacts
  readonly model: PreparedModel
  readonly tested: FoldPredictions & { readonly outputs: readonly string[] }
} {
  const { preparation, data } = training
  const fitOptions: FitOptions = {
    seed: seedOfFold(options.seed, index),
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    ...(options.bins === undefined ? {} : { bins: options.bins }),
  }
  const model = fit(learner, data, fitOptions)
  const behind = predictorBehind(preparation, model)
  const facts = {
    fold: index,
    trained,
    tested: { count: rows.length, hash: rowsHash(rows) },
    prepared: preparation.rows,
    preparation: hash,
    features: preparation.features.length,
    model: model.training,
  }
  const tested = { rows, predictions: behind.predict(x), outputs: behind.outputs }
  return { facts, model: preparedModel(preparation, model), tested }
}

/** Every fold draws from a stream of its own, whatever the others do. */
function seedOfFold(seed: number | string, index: number): string {
  return `${seed}/fold ${index}`
}

/** Rows tested by any fold, ascending, and the means of their outputs. */
export function combineFolds(
  folds: readonly FoldPredictions[],
  width: number,
  tableRows: number,
): Pick<CrossValidation, 'rows' | 'predictions'> {
  const times = new Uint32Array(tableRows)
  for (const { rows } of folds) for (const row of rows) times[row]++
  const rows = Uint32Array.from({ length: tableRows }, (_, row) => row).filter(
    (row) => times[row] > 0,
  )
  const placeOf = new Uint32Array(tableRows)
  rows.forEach((row, place) => {
    placeOf[row] = place
  })
  const predictions = new Float64Array(rows.length * width)
  for (const fold of folds) {
    fold.rows.forEach((row, i) => {
      for (let k = 0; k < width; k++) {
        predictions[placeOf[row] * width + k] += fold.predictions[i * width + k]
      }
    })
  }
  return {
    rows,
    predictions: predictions.map((sum, at) => sum / times[rows[Math.floor(at / width)]]),
  }
}

/**
 * Predictions of rows beside their labels, as measures take them. Throws `evaluation_invalid`
 * for tasks without labels.
 */
export function resultsOf(
  target: Target,
  { rows, predictions }: FoldPredictions,
  groups?: ArrayLike<number | string>,
): Results {
  if (!('y' in target)) {
    throw fail.evaluation_invalid('A task without labels has nothing to be measured against.')
  }
  const y = Float64Array.from(rows, (row) => target.y[row])
  const grouped = groups === undefined ? {} : { groups: Array.from(rows, (row) => groups[row]) }
  switch (target.task) {
    case 'binary':
      return { task: 'binary', y, scores: predictions, ...grouped }
    case 'multiclass':
      return {
        task: 'multiclass',
        y,
        classes: target.classes,
        probabilities: predictions,
        ...grouped,
      }
    case 'regression':
      return { task: 'regression', y, values: predictions, ...grouped }
  }
}
