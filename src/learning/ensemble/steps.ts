/** What is done to a row before a model from elsewhere sees it. */
import { fail } from '../errors.ts'
import type { Step } from './model.ts'

/** Changes a row in place. */
export type Preparation = (row: Float64Array) => void

const round32 = Math.fround
const keep = (x: number) => x

/**
 * The steps as one function. In float32 every operation is rounded, as ONNX does it. Throws
 * `model_invalid` where a step has not one finite number a feature.
 */
export function createPreparation(
  steps: readonly Step[],
  features: number,
  arithmetic: 'float32' | 'float64',
): Preparation {
  if (!Array.isArray(steps) || steps.length > 16) {
    throw fail.model_invalid('The steps before the model are not a list of at most 16.')
  }
  const round = arithmetic === 'float32' ? round32 : keep
  const all = steps.map((step, index) => createStep(step, index, features, round))
  return (row) => {
    for (const step of all) step(row)
  }
}

function createStep(
  step: Step,
  index: number,
  features: number,
  round: (x: number) => number,
): Preparation {
  switch (step?.kind) {
    case 'impute': {
      const values = numbersOf(step.values, index, features)
      const { missing } = step
      if (missing === undefined) {
        return (row) => {
          for (let j = 0; j < row.length; j++) if (row[j] !== row[j]) row[j] = values[j]
        }
      }
      return (row) => {
        for (let j = 0; j < row.length; j++) if (row[j] === missing) row[j] = values[j]
      }
    }
    case 'scale': {
      const offsets = numbersOf(step.offsets, index, features)
      const scales = numbersOf(step.scales, index, features)
      return (row) => {
        for (let j = 0; j < row.length; j++) {
          row[j] = round(round(row[j] - offsets[j]) * scales[j])
        }
      }
    }
    case 'normalize':
      return createNormalization(step.norm, index, round)
    default:
      throw fail.model_invalid(`Step ${index} before the model is of no known kind.`)
  }
}

function createNormalization(
  norm: 'l1' | 'l2',
  index: number,
  round: (x: number) => number,
): Preparation {
  if (norm !== 'l1' && norm !== 'l2') {
    throw fail.model_invalid(`Step ${index} before the model normalises by no known norm.`)
  }
  return (row) => {
    let size = 0
    for (const x of row) {
      size = round(size + (norm === 'l1' ? Math.abs(x) : round(x * x)))
    }
    if (norm === 'l2') size = round(Math.sqrt(size))
    if (size === 0) return
    for (let j = 0; j < row.length; j++) row[j] = round(row[j] / size)
  }
}

function numbersOf(list: readonly number[], index: number, features: number): Float64Array {
  if (!Array.isArray(list) || list.length !== features || !list.every(Number.isFinite)) {
    throw fail.model_invalid(
      `Step ${index} before the model has not one finite number for each of ${features} features.`,
    )
  }
  return Float64Array.from(list)
}
