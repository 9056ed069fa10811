/**
 * Seeded randomness with the same numbers on every platform: xoshiro128** (Blackman and Vigna,
 * "Scrambled linear pseudorandom number generators", 2021) in 32-bit integer arithmetic, seeded
 * by SplitMix32 from an FNV-1a hash. Not for secrets.
 */
import { exp, ln } from './math.ts'

export interface Random {
  /** Uniform in [0, 1), 53 random bits. */
  next(): number
  /** Uniform whole number in 0 … n − 1, for 1 ≤ n ≤ 2⁵³. */
  int(n: number): number
  /** Uniform in [from, to). */
  uniform(from: number, to: number): number
  /** Normal variate by Marsaglia's polar method. */
  normal(mean: number, sd: number): number
  /** Poisson variate; the work grows with the rate. */
  poisson(rate: number): number
  /** Shuffles in place (Fisher-Yates) and returns its argument. */
  shuffle<T extends { length: number; [index: number]: unknown }>(list: T): T
  /**
   * An independent stream named by a label. It depends on the seed and the label alone, not on
   * how many numbers were drawn, so adding a consumer does not disturb the others.
   */
  fork(label: string): Random
}

export function createRandom(seed: number | string): Random {
  return createStream(typeof seed === 'number' ? `n:${seed}` : `s:${seed}`)
}

function createStream(path: string): Random {
  let [a, b, c, d] = seedState(path)
  let spare: number | undefined

  function next32(): number {
    const scrambled = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0
    const t = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = rotateLeft(d, 11)
    return scrambled
  }

  const random: Random = {
    next: () => ((next32() >>> 5) * 67108864 + (next32() >>> 6)) / 9007199254740992,
    int(n) {
      if (n <= 4294967296) {
        // Draws above the largest multiple of n are rejected: no value is favoured.
        const limit = 4294967296 - (4294967296 % n)
        let draw = next32()
        while (draw >= limit) draw = next32()
        return draw % n
      }
      return Math.floor(random.next() * n)
    },
    uniform: (from, to) => from + (to - from) * random.next(),
    normal(mean, sd) {
      if (spare !== undefined) {
        const value = spare
        spare = undefined
        return mean + sd * value
      }
      for (;;) {
        const u = 2 * random.next() - 1
        const v = 2 * random.next() - 1
        const square = u * u + v * v
        if (square >= 1 || square === 0) continue
        const factor = Math.sqrt((-2 * ln(square)) / square)
        spare = v * factor
        return mean + sd * (u * factor)
      }
    },
    poisson(rate) {
      // A Poisson variate is the sum of variates of smaller rates, each by Knuth's product.
      let total = 0
      for (let left = rate; left > 0; left -= 16) total += poissonByProduct(Math.min(left, 16))
      return total
    },
    shuffle(list) {
      for (let i = list.length - 1; i > 0; i--) {
        const j = random.int(i + 1)
        const held = list[i]
        list[i] = list[j]
        list[j] = held
      }
      return list
    },
    fork: (label) => createStream(`${path}/${label.length}:${label}`),
  }

  function poissonByProduct(rate: number): number {
    const limit = exp(-rate)
    let product = random.next()
    let count = 0
    while (product > limit) {
      product *= random.next()
      count++
    }
    return count
  }

  return random
}

function rotateLeft(x: number, k: number): number {
  return (x << k) | (x >>> (32 - k))
}

function seedState(text: string): [number, number, number, number] {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  }
  // A second, differently started hash widens the seed to 64 bits: similar labels stay apart.
  let other = 0x2f0b4c47
  for (let i = text.length - 1; i >= 0; i--) {
    other = Math.imul(other ^ text.charCodeAt(i), 0x01000193)
  }
  const first = splitMix(hash)
  const second = splitMix(other)
  const state: [number, number, number, number] = [first(), second(), first(), second()]
  // The all-zero state is the one that the generator never leaves.
  if ((state[0] | state[1] | state[2] | state[3]) === 0) state[0] = 1
  return state
}

function splitMix(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x9e3779b9) | 0
    let z = state
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
    return z ^ (z >>> 16)
  }
}
