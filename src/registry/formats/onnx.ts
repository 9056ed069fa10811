/**
 * ONNX graphs that our engine computes: one table of numbers in, simple steps (Imputer, Scaler,
 * Normalizer, Cast, Mul, Add, Sub), an ensemble of trees or a linear model, and what exporters put
 * behind it (ZipMap, a cast of the label). Everything else is for ONNX Runtime.
 */
import {
  type Activation,
  type ImportedModel,
  MODEL_FORMAT,
  type Step,
} from '../../learning/index.ts'
import { parseStrictJson } from '../../lib/canonical-json.ts'
import { fail } from './errors.ts'
import { dataType, noteNames, type OnnxFile, type OnnxNode, readOnnxFile } from './onnx-file.ts'
import { readLinearClassifier, readLinearRegressor } from './onnx-linear.ts'
import { labelsOf, numbersOf, type OperatorModel } from './onnx-operator.ts'
import { readTreeClassifier, readTreeRegressor } from './onnx-trees.ts'

export type OnnxOptions = {
  /** Names of the columns of the table, which ONNX does not name; absent: f0, f1, … */
  readonly features?: readonly string[]
}

const FEATURES_MAX = 1_000_000
const NODES_MAX = 64

/** Throws `model_file_unreadable` or `model_file_unsupported`, which say what and where. */
export function readOnnx(bytes: Uint8Array, options: OnnxOptions = {}): ImportedModel {
  const file = readOnnxFile(bytes)
  const { name, features } = tableOf(file, options)
  if (file.nodes.length > NODES_MAX) {
    throw fail.model_file_unsupported(`The graph has ${file.nodes.length} operators.`)
  }
  const state: State = { flow: name, steps: [], labels: new Set() }
  for (const node of file.nodes) advance(node, state, file, features.length)
  const { model, operator } = state
  if (model === undefined) {
    throw fail.model_file_unsupported('The graph holds no ensemble of trees and no linear model.')
  }
  for (const output of file.outputs) {
    if (!state.labels.has(output.name) && !state.given?.has(output.name)) {
      throw fail.model_file_unsupported(`The graph also gives "${output.name.slice(0, 40)}".`)
    }
  }
  const head = {
    format: MODEL_FORMAT as typeof MODEL_FORMAT,
    features,
    source: { engine: 'onnx' as const, version: file.producer, objective: operator ?? '' },
    steps: state.steps,
    arithmetic: 'float32' as const,
  }
  const classes = noted(file, noteNames.classes)
  const outputs = model.task === 'multiclass' ? (classes ?? model.outputs) : model.outputs
  return { ...head, ...model, outputs }
}

/** How far the graph is understood. */
type State = {
  /** The value that flows from operator to operator. */
  flow: string
  readonly steps: Step[]
  model?: OperatorModel
  operator?: string
  /** Values that tell the class; they follow from the scores and are left out. */
  readonly labels: Set<string>
  /** Values that carry the model's outputs or margins. */
  given?: Set<string>
}

function tableOf(file: OnnxFile, options: OnnxOptions): { name: string; features: string[] } {
  const inputs = file.inputs.filter(({ name }) => !file.constants.has(name))
  const [input] = inputs
  if (inputs.length !== 1 || input.dims.length !== 2 || input.type !== dataType.float) {
    throw fail.model_file_unsupported(
      `The graph takes ${inputs.length} inputs; the engine takes one table of float32 numbers.`,
    )
  }
  const named = options.features ?? noted(file, noteNames.features)
  const count = input.dims[1] > 0 ? input.dims[1] : (named?.length ?? -1)
  if (!(count >= 1 && count <= FEATURES_MAX)) {
    throw fail.model_file_unsupported('The graph does not say how many columns its table has.')
  }
  const features = named ?? Array.from({ length: count }, (_, j) => `f${j}`)
  if (features.length !== count) {
    throw fail.model_file_unreadable(`${features.length} names are given for ${count} columns.`)
  }
  return { name: input.name, features: [...features] }
}

/** A list of names that our own writer noted; undefined where there is none. */
function noted(file: OnnxFile, name: string): string[] | undefined {
  const text = file.notes.get(name)
  if (text === undefined) return undefined
  const list = parseStrictJson(text, { maxDepth: 1, maxBytes: text.length })
  const sound = Array.isArray(list) && list.every((own) => typeof own === 'string')
  if (sound && new Set(list).size === list.length) return list
  throw fail.model_file_unreadable(`The note "${name}" is no list of different names.`)
}

function advance(node: OnnxNode, state: State, file: OnnxFile, features: number): void {
  const [output = ''] = node.outputs
  if (node.inputs.some((name) => state.labels.has(name))) {
    for (const name of node.outputs) state.labels.add(name)
    return
  }
  if (!node.inputs.includes(state.flow)) {
    throw fail.model_file_unsupported(
      `The operator ${node.op.slice(0, 40)} stands beside the flow.`,
    )
  }
  if (state.model !== undefined) return behind(node, state)
  const step = stepOf(node, state.flow, file, features)
  if (step !== undefined) {
    if (step !== 'nothing') state.steps.push(step)
    state.flow = output
    return
  }
  state.model = modelOf(node, features)
  state.operator = node.op
  const isClassifier = node.op.endsWith('Classifier')
  if (isClassifier) state.labels.add(output)
  state.flow = isClassifier ? (node.outputs[1] ?? '') : output
  state.given = new Set([state.flow])
}

