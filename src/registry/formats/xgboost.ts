/**
 * XGBoost's JSON document (its UBJSON is the same document in other bytes) as a model. Written by
 * versions 1.0 to 3.x; see XGBoost's `doc/tutorials/saving_model.rst` and `doc/model.schema`.
 */
import { previousFloat32 } from '../../learning/index.ts'
import { ln } from '../../lib/math.ts'
import {
  type Activation,
  decision,
  type EnsembleTree,
  type ImportedHead,
  type ImportedModel,
  MODEL_FORMAT,
} from '../../learning/index.ts'
import { fail } from './errors.ts'
import { buildTree, type RawNode } from './raw-tree.ts'
import { Part } from './shape.ts'

export type XgboostOptions = {
  /**
   * `best` (default): the trees up to the best iteration, where early stopping recorded one, as
   * XGBoost's scikit-learn classes predict; `all`: every tree, as `Booster.predict` does.
   */
  readonly iterations?: 'best' | 'all'
}

/** How an objective reads its base score, and what it makes of a margin. */
type Objective = {
  readonly task: ImportedHead['task']
  readonly base: 'identity' | 'logit' | 'log'
  readonly activation: Activation
}

const value: Objective = {
  task: 'regression',
  base: 'identity',
  activation: { kind: 'identity' },
}
const rate: Objective = { task: 'regression', base: 'log', activation: { kind: 'exp' } }
const chance: Objective = {
  task: 'binary',
  base: 'logit',
  activation: { kind: 'sigmoid', slope: 1 },
}
const classes: Objective = {
  task: 'multiclass',
  base: 'identity',
  activation: { kind: 'softmax' },
}

const objectives: Readonly<Record<string, Objective>> = {
  'binary:logistic': chance,
  // Its base score is a margin.
  'binary:logitraw': { ...chance, base: 'identity' },
  'count:poisson': rate,
  'multi:softmax': classes,
  'multi:softprob': classes,
  'rank:map': value,
  'rank:ndcg': value,
  'rank:pairwise': value,
  'reg:absoluteerror': value,
  'reg:expectileerror': value,
  'reg:gamma': rate,
  'reg:linear': value,
  'reg:logistic': { ...chance, task: 'regression' },
  'reg:pseudohubererror': value,
  'reg:quantileerror': value,
  'reg:squarederror': value,
  'reg:squaredlogerror': value,
  'reg:tweedie': rate,
  'survival:aft': rate,
  'survival:cox': rate,
}

const FEATURES_MAX = 1_000_000
const MARGINS_MAX = 100_000

/** Throws `model_file_unreadable` or `model_file_unsupported`, which say what and where. */
export function readXgboost(document: unknown, options: XgboostOptions = {}): ImportedModel {
  const root = new Part(document, 'model')
  const learner = root.get('learner')
  const version = root.has('version') ? Array.from(root.get('version').numbers()) : []
  const name = learner.get('objective').get('name').text()
  if (!Object.hasOwn(objectives, name)) {
    throw fail.model_file_unsupported(`The objective "${name.slice(0, 60)}" is not known.`)
  }
  const objective = objectives[name]
  const param = learner.get('learner_model_param')
  const features = featureNames(learner, param.get('num_feature').count(1, FEATURES_MAX))
  const classCount = param.has('num_class') ? param.get('num_class').count(0, MARGINS_MAX) : 0
  const targets = param.has('num_target') ? param.get('num_target').count(0, MARGINS_MAX) : 1
  const margins = Math.max(classCount, targets, 1)
  checkClasses(learner.get('objective'), margins)
  const head = {
    format: MODEL_FORMAT as typeof MODEL_FORMAT,
    features,
    task: margins > 1 && objective.task === 'binary' ? ('regression' as const) : objective.task,
    outputs: outputNames(objective.task, margins),
    source: { engine: 'xgboost' as const, version: version.join('.'), objective: name },
    steps: [],
    activation: objective.activation,
    arithmetic: 'float32' as const,
  }
  const base = baseMargins(param, objective.base, margins)
  const booster = learner.get('gradient_booster')
  switch (booster.get('name').text()) {
    case 'gbtree':
      return treeModel(head, base, learner, booster.get('model'), undefined, options)
    case 'dart': {
      const weights = booster.get('weight_drop').numbers()
      const model = booster.get('gbtree').get('model')
      return treeModel(head, base, learner, model, weights, options)
    }
    case 'gblinear':
      return linearModel(head, base, booster.get('model'))
    default:
      throw fail.model_file_unsupported(
        `The booster "${booster.get('name').text().slice(0, 60)}" is not known.`,
      )
  }
}

function featureNames(learner: Part, count: number): string[] {
  const types = learner.has('feature_types') ? learner.get('feature_types').texts() : []
  if (types.length !== 0 && types.length !== count) {
    throw fail.model_file_unreadable(
      `The file has types of ${types.length} features and says that there are ${count}.`,
    )
  }
  const named = learner.has('feature_names') ? learner.get('feature_names').texts() : []
  if (named.length === 0) return Array.from({ length: count }, (_, index) => `f${index}`)
  if (named.length !== count || new Set(named).size !== count) {
    throw fail.model_file_unreadable(
      `The file names ${new Set(named).size} features and says that there are ${count}.`,
    )
  }
  return named
}

