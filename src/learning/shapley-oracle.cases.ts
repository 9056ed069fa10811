/** Shapley values straight from their definition: slow, for tests only. */
import type { Additive } from './linear/additive.ts'
import type { BoostedTreesModel, Tree } from './trees/model.ts'

/** The margin expected when only the features whose bits are set in `known` are known. */
export type Game = (row: Float64Array, known: number) => number

export function bruteForceShapley(game: Game, row: Float64Array): Float64Array {
  const n = row.length
  const worth = Float64Array.from({ length: 2 ** n }, (_, known) => game(row, known))
  return Float64Array.from({ length: n }, (_, i) => {
    let value = 0
    for (let known = 0; known < worth.length; known++) {
      if ((known >> i) & 1) continue
      const others = bitCount(known)
      const weight = (factorial(others) * factorial(n - 1 - others)) / factorial(n)
      value += weight * (worth[known | (1 << i)] - worth[known])
    }
    return value
  })
}

/** Unknown features stand at their training mean, which is where they add nothing. */
export function linearGame(model: Additive): Game {
  return (row, known) =>
    model.coefficients.reduce((margin, coefficient, j) => {
      const value = (known >> j) & 1 && row[j] === row[j] ? row[j] : model.means[j]
      return margin + (coefficient * (value - model.means[j])) / model.scales[j]
    }, model.intercept)
}

/** At a split on an unknown feature both branches count, by their cover. */
export function treeGame(model: Pick<BoostedTreesModel, 'base' | 'trees'>): Game {
  return (row, known) =>
    model.trees.reduce((margin, tree) => margin + expectedValue(tree, 0, row, known), model.base)
}

function expectedValue(tree: Tree, node: number, row: Float64Array, known: number): number {
  const feature = tree.feature[node]
  if (feature < 0) return tree.value[node]
  const left = tree.left[node]
  const right = tree.right[node]
  if ((known >> feature) & 1) {
    const value = row[feature]
    const goesLeft = Number.isNaN(value)
      ? tree.missingLeft[node] === 1
      : value <= tree.threshold[node]
    return expectedValue(tree, goesLeft ? left : right, row, known)
  }
  const share = tree.cover[left] / tree.cover[node]
  return (
    share * expectedValue(tree, left, row, known) +
    (1 - share) * expectedValue(tree, right, row, known)
  )
}

function bitCount(bits: number): number {
  return bits === 0 ? 0 : (bits & 1) + bitCount(bits >> 1)
}

function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1)
}
