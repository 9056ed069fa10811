// AssemblyScript: `build/kernels.mjs` compiles it to shap.wasm. Each function does what the function
// of the same name in `shap-plain-kernels.ts` does, to the last bit; pointers stand for arrays.

/** The forest that `useForest` named; see `shap-kernels.ts`. */
let feature: usize = 0
let threshold: usize = 0
let missingLeft: usize = 0
let left: usize = 0
let right: usize = 0
let value: usize = 0
let edgeFeature: usize = 0
let previous: usize = 0
let share: usize = 0
let points: usize = 0
let rests: usize = 0
let weights: usize = 0
let taken: usize = 0
let products: usize = 0
let factors: usize = 0
let gains: usize = 0
let width: u32 = 0
/** Bytes of a node's products: its points, filled up to whole pairs. */
let stride: usize = 0

export function useForest(
  itsFeature: usize,
  itsThreshold: usize,
  itsMissingLeft: usize,
  itsLeft: usize,
  itsRight: usize,
  itsValue: usize,
  itsEdgeFeature: usize,
  itsPrevious: usize,
  itsShare: usize,
  itsPoints: usize,
  itsRests: usize,
  itsWeights: usize,
  itsTaken: usize,
  itsProducts: usize,
  itsFactors: usize,
  itsGains: usize,
  itsWidth: u32,
): void {
  feature = itsFeature
  threshold = itsThreshold
  missingLeft = itsMissingLeft
  left = itsLeft
  right = itsRight
  value = itsValue
  edgeFeature = itsEdgeFeature
  previous = itsPrevious
  share = itsShare
  points = itsPoints
  rests = itsRests
  weights = itsWeights
  taken = itsTaken
  products = itsProducts
  factors = itsFactors
  gains = itsGains
  width = itsWidth
  stride = <usize>((itsWidth + 1) >> 1) << 4
}

@inline
function enter(child: u32, follows: u32, above: usize, from: u32): void {
  const before = load<i32>(previous + (<usize>child << 2))
  const here = before < 0 ? follows : follows & <u32>load<u8>(taken + <usize>(before - from))
  store<u8>(taken + <usize>(child - from), here)
  const z = load<f64>(share + (<usize>child << 3))
  const own = f64x2.splat(here ? 1 : 0)
  const shares = f64x2.splat(z)
  const apart = f64x2.splat((here ? 1 : 0) - z)
  const at = <usize>(child - from) * stride
  const old = factors + <usize>(before - from) * stride
  for (let k: usize = 0; k < stride; k += 16) {
    const factor = f64x2.add(
      f64x2.mul(own, v128.load(points + k)),
      f64x2.mul(shares, v128.load(rests + k)),
    )
    v128.store(factors + at + k, factor)
    v128.store(gains + at + k, f64x2.div(f64x2.mul(v128.load(weights + k), apart), factor))
    const times = before < 0 ? factor : f64x2.div(factor, v128.load(old + k))
    v128.store(products + at + k, f64x2.mul(v128.load(above + k), times))
  }
}

/** Adds to `values` what the tree of the nodes [from … to) adds to each feature. */
export function explainTree(from: u32, to: u32, row: usize, values: usize): void {
  for (let k: usize = 0; k < stride; k += 16) v128.store(products + k, f64x2.splat(1))
  for (let node = from; node < to; node++) {
    const split = load<i32>(feature + (<usize>node << 2))
    if (split < 0) continue
    const v = load<f64>(row + (<usize>split << 3))
    const goesLeft: u32 =
      v == v
        ? u32(v <= load<f64>(threshold + (<usize>node << 3)))
        : u32(load<u8>(missingLeft + <usize>node) == 1)
    const above = products + <usize>(node - from) * stride
    enter(load<i32>(left + (<usize>node << 2)), goesLeft, above, from)
    enter(load<i32>(right + (<usize>node << 2)), goesLeft ^ 1, above, from)
  }
  for (let node = to - 1; node > from; node--) {
    const own = <usize>(node - from) * stride
    const at = products + own
    const gain = gains + own
    const before = load<i32>(previous + (<usize>node << 2))
    const oldGain = gains + <usize>(before - from) * stride
    const leaf = load<i32>(feature + (<usize>node << 2)) < 0
    const first = leaf
      ? at
      : products + <usize>(load<i32>(left + (<usize>node << 2)) - from) * stride
    const second = leaf
      ? at
      : products + <usize>(load<i32>(right + (<usize>node << 2)) - from) * stride
    const worth = f64x2.splat(load<f64>(value + (<usize>node << 3)))
    let added: f64 = 0
    let done: u32 = 0
    for (let k: usize = 0; k < stride; k += 16) {
      const a = v128.load(first + k)
      const sums = leaf ? f64x2.mul(a, worth) : f64x2.add(a, v128.load(second + k))
      v128.store(at + k, sums)
      let times = v128.load(gain + k)
      if (before >= 0) times = f64x2.sub(times, v128.load(oldGain + k))
      const part = f64x2.mul(sums, times)
      added += f64x2.extract_lane(part, 0)
      done += 2
      if (done <= width) added += f64x2.extract_lane(part, 1)
    }
    const sum = values + (<usize>load<i32>(edgeFeature + (<usize>node << 2)) << 3)
    store<f64>(sum, load<f64>(sum) + added)
  }
}

