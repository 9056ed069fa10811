/**
 * A learner whose probabilities are calibrated out of fold: the inner learner is trained on each
 * fold's training rows, the calibration on the margins of its test rows, and the model that is
 * kept on all rows.
 */
import { type Matrix, readRow, selectRows, selectValues } from '../../lib/matrix.ts'
import { fail } from '../errors.ts'
import {
  type Estimator,
  estimatorOf,
  type Scorer,
  type ScorerOptions,
  taskOf,
} from '../estimator.ts'
import { fit } from '../fit.ts'
import {
  type CheckedData,
  type FitOptions,
  type LearnerSpec,
  MODEL_FORMAT,
  type TrainedModel,
  type TrainingData,
} from '../model.ts'
import { predictor } from '../predictor.ts'
import { type Fold, foldsOf } from '../splits/folds.ts'
import {
  activateCalibrated,
  calibrate,
  type Calibration,
  type CalibrationKind,
  checkCalibration,
} from './calibration.ts'
import type { CalibratedModel, CalibratedSpec } from './model.ts'

/**
 * As far as the inner learner can; categories are to be encoded, as not every one parts them. A
 * function, because this module uses the table of estimators in which it stands.
 */
export function calibratedEstimator(): Estimator<'calibrated'> {
  return {
    capabilities: {
      tasks: ['binary', 'multiclass'],
      missing: true,
      categorical: false,
      weights: true,
      earlyStopping: true,
      explains: true,
      threads: true,
    },
    task: ({ params }) => taskOf(params.learner),
    fit: fitCalibrated,
    scorer: calibratedScorer,
  }
}

/**
 * A calibration of the learner's models, learnt from margins out of fold: each fold's test rows
 * are scored by a model of its training rows. Folds by time or by group keep the calibration as
 * honest as such splits keep an evaluation. Throws what `fit` and `calibrate` throw.
 */
export function crossCalibrate(
  method: CalibrationKind,
  learner: LearnerSpec,
  data: TrainingData & { readonly y: Float64Array },
  folds: readonly Pick<Fold, 'train' | 'test'>[],
  options: FitOptions,
): Calibration {
  const margins: number[] = []
  const rows: number[] = []
  const task = taskOf(learner)
  for (const { train, test } of folds) {
    const { onProgress: _, ...quiet } = options
    const model = fit(learner, selectData(data, train), quiet)
    marginsOf(model, selectRows(data.x, test)).forEach((margin) => margins.push(margin))
    test.forEach((row) => rows.push(row))
  }
  return calibrate(method, {
    margins: Float64Array.from(margins),
    y: selectValues(data.y, rows),
    ...(data.weights && { weights: selectValues(data.weights, rows) }),
    ...(task === 'multiclass' && { classes: data.classes?.length ?? 0 }),
  })
}

/** A model whose outputs are calibrated; the calibration must stem from rows it has not learnt. */
export function calibratedModel(model: TrainedModel, calibration: Calibration): CalibratedModel {
  const { outputs } = predictor(model)
  checkCalibration(calibration, outputs.length)
  return {
    format: MODEL_FORMAT,
    kind: 'calibrated',
    features: model.features,
    seed: model.seed,
    training: model.training,
    model,
    calibration,
  }
}

function fitCalibrated(
  { params }: CalibratedSpec,
  data: CheckedData,
  options: FitOptions,
): CalibratedModel {
  const { method, learner } = params
  if (learner.kind === 'calibrated') {
    throw fail.learner_invalid('A calibrated learner is not calibrated again.')
  }
  const task = taskOf(learner)
  if (task !== 'binary' && !(task === 'multiclass' && method === 'temperature')) {
    throw fail.learner_invalid(`A ${task} learner is not calibrated by "${method}".`)
  }
  const { groups, y } = data
  const folds = Math.min(params.folds, leastOfClass(y, groups))
  if (folds < 2) {
    const what = groups === undefined ? 'rows' : 'groups with rows'
    throw fail.training_data_invalid(`Calibrating out of fold takes two ${what} of each class.`)
  }
  const plan = {
    kind: 'k-fold',
    folds,
    seed: options.seed,
    stratified: true,
    grouped: groups !== undefined,
  } as const
  const parts = foldsOf(plan, { count: data.x.rows, classes: y, ...(groups && { groups }) })
  const calibration = crossCalibrate(method, learner, data, parts, options)
  return calibratedModel(fit(learner, data, options), calibration)
}

function calibratedScorer(
  { model, calibration, features }: CalibratedModel,
  options: ScorerOptions,
): Scorer {
  // Models within models without end would exhaust the stack.
  if (model?.kind === 'calibrated') throw fail.model_invalid('The inner model is calibrated too.')
  const { features: inner } = predictor(model)
  if (inner.length !== features.length || inner.some((name, j) => features[j] !== name)) {
    throw fail.model_invalid('The model and its inner model list different features.')
  }
  const scorer = estimatorOf(model.kind).scorer(model, options)
  if (scorer.task !== 'binary' && scorer.task !== 'multiclass') {
    throw fail.model_invalid(`A ${scorer.task} model has no probabilities to calibrate.`)
  }
  checkCalibration(calibration, scorer.outputs.length)
  return { ...scorer, activate: (margins) => activateCalibrated(calibration, margins) }
}

/** The margins of all rows, row after row; the columns in the model's order. */
function marginsOf(model: TrainedModel, x: Matrix): Float64Array {
  const scorer = estimatorOf(model.kind).scorer(model, { lasting: false })
  const width = scorer.outputs.length
  const row = new Float64Array(x.names.length)
  const margins = new Float64Array(x.rows * width)
  for (let i = 0; i < x.rows; i++) {
    scorer.margins(readRow(x, i, row), margins.subarray(i * width, (i + 1) * width))
  }
  return margins
}

function selectData(data: TrainingData & { readonly y: Float64Array }, rows: Uint32Array) {
  return {
    ...data,
    x: selectRows(data.x, rows),
    y: selectValues(data.y, rows),
    ...(data.weights && { weights: selectValues(data.weights, rows) }),
    ...(data.groups && { groups: Array.from(rows, (row) => data.groups![row]) }),
  }
}

/** How many rows, or groups with such rows, the class has that has fewest. */
function leastOfClass(y: Float64Array, groups: TrainingData['groups']): number {
  const members = new Map<number, Set<number | string>>()
  for (const [row, label] of y.entries()) {
    const known = members.get(label) ?? new Set()
    members.set(label, known.add(groups === undefined ? row : groups[row]))
  }
  return Math.min(...Array.from(members.values(), ({ size }) => size))
}
