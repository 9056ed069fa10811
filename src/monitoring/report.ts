// Everything that is watched over a window, judged: what the monitoring page and the overview show.
import type {
  DecisionStore,
  FailingRule,
  LatencyBucket,
  Outcome,
  OutcomeBucket,
} from '../decisions/index.ts'
import { driftOf, psiAlert, psiWarning } from './drift.ts'
import type { DriftFigures } from './drift.ts'
import {
  count,
  labelNote,
  percent,
  performanceOf,
  performanceVerdict,
  shareOf,
} from './performance.ts'
import type { PerformanceFigures, Share } from './performance.ts'
import type { DriftCountStore } from './ports.ts'
import { referenceHash } from './reference.ts'
import type { Figure, MonitoringReference } from './reference.ts'
import { worst } from './verdict.ts'
import type { Verdict } from './verdict.ts'

export interface MonitoringRequest {
  readonly namespace: string
  readonly policy: string
  /** Event time, from inclusive, until exclusive. */
  readonly fromUs: number
  readonly untilUs: number
  /** Width of the intervals in the series, µs; a whole number of hours for drift. */
  readonly bucketUs: number
}

export interface MonitoringSources {
  readonly decisions: Pick<DecisionStore, 'outcomesOver' | 'latencyOver' | 'failingRules'>
  readonly drift: DriftCountStore
  /** Of the version that decides now; undefined before the first deployment. */
  readonly reference: MonitoringReference | undefined
  /** Hash of the policy that decides now: what an earlier one failed on is no alarm any more. */
  readonly policyVersion?: string | undefined
}

export interface RateBucket {
  readonly startUs: number
  readonly n: number
  readonly allow: number
  readonly review: number
  readonly decline: number
}

export interface OutcomeRate {
  readonly outcome: Outcome
  readonly rate: Share | null
  /** Share on the reference rows; rules are not part of it. */
  readonly reference: number | null
  readonly verdict: Verdict
}

export interface PerformanceMetric {
  readonly metric: 'precision' | 'recall'
  readonly title: string
  readonly live: Share | null
  readonly atTraining: Figure | null
  readonly verdict: Verdict
  readonly note: string
}

export interface MonitoringReport {
  readonly verdict: Verdict
  readonly drift: readonly DriftFigures[]
  readonly driftNote: string
  readonly rates: readonly RateBucket[]
  readonly outcomes: readonly OutcomeRate[]
  readonly ratesVerdict: Verdict
  readonly latency: readonly LatencyBucket[]
  readonly latencyVerdict: Verdict
  /** Rules of the policy that decides now, that failed on events. */
  readonly failingRules: readonly FailingRule[]
  readonly rulesVerdict: Verdict
  readonly performance: readonly PerformanceMetric[]
  readonly performanceOverTime: readonly (PerformanceFigures & { readonly startUs: number })[]
  readonly money: MoneyFigures
}

/** Sums over events of one policy, in minor units of its one currency. */
export interface MoneyFigures {
  /** Declined or reviewed, and labelled fraud. */
  readonly stopped: { readonly n: number; readonly amountMinor: number }
  /** Allowed, and labelled fraud. */
  readonly missed: { readonly n: number; readonly amountMinor: number }
  /** Declined, and labelled genuine. */
  readonly genuineDeclined: { readonly n: number; readonly amountMinor: number }
}

/** Share of the events. */
const RULE_FAILURES_ALERT = 0.01
const LATENCY_WARNING_US = 50_000
const LATENCY_ALERT_US = 100_000
const RATE_ROWS_MIN = 1000
/** Below this many decisions the 99th percentile is the slowest one alone. */
const LATENCY_ROWS_MIN = 200

/** Reads what the projection holds about the window and judges it. */
export async function monitoringReport(
  sources: MonitoringSources,
  request: MonitoringRequest,
): Promise<MonitoringReport> {
  const { decisions, drift, reference, policyVersion } = sources
  const buckets = await decisions.outcomesOver(request)
  const latency = await decisions.latencyOver(request)
  const failing = await decisions.failingRules({ ...request, policyVersion })
  const counts =
    reference === undefined
      ? []
      : await drift.counts({ ...request, reference: referenceHash(reference) })
  const columns = (reference?.columns ?? []).map((column) => {
    const own = counts.filter((each) => each.column === column.column)
    return driftOf(column, own, request.bucketUs)
  })
  const { bucketUs } = request
  return judge(reference, { columns, buckets, latency, failing, bucketUs })
}

