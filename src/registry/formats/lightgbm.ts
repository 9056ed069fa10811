/**
 * LightGBM's text format, versions v2 to v4, as a model. Its meaning is in LightGBM's
 * `src/io/tree.cpp` and `include/LightGBM/tree.h` (NumericalDecision, CategoricalDecision).
 */
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

/** Lines `name=value` of the header or of a tree. */
type Fields = ReadonlyMap<string, string>

const FEATURES_MAX = 1_000_000
const MARGINS_MAX = 100_000
/** Of all sets together. */
const CATEGORIES_MAX = 4_000_000

/** Throws `model_file_unreadable` or `model_file_unsupported`, which say what and where. */
export function readLightgbm(text: string): ImportedModel {
  const { header, trees } = sections(text)
  const perRound = header.has('num_tree_per_iteration')
    ? count(header, 'num_tree_per_iteration', 'The header', MARGINS_MAX)
    : count(header, 'num_class', 'The header', MARGINS_MAX)
  if (perRound < 1) throw fail.model_file_unreadable('The header says 0 trees an iteration.')
  const features = featureNames(header)
  checkHeader(header, { trees: trees.length, perRound, features: features.length })
  const objective = header.get('objective') ?? 'custom'
  const { task, activation } = objectiveOf(objective, perRound)
  const categories = { left: CATEGORIES_MAX }
  const read = trees.map((fields, index) =>
    readTree(fields, `Tree ${index}`, index % perRound, categories),
  )
  if (read.length % perRound !== 0) {
    throw fail.model_file_unreadable(`There are ${read.length} trees for ${perRound} outputs.`)
  }
  const rounds = Math.max(1, read.length / perRound)
  return {
    format: MODEL_FORMAT,
    kind: 'tree-ensemble',
    features,
    task,
    outputs: outputNames(task, perRound),
    source: { engine: 'lightgbm', version: header.get('version') ?? '', objective },
    steps: [],
    activation,
    arithmetic: 'float64',
    base: new Array<number>(perRound).fill(0),
    baseAdded: 'first',
    divisor: header.has('average_output') ? rounds : 1,
    trees: read,
  }
}

function sections(text: string): { header: Fields; trees: Fields[] } {
  const header = new Map<string, string>()
  const trees: Map<string, string>[] = []
  let fields = header
  for (const own of linesOf(text)) {
    if (own === 'end of trees') return { header, trees }
    if (own.startsWith('Tree=')) {
      if (own !== `Tree=${trees.length}`) {
        throw fail.model_file_unreadable(`"${own.slice(0, 40)}" follows tree ${trees.length - 1}.`)
      }
      fields = new Map()
      trees.push(fields)
      continue
    }
    const sign = own.indexOf('=')
    const name = sign < 0 ? own : own.slice(0, sign)
    if (name === '') continue
    if (fields.has(name)) {
      throw fail.model_file_unreadable(`"${name.slice(0, 40)}" stands twice in one section.`)
    }
    fields.set(name, sign < 0 ? '' : own.slice(sign + 1))
  }
  throw fail.model_file_unreadable('The file ends before "end of trees": it is cut off.')
}

/** One by one: a file of nothing but line ends would make a list far larger than itself. */
function* linesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\n', at)
    const line = text.slice(at, end < 0 ? text.length : end)
    at += line.length + 1
    if (line !== '') yield line.trim()
  }
}

function featureNames(header: Fields): string[] {
  const most = count(header, 'max_feature_idx', 'The header', FEATURES_MAX)
  const names = (header.get('feature_names') ?? '')
    .split(' ', most + 2)
    .filter((name) => name !== '')
  if (names.length !== most + 1 || new Set(names).size !== names.length) {
    throw fail.model_file_unreadable(
      `The header names ${new Set(names).size} features and says that there are ${most + 1}.`,
    )
  }
  return names
}

