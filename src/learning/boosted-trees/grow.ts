/** Growing one tree on binned rows. */
import type { BoostedTreesParams } from '../model.ts'
import { type BinnedMatrix, missingBin } from './bins.ts'
import { addToHistogram, subtractHistogram } from './histogram.ts'
import { bestSplit, leafWeight, type Split } from './split.ts'

/** What one tree is grown from. */
export type Ground = {
  readonly binned: BinnedMatrix
  /** (gradient, hessian) pairs of the loss, a pair a row. */
  readonly derivatives: Float64Array
  readonly weights: Float64Array
  /** The sampled rows, ascending; reordered in place so that each leaf's rows lie together. */
  readonly rows: Uint32Array
  /** The sampled features, ascending. */
  readonly features: Int32Array
}

/** A node while its tree grows; children are indices into the same list. */
export type GrownNode = {
  readonly from: number
  readonly to: number
  readonly depth: number
  readonly cover: number
  readonly value: number
  split?: Split
  left: number
  right: number
}

type Candidate = {
  readonly node: number
  readonly split: Split
  readonly histogram: Float64Array
  readonly gradient: number
  readonly hessian: number
}

/**
 * Grows a tree until no leaf may or should be split. Leaf-wise takes the split of highest gain
 * next, depth-wise the shallowest; the older node wins a tie. Parents precede their children.
 */
export function growTree(
  ground: Ground,
  params: BoostedTreesParams,
  pool: HistogramPool,
): GrownNode[] {
  const nodes: GrownNode[] = []
  const open: Candidate[] = []
  const scratch = new Uint32Array(ground.rows.length)
  const histogram = sumHistogram(ground, 0, ground.rows.length, pool)
  plant(0, ground.rows.length, 0, histogram)

  let leaves = 1
  while (open.length > 0 && leaves < params.leaves) {
    const candidate = open.splice(next(open, params.growth), 1)[0]
    const parent = nodes[candidate.node]
    const middle = partition(ground, parent, candidate.split, scratch)
    if (middle === parent.from || middle === parent.to) {
      // Rounding in subtracted histograms can show a gain where there are no rows.
      pool.release(candidate.histogram)
      continue
    }
    parent.split = candidate.split
    leaves++
    branch(candidate, parent, middle)
  }
  for (const candidate of open) pool.release(candidate.histogram)
  return nodes

  /** Sums the smaller child; the larger is what remains of the parent. */
  function branch(candidate: Candidate, parent: GrownNode, middle: number): void {
    const depth = parent.depth + 1
    const leftIsSmaller = middle - parent.from <= parent.to - middle
    if (depth >= params.depth) {
      pool.release(candidate.histogram)
      parent.left = plant(parent.from, middle, depth, undefined)
      parent.right = plant(middle, parent.to, depth, undefined)
      return
    }
    const smaller = leftIsSmaller
      ? sumHistogram(ground, parent.from, middle, pool)
      : sumHistogram(ground, middle, parent.to, pool)
    subtractHistogram(candidate.histogram, smaller)
    const left = leftIsSmaller ? smaller : candidate.histogram
    const right = leftIsSmaller ? candidate.histogram : smaller
    parent.left = plant(parent.from, middle, depth, left)
    parent.right = plant(middle, parent.to, depth, right)
  }

  /** Adds a leaf over rows[from … to), and its split, if there is a good one, to the open ones. */
  function plant(from: number, to: number, depth: number, own: Float64Array | undefined): number {
    const { gradient, hessian, cover } = sumRows(ground, from, to)
    const value = params.learningRate * leafWeight(gradient, hessian, params.l1, params.l2) + 0
    const node = nodes.push({ from, to, depth, cover, value, left: -1, right: -1 }) - 1
    if (own === undefined) return node
    const split = bestSplit(own, ground.binned, ground.features, gradient, hessian, params)
    if (split === undefined) pool.release(own)
    else open.push({ node, split, histogram: own, gradient, hessian })
    return node
  }
}

/** Histograms are large and short-lived: they are used again instead of allocated again. */
export type HistogramPool = {
  take(): Float64Array
  release(histogram: Float64Array): void
}

export function createHistogramPool(size: number): HistogramPool {
  const free: Float64Array[] = []
  return {
    take: () => free.pop()?.fill(0) ?? new Float64Array(size),
    release: (histogram) => void free.push(histogram),
  }
}

function next(open: readonly Candidate[], growth: BoostedTreesParams['growth']): number {
  // Candidates stand in the order of their nodes, so the first is also the shallowest.
  if (growth === 'depth-wise') return 0
  let best = 0
  for (let i = 1; i < open.length; i++) if (open[i].split.gain > open[best].split.gain) best = i
  return best
}

function sumHistogram(ground: Ground, from: number, to: number, pool: HistogramPool): Float64Array {
  const { binned, features, rows, derivatives } = ground
  const histogram = pool.take()
  const { byRow, offsets } = binned
  addToHistogram(histogram, byRow, binned.features, offsets, features, rows, from, to, derivatives)
  return histogram
}

/** Sums over the rows themselves: leaf values must not carry the rounding of subtractions. */
function sumRows(
  ground: Ground,
  from: number,
  to: number,
): { gradient: number; hessian: number; cover: number } {
  const { rows, derivatives, weights } = ground
  let gradient = 0
  let hessian = 0
  let cover = 0
  for (let i = from; i < to; i++) {
    const row = rows[i]
    gradient += derivatives[2 * row]
    hessian += derivatives[2 * row + 1]
    cover += weights[row]
  }
  return { gradient, hessian, cover }
}

/** Moves a node's left rows to the front, both sides keeping their order; returns the border. */
function partition(ground: Ground, node: GrownNode, split: Split, scratch: Uint32Array): number {
  const { binned, rows } = ground
  const column = split.feature * binned.rows
  const missing = missingBin(binned, split.feature)
  let left = node.from
  let right = 0
  for (let i = node.from; i < node.to; i++) {
    const row = rows[i]
    const bin = binned.byColumn[column + row]
    if (bin === missing ? split.missingLeft : bin <= split.bin) rows[left++] = row
    else scratch[right++] = row
  }
  rows.set(scratch.subarray(0, right), left)
  return left
}
