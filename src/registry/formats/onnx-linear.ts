/** The operators LinearClassifier and LinearRegressor (ai.onnx.ml) as linear maps. */
import type { Activation } from '../../learning/index.ts'
import { fail } from './errors.ts'
import { labelsOf, numbersOf, type OperatorModel, postTransform } from './onnx-operator.ts'
import type { OnnxNode } from './onnx-file.ts'

export function readLinearRegressor(node: OnnxNode, features: number): OperatorModel {
  const targets = node.attributes.get('targets')?.number ?? 1
  if (postTransform(node) !== 'NONE') {
    throw fail.model_file_unsupported(`A regression transforms by ${postTransform(node)}.`)
  }
  return {
    kind: 'linear-map',
    task: 'regression',
    outputs: targets === 1 ? ['value'] : Array.from({ length: targets }, (_, k) => `value_${k}`),
    activation: { kind: 'identity' },
    skipsMissing: false,
    ...rowsOf(node, features, targets),
  }
}

export function readLinearClassifier(node: OnnxNode, features: number): OperatorModel {
  const labels = labelsOf(node)
  const post = postTransform(node)
  const given = Math.max(1, Math.round(numbersOf(node, 'coefficients').length / features))
  const { intercepts, coefficients } = rowsOf(node, features, given)
  const linear = { kind: 'linear-map', skipsMissing: false } as const
  // Two classes: the second one's margin, which is the first one's with the other sign.
  if (labels.length === 2 && given <= 2 && post === 'LOGISTIC') {
    return {
      ...linear,
      task: 'binary',
      outputs: ['score'],
      activation: { kind: 'sigmoid', slope: 1 },
      intercepts: [intercepts[given - 1]],
      coefficients: [coefficients[given - 1]],
    }
  }
  if (given !== labels.length) {
    throw fail.model_file_unsupported(`${given} margins tell ${labels.length} classes by ${post}.`)
  }
  return {
    ...linear,
    task: 'multiclass',
    outputs: labels,
    activation: activationOf(post),
    intercepts,
    coefficients,
  }
}

function activationOf(post: string): Activation {
  if (post === 'SOFTMAX') return { kind: 'softmax' }
  if (post === 'LOGISTIC') return { kind: 'sigmoid', slope: 1 }
  throw fail.model_file_unsupported(`The classifier's transformation ${post} gives no chances.`)
}

function rowsOf(
  node: OnnxNode,
  features: number,
  rows: number,
): { intercepts: number[]; coefficients: number[][] } {
  const coefficients = numbersOf(node, 'coefficients')
  const given = numbersOf(node, 'intercepts')
  const intercepts = given.length === 0 ? new Array<number>(rows).fill(0) : given
  if (!(rows >= 1) || coefficients.length !== rows * features || intercepts.length !== rows) {
    throw fail.model_file_unreadable(
      `There are ${coefficients.length} coefficients and ${intercepts.length} intercepts for ${features} features and ${rows} margins.`,
    )
  }
  return {
    intercepts,
    coefficients: intercepts.map((_, row) =>
      coefficients.slice(row * features, (row + 1) * features),
    ),
  }
}
