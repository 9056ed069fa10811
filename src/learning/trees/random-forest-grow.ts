/** Growing one tree of a random forest on binned rows. */
import type { Random } from '../../lib/random.ts'
import type { BinnedMatrix } from './bins.ts'
import {
  createCutSearch,
  type Cut,
  type NodeRows,
  ROWS,
  SUMS,
  WEIGHT,
} from './random-forest-cuts.ts'

/** What the trees of a forest are grown from. */
export type Ground = {
  readonly binned: BinnedMatrix
  /** The index of the row's class if `classes` is above 0, else a number. */
  readonly labels: Float64Array
  /** How many classes share the leaf; 0: leaves hold the mean label. */
  readonly classes: number
  /** Subtracted from numbers before they are summed, so that far ones keep their digits. */
  readonly centre: number
  /** Features that are drawn for a node. */
  readonly nodeFeatures: number
  readonly depth: number
  readonly leaves: number
  readonly minChildRows: number
}

/** A grown tree, one entry a node; a parent comes before its children. */
export type Grown = {
  /** The root's children are never the root, so 0 means a leaf. */
  readonly left: Uint32Array
  readonly right: Uint32Array
  /** The rows of the node among those that the tree was grown from. */
  readonly from: Uint32Array
  readonly to: Uint32Array
  readonly depth: Uint8Array
  readonly weight: Float64Array
  /** Mean label, or the share of each class, node after node. */
  readonly values: Float64Array
  readonly feature: Uint32Array
  readonly bin: Uint8Array
  readonly missingLeft: Uint8Array
  /** By node, the bins that go left where a feature of categories is parted. */
  readonly sets: Map<number, Uint8Array>
  nodes: number
}

/**
 * Grows a tree from the rows listed, which it reorders so that those of a leaf lie together. The
 * next tree is written over it.
 */
export type Grower = (rows: Uint32Array, weights: Float64Array, random: Random) => Grown

