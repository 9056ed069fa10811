/** The kernels written down plainly: the meaning of the compiled ones, and their stand-in. */
import { exp, sigmoid } from '../../lib/math.ts'
import { FEATURE_SLOTS, type Kernels } from './kernels.ts'
import { findSplitWithin } from './plain-search.ts'
import { worth } from './worth.ts'

export function plainKernels(): Kernels {
  return {
    numbers: (length) => new Float64Array(length),
    wholes: (length) => new Uint32Array(length),
    bytes: (length) => new Uint8Array(length),

    addToHistogram(histogram, byRow, stride, features, rows, from, to, derivatives) {
      for (let i = from; i < to; i++) {
        const row = rows[i]
        const gradient = derivatives[2 * row]
        const hessian = derivatives[2 * row + 1]
        const at = row * stride
        for (let feature = 0; feature < features; feature++) {
          const slot = FEATURE_SLOTS * feature + 2 * byRow[at + feature]
          histogram[slot] += gradient
          histogram[slot + 1] += hessian
        }
      }
    },

    addSomeToHistogram(histogram, byRow, stride, features, rows, from, to, derivatives) {
      for (let i = from; i < to; i++) {
        const row = rows[i]
        const gradient = derivatives[2 * row]
        const hessian = derivatives[2 * row + 1]
        const at = row * stride
        for (const feature of features) {
          const slot = FEATURE_SLOTS * feature + 2 * byRow[at + feature]
          histogram[slot] += gradient
          histogram[slot + 1] += hessian
        }
      }
    },

    subtractHistogram(parent, child, features, missing) {
      for (const feature of features) {
        const start = FEATURE_SLOTS * feature
        const end = start + 2 * (missing[feature] + 1)
        for (let slot = start; slot < end; slot++) parent[slot] -= child[slot]
      }
    },

    findSplit,
    findSplitWithin,

    countBins(counts, byRow, stride, features, rows, from, to) {
      for (let i = from; i < to; i++) {
        const at = rows[i] * stride
        for (const feature of features) counts[256 * feature + byRow[at + feature]]++
      }
    },

    subtractCounts(parent, child, features) {
      for (const feature of features) {
        for (let at = 256 * feature; at < 256 * (feature + 1); at++) parent[at] -= child[at]
      }
    },

    partition(rows, from, to, column, bin, alsoLeft, scratch) {
      let left = from
      let right = 0
      for (let i = from; i < to; i++) {
        const row = rows[i]
        const own = column[row]
        if (own <= bin || own === alsoLeft) rows[left++] = row
        else scratch[right++] = row
      }
      rows.set(scratch.subarray(0, right), left)
      return left
    },

    partitionSet(rows, from, to, column, table, scratch) {
      let left = from
      let right = 0
      for (let i = from; i < to; i++) {
        const row = rows[i]
        if (table[column[row]] === 1) rows[left++] = row
        else scratch[right++] = row
      }
      rows.set(scratch.subarray(0, right), left)
      return left
    },

    addLeaves(margins, rows, leaves) {
      for (let leaf = 0; leaf < leaves.length; leaf += 3) {
        const value = leaves[leaf + 2]
        for (let i = leaves[leaf]; i < leaves[leaf + 1]; i++) margins[rows[i]] += value
      }
    },

    differentiate(derivatives, margins, labels, weights, quantum) {
      const magic = quantum * 6755399441055744 // 1.5 · 2⁵²: adding it rounds to whole quanta.
      for (let row = 0; row < margins.length; row++) {
        const p = sigmoid(margins[row])
        const gradient = weights[row] * (p - labels[row])
        const hessian = weights[row] * p * (1 - p)
        derivatives[2 * row] = gradient + magic - magic
        derivatives[2 * row + 1] = Math.max(hessian + magic - magic, quantum)
      }
    },

    softmax(shares, margins, rows) {
      for (let row = 0; row < rows; row++) {
        let most = margins[row]
        for (let at = row + rows; at < margins.length; at += rows) {
          if (margins[at] > most) most = margins[at]
        }
        let sum = 0
        for (let at = row; at < margins.length; at += rows) {
          shares[at] = exp(Math.max(margins[at] - most, -700))
          sum += shares[at]
        }
        for (let at = row; at < margins.length; at += rows) shares[at] /= sum
      }
    },

    lanes: 1,
    sortColumns: (values) => values.map((column) => column.sort()),
    binColumns: (bins, values, cuts, missing) =>
      values.forEach((column, i) => binColumn(bins[i], column, cuts[i], missing[i])),

    transposeBins(byRow, byColumn, rows, stride) {
      for (let feature = 0; feature * rows < byColumn.length; feature++) {
        const column = feature * rows
        for (let row = 0; row < rows; row++) byRow[row * stride + feature] = byColumn[column + row]
      }
    },
  }
}

const findSplit: Kernels['findSplit'] = (
  found,
  histogram,
  features,
  missingBins,
  hasMissing,
  gradient,
  hessian,
  parentWorth,
  { l1, l2, gamma, minChildWeight },
) => {
  // Every row has some hessian, so a child without any has no rows.
  const least = Math.max(minChildWeight, Number.MIN_VALUE)
  found[0] = gamma
  found[1] = -1
  const consider = (feature: number, bin: number, side: number, g: number, h: number): void => {
    if (h < least || hessian - h < least) return
    const apart = worth(g, h, l1, l2) + worth(gradient - g, hessian - h, l1, l2)
    const gain = 0.5 * (apart - parentWorth)
    if (gain > found[0]) found.set([gain, feature, bin, side, g, h])
  }
  for (const feature of features) {
    const start = FEATURE_SLOTS * feature
    const missing = missingBins[feature]
    const missingGradient = histogram[start + 2 * missing]
    const missingHessian = histogram[start + 2 * missing + 1]
    const lacks = hasMissing[feature] === 1
    const last = lacks ? missing : missing - 1
    let g = 0
    let h = 0
    for (let bin = 0; bin < last; bin++) {
      // A cut after an empty bin parts the rows as the cut before it.
      if (histogram[start + 2 * bin + 1] === 0) continue
      g += histogram[start + 2 * bin]
      h += histogram[start + 2 * bin + 1]
      consider(feature, bin, 0, g, h)
      if (lacks && bin < missing - 1) {
        consider(feature, bin, 1, g + missingGradient, h + missingHessian)
      }
    }
  }
}

function binColumn(bins: Uint8Array, values: Float64Array, cuts: Float64Array, missing: number) {
  for (let row = 0; row < values.length; row++) {
    const value = values[row]
    let bin = 0
    for (let half = 128; half > 0; half >>= 1) if (value > cuts[bin + half - 1]) bin += half
    bins[row] = value === value ? bin : missing
  }
}
