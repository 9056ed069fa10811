/** Learning from data: the checks that every estimator relies on, then the estimator. */
import type { Matrix } from '../lib/matrix.ts'
import { fail } from './errors.ts'
import { estimatorOf } from './estimator.ts'
import type { FitOptions, LearnerSpec, Task, TrainedModel, TrainingData } from './model.ts'

/** Codes of categories lie below this. */
const CODE_MAX = 2 ** 31

/**
 * Trains a model. The same spec, data and seed give the same model, byte for byte.
 *
 * Features may be missing (NaN) but not infinite; labels fit the learner's task, and more than one
 * class occurs; weights are positive; codes of categories are whole numbers from 0. Throws
 * `training_data_invalid`, `training_one_class` or `learner_invalid` otherwise.
 */
export function fit(spec: LearnerSpec, data: TrainingData, options: FitOptions): TrainedModel {
  const estimator = estimatorOf(spec.kind)
  const task = estimator.task(spec)
  checkFeatures(data.x)
  checkCategories(data)
  const y = labelsOf(task, data)
  if (data.weights !== undefined) {
    if (!estimator.capabilities.weights) {
      throw fail.training_data_invalid(`A learner of the kind "${spec.kind}" takes no weights.`)
    }
    checkWeights(data.weights, data.x.rows)
  }
  if (data.groups !== undefined && data.groups.length !== data.x.rows) {
    throw fail.training_data_invalid(
      `There are ${data.groups.length} groups for ${data.x.rows} rows.`,
    )
  }
  if (data.validation !== undefined) checkValidation(task, data, data.validation)
  return estimator.fit(spec, { ...data, y }, options)
}

/** The labels of a task, checked; none where it takes none. */
function labelsOf(task: Task, data: TrainingData): Float64Array {
  if (task === 'anomaly' || task === 'clusters') {
    if (data.x.rows === 0) throw fail.training_data_invalid('There are no rows.')
    return new Float64Array(0)
  }
  if (data.y === undefined) throw fail.training_data_invalid('There are no labels.')
  checkLabels(task, data.y, data, 'training', data.x.rows)
  return data.y
}

function checkFeatures(x: Matrix): void {
  if (x.names.length === 0) throw fail.training_data_invalid('There are no features.')
  if (x.columns.length !== x.names.length) {
    throw fail.training_data_invalid(
      `There are ${x.names.length} feature names for ${x.columns.length} columns.`,
    )
  }
  if (new Set(x.names).size !== x.names.length) {
    const twice = x.names.find((name, index) => x.names.indexOf(name) !== index)
    throw fail.training_data_invalid(`The feature "${twice}" occurs twice.`)
  }
  x.columns.forEach((column, index) => {
    const name = x.names[index]
    if (column.length !== x.rows) {
      throw fail.training_data_invalid(
        `The feature "${name}" has ${column.length} values for ${x.rows} rows.`,
      )
    }
    for (let row = 0; row < column.length; row++) {
      if (column[row] === Infinity || column[row] === -Infinity) {
        throw fail.training_data_invalid(`The feature "${name}" is infinite in row ${row}.`)
      }
    }
  })
}

function checkCategories({ x, categorical = [] }: TrainingData): void {
  for (const name of categorical) {
    const column = x.columns[x.names.indexOf(name)]
    if (column === undefined) {
      throw fail.training_data_invalid(`There is no feature "${name}" to hold categories.`)
    }
    const row = column.findIndex(
      (code) => code === code && !(Number.isInteger(code) && code >= 0 && code < CODE_MAX),
    )
    if (row < 0) continue
    throw fail.training_data_invalid(
      `The category of "${name}" in row ${row} is ${column[row]}; codes are whole numbers from 0.`,
    )
  }
}

/** Throws for labels that are none of the task's, or of one class only. */
export function checkLabels(
  task: Task,
  y: Float64Array,
  { classes = [] }: { readonly classes?: readonly string[] | undefined },
  which: 'training' | 'validation',
  rows: number,
): void {
  if (y.length !== rows) {
    throw fail.training_data_invalid(`There are ${y.length} labels for ${rows} ${which} rows.`)
  }
  if (rows === 0) throw fail.training_data_invalid(`There are no ${which} rows.`)
  if (task === 'multiclass' && (classes.length < 2 || new Set(classes).size < classes.length)) {
    throw fail.training_data_invalid('A multi-class task names at least two different classes.')
  }
  const fits = {
    binary: (label: number) => label === 0 || label === 1,
    multiclass: (label: number) => Number.isInteger(label) && label >= 0 && label < classes.length,
    regression: Number.isFinite,
    anomaly: () => true,
    clusters: () => true,
  }[task]
  const wanted = {
    binary: '0 or 1',
    multiclass: `the index of one of ${classes.length} classes`,
    regression: 'a finite number',
    anomaly: '',
    clusters: '',
  }[task]
  const row = y.findIndex((label) => !fits(label))
  if (row >= 0) {
    throw fail.training_data_invalid(
      `The label of ${which} row ${row} is ${y[row]}; it must be ${wanted}.`,
    )
  }
  if (task === 'regression' || y.some((label) => label !== y[0])) return
  if (task === 'binary') {
    const only = y[0] === 1 ? 'positive' : 'negative'
    throw fail.training_one_class(`All ${y.length} ${which} rows are ${only}.`)
  }
  throw fail.training_one_class(`All ${y.length} ${which} rows are "${classes[y[0]]}".`)
}

/** Throws for weights that are not one positive number a row. */
export function checkWeights(weights: Float64Array, rows: number): void {
  if (weights.length !== rows) {
    throw fail.training_data_invalid(`There are ${weights.length} weights for ${rows} rows.`)
  }
  for (let row = 0; row < rows; row++) {
    if (!(weights[row] > 0 && weights[row] < Infinity)) {
      throw fail.training_data_invalid(
        `The weight of row ${row} is ${weights[row]}; it must be positive.`,
      )
    }
  }
}

function checkValidation(
  task: Task,
  data: TrainingData,
  validation: NonNullable<TrainingData['validation']>,
): void {
  const { x, y } = validation
  checkFeatures(x)
  if (data.x.names.some((name, index) => x.names[index] !== name)) {
    throw fail.training_data_invalid('The validation rows have other features than the training.')
  }
  checkLabels(task, y, data, 'validation', x.rows)
}
