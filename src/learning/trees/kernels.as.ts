// AssemblyScript: `build/kernels.mjs` compiles it to kernels.wasm. Each function does what the
// function of the same name in `plain-kernels.ts` does, to the last bit; pointers stand for arrays.

export * from './bins.as'
export * from './search.as'

/** Bytes of a feature in a histogram: 256 bins of two doubles. */
const FEATURE: usize = 4096

/** Rows whose memory is asked for before any of them is used. */
const BLOCK: u32 = 64

/** Whether ascending rows follow one another without a gap: then the processor foresees them. */
function areNeighbours(rows: usize, from: u32, to: u32): bool {
  const first = load<u32>(rows + (<usize>from << 2))
  const last = load<u32>(rows + (<usize>to << 2) - 4)
  return from < to && last - first == to - from - 1
}

/**
 * Loads something of every cache line that the rows lie in. The rows of a small node lie far apart,
 * and the sums of one row take so many instructions that the processor would not look ahead to the
 * next: it would wait for memory at every row. This short loop lets it wait for many at once. The
 * sum is returned so that no compiler leaves the loads out.
 */
function touchRows(
  byRow: usize,
  stride: u32,
  rows: usize,
  from: u32,
  to: u32,
  derivatives: usize,
): u32 {
  let sum: u32 = 0
  for (let i = from; i < to; i++) {
    const row = load<u32>(rows + (<usize>i << 2))
    const at = byRow + <usize>row * stride
    sum += load<u32>(derivatives + (<usize>row << 4))
    for (let offset: u32 = 0; offset < stride; offset += 64) sum += load<u32>(at + offset)
    sum += load<u32>(at + stride - 8)
  }
  return sum
}

/** Eight bins in one load: shifts cost less than loads. A bin's offset is 16 times the bin. */
export function addToHistogram(
  histogram: usize,
  byRow: usize,
  stride: u32,
  features: u32,
  rows: usize,
  from: u32,
  to: u32,
  derivatives: usize,
): u32 {
  let touched: u32 = 0
  let near = areNeighbours(rows, from, to) ? to : from
  for (let i = from; i < to; i++) {
    if (i == near) {
      near = min<u32>(i + BLOCK, to)
      touched += touchRows(byRow, stride, rows, i, near, derivatives)
    }
    const row = load<u32>(rows + (<usize>i << 2))
    const d = v128.load(derivatives + (<usize>row << 4))
    let at = byRow + <usize>row * stride
    let h = histogram
    let left = features
    for (; left >= 8; left -= 8) {
      const word = load<u64>(at)
      let slot = h + (<usize>(word << 4) & 0xff0)
      v128.store(slot, f64x2.add(v128.load(slot), d))
      slot = h + (<usize>(word >> 4) & 0xff0)
      v128.store(slot, f64x2.add(v128.load(slot, 4096), d), 4096)
      slot = h + (<usize>(word >> 12) & 0xff0)
      v128.store(slot, f64x2.add(v128.load(slot, 8192), d), 8192)
      slot = h + (<usize>(word >> 20) & 0xff0)
      v128.store(slot, f64x2.add(v128.load(slot, 12288), d), 12288)
      slot = h + (<usize>(word >> 28) & 0xff0)
      v128.store(slot, f64x2.add(v128.load(slot, 16384), d), 16384)
      slot = h + (<usize>(word >> 36) & 0xff0)
      v128.store(slot, f64x2.add(v128.load(slot, 20480), d), 20480)
      slot = h + (<usize>(word >> 44) & 0xff0)
      v128.store(slot, f64x2.add(v128.load(slot, 24576), d), 24576)
      slot = h + (<usize>(word >> 52) & 0xff0)
      v128.store(slot, f64x2.add(v128.load(slot, 28672), d), 28672)
      at += 8
      h += 32768
    }
    if (left >= 4) {
      const word = load<u32>(at)
      let slot = h + (<usize>(word << 4) & 0xff0)
      v128.store(slot, f64x2.add(v128.load(slot), d))
      slot = h + (<usize>(word >> 4) & 0xff0)
      v128.store(slot, f64x2.add(v128.load(slot, 4096), d), 4096)
      slot = h + (<usize>(word >> 12) & 0xff0)
      v128.store(slot, f64x2.add(v128.load(slot, 8192), d), 8192)
      slot = h + (<usize>(word >> 20) & 0xff0)
      v128.store(slot, f64x2.add(v128.load(slot, 12288), d), 12288)
      at += 4
      h += 16384
      left -= 4
    }
    for (; left > 0; left--) {
      const slot = h + (<usize>load<u8>(at) << 4)
      v128.store(slot, f64x2.add(v128.load(slot), d))
      at += 1
      h += FEATURE
    }
  }
  return touched
}

