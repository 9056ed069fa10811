/** Exact Shapley values of ensembles from elsewhere, by the explainer of our own trees. */
import type { Matrix } from '../../lib/matrix.ts'
import type { Scorer } from '../estimator.ts'
import { forestOf } from '../trees/forest.ts'
import type { Tree } from '../trees/model.ts'
import { treeExplanations } from '../trees/shap-scorer.ts'
import { decision, type EnsembleTree, type TreeEnsembleModel } from './model.ts'

/**
 * Path-dependent values need the cover of every node, which XGBoost and LightGBM write and ONNX does
 * not; nodes that ask for more than ≤ and categories have no counterpart. Nothing where the model
 * lacks one or has the other. The values add up to the margin in float64, before the source's
 * arithmetic rounds it.
 */
export function ensembleExplanations(
  model: TreeEnsembleModel,
): Pick<Scorer, 'explain' | 'explainMatrix'> {
  if (model.steps.length > 0 || !model.trees.every(isExplainable)) return {}
  const trees = model.trees.map((tree) => ownTree(tree, model.divisor))
  const forestOfOutput = (output: number) => {
    const own = trees.filter((_, index) => model.trees[index].output === output)
    return forestOf(own, model.features.length, [model.base[output]])
  }
  const { explain, explainMatrix } = treeExplanations(forestOfOutput)
  if (model.arithmetic === 'float64') return { explain, explainMatrix }
  return {
    explain: (row, output) => explain!(row.map(Math.fround), output),
    explainMatrix: (x, output, background) =>
      explainMatrix!(
        rounded(x),
        output,
        background === undefined ? undefined : rounded(background),
      ),
  }
}

const UNKNOWN = decision.zeroIsMissing | decision.equal

function isExplainable({ output, cover, decision: bits }: EnsembleTree): boolean {
  return output >= 0 && cover !== undefined && bits.every((own) => (own & UNKNOWN) === 0)
}

function ownTree(tree: EnsembleTree, divisor: number): Tree {
  const isSet = (node: number) => (tree.decision[node] & decision.category) !== 0
  const sets = tree.sets ?? []
  const numbers = {
    feature: tree.feature,
    threshold: tree.threshold.map((threshold, node) => (isSet(node) ? 0 : threshold)),
    missingLeft: tree.decision.map((bits, node) => {
      // NaN that counts as zero goes where zero goes.
      if (bits & decision.nanIsZero) return tree.threshold[node] >= 0 ? 1 : 0
      return bits & decision.missingLeft
    }),
    left: tree.left,
    right: tree.right,
    value: tree.value.map((value) => value / divisor),
    cover: tree.cover ?? [],
  }
  if (sets.length === 0) return numbers
  const codesOf = (at: number, node: number) => (isSet(node) ? sets[at] : null)
  return { ...numbers, categories: tree.threshold.map(codesOf) }
}

function rounded(x: Matrix): Matrix {
  return { ...x, columns: x.columns.map((column) => column.map(Math.fround)) }
}
