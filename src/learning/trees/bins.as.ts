// AssemblyScript, part of `kernels.as.ts`: values into bins.

/** Sorts keys in place (least significant digit first, 11 bits a digit), by way of `scratch`. */
export function sortKeys(keys: usize, scratch: usize, counts: usize, count: u32): usize {
  let source = keys
  let target = scratch
  const bytes = <usize>count << 3
  for (let shift: u64 = 0; shift < 64; shift += 11) {
    memory.fill(counts, 0, 2048 << 2)
    for (let at = source; at < source + bytes; at += 8) {
      const slot = counts + <usize>(((load<u64>(at) >> shift) & 2047) << 2)
      store<u32>(slot, load<u32>(slot) + 1)
    }
    const first = counts + <usize>(((load<u64>(source) >> shift) & 2047) << 2)
    if (load<u32>(first) == count) continue
    let sum: u32 = 0
    for (let slot = counts; slot < counts + (2048 << 2); slot += 4) {
      const own = load<u32>(slot)
      store<u32>(slot, sum)
      sum += own
    }
    for (let at = source; at < source + bytes; at += 8) {
      const key = load<u64>(at)
      const slot = counts + <usize>(((key >> shift) & 2047) << 2)
      const place = load<u32>(slot)
      store<u32>(slot, place + 1)
      store<u64>(target + (<usize>place << 3), key)
    }
    const other = source
    source = target
    target = other
  }
  return source
}

/** Sorts present values ascending and returns where they then lie; −0 counts as 0. */
export function sortValues(values: usize, scratch: usize, counts: usize, count: u32): usize {
  if (count == 0) return values
  const end = values + (<usize>count << 3)
  for (let at = values; at < end; at += 8) {
    const bits = reinterpret<u64>(load<f64>(at) + 0.0)
    const flip = <u64>(<i64>bits >> 63) | 0x8000000000000000
    store<u64>(at, bits ^ flip)
  }
  const sorted = sortKeys(values, scratch, counts, count)
  for (let at = sorted; at < sorted + (<usize>count << 3); at += 8) {
    const key = load<u64>(at)
    const flip = ~(<u64>(<i64>key >> 63)) | 0x8000000000000000
    store<u64>(at, key ^ flip)
  }
  return sorted
}

/** The search always takes eight steps: `cuts` is filled up to 255 entries with infinity. */
export function binColumn(
  bins: usize,
  values: usize,
  cuts: usize,
  missing: u32,
  rows: u32,
): void {
  for (let row: u32 = 0; row < rows; row++) {
    const value = load<f64>(values + (<usize>row << 3))
    let bin: u32 = 0
    for (let half: u32 = 128; half > 0; half >>= 1) {
      const cut = load<f64>(cuts + (<usize>(bin + half - 1) << 3))
      bin = select<u32>(bin + half, bin, value > cut)
    }
    store<u8>(bins + <usize>row, select<u32>(missing, bin, value != value))
  }
}

/** Bins feature after feature into bins row after row, in tiles that the first cache holds. */
export function transposeBins(
  byRow: usize,
  byColumn: usize,
  rows: u32,
  features: u32,
  stride: u32,
  from: u32,
  to: u32,
): void {
  for (let start = from; start < to; start += 256) {
    const end = min<u32>(start + 256, to)
    for (let feature: u32 = 0; feature < features; feature++) {
      const column = byColumn + <usize>feature * rows
      let to = byRow + <usize>start * stride + feature
      for (let row = start; row < end; row++) {
        store<u8>(to, load<u8>(column + row))
        to += stride
      }
    }
  }
}