export function addSomeToHistogram(
  histogram: usize,
  byRow: usize,
  stride: u32,
  features: usize,
  count: u32,
  rows: usize,
  from: u32,
  to: u32,
  derivatives: usize,
): u32 {
  let touched: u32 = 0
  let near = from
  const end = features + (<usize>count << 2)
  for (let i = from; i < to; i++) {
    if (i == near) {
      near = min<u32>(i + BLOCK, to)
      touched += touchRows(byRow, stride, rows, i, near, derivatives)
    }
    const row = load<u32>(rows + (<usize>i << 2))
    const d = v128.load(derivatives + (<usize>row << 4))
    const at = byRow + <usize>row * stride
    for (let k = features; k < end; k += 4) {
      const feature = <usize>load<i32>(k)
      const slot = histogram + feature * FEATURE + (<usize>load<u8>(at + feature) << 4)
      v128.store(slot, f64x2.add(v128.load(slot), d))
    }
  }
  return touched
}

export function subtractHistogram(
  parent: usize,
  child: usize,
  features: usize,
  count: u32,
  missing: usize,
): void {
  for (let k: u32 = 0; k < count; k++) {
    const feature = <usize>load<i32>(features + (<usize>k << 2))
    const start = feature * FEATURE
    const end = start + (<usize>(load<i32>(missing + (feature << 2)) + 1) << 4)
    for (let at = start; at < end; at += 16) {
      v128.store(parent + at, f64x2.sub(v128.load(parent + at), v128.load(child + at)))
    }
  }
}

/** Adds a thread's own sums to a histogram, and leaves them zero for the next. */
export function drainHistogram(
  into: usize,
  own: usize,
  features: usize,
  count: u32,
  missing: usize,
): void {
  const zero = f64x2.splat(0)
  for (let k: u32 = 0; k < count; k++) {
    const feature = <usize>load<i32>(features + (<usize>k << 2))
    const start = feature * FEATURE
    const end = start + (<usize>(load<i32>(missing + (feature << 2)) + 1) << 4)
    for (let at = start; at < end; at += 16) {
      v128.store(into + at, f64x2.add(v128.load(into + at), v128.load(own + at)))
      v128.store(own + at, zero)
    }
  }
}

/** Twice the gain without the parent's part; lane 0 is the left child, lane 1 the right. */
@inline
function worth(left: v128, total: v128, l1: v128, l2: v128): f64 {
  const right = f64x2.sub(total, left)
  const g = v128.shuffle<f64>(left, right, 0, 2)
  const h = v128.shuffle<f64>(left, right, 1, 3)
  const zero = f64x2.splat(0)
  const shrunk = f64x2.add(
    f64x2.max(f64x2.sub(g, l1), zero),
    f64x2.min(f64x2.add(g, l1), zero),
  )
  const parts = f64x2.div(f64x2.mul(shrunk, shrunk), f64x2.add(h, l2))
  return f64x2.extract_lane(parts, 0) + f64x2.extract_lane(parts, 1)
}

