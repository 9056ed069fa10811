/** Weighted products of standardised features, from which the normal equations are made. */
import type { Design } from './design.ts'
import type { Symmetric } from './symmetric.ts'

/**
 * Σ weight(i)·zᵢzᵢᵀ over the standardised, centred rows zᵢ, each followed by the intercept's 1;
 * both triangles. Only what a row stores and is not 0 is touched.
 */
export function weightedProducts(design: Design, weight: (row: number) => number): Symmetric {
  const { width, rows, offsets } = design
  const size = width + 1
  const values = new Float64Array(size * size)
  const row = new Float64Array(size)
  const held = new Uint32Array(size)
  for (let i = 0; i < rows; i++) {
    row.fill(0)
    design.add(i, 1, row, 0)
    let count = 0
    for (let j = 0; j < size; j++) if (row[j] !== 0) held[count++] = j
    const own = weight(i)
    for (let a = 0; a < count; a++) {
      const at = held[a] * size
      const scaled = own * row[held[a]]
      for (let b = 0; b <= a; b++) values[at + held[b]] += scaled * row[held[b]]
    }
  }
  for (let j = 0; j < size; j++) {
    for (let k = 0; k < j; k++) values[k * size + j] = values[j * size + k]
  }
  if (offsets !== undefined) centre(values, offsets)
  return { size, values }
}

/** Turns products of features as they are stored into products of centred ones, in place. */
function centre(values: Float64Array, offsets: Float64Array): void {
  const width = offsets.length
  const size = width + 1
  const last = width * size
  for (let j = 0; j < width; j++) {
    for (let k = 0; k < width; k++) {
      values[j * size + k] +=
        offsets[j] * offsets[k] * values[last + width] -
        offsets[j] * values[last + k] -
        offsets[k] * values[last + j]
    }
  }
  for (let j = 0; j < width; j++) {
    values[last + j] -= offsets[j] * values[last + width]
    values[j * size + width] = values[last + j]
  }
}
