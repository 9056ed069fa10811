/** The kernels of SHAP values written down plainly: what the compiled ones mean, and their stand-in. */
import { type Batch, BLOCK, MISSING, type ShapKernels, type Walk } from './shap-kernels.ts'

export function plainShapKernels(): ShapKernels {
  return {
    numbers: (length) => new Float64Array(length),
    wholes: (length) => new Int32Array(length),
    shorts: (length) => new Uint16Array(length),
    bytes: (length) => new Uint8Array(length),
    walk: (tables) => (from, to, row, values) => {
      descend(tables, from, to, row)
      ascend(tables, from, to, values)
    },
    batch: (batch) => ({
      mark: (from, to, start, rows) => mark(batch, from, to, start, rows),
      add(from, to, start, rows) {
        mark(batch, from, to, start, rows)
        add(batch, from, to, start, rows)
      },
    }),
    tabulateShares,
    tabulateCounts,
  }
}

/** Follows the row: which edges it takes, and the product of factors at each node of a tree. */
function descend(walk: Walk, from: number, to: number, row: Float64Array): void {
  const { feature, threshold, missingLeft, left, right, products, stride } = walk
  products.fill(1, 0, stride)
  for (let node = from; node < to; node++) {
    if (feature[node] < 0) continue
    const value = row[feature[node]]
    const goesLeft = value === value ? value <= threshold[node] : missingLeft[node] === 1
    enter(walk, left[node], goesLeft, node, from)
    enter(walk, right[node], !goesLeft, node, from)
  }
}

/**
 * Where the feature of the edge occurs above already, its factor there is replaced, not multiplied
 * again.
 */
function enter(walk: Walk, child: number, follows: boolean, node: number, from: number): void {
  const { previous, share, points, rests, weights, stride } = walk
  const { taken, products, factors, gains } = walk
  const before = previous[child]
  const here = follows && (before < 0 || taken[before - from] === 1) ? 1 : 0
  taken[child - from] = here
  const z = share[child]
  const at = (child - from) * stride
  const above = (node - from) * stride
  const old = (before - from) * stride
  for (let k = 0; k < stride; k++) {
    const factor = here * points[k] + z * rests[k]
    factors[at + k] = factor
    gains[at + k] = (weights[k] * (here - z)) / factor
    products[at + k] = products[above + k] * (before < 0 ? factor : factor / factors[old + k])
  }
}

/**
 * Turns products into sums over the leaves below, from the last node up, and adds up gains. Leaves
 * below two edges of a feature count for the deeper one, no longer for the one above.
 */
function ascend(walk: Walk, from: number, to: number, values: Float64Array): void {
  const { feature, left, right, value, edgeFeature, previous, products, gains, width, stride } =
    walk
  for (let node = to - 1; node > from; node--) {
    const at = (node - from) * stride
    if (feature[node] < 0) {
      for (let k = 0; k < width; k++) products[at + k] *= value[node]
    } else {
      const first = (left[node] - from) * stride
      const second = (right[node] - from) * stride
      for (let k = 0; k < width; k++) products[at + k] = products[first + k] + products[second + k]
    }
    const before = previous[node]
    const old = (before - from) * stride
    let added = 0
    for (let k = 0; k < width; k++) {
      added += products[at + k] * (before < 0 ? gains[at + k] : gains[at + k] - gains[old + k])
    }
    values[edgeFeature[node]] += added
  }
}

function mark(batch: Batch, from: number, to: number, start: number, rows: number): void {
  const { feature, missingLeft, left, right, codesAt, code, place, codes, lost } = batch
  lost.fill(0, 0, rows)
  for (let node = from; node < to; node++) {
    if (feature[node] < 0) continue
    const above = (node - from) * BLOCK
    const toLeft = (left[node] - from) * BLOCK
    const toRight = (right[node] - from) * BLOCK
    const bit = 1 << place[left[node]]
    const own = codesAt[node] + start
    for (let i = 0; i < rows; i++) {
      const seen = codes[own + i]
      const goesLeft = seen === MISSING ? missingLeft[node] === 1 : seen <= code[node]
      lost[toLeft + i] = lost[above + i] | (goesLeft ? 0 : bit)
      lost[toRight + i] = lost[above + i] | (goesLeft ? bit : 0)
    }
  }
}

function add(batch: Batch, from: number, to: number, start: number, rows: number): void {
  const { feature, distinct, pathAt, path, tableAt, table, column, values, lost } = batch
  for (let leaf = from; leaf < to; leaf++) {
    if (feature[leaf] >= 0) continue
    const masks = (leaf - from) * BLOCK
    for (let j = 0; j < distinct[leaf]; j++) {
      const own = tableAt[leaf] + (j << distinct[leaf])
      const sums = path[pathAt[leaf] + j] * column + start
      for (let i = 0; i < rows; i++) values[sums + i] += table[own + lost[masks + i]]
    }
  }
}

function tabulateShares(
  table: Float64Array,
  count: number,
  shares: Float64Array,
  value: number,
  points: Float64Array,
  weights: Float64Array,
  products: Float64Array,
): void {
  const size = 1 << count
  table.fill(0, 0, size * count)
  for (let k = 0; k < points.length; k++) {
    const t = points[k]
    products[0] = value * weights[k]
    for (let j = 0; j < count; j++) {
      const lost = shares[j] * (1 - t)
      const kept = t + lost
      const half = 1 << j
      for (let set = 0; set < half; set++) {
        const above = products[set]
        products[set + half] = above * lost
        products[set] = above * kept
      }
    }
    for (let j = 0; j < count; j++) {
      const lost = shares[j] * (1 - t)
      const keptGain = (1 - shares[j]) / (t + lost)
      const lostGain = (0 - shares[j]) / lost
      for (let set = 0; set < size; set++) {
        table[(j << count) + set] += products[set] * ((set >> j) & 1 ? lostGain : keptGain)
      }
    }
  }
}

function tabulateCounts(
  table: Float64Array,
  count: number,
  counts: Float64Array,
  value: number,
  shapley: Float64Array,
): void {
  const size = 1 << count
  table.fill(0, 0, size * count)
  for (let away = 0; away < size; away++) {
    if (counts[away] === 0) continue
    const worth = value * counts[away]
    const p = bitCount(away)
    // The row reaches the leaf in some coalition only if it keeps all that the background loses.
    for (let lost = 0; lost < size; lost++) {
      if ((lost & away) !== 0) continue
      const q = bitCount(lost)
      const gives = worth * shapley[17 * p + q]
      const takes = worth * shapley[17 * q + p]
      for (let j = 0; j < count; j++) {
        if ((away >> j) & 1) table[(j << count) + lost] += gives
        if ((lost >> j) & 1) table[(j << count) + lost] -= takes
      }
    }
  }
}

function bitCount(bits: number): number {
  let count = 0
  for (let left = bits; left !== 0; left &= left - 1) count++
  return count
}
