/** Growing one tree on binned rows. */
import type { BoostedTreesParams } from '../model.ts'
import type { BinnedMatrix } from './bins.ts'
import { FEATURE_SLOTS, FOUND_LENGTH, type Kernels } from './kernels.ts'
import { leafWeight, worth } from './plain-kernels.ts'

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

export type Split = {
  readonly gain: number
  readonly feature: number
  /** Rows in bins up to this one go left. */
  readonly bin: number
  readonly missingLeft: boolean
  readonly leftGradient: number
  readonly leftHessian: number
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
  readonly found: Float64Array
  readonly scratch: Uint32Array
  readonly free: Float64Array[]
  readonly histogramLength: number
}

export function createWorkshop(kernels: Kernels, rows: number, features: number): Workshop {
  return {
    kernels,
    found: kernels.numbers(FOUND_LENGTH),
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
  const { binned, features } = ground
  const { kernels } = workshop
  const nodes: GrownNode[] = []
  const open: Candidate[] = []
  const root = sumHistogram(ground, 0, ground.rows.length, workshop)
  plant({ from: 0, to: ground.rows.length, depth: 0, ...sumOfBins(root, features[0]) }, root)

  let leaves = 1
  while (open.length > 0 && leaves < params.leaves) {
    const candidate = open.splice(next(open, params.growth), 1)[0]
    leaves++
    branch(candidate, nodes[candidate.node])
  }
  for (const { histogram } of open) workshop.free.push(histogram)
  coverNodes(nodes, ground)
  return nodes

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
    if (depth >= params.depth || leaves >= params.leaves) {
      workshop.free.push(histogram)
      parent.left = plant(left)
      parent.right = plant(right)
      return
    }
    const leftIsSmaller = middle - from <= to - middle
    const smaller = leftIsSmaller
      ? sumHistogram(ground, from, middle, workshop)
      : sumHistogram(ground, middle, to, workshop)
    kernels.subtractHistogram(histogram, smaller, features, binned.missing)
    parent.left = plant(left, leftIsSmaller ? smaller : histogram)
    parent.right = plant(right, leftIsSmaller ? histogram : smaller)
  }

  /** Adds a leaf, and its split, if there is a good one, to the open ones. */
  function plant(
    leaf: Pick<GrownNode, 'from' | 'to' | 'depth' | 'gradient' | 'hessian'>,
    histogram?: Float64Array,
  ): number {
    const { gradient, hessian } = leaf
    const value = params.learningRate * leafWeight(gradient, hessian, params.l1, params.l2) + 0
    const node = nodes.push({ ...leaf, value, cover: 0, left: -1, right: -1 }) - 1
    if (histogram === undefined) return node
    const split = bestSplit(nodes[node], histogram)
    if (split === undefined) workshop.free.push(histogram)
    else open.push({ node, split, histogram })
    return node
  }

  function bestSplit({ gradient, hessian }: GrownNode, histogram: Float64Array): Split | undefined {
    const { found } = workshop
    const { missing, hasMissing } = binned
    const own = worth(gradient, hessian, params.l1, params.l2)
    kernels.findSplit(
      found,
      histogram,
      features,
      missing,
      hasMissing,
      gradient,
      hessian,
      own,
      params,
    )
    const [gain, feature, bin, side, leftGradient, leftHessian] = found
    if (feature < 0) return undefined
    return { gain, feature, bin, missingLeft: side === 1, leftGradient, leftHessian }
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
function sumHistogram(
  { binned, features, rows, derivatives }: Ground,
  from: number,
  to: number,
  { kernels, free, histogramLength }: Workshop,
): Float64Array {
  const histogram = free.pop()?.fill(0) ?? kernels.numbers(histogramLength)
  const { byRow, stride } = binned
  if (features.length === binned.features) {
    const count = features.length
    kernels.addToHistogram(histogram, byRow, stride, count, rows, from, to, derivatives)
  } else {
    kernels.addSomeToHistogram(histogram, byRow, stride, features, rows, from, to, derivatives)
  }
  return histogram
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
