// A test of two that may be looked at whenever one likes: its false alarms stay below alpha however often
// and however long it is looked at.
import { exp, ln } from './math.ts'
import { lnGamma, normalQuantile, type Interval } from './statistics.ts'

/** What is known of the difference of two so far. */
export interface SequentialEvidence {
  /** Pairs in which exactly one of the two had it. */
  readonly discordant: number
  /** Of those, the ones in which the first of the two had it. */
  readonly first: number
  /** The e-value now; by it one may bet, it is at most 1 in the mean where there is no difference. */
  readonly eValue: number
  /** 1 / the largest e-value so far, at most 1: valid at any time, also where one stopped for its sake. */
  readonly pValue: number
}

/**
 * Tests that two Bernoulli rates are equal, on pairs: 1 where the first of a pair had it alone, -1
 * where the second had it alone, 0 where both or neither did. Given that a pair is discordant, either is
 * as likely as the other where there is no difference (McNemar 1947). The e-value is the likelihood of
 * the discordant pairs under a Beta(1/2, 1/2) mixture of all chances, divided by that under 1/2; it is a
 * nonnegative martingale from 1, so the chance that it ever reaches 1/alpha is at most alpha (Ville
 * 1939; Robbins 1970, Ann. Math. Statist. 41; Ramdas et al. 2023, Statistical Science 38).
 * Of two separate streams, pair the k-th of one with the k-th of the other.
 */
export function sequentialSignTest(pairs: Iterable<-1 | 0 | 1>): SequentialEvidence {
  const { add, evidence } = createSignTest()
  for (const pair of pairs) add(pair)
  return evidence()
}

/** The same test, of pairs that come one after the other. */
export function createSignTest(): {
  add(pair: -1 | 0 | 1): void
  evidence(): SequentialEvidence
} {
  let first = 0
  let discordant = 0
  let lnLargest = 0
  let lnNow = 0
  return {
    add(pair) {
      if (pair === 0) return
      discordant++
      if (pair === 1) first++
      lnNow = lnMixture(first, discordant - first) + discordant * LN_2
      lnLargest = Math.max(lnLargest, lnNow)
    },
    evidence: () => ({ discordant, first, eValue: exp(lnNow), pValue: exp(-lnLargest) }),
  }
}

const LN_2 = ln(2)

/** ln of B(a + 1/2, b + 1/2) / B(1/2, 1/2). */
function lnMixture(a: number, b: number): number {
  const lnBeta = (x: number, y: number) => lnGamma(x) + lnGamma(y) - lnGamma(x + y)
  return lnBeta(a + 0.5, b + 0.5) - lnBeta(0.5, 0.5)
}

/** A rate as counted. */
export interface Counted {
  readonly count: number
  readonly n: number
}

/** The difference of two rates of separate events, first − second (Agresti and Caffo 2000). */
export function rateDifference(first: Counted, second: Counted, level: number): Interval {
  const z = normalQuantile(0.5 + level / 2)
  const share = ({ count, n }: Counted) => (count + 1) / (n + 2)
  const [p, q] = [share(first), share(second)]
  const half = z * Math.sqrt((p * (1 - p)) / (first.n + 2) + (q * (1 - q)) / (second.n + 2))
  return { lower: Math.max(-1, p - q - half), upper: Math.min(1, p - q + half) }
}

/**
 * The difference of two rates on the same events, first − second: `first` had it alone on so many,
 * `second` on so many, of n (Agresti and Min 2005, which adds 1/2 to each cell).
 */
export function pairedRateDifference(
  { first, second, n }: { readonly first: number; readonly second: number; readonly n: number },
  level: number,
): Interval {
  const z = normalQuantile(0.5 + level / 2)
  const [b, c, all] = [first + 0.5, second + 0.5, n + 2]
  const difference = (b - c) / all
  const half = (z * Math.sqrt(b + c - (b - c) ** 2 / all)) / all
  return { lower: Math.max(-1, difference - half), upper: Math.min(1, difference + half) }
}
