/**
 * The operators TreeEnsembleClassifier and TreeEnsembleRegressor (ai.onnx.ml) as trees. Their sums
 * are those of ONNX Runtime: float32, tree after tree, the base added last.
 */
import {
  type Activation,
  decision,
  type EnsembleTree,
  type ImportedHead,
  previousFloat32,
} from '../../learning/index.ts'
import { fail } from './errors.ts'
import { labelsOf, numbersOf, type OperatorModel, postTransform } from './onnx-operator.ts'
import type { OnnxNode } from './onnx-file.ts'
import { buildTree, type RawNode } from './raw-tree.ts'

/** Of all leaves together. */
const NUMBERS_MAX = 16_000_000

export function readTreeRegressor(node: OnnxNode): OperatorModel {
  const targets = node.attributes.get('n_targets')?.number ?? 1
  if (!(targets >= 1 && targets <= 100_000)) {
    throw fail.model_file_unreadable(`The ensemble has ${targets} targets.`)
  }
  const weights = readWeights(node, 'target', targets)
  const aggregate = node.attributes.get('aggregate_function')?.text ?? 'SUM'
  if (aggregate !== 'SUM' && aggregate !== 'AVERAGE') {
    throw fail.model_file_unsupported(`The trees are combined by ${aggregate.slice(0, 20)}.`)
  }
  const post = postTransform(node)
  if (post !== 'NONE') {
    throw fail.model_file_unsupported(`A regression transforms by ${post}.`)
  }
  const trees = readTrees(node, weights, targets)
  return {
    kind: 'tree-ensemble',
    task: 'regression',
    outputs: targets === 1 ? ['value'] : Array.from({ length: targets }, (_, k) => `value_${k}`),
    activation: { kind: 'identity' },
    base: basesOf(node, targets),
    baseAdded: 'last',
    divisor: aggregate === 'AVERAGE' ? trees.length : 1,
    trees,
  }
}

export function readTreeClassifier(node: OnnxNode): OperatorModel {
  const labels = labelsOf(node)
  const weights = readWeights(node, 'class', labels.length)
  const ids = new Set(weights.ids)
  const post = postTransform(node)
  const ensemble = { kind: 'tree-ensemble', baseAdded: 'last', divisor: 1 } as const
  const bases = numbersOf(node, 'base_values')
  if (labels.length === 2 && (ids.size < 2 || post !== 'SOFTMAX')) {
    const single = ids.size < 2
    if (single && !ids.has(0)) {
      throw fail.model_file_unsupported('All leaves of the classifier belong to its second class.')
    }
    const own = single ? 0 : 1
    // One class's sum: a chance already where no weight is negative, else log-odds.
    const isChance = weights.values.every((weight) => weight >= 0)
    if (bases.length > 2) {
      throw fail.model_file_unreadable(`There are ${bases.length} base values for two classes.`)
    }
    return {
      ...ensemble,
      task: 'binary',
      outputs: ['score'],
      activation: binaryActivation(post, single, isChance),
      base: [bases.length === 2 ? bases[1] : (bases[0] ?? 0)],
      trees: readTrees(node, only(weights, own), 1),
    }
  }
  return {
    ...ensemble,
    task: 'multiclass' as ImportedHead['task'],
    outputs: labels,
    activation: manyActivation(post),
    base: basesOf(node, labels.length),
    trees: readTrees(node, weights, labels.length),
  }
}

function binaryActivation(post: string, single: boolean, isChance: boolean): Activation {
  if (post === 'LOGISTIC' && !(single && isChance)) return { kind: 'sigmoid', slope: 1 }
  if (post === 'NONE' && isChance) return { kind: 'identity' }
  throw fail.model_file_unsupported(`The classifier's transformation ${post} gives no chances.`)
}

