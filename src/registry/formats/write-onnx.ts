/**
 * Boosted trees and linear models as ONNX: a table of float32 in, `margin` and `score` out (for
 * several classes one column a class). Trees are one TreeEnsembleRegressor, whose thresholds are the
 * float32 that part float32 values alike; linear models an Imputer, a Scaler and a LinearRegressor.
 */
import { type TrainedModel, type Tree } from '../../learning/index.ts'
import { fail } from './errors.ts'
import { dataType, noteNames } from './onnx-file.ts'
import { basesOf, type BoostedTrees, float32, objectiveOf, thresholdOf } from './own-ensemble.ts'
import { MessageWriter } from './protobuf.ts'

type LinearModel = Extract<
  TrainedModel,
  { kind: 'logistic-regression' | 'multinomial-regression' | 'linear-regression' }
>

/** Read by ONNX Runtime from 1.15 on. */
const IR_VERSION = 8
const OPSET = 13
const ML_OPSET = 3

/** Throws `model_not_writable` where the operators cannot hold the model. */
export function writeOnnx(model: BoostedTrees | LinearModel): Uint8Array {
  const trees = model.kind === 'boosted-trees'
  const { nodes, outputs, link } = trees ? treeNodes(model) : linearNodes(model)
  const graph = new MessageWriter()
  for (const node of nodes) graph.message(1, node)
  graph.message(1, linkNode(link))
  graph.text(2, 'assay')
  graph.message(11, tensorInfo('features', model.features.length))
  graph.message(12, tensorInfo('margin', outputs))
  graph.message(12, tensorInfo('score', outputs))
  const file = new MessageWriter()
    .varint(1, IR_VERSION)
    .text(2, 'assay')
    .message(7, graph)
    .message(8, opset('', OPSET))
    .message(8, opset('ai.onnx.ml', ML_OPSET))
    .message(14, note(noteNames.features, model.features))
  const classes = classesOf(model)
  if (classes !== undefined) file.message(14, note(noteNames.classes, classes))
  return file.finish()
}

function classesOf(model: BoostedTrees | LinearModel): readonly string[] | undefined {
  if (model.kind === 'multinomial-regression') return model.classes
  return model.kind === 'boosted-trees' ? model.classes?.map(({ name }) => name) : undefined
}

function note(name: string, list: readonly string[]): MessageWriter {
  return new MessageWriter().text(1, name).text(2, JSON.stringify(list))
}

type Link = 'Identity' | 'Sigmoid' | 'Softmax' | 'Exp'

type Graph = {
  readonly nodes: readonly MessageWriter[]
  readonly outputs: number
  readonly link: Link
}

function treeNodes(model: BoostedTrees): Graph {
  const bases = basesOf(model)
  const lists = {
    treeids: [] as number[],
    nodeids: [] as number[],
    featureids: [] as number[],
    modes: [] as string[],
    values: [] as number[],
    truenodeids: [] as number[],
    falsenodeids: [] as number[],
    missing: [] as number[],
  }
  const targets = {
    treeids: [] as number[],
    nodeids: [] as number[],
    ids: [] as number[],
    weights: [] as number[],
  }
  model.trees.forEach((tree, id) => {
    checkNumeric(tree)
    for (let node = 0; node < tree.feature.length; node++) {
      const leaf = tree.feature[node] < 0
      lists.treeids.push(id)
      lists.nodeids.push(node)
      lists.featureids.push(leaf ? 0 : tree.feature[node])
      lists.modes.push(leaf ? 'LEAF' : 'BRANCH_LEQ')
      lists.values.push(leaf ? 0 : thresholdOf(tree, node))
      lists.truenodeids.push(leaf ? 0 : tree.left[node])
      lists.falsenodeids.push(leaf ? 0 : tree.right[node])
      lists.missing.push(leaf ? 0 : tree.missingLeft[node])
      if (!leaf) continue
      targets.treeids.push(id)
      targets.nodeids.push(node)
      targets.ids.push(id % bases.length)
      targets.weights.push(float32(tree.value[node], 'A leaf'))
    }
  })
  const ensemble = operator('TreeEnsembleRegressor', 'features', 'margin', 'ai.onnx.ml')
    .message(
      5,
      floats(
        'base_values',
        bases.map((base) => float32(base, 'The base')),
      ),
    )
    .message(5, int('n_targets', bases.length))
    .message(5, ints('nodes_treeids', lists.treeids))
    .message(5, ints('nodes_nodeids', lists.nodeids))
    .message(5, ints('nodes_featureids', lists.featureids))
    .message(5, texts('nodes_modes', lists.modes))
    .message(5, floats('nodes_values', lists.values))
    .message(5, ints('nodes_truenodeids', lists.truenodeids))
    .message(5, ints('nodes_falsenodeids', lists.falsenodeids))
    .message(5, ints('nodes_missing_value_tracks_true', lists.missing))
    .message(5, ints('target_treeids', targets.treeids))
    .message(5, ints('target_nodeids', targets.nodeids))
    .message(5, ints('target_ids', targets.ids))
    .message(5, floats('target_weights', targets.weights))
    .message(5, text('post_transform', 'NONE'))
  const links = {
    logistic: 'Sigmoid',
    softmax: 'Softmax',
    squared: 'Identity',
    poisson: 'Exp',
    quantile: 'Identity',
  } as const
  return { nodes: [ensemble], outputs: bases.length, link: links[objectiveOf(model)] }
}

