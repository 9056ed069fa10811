/** Random forests to explain, and the games whose Shapley values are asked for. For tests only. */
import { fromRows, type Matrix } from '../../lib/matrix.ts'
import type { Random } from '../../lib/random.ts'
import type { Game } from '../shapley-oracle.cases.ts'
import { type Forest, forestOf, goesLeft } from './forest.ts'
import type { Tree } from './model.ts'

export type ForestShape = {
  readonly trees: number
  readonly features: number
  readonly depth: number
  /** Features below this are category codes. */
  readonly categorical?: number
}

/** Trees whose splits meet again and again: thresholds are few, and so are features. */
export function drawForest(random: Random, shape: ForestShape): Forest {
  const trees = Array.from({ length: shape.trees }, () => drawTree(random, shape))
  return forestOf(trees, shape.features, [random.normal(0, 1)])
}

function drawTree(random: Random, { features, depth, categorical = 0 }: ForestShape): Tree {
  const tree = {
    feature: [] as number[],
    threshold: [] as number[],
    missingLeft: [] as number[],
    left: [] as number[],
    right: [] as number[],
    value: [] as number[],
    cover: [] as number[],
    categories: [] as (number[] | null)[],
  }
  const add = (left: number, cover: number): number => {
    const node = tree.feature.length
    const leaf = left === 0 || random.next() < 0.15
    const feature = leaf ? -1 : random.int(features)
    const parts = feature >= 0 && feature < categorical
    tree.feature.push(feature)
    tree.threshold.push(leaf || parts ? 0 : random.int(9) / 4 - 1)
    tree.missingLeft.push(leaf ? 0 : random.int(2))
    tree.value.push(leaf ? random.normal(0, 1) : 0)
    tree.cover.push(cover)
    tree.categories.push(parts ? [0, 1, 2, 3, 4].filter(() => random.next() < 0.5) : null)
    tree.left.push(0)
    tree.right.push(0)
    if (!leaf) {
      const share = random.uniform(0.05, 0.95)
      tree.left[node] = add(left - 1, cover * share)
      tree.right[node] = add(left - 1, cover * (1 - share))
    }
    return node
  }
  add(depth, 100)
  if (categorical > 0) return tree
  const { categories: _, ...plain } = tree
  return plain
}

export function drawRows(random: Random, rows: number, shape: ForestShape): Matrix {
  const names = Array.from({ length: shape.features }, (_, j) => `f${j}`)
  const table = Array.from({ length: rows }, () =>
    names.map((_, j) => {
      if (random.next() < 0.1) return Number.NaN
      return j < (shape.categorical ?? 0) ? random.int(6) : random.int(9) / 4 - 1
    }),
  )
  return fromRows(names, table)
}

/** Unknown features take their values from a row of the background, all rows in turn. */
export function interventionalGame(
  margin: (row: Float64Array) => number,
  background: readonly Float64Array[],
): Game {
  return (row, known) => {
    let total = 0
    for (const other of background) {
      total += margin(row.map((value, j) => ((known >> j) & 1 ? value : other[j])))
    }
    return total / background.length
  }
}

/** At a split on an unknown feature both branches count, by their cover. */
export function pathDependentGame(forest: Forest): Game {
  const { feature, left, right, value, cover } = forest
  const expected = (node: number, row: Float64Array, known: number): number => {
    if (feature[node] < 0) return value[node]
    if ((known >> feature[node]) & 1) {
      const own = goesLeft(forest, node, row[feature[node]]) ? left[node] : right[node]
      return expected(own, row, known)
    }
    const share = cover[left[node]] / cover[node]
    return (
      share * expected(left[node], row, known) + (1 - share) * expected(right[node], row, known)
    )
  }
  return (row, known) => {
    let margin = forest.base
    for (const root of forest.roots) margin += expected(root, row, known)
    return margin
  }
}

export function marginOf(forest: Forest, row: Float64Array): number {
  // With all features known no branch is weighed.
  return pathDependentGame(forest)(row, -1)
}