/** The objective of several classes says their number once more. */
function checkClasses(objective: Part, margins: number): void {
  if (!objective.has('softmax_multiclass_param')) return
  const param = objective.get('softmax_multiclass_param')
  const said = param.has('num_class') ? param.get('num_class').count() : 0
  if (said === 0 || said === margins) return
  throw fail.model_file_unreadable(
    `The objective says ${said} classes, and there are ${margins} outputs.`,
  )
}

function outputNames(task: ImportedHead['task'], margins: number): string[] {
  if (margins === 1) return [task === 'binary' ? 'score' : 'value']
  const word = task === 'multiclass' ? '' : 'value_'
  return Array.from({ length: margins }, (_, index) => `${word}${index}`)
}

/**
 * The base score is kept as the user means it (a probability, a rate) and becomes a margin in
 * float32. Since 3.1 it is a list, one number an output.
 */
function baseMargins(param: Part, link: Objective['base'], margins: number): number[] {
  const text = param.get('base_score').text()
  const list = /^\[.*\]$/s.test(text) ? text.slice(1, -1).split(',') : [text]
  const scores = list.map((score) => (score.trim() === '' ? NaN : Math.fround(Number(score))))
  if (scores.length !== 1 && scores.length !== margins) {
    throw fail.model_file_unreadable(
      `There are ${scores.length} base scores for ${margins} outputs.`,
    )
  }
  const bases = scores.map((score) => baseMargin(score, link))
  if (!bases.every(Number.isFinite)) {
    throw fail.model_file_unreadable(`The base score ${text.slice(0, 60)} has no margin.`)
  }
  return bases.length === margins ? bases : new Array<number>(margins).fill(bases[0])
}

function baseMargin(score: number, link: Objective['base']): number {
  switch (link) {
    case 'identity':
      return score
    case 'log':
      return Math.fround(ln(score))
    case 'logit':
      // From 0, because JSON has no −0.
      return 0 - Math.fround(ln(Math.fround(Math.fround(1 / score) - 1)))
  }
}

type Head = Omit<ImportedHead, 'kind'>

function treeModel(
  head: Head,
  base: readonly number[],
  learner: Part,
  model: Part,
  weights: ArrayLike<number> | undefined,
  options: XgboostOptions,
): ImportedModel {
  const parts = model.get('trees').parts()
  const info = model.get('tree_info').numbers()
  if (info.length !== parts.length) {
    throw fail.model_file_unreadable(`${info.length} of ${parts.length} trees name their output.`)
  }
  if (weights !== undefined && weights.length !== parts.length) {
    throw fail.model_file_unreadable(`${weights.length} of ${parts.length} trees have a weight.`)
  }
  checkTreeCounts(model, parts.length, base.length)
  const used = treesUsed(learner, model, parts.length, base.length, options)
  const trees = parts.slice(0, used).map((part, index) => {
    const weight = weights === undefined ? 1 : Math.fround(weights[index])
    return readTree(part, `Tree ${index}`, info[index], weight)
  })
  return { ...head, kind: 'tree-ensemble', base, baseAdded: 'first', divisor: 1, trees }
}

/** What the file says of its trees must be what it holds: one that lost some would score wrongly. */
function checkTreeCounts(model: Part, trees: number, margins: number): void {
  const param = model.get('gbtree_model_param')
  const said = param.get('num_trees').count()
  if (said !== trees) {
    throw fail.model_file_unreadable(`The file says ${said} trees and holds ${trees}.`)
  }
  if (trees % margins !== 0) {
    throw fail.model_file_unreadable(`There are ${trees} trees for ${margins} outputs.`)
  }
  if (!model.has('iteration_indptr')) return
  const starts = model.get('iteration_indptr').numbers()
  const isRising = Array.from(starts).every((start, n) => n === 0 || start > starts[n - 1])
  // A model without rounds has an empty list.
  if (starts.length === 0 && trees === 0) return
  if (!isRising || starts[0] !== 0 || starts[starts.length - 1] !== trees) {
    throw fail.model_file_unreadable(`The iterations do not divide the ${trees} trees.`)
  }
}

function treesUsed(
  learner: Part,
  model: Part,
  trees: number,
  margins: number,
  { iterations = 'best' }: XgboostOptions,
): number {
  const attributes = learner.has('attributes') ? learner.get('attributes') : undefined
  if (iterations === 'all' || attributes?.has('best_iteration') !== true) return trees
  const best = attributes.get('best_iteration').count()
  if (model.has('iteration_indptr')) {
    const starts = model.get('iteration_indptr').numbers()
    const end = starts[best + 1]
    if (Number.isInteger(end) && end > 0 && end <= trees) return end
    throw fail.model_file_unreadable(`The best iteration ${best} has no trees.`)
  }
  const param = model.get('gbtree_model_param')
  const parallel = param.has('num_parallel_tree') ? param.get('num_parallel_tree').count(0) : 1
  return Math.min(trees, (best + 1) * Math.max(parallel, 1) * margins)
}

