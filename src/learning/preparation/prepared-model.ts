/**
 * A preparation and the model learnt behind it, as one: it takes rows of a table and is one
 * document, so that nobody scores with one half of another.
 */
import { exp } from '../../lib/math.ts'
import { type Matrix, readRow } from '../../lib/matrix.ts'
import { shown } from '../../lib/shown.ts'
import { fail } from '../errors.ts'
import { capabilitiesOf, taskOf } from '../estimator.ts'
import { fit } from '../fit.ts'
import type {
  Explanation,
  FitOptions,
  LearnerSpec,
  MarginUnit,
  Task,
  TrainedModel,
} from '../model.ts'
import { predictor } from '../predictor.ts'
import { type FittedPreparation, fitPreparation, type PreparedTraining } from './fit-preparation.ts'
import { preparer, sameList } from './preparer.ts'
import { checkApart, checkRows } from './rows.ts'
import { linearPreparation, preparation, type PreparationSpec } from './spec.ts'
import type { ColumnKinds, Table } from './table.ts'
import { checkTarget, type Target } from './target.ts'

/** The file format of prepared models; a reader refuses any other. */
export const PREPARED_MODEL_FORMAT = 'assay-prepared-model/1'

/** What to learn with, from a table: canonical JSON. */
export type PreparedSpec = {
  readonly preparation: PreparationSpec
  readonly learner: LearnerSpec
}

/** A preparation and its model as plain JSON; `preparedPredictor` makes it ready. */
export type PreparedModel = {
  readonly format: typeof PREPARED_MODEL_FORMAT
  readonly preparation: FittedPreparation
  readonly model: TrainedModel
}

export type FitPreparedOptions = FitOptions & {
  /** Rows for early stopping, apart from the training rows; neither half is fitted on them. */
  readonly validation?: ArrayLike<number>
  /** As in `fitPreparation`. */
  readonly groups?: ArrayLike<number | string>
}

/** A preparation that makes what learners of this kind take. */
export function preparationFor(kind: LearnerSpec['kind']): PreparationSpec {
  const { missing, categorical } = capabilitiesOf(kind)
  return missing && categorical ? preparation() : linearPreparation()
}

/**
 * Fits the preparation, then the learner, on the given rows of a table. The same spec, rows and
 * seed give the same bytes; what the other rows hold has no influence, except that validation
 * rows say when to stop. Throws what `fitPreparation` and `fit` throw.
 */
export function fitPrepared(
  spec: PreparedSpec,
  table: Table,
  rows: ArrayLike<number>,
  target: Target,
  options: FitPreparedOptions,
): PreparedModel {
  const { groups, validation, seed, ...others } = options
  checkTask(spec.learner, target)
  const prepared = fitPreparation(spec.preparation, table, rows, target, {
    seed,
    ...(groups === undefined ? {} : { groups }),
  })
  const data = {
    ...prepared.data,
    ...(groups && { groups: Array.from(prepared.rows, (row) => groups[row]) }),
    ...(validation && { validation: prepareRows(prepared, table, rows, validation, target) }),
  }
  return preparedModel(prepared.preparation, fit(spec.learner, data, { seed, ...others }))
}

/** Throws `learner_invalid` where the learner learns another task than the rows are labelled for. */
export function checkTask(learner: LearnerSpec, { task }: Target): void {
  const own = taskOf(learner)
  if (own === task) return
  throw fail.learner_invalid(`The learner is for a ${own} task, the labels are ${task}.`)
}

/** Joins a fitted preparation and a model that was learnt from what it made. */
export function preparedModel(fitted: FittedPreparation, model: TrainedModel): PreparedModel {
  return { format: PREPARED_MODEL_FORMAT, preparation: fitted, model }
}

function prepareRows(
  { preparation: fitted }: PreparedTraining,
  table: Table,
  training: ArrayLike<number>,
  validation: ArrayLike<number>,
  target: Target,
): { readonly x: Matrix; readonly y: Float64Array } {
  if (!('y' in target)) {
    throw fail.training_data_invalid('A task without labels has no use for validation rows.')
  }
  const rows = checkRows(validation, table.rows, 'validation')
  checkApart(Uint32Array.from(training).sort(), rows, ['training', 'validation'])
  checkTarget(target, rows, table.rows)
  const y = Float64Array.from(rows, (row) => target.y[row])
  return { x: preparer(fitted).apply(table, rows), y }
}

