/** The search for a split under limits, written down plainly. */
import { FEATURE_SLOTS, FOUND_SET, KIND, type Kernels, NODE, SET_WORDS, TERM } from './kernels.ts'
import { clamp, leafWeight, worth, worthWithin } from './worth.ts'

/** Sums of the rows that would go left. */
type Sums = { readonly gradient: number; readonly hessian: number; readonly rows: number }
type Bins = (bin: number) => Sums

const NOTHING: Sums = { gradient: 0, hessian: 0, rows: 0 }

export const findSplitWithin: Kernels['findSplitWithin'] = (
  found,
  histogram,
  features,
  missingBins,
  hasMissing,
  node,
  { kinds, terms, allowed, counts },
) => {
  const l1 = terms[TERM.l1]
  const least = Math.max(terms[TERM.hessian], Number.MIN_VALUE)
  found[0] = terms[TERM.gamma]
  found[1] = -1

  for (const feature of features) {
    if (allowed !== undefined && allowed[feature] === 0) continue
    const missing = missingBins[feature]
    const lacks = hasMissing[feature] === 1
    const bins: Bins = (bin) => ({
      gradient: histogram[FEATURE_SLOTS * feature + 2 * bin],
      hessian: histogram[FEATURE_SLOTS * feature + 2 * bin + 1],
      rows: counts === undefined ? 0 : counts[256 * feature + bin],
    })
    if (kinds[feature] === KIND.category) searchSets(feature, missing, lacks, bins)
    else searchCuts(feature, missing, lacks, bins)
  }

  function searchCuts(feature: number, missing: number, lacks: boolean, bins: Bins): void {
    const absent = bins(missing)
    const last = lacks ? missing : missing - 1
    let left = NOTHING
    for (let bin = 0; bin < last; bin++) {
      const own = bins(bin)
      // A cut after an empty bin parts the rows as the cut before it.
      if (own.hessian === 0) continue
      left = plus(left, own)
      if (improves(feature, left, terms[TERM.l2])) found.set([bin, 0], 2)
      if (!lacks || bin === missing - 1) continue
      if (improves(feature, plus(left, absent), terms[TERM.l2])) found.set([bin, 1], 2)
    }
  }

  function searchSets(feature: number, missing: number, lacks: boolean, bins: Bins): void {
    const groups = Array.from({ length: missing - 1 }, (_, bin) => bin)
    if (lacks) groups.push(missing)
    if (missing - 1 <= terms[TERM.oneHot]) {
      for (const bin of groups) {
        if (bins(bin).hessian === 0) continue
        if (improves(feature, plus(NOTHING, bins(bin)), terms[TERM.l2])) write([bin], missing)
      }
      return
    }
    const rowsOf = (bin: number) => bins(bin).hessian * (node[NODE.rows] / node[NODE.hessian])
    const keyOf = (bin: number) => bins(bin).gradient / (bins(bin).hessian + terms[TERM.smooth])
    const usable = groups.filter(
      (bin) => bins(bin).hessian > 0 && rowsOf(bin) >= terms[TERM.smooth],
    )
    const ascending = usable.sort((a, b) => keyOf(a) - keyOf(b) || a - b)
    const most = Math.min(terms[TERM.most], (usable.length + 1) >> 1)
    for (const order of [ascending, [...ascending].reverse()]) {
      let left = NOTHING
      let leftRows = 0
      let group = 0
      for (let taken = 1; taken <= most; taken++) {
        const bin = order[taken - 1]
        left = plus(left, bins(bin))
        leftRows += rowsOf(bin)
        group += rowsOf(bin)
        if (node[NODE.rows] - leftRows < terms[TERM.groupRows]) break
        if (group < terms[TERM.groupRows]) continue
        group = 0
        if (improves(feature, left, terms[TERM.l2] + terms[TERM.categoryL2])) {
          write(order.slice(0, taken), missing)
        }
      }
    }
  }

  function write(left: readonly number[], missing: number): void {
    found.set([-1, left.includes(missing) ? 1 : 0], 2)
    const words = new Uint32Array(SET_WORDS)
    for (const bin of left) words[bin >>> 5] |= 1 << (bin & 31)
    found.set(words, FOUND_SET)
  }

  /** Whether a split is allowed and the best so far; if so it is noted, all but its border. */
  function improves(feature: number, left: Sums, l2: number): boolean {
    const { gradient: g, hessian: h } = left
    const otherG = node[NODE.gradient] - g
    const otherH = node[NODE.hessian] - h
    if (h < least || otherH < least) return false
    if (counts !== undefined) {
      const leastRows = terms[TERM.rows]
      if (left.rows < leastRows || node[NODE.rows] - left.rows < leastRows) return false
    }
    let apart: number
    if (terms[TERM.bounded] === 1) {
      const lower = node[NODE.lower]
      const upper = node[NODE.upper]
      const own = clamp(leafWeight(g, h, l1, l2), lower, upper)
      const other = clamp(leafWeight(otherG, otherH, l1, l2), lower, upper)
      if (kinds[feature] === KIND.rising && own > other) return false
      if (kinds[feature] === KIND.falling && own < other) return false
      apart =
        worthWithin(g, h, l1, l2, lower, upper) + worthWithin(otherG, otherH, l1, l2, lower, upper)
    } else {
      apart = worth(g, h, l1, l2) + worth(otherG, otherH, l1, l2)
    }
    const gain = 0.5 * (apart - node[NODE.worth])
    if (!(gain > found[0])) return false
    found.set([gain, feature], 0)
    found.set([g, h], 4)
    return true
  }
}

function plus(a: Sums, b: Sums): Sums {
  return {
    gradient: a.gradient + b.gradient,
    hessian: a.hessian + b.hessian,
    rows: a.rows + b.rows,
  }
}
