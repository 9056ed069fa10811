/** What the operators of ai.onnx.ml that hold a model have in common. */
import type { ImportedModel } from '../../learning/index.ts'
import { fail } from './errors.ts'
import type { OnnxNode } from './onnx-file.ts'

type WithoutHead<Model> = Model extends ImportedModel
  ? Omit<Model, 'format' | 'features' | 'source' | 'steps' | 'arithmetic'>
  : never

/** A model as its operator says it; the graph around it gives the rest. */
export type OperatorModel = WithoutHead<ImportedModel>

/** The numbers of an attribute, or of the tensor that stands in for it; empty where absent. */
export function numbersOf(node: OnnxNode, name: string): number[] {
  const tensor = node.attributes.get(`${name}_as_tensor`)?.tensor
  if (tensor !== undefined) {
    throw fail.model_file_unsupported(`The attribute ${name} is a tensor of doubles.`)
  }
  return node.attributes.get(name)?.numbers ?? []
}

export function labelsOf(node: OnnxNode): string[] {
  const texts = ['classlabels_strings', 'classlabels_strings_']
    .map((name) => node.attributes.get(name)?.texts ?? [])
    .find((list) => list.length > 0)
  const numbers = ['classlabels_int64s', 'classlabels_ints']
    .map((name) => numbersOf(node, name))
    .find((list) => list.length > 0)
  const labels = texts ?? (numbers ?? []).map(String)
  if (labels.length < 2 || new Set(labels).size !== labels.length) {
    throw fail.model_file_unreadable(`The classifier has ${new Set(labels).size} classes.`)
  }
  return labels
}

export function postTransform(node: OnnxNode): string {
  return (node.attributes.get('post_transform')?.text ?? 'NONE').slice(0, 20)
}