/** A prepared model made ready. All methods are pure; it may be shared. */
export interface PreparedPredictor {
  readonly task: Task
  /** The columns that a table must have. */
  readonly columns: ColumnKinds
  readonly features: readonly string[]
  /** The column that each feature comes from. */
  readonly sources: readonly string[]
  /** What `margins` and the contributions of `explain` count in. */
  readonly marginUnit: MarginUnit
  /** As of the model: the classes, the clusters, or one of 'score' and 'value'. */
  readonly outputs: readonly string[]
  /**
   * The outputs of the table's rows, or of the given ones, row after row; where classes were
   * balanced, what that did to the odds is taken back. A row's outputs do not depend on the rows
   * beside it. Throws `columns_mismatch`.
   */
  predict(table: Table, rows?: Uint32Array): Float64Array
  /**
   * Log-odds, share, value or strangeness of each row; models of one output only. Throws
   * `explanation_unavailable` for a forest of balanced classes, as `explain` does.
   */
  margins(table: Table, rows?: Uint32Array): Float64Array
  /** Exact Shapley values of a row's margin, one a feature, in the order of `features`. */
  explain(table: Table, row: number, output?: number): Explanation
}

/** Makes a prepared model ready; throws `model_invalid` that says what is damaged. */
export function preparedPredictor(document: PreparedModel): PreparedPredictor {
  if (document?.format !== PREPARED_MODEL_FORMAT) {
    throw fail.model_invalid(`The prepared model's format is "${shown(document?.format)}".`)
  }
  const ready = preparer(document.preparation)
  const behind = predictorBehind(document.preparation, document.model)
  return {
    task: behind.task,
    marginUnit: behind.marginUnit,
    columns: ready.columns,
    features: ready.features,
    sources: ready.sources,
    outputs: behind.outputs,
    predict: (table, rows) => behind.predict(ready.apply(table, rows)),
    margins: (table, rows) => behind.margins(ready.apply(table, rows)),
    explain(table, row, output) {
      return behind.explain(readRow(ready.apply(table, Uint32Array.of(row)), 0), output)
    },
  }
}

/** What a model says of features that its fitted preparation made. */
export interface PredictorBehind {
  readonly task: Task
  readonly marginUnit: MarginUnit
  readonly outputs: readonly string[]
  predict(x: Matrix): Float64Array
  margins(x: Matrix): Float64Array
  explain(row: Float64Array, output?: number): Explanation
}

/** Joins a model to its preparation. Throws `model_invalid` where they do not belong together. */
export function predictorBehind(fitted: FittedPreparation, model: TrainedModel): PredictorBehind {
  const scorer = predictor(model)
  if (!sameList(fitted.features, scorer.features)) {
    throw fail.model_invalid('The model takes other features than the preparation makes.')
  }
  if (scorer.task !== fitted.task) {
    throw fail.model_invalid(`The model is ${scorer.task}, the preparation ${fitted.task}.`)
  }
  if (fitted.classes !== undefined && !sameList(fitted.classes, scorer.outputs)) {
    throw fail.model_invalid('The model tells other classes apart than the preparation.')
  }
  const { corrections } = fitted.balance
  const corrected = corrections.some((correction) => correction !== 0)
  const added = (output: number) => {
    if (corrected && scorer.marginUnit === 'probability') {
      throw fail.explanation_unavailable(
        'The margin of a forest is a share of its trees; what balancing the classes did to the odds ' +
          'cannot be taken back from it. Ask for predictions, or balance nothing.',
      )
    }
    // A binary model's one output is its second class.
    return (fitted.task === 'binary' ? corrections[1] : corrections[output]) ?? 0
  }
  return {
    task: scorer.task,
    marginUnit: scorer.marginUnit,
    outputs: scorer.outputs,
    predict(x) {
      const outputs = scorer.predictMatrix(x)
      return corrected ? correctOdds(outputs, corrections, fitted.task) : outputs
    },
    margins(x) {
      const row = new Float64Array(fitted.features.length)
      return Float64Array.from({ length: x.rows }, (_, i) => {
        return scorer.margin(readRow(x, i, row)) + added(0)
      })
    },
    explain(row, output = 0) {
      const { base, values } = scorer.explain(row, output)
      return { base: base + added(output), values }
    },
  }
}

/**
 * Probabilities under other prior odds of the classes (Saerens, Latinne and Decaestecker 2002):
 * one a row of a binary task, else one a class.
 */
function correctOdds(
  probabilities: Float64Array,
  corrections: readonly number[],
  task: Task,
): Float64Array {
  const factors = corrections.map((correction) => exp(correction))
  if (task === 'binary') {
    return probabilities.map((p) => (p * factors[1]) / (p * factors[1] + (1 - p)))
  }
  const width = factors.length
  for (let at = 0; at < probabilities.length; at += width) {
    let total = 0
    for (let k = 0; k < width; k++) {
      probabilities[at + k] *= factors[k]
      total += probabilities[at + k]
    }
    for (let k = 0; k < width; k++) probabilities[at + k] /= total
  }
  return probabilities
}
