/** The explanations of a tree model's scorer. */
import type { Scorer } from '../estimator.ts'
import type { Forest } from './forest.ts'
import { createTreeExplainer } from './shap.ts'
import { explainForest } from './shap-batch.ts'

/**
 * `forestOf` gives the trees whose sum, with the base, is an output's margin. Forests and the tables
 * of single rows are made when they are first asked for.
 */
export function treeExplanations(
  forestOf: (output: number) => Forest,
): Required<Pick<Scorer, 'explain' | 'explainMatrix'>> {
  const forests = new Map<number, Forest>()
  const explainers = new Map<number, ReturnType<typeof createTreeExplainer>>()
  const forest = (output: number) => once(forests, output, () => forestOf(output))
  return {
    explain: (row, output) =>
      once(explainers, output, () => createTreeExplainer(forest(output)))(row),
    explainMatrix: (x, output, background) => ({
      game: background === undefined ? 'path-dependent' : 'interventional',
      ...explainForest(forest(output), x, background),
    }),
  }
}

function once<T>(made: Map<number, T>, output: number, make: () => T): T {
  const known = made.get(output)
  if (known !== undefined) return known
  const value = make()
  made.set(output, value)
  return value
}
