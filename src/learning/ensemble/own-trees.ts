/** Our own trees as the body of an ensemble: the same margins, by the same engine. */
import type { Tree } from '../trees/model.ts'
import type { EnsembleBody } from './forest.ts'
import { decision, type EnsembleTree } from './model.ts'

/**
 * The margin of output k starts from `bases[k]`; tree i adds to output i modulo their number, in
 * float64. `divisor` is the number of trees where they are averaged.
 */
export function bodyOfTrees(
  features: readonly string[],
  bases: readonly number[],
  trees: readonly Tree[],
  divisor = 1,
): EnsembleBody {
  return {
    features,
    arithmetic: 'float64',
    base: bases,
    baseAdded: 'first',
    divisor,
    trees: trees.map((tree, index) => ensembleTree(tree, index % bases.length)),
  }
}

function ensembleTree(tree: Tree, output: number): EnsembleTree {
  const sets: (readonly number[])[] = []
  const threshold = [...tree.threshold]
  const decisions = tree.feature.map((_, node) => {
    const missing = tree.missingLeft[node] === 1 ? decision.missingLeft : 0
    const codes = tree.categories?.[node] ?? null
    if (codes === null) return missing
    threshold[node] = sets.push(codes) - 1
    return missing | decision.category | decision.equal
  })
  const { feature, left, right, value, cover } = tree
  const body = { output, feature, threshold, decision: decisions, left, right, value, cover }
  return sets.length === 0 ? body : { ...body, sets }
}
