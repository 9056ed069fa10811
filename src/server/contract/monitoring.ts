import { Type, type Static } from '@sinclair/typebox'
import {
  ComparedHistogram,
  Estimate,
  Nullable,
  ObjectRef,
  OneOf,
  Rate,
  rangeQuery,
  ResolvedRange,
  Time,
  Verdict,
} from './shapes.ts'
import { FailingRule } from './policies.ts'
import { BankClock } from './session.ts'

export const MonitoringQuery = Type.Object(rangeQuery)

export const DriftRow = Type.Object({
  subject: OneOf(['score', 'feature']),
  name: Type.String(),
  target: Nullable(ObjectRef),
  psi: Nullable(Type.Number()),
  threshold: Type.Number(),
  trainingMean: Nullable(Type.Number()),
  liveMean: Nullable(Type.Number()),
  unit: Nullable(Type.String()),
  nTraining: Type.Integer(),
  nLive: Type.Integer(),
  distribution: Nullable(ComparedHistogram),
  overTime: Type.Array(Type.Object({ at: Time, psi: Nullable(Type.Number()), n: Type.Integer() })),
  verdict: Verdict,
})
export type DriftRow = Static<typeof DriftRow>

/** Shares are null in a bucket without decisions. */
export const RatePoint = Type.Object({
  at: Time,
  n: Type.Integer(),
  allow: Nullable(Type.Number()),
  review: Nullable(Type.Number()),
  decline: Nullable(Type.Number()),
})
export const LatencyPoint = Type.Object({
  at: Time,
  n: Type.Integer(),
  p50Us: Nullable(Type.Number()),
  p99Us: Nullable(Type.Number()),
})
/** Buckets by event day; `labelled` of `n` have a label so far, the rest is not guessed. */
export const PerformancePoint = Type.Object({
  at: Time,
  n: Type.Integer(),
  labelled: Type.Integer(),
  precision: Rate,
  recall: Rate,
})

export const Monitoring = Type.Object({
  clock: BankClock,
  policy: Type.String(),
  range: ResolvedRange,
  verdict: Verdict,
  drift: Type.Array(DriftRow),
  driftNote: Type.String({ description: 'How PSI is binned and against what' }),
  rates: Type.Array(RatePoint),
  ratesVerdict: Verdict,
  latency: Type.Array(LatencyPoint),
  latencyVerdict: Verdict,
  failingRules: Type.Array(FailingRule, {
    description: 'Of the policy that decides now, in the range',
  }),
  rulesVerdict: Verdict,
  performance: Type.Array(
    Type.Object({
      metric: OneOf(['precision', 'recall']),
      title: Type.String(),
      live: Estimate,
      atTraining: Nullable(Estimate),
      verdict: Verdict,
      note: Type.String({ description: 'For example that declined events have no natural label' }),
    }),
  ),
  performanceOverTime: Type.Array(PerformancePoint),
  bucket: Type.String({ description: 'Width of a bucket in words: "6 hours"' }),
})
export type Monitoring = Static<typeof Monitoring>
