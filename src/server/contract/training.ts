/** Feature values for programs: of given entities in history and now, and the audit of past ones. */
import { Type, type Static } from '@sinclair/typebox'
import { Nullable, OneOf, Time, Verdict } from './shapes.ts'

export const FeatureSetParams = Type.Object({ set: Type.String() })

/** Names are those of the source's contract; numbers, text and decimal text as in events. */
const EntityRow = Type.Record(Type.String(), Type.Unknown(), {
  description: 'Columns of the source by name: keys, the event time, request-time values',
})

export const factOrders = ['as-decided', 'as-corrected'] as const
const engines = ['sweep', 'sql', 'replay'] as const

export const FeatureHistoryQuery = Type.Object({
  order: Type.Optional(
    OneOf(
      factOrders,
      'as-decided (default): what had arrived by then; as-corrected: as if nothing had come late',
    ),
  ),
})
/** The body may also be the same rows as CSV with a header, or as Parquet. */
export const FeatureHistoryBody = Type.Object(
  { rows: Type.Array(EntityRow, { minItems: 1, maxItems: 100_000 }) },
  { additionalProperties: false },
)

const Cell = Nullable(Type.Union([Type.String(), Type.Number()]))

/** What historical values rest on. */
export const FactCounts = Type.Object({
  events: Type.Integer({ description: 'Events that were counted, up to the last time asked for' }),
  assumed: Type.Integer({
    description: 'Of them, those whose arrival is not known: their event time was assumed',
  }),
  tooLate: Type.Integer({ description: 'Left out: too old on arrival, as live ones would be' }),
  inFuture: Type.Integer({ description: 'Left out: ahead of the clock when they arrived' }),
  conflicting: Type.Integer({
    description: 'Files and live traffic disagree about them: what was accepted first counts',
  }),
})

/** Which engine calculated how many of the features, and by which rule. All give the same values. */
const EngineUse = Type.Object({
  engine: OneOf(engines, 'a sweep over columns, SQL, or a replay of the live operator'),
  features: Type.Integer(),
  reason: Type.String(),
})

export const FeatureHistory = Type.Object({
  set: Type.String(),
  version: Type.String({ description: 'Hash of the declaration' }),
  order: OneOf(factOrders),
  snapshots: Type.Array(Type.String(), { description: 'Hashes of the data that were read' }),
  facts: FactCounts,
  engines: Type.Array(EngineUse),
  columns: Type.Array(Type.String(), {
    description: 'Columns of the request, then features, then labels of the events named',
  }),
  rows: Type.Array(Type.Array(Cell), { description: 'In the order of the request; null: missing' }),
})
export type FeatureHistory = Static<typeof FeatureHistory>

export const liveVersions = ['deployed', 'declared'] as const

export const LiveFeaturesBody = Type.Object(
  {
    rows: Type.Array(EntityRow, { minItems: 1, maxItems: 1000 }),
    at: Type.Optional(Time),
    version: Type.Optional(
      OneOf(
        liveVersions,
        'deployed (default): as decisions use them now; declared: as the project declares them, ' +
          'worked out from history where no deployment uses that version yet',
      ),
    ),
    namespace: Type.Optional(
      Type.String({ maxLength: 40, description: 'By default what is on air' }),
    ),
  },
  { additionalProperties: false },
)
export const LiveFeatures = Type.Object({
  set: Type.String(),
  version: Type.String({ description: 'Hash of the declaration that the values follow' }),
  declared: Type.String({ description: 'Hash of the declaration in the project; else the same' }),
  namespace: Type.String(),
  asOf: Time,
  newestEvent: Nullable(Time),
  columns: Type.Array(Type.String(), { description: 'The features, in declared order' }),
  rows: Type.Array(Type.Array(Nullable(Type.Number())), {
    description: 'In the order of the request; null: missing',
  }),
})
export type LiveFeatures = Static<typeof LiveFeatures>

export const FeatureAuditBody = Type.Object(
  {
    from: Type.Optional(Time),
    to: Type.Optional(Time),
    namespace: Type.Optional(
      Type.String({ maxLength: 40, description: 'By default what is on air' }),
    ),
  },
  { additionalProperties: false },
)
export const FeatureAudit = Type.Object({
  set: Type.String(),
  namespace: Type.String(),
  holds: Type.Boolean({ description: 'Whether every value is the same, bit for bit' }),
  sentence: Type.String(),
  verdict: Verdict,
  events: Type.Integer({ description: 'Events whose recorded features were worked out anew' }),
  compared: Type.Integer({ description: 'Values compared, bit for bit' }),
  mismatches: Type.Integer(),
  unplaced: Type.Integer({
    description: 'Records whose features this state does not have: made before it was loaded',
  }),
  shown: Type.Array(
    Type.Object({
      sequence: Type.Integer(),
      eventId: Type.String(),
      policy: Nullable(Type.String()),
      feature: Type.String(),
      recorded: Nullable(Type.Number()),
      recomputed: Nullable(Type.Number()),
    }),
    { description: 'The first mismatches, at most 1,000' },
  ),
})
export type FeatureAudit = Static<typeof FeatureAudit>
