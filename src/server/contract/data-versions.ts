/** Versions of datasets: their history, what lies between two, and what people do with them. */
import { Type, type Static } from '@sinclair/typebox'
import { DatasetParams } from './data.ts'
import { WithReason } from './models.ts'
import {
  Done,
  Nullable,
  OneOf,
  pageQuery,
  Permission,
  Time,
  usedByVersions,
  Verdict,
} from './shapes.ts'

const Reason = Type.String({ minLength: 3, maxLength: 1000 })
const VersionName = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'A number, `latest`, a tag, or eight or more digits of the hash',
})

export const DatasetVersion = Type.Object({
  number: Type.Integer({ description: '1, 2, … in the order in which they were recorded' }),
  hash: Type.String({ description: 'Hash of the content: equal content, equal hash' }),
  parent: Nullable(Type.Integer()),
  restores: Nullable(Type.Integer({ description: 'Version whose content a roll-back brought' })),
  mode: OneOf(['replace', 'append']),
  rows: Type.Integer(),
  rowsAgainstParent: Nullable(
    Type.Integer({ description: 'Rows more, or less, than its parent has' }),
  ),
  snapshots: Type.Integer(),
  from: Nullable(Time),
  to: Nullable(Time),
  file: Type.String({ description: 'What it was read from' }),
  contract: Type.String({ description: 'Hash of the contract of its newest rows' }),
  recordedAt: Time,
  recordedBy: Nullable(Type.String()),
  reason: Nullable(Type.String()),
  removed: Nullable(Type.Object({ at: Time, by: Type.String(), reason: Type.String() })),
  tags: Type.Array(Type.String()),
  held: Type.Boolean(),
  ...usedByVersions,
})
export type DatasetVersion = Static<typeof DatasetVersion>

const DatasetHold = Type.Object({
  id: Type.String(),
  version: Nullable(Type.Integer({ description: 'null: every version' })),
  reason: Type.String(),
  by: Type.String(),
  from: Time,
  until: Nullable(Time),
})

export const DatasetVersions = Type.Object({
  items: Type.Array(DatasetVersion),
  next: Nullable(Type.String()),
  tags: Type.Array(
    Type.Object({
      tag: Type.String(),
      version: Type.Integer(),
      by: Type.String(),
      reason: Type.String(),
      at: Time,
    }),
  ),
  holds: Type.Array(DatasetHold),
  retention: Nullable(
    Type.Object({
      versions: Nullable(Type.Integer()),
      days: Nullable(Type.Integer()),
      sentence: Type.String(),
    }),
  ),
  may: Type.Object({ tag: Permission, manage: Permission }),
})
export type DatasetVersions = Static<typeof DatasetVersions>

const DifferenceQuery = Type.Object({
  before: VersionName,
  after: VersionName,
  rows: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 100, default: 20, description: 'Of each kind' }),
  ),
  profile: Type.Optional(OneOf(['yes', 'no'], 'Whether distributions are compared as well')),
})

const Values = Nullable(Type.Record(Type.String(), Nullable(Type.String())))

/** Values as text: money in decimals, times ISO 8601; personal ones are hidden. */
export const RowDifference = Type.Object({
  id: Nullable(Type.String()),
  at: Nullable(Time),
  columns: Type.Array(Type.String({ description: 'Columns that differ' })),
  before: Values,
  after: Values,
})
export type RowDifference = Static<typeof RowDifference>

const ColumnFigures = Type.Object({
  rows: Type.Integer(),
  missing: Type.Integer(),
  distinct: Type.Integer(),
  mean: Nullable(Type.String()),
  quantiles: Type.Array(Type.String({ description: 'At 0, 5, 25, 50, 75, 95 and 100 %' })),
})

