/**
 * Boosted trees as XGBoost's JSON document. Thresholds become the float32 that parts float32 values
 * alike; what the sums start from becomes the first trees, of one leaf each, because a base score
 * passes through a logarithm on its way back.
 */
import { nextFloat32, previousFloat32, type Tree } from '../../learning/index.ts'
import { fail } from './errors.ts'
import {
  basesOf,
  type BoostedTrees,
  float32,
  objectiveOf,
  thresholdOf,
  type WrittenObjective,
} from './own-ensemble.ts'

/** XGBoost holds category codes as float32, exactly. */
const CODE_MAX = 2 ** 24

/** XGBoost's mark of a node without a parent. */
const NO_PARENT = 2147483647

/** Throws `model_not_writable` where float32 cannot hold the model. */
export function writeXgboost(model: BoostedTrees): string {
  const objective = objectiveOf(model)
  const bases = basesOf(model)
  const stumps = bases.map((base, output) => leafTree(float32(base, 'The base'), output, model))
  const trees = model.trees.map((tree, index) => treeOf(tree, index + bases.length, model))
  const all = [...stumps, ...trees]
  const categorical = new Set(model.trees.flatMap(categoricalFeatures))
  const count = String(model.features.length)
  const rounds = Math.ceil(all.length / bases.length)
  const document = {
    learner: {
      attributes: {},
      feature_names: model.features,
      feature_types: model.features.map((_, j) => (categorical.has(j) ? 'c' : 'float')),
      gradient_booster: {
        model: {
          gbtree_model_param: { num_parallel_tree: '1', num_trees: String(all.length) },
          iteration_indptr: Array.from({ length: rounds + 1 }, (_, round) =>
            Math.min(round * bases.length, all.length),
          ),
          tree_info: all.map((_, index) => index % bases.length),
          trees: all,
        },
        name: 'gbtree',
      },
      learner_model_param: {
        base_score: baseScores[objective],
        boost_from_average: '0',
        num_class: String(objective === 'softmax' ? bases.length : 0),
        num_feature: count,
        num_target: '1',
      },
      objective: objectiveParam(model, objective, bases.length),
    },
    version: [2, 1, 0],
  }
  return write(document)
}

/** JSON in which floats stand as floats: XGBoost refuses 1 where it wants 1.0. */
function write(value: unknown): string {
  if (value instanceof Float32Array) return `[${Array.from(value, floatText).join(',')}]`
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).map(([name, own]) => `"${name}":${write(own)}`)
  return `{${members.join(',')}}`
}

function floatText(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value)
  return /[.e]/.test(text) ? text : `${text}.0`
}

/** The score whose margin is 0. */
const baseScores: Readonly<Record<WrittenObjective, string>> = {
  logistic: '5E-1',
  softmax: '0E0',
  squared: '0E0',
  poisson: '1E0',
  quantile: '0E0',
}

function objectiveParam(model: BoostedTrees, objective: WrittenObjective, classes: number): object {
  switch (objective) {
    case 'logistic':
      return { name: 'binary:logistic', reg_loss_param: { scale_pos_weight: '1' } }
    case 'softmax':
      return { name: 'multi:softprob', softmax_multiclass_param: { num_class: String(classes) } }
    case 'squared':
      return { name: 'reg:squarederror', reg_loss_param: { scale_pos_weight: '1' } }
    case 'poisson':
      return { name: 'count:poisson', poisson_regression_param: { max_delta_step: '0.7' } }
    case 'quantile':
      return {
        name: 'reg:quantileerror',
        quantile_loss_param: { quantile_alpha: `[${model.params.quantile ?? 0.5}]` },
      }
  }
}

function categoricalFeatures({ feature, categories }: Tree): number[] {
  return (categories ?? []).flatMap((codes, node) => (codes === null ? [] : [feature[node]]))
}

type Lists = {
  categories: number[]
  categories_nodes: number[]
  categories_segments: number[]
  categories_sizes: number[]
}

