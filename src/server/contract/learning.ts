/** Learning from a file that a person brings: its columns, what is asked of it, and what came of it. */
import { Type, type Static } from '@sinclair/typebox'
import { Curve } from './experiments.ts'
import { PipelineRun } from './pipelines.ts'
import { Contributions } from './run.ts'
import { Identity, Nullable, ObjectRef, OneOf, Time, Verdict } from './shapes.ts'

/** How a file may be declared; what it is, its first bytes say. */
export const uploadTypes = [
  'application/octet-stream',
  'text/csv',
  'text/plain',
  'application/gzip',
  'application/x-gzip',
  'application/vnd.apache.parquet',
] as const

export const UploadQuery = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 200, description: 'How you call the file' }),
})
export const LearningFileParams = Type.Object({
  fileId: Type.String({ maxLength: 64, description: 'SHA-256 of its bytes' }),
})

export const LearningColumn = Type.Object({
  name: Type.String(),
  type: OneOf(['time', 'money', 'integer', 'number', 'boolean', 'text']),
  missing: Type.Integer(),
  distinct: Type.Integer(),
  summary: Type.String(),
  values: Type.Array(Type.Object({ value: Type.String(), count: Type.Integer() }), {
    description: 'Of columns with few different values: the most frequent first',
  }),
})
export type LearningColumn = Static<typeof LearningColumn>

export const LearningFile = Type.Object({
  id: Type.String({ description: 'SHA-256 of its bytes' }),
  name: Type.String(),
  bytes: Type.Integer(),
  rows: Type.Integer(),
  columns: Type.Array(LearningColumn),
  guess: Type.Object(
    {
      target: Nullable(Type.String()),
      group: Nullable(Type.String()),
      time: Nullable(Type.String()),
    },
    { description: 'What columns are most likely meant for, by their names and values' },
  ),
})
export type LearningFile = Static<typeof LearningFile>

const Column = Type.String({ minLength: 1, maxLength: 1000 })
const FileId = Type.String({ pattern: '^[0-9a-f]{64}$' })
export const StartLearning = Type.Object(
  {
    file: FileId,
    test: Type.Optional(FileId),
    target: Column,
    positive: Type.Optional(Type.String({ maxLength: 1000 })),
    task: Type.Optional(OneOf(['binary', 'multiclass', 'regression'])),
    drop: Type.Optional(Type.Array(Column, { maxItems: 10_000 })),
    group: Type.Optional(Column),
    time: Type.Optional(Column),
    goal: Type.Optional(
      Type.String({
        maxLength: 100,
        description: 'As of `assay learn --goal`: auc, ap, cost=1:20',
      }),
    ),
    seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 })),
    register: Type.Optional(
      Type.String({ minLength: 1, maxLength: 100, description: 'Name of a model' }),
    ),
  },
  { additionalProperties: false },
)
export type StartLearning = Static<typeof StartLearning>
export const Started = Type.Object({ id: Type.String({ description: 'Id of the pipeline run' }) })
export const LearningParams = Type.Object({ learningId: Type.String({ maxLength: 100 }) })

/** With 95 % confidence between `lower` and `upper`. */
const Figure = Type.Object({ value: Type.Number(), lower: Type.Number(), upper: Type.Number() })
export type LearnFigure = Static<typeof Figure>

const FileFacts = Type.Object({
  name: Type.String(),
  rows: Type.Integer(),
  unlabelled: Type.Integer({ description: 'Rows without a label, left out' }),
})

export const LearnContender = Type.Object({
  name: Type.String(),
  title: Type.String(),
  figures: Type.Record(Type.String(), Figure),
  toBest: Nullable(Figure),
  seconds: Type.Number(),
  problem: Nullable(Type.String()),
})
export type LearnContender = Static<typeof LearnContender>

const Bin = Type.Object({
  predicted: Type.Number(),
  observed: Type.Number(),
  n: Type.Integer(),
})

export const LearnReport = Type.Object({
  file: FileFacts,
  test: Nullable(FileFacts),
  target: Type.String(),
  task: OneOf(['binary', 'multiclass', 'regression']),
  classes: Type.Array(Type.String()),
  shares: Type.Array(Type.Number()),
  goal: Type.String(),
  seed: Type.Integer(),
  judged: Type.String({ description: 'How the figures were measured, in a sentence' }),
  measures: Type.Array(
    Type.Object({ name: Type.String(), title: Type.String(), higherIsBetter: Type.Boolean() }),
    { description: 'The one that decides first' },
  ),
  columns: Type.Array(
    Type.Object({
      name: Type.String(),
      kind: OneOf(['number', 'category']),
      missing: Type.Integer(),
      distinct: Type.Integer(),
      summary: Type.String(),
    }),
  ),
  leftOut: Type.Array(Type.Object({ column: Type.String(), why: Type.String() })),
  warnings: Type.Array(
    Type.Object(
      {
        code: Type.String(),
        column: Type.Optional(Type.String()),
        level: OneOf(['likely', 'possible', 'note']),
        words: Type.String(),
      },
      { additionalProperties: true },
    ),
  ),
  contenders: Type.Array(LearnContender, { description: 'The best first' }),
  best: Type.String(),
  unmetRule: Nullable(
    Type.String({ description: 'Why there is no threshold, where the goal asks for one' }),
  ),
  threshold: Nullable(
    Type.Object({
      threshold: Type.Number(),
      rule: Type.String(),
      alerts: Type.Integer(),
      rows: Type.Integer(),
      precision: Figure,
      recall: Figure,
    }),
  ),
  roc: Nullable(Curve),
  precisionRecall: Nullable(Curve),
  calibration: Nullable(Type.Array(Bin)),
  otherCurves: Type.Array(
    Type.Object({
      name: Type.String(),
      title: Type.String(),
      roc: Curve,
      precisionRecall: Curve,
      calibration: Type.Array(Bin),
    }),
    { description: 'Of the estimators beside the best' },
  ),
  importance: Type.Array(Type.Object({ column: Type.String(), loss: Figure })),
  dependence: Type.Array(
    Type.Object({
      column: Type.String(),
      numeric: Type.Boolean(),
      points: Type.Array(Type.Object({ at: Type.String(), prediction: Type.Number() })),
    }),
  ),
  contributions: Nullable(Contributions),
})
export type LearnReport = Static<typeof LearnReport>

export const LearningSummary = Type.Object({
  id: Type.String(),
  title: Type.String({ description: 'For example "income from adult.csv"' }),
  state: OneOf(['waiting', 'running', 'done', 'failed']),
  startedAt: Time,
  durationMs: Nullable(Type.Number()),
  by: Identity,
  figure: Nullable(Type.String({ description: 'What the comparison came to, or how far it is' })),
  run: Nullable(ObjectRef),
})
export type LearningSummary = Static<typeof LearningSummary>
export const Learnings = Type.Object({ items: Type.Array(LearningSummary) })

export const Learning = Type.Object({
  id: Type.String(),
  title: Type.String(),
  state: OneOf(['waiting', 'running', 'done', 'failed']),
  before: Type.Integer({ description: 'How many are learnt before this one begins' }),
  pipeline: PipelineRun,
  verdict: Nullable(Verdict),
  report: Nullable(LearnReport),
  html: Nullable(Type.String({ description: 'Path to download the report as one file' })),
  run: Nullable(ObjectRef),
  version: Nullable(ObjectRef),
})
export type Learning = Static<typeof Learning>
