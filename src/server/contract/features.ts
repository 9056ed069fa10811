import { Type, type Static } from '@sinclair/typebox'
import {
  ComparedHistogram,
  exportQuery,
  Json,
  Nullable,
  ObjectRef,
  OneOf,
  Outcome,
  Rate,
  Time,
  usedByVersions,
  Verdict,
  verdictStatuses,
} from './shapes.ts'

const presenceKinds = ['value', 'zero', 'missing', 'absent', 'stale'] as const
export const featureSorts = ['declared', 'name', 'entity', 'window', 'importance', 'psi'] as const

/** Filters of the catalogue. An export holds exactly what they leave, in the order they give. */
export const FeaturesQuery = Type.Object({
  text: Type.Optional(
    Type.String({ maxLength: 200, description: 'In names, descriptions and column names' }),
  ),
  set: Type.Optional(Type.String()),
  source: Type.Optional(Type.String()),
  entity: Type.Optional(
    Type.String({ description: 'Key columns as listed: "customer_id"; "-": the event itself' }),
  ),
  unit: Type.Optional(Type.String({ description: 'As listed; "-": without a unit' })),
  usedBy: Type.Optional(
    Type.String({ description: '"model/version" or a policy, as listed; "-": used by nothing' }),
  ),
  status: Type.Optional(OneOf(verdictStatuses)),
  sort: Type.Optional(OneOf(featureSorts)),
  descending: Type.Optional(OneOf(['yes', 'no'])),
  ...exportQuery,
})
export type FeaturesQuery = Static<typeof FeaturesQuery>

export const FeatureSummary = Type.Object({
  name: Type.String(),
  set: Type.String(),
  source: Type.String(),
  version: Type.String({ description: 'Hash of what the value depends on' }),
  words: Type.String({ description: 'The description, or the declaration in words' }),
  entity: Nullable(
    Type.String({ description: 'customer_id, customer_id × terminal_id…; null: the event itself' }),
  ),
  window: Nullable(
    Type.String({
      description: '"7 days, delayed 7 days"; "last 20 events"; "ever"; "newest row"…',
    }),
  ),
  unit: Nullable(Type.String()),
  referenceMean: Nullable(
    Type.Number({ description: 'Over the rows that the live model was tested on' }),
  ),
  liveMean: Nullable(Type.Number()),
  psi: Nullable(Type.Number()),
  importance: Nullable(
    Type.Number({ description: 'Mean |SHAP| in the live model, in the unit of its margin' }),
  ),
  usedBy: Type.Array(Type.String(), {
    description: 'The first versions of models that were trained on its set, then policies',
  }),
  verdict: Verdict,
})
export type FeatureSummary = Static<typeof FeatureSummary>

/** What a filter may be set to, and how many features of the whole catalogue it leaves. */
export const FilterChoice = Type.Object({
  value: Type.String(),
  title: Type.String(),
  count: Type.Integer(),
})
export type FilterChoice = Static<typeof FilterChoice>

/** A column that a look-up takes: the keys of the entity, and what else of an event is looked at. */
export const LookupField = Type.Object({
  column: Type.String(),
  role: OneOf(['key', 'event']),
  kind: Type.String(),
  sentAs: OneOf(
    ['text', 'number', 'boolean'],
    'How JSON gives its values; decimals of money are text',
  ),
  description: Type.String(),
  optional: Type.Boolean(),
})
export type LookupField = Static<typeof LookupField>

export const Features = Type.Object({
  sets: Type.Array(
    Type.Object({
      name: Type.String(),
      description: Type.String(),
      owner: Type.String(),
      version: Type.String(),
      source: ObjectRef,
      features: Type.Integer(),
      file: Nullable(Type.String()),
      ...usedByVersions,
      lookup: Type.Array(LookupField, { description: 'Of all its features together' }),
    }),
  ),
  items: Type.Array(FeatureSummary),
  /** Of the whole catalogue, whatever the filters leave. */
  total: Type.Integer(),
  choices: Type.Object({
    set: Type.Array(FilterChoice),
    source: Type.Array(FilterChoice),
    entity: Type.Array(FilterChoice),
    unit: Type.Array(FilterChoice),
    usedBy: Type.Array(FilterChoice),
    status: Type.Array(FilterChoice),
  }),
  /** "Live equals history: 0 differences in 1,573,128 values" once that was checked. */
  skew: Verdict,
})
export type Features = Static<typeof Features>

export const FeatureParams = Type.Object({ set: Type.String(), feature: Type.String() })

/** A statistic that is null was not kept; `notKept` says so in a sentence. */
export const DistributionStats = Type.Object({
  n: Type.Integer(),
  missing: Type.Integer(),
  mean: Nullable(Type.Number()),
  std: Nullable(Type.Number()),
  min: Nullable(Type.Number()),
  p50: Nullable(Type.Number()),
  /** Bounds of the bin that the median lies in, where the median itself was not kept. */
  p50Within: Nullable(Type.Tuple([Type.Number(), Type.Number()])),
  p99: Nullable(Type.Number()),
  max: Nullable(Type.Number()),
  notKept: Nullable(Type.String()),
})
export type DistributionStats = Static<typeof DistributionStats>

/** Lines of a file, numbered from `line`. */
const SourceLines = Type.Object({ line: Type.Integer(), text: Type.String() })

/** The declaration as its author wrote it: its own lines and those of the constants it names. */
export const WrittenDeclaration = Type.Object({
  file: Type.String({ description: 'Relative to the project’s folder' }),
  parts: Type.Array(SourceLines),
})
export type WrittenDeclaration = Static<typeof WrittenDeclaration>