function checkNumeric(tree: Tree): void {
  if (tree.categories?.some((codes) => codes !== null) === true) {
    throw fail.model_not_writable(
      'ONNX has no split by a set of categories: write XGBoost JSON, or learn with one-hot columns.',
    )
  }
}

function linearNodes(model: LinearModel): Graph {
  const rows = model.kind === 'multinomial-regression' ? model.coefficients : [model.coefficients]
  const intercepts = model.kind === 'multinomial-regression' ? model.intercepts : [model.intercept]
  const means = model.means.map((mean) => float32(mean, 'A mean'))
  const nodes = [
    operator('Imputer', 'features', 'complete', 'ai.onnx.ml')
      .message(5, floats('imputed_value_floats', means))
      .message(5, float('replaced_value_float', NaN)),
    operator('Scaler', 'complete', 'scaled', 'ai.onnx.ml')
      .message(5, floats('offset', means))
      .message(5, floats('scale', model.scales.map(inverse))),
    operator('LinearRegressor', 'scaled', 'margin', 'ai.onnx.ml')
      .message(
        5,
        floats(
          'coefficients',
          rows.flat().map((own) => float32(own, 'A coefficient')),
        ),
      )
      .message(
        5,
        floats(
          'intercepts',
          intercepts.map((own) => float32(own, 'An intercept')),
        ),
      )
      .message(5, int('targets', rows.length))
      .message(5, text('post_transform', 'NONE')),
  ]
  return { nodes, outputs: rows.length, link: linkOf(model) }
}

function linkOf(model: LinearModel): Link {
  switch (model.kind) {
    case 'logistic-regression':
      return 'Sigmoid'
    case 'multinomial-regression':
      return 'Softmax'
    case 'linear-regression':
      return model.params.loss === 'poisson' ? 'Exp' : 'Identity'
  }
}

/** A feature without spread has no coefficient; any scale will do. */
function inverse(scale: number): number {
  return scale === 0 ? 1 : float32(1 / scale, 'A scale')
}

function linkNode(link: Link): MessageWriter {
  const node = operator(link, 'margin', 'score', '')
  return link === 'Softmax' ? node.message(5, int('axis', 1)) : node
}

function operator(op: string, input: string, output: string, domain: string): MessageWriter {
  const node = new MessageWriter().text(1, input).text(2, output).text(3, output).text(4, op)
  return domain === '' ? node : node.text(7, domain)
}

/** AttributeProto.AttributeType. */
const type = { float: 1, int: 2, text: 3, floats: 6, ints: 7, texts: 8 } as const

const attribute = (name: string) => new MessageWriter().text(1, name)

function float(name: string, value: number): MessageWriter {
  return attribute(name).float(2, value).varint(20, type.float)
}

function int(name: string, value: number): MessageWriter {
  return attribute(name).varint(3, value).varint(20, type.int)
}

function text(name: string, value: string): MessageWriter {
  return attribute(name).text(4, value).varint(20, type.text)
}

function floats(name: string, values: readonly number[]): MessageWriter {
  const written = attribute(name)
  for (const value of values) written.float(7, value)
  return written.varint(20, type.floats)
}

function ints(name: string, values: readonly number[]): MessageWriter {
  const written = attribute(name)
  for (const value of values) written.varint(8, value)
  return written.varint(20, type.ints)
}

function texts(name: string, values: readonly string[]): MessageWriter {
  const written = attribute(name)
  for (const value of values) written.text(9, value)
  return written.varint(20, type.texts)
}

/** A table of float32 with any number of rows. */
function tensorInfo(name: string, columns: number): MessageWriter {
  const shape = new MessageWriter()
    .message(1, new MessageWriter().text(2, 'rows'))
    .message(1, new MessageWriter().varint(1, columns))
  const tensor = new MessageWriter().varint(1, dataType.float).message(2, shape)
  return new MessageWriter().text(1, name).message(2, new MessageWriter().message(1, tensor))
}

function opset(domain: string, version: number): MessageWriter {
  const written = new MessageWriter()
  if (domain !== '') written.text(1, domain)
  return written.varint(2, version)
}
