/**
 * Random Fourier features (Rahimi and Recht 2007): for frequencies ω drawn from the kernel's
 * Fourier transform, cosines and sines of ω·z have inner products that approximate
 * exp(−γ·‖z − z′‖²). Cosine and sine of one frequency vary less than two cosines with random
 * phases (Sutherland and Schneider 2015), and every row has length 1 exactly.
 */
import { cosPi } from '../../lib/math.ts'
import type { Random } from '../../lib/random.ts'

/** Frequencies in half turns, one after the other: ω/π, ω normal with variance 2γ. */
export function drawFrequencies(
  count: number,
  width: number,
  gamma: number,
  random: Random,
): Float64Array {
  const deviation = Math.sqrt(2 * gamma) / Math.PI
  // Adding 0 turns −0, which JSON does not carry, into 0.
  return Float64Array.from({ length: count * width }, () => random.normal(0, deviation) + 0)
}

/** Writes the cosines and then the sines of a standardised row, without the factor √(1/count). */
export function readFourier(
  frequencies: Float64Array,
  count: number,
  z: Float64Array,
  into: Float64Array,
): void {
  const width = z.length
  for (let k = 0; k < count; k++) {
    let turns = 0
    const at = k * width
    for (let j = 0; j < width; j++) turns += frequencies[at + j] * z[j]
    into[k] = cosPi(turns)
    into[count + k] = cosPi(turns - 0.5)
  }
}