function manyActivation(post: string): Activation {
  if (post === 'SOFTMAX') return { kind: 'softmax' }
  if (post === 'LOGISTIC') return { kind: 'sigmoid', slope: 1 }
  if (post === 'NONE') return { kind: 'identity' }
  throw fail.model_file_unsupported(`The classifier transforms by ${post}.`)
}

function basesOf(node: OnnxNode, count: number): number[] {
  const bases = numbersOf(node, 'base_values')
  if (bases.length === 0) return new Array<number>(count).fill(0)
  if (bases.length !== count) {
    throw fail.model_file_unreadable(`There are ${bases.length} base values for ${count} outputs.`)
  }
  return bases
}

/** What leaves add: parallel lists. */
type Weights = {
  readonly trees: readonly number[]
  readonly nodes: readonly number[]
  readonly ids: readonly number[]
  readonly values: readonly number[]
}

function readWeights(node: OnnxNode, prefix: 'class' | 'target', outputs: number): Weights {
  const trees = numbersOf(node, `${prefix}_treeids`)
  const nodes = numbersOf(node, `${prefix}_nodeids`)
  const ids = numbersOf(node, `${prefix}_ids`)
  const values = numbersOf(node, `${prefix}_weights`)
  if ([nodes, ids, values].some((list) => list.length !== trees.length) || trees.length === 0) {
    throw fail.model_file_unreadable('The lists of leaf weights differ in length, or are empty.')
  }
  const wrong = ids.find((id) => !(id >= 0 && id < outputs))
  if (wrong !== undefined) {
    throw fail.model_file_unreadable(`A leaf adds to output ${wrong} of ${outputs}.`)
  }
  return { trees, nodes, ids, values }
}

/** The weights of one output, which becomes the only one. */
function only({ trees, nodes, ids, values }: Weights, id: number): Weights {
  const kept = ids.flatMap((own, index) => (own === id ? [index] : []))
  return {
    trees: kept.map((index) => trees[index]),
    nodes: kept.map((index) => nodes[index]),
    ids: kept.map(() => 0),
    values: kept.map((index) => values[index]),
  }
}

type Leaf = { readonly id: number; readonly weight: number }[]

/** Leaves of each tree by node. */
function leavesOf({ trees, nodes, ids, values }: Weights): Map<number, Map<number, Leaf>> {
  const leaves = new Map<number, Map<number, Leaf>>()
  trees.forEach((tree, index) => {
    const own = leaves.get(tree) ?? new Map<number, Leaf>()
    leaves.set(tree, own)
    const leaf = own.get(nodes[index]) ?? []
    own.set(nodes[index], leaf)
    leaf.push({ id: ids[index], weight: values[index] })
  })
  return leaves
}

function readTrees(node: OnnxNode, weights: Weights, outputs: number): EnsembleTree[] {
  const list = (name: string) => numbersOf(node, `nodes_${name}`)
  const lists = {
    tree: list('treeids'),
    node: list('nodeids'),
    feature: list('featureids'),
    value: list('values'),
    whenTrue: list('truenodeids'),
    whenFalse: list('falsenodeids'),
    mode: node.attributes.get('nodes_modes')?.texts ?? [],
    missingTrue: list('missing_value_tracks_true'),
  }
  const { missingTrue, ...needed } = lists
  const size = lists.tree.length
  const complete = missingTrue.length === 0 || missingTrue.length === size
  if (Object.values(needed).some((own) => own.length !== size) || size === 0 || !complete) {
    throw fail.model_file_unreadable('The lists of tree nodes differ in length, or are empty.')
  }
  const leaves = leavesOf(weights)
  const positions = new Map<number, number[]>()
  lists.tree.forEach((tree, at) => {
    const own = positions.get(tree)
    if (own === undefined) positions.set(tree, [at])
    else own.push(at)
  })
  for (const tree of leaves.keys()) {
    if (!positions.has(tree)) throw fail.model_file_unreadable(`Tree ${tree} has no nodes.`)
  }
  // Boosting gives each tree one output; a tree of a forest has numbers for all of them.
  const outputOf = (tree: number) => {
    const ids = new Set([...(leaves.get(tree)?.values() ?? [])].flat().map(({ id }) => id))
    return ids.size > 1 ? -1 : ([...ids][0] ?? 0)
  }
  const single = outputs === 1 || [...positions.keys()].every((tree) => outputOf(tree) >= 0)
  if (!single && size * outputs > NUMBERS_MAX) {
    throw fail.model_file_unsupported(`${size} nodes have numbers for ${outputs} outputs each.`)
  }
  return [...positions].map(([tree, own]) =>
    readTree(tree, own, lists, leaves.get(tree) ?? new Map<number, Leaf>(), {
      output: single ? outputOf(tree) : -1,
      width: single ? 1 : outputs,
    }),
  )
}

