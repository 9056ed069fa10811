/** Experiments, the table of their runs, curves, and runs side by side. One run is in `run.ts`. */
import { Type, type Static } from '@sinclair/typebox'
import {
  Estimate,
  exportQuery,
  Identity,
  Nullable,
  ObjectRef,
  OneOf,
  pageQuery,
  Time,
  Verdict,
} from './shapes.ts'

const deletedQuery = {
  deleted: Type.Optional(
    OneOf(['without', 'only', 'with'], 'Of what was deleted and can be restored'),
  ),
}

export const Experiment = Type.Object({
  id: Type.String(),
  name: Type.String(),
  runs: Type.Integer({ minimum: 0, description: 'Runs that were not deleted' }),
  createdAt: Time,
  updatedAt: Time,
  by: Identity,
  deletedAt: Nullable(Time),
})
export type Experiment = Static<typeof Experiment>
export const ExperimentsQuery = Type.Object({
  text: Type.Optional(Type.String({ maxLength: 500, description: 'Part of a name' })),
  named: Type.Optional(Type.String({ maxLength: 500, description: 'The name or id of one' })),
  ...deletedQuery,
  ...pageQuery,
})
export type ExperimentsQuery = Static<typeof ExperimentsQuery>
/** Newest first. */
export const Experiments = Type.Object({
  items: Type.Array(Experiment),
  next: Nullable(Type.String()),
  runs: Type.Integer({ minimum: 0, description: 'Of all experiments, without deleted ones' }),
})
export const ExperimentParams = Type.Object({ experimentId: Type.String() })
export const RenameExperiment = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 500 }) },
  { additionalProperties: false },
)

export const runStatuses = ['running', 'scheduled', 'finished', 'failed', 'cancelled'] as const
export const RunStatus = OneOf(runStatuses)

export const runColumnKinds = ['attribute', 'metric', 'param', 'tag'] as const
/**
 * A column of the table of runs. Its key is what filters and orders call it: `attributes.status`,
 * `metrics.auc`, `params.depth`, `tags.team`; commas and per cent signs of a name are per-cent
 * encoded in lists of keys.
 */
export const RunColumn = Type.Object({
  key: Type.String(),
  kind: OneOf(runColumnKinds),
  name: Type.String(),
  title: Type.String(),
  sortable: Type.Boolean({ description: 'Whether runs can be put in its order' }),
})
export type RunColumn = Static<typeof RunColumn>

const RunCell = Nullable(Type.Union([Type.Number(), Type.String()]))
/** Null where the run has no such value; a metric that is no number is the text "NaN". */
export type RunCell = Static<typeof RunCell>

export const RunRow = Type.Object({
  id: Type.String(),
  name: Type.String(),
  experimentId: Type.String(),
  experiment: Type.String(),
  status: RunStatus,
  startedAt: Time,
  durationMs: Nullable(Type.Number()),
  by: Identity,
  registeredAs: Nullable(ObjectRef),
  deletedAt: Nullable(Time),
  values: Type.Array(RunCell, { description: 'One for each of `columns`, in their order' }),
})
export type RunRow = Static<typeof RunRow>

export const RunsQuery = Type.Object({
  experiment: Type.Optional(Type.String({ description: 'Name or id' })),
  status: Type.Optional(RunStatus),
  text: Type.Optional(Type.String({ maxLength: 200, description: 'Part of a name' })),
  filter: Type.Optional(
    Type.String({
      maxLength: 6000,
      description:
        "As in MLflow's search_runs, with OR and parentheses besides: metrics.auc > 0.9 AND params.depth = '6'",
    }),
  ),
  order: Type.Optional(
    Type.String({ maxLength: 2000, description: 'metrics.auc desc, attributes.name' }),
  ),
  columns: Type.Optional(
    Type.String({
      maxLength: 12_000,
      description:
        'Keys of the columns to answer, comma-separated; metrics.*, params.* and tags.* stand for all of them. Only what is named is read.',
    }),
  ),
  ...deletedQuery,
  ...pageQuery,
  ...exportQuery,
})
export const Runs = Type.Object({
  columns: Type.Array(RunColumn, { maxItems: 3000 }),
  items: Type.Array(RunRow),
  next: Nullable(Type.String()),
  total: Nullable(Type.Integer({ minimum: 0, description: 'Null behind a filter: not counted' })),
})
export type Runs = Static<typeof Runs>