function treeOf(tree: Tree, id: number, model: BoostedTrees): object {
  const nodes = tree.feature.length
  const list = (of: (node: number) => number) =>
    Array.from({ length: nodes }, (_, node) => of(node))
  const floats = (of: (node: number) => number) => Float32Array.from(list(of))
  const isLeaf = (node: number) => tree.feature[node] < 0
  const codesOf = (node: number) => tree.categories?.[node] ?? null
  const parents = new Array<number>(nodes).fill(NO_PARENT)
  for (let node = 0; node < nodes; node++) {
    if (isLeaf(node)) continue
    parents[tree.left[node]] = node
    parents[tree.right[node]] = node
  }
  const sets = setsOf(nodes, codesOf)
  // Here the categories of a set go right, so the children of such a node change places.
  const swapped = (node: number) => codesOf(node) !== null
  return {
    base_weights: floats((node) => (isLeaf(node) ? float32(tree.value[node], 'A leaf') : 0)),
    ...sets,
    default_left: list((node) => {
      if (isLeaf(node)) return 0
      return (tree.missingLeft[node] === 1) === swapped(node) ? 0 : 1
    }),
    id,
    left_children: list((node) => {
      if (isLeaf(node)) return -1
      return swapped(node) ? tree.right[node] : tree.left[node]
    }),
    loss_changes: floats(() => 0),
    parents,
    right_children: list((node) => {
      if (isLeaf(node)) return -1
      return swapped(node) ? tree.left[node] : tree.right[node]
    }),
    split_conditions: floats((node) => {
      if (isLeaf(node)) return float32(tree.value[node], 'A leaf')
      return swapped(node) ? 0 : conditionOf(tree, node)
    }),
    split_indices: list((node) => Math.max(0, tree.feature[node])),
    split_type: list((node) => (swapped(node) ? 1 : 0)),
    sum_hessian: floats((node) => float32(tree.cover[node], 'A cover')),
    tree_param: paramOf(nodes, model),
  }
}

/**
 * v ≤ t of float32 numbers is v < the float32 after t. Where all that is not missing goes left, that
 * is the largest float32, below which all others lie.
 */
function conditionOf(tree: Tree, node: number): number {
  return Math.min(nextFloat32(thresholdOf(tree, node)), FLOAT_MAX)
}

const FLOAT_MAX = previousFloat32(Infinity)

function setsOf(nodes: number, codesOf: (node: number) => readonly number[] | null): Lists {
  const lists: Lists = {
    categories: [],
    categories_nodes: [],
    categories_segments: [],
    categories_sizes: [],
  }
  for (let node = 0; node < nodes; node++) {
    const codes = codesOf(node)
    if (codes === null) continue
    const large = codes.find((code) => code >= CODE_MAX)
    if (large !== undefined) {
      throw fail.model_not_writable(`The category ${large} is not below ${CODE_MAX}.`)
    }
    lists.categories_nodes.push(node)
    lists.categories_segments.push(lists.categories.length)
    lists.categories_sizes.push(codes.length)
    for (const code of codes) lists.categories.push(code)
  }
  return lists
}

function leafTree(value: number, id: number, model: BoostedTrees): object {
  return {
    base_weights: Float32Array.of(value),
    categories: [],
    categories_nodes: [],
    categories_segments: [],
    categories_sizes: [],
    default_left: [0],
    id,
    left_children: [-1],
    loss_changes: Float32Array.of(0),
    parents: [NO_PARENT],
    right_children: [-1],
    split_conditions: Float32Array.of(value),
    split_indices: [0],
    split_type: [0],
    sum_hessian: Float32Array.of(1),
    tree_param: paramOf(1, model),
  }
}

function paramOf(nodes: number, model: BoostedTrees): object {
  return {
    num_deleted: '0',
    num_feature: String(model.features.length),
    num_nodes: String(nodes),
    size_leaf_vector: '1',
  }
}