/** The batch that `useBatch` named; see `shap-kernels.ts`. */
let batchFeature: usize = 0
let batchMissingLeft: usize = 0
let batchLeft: usize = 0
let batchRight: usize = 0
let codesAt: usize = 0
let code: usize = 0
let place: usize = 0
let distinct: usize = 0
let pathAt: usize = 0
let path: usize = 0
let tableAt: usize = 0
let table: usize = 0
let codes: usize = 0
let column: usize = 0
let sums: usize = 0
let lost: usize = 0

/** Bytes of a node's lost features: 512 rows of two bytes. */
const BLOCK: usize = 1024

export function useBatch(
  itsFeature: usize,
  itsMissingLeft: usize,
  itsLeft: usize,
  itsRight: usize,
  itsCodesAt: usize,
  itsCode: usize,
  itsPlace: usize,
  itsDistinct: usize,
  itsPathAt: usize,
  itsPath: usize,
  itsTableAt: usize,
  itsTable: usize,
  itsCodes: usize,
  itsSums: usize,
  itsColumn: u32,
  itsLost: usize,
): void {
  batchFeature = itsFeature
  batchMissingLeft = itsMissingLeft
  batchLeft = itsLeft
  batchRight = itsRight
  codesAt = itsCodesAt
  code = itsCode
  place = itsPlace
  distinct = itsDistinct
  pathAt = itsPathAt
  path = itsPath
  tableAt = itsTableAt
  table = itsTable
  codes = itsCodes
  column = <usize>itsColumn
  sums = itsSums
  lost = itsLost
}

/** Eight rows at a time; the rows beyond the last are marked too, and never looked at. */
export function markTree(from: u32, to: u32, start: u32, rows: u32): void {
  const bytes = (<usize>((rows + 7) >> 3)) << 4
  memory.fill(lost, 0, bytes)
  // Present codes never reach the code of the missing one.
  const missing = i16x8.splat(-1)
  for (let node = from; node < to; node++) {
    if (load<i32>(batchFeature + (<usize>node << 2)) < 0) continue
    const left = load<i32>(batchLeft + (<usize>node << 2))
    const right = load<i32>(batchRight + (<usize>node << 2))
    const above = lost + <usize>(node - from) * BLOCK
    const leftLost = lost + <usize>(left - from) * BLOCK
    const rightLost = lost + <usize>(right - from) * BLOCK
    const own = codes + ((load<i32>(codesAt + (<usize>node << 2)) + <i32>start) << 1)
    const border = i16x8.splat(<i16>load<i32>(code + (<usize>node << 2)))
    const set: i32 = 1 << load<i32>(place + (<usize>left << 2))
    const bit = i16x8.splat(<i16>set)
    const missingGoesLeft = load<u8>(batchMissingLeft + <usize>node) == 1
    for (let at: usize = 0; at < bytes; at += 16) {
      const seen = v128.load(own + at)
      let turnsRight = i16x8.gt_u(seen, border)
      if (missingGoesLeft) turnsRight = v128.andnot(turnsRight, i16x8.eq(seen, missing))
      const before = v128.load(above + at)
      v128.store(leftLost + at, v128.or(before, v128.and(turnsRight, bit)))
      v128.store(rightLost + at, v128.or(before, v128.andnot(bit, turnsRight)))
    }
  }
}