/** What the header says must be what the file holds: one that lost trees would score wrongly. */
function checkHeader(
  header: Fields,
  held: { readonly trees: number; readonly perRound: number; readonly features: number },
): void {
  const said = (key: string, called: string, holds: number) => {
    const items = (header.get(key) ?? '').split(' ', holds + 2).filter((item) => item !== '')
    if (items.length === holds || (items.length === 0 && !header.has(key))) return
    throw fail.model_file_unreadable(
      `The header has "${key}" of ${items.length} ${called}, and there are ${holds}.`,
    )
  }
  said('tree_sizes', 'trees', held.trees)
  said('feature_infos', 'features', held.features)
  if (header.has('monotone_constraints')) said('monotone_constraints', 'features', held.features)
  const classes = count(header, 'num_class', 'The header', MARGINS_MAX)
  const named = /^multiclass(?:ova)? .*\bnum_class:(\d{1,10})/.exec(header.get('objective') ?? '')
  for (const number of [classes, ...(named === null ? [] : [Number(named[1])])]) {
    if (number === held.perRound) continue
    throw fail.model_file_unreadable(
      `The header says ${number} classes and ${held.perRound} trees an iteration.`,
    )
  }
}

function outputNames(task: ImportedHead['task'], margins: number): string[] {
  if (margins === 1) return [task === 'binary' ? 'score' : 'value']
  return Array.from({ length: margins }, (_, index) =>
    task === 'multiclass' ? String(index) : `value_${index}`,
  )
}

function objectiveOf(
  line: string,
  margins: number,
): { task: ImportedHead['task']; activation: Activation } {
  const [name = '', ...settings] = line.split(' ', 20)
  const identity = { kind: 'identity' } as const
  const slope = Number(settings.find((own) => own.startsWith('sigmoid:'))?.slice(8) ?? 1)
  if (!Number.isFinite(slope)) {
    throw fail.model_file_unreadable(`The objective "${line.slice(0, 60)}" has no slope.`)
  }
  switch (name) {
    case 'binary':
      return { task: 'binary', activation: { kind: 'sigmoid', slope } }
    case 'cross_entropy':
      return { task: 'binary', activation: { kind: 'sigmoid', slope: 1 } }
    case 'cross_entropy_lambda':
      return { task: 'regression', activation: { kind: 'softplus' } }
    case 'multiclass':
      return { task: 'multiclass', activation: { kind: 'softmax' } }
    case 'multiclassova':
      return { task: 'multiclass', activation: { kind: 'sigmoid', slope } }
    case 'poisson':
    case 'gamma':
    case 'tweedie':
      return { task: 'regression', activation: { kind: 'exp' } }
    case 'regression':
    case 'regression_l1':
    case 'huber':
    case 'fair':
    case 'quantile':
    case 'mape': {
      const root = settings.includes('sqrt')
      return { task: 'regression', activation: root ? { kind: 'signed-square' } : identity }
    }
    case 'lambdarank':
    case 'rank_xendcg':
    case 'custom':
      return { task: 'regression', activation: identity }
    default:
      throw fail.model_file_unsupported(
        `The objective "${line.slice(0, 60)}" with ${margins} outputs is not known.`,
      )
  }
}

function readTree(
  fields: Fields,
  name: string,
  output: number,
  categories: { left: number },
): EnsembleTree {
  if ((fields.get('is_linear') ?? '0') !== '0') {
    throw fail.model_file_unsupported(`${name} has linear models in its leaves (linear_tree).`)
  }
  const leaves = count(fields, 'num_leaves', name, 2 ** 31)
  const list = (key: string, length: number) => numbers(fields, key, name, length)
  const inner = leaves - 1
  const leafValue = list('leaf_value', leaves)
  const leafCount = fields.has('leaf_count') ? list('leaf_count', leaves) : undefined
  const single: RawNode = { leaf: [leafValue[0]], cover: leafCount?.[0] }
  if (leaves === 1) {
    return buildTree({ name, nodes: 1, deleted: 0, output, width: 1, root: 0, node: () => single })
  }
  const innerCount = fields.has('internal_count') ? list('internal_count', inner) : undefined
  for (const unused of ['split_gain', 'internal_value', 'internal_weight']) {
    if (fields.has(unused)) list(unused, inner)
  }
  if (fields.has('leaf_weight')) list('leaf_weight', leaves)
  const feature = list('split_feature', inner)
  // All that is not missing goes left of `inf`.
  const threshold = numbers(fields, 'threshold', name, inner, Number.MAX_VALUE)
  const type = list('decision_type', inner)
  const left = list('left_child', inner)
  const right = list('right_child', inner)
  const sets = fields.get('num_cat') === '0' ? undefined : readSets(fields, name, categories)
  // Children below zero are leaves, counted from −1; here they follow the inner nodes.
  const position = (child: number) => (child < 0 ? inner - child - 1 : child)
  return buildTree({
    name,
    nodes: inner + leaves,
    deleted: 0,
    output,
    width: 1,
    root: 0,
    node(node): RawNode {
      if (node >= inner) {
        return { leaf: [leafValue[node - inner]], cover: leafCount?.[node - inner] }
      }
      const children = { left: position(left[node]), right: position(right[node]) }
      const isSet = (type[node] & CATEGORICAL) !== 0
      const set = isSet ? sets?.[threshold[node]] : undefined
      if (isSet && set === undefined) {
        throw fail.model_file_unreadable(`${name} lacks the categories of node ${node}.`)
      }
      return {
        feature: feature[node],
        threshold: threshold[node],
        bits: bitsOf(type[node], name),
        ...(set === undefined ? {} : { set }),
        ...children,
        cover: innerCount?.[node],
      }
    },
  })
}