/** Prepares the space that all trees use again. */
export function createGrower(ground: Ground): Grower {
  const { binned, labels, classes, centre } = ground
  const outputs = Math.max(1, classes)
  const tree = emptyTree(2 * Math.min(ground.leaves, binned.rows) - 1, outputs)
  const search = createCutSearch(binned, classes)
  const scratch = new Uint32Array(binned.rows)
  const nodeWeights = new Float64Array(binned.rows)
  const nodeLabels = new Float64Array(binned.rows)
  const total = new Float64Array(SUMS + outputs)
  const space = Uint32Array.from({ length: binned.features }, (_, feature) => feature)

  return (rows, weights, random) => {
    /** Leaves that can be split, by ascending gain; of equals the older one last. */
    const open: Candidate[] = []
    // As if it were the first: what is drawn for a tree does not depend on the trees before it.
    for (let feature = 0; feature < space.length; feature++) space[feature] = feature
    tree.nodes = 0
    tree.sets.clear()
    plant(0, rows.length, 0)
    for (let leaves = 1; leaves < ground.leaves; leaves++) {
      const candidate = open.pop()
      if (candidate === undefined) break
      branch(candidate)
    }
    return tree

    function plant(from: number, to: number, depth: number): number {
      const node = tree.nodes++
      const pure = gather(rows, weights, from, to)
      tree.left[node] = 0
      tree.from[node] = from
      tree.to[node] = to
      tree.depth[node] = depth
      tree.weight[node] = total[WEIGHT]
      for (let k = 0; k < outputs; k++) {
        tree.values[node * outputs + k] = total[SUMS + k] / total[WEIGHT] + centre
      }
      // A mean of equal labels is that label, whatever the rounding.
      if (pure && classes === 0) tree.values[node] = labels[rows[from]]
      const splits = depth < ground.depth && to - from >= 2 * ground.minChildRows
      if (!pure && splits) offer(node, from, to)
      return node
    }

    function offer(node: number, from: number, to: number): void {
      const own = { rows, from, to, weights: nodeWeights, labels: nodeLabels, total }
      const cut = findCut(own, random)
      if (cut.feature < 0) return
      let squares = 0
      for (let k = SUMS; k < total.length; k++) squares += total[k] * total[k]
      // No cut makes things worse; rounding can say so.
      insert(open, { node, cut, gain: Math.max(0, cut.worth - squares / total[WEIGHT]) })
    }

    function branch({ node, cut }: Candidate): void {
      const from = tree.from[node]
      const to = tree.to[node]
      const depth = tree.depth[node] + 1
      const middle = partition(rows, from, to, cut)
      tree.feature[node] = cut.feature
      tree.bin[node] = cut.bin
      if (cut.set !== undefined) tree.sets.set(node, cut.set)
      const left = plant(from, middle, depth)
      const right = plant(middle, to, depth)
      tree.left[node] = left
      tree.right[node] = right
      // Where no row of the node lacked the feature, a missing value goes with the majority.
      const majority = tree.weight[left] >= tree.weight[right]
      tree.missingLeft[node] = (cut.knowsMissing ? cut.missingLeft : majority) ? 1 : 0
    }
  }

  /** Copies weights and labels of a node's rows, sums them, and tells whether all labels agree. */
  function gather(rows: Uint32Array, weights: Float64Array, from: number, to: number): boolean {
    const first = labels[rows[from]]
    let pure = true
    let weightOfAll = 0
    let sum = 0
    total.fill(0)
    for (let i = from; i < to; i++) {
      const label = labels[rows[i]]
      const weight = weights[rows[i]]
      if (label !== first) pure = false
      weightOfAll += weight
      nodeWeights[i] = weight
      if (classes > 0) {
        total[SUMS + label] += weight
        nodeLabels[i] = SUMS + label
      } else {
        const weighted = weight * (label - centre)
        sum += weighted
        nodeLabels[i] = weighted
      }
    }
    total[ROWS] = to - from
    total[WEIGHT] = weightOfAll
    if (classes === 0) total[SUMS] = sum
    return pure
  }

  /**
   * Tries features drawn for the node, and further ones while all those tried are constant in it,
   * as scikit-learn does.
   */
  function findCut(node: NodeRows, random: Random): Cut {
    const cut = emptyCut()
    let varying = 0
    for (let drawn = 0; drawn < space.length; drawn++) {
      if (drawn >= ground.nodeFeatures && varying > 0) break
      const at = drawn + random.int(space.length - drawn)
      const feature = space[at]
      space[at] = space[drawn]
      space[drawn] = feature
      if (search(feature, node, ground.minChildRows, cut)) varying++
    }
    return cut
  }

  function partition(rows: Uint32Array, from: number, to: number, cut: Cut): number {
    const { feature, bin, set, knowsMissing } = cut
    const column = binned.byColumn.subarray(feature * binned.rows, (feature + 1) * binned.rows)
    const missing = binned.missing[feature]
    const alsoLeft = knowsMissing && cut.missingLeft ? missing : -1
    let border = from
    let others = 0
    for (let i = from; i < to; i++) {
      const row = rows[i]
      const own = column[row]
      if ((set ? set[own] === 1 : own <= bin) || own === alsoLeft) rows[border++] = row
      else scratch[others++] = row
    }
    rows.set(scratch.subarray(0, others), border)
    return border
  }
}

/** The leaf that a row of the binned matrix reaches. */
export function leafOfBins(tree: Grown, binned: BinnedMatrix, row: number): number {
  const { left, right, feature, bin, missingLeft, sets } = tree
  let node = 0
  while (left[node] > 0) {
    const split = feature[node]
    const own = binned.byColumn[split * binned.rows + row]
    const set = binned.codes[split] === undefined ? undefined : sets.get(node)
    let goesLeft = own <= bin[node]
    if (own === binned.missing[split]) goesLeft = missingLeft[node] === 1
    else if (set !== undefined) goesLeft = set[own] === 1
    node = goesLeft ? left[node] : right[node]
  }
  return node
}

type Candidate = { readonly node: number; readonly gain: number; readonly cut: Cut }

function insert(open: Candidate[], candidate: Candidate): void {
  let low = 0
  let high = open.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (open[middle].gain < candidate.gain) low = middle + 1
    else high = middle
  }
  open.splice(low, 0, candidate)
}

function emptyCut(): Cut {
  return {
    worth: -1,
    feature: -1,
    bin: 0,
    set: undefined,
    missingLeft: false,
    knowsMissing: false,
  }
}

function emptyTree(nodes: number, outputs: number): Grown {
  return {
    left: new Uint32Array(nodes),
    right: new Uint32Array(nodes),
    from: new Uint32Array(nodes),
    to: new Uint32Array(nodes),
    depth: new Uint8Array(nodes),
    weight: new Float64Array(nodes),
    values: new Float64Array(nodes * outputs),
    feature: new Uint32Array(nodes),
    bin: new Uint8Array(nodes),
    missingLeft: new Uint8Array(nodes),
    sets: new Map(),
    nodes: 0,
  }
}
