// Precision and recall from labels that came home, honest about those that did not.
import { clopperPearson } from '../lib/statistics.ts'
import type { OutcomeBucket } from '../decisions/index.ts'
import type { Figure } from './reference.ts'
import type { Verdict } from './verdict.ts'

const LEVEL = 0.95
/** Below this many cases a comparison would be chance. */
const CASES_MIN = 30

/** A share with its exact (Clopper–Pearson) 95 % interval; null where n is 0. */
export interface Share {
  readonly value: number
  readonly count: number
  readonly n: number
  readonly lower: number
  readonly upper: number
}

export function shareOf(count: number, n: number): Share | null {
  if (n === 0) return null
  const { lower, upper } = clopperPearson(count, n, LEVEL)
  return { value: count / n, count, n, lower, upper }
}

export interface PerformanceFigures {
  /** Of the reviews with a label: how many were fraud. */
  readonly precision: Share | null
  /** Of the payments not declined and labelled fraud: how many were reviewed. */
  readonly recall: Share | null
  readonly decisions: number
  readonly labelled: number
  readonly declinedWithoutLabel: number
}

/**
 * Precision and recall over buckets of outcomes and labels. A declined payment never happened and
 * gets no natural label; the few that people judged would stand for all the others, so both figures
 * are of the payments that were not declined, and are compared with the same at testing.
 */
export function performanceOf(buckets: readonly OutcomeBucket[]): PerformanceFigures {
  const sum = (holds: (bucket: OutcomeBucket) => boolean) =>
    buckets.filter(holds).reduce((total, { n }) => total + n, 0)
  const isReview = ({ outcome }: OutcomeBucket) => outcome === 'review'
  const caught = sum((bucket) => isReview(bucket) && bucket.label === 'positive')
  const reviews = sum((bucket) => isReview(bucket) && bucket.label !== 'none')
  const fraud = sum(({ outcome, label }) => outcome !== 'decline' && label === 'positive')
  return {
    precision: shareOf(caught, reviews),
    recall: shareOf(caught, fraud),
    decisions: sum(() => true),
    labelled: sum(({ label }) => label !== 'none'),
    declinedWithoutLabel: sum(({ outcome, label }) => outcome === 'decline' && label === 'none'),
  }
}

/** Said beside every live precision and recall. */
export function labelNote({
  decisions,
  labelled,
  declinedWithoutLabel,
}: PerformanceFigures): string {
  const declined =
    declinedWithoutLabel === 0
      ? 'A declined event gets no label of its own'
      : `${count(declinedWithoutLabel)} declined events have no label, and get none of their own`
  return `${count(labelled)} of ${count(decisions)} decisions have a label so far. ${declined}: both figures are of the payments that were not declined.`
}

/** Whether a live figure is worse than in testing by more than chance. */
export function performanceVerdict(
  name: string,
  live: Share | null,
  reference: Figure | null,
): Verdict {
  if (live === null || live.n < CASES_MIN) {
    const n = live?.n ?? 0
    return {
      status: 'no-data',
      sentence: `${name}: ${n} labelled cases; ${CASES_MIN} are needed for a verdict.`,
    }
  }
  const shown = `${percent(live.value)} (95 % interval ${percent(live.lower)} to ${percent(live.upper)}, n = ${count(live.n)})`
  if (reference === null)
    return {
      status: 'ok',
      sentence: `${name} is ${shown}; there is no figure from testing to compare with.`,
    }
  const at = `${percent(reference.value)} in testing`
  // Two intervals that do not touch differ by more than chance; one that misses the other's value may.
  if (live.upper < reference.lower)
    return { status: 'alert', sentence: `${name} has fallen to ${shown}, from ${at}.` }
  if (live.upper < reference.value)
    return { status: 'warning', sentence: `${name} is ${shown}, lower than the ${at}.` }
  return { status: 'ok', sentence: `${name} is ${shown}, against ${at}.` }
}

export function percent(value: number): string {
  return `${(value * 100).toFixed(1)} %`
}

export function count(n: number): string {
  return n.toLocaleString('en-GB')
}