interface Measured {
  readonly columns: readonly DriftFigures[]
  readonly buckets: readonly OutcomeBucket[]
  readonly latency: readonly LatencyBucket[]
  readonly failing: readonly FailingRule[]
  readonly bucketUs: number
}

function judge(
  reference: MonitoringReference | undefined,
  { columns, buckets, latency, failing, bucketUs }: Measured,
): MonitoringReport {
  const outcomes = outcomeRates(buckets, reference?.outcomes ?? null)
  const figures = performanceOf(buckets)
  const note = labelNote(figures)
  const performance = [
    metric('precision', figures.precision, reference?.precision ?? null, note),
    metric('recall', figures.recall, reference?.recall ?? null, note),
  ]
  const ratesVerdict = worst(outcomes.map(({ verdict }) => verdict))
  const latencyVerdict = judgeLatency(latency)
  const rulesVerdict = judgeRules(failing, buckets, bucketUs)
  return {
    verdict: worst([
      ...columns.map(({ verdict }) => verdict),
      ratesVerdict,
      latencyVerdict,
      // That rules could be calculated says nothing of how the model does.
      ...(failing.length === 0 ? [] : [rulesVerdict]),
      ...performance.map(({ verdict }) => verdict),
    ]),
    drift: columns,
    driftNote: driftNote(reference),
    rates: ratesOver(buckets),
    outcomes,
    ratesVerdict,
    latency,
    latencyVerdict,
    failingRules: failing,
    rulesVerdict,
    performance,
    performanceOverTime: byStart(buckets).map(([startUs, within]) => {
      return { startUs, ...performanceOf(within) }
    }),
    money: moneyOf(buckets),
  }
}

function driftNote(reference: MonitoringReference | undefined): string {
  if (reference === undefined)
    return 'Nothing is deployed yet, so there is nothing to compare with.'
  return `PSI over the deciles of the ${reference.period}, frozen when the version was made, with a bin for missing values; empty bins count as 0.0001. Warning from ${psiWarning}, alert from ${psiAlert}.`
}

function metric(
  name: 'precision' | 'recall',
  live: Share | null,
  atTraining: Figure | null,
  note: string,
): PerformanceMetric {
  const title = name === 'precision' ? 'Precision of reviews' : 'Recall among payments not declined'
  return {
    metric: name,
    title,
    live,
    atTraining,
    note,
    verdict: performanceVerdict(title, live, atTraining),
  }
}

/** Fraud stopped and missed, and genuine customers declined, as far as labels have come. */
export function moneyOf(buckets: readonly OutcomeBucket[]): MoneyFigures {
  const total = (holds: (bucket: OutcomeBucket) => boolean) =>
    buckets
      .filter(holds)
      .reduce(
        (sum, { n, amountMinor }) => ({ n: sum.n + n, amountMinor: sum.amountMinor + amountMinor }),
        { n: 0, amountMinor: 0 },
      )
  return {
    stopped: total(({ outcome, label }) => outcome !== 'allow' && label === 'positive'),
    missed: total(({ outcome, label }) => outcome === 'allow' && label === 'positive'),
    genuineDeclined: total(({ outcome, label }) => outcome === 'decline' && label === 'negative'),
  }
}

function byStart(buckets: readonly OutcomeBucket[]): [number, OutcomeBucket[]][] {
  const found = new Map<number, OutcomeBucket[]>()
  for (const bucket of buckets)
    found.set(bucket.startUs, [...(found.get(bucket.startUs) ?? []), bucket])
  return [...found].sort(([a], [b]) => a - b)
}

function countsOf(
  buckets: readonly Pick<OutcomeBucket, 'outcome' | 'n'>[],
): Record<Outcome, number> & { n: number } {
  const counts = { allow: 0, review: 0, decline: 0, n: 0 }
  for (const { outcome, n } of buckets) {
    counts[outcome] += n
    counts.n += n
  }
  return counts
}

function ratesOver(buckets: readonly OutcomeBucket[]): RateBucket[] {
  return byStart(buckets).map(([startUs, within]) => {
    const { n, allow, review, decline } = countsOf(within)
    return { startUs, n, allow: allow / n, review: review / n, decline: decline / n }
  })
}