/** The bits of LightGBM's decision_type. */
const CATEGORICAL = 1
const DEFAULT_LEFT = 2
const missing = { none: 0, zero: 1, nan: 2 } as const

function bitsOf(type: number, name: string): number {
  const rule = type >> 2
  if (!Number.isInteger(type) || type < 0 || rule > missing.nan) {
    throw fail.model_file_unreadable(`${name} has the decision type ${type}.`)
  }
  // NaN is in no category, so it goes right.
  if (type & CATEGORICAL) return decision.category
  if (rule === missing.none) return decision.nanIsZero
  const left = type & DEFAULT_LEFT ? decision.missingLeft : 0
  return rule === missing.zero ? left | decision.zeroIsMissing : left
}

/** Sets of category codes, each a string of bits. */
function readSets(fields: Fields, name: string, categories: { left: number }): number[][] {
  const sets = count(fields, 'num_cat', name, 2 ** 31)
  const borders = numbers(fields, 'cat_boundaries', name, sets + 1)
  const words = numbers(fields, 'cat_threshold', name, borders[sets])
  return Array.from({ length: sets }, (_, index) => {
    const [from, to] = [borders[index], borders[index + 1]]
    if (!Number.isInteger(from) || from < 0 || !(to >= from && to <= words.length)) {
      throw fail.model_file_unreadable(`${name} has categories outside its list.`)
    }
    const codes: number[] = []
    for (let word = from; word < to; word++) {
      for (let bit = 0; bit < 32; bit++) {
        if ((words[word] >>> bit) & 1) codes.push((word - from) * 32 + bit)
      }
    }
    categories.left -= codes.length
    if (categories.left < 0) {
      throw fail.model_file_unsupported(`The trees hold more than ${CATEGORIES_MAX} categories.`)
    }
    return codes
  })
}

function field(fields: Fields, key: string, name: string): string {
  const text = fields.get(key)
  if (text === undefined) throw fail.model_file_unreadable(`${name} lacks "${key}".`)
  return text
}

function count(fields: Fields, key: string, name: string, most: number): number {
  const text = field(fields, key, name)
  const number = /^\d{1,10}$/.test(text) ? Number(text) : NaN
  if (number >= 0 && number <= most) return number
  throw fail.model_file_unreadable(`${name} has ${key}=${text.slice(0, 40)}.`)
}

/** A list of finite numbers parted by blanks, of the given length. */
function numbers(
  fields: Fields,
  key: string,
  name: string,
  length: number,
  infinity = NaN,
): number[] {
  const texts = field(fields, key, name).split(' ', length + 1)
  const list = texts.map((text) => {
    if (text === 'inf') return infinity
    return text === '' ? NaN : Number(text)
  })
  if (list.length !== length) {
    throw fail.model_file_unreadable(`${name} has ${list.length} of ${length} numbers in "${key}".`)
  }
  const wrong = list.findIndex((number) => !Number.isFinite(number))
  if (wrong >= 0) {
    throw fail.model_file_unreadable(`${name} has "${texts[wrong].slice(0, 40)}" in "${key}".`)
  }
  return list
}
