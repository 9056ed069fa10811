/**
 * What models answer, in the form that clients of the field know from scikit-learn: `predict` and
 * `predict_proba`.
 */
import { nearestCluster, type Task } from '../../learning/index.ts'
import { servingErrors } from '../errors.ts'
import type { TensorSpec } from './signature.ts'
import type { NumberTensor, Tensor } from './tensor.ts'

export interface Answers {
  readonly specs: readonly TensorSpec[]
  /** Takes one number a row and output, row after row, as a `Predictor` gives them. */
  of(values: Float64Array, rows: number): readonly Tensor[]
}

/**
 * By task: binary → `predict` (INT64, 1 where the probability is at least one half) and
 * `predict_proba` (no, yes); multi-class → `predict` (BYTES, the likeliest class) and
 * `predict_proba`, one column a class; regression → `predict`, as many columns as it has values;
 * clusters → `predict` (INT64) and `distances`; anomaly → `score`, higher being stranger.
 */
export function answersOf(task: Task, outputs: readonly string[]): Answers {
  const width = outputs.length
  switch (task) {
    case 'binary':
      return {
        specs: [spec('predict', 'INT64', []), spec('predict_proba', 'FP64', [2])],
        of: binaryAnswers,
      }
    case 'multiclass':
      return {
        specs: [spec('predict', 'BYTES', []), spec('predict_proba', 'FP64', [width])],
        of: (values, rows) => [
          {
            name: 'predict',
            datatype: 'BYTES',
            shape: [rows],
            data: Array.from({ length: rows }, (_, row) => outputs[greatest(values, row, width)]),
          },
          numbers('predict_proba', 'FP64', [rows, width], values),
        ],
      }
    case 'clusters':
      return {
        specs: [spec('predict', 'INT64', []), spec('distances', 'FP64', [width])],
        of: (values, rows) => [
          numbers('predict', 'INT64', [rows], nearest(values, rows, width)),
          numbers('distances', 'FP64', [rows, width], values),
        ],
      }
    case 'regression':
    case 'anomaly': {
      const name = task === 'anomaly' ? 'score' : 'predict'
      const more = width === 1 ? [] : [width]
      return {
        specs: [spec(name, 'FP64', more)],
        of: (values, rows) => [numbers(name, 'FP64', [rows, ...more], values)],
      }
    }
  }
}

function spec(name: string, datatype: TensorSpec['datatype'], more: readonly number[]): TensorSpec {
  return { name, datatype, shape: [-1, ...more] }
}

function numbers(
  name: string,
  datatype: NumberTensor['datatype'],
  shape: readonly number[],
  data: Float64Array,
): NumberTensor {
  return { name, datatype, shape, data }
}

function binaryAnswers(values: Float64Array, rows: number): readonly Tensor[] {
  const classes = new Float64Array(rows)
  const both = new Float64Array(2 * rows)
  for (let row = 0; row < rows; row++) {
    const yes = values[row]
    classes[row] = yes >= 0.5 ? 1 : 0
    both[2 * row] = 1 - yes
    both[2 * row + 1] = yes
  }
  return [
    numbers('predict', 'INT64', [rows], classes),
    numbers('predict_proba', 'FP64', [rows, 2], both),
  ]
}

/**
 * What a model has no number for must not be told as a class, which NaN makes one of as well. Error:
 * `inference_failed`.
 */
export function refuseNaN(answers: readonly Tensor[]): readonly Tensor[] {
  for (const { name, shape, data } of answers) {
    if (name !== 'predict_proba' && name !== 'distances') continue
    const place = (data as readonly unknown[] | Float64Array).findIndex(Number.isNaN)
    if (place < 0) continue
    const row = Math.floor(place / (shape[1] ?? 1))
    throw servingErrors.inference_failed(
      `The model has no number for row ${row}: its inputs are too large, infinite or missing.`,
    )
  }
  return answers
}

/** Which of a row's outputs is the greatest; of equal ones the first. */
export function greatest(values: Float64Array, row: number, width: number): number {
  let best = 0
  for (let k = 1; k < width; k++) {
    if (values[row * width + k] > values[row * width + best]) best = k
  }
  return best
}

function nearest(values: Float64Array, rows: number, width: number): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) =>
    nearestCluster(values.subarray(row * width, (row + 1) * width)),
  )
}
