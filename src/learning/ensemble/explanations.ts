/**
 * Shapley values of trees from elsewhere, by way of our own trees: of the margin in float64, on
 * rows as the source engine takes them (rounded, and prepared by the steps before the model, each
 * of which changes a feature by itself).
 */
import { type Matrix, readRow } from '../../lib/matrix.ts'
import { fail } from '../errors.ts'
import type { Scorer } from '../estimator.ts'
import { type Forest, forestOf } from '../trees/forest.ts'
import type { Tree } from '../trees/model.ts'
import { treeExplanations } from '../trees/shap-scorer.ts'
import { decision, type EnsembleTree, type TreeEnsembleModel } from './model.ts'

/**
 * `prepare` turns a row into what the trees see. Explaining throws `explanation_unavailable` where
 * steps mix features, or trees decide in a way that ours do not have; without the covers of the
 * source's training rows only a background can be explained against.
 */
export function ensembleExplanations(
  model: TreeEnsembleModel,
  prepare: (row: Float64Array) => Float64Array,
): Required<Pick<Scorer, 'explain' | 'explainMatrix'>> {
  const { explain, explainMatrix } = treeExplanations((output) => forestOfOutput(model, output))
  // Looked for when the first explanation is asked for, and once.
  let truncated: readonly number[] | undefined
  let covered: boolean | undefined

  function enter(row: Float64Array): Float64Array {
    truncated ??= truncatedFeatures(model)
    const prepared = Float64Array.from(prepare(row))
    for (const feature of truncated) prepared[feature] = Math.trunc(prepared[feature])
    return prepared
  }

  function enterAll(x: Matrix): Matrix {
    const columns = x.names.map(() => new Float64Array(x.rows))
    const row = new Float64Array(x.names.length)
    for (let i = 0; i < x.rows; i++) {
      const own = enter(readRow(x, i, row))
      for (let j = 0; j < own.length; j++) columns[j][i] = own[j]
    }
    return { names: x.names, rows: x.rows, columns }
  }

  function needCovers(): void {
    covered ??= model.trees.every(hasCovers)
    if (covered) return
    throw fail.explanation_unavailable(
      'The file does not tell how many training rows reached each node: explain against a background.',
    )
  }

  return {
    explain(row, output) {
      needCovers()
      return explain(enter(row), output)
    },
    explainMatrix(x, output, background) {
      if (background === undefined) needCovers()
      return explainMatrix(enterAll(x), output, background && enterAll(background))
    },
  }
}

function hasCovers({ cover }: EnsembleTree): boolean {
  return cover?.every((weight) => weight > 0) === true
}

/** The trees of one output, whose leaves add up to its margin. */
function forestOfOutput(model: TreeEnsembleModel, output: number): Forest {
  const { base, baseAdded, divisor, features, steps } = model
  if (steps.some(({ kind }) => kind === 'normalize')) {
    throw fail.explanation_unavailable('A step before the model mixes the features of a row.')
  }
  const start = base[output] / (baseAdded === 'first' ? divisor : 1)
  const trees = model.trees
    .filter((tree) => tree.output === output || tree.output === -1)
    .map((tree) => treeOf(tree, tree.output === -1 ? output : 0, base.length, divisor))
  return forestOf(trees, features.length, [start])
}

function treeOf(tree: EnsembleTree, output: number, margins: number, divisor: number): Tree {
  const { feature, left, right, threshold, cover } = tree
  const width = tree.output === -1 ? margins : 1
  const parts = tree.decision.map((bits) => (bits & decision.category) !== 0)
  return {
    feature,
    left,
    right,
    threshold: threshold.map((border, node) => (parts[node] || feature[node] < 0 ? 0 : border)),
    missingLeft: tree.decision.map((bits, node) => {
      checkDecision(bits)
      if ((bits & decision.nanIsZero) === 0) return bits & decision.missingLeft
      // A missing value that counts as zero goes where zero goes.
      const zeroLeft = parts[node] ? codesOf(tree, node).includes(0) : threshold[node] >= 0
      return zeroLeft ? 1 : 0
    }),
    value: feature.map((split, node) =>
      split < 0 ? tree.value[node * width + output] / divisor : 0,
    ),
    cover: cover !== undefined && hasCovers(tree) ? cover : feature.map(() => 1),
    ...(parts.includes(true) && {
      categories: parts.map((part, node) => (part ? codesOf(tree, node) : null)),
    }),
  }
}

function codesOf(tree: EnsembleTree, node: number): readonly number[] {
  return tree.sets?.[tree.threshold[node]] ?? []
}

function checkDecision(bits: number): void {
  const { zeroIsMissing, category, equal } = decision
  const equalNumber = (bits & equal) !== 0 && (bits & category) === 0
  if ((bits & zeroIsMissing) === 0 && !equalNumber) return
  throw fail.explanation_unavailable(
    'The trees decide in a way that exact Shapley values do not cover: zeros that are missing, or equality with a number.',
  )
}

/** Features whose nodes all look at the whole part of a category's code. */
function truncatedFeatures({ trees }: TreeEnsembleModel): number[] {
  const whole = new Set<number>()
  const other = new Set<number>()
  for (const tree of trees) {
    tree.feature.forEach((feature, node) => {
      if (feature < 0) return
      const truncates =
        (tree.decision[node] & (decision.category | decision.equal)) === decision.category
      if (truncates) whole.add(feature)
      else other.add(feature)
    })
  }
  if (whole.isDisjointFrom(other)) return [...whole]
  throw fail.explanation_unavailable('A feature is taken for a number and for a category.')
}
