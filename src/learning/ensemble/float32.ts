/** The order of float32 numbers, as bits. */

const numbers = new Float32Array(1)
const words = new Int32Array(numbers.buffer)

/**
 * A whole number that sorts as the float32 does: x < y exactly if key(x) < key(y). Both zeros have
 * the key 0. Not for NaN.
 */
function sortableKey(x: number): number {
  numbers[0] = x
  const bits = words[0]
  // Negative floats sort backwards as integers; their magnitude is negated.
  return bits >= 0 ? bits : -(bits & 0x7fffffff)
}

/** The float32 whose key is given. */
function float32OfKey(key: number): number {
  words[0] = key >= 0 ? key : -key | 0x80000000
  return numbers[0]
}

/** The largest float32 below a float32: `v < x` is `v ≤ previousFloat32(x)` for every float32 v. */
export function previousFloat32(x: number): number {
  return float32OfKey(sortableKey(x) - 1)
}

/** The smallest float32 above a float32. */
export function nextFloat32(x: number): number {
  return float32OfKey(sortableKey(x) + 1)
}

/** The largest float32 not above x: every float32 v has `v ≤ x` exactly if `v ≤ floorFloat32(x)`. */
export function floorFloat32(x: number): number {
  const rounded = Math.fround(x)
  return rounded > x ? previousFloat32(rounded) : rounded
}