/** Writes gain, feature, bin, missingLeft, left gradient and left hessian; a feature of −1: none. */
export function findSplit(
  found: usize,
  histogram: usize,
  features: usize,
  count: u32,
  missingBins: usize,
  hasMissing: usize,
  gradient: f64,
  hessian: f64,
  parent: f64,
  l1: f64,
  l2: f64,
  gamma: f64,
  leastHessian: f64,
): void {
  const total = f64x2.replace_lane(f64x2.splat(gradient), 1, hessian)
  const l1s = f64x2.splat(l1)
  const l2s = f64x2.splat(l2)
  let bestGain = gamma
  let bestFeature: i32 = -1
  let bestBin: i32 = 0
  let bestSide: i32 = 0
  let bestLeft = f64x2.splat(0)
  for (let k: u32 = 0; k < count; k++) {
    const feature = load<i32>(features + (<usize>k << 2))
    const start = histogram + <usize>feature * FEATURE
    const missing = load<i32>(missingBins + (<usize>feature << 2))
    const lacks = load<u8>(hasMissing + <usize>feature) !== 0
    const absent = v128.load(start + (<usize>missing << 4))
    const last = lacks ? missing : missing - 1
    let left = f64x2.splat(0)
    for (let bin = 0; bin < last; bin++) {
      const own = v128.load(start + (<usize>bin << 4))
      const ownHessian = f64x2.extract_lane(own, 1)
      if (ownHessian == 0) continue
      left = f64x2.add(left, own)
      const leftHessian = f64x2.extract_lane(left, 1)
      if (hessian - leftHessian < leastHessian) break
      if (leftHessian >= leastHessian) {
        const gain = 0.5 * (worth(left, total, l1s, l2s) - parent)
        if (gain > bestGain) {
          bestGain = gain
          bestFeature = feature
          bestBin = bin
          bestSide = 0
          bestLeft = left
        }
      }
      if (!lacks || bin >= missing - 1) continue
      const both = f64x2.add(left, absent)
      const bothHessian = f64x2.extract_lane(both, 1)
      if (bothHessian < leastHessian || hessian - bothHessian < leastHessian) continue
      const gain = 0.5 * (worth(both, total, l1s, l2s) - parent)
      if (gain > bestGain) {
        bestGain = gain
        bestFeature = feature
        bestBin = bin
        bestSide = 1
        bestLeft = both
      }
    }
  }
  store<f64>(found, bestGain)
  store<f64>(found, <f64>bestFeature, 8)
  store<f64>(found, <f64>bestBin, 16)
  store<f64>(found, <f64>bestSide, 24)
  v128.store(found, bestLeft, 32)
}

/** Without a branch: each row is written to both sides, and one of the two stays. */
export function partition(
  rows: usize,
  from: u32,
  to: u32,
  column: usize,
  bin: u32,
  alsoLeft: u32,
  scratch: usize,
): u32 {
  let left = rows + (<usize>from << 2)
  let right = scratch
  const end = rows + (<usize>to << 2)
  for (let at = left; at < end; at += 4) {
    const row = load<u32>(at)
    const own = <u32>load<u8>(column + <usize>row)
    const goes = <usize>((<i32>(own <= bin)) | (<i32>(own == alsoLeft)))
    store<u32>(left, row)
    store<u32>(right, row)
    left += goes << 2
    right += (1 - goes) << 2
  }
  memory.copy(left, scratch, right - scratch)
  return <u32>((left - rows) >> 2)
}

export function partitionSet(
  rows: usize,
  from: u32,
  to: u32,
  column: usize,
  table: usize,
  scratch: usize,
): u32 {
  let left = rows + (<usize>from << 2)
  let right = scratch
  const end = rows + (<usize>to << 2)
  for (let at = left; at < end; at += 4) {
    const row = load<u32>(at)
    const goes = <usize>load<u8>(table + <usize>load<u8>(column + <usize>row))
    store<u32>(left, row)
    store<u32>(right, row)
    left += goes << 2
    right += (1 - goes) << 2
  }
  memory.copy(left, scratch, right - scratch)
  return <u32>((left - rows) >> 2)
}

/** Adds the values of leaves, (from, to, value) each, to their rows among positions [from … to). */
export function addLeaves(
  margins: usize,
  rows: usize,
  leaves: usize,
  count: u32,
  from: u32,
  to: u32,
): void {
  for (let leaf = leaves; leaf < leaves + 24 * <usize>count; leaf += 24) {
    const first = max<u32>(from, <u32>load<f64>(leaf))
    const end = min<u32>(to, <u32>load<f64>(leaf, 8))
    const value = load<f64>(leaf, 16)
    for (let i = first; i < end; i++) {
      const margin = margins + (<usize>load<u32>(rows + (<usize>i << 2)) << 3)
      store<f64>(margin, load<f64>(margin) + value)
    }
  }
}