const LineageStep = Type.Object({
  target: ObjectRef,
  detail: Type.String({ description: 'What of it: columns, "live", "rule many-payments"…' }),
})

/** Left to right; what stands in one list does not depend on its neighbours there. */
export const Lineage = Type.Object({
  sources: Type.Array(LineageStep),
  models: Type.Array(LineageStep),
  modelsMore: Type.Boolean({ description: 'Whether there are more than these' }),
  policies: Type.Array(LineageStep),
})

export const Freshness = Type.Object({
  sentence: Type.String(),
  /** The newest event that live state has seen of the source, of any entity. */
  newestEventAt: Nullable(Time),
  /** Of the watched live decisions, those whose value was missing. */
  missing: Nullable(Rate),
  missingMeans: Type.String({ description: 'What "missing" says here, and that zero is not it' }),
  staleMeans: Type.String({ description: 'When a value counts as stale, or why none can' }),
})

export const Feature = Type.Composite([
  FeatureSummary,
  Type.Object({
    owner: Type.String(),
    setVersion: Type.String(),
    expression: Type.String({ description: 'The compiled declaration in words' }),
    written: Nullable(WrittenDeclaration),
    compiled: Type.String({ description: 'The compiled declaration: JSON of this version' }),
    /** What is said aloud when the feature is a reason; null where it has no words of its own. */
    reason: Nullable(
      Type.Object({
        sentence: Type.String({ description: 'For `forValue`' }),
        forValue: Type.String(),
        zero: Nullable(Type.String()),
        missing: Nullable(Type.String()),
      }),
    ),
    onMissing: Type.String({ description: 'What an empty window gives, in words' }),
    lineage: Lineage,
    freshness: Freshness,
    lookup: Type.Array(LookupField),
    /** What live values are compared with: "test rows, 8 to 14 Aug 2018". */
    referencePeriod: Nullable(Type.String()),
    reference: Nullable(DistributionStats),
    live: Nullable(DistributionStats),
    distribution: Nullable(ComparedHistogram),
    psiThreshold: Nullable(Type.Number()),
    overTime: Type.Array(
      Type.Object({
        at: Time,
        n: Type.Integer(),
        missing: Type.Integer(),
        mean: Nullable(Type.Number()),
        psi: Nullable(Type.Number()),
        /** Shares in the bins of `distribution`; null where there was no value. */
        shares: Nullable(Type.Array(Type.Number())),
      }),
    ),
    /** How long one point of `overTime` lasts, in words. */
    bucket: Type.String(),
  }),
])
export type Feature = Static<typeof Feature>

/**
 * How values came about, told in this order: a looked-up row was not there; it was too old; there was
 * nothing to calculate from, whatever the declaration then gives; the value was 0; it was another.
 */
const PresenceCounts = Type.Object({
  absent: Type.Integer(),
  stale: Type.Integer(),
  missing: Type.Integer(),
  zero: Type.Integer(),
  value: Type.Integer(),
})

export const FeaturePresence = Type.Object({
  sentence: Type.String({ description: 'Which events were counted' }),
  events: Type.Integer(),
  /** The kinds that this feature can have, with what each means here. */
  kinds: Type.Array(
    Type.Object({
      kind: OneOf(presenceKinds),
      title: Type.String(),
      means: Type.String(),
      share: Rate,
    }),
  ),
  days: Type.Array(
    Type.Object({
      day: Type.String({ description: '2018-08-15, on the calendar of the source' }),
      counts: PresenceCounts,
    }),
  ),
})
export type FeaturePresence = Static<typeof FeaturePresence>

export const ExplainFeature = Type.Object({
  values: Type.Record(Type.String({ maxLength: 200 }), Json, {
    description: 'Columns of the source as in an event: {"customer_id": 596}',
    maxProperties: 100,
  }),
  at: Type.Optional(Type.Union([Time], { description: 'By default now, by the bank’s clock' })),
})
export type ExplainFeature = Static<typeof ExplainFeature>

/**
 * An event within a window, a row that was looked up, or an edge of a graph. `decision` leads to what
 * was decided on it, where it was decided here.
 */
export const WindowEvent = Type.Object({
  id: Nullable(Type.String()),
  at: Time,
  source: Type.String({ description: 'The source that it is an event or a row of' }),
  /** Of graphs: the two ends. */
  edge: Nullable(Type.Object({ from: Type.String(), to: Type.String() })),
  value: Nullable(Type.Number()),
  counts: Type.Boolean({ description: 'Passes the filter; of shares: is one of the numerator' }),
  decision: Nullable(ObjectRef),
  outcome: Nullable(Outcome),
})
export type WindowEvent = Static<typeof WindowEvent>

/** The present value of an entity, and why: each window behind it with its events, newest first. */
export const ExplainedFeature = Type.Object({
  value: Nullable(Type.Number()),
  valueText: Type.String(),
  sentence: Type.String({ description: 'Value, entity and time, in words' }),
  asOf: Time,
  version: Type.String(),
  newestEventAt: Nullable(Time),
  windows: Type.Array(
    Type.Object({
      words: Type.String(),
      value: Nullable(Type.Number()),
      unit: Nullable(Type.String({ description: 'Of the value, as of features' })),
      from: Nullable(Time),
      to: Time,
      count: Type.Integer({ description: 'Events within the window' }),
      counting: Type.String({ description: 'What `counts` of an event means here' }),
      valueColumn: Nullable(Type.String()),
      valueUnit: Nullable(Type.String({ description: 'A currency, where the column is money' })),
      events: Type.Array(WindowEvent, { maxItems: 100 }),
    }),
  ),
})
export type ExplainedFeature = Static<typeof ExplainedFeature>