/** The share of each outcome among decisions that were counted, judged against the test rows. */
export function outcomeRates(
  buckets: readonly Pick<OutcomeBucket, 'outcome' | 'n'>[],
  reference: MonitoringReference['outcomes'],
): OutcomeRate[] {
  const counts = countsOf(buckets)
  return (['allow', 'review', 'decline'] as const).map((outcome) => {
    const rate = shareOf(counts[outcome], counts.n)
    const expected = reference?.[outcome] ?? null
    return { outcome, rate, reference: expected, verdict: rateVerdict(outcome, rate, expected) }
  })
}

/** A rate is unusual when it is beyond chance and at least twice, or less than half, of normal. */
function rateVerdict(outcome: Outcome, rate: Share | null, expected: number | null): Verdict {
  if (rate === null || rate.n < RATE_ROWS_MIN) {
    return {
      status: 'no-data',
      sentence: `${rate?.n ?? 0} decisions; ${RATE_ROWS_MIN} are needed for a verdict on rates.`,
    }
  }
  const shown = `${title(outcome)} ${percent(rate.value)} (n = ${count(rate.n)})`
  if (expected === null)
    return {
      status: 'ok',
      sentence: `${shown}; there is no rate of the test rows to compare with.`,
    }
  const against = `against ${percent(expected)} of the test rows`
  const isBeyondChance = expected < rate.lower || expected > rate.upper
  const ratio = outcome === 'allow' ? (1 - rate.value) / (1 - expected) : rate.value / expected
  if (isBeyondChance && (ratio > 3 || ratio < 1 / 3))
    return { status: 'alert', sentence: `${shown}, ${against}.` }
  if (isBeyondChance && (ratio > 2 || ratio < 0.5))
    return { status: 'warning', sentence: `${shown}, ${against}.` }
  return { status: 'ok', sentence: `${shown}, ${against}.` }
}

function title(outcome: Outcome): string {
  return outcome[0].toUpperCase() + outcome.slice(1)
}

/**
 * A rule that fails does not fire, so any failure is worth a look; one that fails on an event in a
 * hundred, since it began to, protects nobody.
 */
function judgeRules(
  failing: readonly FailingRule[],
  buckets: readonly OutcomeBucket[],
  bucketUs: number,
): Verdict {
  const since = (us: number) => countsOf(buckets.filter(({ startUs }) => startUs + bucketUs > us)).n
  const [worstOf] = failing
  if (worstOf === undefined) {
    return buckets.length === 0
      ? { status: 'no-data', sentence: 'No decisions yet.' }
      : { status: 'ok', sentence: 'Every rule could be calculated on every event.' }
  }
  const decisions = Math.max(since(worstOf.firstUs), worstOf.n)
  const others = failing.length - 1
  const more =
    others === 0 ? '' : `, and ${others} more ${others === 1 ? 'rule' : 'rules'} on others`
  return {
    status: worstOf.n / decisions >= RULE_FAILURES_ALERT ? 'alert' : 'warning',
    sentence: `Rule ${worstOf.rule} could not be calculated on ${count(worstOf.n)} of ${count(decisions)} events since it began to fail${more}; a rule that fails does not fire.`,
  }
}

/** The slowest interval speaks: a quantile of quantiles would hide it. */
function judgeLatency(all: readonly LatencyBucket[]): Verdict {
  const buckets = all.filter(({ n }) => n >= LATENCY_ROWS_MIN)
  if (buckets.length === 0)
    return { status: 'no-data', sentence: 'No interval holds enough decisions yet.' }
  const slowest = buckets.reduce((a, b) => (b.p99Us > a.p99Us ? b : a))
  const shown = `99 % of decisions were computed within ${(slowest.p99Us / 1000).toFixed(1)} ms in the slowest interval (n = ${count(slowest.n)})`
  if (slowest.p99Us >= LATENCY_ALERT_US)
    return { status: 'alert', sentence: `${shown}; alert from ${LATENCY_ALERT_US / 1000} ms.` }
  if (slowest.p99Us >= LATENCY_WARNING_US)
    return {
      status: 'warning',
      sentence: `${shown}; warning from ${LATENCY_WARNING_US / 1000} ms.`,
    }
  return { status: 'ok', sentence: `${shown}.` }
}