function modelOf(node: OnnxNode, features: number): OperatorModel {
  switch (node.domain === 'ai.onnx.ml' ? node.op : '') {
    case 'TreeEnsembleClassifier':
      return readTreeClassifier(node)
    case 'TreeEnsembleRegressor':
      return readTreeRegressor(node)
    case 'LinearClassifier':
      return readLinearClassifier(node, features)
    case 'LinearRegressor':
      return readLinearRegressor(node, features)
    default:
      throw fail.model_file_unsupported(`The operator ${node.op.slice(0, 40)} is not one of ours.`)
  }
}

/** A step before the model; undefined where the operator is none. */
function stepOf(
  node: OnnxNode,
  flow: string,
  file: OnnxFile,
  features: number,
): Step | 'nothing' | undefined {
  const spread = (name: string, missing: number) =>
    spreadOver(numbersOf(node, name), features, missing)
  switch (`${node.domain}:${node.op}`) {
    case ':Identity':
      return 'nothing'
    case ':Cast':
      return node.attributes.get('to')?.number === dataType.float ? 'nothing' : undefined
    case 'ai.onnx.ml:Imputer': {
      const missing = node.attributes.get('replaced_value_float')?.number ?? 0
      const values = spread('imputed_value_floats', NaN)
      return { kind: 'impute', values, ...(missing === missing ? { missing } : {}) }
    }
    case 'ai.onnx.ml:Scaler':
      return { kind: 'scale', offsets: spread('offset', 0), scales: spread('scale', 1) }
    case 'ai.onnx.ml:Normalizer': {
      const norm = node.attributes.get('norm')?.text ?? 'MAX'
      if (norm === 'L1') return { kind: 'normalize', norm: 'l1' }
      return norm === 'L2' ? { kind: 'normalize', norm: 'l2' } : undefined
    }
    case ':Mul':
    case ':Add':
    case ':Sub':
      return arithmeticStep(node, flow, file, features)
    default:
      return undefined
  }
}

function arithmeticStep(
  node: OnnxNode,
  flow: string,
  file: OnnxFile,
  features: number,
): Step | undefined {
  const [first, second] = node.inputs
  if (node.op === 'Sub' && first !== flow) return undefined
  const constant = file.constants.get(first === flow ? second : first)
  if (constant === undefined || constant.values.length === 0) return undefined
  const numbers = spreadOver(constant.values, features, NaN)
  const ones = new Array<number>(features).fill(1)
  const zeros = new Array<number>(features).fill(0)
  if (node.op === 'Mul') return { kind: 'scale', offsets: zeros, scales: numbers }
  const offsets = node.op === 'Add' ? numbers.map((number) => -number) : numbers
  return { kind: 'scale', offsets, scales: ones }
}

/** One number a feature, where one for all may be given, or none. */
function spreadOver(given: readonly number[], features: number, absent: number): number[] {
  if (given.length === features) return [...given]
  if (given.length > 1) {
    throw fail.model_file_unreadable(
      `A step before the model has ${given.length} numbers for ${features} features.`,
    )
  }
  return new Array<number>(features).fill(given[0] ?? absent)
}

/** What stands behind the model: nothing, or the last part of its activation. */
function behind(node: OnnxNode, state: State): void {
  const { model } = state
  const [output = ''] = node.outputs
  state.flow = output
  state.given?.add(output)
  switch (`${node.domain}:${node.op}`) {
    case ':Identity':
    case ':Cast':
      return
    case 'ai.onnx.ml:ZipMap': {
      const named = labelsOf(node).length
      const classes = model?.task === 'binary' ? 2 : model?.outputs.length
      if (named === classes) return
      throw fail.model_file_unreadable(`ZipMap names ${named} classes, and there are ${classes}.`)
    }
    case ':Sigmoid':
      return activate(state, { kind: 'sigmoid', slope: 1 })
    case ':Softmax':
      return activate(state, { kind: 'softmax' })
    case ':Exp':
      return activate(state, { kind: 'exp' })
    case 'ai.onnx.ml:Normalizer':
      // Chances of several classes that are made to add up to 1.
      if (node.attributes.get('norm')?.text === 'L1' && model?.task === 'multiclass') {
        if (model.activation.kind === 'softmax') return
        if (model.activation.kind === 'identity') return activate(state, { kind: 'share' })
        if (model.activation.kind === 'sigmoid') {
          state.model = { ...model, activation: { kind: 'sigmoid-share' } }
          return
        }
      }
      break
    default:
  }
  throw fail.model_file_unsupported(`The operator ${node.op.slice(0, 40)} stands behind the model.`)
}

function activate(state: State, activation: Activation): void {
  const { model } = state
  if (model === undefined || model.activation.kind !== 'identity') {
    throw fail.model_file_unsupported('The outputs are transformed twice.')
  }
  // One chance is that of two classes, several are those of as many.
  const { outputs } = model
  if (activation.kind === 'softmax' && outputs.length > 1) {
    const numbers = outputs.map((_, index) => String(index))
    state.model = { ...model, activation, task: 'multiclass', outputs: numbers }
  } else if (activation.kind === 'sigmoid' && outputs.length === 1) {
    state.model = { ...model, activation, task: 'binary', outputs: ['score'] }
  } else {
    state.model = { ...model, activation }
  }
}
