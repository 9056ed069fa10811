/** Learning from data: the checks that every estimator relies on, then the estimator. */
import type { Matrix } from '../lib/matrix.ts'
import { fail } from './errors.ts'
import { type Estimator, estimators } from './estimator.ts'
import type { FitOptions, LearnerSpec, TrainedModel, TrainingData } from './model.ts'

/**
 * Trains a model. The same spec, data and seed give the same model, byte for byte.
 *
 * Features may be missing (NaN) but not infinite; labels are 0 or 1, and both occur; weights are
 * positive. Throws `training_data_invalid` or `training_one_class` otherwise.
 */
export function fit(spec: LearnerSpec, data: TrainingData, options: FitOptions): TrainedModel {
  const estimator = estimators[spec.kind] as Estimator<LearnerSpec['kind']> | undefined
  if (estimator === undefined) {
    throw fail.learner_invalid(
      `There is no learner of the kind "${String((spec as { kind: unknown }).kind)}".`,
    )
  }
  checkFeatures(data.x)
  checkLabels(data.y, data.x.rows, 'training')
  if (!data.y.includes(0) || !data.y.includes(1)) {
    const only = data.y[0] === 1 ? 'positive' : 'negative'
    throw fail.training_one_class(`All ${data.y.length} training rows are ${only}.`)
  }
  if (data.weights !== undefined) checkWeights(data.weights, data.x.rows)
  if (data.validation !== undefined) checkValidation(data.validation, data.x.names)
  return estimator.fit(spec, data, options)
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

function checkLabels(y: Float64Array, rows: number, which: string): void {
  if (y.length !== rows) {
    throw fail.training_data_invalid(`There are ${y.length} labels for ${rows} ${which} rows.`)
  }
  for (let row = 0; row < y.length; row++) {
    if (y[row] !== 0 && y[row] !== 1) {
      throw fail.training_data_invalid(
        `The label of ${which} row ${row} is ${y[row]}; it must be 0 or 1.`,
      )
    }
  }
}

function checkWeights(weights: Float64Array, rows: number): void {
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
  validation: NonNullable<TrainingData['validation']>,
  names: readonly string[],
): void {
  checkFeatures(validation.x)
  checkLabels(validation.y, validation.x.rows, 'validation')
  if (names.some((name, index) => validation.x.names[index] !== name)) {
    throw fail.training_data_invalid('The validation rows have other features than the training.')
  }
  if (!validation.y.includes(0) || !validation.y.includes(1)) {
    throw fail.training_one_class('The validation rows hold only one class.')
  }
}
