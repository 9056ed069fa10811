/** One run: of our own flows with its plots, or of any client with what it logged. */
import { Type, type Static } from '@sinclair/typebox'
import { Curve, RunStatus, RunSummary } from './experiments.ts'
import { Histogram, MarginUnit, Nullable, ObjectRef, OneOf, Time } from './shapes.ts'

/** Exact Shapley values of some rows, column by column; the strongest columns first. */
export const Contributions = Type.Object({
  output: Type.String({ description: 'Name of the output whose margin they add up to' }),
  unit: MarginUnit,
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

const NearRun = Type.Object({ id: Type.String(), name: Type.String(), status: RunStatus })

export const RunModel = Type.Object({
  id: Type.String(),
  name: Type.String(),
  path: Type.String({ description: 'Of its folder' }),
  flavors: Type.Array(Type.String()),
  servable: Type.Boolean(),
  why: Type.String({ description: 'Why it can or cannot be served, in a sentence' }),
  fix: Nullable(Type.String({ description: 'Lines of Python that make it servable' })),
})
export type RunModel = Static<typeof RunModel>

export const Run = Type.Composite([
  RunSummary,
  Type.Object({
    experimentId: Type.String(),
    endedAt: Nullable(Time),
    deletedAt: Nullable(Time),
    params: Type.Array(Param),
    tags: Type.Array(Type.Object({ key: Type.String(), value: Type.String() })),
    note: Nullable(Type.String({ description: 'What people wrote about the run, plain text' })),
    source: Type.Object({
      name: Nullable(Type.String({ description: 'Script, notebook or entry point' })),
      kind: Nullable(Type.String()),
      branch: Nullable(Type.String()),
      repository: Nullable(Type.String()),
    }),
    datasets: Type.Array(
      Type.Object({
        name: Type.String(),
        digest: Type.String(),
        context: Nullable(Type.String({ description: 'training, validation…' })),
        source: Type.String(),
      }),
    ),
    models: Type.Array(RunModel),
    modelInputs: Type.Array(Type.String({ description: 'Ids of logged models' })),
    parent: Nullable(NearRun),
    children: Type.Array(NearRun, { maxItems: 200 }),
    split: Type.String({ description: 'How rows were divided, in a sentence' }),
    seed: Nullable(Type.Integer()),
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
      { description: 'At most 1000; all of them, folder by folder, from `runFiles`' },
    ),
    log: Type.Array(Type.String()),
    problem: Nullable(Type.String()),
  }),
])
export type Run = Static<typeof Run>
export const RunParams = Type.Object({ runId: Type.String() })

export const RunMetricsQuery = Type.Object({
  after: Type.Optional(Type.String({ description: 'The `next` of the page before' })),
})
/** Every metric of a run with its last, smallest and largest value and a thumbnail of its curve. */
export const RunMetrics = Type.Object({
  items: Type.Array(
    Type.Object({
      name: Type.String(),
      title: Type.String(),
      last: Nullable(Type.Number()),
      low: Nullable(Type.Number({ description: 'Lower bound of its interval' })),
      high: Nullable(Type.Number({ description: 'Upper bound of its interval' })),
      n: Nullable(Type.Integer({ description: 'Cases it rests on' })),
      min: Nullable(Type.Number()),
      max: Nullable(Type.Number()),
      step: Type.Integer({ description: 'Of the last value' }),
      at: Time,
      curve: Type.Array(Nullable(Type.Number()), {
        maxItems: 200,
        description: 'Thinned; empty where there is one value only',
      }),
    }),
  ),
  next: Nullable(Type.String()),
})
export type RunMetrics = Static<typeof RunMetrics>

export const RunFilesQuery = Type.Object({
  folder: Type.Optional(Type.String({ maxLength: 2000 })),
})
export const RunFiles = Type.Object({
  folder: Type.String(),
  items: Type.Array(
    Type.Object({
      path: Type.String(),
      name: Type.String(),
      isFolder: Type.Boolean(),
      bytes: Nullable(Type.Integer()),
      href: Nullable(Type.String({ description: 'Path to download it; null for folders' })),
    }),
  ),
  more: Type.Boolean({ description: 'The folder holds more than are listed' }),
})
export type RunFiles = Static<typeof RunFiles>

export const RunPreviewQuery = Type.Object({ path: Type.String({ maxLength: 2000 }) })
/**
 * What can be shown of a file: text as text, never as a page. Of long ones the beginning.
 * An image is fetched from `href` by the page.
 */
export const RunPreview = Type.Object({
  path: Type.String(),
  bytes: Type.Integer(),
  href: Type.String(),
  kind: OneOf(['text', 'json', 'csv', 'image', 'none']),
  text: Nullable(Type.String()),
  head: Type.Array(Type.String(), { description: 'Of a table: names of its columns' }),
  rows: Type.Array(Type.Array(Type.String()), { maxItems: 200 }),
  note: Nullable(Type.String({ description: 'What is left out, or why nothing is shown' })),
})
export type RunPreview = Static<typeof RunPreview>

export const SetRunTag = Type.Object(
  {
    key: Type.String({ minLength: 1, maxLength: 250 }),
    value: Type.String({ maxLength: 8000 }),
  },
  { additionalProperties: false },
)
export const RunTagParams = Type.Object({ runId: Type.String(), key: Type.String() })

/** A key for a program, such as a Python client; the only answer that ever holds the key. */
export const NewProgramKey = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100 }),
    role: Type.Optional(
      OneOf(
        ['analyst', 'caller'],
        'A caller only asks for decisions and predictions; an analyst unless stated',
      ),
    ),
  },
  { additionalProperties: false },
)
export const ProgramKey = Type.Object({
  id: Type.String(),
  name: Type.String(),
  key: Type.String({ description: 'Shown this once' }),
})
