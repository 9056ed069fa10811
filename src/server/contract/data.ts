import { Type, type Static } from '@sinclair/typebox'
import {
  exportQuery,
  Histogram,
  Identity,
  Nullable,
  OneOf,
  PageOf,
  pageQuery,
  Time,
  usedByVersions,
  Verdict,
} from './shapes.ts'

export const Snapshot = Type.Object({
  hash: Type.String(),
  rows: Type.Integer(),
  from: Nullable(Time),
  to: Nullable(Time),
  createdAt: Time,
  file: Type.String({ description: 'What it was read from' }),
  quarantined: Type.Integer(),
  ...usedByVersions,
})

export const DatasetSummary = Type.Object({
  name: Type.String(),
  description: Type.String(),
  kind: OneOf(['events', 'labels']),
  version: Type.String({ description: 'Hash of the declared contract' }),
  rows: Type.Integer(),
  quarantined: Type.Integer(),
  latest: Nullable(Snapshot),
  verdict: Verdict,
})
export const Datasets = Type.Object({ items: Type.Array(DatasetSummary) })
export type DatasetSummary = Static<typeof DatasetSummary>

export const ContractColumn = Type.Object({
  name: Type.String(),
  from: Type.String({ description: 'Its name in files' }),
  type: Type.String({ description: 'In words: "money, EUR"' }),
  nullable: Type.Boolean(),
  personal: Type.Boolean(),
  description: Type.String(),
  checks: Type.Array(Type.String({ description: 'In words: "0.00 to 100,000.00"' })),
})

/**
 * Numbers are in the scale's unit: `money` major units (statistics, not amounts),
 * `time` microseconds since 1970 UTC. Text extremes are left null.
 */
export const ColumnProfile = Type.Object({
  column: Type.String(),
  scale: OneOf(['number', 'money', 'time', 'text', 'category', 'boolean']),
  unit: Nullable(Type.String()),
  count: Type.Integer(),
  nulls: Type.Integer(),
  distinct: Nullable(Type.Integer()),
  distinctExact: Type.Boolean(),
  min: Nullable(Type.Number()),
  max: Nullable(Type.Number()),
  mean: Nullable(Type.Number()),
  std: Nullable(Type.Number()),
  top: Type.Array(Type.Object({ value: Type.String(), count: Type.Integer() })),
  histogram: Nullable(Histogram),
})
export type ColumnProfile = Static<typeof ColumnProfile>

export const Dataset = Type.Composite([
  DatasetSummary,
  Type.Object({
    timeZone: Type.String(),
    late: Nullable(Type.String()),
    future: Nullable(Type.String()),
    ignored: Type.Array(Type.String()),
    columns: Type.Array(ContractColumn),
    snapshots: Type.Array(Snapshot),
    profile: Type.Array(ColumnProfile),
    daily: Type.Array(
      Type.Object({ day: Type.String(), rows: Type.Integer(), quarantined: Type.Integer() }),
    ),
    ...usedByVersions,
    file: Nullable(Type.String()),
  }),
])
export type Dataset = Static<typeof Dataset>

export const DatasetParams = Type.Object({ dataset: Type.String() })
export const DatasetQuery = Type.Object({
  snapshot: Type.Optional(Type.String({ description: 'Hash; by default the latest' })),
})

export const QuarantineQuery = Type.Object({
  dataset: Type.Optional(Type.String()),
  column: Type.Optional(Type.String()),
  rule: Type.Optional(Type.String()),
  status: Type.Optional(OneOf(['open', 'resubmitted', 'all'])),
  text: Type.Optional(Type.String({ maxLength: 200 })),
  ...pageQuery,
  ...exportQuery,
})
export const QuarantinedRow = Type.Object({
  id: Type.String(),
  dataset: Type.String(),
  file: Type.String(),
  row: Type.Integer({ description: 'Row number in the file; the header is row 1' }),
  column: Nullable(Type.String()),
  rule: Type.String(),
  value: Nullable(Type.String()),
  message: Type.String({ description: 'What is wrong and what would pass' }),
  status: OneOf(['open', 'resubmitted']),
  at: Time,
  fields: Type.Array(Type.Object({ name: Type.String(), value: Nullable(Type.String()) })),
  resubmitted: Nullable(Type.Object({ by: Identity, at: Time })),
})
export type QuarantinedRow = Static<typeof QuarantinedRow>
export const Quarantine = Type.Composite([
  PageOf(QuarantinedRow),
  Type.Object({
    byRule: Type.Array(
      Type.Object({
        dataset: Type.String(),
        column: Nullable(Type.String()),
        rule: Type.String(),
        count: Type.Integer(),
      }),
    ),
  }),
])
export type Quarantine = Static<typeof Quarantine>

/** Fields as text, by the names they have in the file; the same checks run again. */
export const Resubmit = Type.Object(
  {
    rows: Type.Array(
      Type.Object({
        id: Type.String(),
        fields: Type.Record(Type.String(), Nullable(Type.String({ maxLength: 4000 }))),
      }),
      { minItems: 1, maxItems: 500 },
    ),
    reason: Type.String({ minLength: 3, maxLength: 1000 }),
  },
  { additionalProperties: false },
)
export const ResubmitAnswer = Type.Object({
  accepted: Type.Integer(),
  refused: Type.Array(
    Type.Object({
      id: Type.String(),
      column: Nullable(Type.String()),
      rule: Type.String(),
      message: Type.String(),
    }),
  ),
  snapshot: Nullable(Type.String({ description: 'Hash of the new snapshot' })),
  sentence: Type.String(),
})
export type ResubmitAnswer = Static<typeof ResubmitAnswer>
