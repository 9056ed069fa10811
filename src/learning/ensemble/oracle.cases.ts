/** Ensembles by their definition, node by node, and random ones: for tests only. */
import type { Random } from '../../lib/random.ts'
import { MODEL_FORMAT } from '../model.ts'
import { decision, type EnsembleTree, type TreeEnsembleModel } from './model.ts'

/** The margins of a row, as `TreeEnsembleModel` defines them. */
export function marginsByDefinition(model: TreeEnsembleModel, row: Float64Array): number[] {
  const round = model.arithmetic === 'float32' ? Math.fround : (x: number) => x
  const sums = model.base.map((base) => (model.baseAdded === 'first' ? base : 0))
  for (const tree of model.trees) {
    let node = 0
    while (tree.feature[node] >= 0) {
      const value = round(row[tree.feature[node]])
      node = goesLeft(model, tree, node, value) ? tree.left[node] : tree.right[node]
    }
    if (tree.output >= 0) sums[tree.output] = round(sums[tree.output] + tree.value[node])
    else sums.forEach((sum, k) => (sums[k] = round(sum + tree.value[node * sums.length + k])))
  }
  return sums.map((sum, k) => {
    const mean = round(sum / model.divisor)
    return model.baseAdded === 'last' ? round(mean + model.base[k]) : mean
  })
}

function goesLeft(
  { arithmetic }: TreeEnsembleModel,
  tree: EnsembleTree,
  node: number,
  given: number,
): boolean {
  const bits = tree.decision[node]
  const threshold = tree.threshold[node]
  const missingLeft = (bits & decision.missingLeft) !== 0
  const value = Number.isNaN(given) && bits & decision.nanIsZero ? 0 : given
  if (Number.isNaN(value)) return missingLeft
  if (bits & decision.category) {
    if (bits & decision.equal && !Number.isInteger(value)) return false
    if (arithmetic === 'float32' && value < 0) return false
    return tree.sets![threshold].includes(Math.trunc(value) + 0)
  }
  if (bits & decision.equal) return value === threshold
  if (bits & decision.zeroIsMissing && Math.abs(value) <= Math.fround(1e-35)) return missingLeft
  return value <= threshold || threshold === Number.MAX_VALUE
}

export type EnsembleShape = {
  readonly arithmetic: 'float32' | 'float64'
  readonly margins: number
  readonly trees: number
  readonly depth: number
  readonly features: number
  /** Whether nodes may ask for categories and equality. */
  readonly special: boolean
  readonly vectors: boolean
}

/** An ensemble of the given shape; thresholds are among a few values, so that rows meet them. */
export function randomEnsemble(random: Random, shape: EnsembleShape): TreeEnsembleModel {
  const { arithmetic, margins, trees, features, vectors } = shape
  const round = arithmetic === 'float32' ? Math.fround : (x: number) => x
  const number = () => round(random.normal(0, 1))
  return {
    format: MODEL_FORMAT,
    kind: 'tree-ensemble',
    features: Array.from({ length: features }, (_, j) => `f${j}`),
    task: 'regression',
    outputs: Array.from({ length: margins }, (_, k) => `value_${k}`),
    source: { engine: 'assay', version: '', objective: '' },
    steps: [],
    activation: { kind: 'identity' },
    arithmetic,
    base: Array.from({ length: margins }, number),
    baseAdded: random.next() < 0.5 ? 'first' : 'last',
    divisor: random.next() < 0.3 ? Math.max(1, trees) : 1,
    trees: Array.from({ length: trees }, (_, index) =>
      randomTree(random, shape, vectors ? -1 : index % margins, number),
    ),
  }
}

function randomTree(
  random: Random,
  { features, depth, special, margins, vectors }: EnsembleShape,
  output: number,
  number: () => number,
): EnsembleTree {
  const lists = {
    feature: [] as number[],
    threshold: [] as number[],
    decision: [] as number[],
    left: [] as number[],
    right: [] as number[],
    value: [] as number[],
  }
  const sets: number[][] = []
  const width = vectors ? margins : 1
  const grow = (level: number): number => {
    const node = lists.feature.length
    const leaf = level >= depth || random.next() < 0.2
    lists.feature.push(leaf ? -1 : random.int(features))
    lists.threshold.push(leaf ? 0 : random.int(9) / 4 - 1)
    lists.decision.push(leaf ? 0 : randomBits(random, special))
    lists.left.push(-1)
    lists.right.push(-1)
    for (let k = 0; k < width; k++) lists.value.push(leaf ? number() : 0)
    if (leaf) return node
    if (lists.decision[node] & decision.category) {
      lists.threshold[node] = sets.push([0, 1, 2, 40, 70].filter(() => random.next() < 0.5)) - 1
    } else if (random.next() < 0.05) {
      lists.threshold[node] = Number.MAX_VALUE
    }
    lists.left[node] = grow(level + 1)
    lists.right[node] = grow(level + 1)
    return node
  }
  grow(0)
  return { output, ...lists, ...(sets.length > 0 ? { sets } : {}) }
}

function randomBits(random: Random, special: boolean): number {
  const missing = random.int(2)
  const kinds = [0, decision.zeroIsMissing, decision.nanIsZero]
  const specials = [decision.category, decision.equal, decision.category | decision.equal]
  const all = special ? [...kinds, ...specials, decision.category | decision.nanIsZero] : kinds
  return missing | all[random.int(all.length)]
}

/** Values on and beside the thresholds and codes, missing, tiny and infinite ones. */
export function randomRow(random: Random, features: number): Float64Array {
  const values = [
    NaN,
    0,
    1e-36,
    -1e-36,
    1,
    2,
    40,
    70,
    -0.5,
    1.5,
    1e30,
    Infinity,
    -Infinity,
    2 ** 31,
  ]
  return Float64Array.from({ length: features }, () =>
    random.next() < 0.5 ? values[random.int(values.length)] : random.int(17) / 8 - 1,
  )
}
