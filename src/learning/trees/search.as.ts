// AssemblyScript, part of `kernels.as.ts`: the search for a split under limits, as
// `plain-search.ts` has it, to the last bit. Places of numbers are those of `kernels.ts`, times 8.

/** Bytes of a feature in a histogram, and in counts. */
const FEATURE: usize = 4096
const COUNTED: usize = 1024

const RISING: u32 = 1
const FALLING: u32 = 2
const CATEGORY: u32 = 3

/** Where `found` has the set, and the space to order categories: keys and two lists of bins. */
const SET: usize = 48
const KEYS: usize = 128
const ORDER: usize = 128 + 2048
const SPARE: usize = 128 + 2048 + 1024

// What the functions below share while one search runs; every thread has an instance of its own.
let found: usize = 0
let gradient: f64 = 0
let hessian: f64 = 0
let parent: f64 = 0
let lower: f64 = 0
let upper: f64 = 0
let nodeRows: f64 = 0
let l1: f64 = 0
let leastHessian: f64 = 0
let leastRows: f64 = 0
let bounded: bool = false
let counting: bool = false
let bestGain: f64 = 0

@inline
function shrink(g: f64): f64 {
  if (g > l1) return g - l1
  if (g < -l1) return g + l1
  return 0
}

@inline
function worth(g: f64, h: f64, l2: f64): f64 {
  const shrunk = shrink(g)
  return (shrunk * shrunk) / (h + l2)
}

@inline
function weightWithin(g: f64, h: f64, l2: f64): f64 {
  const weight = -shrink(g) / (h + l2)
  return weight < lower ? lower : weight > upper ? upper : weight
}

@inline
function worthOf(weight: f64, g: f64, h: f64, l2: f64): f64 {
  return -(2 * g * weight + (h + l2) * weight * weight + 2 * l1 * Math.abs(weight))
}

/** Notes a split that is allowed and the best so far, all but its border. */
function improves(feature: u32, kind: u32, g: f64, h: f64, rows: u32, l2: f64): bool {
  const otherG = gradient - g
  const otherH = hessian - h
  if (h < leastHessian || otherH < leastHessian) return false
  if (counting && (<f64>rows < leastRows || nodeRows - <f64>rows < leastRows)) return false
  let apart: f64
  if (bounded) {
    const own = weightWithin(g, h, l2)
    const other = weightWithin(otherG, otherH, l2)
    if (kind == RISING && own > other) return false
    if (kind == FALLING && own < other) return false
    apart = worthOf(own, g, h, l2) + worthOf(other, otherG, otherH, l2)
  } else {
    apart = worth(g, h, l2) + worth(otherG, otherH, l2)
  }
  const gain = 0.5 * (apart - parent)
  if (!(gain > bestGain)) return false
  bestGain = gain
  store<f64>(found, <f64>feature, 8)
  store<f64>(found, g, 32)
  store<f64>(found, h, 40)
  return true
}

@inline
function noteCut(bin: u32, side: u32): void {
  store<f64>(found, <f64>bin, 16)
  store<f64>(found, <f64>side, 24)
}

/** `allowed` and `counts` may be 0: all features, any number of rows. */
export function findSplitWithin(
  into: usize,
  histogram: usize,
  features: usize,
  count: u32,
  missingBins: usize,
  hasMissing: usize,
  node: usize,
  kinds: usize,
  terms: usize,
  allowed: usize,
  counts: usize,
): void {
  found = into
  gradient = load<f64>(node)
  hessian = load<f64>(node, 8)
  parent = load<f64>(node, 16)
  lower = load<f64>(node, 24)
  upper = load<f64>(node, 32)
  nodeRows = load<f64>(node, 40)
  l1 = load<f64>(terms)
  bestGain = load<f64>(terms, 16)
  leastHessian = Math.max(load<f64>(terms, 24), f64.MIN_VALUE)
  leastRows = load<f64>(terms, 32)
  bounded = load<f64>(terms, 40) == 1
  counting = counts !== 0
  store<f64>(found, -1, 8)
  for (let k: u32 = 0; k < count; k++) {
    const feature = load<u32>(features + (<usize>k << 2))
    if (allowed !== 0 && load<u8>(allowed + feature) == 0) continue
    const start = histogram + <usize>feature * FEATURE
    const own = counting ? counts + <usize>feature * COUNTED : 0
    const missing = load<u32>(missingBins + (<usize>feature << 2))
    const lacks = load<u8>(hasMissing + feature) !== 0
    const kind = <u32>load<u8>(kinds + feature)
    if (kind == CATEGORY) searchSets(feature, start, own, missing, lacks, terms)
    else searchCuts(feature, kind, start, own, missing, lacks, load<f64>(terms, 8))
  }
  store<f64>(found, bestGain)
}

@inline
function rowsIn(counts: usize, bin: u32): u32 {
  return counting ? load<u32>(counts + (<usize>bin << 2)) : 0
}

function searchCuts(
  feature: u32,
  kind: u32,
  start: usize,
  counts: usize,
  missing: u32,
  lacks: bool,
  l2: f64,
): void {
  const absentG = load<f64>(start + (<usize>missing << 4))
  const absentH = load<f64>(start + (<usize>missing << 4), 8)
  const absentRows = rowsIn(counts, missing)
  const last = lacks ? missing : missing - 1
  let g: f64 = 0
  let h: f64 = 0
  let rows: u32 = 0
  for (let bin: u32 = 0; bin < last; bin++) {
    const at = start + (<usize>bin << 4)
    const own = load<f64>(at, 8)
    if (own == 0) continue
    g += load<f64>(at)
    h += own
    rows += rowsIn(counts, bin)
    // Beyond this cut the right side only shrinks.
    if (hessian - h < leastHessian) break
    if (improves(feature, kind, g, h, rows, l2)) noteCut(bin, 0)
    if (!lacks || bin == missing - 1) continue
    if (improves(feature, kind, g + absentG, h + absentH, rows + absentRows, l2)) noteCut(bin, 1)
  }
}

