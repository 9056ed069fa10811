import { Type, type Static } from '@sinclair/typebox'
import {
  Identity,
  Money,
  Nullable,
  ObjectRef,
  OneOf,
  OutcomeRate,
  Permission,
  Rate,
  rangeQuery,
  ResolvedRange,
  Time,
  Verdict,
} from './shapes.ts'
import { BankClock } from './session.ts'

export const OverviewQuery = Type.Object(rangeQuery)

/** A small line under a tile: one number a bucket, null where nothing was measured. */
export const Trend = Type.Array(Type.Object({ at: Time, value: Nullable(Type.Number()) }), {
  maxItems: 60,
})

export const OverviewTiles = Type.Object({
  fraudStopped: Type.Object({
    amount: Money,
    count: Type.Integer(),
    note: Type.String({ description: 'For example "12 declined and confirmed as fraud"' }),
    verdict: Verdict,
    trend: Trend,
  }),
  fraudMissed: Type.Object({
    amount: Money,
    count: Type.Integer(),
    note: Type.String({ description: 'Confirmed so far; says how far labels have come' }),
    verdict: Verdict,
    trend: Trend,
  }),
  genuineDeclined: Type.Object({
    rate: Rate,
    count: Type.Integer(),
    note: Type.String(),
    verdict: Verdict,
    trend: Trend,
  }),
  reviewQueue: Type.Object({
    open: Type.Integer(),
    capacityPerDay: Nullable(Type.Integer()),
    decidedToday: Type.Integer(),
    oldestOpenedAt: Nullable(Time),
    note: Type.String(),
    verdict: Verdict,
  }),
})

/** What answers now, and who let it. */
export const LiveNow = Type.Object({
  policy: ObjectRef,
  policyVersion: Type.String(),
  model: ObjectRef,
  modelHash: Type.String(),
  learner: Type.String(),
  liveSince: Time,
  deployedBy: Identity,
  approvedBy: Type.Array(Identity),
  thresholds: Type.Object({
    review: Nullable(Type.Number()),
    decline: Nullable(Type.Number()),
  }),
  rollbackTo: Nullable(ObjectRef),
  rollback: Permission,
})
export type LiveNow = Static<typeof LiveNow>

/** Durations in microseconds, measured from the request's first byte to the durable answer. */
export const LatencyNow = Type.Object({
  p50Us: Nullable(Type.Number()),
  p99Us: Nullable(Type.Number()),
  n: Type.Integer(),
  normalP99Us: Nullable(Type.Number()),
  verdict: Verdict,
})

export const stripStages = ['data', 'features', 'model', 'gate', 'live'] as const
export const StripStage = Type.Object({
  stage: OneOf(stripStages),
  figure: Type.String({ description: 'The figure that matters, formatted: "1,754,155"' }),
  unit: Type.String({ description: 'What the figure counts: "rows, 7 quarantined"' }),
  verdict: Verdict,
  target: ObjectRef,
})
export type StripStage = Static<typeof StripStage>

/** "Are we safe now?" `live` is null until the first deployment. */
export const Overview = Type.Object({
  clock: BankClock,
  range: ResolvedRange,
  verdict: Verdict,
  alerts: Type.Array(Type.Object({ verdict: Verdict, target: ObjectRef })),
  tiles: OverviewTiles,
  live: Nullable(LiveNow),
  outcomes: Type.Array(OutcomeRate),
  latency: LatencyNow,
  decisionsPerMinute: Nullable(Type.Number()),
  strip: Type.Array(StripStage),
})
export type Overview = Static<typeof Overview>

export const stageStates = ['waiting', 'running', 'done', 'failed'] as const
export const ProgressStage = Type.Object({
  id: Type.String(),
  title: Type.String(),
  state: OneOf(stageStates),
  figure: Nullable(Type.String({ description: 'The same line the terminal prints' })),
  fraction: Nullable(Type.Number({ minimum: 0, maximum: 1 })),
  startedAt: Nullable(Time),
  finishedAt: Nullable(Time),
  target: Nullable(ObjectRef),
})
export type ProgressStage = Static<typeof ProgressStage>

/** The running (or last) pipeline of the project. `idle`: none was ever started. */
export const Progress = Type.Object({
  state: OneOf(['idle', 'running', 'done', 'failed']),
  pipelineRun: Nullable(Type.String()),
  stages: Type.Array(ProgressStage),
  problem: Nullable(Type.String({ description: 'What happened, what is safe, what to do' })),
})
export type Progress = Static<typeof Progress>

export const replaySpeeds = ['60', '600', 'max'] as const
export const Replay = Type.Object({
  state: OneOf(['none', 'waiting', 'playing', 'paused', 'finished', 'failed']),
  namespace: Nullable(Type.String()),
  simulatedNow: Nullable(Time),
  from: Nullable(Time),
  to: Nullable(Time),
  speed: OneOf(replaySpeeds),
  progress: Type.Number({ minimum: 0, maximum: 1 }),
  decisions: Type.Integer(),
  labels: Type.Integer(),
  firstLabelsAt: Nullable(Time),
  sentence: Type.String(),
})
export type Replay = Static<typeof Replay>

export const ReplayCommand = Type.Object(
  {
    action: OneOf(['pause', 'play', 'speed', 'jump-to-first-labels', 'again']),
    speed: Type.Optional(OneOf(replaySpeeds)),
  },
  { additionalProperties: false },
)
export type ReplayCommand = Static<typeof ReplayCommand>

export const SearchQuery = Type.Object({
  q: Type.String({ maxLength: 200 }),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 50, default: 20 })),
})
export const SearchResults = Type.Object({
  items: Type.Array(Type.Object({ target: ObjectRef, detail: Type.String() })),
})
export type SearchResults = Static<typeof SearchResults>
