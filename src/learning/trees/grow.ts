/** Growing one tree on binned rows. */
import type { Random } from '../../lib/random.ts'
import type { BinnedMatrix } from './bins.ts'
import type { Evaluator, Side, Split } from './evaluate.ts'
import { FEATURE_SLOTS, type Kernels, TERM } from './kernels.ts'
import { type Inheritance, inherit, type Limits, sideLimits } from './limits.ts'
import type { BoostedTreesParams } from './model.ts'
import { clamp, leafWeight } from './worth.ts'

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
  /** What splits must keep to; absent: nothing. */
  readonly limits?: Limits | undefined
  /** Draws the features of nodes, where each sees a share of them. */
  readonly random?: Random
}

/** A node while its tree grows; children are indices into the same list. */
export type GrownNode = Inheritance & {
  readonly from: number
  readonly to: number
  readonly depth: number
  readonly gradient: number
  readonly hessian: number
  /** What the node as a leaf adds to the margin. */
  value: number
  /** Weight of the node's rows. */
  cover: number
  split?: Split
  left: number
  right: number
}

type Candidate = {
  readonly node: number
  readonly split: Split
  readonly sums: Sums
}

/** What is summed of a node's rows, by bin. */
type Sums = { readonly histogram: Float64Array; readonly counts: Uint32Array | undefined }

/** A leaf about to be planted. */
type Leaf = Inheritance & Pick<GrownNode, 'from' | 'to' | 'depth' | 'gradient' | 'hessian'>

/** Space that every tree uses again. */
export type Workshop = {
  readonly kernels: Kernels
  readonly evaluator: Evaluator
  readonly scratch: Uint32Array
  /** By bin, which categories of a split go left. */
  readonly table: Uint8Array
  readonly free: Sums[]
  readonly features: number
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
    table: kernels.bytes(256),
    free: [],
    features,
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
  const { binned, derivatives, rows, features, limits } = ground
  const shared = { binned, derivatives, rows, features, penalties: params }
  const common = limits === undefined ? shared : { ...shared, limits }
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
  for (const { sums } of open) free.push(sums)
  coverNodes(nodes, ground)
  return nodes

  function plantRoot(): void {
    const sums = takeSums(workshop, limits)
    const to = rows.length
    evaluator.evaluate({ ...common, sum: sumInto(sums, 0, to), sides: [] })
    const { lower = -Infinity, upper = Infinity, groups } = limits ?? {}
    const heir: Inheritance = groups === undefined ? { lower, upper } : { lower, upper, groups }
    const root = { from: 0, to, depth: 0, ...sumOfBins(sums.histogram, features[0]), ...heir }
    const [split] = evaluator.evaluate({ ...common, sides: [sideOf(root, sums, 0)] })
    offer(plant(root, params.l2), split, sums)
  }

  /** Sums the smaller child; the larger is what remains of the parent. */
  function branch({ split, sums }: Candidate, parent: GrownNode): void {
    const { from, to } = parent
    const middle = partition(ground, parent, split, workshop)
    // Sums are exact, so a side with a hessian has rows.
    if (middle === from || middle === to) throw new Error('a split left one side without rows')
    parent.split = split
    const { left, right, l2 } = part(parent, split, middle)
    parent.left = plant(left, l2)
    parent.right = plant(right, l2)
    if (left.depth >= params.depth || leaves >= params.leaves) {
      free.push(sums)
      return
    }
    const other = takeSums(workshop, limits)
    const leftIsSmaller = middle - from <= to - middle
    const smaller = leftIsSmaller ? left : right
    const [leftSums, rightSums] = leftIsSmaller ? [other, sums] : [sums, other]
    const [leftSplit, rightSplit] = evaluator.evaluate({
      ...common,
      sum: sumInto(other, smaller.from, smaller.to),
      parent: sums.histogram,
      ...(sums.counts && { parentCounts: sums.counts }),
      sides: [sideOf(left, leftSums, 0), sideOf(right, rightSums, 1)],
    })
    offer(parent.left, leftSplit, leftSums)
    offer(parent.right, rightSplit, rightSums)
  }

  /** The two children of a split, and the L2 that their values are held to. */
  function part(
    parent: GrownNode,
    { feature, set, leftGradient, leftHessian }: Split,
    middle: number,
  ): { left: Leaf; right: Leaf; l2: number } {
    const { from, to } = parent
    const depth = parent.depth + 1
    const left = { from, to: middle, depth, gradient: leftGradient, hessian: leftHessian }
    const gradient = parent.gradient - leftGradient
    const hessian = parent.hessian - leftHessian
    const right = { from: middle, to, depth, gradient, hessian }
    const { lower, upper } = parent
    if (limits === undefined) {
      return { left: { ...left, lower, upper }, right: { ...right, lower, upper }, l2: params.l2 }
    }
    const { terms } = limits
    // Categories that were put in order are held more tightly, because the order was chosen too.
    const ordered = set !== undefined && binned.missing[feature] - 1 > terms[TERM.oneHot]
    const l2 = params.l2 + (ordered ? terms[TERM.categoryL2] : 0)
    const weights = [left, right].map((leaf) => weightOf({ ...leaf, lower, upper }, l2))
    const [leftHeir, rightHeir] = inherit(limits, parent, feature, weights[0], weights[1])
    return { left: { ...left, ...leftHeir }, right: { ...right, ...rightHeir }, l2 }
  }

  function weightOf({ gradient, hessian, lower, upper }: Omit<Leaf, 'depth'>, l2: number): number {
    return clamp(leafWeight(gradient, hessian, params.l1, l2), lower, upper)
  }

  function plant(leaf: Leaf, l2: number): number {
    const value = params.learningRate * weightOf(leaf, l2) + 0
    return nodes.push({ ...leaf, value, cover: 0, left: -1, right: -1 }) - 1
  }

  function sideOf(leaf: Leaf, { histogram, counts }: Sums, side: number): Side {
    const { gradient, hessian } = leaf
    if (limits === undefined) return { histogram, gradient, hessian }
    const own = sideLimits(limits, leaf, side, features, counts, ground.random)
    return { histogram, gradient, hessian, limits: own }
  }

  /** Opens a leaf where it has a good split. */
  function offer(node: number, split: Split | undefined, sums: Sums): void {
    if (split === undefined) free.push(sums)
    else open.push({ node, split, sums })
  }
}

