/**
 * Calibration: margins in, probabilities that occur as often as they say out.
 *
 * A calibration is plain JSON and never ranks two rows the other way round. It must be learnt from
 * rows that the model has not learnt from: `crossCalibrate`, or rows held out.
 */
import { sigmoid, softmax } from '../../lib/math.ts'
import { shown } from '../../lib/shown.ts'
import { fail } from '../errors.ts'
import { applyIsotonic, fitIsotonic } from './isotonic.ts'
import { fitPlatt } from './platt.ts'
import { fitTemperature } from './temperature.ts'

export type Calibration =
  /** Any non-decreasing curve; wants a thousand rows or more. Binary. */
  | {
      readonly kind: 'isotonic'
      readonly inputs: readonly number[]
      readonly outputs: readonly number[]
    }
  /** A logistic curve; few rows will do. Binary. */
  | { readonly kind: 'platt'; readonly slope: number; readonly intercept: number }
  /** Margins divided by one number, which leaves the likeliest class as it is. */
  | { readonly kind: 'temperature'; readonly temperature: number }

export type CalibrationKind = Calibration['kind']

export type MarginsToCalibrate = {
  /** One a row; of several classes, one a class, row after row. */
  readonly margins: Float64Array
  /** 0 or 1; of several classes, the index of the class. */
  readonly y: Float64Array
  /** Positive; 1 each if absent. */
  readonly weights?: Float64Array
  /** How many classes the margins are of; absent: binary, one margin a row. */
  readonly classes?: number
}

/**
 * Learns a calibration. Isotonic probabilities are kept within 1/(n + 2) of 0 and 1, n the rows: so
 * many rows cannot show more (Laplace), and a log loss stays finite. Throws
 * `training_data_invalid` for margins and labels that do not fit.
 */
export function calibrate(kind: CalibrationKind, data: MarginsToCalibrate): Calibration {
  const { margins, y, weights, classes } = data
  check(data)
  if (classes !== undefined && kind !== 'temperature') {
    throw fail.learner_invalid(`Several classes are calibrated by temperature, not by "${kind}".`)
  }
  switch (kind) {
    case 'isotonic': {
      const { inputs, outputs } = fitIsotonic(margins, y, weights)
      const least = 1 / (y.length + 2)
      const within = (share: number) => Math.min(1 - least, Math.max(least, share))
      return { kind, inputs, outputs: outputs.map(within) }
    }
    case 'platt':
      return { kind, ...fitPlatt(margins, y, weights) }
    case 'temperature':
      return { kind, temperature: fitTemperature(margins, classes ?? 1, y, weights) }
    default:
      throw fail.learner_invalid(`There is no calibration of the kind "${shown(kind)}".`)
  }
}

/** The probability that a binary calibration gives to a margin. */
export function applyCalibration(calibration: Calibration, margin: number): number {
  switch (calibration.kind) {
    case 'isotonic':
      return applyIsotonic(calibration, margin)
    case 'platt':
      return sigmoid(calibration.slope * margin + calibration.intercept)
    case 'temperature':
      return sigmoid(margin / calibration.temperature)
  }
}

/** Turns margins into calibrated probabilities, in place; more than one are those of classes. */
export function activateCalibrated(calibration: Calibration, margins: Float64Array): void {
  if (margins.length === 1) {
    margins[0] = applyCalibration(calibration, margins[0])
    return
  }
  const temperature = calibration.kind === 'temperature' ? calibration.temperature : 1
  for (let k = 0; k < margins.length; k++) margins[k] /= temperature
  softmax(margins)
}

/** Throws `model_invalid` for a calibration that `calibrate` cannot have made. */
export function checkCalibration(calibration: Calibration, outputs: number): void {
  const refuse = () => fail.model_invalid('The calibration of the model is damaged.')
  if (typeof calibration !== 'object' || calibration === null) throw refuse()
  if (outputs > 1 && calibration.kind !== 'temperature') throw refuse()
  switch (calibration.kind) {
    case 'isotonic': {
      const lists = [calibration.inputs, calibration.outputs]
      const whole = lists.every((list) => Array.isArray(list) && list.every(Number.isFinite))
      if (!whole || lists[0].length === 0 || lists[0].length !== lists[1].length) throw refuse()
      const [inputs, shares] = lists
      if (inputs.some((input, i) => i > 0 && input <= inputs[i - 1])) throw refuse()
      if (shares.some((share, i) => share < (i > 0 ? shares[i - 1] : 0) || share > 1))
        throw refuse()
      return
    }
    case 'platt': {
      const { slope, intercept } = calibration
      if (!(Number.isFinite(slope) && slope >= 0 && Number.isFinite(intercept))) throw refuse()
      return
    }
    case 'temperature': {
      const { temperature } = calibration
      if (!(Number.isFinite(temperature) && temperature > 0)) throw refuse()
      return
    }
    default:
      throw refuse()
  }
}

function check({ margins, y, weights, classes }: MarginsToCalibrate): void {
  const wanted = y.length * (classes ?? 1)
  if (margins.length !== wanted || (weights !== undefined && weights.length !== y.length)) {
    throw fail.training_data_invalid(
      `There are ${margins.length} margins and ${weights?.length ?? y.length} weights for ` +
        `${y.length} labels.`,
    )
  }
  const bad = margins.findIndex((margin) => !Number.isFinite(margin))
  if (bad >= 0) throw fail.training_data_invalid(`Margin ${bad} is ${margins[bad]}.`)
  const label = y.findIndex((of) => !(Number.isInteger(of) && of >= 0 && of < (classes ?? 2)))
  if (label >= 0) throw fail.training_data_invalid(`The label of row ${label} is ${y[label]}.`)
  if (y.every((of) => of === y[0])) {
    throw fail.training_one_class('The rows to calibrate on hold one class only, or none.')
  }
}
