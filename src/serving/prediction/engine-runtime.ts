/** Runtimes of our own engine: trees and linear models in this process, with nothing to wait for. */
import {
  capabilitiesOf,
  type ImportedModel,
  type OutsidePredictor,
  predictor,
  type PreparedModel,
  preparedPredictor,
  tableOf,
  type TableColumn,
  categoryColumn,
  type TrainedModel,
} from '../../learning/index.ts'
import type { Matrix } from '../../lib/matrix.ts'
import { answersOf } from './answers.ts'
import type { ModelRuntime } from './ports.ts'
import { isTable, type ModelSignature, type TensorSpec } from './signature.ts'
import type { NumberTensor, Tensor } from './tensor.ts'

/** A model of numbers: its features are columns, or one table. Error: `model_invalid`. */
export function engineRuntime(model: TrainedModel | ImportedModel): ModelRuntime {
  const scorer = predictor(model, { lasting: true })
  const { features, task, outputs } = scorer
  const answers = answersOf(task, outputs)
  const signature = tableSignature(features, answers.specs, takesMissing(model))
  const one = outputs.length === 1
  return {
    platform: 'assay',
    signature,
    predict(inputs) {
      const rows = inputs[0].shape[0]
      if (rows !== 1) return answers.of(scorer.predictMatrix(matrixOf(signature, inputs)), rows)
      const row = rowOf(signature, inputs)
      return answers.of(one ? Float64Array.of(scorer.score(row)) : scorer.predict(row), 1)
    },
    close: async () => {},
  }
}

/** A model behind its preparation: a column of the table is an input, categories being texts. */
export function preparedRuntime(model: PreparedModel): ModelRuntime {
  const scorer = preparedPredictor(model)
  const answers = answersOf(scorer.task, scorer.outputs)
  const inputs = scorer.columns.map(({ name, kind }): TensorSpec => ({
    name,
    datatype: kind === 'number' ? 'FP64' : 'BYTES',
    shape: [-1],
  }))
  return {
    platform: 'assay',
    signature: { inputs, outputs: answers.specs, widens: true },
    predict: (given) => answers.of(scorer.predict(tableOf(given.map(columnOf))), given[0].shape[0]),
    close: async () => {},
  }
}

/** A model that computes outside of this thread, such as a graph in ONNX Runtime. */
export function outsideRuntime(platform: string, model: OutsidePredictor): ModelRuntime {
  const answers = answersOf(model.task, model.outputs)
  const signature = tableSignature(model.features, answers.specs, true)
  return {
    platform,
    signature,
    ...(model.ended && { ended: model.ended }),
    ...(model.blocks && { blocks: model.blocks }),
    predict: async (inputs) =>
      answers.of(await model.predictMatrix(matrixOf(signature, inputs)), inputs[0].shape[0]),
    close: () => model.close(),
  }
}

function tableSignature(
  features: readonly string[],
  outputs: readonly TensorSpec[],
  missing: boolean,
): ModelSignature {
  return {
    inputs: features.map((name) => ({ name, datatype: 'FP64', shape: [-1], missing })),
    outputs,
    table: { name: tableName(features), datatype: 'FP64', shape: [-1, features.length] },
    widens: true,
  }
}

/** `input`, unless a feature is called so. */
function tableName(features: readonly string[]): string {
  let name = 'input'
  while (features.includes(name)) name = `${name}_table`
  return name
}

/** Whether the model has an answer for a row that lacks a value. */
export function takesMissing(model: TrainedModel | ImportedModel): boolean {
  switch (model.kind) {
    case 'tree-ensemble':
      return true
    case 'linear-map':
      return model.skipsMissing || model.steps.some(({ kind }) => kind === 'impute')
    case 'calibrated':
      return takesMissing(model.model)
    default:
      return capabilitiesOf(model.kind).missing
  }
}

/** The only row. A table of one row is that row: nothing is copied. */
function rowOf(signature: ModelSignature, inputs: readonly Tensor[]): Float64Array {
  if (isTable(signature, inputs)) return (inputs[0] as NumberTensor).data
  const row = new Float64Array(signature.inputs.length)
  const columns = inOrder(signature, inputs)
  for (let j = 0; j < row.length; j++) row[j] = columns[j][0]
  return row
}

function matrixOf(signature: ModelSignature, inputs: readonly Tensor[]): Matrix {
  const names = signature.inputs.map(({ name }) => name)
  const rows = inputs[0].shape[0]
  if (!isTable(signature, inputs)) return { names, rows, columns: inOrder(signature, inputs) }
  const { data } = inputs[0] as NumberTensor
  const columns = names.map((_, j) => {
    const column = new Float64Array(rows)
    for (let i = 0; i < rows; i++) column[i] = data[i * names.length + j]
    return column
  })
  return { names, rows, columns }
}

function inOrder(signature: ModelSignature, inputs: readonly Tensor[]): Float64Array[] {
  const byName = new Map(inputs.map((input) => [input.name, input as NumberTensor]))
  return signature.inputs.map(({ name }) => byName.get(name)!.data)
}

function columnOf(input: Tensor): TableColumn {
  return input.datatype === 'BYTES'
    ? categoryColumn(input.name, input.data)
    : { name: input.name, kind: 'number', values: input.data }
}