export const DatasetDifference = Type.Object({
  sentence: Type.String(),
  before: DatasetVersion,
  after: DatasetVersion,
  rows: Type.Object({
    before: Type.Integer(),
    after: Type.Integer(),
    added: Type.Integer(),
    removed: Type.Integer(),
    changed: Type.Integer(),
  }),
  parts: Type.Object({
    before: Type.Integer(),
    after: Type.Integer(),
    shared: Type.Integer({ description: 'In both, and therefore not read' }),
    rowsRead: Type.Integer(),
  }),
  schema: Type.Object({
    sameContract: Type.Boolean(),
    added: Type.Array(Type.String()),
    removed: Type.Array(Type.String()),
    retyped: Type.Array(
      Type.Object({ column: Type.String(), before: Type.String(), after: Type.String() }),
    ),
  }),
  columns: Type.Array(Type.Object({ column: Type.String(), changed: Type.Integer() })),
  sample: Type.Object({
    added: Type.Array(RowDifference),
    removed: Type.Array(RowDifference),
    changed: Type.Array(RowDifference),
  }),
  profile: Nullable(
    Type.Array(
      Type.Object({
        column: Type.String(),
        unit: Nullable(Type.String()),
        before: ColumnFigures,
        after: ColumnFigures,
        psi: Nullable(Type.Number()),
        verdict: Verdict,
      }),
    ),
  ),
})
export type DatasetDifference = Static<typeof DatasetDifference>

const TagDataset = Type.Object(
  {
    tag: Type.String({ minLength: 1, maxLength: 64 }),
    version: Nullable(VersionName),
    reason: Reason,
  },
  { additionalProperties: false, description: 'Without a version the tag is taken away' },
)
const HoldDataset = Type.Object(
  { version: Nullable(VersionName), until: Nullable(Time), reason: Reason },
  { additionalProperties: false, description: 'Without a version all of the dataset is held' },
)
const HoldParams = Type.Object({ dataset: Type.String(), hold: Type.String() })
const RollBackDataset = Type.Object(
  { version: VersionName, reason: Reason },
  { additionalProperties: false },
)
const RetainDataset = Type.Object(
  {
    versions: Nullable(Type.Integer({ minimum: 1, maximum: 100_000 })),
    days: Nullable(Type.Integer({ minimum: 1, maximum: 100_000 })),
    reason: Reason,
  },
  { additionalProperties: false },
)
const CleanData = Type.Object(
  { dryRun: Type.Boolean(), reason: Reason },
  { additionalProperties: false },
)
const Cleaned = Type.Object({
  sentence: Type.String(),
  versions: Type.Array(Type.Object({ dataset: Type.String(), number: Type.Integer() })),
  files: Type.Integer(),
  bytes: Type.Integer(),
  waiting: Type.Integer({ description: 'Left-over files that were used in the last day' }),
  more: Type.Boolean(),
})

/** The operations on versions of data sets, as the table of the API has them. */
export const dataVersionRoutes = {
  datasetVersions: {
    summary: 'Versions of a data set, newest first, with tags and holds',
    params: DatasetParams,
    query: Type.Object(pageQuery),
    response: DatasetVersions,
  },
  datasetDifference: {
    summary: 'What lies between two versions: rows, schema, distributions',
    params: DatasetParams,
    query: DifferenceQuery,
    response: DatasetDifference,
  },
  tagDataset: {
    summary: 'Put a name on a version, move it, or take it away',
    params: DatasetParams,
    body: TagDataset,
    response: Done,
  },
  holdDataset: {
    summary: 'Keep a version, or all of a data set, whatever retention says',
    params: DatasetParams,
    body: HoldDataset,
    response: Done,
  },
  releaseDataset: { summary: 'End a hold', params: HoldParams, body: WithReason, response: Done },
  rollBackDataset: {
    summary: 'Make the content of an old version the newest version',
    params: DatasetParams,
    body: RollBackDataset,
    response: Done,
  },
  retainDataset: {
    summary: 'How long versions of a data set are kept',
    params: DatasetParams,
    body: RetainDataset,
    response: Done,
  },
  cleanData: {
    summary: 'Apply retention and remove files that no version names',
    body: CleanData,
    response: Cleaned,
  },
} as const
