/** Margins to outputs, in place. Recorded values, so every function comes from lib/math. */
import { exp, sigmoid, softmax, softplus } from '../../lib/math.ts'
import { shown } from '../../lib/shown.ts'
import { fail } from '../errors.ts'
import type { Activation } from './model.ts'

/** Throws `model_invalid` for an activation that is not known. */
export function createActivation(activation: Activation): (margins: Float64Array) => void {
  switch (activation?.kind) {
    case 'identity':
      return () => {}
    case 'sigmoid': {
      const { slope } = activation
      if (!Number.isFinite(slope)) throw fail.model_invalid('The slope of the sigmoid is missing.')
      return each((margin) => sigmoid(slope * margin))
    }
    case 'sigmoid-share': {
      const chances = each(sigmoid)
      return (margins) => {
        chances(margins)
        divide(margins, total(margins))
      }
    }
    case 'softmax':
      return softmax
    case 'share':
      return (margins) => divide(margins, total(margins))
    case 'exp':
      return each(exp)
    case 'softplus':
      return each(softplus)
    case 'signed-square':
      return each((margin) => (margin < 0 ? -margin * margin : margin * margin))
    default:
      throw fail.model_invalid(
        `The activation "${shown((activation as { kind?: unknown } | undefined)?.kind)}" is not known.`,
      )
  }
}

function each(map: (margin: number) => number): (margins: Float64Array) => void {
  return (margins) => {
    for (let i = 0; i < margins.length; i++) margins[i] = map(margins[i])
  }
}

function total(values: Float64Array): number {
  let sum = 0
  for (const value of values) sum += value
  return sum
}

function divide(values: Float64Array, by: number): void {
  for (let i = 0; i < values.length; i++) values[i] /= by
}
