/** Trees of a random forest one by one, each from rows drawn for it: the same whoever grows it. */
import { createRandom, type Random } from '../../lib/random.ts'
import { createGrower, type Ground, type Grown } from './random-forest-grow.ts'

/** What all trees of a forest are grown from. */
export type ForestGround = Ground & {
  /** Weight of every row. */
  readonly weights: Float64Array
  /** Rows drawn for a tree, as a share of all. */
  readonly rowSample: number
  readonly seed: number | string
}

/** A tree and the rows it was grown from, each once; those of a leaf lie together. */
export type BaggedTree = {
  readonly grown: Grown
  readonly rows: Uint32Array
}

/** Grows the tree of an index; the next one is written over its arrays. */
export type TreeMaker = (index: number) => BaggedTree

export function createTreeMaker(ground: ForestGround): TreeMaker {
  const grow = createGrower(ground)
  const random = createRandom(ground.seed)
  return (index) => {
    // Each tree has streams of its own, so that it is the same if it is grown alone.
    const own = random.fork(`tree-${index}`)
    const bag = drawBag(ground.weights, ground.rowSample, own.fork('rows'))
    return { grown: grow(bag.rows, bag.weights, own.fork('features')), rows: bag.rows }
  }
}

/** A copy that the next tree does not touch, no longer than the tree is large. */
export function keepTree({ grown, rows }: BaggedTree): BaggedTree {
  const { nodes, sets } = grown
  const outputs = grown.values.length / grown.left.length
  return {
    rows,
    grown: {
      left: grown.left.slice(0, nodes),
      right: grown.right.slice(0, nodes),
      from: grown.from.slice(0, nodes),
      to: grown.to.slice(0, nodes),
      depth: grown.depth.slice(0, nodes),
      weight: grown.weight.slice(0, nodes),
      values: grown.values.slice(0, nodes * outputs),
      feature: grown.feature.slice(0, nodes),
      bin: grown.bin.slice(0, nodes),
      missingLeft: grown.missingLeft.slice(0, nodes),
      sets: new Map(sets),
      nodes,
    },
  }
}

function drawBag(weights: Float64Array, share: number, random: Random) {
  const drawn = new Uint32Array(weights.length)
  const draws = Math.max(1, Math.round(share * weights.length))
  for (let draw = 0; draw < draws; draw++) drawn[random.int(weights.length)]++
  let count = 0
  const rows = new Uint32Array(Math.min(draws, weights.length))
  for (let row = 0; row < drawn.length; row++) if (drawn[row] > 0) rows[count++] = row
  return {
    rows: rows.slice(0, count),
    weights: weights.map((weight, row) => weight * drawn[row]),
  }
}