/** Marks, then adds what the leaves' tables hold for each row of the block. */
export function addTree(from: u32, to: u32, start: u32, rows: u32): void {
  markTree(from, to, start, rows)
  const bytes = (<usize>((rows + 7) >> 3)) << 4
  for (let leaf = from; leaf < to; leaf++) {
    if (load<i32>(batchFeature + (<usize>leaf << 2)) >= 0) continue
    const count = load<i32>(distinct + (<usize>leaf << 2))
    const features = path + (<usize>load<i32>(pathAt + (<usize>leaf << 2)) << 2)
    const masks = lost + <usize>(leaf - from) * BLOCK
    const end = masks + bytes
    let own = table + (<usize>load<i32>(tableAt + (<usize>leaf << 2)) << 3)
    for (let j = 0; j < count; j++) {
      let at = sums + ((<usize>load<i32>(features + (<usize>j << 2)) * column + <usize>start) << 3)
      for (let mask = masks; mask < end; mask += 8) {
        const four = load<u64>(mask)
        let pair = v128.load64_zero(own + (<usize>(four & 0xffff) << 3))
        pair = v128.load64_lane(own + (<usize>((four >> 16) & 0xffff) << 3), pair, 1)
        v128.store(at, f64x2.add(v128.load(at), pair))
        pair = v128.load64_zero(own + (<usize>((four >> 32) & 0xffff) << 3))
        pair = v128.load64_lane(own + (<usize>(four >> 48) << 3), pair, 1)
        v128.store(at, f64x2.add(v128.load(at, 16), pair), 16)
        at += 32
      }
      own += <usize>8 << count
    }
  }
}

/** The table of a leaf in the path-dependent game. */
export function tabulateShares(
  table: usize,
  count: u32,
  shares: usize,
  leafValue: f64,
  itsPoints: usize,
  itsWeights: usize,
  pointCount: u32,
  scratch: usize,
): void {
  const size: usize = <usize>1 << count
  memory.fill(table, 0, (size * <usize>count) << 3)
  for (let k: u32 = 0; k < pointCount; k++) {
    const t = load<f64>(itsPoints + (<usize>k << 3))
    store<f64>(scratch, leafValue * load<f64>(itsWeights + (<usize>k << 3)))
    for (let j: u32 = 0; j < count; j++) {
      const z = load<f64>(shares + (<usize>j << 3))
      const lost = z * (1 - t)
      const kept = t + lost
      const half: usize = <usize>8 << j
      for (let at = scratch; at < scratch + half; at += 8) {
        const above = load<f64>(at)
        store<f64>(at + half, above * lost)
        store<f64>(at, above * kept)
      }
    }
    for (let j: u32 = 0; j < count; j++) {
      const z = load<f64>(shares + (<usize>j << 3))
      const lost = z * (1 - t)
      const kept = t + lost
      const keptGain = (1 - z) / kept
      const lostGain = (0 - z) / lost
      let to = table + ((<usize>j << count) << 3)
      let from = scratch
      const end = scratch + (size << 3)
      if (j == 0) {
        const gains = f64x2.replace_lane(f64x2.splat(keptGain), 1, lostGain)
        for (; from < end; from += 16) {
          v128.store(to, f64x2.add(v128.load(to), f64x2.mul(v128.load(from), gains)))
          to += 16
        }
      } else {
        const half: usize = <usize>8 << j
        while (from < end) {
          let gains = f64x2.splat(keptGain)
          for (let side = 0; side < 2; side++) {
            for (const stop = from + half; from < stop; from += 16) {
              v128.store(to, f64x2.add(v128.load(to), f64x2.mul(v128.load(from), gains)))
              to += 16
            }
            gains = f64x2.splat(lostGain)
          }
        }
      }
    }
  }
}

/** The table of a leaf in the interventional game; `counts` holds background rows by lost features. */
export function tabulateCounts(
  table: usize,
  count: u32,
  counts: usize,
  leafValue: f64,
  shapley: usize,
): void {
  const size: u32 = 1 << count
  memory.fill(table, 0, (<usize>size * <usize>count) << 3)
  for (let away: u32 = 0; away < size; away++) {
    const rows = load<f64>(counts + (<usize>away << 3))
    if (rows == 0) continue
    const worth = leafValue * rows
    const p = popcnt(away)
    const free = (size - 1) & ~away
    // All subsets of what the background rows kept, by the usual trick of counting in a mask.
    let lost: u32 = 0
    for (;;) {
      const q = popcnt(lost)
      const gives = worth * load<f64>(shapley + (<usize>(p * 17 + q) << 3))
      const takes = worth * load<f64>(shapley + (<usize>(q * 17 + p) << 3))
      for (let bits = away; bits != 0; bits &= bits - 1) {
        const at = table + (((<usize>ctz(bits) << count) + <usize>lost) << 3)
        store<f64>(at, load<f64>(at) + gives)
      }
      for (let bits = lost; bits != 0; bits &= bits - 1) {
        const at = table + (((<usize>ctz(bits) << count) + <usize>lost) << 3)
        store<f64>(at, load<f64>(at) - takes)
      }
      lost = (lost - free) & free
      if (lost == 0) break
    }
  }
}
