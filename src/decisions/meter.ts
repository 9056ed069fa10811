// Counts what was decided and how long it took, for `/metrics` and the page.
import { isAssayError } from '../lib/errors.ts'
import type { Decided } from './service.ts'
import type { DecideStatus, RowAnswer } from './remote.ts'

/** Figures since the start, for `/metrics`. */
export interface DecideMetrics {
  readonly decisions: Readonly<Record<string, number>>
  readonly replayed: number
  readonly refused: Readonly<Record<string, number>>
  /** How often each rule could not be evaluated. */
  readonly rulesFailed: Readonly<Record<string, number>>
  /** How often each step of the ladder was asked in vain, or could not be asked. */
  readonly unanswered: Readonly<Record<string, number>>
  readonly events: number
  readonly labels: number
  /** Receipt to durable answer. */
  readonly latency: HistogramFigures
}

/** Cumulative counts by upper bound, in microseconds, the last one without a bound. */
export interface HistogramFigures {
  readonly boundsUs: readonly number[]
  readonly counts: readonly number[]
  readonly sumUs: number
}

const RECENT_MAX = 4096
const BOUNDS_US = [
  250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000, 1_000_000,
]

export interface Meter {
  shed: number
  decided(decided: Decided, tookUs: number): void
  ingested(answers: readonly RowAnswer[], areLabels: boolean): void
  refuse(error: unknown): void
  latencyNow(): DecideStatus['latency']
  figures(): DecideMetrics
}

export function createMeter(): Meter {
  const decisions: Record<string, number> = { allow: 0, review: 0, decline: 0 }
  const refused: Record<string, number> = {}
  const rulesFailed: Record<string, number> = {}
  const unanswered: Record<string, number> = {}
  const counts = new Array<number>(BOUNDS_US.length + 1).fill(0)
  const recent = new Float64Array(RECENT_MAX)
  let seen = 0
  let sumUs = 0
  let replayed = 0
  let events = 0
  let labels = 0
  return {
    shed: 0,
    decided(decided, tookUs) {
      if (decided.replayed) {
        replayed++
        return
      }
      const { outcome } = decided
      for (const rule of decided.rulesFailed ?? []) rulesFailed[rule] = (rulesFailed[rule] ?? 0) + 1
      for (const { by } of decided.unanswered ?? []) unanswered[by] = (unanswered[by] ?? 0) + 1
      decisions[outcome] = (decisions[outcome] ?? 0) + 1
      recent[seen++ % RECENT_MAX] = tookUs
      sumUs += tookUs
      const at = BOUNDS_US.findIndex((bound) => tookUs <= bound)
      counts[at < 0 ? BOUNDS_US.length : at]++
    },
    ingested(answers, areLabels) {
      const accepted = answers.filter(({ status }) => status === 'accepted').length
      if (areLabels) labels += accepted
      else events += accepted
    },
    refuse(error) {
      const code = isAssayError(error) ? error.code : 'internal_error'
      refused[code] = (refused[code] ?? 0) + 1
    },
    latencyNow() {
      const n = Math.min(seen, RECENT_MAX)
      const sorted = recent.slice(0, n).sort()
      const at = (q: number) => (n === 0 ? null : sorted[Math.max(0, Math.ceil(q * n) - 1)])
      return { n, p50Us: at(0.5), p99Us: at(0.99) }
    },
    figures() {
      let total = 0
      const cumulative = counts.map((count) => (total += count))
      const latency = { boundsUs: BOUNDS_US, counts: cumulative, sumUs }
      return {
        decisions: { ...decisions },
        replayed,
        refused: { ...refused },
        rulesFailed: { ...rulesFailed },
        unanswered: { ...unanswered },
        events,
        labels,
        latency,
      }
    },
  }
}
