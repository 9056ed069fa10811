/**
 * The search for the best cut of a node of a random forest.
 *
 * Best is where Σ Sₖ²/W of both sides is largest, W being the weight of a side's rows and Sₖ the
 * weight of its rows of class k, or the weighted sum of its labels: for classes that is the largest
 * decrease of the Gini impurity, for numbers that of the variance (Breiman et al. 1984). Nodes draw
 * features of their own, so histograms of parents are of no use to their children, and most nodes
 * are small: only the bins that occur in a node are visited.
 */
import type { BinnedMatrix } from './bins.ts'

/** A node's rows with their weights and labels, laid out for sums. */
export type NodeRows = {
  readonly rows: Uint32Array
  readonly from: number
  readonly to: number
  /** Weight of row `rows[i]` at i. */
  readonly weights: Float64Array
  /** Of numbers: weight times label; of classes: the slot of the class. */
  readonly labels: Float64Array
  /** Rows, weight and sums of the node, as in a bin. */
  readonly total: Float64Array
}

/** The best cut so far; it is written over as better ones are found. */
export type Cut = {
  worth: number
  feature: number
  /** Rows in bins up to this one go left. */
  bin: number
  /** Of a feature of categories: 1 for bins that go left. */
  set: Uint8Array | undefined
  missingLeft: boolean
  /** Whether a row of the node lacks the feature, so that `missingLeft` was learnt. */
  knowsMissing: boolean
}

/** Slots of a bin: its rows, their weight, then a sum a class, or the sum of labels. */
export const ROWS = 0
export const WEIGHT = 1
export const SUMS = 2

/**
 * Looks for a cut of the feature that beats `cut` and keeps so many rows on each side; returns
 * false if the feature is constant in the node.
 */
export type CutSearch = (feature: number, node: NodeRows, leastRows: number, cut: Cut) => boolean

