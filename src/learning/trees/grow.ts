/** Growing one tree on binned rows. */
import type { BinnedMatrix } from './bins.ts'
import type { Evaluator, Split } from './evaluate.ts'
import { FEATURE_SLOTS, type Kernels } from './kernels.ts'
import type { BoostedTreesParams } from './model.ts'
import { leafWeight } from './plain-kernels.ts'

/** What one tree is grown from. */
export type Ground = {
  readonly binned: BinnedMatrix
  /** (gradient, hessian) pairs of the loss, a pair a row; sums over any rows are exact. */
  readonly derivatives: Float64Array
  /** Absent where all rows weigh 1. */
  readonly weights: Float64Array | undefined
  /** The sampled rows, ascending; reordered in place so that each leaf's rows lie together. */
  readonly rows: Uint32Array
  /** The sampled features, ascending. */
  readonly features: Uint32Array
}

/** A node while its tree grows; children are indices into the same list. */
export type GrownNode = {
  readonly from: number
  readonly to: number
  readonly depth: number
  readonly gradient: number
  readonly hessian: number
  readonly value: number
  /** Weight of the node's rows. */
  cover: number
  split?: Split
  left: number
  right: number
}

type Candidate = {
  readonly node: number
  readonly split: Split
  readonly histogram: Float64Array
}

/** Space that every tree uses again. */
export type Workshop = {
  readonly kernels: Kernels
  readonly evaluator: Evaluator
  readonly scratch: Uint32Array
  readonly free: Float64Array[]
  readonly histogramLength: number
}

export function createWorkshop(
  kernels: Kernels,
  evaluator: Evaluator,
  rows: number,
  features: number,
): Workshop {
  return {
    kernels,
    evaluator,
    scratch: kernels.wholes(rows),
    free: [],
    histogramLength: features * FEATURE_SLOTS,
  }
}

/**
 * Grows a tree until no leaf may or should be split. Leaf-wise takes the split of highest gain
 * next, depth-wise the shallowest; the older node wins a tie. Parents precede their children.
 */
export function growTree(
  ground: Ground,
  params: BoostedTreesParams,
  workshop: Workshop,
): GrownNode[] {
  const { binned, derivatives, rows, features } = ground
  const shared = { binned, derivatives, rows, features, penalties: params }
  const { evaluator, free } = workshop
  const nodes: GrownNode[] = []
  const open: Candidate[] = []
  plantRoot()

  let leaves = 1
  while (open.length > 0 && leaves < params.leaves) {
    const candidate = open.splice(next(open, params.growth), 1)[0]
    leaves++
    branch(candidate, nodes[candidate.node])
  }
  for (const { histogram } of open) free.push(histogram)
  coverNodes(nodes, ground)
  return nodes

  function plantRoot(): void {
    const histogram = takeHistogram(workshop)
    const to = rows.length
    evaluator.evaluate({ ...shared, sum: { into: histogram, from: 0, to }, sides: [] })
    const root = { from: 0, to, depth: 0, ...sumOfBins(histogram, features[0]) }
    const [split] = evaluator.evaluate({ ...shared, sides: [{ histogram, ...root }] })
    offer(plant(root), split, histogram)
  }

  /** Sums the smaller child; the larger is what remains of the parent. */
  function branch({ split, histogram }: Candidate, parent: GrownNode): void {
    const { from, to } = parent
    const middle = partition(ground, parent, split, workshop)
    // Sums are exact, so a side with a hessian has rows.
    if (middle === from || middle === to) throw new Error('a split left one side without rows')
    parent.split = split
    const depth = parent.depth + 1
    const gradient = split.leftGradient
    const hessian = split.leftHessian
    const left = { from, to: middle, depth, gradient, hessian }
    const right = {
      from: middle,
      to,
      depth,
      gradient: parent.gradient - gradient,
      hessian: parent.hessian - hessian,
    }
    parent.left = plant(left)
    parent.right = plant(right)
    if (depth >= params.depth || leaves >= params.leaves) {
      free.push(histogram)
      return
    }
    const other = takeHistogram(workshop)
    const leftIsSmaller = middle - from <= to - middle
    const smaller = leftIsSmaller ? left : right
    const [leftHistogram, rightHistogram] = leftIsSmaller ? [other, histogram] : [histogram, other]
    const [leftSplit, rightSplit] = evaluator.evaluate({
      ...shared,
      sum: { into: other, from: smaller.from, to: smaller.to },
      parent: histogram,
      sides: [
        { histogram: leftHistogram, ...left },
        { histogram: rightHistogram, ...right },
      ],
    })
    offer(parent.left, leftSplit, leftHistogram)
    offer(parent.right, rightSplit, rightHistogram)
  }

  function plant(leaf: Pick<GrownNode, 'from' | 'to' | 'depth' | 'gradient' | 'hessian'>): number {
    const weight = leafWeight(leaf.gradient, leaf.hessian, params.l1, params.l2)
    const value = params.learningRate * weight + 0
    return nodes.push({ ...leaf, value, cover: 0, left: -1, right: -1 }) - 1
  }

  /** Opens a leaf where it has a good split. */
  function offer(node: number, split: Split | undefined, histogram: Float64Array): void {
    if (split === undefined) free.push(histogram)
    else open.push({ node, split, histogram })
  }
}

function next(open: readonly Candidate[], growth: BoostedTreesParams['growth']): number {
  // Candidates stand in the order of their nodes, so the first is also the shallowest.
  if (growth === 'depth-wise') return 0
  let best = 0
  for (let i = 1; i < open.length; i++) if (open[i].split.gain > open[best].split.gain) best = i
  return best
}

/** Histograms are large and short-lived: they are used again instead of allocated again. */
function takeHistogram({ kernels, free, histogramLength }: Workshop): Float64Array {
  return free.pop()?.fill(0) ?? kernels.numbers(histogramLength)
}

function sumOfBins(
  histogram: Float64Array,
  feature: number,
): { gradient: number; hessian: number } {
  let gradient = 0
  let hessian = 0
  const start = feature * FEATURE_SLOTS
  for (let slot = start; slot < start + FEATURE_SLOTS; slot += 2) {
    gradient += histogram[slot]
    hessian += histogram[slot + 1]
  }
  return { gradient, hessian }
}

function partition(
  { binned, rows }: Ground,
  { from, to }: GrownNode,
  { feature, bin, missingLeft }: Split,
  { kernels, scratch }: Workshop,
): number {
  const column = binned.byColumn.subarray(feature * binned.rows, (feature + 1) * binned.rows)
  const alsoLeft = missingLeft ? binned.missing[feature] : bin
  return kernels.partition(rows, from, to, column, bin, alsoLeft, scratch)
}

/** Leaves first: an inner node's cover is that of its children, whatever rounding they had. */
function coverNodes(nodes: readonly GrownNode[], { rows, weights }: Ground): void {
  for (let index = nodes.length - 1; index >= 0; index--) {
    const node = nodes[index]
    if (node.split !== undefined) node.cover = nodes[node.left].cover + nodes[node.right].cover
    else if (weights === undefined) node.cover = node.to - node.from
    else for (let i = node.from; i < node.to; i++) node.cover += weights[rows[i]]
  }
}