export const RunColumnsQuery = Type.Object({ experiment: RunsQuery.properties.experiment })
/** Every column that the runs of an experiment could have, for choosing and for completing words. */
export const RunColumns = Type.Object({
  items: Type.Array(
    Type.Composite([
      RunColumn,
      Type.Object({ runs: Type.Integer({ description: 'Of how many runs; 0 for attributes' }) }),
    ]),
  ),
})
export type RunColumns = Static<typeof RunColumns>

const runIds = Type.Array(Type.String({ maxLength: 300 }), { minItems: 1, maxItems: 1000 })
export const RunIds = Type.Object({ ids: runIds }, { additionalProperties: false })
/** What became of several runs; deleted ones can be restored until they are purged. */
export const RunsChanged = Type.Object({
  done: Type.Array(Type.String()),
  undoUntil: Nullable(Time),
  sentence: Type.String(),
})

/** A view of the table that was given a name: the search part of its address. */
export const SavedView = Type.Object({
  id: Type.String(),
  name: Type.String(),
  view: Type.String({ description: 'experiment=1&filter=…&columns=…&order=…' }),
  shared: Type.Boolean({ description: 'Seen by all, or by its owner alone' }),
  by: Identity,
  mine: Type.Boolean(),
  savedAt: Time,
})
export type SavedView = Static<typeof SavedView>
export const SavedViews = Type.Object({ items: Type.Array(SavedView) })
export const SaveView = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100 }),
    view: Type.String({ maxLength: 16_000 }),
    shared: Type.Boolean(),
  },
  { additionalProperties: false },
)
export const SavedViewParams = Type.Object({ viewId: Type.String() })

export const RunCurvesQuery = Type.Object({
  ids: Type.String({ maxLength: 6000, description: '1 to 100 run ids, comma-separated' }),
  metric: Type.String({ maxLength: 500 }),
  fromStep: Type.Optional(Type.Integer()),
  toStep: Type.Optional(Type.Integer()),
  points: Type.Optional(Type.Integer({ minimum: 10, maximum: 2500, default: 1000 })),
})
/**
 * One metric of several runs. Where there are more values than points, each stretch keeps its
 * first, last, smallest and largest value, so that no extreme is lost.
 */
export const RunCurves = Type.Object({
  metric: Type.String(),
  title: Type.String(),
  points: Type.Integer({ description: 'Curves of more values than this are thinned' }),
  series: Type.Array(
    Type.Object({
      runId: Type.String(),
      name: Type.String(),
      steps: Type.Array(Type.Integer()),
      at: Type.Array(Type.Number({ description: 'Milliseconds since 1970' })),
      values: Type.Array(Nullable(Type.Number()), { description: 'Null: was no number' }),
    }),
  ),
})
export type RunCurves = Static<typeof RunCurves>

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
  status: RunStatus,
  startedAt: Time,
  durationMs: Nullable(Type.Number()),
  by: Identity,
  metrics: Type.Array(RunMetric),
  registeredAs: Nullable(ObjectRef),
})
export type RunSummary = Static<typeof RunSummary>

/** At most 500 points, thinned without moving the curve by more than a pixel. */
export const Curve = Type.Object({
  x: Type.Array(Type.Number()),
  y: Type.Array(Type.Number()),
})

export const CompareQuery = Type.Object({
  ids: Type.String({ description: '2 to 100 run ids, comma-separated', maxLength: 6000 }),
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
      best: Nullable(Type.Integer({ description: 'Index of the best run, where they differ' })),
      hasCurve: Type.Boolean({ description: 'Whether a run logged it at a step after the first' }),
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
    { description: 'Of at most 20 runs that were measured on the same rows' },
  ),
  roc: Type.Array(Nullable(Curve)),
  precisionRecall: Type.Array(Nullable(Curve)),
  positiveShare: Nullable(Type.Number()),
  verdict: Verdict,
})
export type ComparedRuns = Static<typeof ComparedRuns>