function searchSets(
  feature: u32,
  start: usize,
  counts: usize,
  missing: u32,
  lacks: bool,
  terms: usize,
): void {
  const l2 = load<f64>(terms, 8)
  // Every category's bin, then that of missing values; between them lie the categories without one.
  const groups = lacks ? missing : missing - 1
  if (<f64>(missing - 1) <= load<f64>(terms, 48)) {
    for (let i: u32 = 0; i < groups; i++) {
      const bin = i == missing - 1 ? missing : i
      const at = start + (<usize>bin << 4)
      const h = load<f64>(at, 8)
      if (h == 0) continue
      if (improves(feature, CATEGORY, load<f64>(at), h, rowsIn(counts, bin), l2)) {
        store<u32>(found + ORDER, bin)
        noteSet(found + ORDER, 1, missing)
      }
    }
    return
  }
  const smooth = load<f64>(terms, 56)
  const groupRows = load<f64>(terms, 80)
  const perHessian = nodeRows / hessian
  let usable: u32 = 0
  for (let i: u32 = 0; i < groups; i++) {
    const bin = i == missing - 1 ? missing : i
    const at = start + (<usize>bin << 4)
    const h = load<f64>(at, 8)
    if (!(h > 0) || !(h * perHessian >= smooth)) continue
    store<f64>(found + KEYS + (<usize>bin << 3), load<f64>(at) / (h + smooth))
    store<u32>(found + ORDER + (<usize>usable << 2), bin)
    usable++
  }
  const order = sortBins(usable)
  const most = min<u32>(<u32>load<f64>(terms, 72), (usable + 1) >> 1)
  for (let turn = 0; turn < 2; turn++) {
    let g: f64 = 0
    let h: f64 = 0
    let rows: u32 = 0
    let leftRows: f64 = 0
    let group: f64 = 0
    for (let taken: u32 = 1; taken <= most; taken++) {
      const bin = load<u32>(order + (<usize>(turn == 0 ? taken - 1 : usable - taken) << 2))
      const at = start + (<usize>bin << 4)
      const own = load<f64>(at, 8)
      g += load<f64>(at)
      h += own
      rows += rowsIn(counts, bin)
      leftRows += own * perHessian
      group += own * perHessian
      if (nodeRows - leftRows < groupRows) break
      if (group < groupRows) continue
      group = 0
      if (improves(feature, CATEGORY, g, h, rows, l2 + load<f64>(terms, 64))) {
        const first = turn == 0 ? order : order + (<usize>(usable - taken) << 2)
        noteSet(first, taken, missing)
      }
    }
  }
}

/** Writes the bins of a list as a set of 256 bits, a word a number. */
function noteSet(bins: usize, count: u32, missing: u32): void {
  store<f64>(found, -1, 16)
  let withMissing: f64 = 0
  for (let word: usize = 0; word < 64; word += 8) store<f64>(found + SET + word, 0)
  for (let i: u32 = 0; i < count; i++) {
    const bin = load<u32>(bins + (<usize>i << 2))
    if (bin == missing) withMissing = 1
    const at = found + SET + (<usize>(bin >> 5) << 3)
    store<f64>(at, <f64>(<u32>load<f64>(at) | (1 << (bin & 31))))
  }
  store<f64>(found, withMissing, 24)
}

/** Bins ascending by key, then by themselves, which is how they stand: merges, from the bottom up. */
function sortBins(count: u32): usize {
  let source = found + ORDER
  let target = found + SPARE
  const keys = found + KEYS
  for (let width: u32 = 1; width < count; width <<= 1) {
    for (let start: u32 = 0; start < count; start += width << 1) {
      const middle = min<u32>(start + width, count)
      const end = min<u32>(middle + width, count)
      let a = start
      let b = middle
      for (let to = start; to < end; to++) {
        const left = load<u32>(source + (<usize>a << 2))
        const right = load<u32>(source + (<usize>b << 2))
        const takesLeft =
          b >= end ||
          (a < middle &&
            load<f64>(keys + (<usize>left << 3)) <= load<f64>(keys + (<usize>right << 3)))
        if (takesLeft) {
          store<u32>(target + (<usize>to << 2), left)
          a++
        } else {
          store<u32>(target + (<usize>to << 2), right)
          b++
        }
      }
    }
    const other = source
    source = target
    target = other
  }
  return source
}

export function countBins(
  counts: usize,
  byRow: usize,
  stride: u32,
  features: usize,
  count: u32,
  rows: usize,
  from: u32,
  to: u32,
): void {
  const end = features + (<usize>count << 2)
  for (let i = from; i < to; i++) {
    const at = byRow + <usize>load<u32>(rows + (<usize>i << 2)) * stride
    for (let k = features; k < end; k += 4) {
      const feature = <usize>load<u32>(k)
      const slot = counts + feature * COUNTED + (<usize>load<u8>(at + feature) << 2)
      store<u32>(slot, load<u32>(slot) + 1)
    }
  }
}

export function subtractCounts(parent: usize, child: usize, features: usize, count: u32): void {
  for (let k: u32 = 0; k < count; k++) {
    const start = <usize>load<u32>(features + (<usize>k << 2)) * COUNTED
    for (let at = start; at < start + COUNTED; at += 16) {
      v128.store(parent + at, i32x4.sub(v128.load(parent + at), v128.load(child + at)))
    }
  }
}