/** e to a power in [−700, 0]: `exp` of lib/math, two at a time. */
@inline
function exp2(x: v128): v128 {
  const magic = f64x2.splat(6755399441055744)
  const shifted = f64x2.add(f64x2.mul(x, f64x2.splat(1.4426950408889634)), magic)
  const k = f64x2.sub(shifted, magic)
  const head = f64x2.sub(x, f64x2.mul(k, f64x2.splat(0.6931471803691238)))
  const tail = f64x2.mul(k, f64x2.splat(1.9082149292705877e-10))
  const r = f64x2.sub(head, tail)
  let q = f64x2.add(f64x2.splat(1.0 / 479001600.0), f64x2.mul(r, f64x2.splat(1.0 / 6227020800.0)))
  q = f64x2.add(f64x2.splat(1.0 / 39916800.0), f64x2.mul(r, q))
  q = f64x2.add(f64x2.splat(1.0 / 3628800.0), f64x2.mul(r, q))
  q = f64x2.add(f64x2.splat(1.0 / 362880.0), f64x2.mul(r, q))
  q = f64x2.add(f64x2.splat(1.0 / 40320.0), f64x2.mul(r, q))
  q = f64x2.add(f64x2.splat(1.0 / 5040.0), f64x2.mul(r, q))
  q = f64x2.add(f64x2.splat(1.0 / 720.0), f64x2.mul(r, q))
  q = f64x2.add(f64x2.splat(1.0 / 120.0), f64x2.mul(r, q))
  q = f64x2.add(f64x2.splat(1.0 / 24.0), f64x2.mul(r, q))
  q = f64x2.add(f64x2.splat(1.0 / 6.0), f64x2.mul(r, q))
  q = f64x2.add(f64x2.splat(0.5), f64x2.mul(r, q))
  const one = f64x2.splat(1)
  const sum = f64x2.add(one, head)
  const lost = f64x2.sub(head, f64x2.sub(sum, one))
  const correction = f64x2.sub(f64x2.mul(f64x2.mul(r, r), q), tail)
  const mantissa = f64x2.add(sum, f64x2.add(lost, correction))
  const power = i64x2.add(i64x2.shl(shifted, 52), i64x2.splat(1023 << 52))
  return f64x2.mul(mantissa, power)
}

export function differentiate(
  derivatives: usize,
  margins: usize,
  labels: usize,
  weights: usize,
  rows: u32,
  quantum: f64,
): void {
  const magic = f64x2.splat(quantum * 6755399441055744)
  const least = f64x2.splat(quantum)
  const one = f64x2.splat(1)
  const zero = f64x2.splat(0)
  // Arrays are padded to an even number of rows.
  for (let row: u32 = 0; row < rows; row += 2) {
    const at = <usize>row << 3
    const margin = v128.load(margins + at)
    const weight = v128.load(weights + at)
    // Below −700 the rounding to the quantum gives the same as at −700.
    const e = exp2(f64x2.max(f64x2.neg(f64x2.abs(margin)), f64x2.splat(-700)))
    const p = f64x2.div(v128.bitselect(one, e, f64x2.ge(margin, zero)), f64x2.add(one, e))
    let g = f64x2.mul(weight, f64x2.sub(p, v128.load(labels + at)))
    let h = f64x2.mul(f64x2.mul(weight, p), f64x2.sub(one, p))
    g = f64x2.sub(f64x2.add(g, magic), magic)
    h = f64x2.max(f64x2.sub(f64x2.add(h, magic), magic), least)
    const to = derivatives + (at << 1)
    v128.store(to, v128.shuffle<f64>(g, h, 0, 2))
    v128.store(to, v128.shuffle<f64>(g, h, 1, 3), 16)
  }
}

/** Two rows at a time; the last of an odd number alone, so that no other output is written to. */
export function softmax(shares: usize, margins: usize, rows: u32, outputs: u32): void {
  const step = <usize>rows << 3
  const end = step * outputs
  for (let row: u32 = 0; row < rows; row += 2) {
    const from = <usize>row << 3
    let most = v128.load(margins + from)
    for (let at = from + step; at < end; at += step) {
      most = f64x2.pmax(most, v128.load(margins + at))
    }
    const pair = row + 1 < rows
    let sum = f64x2.splat(0)
    for (let at = from; at < end; at += step) {
      const below = f64x2.sub(v128.load(margins + at), most)
      const e = exp2(f64x2.max(below, f64x2.splat(-700)))
      sum = f64x2.add(sum, e)
      if (pair) v128.store(shares + at, e)
      else store<f64>(shares + at, f64x2.extract_lane(e, 0))
    }
    for (let at = from; at < end; at += step) {
      const share = f64x2.div(v128.load(shares + at), sum)
      if (pair) v128.store(shares + at, share)
      else store<f64>(shares + at, f64x2.extract_lane(share, 0))
    }
  }
}
