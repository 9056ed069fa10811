/** Which part each row, or each group of rows, is given by chance. */
import { createRandom } from '../../lib/random.ts'

export type Numbered = {
  /** The number of each row's group, in order of first appearance. */
  readonly of: Uint32Array
  readonly count: number
}

/** Numbers what belongs together from 0 on, in order of first appearance. */
export function numberGroups(values: ArrayLike<number | string>): Numbered {
  const numbers = new Map<number | string, number>()
  const of = new Uint32Array(values.length)
  for (let row = 0; row < values.length; row++) {
    const number = numbers.get(values[row]) ?? numbers.size
    numbers.set(values[row], number)
    of[row] = number
  }
  return { of, count: numbers.size }
}

type Assignment = {
  readonly seed: number | string
  /** Which of several draws of one seed this is. */
  readonly draw: string
  /** Share of the rows that each part is to get; they add up to 1. */
  readonly shares: readonly number[]
  readonly classes: Numbered | undefined
}

/**
 * Deals the shuffled rows, one class after the other. A part gets row i of the deal where its
 * share of the first i + 1 rows reaches a next whole number, so that its count of any run of rows,
 * and with it of any class, is within one of its share.
 */
export function rowFolds(
  count: number,
  { seed, draw, shares, classes }: Assignment,
): Uint16Array<ArrayBuffer> {
  const random = createRandom(seed).fork(draw)
  const order = random.shuffle(Uint32Array.from({ length: count }, (_, row) => row))
  if (classes !== undefined) order.sort(byClass(order, classes))
  const foldOf = new Uint16Array(count)
  const equal = shares.every((share) => share === shares[0])
  order.forEach((row, i) => {
    foldOf[row] = equal ? i % shares.length : twoParts(i, shares[0])
  })
  return foldOf
}

function twoParts(i: number, share: number): number {
  return Math.floor((i + 1) * share) > Math.floor(i * share) ? 0 : 1
}

/** Sorts by class and, within it, keeps the order of the shuffle. */
function byClass(order: Uint32Array, { of }: Numbered): (a: number, b: number) => number {
  const place = new Uint32Array(order.length)
  order.forEach((row, i) => (place[row] = i))
  return (a, b) => of[a] - of[b] || place[a] - place[b]
}

/**
 * Gives each group, the large ones first, to the part in which the squared counts of all classes,
 * each relative to the part's share of its class, grow least; of equal parts to the least full, so
 * that none of equal shares stays empty, then to the one drawn. So with one class a group goes to
 * the part that is least full (Graham 1969, longest first), and no two equal parts differ by more
 * than the largest group. Groups of about the same size (within a factor of two) come in drawn
 * order, so that repetitions differ.
 */
export function groupFolds(
  groups: Numbered,
  { seed, draw, shares, classes }: Assignment,
): Uint16Array<ArrayBuffer> {
  const random = createRandom(seed).fork(draw)
  const of = classes?.of ?? new Uint32Array(groups.of.length)
  const classCount = classes?.count ?? 1
  const counts = new Float64Array(groups.count * classCount)
  const totals = new Float64Array(classCount)
  for (let row = 0; row < of.length; row++) {
    counts[groups.of[row] * classCount + of[row]]++
    totals[of[row]]++
  }
  const order = random.shuffle(Uint32Array.from({ length: groups.count }, (_, group) => group))
  sortByMagnitude(order, magnitudes(counts, totals, of.length))
  const filled = new Float64Array(shares.length * classCount)
  const rowsOf = new Float64Array(shares.length)
  const partOf = new Uint16Array(groups.count)
  const parts = Array.from(shares.keys())
  for (const group of order) {
    const own = counts.subarray(group * classCount, (group + 1) * classCount)
    random.shuffle(parts)
    let best = parts[0]
    let least = Infinity
    for (const part of parts) {
      let growth = 0
      for (let c = 0; c < classCount; c++) {
        const before = filled[part * classCount + c]
        growth += (own[c] * (2 * before + own[c])) / (totals[c] * totals[c] * shares[part])
      }
      if (growth < least || (growth === least && rowsOf[part] < rowsOf[best])) {
        least = growth
        best = part
      }
    }
    partOf[group] = best
    for (let c = 0; c < classCount; c++) {
      filled[best * classCount + c] += own[c]
      rowsOf[best] += own[c]
    }
  }
  return Uint16Array.from(groups.of, (group) => partOf[group])
}

/** How much each group weighs: its rows, those of rare classes more, in powers of two. */
function magnitudes(counts: Float64Array, totals: Float64Array, rows: number): Uint8Array {
  const magnitude = new Uint8Array(counts.length / totals.length)
  for (let group = 0; group < magnitude.length; group++) {
    let weight = 0
    for (let c = 0; c < totals.length; c++) {
      weight += (counts[group * totals.length + c] * rows) / totals[c]
    }
    magnitude[group] = 32 - Math.clz32(Math.min(Math.ceil(weight), 2 ** 31))
  }
  return magnitude
}

function sortByMagnitude(order: Uint32Array, magnitude: Uint8Array): void {
  const place = new Uint32Array(order.length)
  order.forEach((group, i) => (place[group] = i))
  order.sort((a, b) => magnitude[b] - magnitude[a] || place[a] - place[b])
}
