import { Type, type Static } from '@sinclair/typebox'
import {
  Estimate,
  exportQuery,
  Histogram,
  Identity,
  Nullable,
  ObjectRef,
  OneOf,
  Time,
  Verdict,
} from './shapes.ts'

export const RunMetric = Type.Object({
  name: Type.String({ description: 'average_precision, roc_auc, card_precision_100…' }),
  title: Type.String(),
  estimate: Estimate,
  higherIsBetter: Type.Boolean(),
})
export const RunSummary = Type.Object({
  id: Type.String(),
  name: Type.String(),
  experiment: Type.String(),
  learner: Type.String(),
  status: OneOf(['running', 'finished', 'failed']),
  startedAt: Time,
  durationMs: Nullable(Type.Number()),
  by: Identity,
  metrics: Type.Array(RunMetric),
  registeredAs: Nullable(ObjectRef),
})
export type RunSummary = Static<typeof RunSummary>

export const RunsQuery = Type.Object({
  experiment: Type.Optional(Type.String()),
  status: Type.Optional(OneOf(['running', 'finished', 'failed'])),
  text: Type.Optional(Type.String({ maxLength: 200 })),
  ...exportQuery,
})
export const Runs = Type.Object({ items: Type.Array(RunSummary) })

/** At most 500 points, thinned without moving the curve by more than a pixel. */
export const Curve = Type.Object({
  x: Type.Array(Type.Number()),
  y: Type.Array(Type.Number()),
})
/** Exact Shapley values of some rows, column by column; the strongest columns first. */
export const Contributions = Type.Object({
  output: Type.String({ description: 'Name of the output whose margin they add up to' }),
  unit: OneOf(['log-odds', 'probability', 'value']),
  base: Type.Number(),
  columns: Type.Array(
    Type.Object({
      column: Type.String(),
      mean: Type.Number({ description: 'Mean of the absolute contributions over the rows' }),
      values: Type.Array(Nullable(Type.Union([Type.Number(), Type.String()]))),
      contributions: Type.Array(Type.Number(), { description: 'One a row' }),
    }),
    { maxItems: 20 },
  ),
})
export type Contributions = Static<typeof Contributions>
export const Param = Type.Object({ name: Type.String(), value: Type.String() })
export const Run = Type.Composite([
  RunSummary,
  Type.Object({
    params: Type.Array(Param),
    split: Type.String({ description: 'How rows were divided, in a sentence' }),
    seed: Type.Integer(),
    codeRevision: Nullable(Type.String()),
    inputs: Type.Array(ObjectRef, { description: 'Snapshots and feature sets' }),
    roc: Nullable(Curve),
    precisionRecall: Nullable(Curve),
    positiveShare: Nullable(Type.Number({ description: 'The PR curve of guessing' })),
    calibration: Nullable(
      Type.Array(
        Type.Object({ predicted: Type.Number(), observed: Type.Number(), n: Type.Integer() }),
      ),
    ),
    scores: Nullable(Type.Object({ positive: Histogram, negative: Histogram })),
    importance: Type.Array(
      Type.Object({ feature: Type.String(), value: Type.Number(), target: Nullable(ObjectRef) }),
    ),
    importanceIs: Type.String({ description: 'What `importance` measures, in words' }),
    contributions: Nullable(Contributions),
    threshold: Nullable(Type.String({ description: 'The chosen threshold and its rule' })),
    artifacts: Type.Array(
      Type.Object({
        name: Type.String(),
        bytes: Type.Integer(),
        sha256: Type.String(),
        href: Type.String({ description: 'Path to download it' }),
      }),
    ),
    log: Type.Array(Type.String()),
    problem: Nullable(Type.String()),
  }),
])
export type Run = Static<typeof Run>
export const RunParams = Type.Object({ runId: Type.String() })

export const CompareQuery = Type.Object({
  ids: Type.String({ description: '2 to 20 run ids, comma-separated', maxLength: 2000 }),
})
/** `values[i]` belongs to `runs[i]`. */
export const ComparedRuns = Type.Object({
  runs: Type.Array(RunSummary),
  params: Type.Array(
    Type.Object({
      name: Type.String(),
      values: Type.Array(Nullable(Type.String())),
      differs: Type.Boolean(),
    }),
  ),
  metrics: Type.Array(
    Type.Object({
      name: Type.String(),
      title: Type.String(),
      higherIsBetter: Type.Boolean(),
      values: Type.Array(Nullable(Estimate)),
      best: Nullable(Type.Integer({ description: 'Index of the best run' })),
    }),
  ),
  pairs: Type.Array(
    Type.Object({
      name: Type.String({ description: 'Of a metric' }),
      best: Type.Integer({ description: 'Index of the best run' }),
      differences: Type.Array(Nullable(Estimate), {
        description: 'How much better than the best, negative where worse, on the same resamples',
      }),
    }),
    { description: 'Of runs that were measured on the same rows' },
  ),
  roc: Type.Array(Nullable(Curve)),
  precisionRecall: Type.Array(Nullable(Curve)),
  positiveShare: Nullable(Type.Number()),
  verdict: Verdict,
})
export type ComparedRuns = Static<typeof ComparedRuns>