type Lists = {
  readonly node: readonly number[]
  readonly feature: readonly number[]
  readonly value: readonly number[]
  readonly whenTrue: readonly number[]
  readonly whenFalse: readonly number[]
  readonly mode: readonly string[]
  readonly missingTrue: readonly number[]
}

function readTree(
  id: number,
  positions: readonly number[],
  lists: Lists,
  leaves: ReadonlyMap<number, Leaf>,
  { output, width }: { readonly output: number; readonly width: number },
): EnsembleTree {
  const name = `Tree ${id}`
  const indexOf = new Map(positions.map((at, index) => [lists.node[at], index]))
  if (indexOf.size !== positions.length) {
    throw fail.model_file_unreadable(`${name} lists a node twice.`)
  }
  const child = (node: number) => indexOf.get(node) ?? -1
  return buildTree({
    name,
    nodes: positions.length,
    deleted: 0,
    output,
    width,
    root: 0,
    node(index): RawNode {
      const at = positions[index]
      if (lists.mode[at] === 'LEAF') {
        const leaf = new Array<number>(width).fill(0)
        for (const own of leaves.get(lists.node[at]) ?? []) {
          const to = output < 0 ? own.id : 0
          leaf[to] = Math.fround(leaf[to] + own.weight)
        }
        return { leaf }
      }
      const whenTrue = child(lists.whenTrue[at])
      const whenFalse = child(lists.whenFalse[at])
      const tracksTrue = lists.missingTrue[at] === 1
      const split = splitOf(lists.mode[at], lists.value[at], tracksTrue, name)
      const { swapped, ...rest } = split
      return {
        feature: lists.feature[at],
        ...rest,
        left: swapped ? whenFalse : whenTrue,
        right: swapped ? whenTrue : whenFalse,
      }
    },
  })
}

/** A node's test as ≤ or =; `swapped` where the left child is the one of "false". */
function splitOf(
  mode: string,
  value: number,
  tracksTrue: boolean,
  name: string,
): { threshold: number; bits: number; swapped: boolean } {
  const left = (when: boolean) => (when ? decision.missingLeft : 0)
  const most = value === Infinity ? Number.MAX_VALUE : value
  switch (mode) {
    case 'BRANCH_LEQ':
      return { threshold: most, bits: left(tracksTrue), swapped: false }
    case 'BRANCH_LT':
      return { threshold: previousFloat32(value), bits: left(tracksTrue), swapped: false }
    case 'BRANCH_GT':
      return { threshold: most, bits: left(!tracksTrue), swapped: true }
    case 'BRANCH_GTE':
      return { threshold: previousFloat32(value), bits: left(!tracksTrue), swapped: true }
    case 'BRANCH_EQ':
      return { threshold: value, bits: decision.equal | left(tracksTrue), swapped: false }
    case 'BRANCH_NEQ':
      // NaN differs from every number, so a missing value always goes to "true".
      return { threshold: value, bits: decision.equal, swapped: true }
    default:
      throw fail.model_file_unreadable(`${name} has a node of the mode "${mode.slice(0, 20)}".`)
  }
}