export function createCutSearch(binned: BinnedMatrix, classes: number): CutSearch {
  const slots = SUMS + Math.max(1, classes)
  const histogram = new Float64Array(256 * slots)
  const occurs = new Int32Array(8)
  const order = new Uint8Array(256)
  const left = new Float64Array(slots)
  const missingSums = new Float64Array(slots)
  const means = new Float64Array(256)

  return (feature, node, leastRows, cut) => {
    const column = binned.byColumn.subarray(feature * binned.rows, (feature + 1) * binned.rows)
    if (classes > 0) addClasses(column, node)
    else addNumbers(column, node)
    const missing = binned.missing[feature]
    const count = listBins(missing)
    takeMissing(missing)
    const lacks = missingSums[ROWS] > 0
    const varies = count + (lacks ? 1 : 0) > 1
    const codes = binned.codes[feature]
    if (varies && codes !== undefined) sortByMean(count, node)
    if (varies && classes > 0) scanClasses(feature, count, lacks, node, leastRows, cut)
    else if (varies) scanNumbers(feature, count, lacks, node, leastRows, cut)
    for (let i = 0; i < count; i++) {
      const slot = order[i] * slots
      for (let k = 0; k < slots; k++) histogram[slot + k] = 0
    }
    return varies
  }

  function addNumbers(column: Uint8Array, { rows, from, to, weights, labels }: NodeRows): void {
    for (let i = from; i < to; i++) {
      const bin = column[rows[i]]
      const slot = 3 * bin
      const before = histogram[slot]
      if (before === 0) occurs[bin >> 5] |= 1 << (bin & 31)
      histogram[slot] = before + 1
      histogram[slot + 1] += weights[i]
      histogram[slot + 2] += labels[i]
    }
  }

  function addClasses(column: Uint8Array, { rows, from, to, weights, labels }: NodeRows): void {
    for (let i = from; i < to; i++) {
      const bin = column[rows[i]]
      const slot = slots * bin
      const before = histogram[slot]
      if (before === 0) occurs[bin >> 5] |= 1 << (bin & 31)
      histogram[slot] = before + 1
      histogram[slot + 1] += weights[i]
      histogram[slot + labels[i]] += weights[i]
    }
  }

  /** The bins that occur, ascending, without that of missing values. */
  function listBins(missing: number): number {
    let count = 0
    for (let word = 0; word < 8; word++) {
      for (let bits = occurs[word]; bits !== 0; bits &= bits - 1) {
        const bin = 32 * word + 31 - Math.clz32(bits & -bits)
        if (bin !== missing) order[count++] = bin
      }
      occurs[word] = 0
    }
    return count
  }

  function takeMissing(missing: number): void {
    const slot = missing * slots
    for (let k = 0; k < slots; k++) {
      missingSums[k] = histogram[slot + k]
      histogram[slot + k] = 0
    }
  }

  /**
   * In the order of their mean labels one of the cuts between categories is the best of all ways
   * to part them (Fisher 1958); of several classes the share of the node's largest one stands in.
   */
  function sortByMean(count: number, { total }: NodeRows): void {
    let leading = SUMS
    for (let k = SUMS; k < slots; k++) if (total[k] > total[leading]) leading = k
    for (let i = 0; i < count; i++) {
      const slot = order[i] * slots
      means[order[i]] = histogram[slot + leading] / histogram[slot + WEIGHT]
    }
    order.subarray(0, count).sort((a, b) => means[a] - means[b] || a - b)
  }

  function scanNumbers(
    feature: number,
    count: number,
    lacks: boolean,
    { total }: NodeRows,
    leastRows: number,
    cut: Cut,
  ): void {
    const [allRows, allWeight, allSum] = total
    const [missingRows, missingWeight, missingSum] = missingSums
    const last = lacks ? count : count - 1
    let rows = 0
    let weight = 0
    let sum = 0
    for (let i = 0; i < last; i++) {
      const slot = 3 * order[i]
      rows += histogram[slot]
      weight += histogram[slot + 1]
      sum += histogram[slot + 2]
      if (rows >= leastRows && allRows - rows >= leastRows) {
        const rest = allSum - sum
        const worth = (sum * sum) / weight + (rest * rest) / (allWeight - weight)
        if (worth > cut.worth) keep(cut, worth, feature, i, count, lacks, false)
      }
      if (!lacks || i + 1 === count) continue
      if (rows + missingRows >= leastRows && allRows - rows - missingRows >= leastRows) {
        const own = sum + missingSum
        const ownWeight = weight + missingWeight
        const rest = allSum - own
        const worth = (own * own) / ownWeight + (rest * rest) / (allWeight - ownWeight)
        if (worth > cut.worth) keep(cut, worth, feature, i, count, lacks, true)
      }
    }
  }

  function scanClasses(
    feature: number,
    count: number,
    lacks: boolean,
    { total }: NodeRows,
    leastRows: number,
    cut: Cut,
  ): void {
    const last = lacks ? count : count - 1
    left.fill(0)
    for (let i = 0; i < last; i++) {
      const slot = slots * order[i]
      for (let k = 0; k < slots; k++) left[k] += histogram[slot + k]
      consider(false)
      if (!lacks || i + 1 === count) continue
      for (let k = 0; k < slots; k++) left[k] += missingSums[k]
      consider(true)
      for (let k = 0; k < slots; k++) left[k] -= missingSums[k]

      function consider(missingLeft: boolean): void {
        if (left[ROWS] < leastRows || total[ROWS] - left[ROWS] < leastRows) return
        const worth = worthOfClasses(total)
        if (worth > cut.worth) keep(cut, worth, feature, i, count, lacks, missingLeft)
      }
    }
  }

  function worthOfClasses(total: Float64Array): number {
    let leftSquares = 0
    let rightSquares = 0
    for (let k = SUMS; k < slots; k++) {
      const rest = total[k] - left[k]
      leftSquares += left[k] * left[k]
      rightSquares += rest * rest
    }
    return leftSquares / left[WEIGHT] + rightSquares / (total[WEIGHT] - left[WEIGHT])
  }

  /** Notes a cut after the bin at position `i`. */
  function keep(
    cut: Cut,
    worth: number,
    feature: number,
    i: number,
    count: number,
    lacks: boolean,
    missingLeft: boolean,
  ): void {
    cut.worth = worth
    cut.feature = feature
    cut.knowsMissing = lacks
    cut.missingLeft = missingLeft
    cut.set = undefined
    if (binned.codes[feature] !== undefined) {
      keepSet(cut, feature, i, count)
      return
    }
    // Halfway to the next bin that occurs; after the last one only missing values remain.
    const ends = i + 1 === count
    cut.bin = ends ? binned.missing[feature] - 1 : (order[i] + order[i + 1] - 1) >> 1
  }

  /** Codes without a bin of their own go right, as codes do that were never seen. */
  function keepSet(cut: Cut, feature: number, i: number, count: number): void {
    const others = binned.missing[feature] - 1
    const at = order.subarray(0, count).indexOf(others)
    const turned = at >= 0 && at <= i
    cut.set = new Uint8Array(256)
    for (let k = 0; k < count; k++) if (k <= i !== turned) cut.set[order[k]] = 1
    // Where the sides change places, missing values change with them.
    if (turned) cut.missingLeft = !cut.missingLeft
  }
}