function sumInto({ histogram, counts }: Sums, from: number, to: number) {
  return { into: histogram, from, to, ...(counts && { counts }) }
}

function next(open: readonly Candidate[], growth: BoostedTreesParams['growth']): number {
  // Candidates stand in the order of their nodes, so the first is also the shallowest.
  if (growth === 'depth-wise') return 0
  let best = 0
  for (let i = 1; i < open.length; i++) if (open[i].split.gain > open[best].split.gain) best = i
  return best
}

/** Histograms are large and short-lived: they are used again instead of allocated again. */
function takeSums({ kernels, free, features }: Workshop, limits: Limits | undefined): Sums {
  const used = free.pop()
  if (used !== undefined) {
    used.histogram.fill(0)
    used.counts?.fill(0)
    return used
  }
  const counts = limits?.counted === true ? kernels.wholes(256 * features) : undefined
  return { histogram: kernels.numbers(features * FEATURE_SLOTS), counts }
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
  { feature, bin, set, missingLeft }: Split,
  { kernels, scratch, table }: Workshop,
): number {
  const column = binned.byColumn.subarray(feature * binned.rows, (feature + 1) * binned.rows)
  if (set !== undefined) {
    for (let own = 0; own < 256; own++) table[own] = isInSet(set, own) ? 1 : 0
    return kernels.partitionSet(rows, from, to, column, table, scratch)
  }
  const alsoLeft = missingLeft ? binned.missing[feature] : bin
  return kernels.partition(rows, from, to, column, bin, alsoLeft, scratch)
}

export function isInSet(set: Uint32Array, bin: number): boolean {
  return ((set[bin >>> 5] >>> (bin & 31)) & 1) === 1
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
