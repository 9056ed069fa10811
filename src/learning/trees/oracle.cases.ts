/**
 * Gradient boosting written down plainly: no bins, no histograms, no subtraction; every cut of
 * every feature tried on every node, depth first. For tests only.
 */
import type { Matrix } from '../../lib/matrix.ts'
import type { BoostedTreesParams } from './model.ts'

type Node =
  | { readonly value: number }
  | {
      readonly feature: number
      readonly low: number
      readonly high: number
      readonly missingLeft: boolean
      readonly left: Node
      readonly right: Node
    }

/** Margins of the training rows after all trees, grown depth-wise on all rows and features. */
export function naiveMargins(
  x: Matrix,
  y: Float64Array,
  weights: Float64Array,
  params: BoostedTreesParams,
): number[] {
  const of = (label: number) => weights.reduce((sum, w, row) => sum + (y[row] === label ? w : 0), 0)
  const margins = Array.from(y, () => Math.log(of(1) / of(0)))
  const all = Array.from(y, (_, row) => row)
  for (let t = 0; t < params.trees; t++) {
    const p = margins.map((margin) => 1 / (1 + Math.exp(-margin)))
    const g = p.map((value, row) => weights[row] * (value - y[row]))
    const h = p.map((value, row) => weights[row] * value * (1 - value))
    const tree = grow(x, g, h, all, 0, params)
    for (const row of all) margins[row] += follow(tree, x, row)
  }
  return margins
}

function grow(
  x: Matrix,
  g: number[],
  h: number[],
  rows: number[],
  depth: number,
  params: BoostedTreesParams,
): Node {
  const { l2, gamma, minChildWeight, learningRate } = params
  const sum = (list: number[], of: number[]) => of.reduce((total, row) => total + list[row], 0)
  const worth = (of: number[]) => sum(g, of) ** 2 / (sum(h, of) + l2)
  let best: { gain: number; node: (left: Node, right: Node) => Node; parts: number[][] } | undefined
  for (let feature = 0; depth < params.depth && feature < x.columns.length; feature++) {
    const column = x.columns[feature]
    const present = [...new Set(rows.map((row) => column[row]).filter((v) => v === v))].sort(
      (a, b) => a - b,
    )
    const missing = rows.some((row) => Number.isNaN(column[row]))
    present.forEach((low, i) => {
      const last = i === present.length - 1
      for (const missingLeft of missing && !last ? [false, true] : [false]) {
        const goes = (row: number) => (Number.isNaN(column[row]) ? missingLeft : column[row] <= low)
        const left = rows.filter(goes)
        const right = rows.filter((row) => !goes(row))
        if (left.length === 0 || right.length === 0) continue
        if (sum(h, left) < minChildWeight || sum(h, right) < minChildWeight) continue
        const gain = 0.5 * (worth(left) + worth(right) - worth(rows))
        if (gain <= (best?.gain ?? gamma)) continue
        const high = last ? Infinity : present[i + 1]
        const node = (l: Node, r: Node) => ({ feature, low, high, missingLeft, left: l, right: r })
        best = { gain, node, parts: [left, right] }
      }
    })
  }
  if (best === undefined) return { value: (-learningRate * sum(g, rows)) / (sum(h, rows) + l2) }
  const [left, right] = best.parts.map((part) => grow(x, g, h, part, depth + 1, params))
  return best.node(left, right)
}

function follow(node: Node, x: Matrix, row: number): number {
  if ('value' in node) return node.value
  const value = x.columns[node.feature][row]
  const left = Number.isNaN(value) ? node.missingLeft : value <= node.low
  return follow(left ? node.left : node.right, x, row)
}