function readTree(part: Part, name: string, output: number, weight: number): EnsembleTree {
  const param = part.get('tree_param')
  if (param.has('size_leaf_vector') && param.get('size_leaf_vector').count() > 1) {
    throw fail.model_file_unsupported(
      `${name} has leaves for several outputs (multi_strategy=multi_output_tree).`,
    )
  }
  const left = part.get('left_children').numbers()
  const right = part.get('right_children').numbers()
  const feature = part.get('split_indices').numbers()
  const condition = part.get('split_conditions').numbers()
  const defaultLeft = part.get('default_left').numbers()
  // Not in files of every version.
  const optional = (list: string) => (part.has(list) ? part.get(list).numbers() : [])
  const [hessian, type] = [optional('sum_hessian'), optional('split_type')]
  const others = ['base_weights', 'loss_changes', 'parents'].map(optional)
  const nodes = left.length
  const lists = [right, feature, condition, defaultLeft]
  const known = [hessian, type, ...others].filter(({ length }) => length > 0)
  if (nodes === 0 || [...lists, ...known].some((list) => list.length !== nodes)) {
    throw fail.model_file_unreadable(`${name} is empty or its lists differ in length.`)
  }
  const said = param.get('num_nodes').count()
  if (said !== nodes) {
    throw fail.model_file_unreadable(`${name} says ${said} nodes and has ${nodes}.`)
  }
  const sets = readSets(part, name)
  return buildTree({
    name,
    nodes,
    deleted: param.has('num_deleted') ? param.get('num_deleted').count(0, nodes) : 0,
    output,
    width: 1,
    root: 0,
    node(node): RawNode {
      const cover = { cover: Math.fround(hessian[node]) }
      if (left[node] === -1) {
        return { leaf: [Math.fround(Math.fround(condition[node]) * weight)], ...cover }
      }
      const missingLeft = Boolean(defaultLeft[node])
      if (type[node] !== 1) {
        return {
          feature: feature[node],
          // v < t of float32 numbers is v ≤ the float32 before t.
          threshold: previousFloat32(Math.fround(condition[node])),
          bits: missingLeft ? decision.missingLeft : 0,
          left: left[node],
          right: right[node],
          ...cover,
        }
      }
      const set = sets.get(node)
      if (set === undefined) {
        throw fail.model_file_unreadable(`${name} lacks the categories of node ${node}.`)
      }
      // Here the categories of the set go right, so the children change places.
      return {
        feature: feature[node],
        threshold: 0,
        bits: decision.category | (missingLeft ? 0 : decision.missingLeft),
        set,
        left: right[node],
        right: left[node],
        ...cover,
      }
    },
  })
}

/** Categories by node. */
function readSets(part: Part, name: string): Map<number, readonly number[]> {
  const sets = new Map<number, readonly number[]>()
  if (!part.has('categories_nodes')) return sets
  const nodes = part.get('categories_nodes').numbers()
  const starts = part.get('categories_segments').numbers()
  const sizes = part.get('categories_sizes').numbers()
  const codes = part.get('categories').numbers()
  if (starts.length !== nodes.length || sizes.length !== nodes.length) {
    throw fail.model_file_unreadable(`${name} has lists of categories that differ in length.`)
  }
  let total = 0
  for (let n = 0; n < nodes.length; n++) {
    const [start, size] = [starts[n], sizes[n]]
    const end = start + size
    total += size
    if (!(start >= 0 && size >= 0 && end <= codes.length && total <= codes.length)) {
      throw fail.model_file_unreadable(`${name} has categories outside its list.`)
    }
    const own = Array.from({ length: size }, (_, i) => codes[start + i])
    sets.set(
      nodes[n],
      [...new Set(own)].sort((a, b) => a - b),
    )
  }
  if (total !== codes.length) {
    throw fail.model_file_unreadable(`${name} has ${codes.length} categories and uses ${total}.`)
  }
  return sets
}

/** The weights of gblinear: one a feature and output, features first, then the bias of each. */
function linearModel(head: Head, base: readonly number[], model: Part): ImportedModel {
  const weights = model.get('weights').numbers()
  const margins = base.length
  const count = head.features.length
  if (weights.length !== (count + 1) * margins) {
    throw fail.model_file_unreadable(
      `There are ${weights.length} weights for ${count} features and ${margins} outputs.`,
    )
  }
  const weight = (feature: number, output: number) =>
    Math.fround(weights[feature * margins + output])
  return {
    ...head,
    kind: 'linear-map',
    skipsMissing: true,
    intercepts: base.map((own, output) => Math.fround(weight(count, output) + own)),
    coefficients: base.map((_, output) => head.features.map((__, j) => weight(j, output))),
  }
}
