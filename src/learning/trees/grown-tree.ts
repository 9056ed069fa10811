/** Grown trees as part of a model, and what they add to margins. */
import type { Matrix } from '../../lib/matrix.ts'
import type { BinnedMatrix } from './bins.ts'
import { type Forest, forestOf, goesLeft } from './forest.ts'
import { type GrownNode, isInSet } from './grow.ts'
import type { Kernels } from './kernels.ts'
import type { Tree } from './model.ts'

/** The tree in terms of feature values instead of bins. */
export function toTree(nodes: readonly GrownNode[], binned: BinnedMatrix): Tree {
  const parts = nodes.some(({ split }) => split?.set !== undefined)
  return {
    feature: nodes.map(({ split }) => split?.feature ?? -1),
    // After the last cut everything present goes left, and only missing values go right.
    threshold: nodes.map(({ split }) => {
      if (split === undefined || split.set !== undefined) return 0
      return binned.cuts[split.feature][split.bin] ?? Number.MAX_VALUE
    }),
    ...(parts && { categories: nodes.map((node) => codesLeft(node, binned)) }),
    missingLeft: nodes.map((node) => (missingGoesLeft(node, nodes, binned) ? 1 : 0)),
    left: nodes.map((node) => node.left),
    right: nodes.map((node) => node.right),
    value: nodes.map((node) => (node.split === undefined ? node.value : 0)),
    cover: nodes.map((node) => node.cover),
  }
}

function codesLeft({ split }: GrownNode, { codes, codeBins }: BinnedMatrix): number[] | null {
  const set = split?.set
  if (split === undefined || set === undefined) return null
  const bins = codeBins[split.feature] ?? new Uint8Array(0)
  const left = codes[split.feature]?.filter((_, i) => isInSet(set, bins[i])) ?? []
  return Array.from(left).sort((a, b) => a - b)
}

/**
 * Where no training row lacked the feature, a missing value goes with the majority: nothing was
 * learnt about it.
 */
function missingGoesLeft(
  node: GrownNode,
  nodes: readonly GrownNode[],
  binned: BinnedMatrix,
): boolean {
  if (node.split === undefined) return false
  const { feature } = node.split
  if (binned.hasMissing[feature] === 1) return node.split.missingLeft
  return nodes[node.left].cover >= nodes[node.right].cover
}

/**
 * Adds a grown tree to the margins of all rows: sampled rows lie in its leaves already. `leaves` is
 * the kernels' space for three numbers a leaf.
 */
export function addGrown(
  nodes: readonly GrownNode[],
  rows: Uint32Array,
  binned: BinnedMatrix,
  margins: Float64Array,
  leaves: Float64Array,
  kernels: Kernels,
): void {
  const seen = rows.length === binned.rows ? undefined : new Uint8Array(binned.rows)
  kernels.addLeaves(margins, rows, leavesOf(nodes, leaves))
  if (seen === undefined) return
  for (const row of rows) seen[row] = 1
  for (let row = 0; row < binned.rows; row++) {
    if (seen[row] === 0) margins[row] += valueOfBins(nodes, binned, row)
  }
}

function leavesOf(nodes: readonly GrownNode[], space: Float64Array): Float64Array {
  let length = 0
  for (const { split, from, to, value } of nodes) {
    if (split !== undefined) continue
    space[length] = from
    space[length + 1] = to
    space[length + 2] = value
    length += 3
  }
  return space.subarray(0, length)
}

function valueOfBins(nodes: readonly GrownNode[], binned: BinnedMatrix, row: number): number {
  let node = nodes[0]
  while (node.split !== undefined) {
    const { feature, bin, set, missingLeft } = node.split
    const own = binned.byColumn[feature * binned.rows + row]
    const left =
      own === binned.missing[feature] ? missingLeft : set ? isInSet(set, own) : own <= bin
    node = nodes[left ? node.left : node.right]
  }
  return node.value
}

/** Adds trees, of so many outputs in turn, to margins that lie output after output. */
export function addTrees(
  trees: readonly Tree[],
  outputs: number,
  x: Matrix,
  margins: Float64Array,
) {
  const forest = forestOf(trees, x.columns.length, [0])
  forest.roots.forEach((root, index) => {
    const from = (index % outputs) * x.rows
    for (let row = 0; row < x.rows; row++) margins[from + row] += valueAt(forest, root, x, row)
  })
}

function valueAt(forest: Forest, root: number, { columns }: Matrix, row: number): number {
  let node = root
  while (forest.feature[node] >= 0) {
    const left = goesLeft(forest, node, columns[forest.feature[node]][row])
    node = left ? forest.left[node] : forest.right[node]
  }
  return forest.value[node]
}
