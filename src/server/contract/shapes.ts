/** Shapes that every view shares: times, money, rates with their n, verdicts, references, pages. */
import { Type, type Static, type TSchema } from '@sinclair/typebox'

export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

export const OneOf = <const T extends readonly string[]>(values: T, description?: string) =>
  Type.Unsafe<T[number]>({
    type: 'string',
    enum: [...values],
    ...(description === undefined ? {} : { description }),
  })

/** Characters of a condition; as many as the rule language takes. */
export const expressionLengthMax = 2000

/** ISO 8601 in UTC, with as many digits of the second as are known: 2018-08-15T14:03:07.250000Z. */
export const Time = Type.String({ format: 'date-time', description: 'ISO 8601, UTC' })
export type Time = Static<typeof Time>

/** 1050 minor units at exponent 2 are 10.50. Amounts in different currencies are never added. */
export const Money = Type.Object({
  minor: Type.Integer({ description: 'Minor units, a safe integer' }),
  currency: Type.String({ description: 'ISO 4217, for example EUR' }),
  exponent: Type.Integer({ minimum: 0, maximum: 4 }),
})
export type Money = Static<typeof Money>

export const Interval = Type.Object({
  low: Type.Number(),
  high: Type.Number(),
  level: Type.Number({ description: 'For example 0.95' }),
})
export type Interval = Static<typeof Interval>

/** A share in 0..1 of n cases; null where n is 0, which is shown as "no data" and never as zero. */
export const Rate = Type.Object({
  value: Nullable(Type.Number()),
  n: Type.Integer({ minimum: 0 }),
  count: Nullable(Type.Integer({ minimum: 0, description: 'The numerator' })),
  interval: Nullable(Interval),
})
export type Rate = Static<typeof Rate>

/** A metric of an evaluation: AUC, average precision… with the rows it rests on. */
export const Estimate = Type.Object({
  value: Nullable(Type.Number()),
  n: Type.Integer({ minimum: 0 }),
  interval: Nullable(Interval),
})
export type Estimate = Static<typeof Estimate>

export const verdictStatuses = ['ok', 'warning', 'alert', 'no-data'] as const
/** A judgement. Only the server makes one; the page shows it in the server's words. */
export const Verdict = Type.Object({
  status: OneOf(verdictStatuses),
  sentence: Type.String(),
})
export type Verdict = Static<typeof Verdict>

export const outcomes = ['allow', 'review', 'decline'] as const
export const Outcome = OneOf(outcomes, 'What the customer experiences')
export type Outcome = Static<typeof Outcome>

/** The share of one outcome, against what is normal for it. */
export const OutcomeRate = Type.Object({
  outcome: Outcome,
  rate: Rate,
  normal: Nullable(Type.Object({ low: Type.Number(), high: Type.Number() })),
  verdict: Verdict,
})

export const labelValues = ['fraud', 'genuine'] as const
export const LabelValue = OneOf(labelValues)
export type LabelValue = Static<typeof LabelValue>

export const objectKinds = [
  'decision',
  'case',
  'dataset',
  'snapshot',
  'feature',
  'feature-set',
  'run',
  'model',
  'version',
  'policy',
  'gate',
  'pipeline',
  'audit-entry',
  'identity',
  'screen',
] as const
/**
 * Points at one object; `objectAddress` turns it into the object's one address on the page.
 * Ids: decision `policy/eventId`; version `model/number`; snapshot `dataset/hash`;
 * feature `set/name`; screen = a path such as `/monitoring`; all others their own id or name.
 */
export const ObjectRef = Type.Object({
  kind: OneOf(objectKinds),
  id: Type.String(),
  title: Type.String(),
})
export type ObjectRef = Static<typeof ObjectRef>

/** On things that models learn from: the first versions that did, by model and then the newest. */
export const usedByVersions = {
  usedBy: Type.Array(ObjectRef),
  usedByMore: Type.Boolean({ description: 'Whether there are more than these' }),
}

export const identityKinds = ['person', 'key', 'script', 'system'] as const
export const Identity = Type.Object({
  id: Type.String(),
  name: Type.String(),
  kind: OneOf(identityKinds),
})
export type Identity = Static<typeof Identity>

/**
 * A range of event time: either relative to the bank's clock (`last`) or absolute.
 * With neither, everything there is. `from` is included, `to` is not.
 */
export const rangeQuery = {
  last: Type.Optional(OneOf(['1h', '6h', '24h', '7d', '30d', 'all'])),
  from: Type.Optional(Time),
  to: Type.Optional(Time),
}
/** The range as the server resolved it. */
export const ResolvedRange = Type.Object({
  from: Nullable(Time),
  to: Nullable(Time),
  sentence: Type.String({ description: 'For example "24 hours to 15 Aug 2018 14:03, UTC"' }),
})
export type ResolvedRange = Static<typeof ResolvedRange>

export const pageQuery = {
  cursor: Type.Optional(Type.String({ description: 'The `next` of the page before' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
}
/** On lists: csv and parquet answer with a file of exactly the filtered rows, unpaged. */
export const exportQuery = { format: Type.Optional(OneOf(['json', 'csv', 'parquet'])) }

/** Keyset page: stable while rows arrive. `total` counts all rows behind the filter. */
export const PageOf = <T extends TSchema>(item: T) =>
  Type.Object({
    items: Type.Array(item),
    next: Nullable(Type.String()),
    total: Type.Integer({ minimum: 0 }),
  })

/** Whether the signed-in person may do something; `reason` says why not, in a sentence. */
export const Permission = Type.Object({
  allowed: Type.Boolean(),
  reason: Nullable(Type.String()),
})
export type Permission = Static<typeof Permission>

/** Equal-width or declared bins; `edges` has one number more than `counts`. */
export const Histogram = Type.Object({
  edges: Type.Array(Type.Number()),
  counts: Type.Array(Type.Number()),
})
export type Histogram = Static<typeof Histogram>

/** Two distributions over the same bins. Shares sum to 1; `live` is null before live traffic. */
export const ComparedHistogram = Type.Object({
  edges: Type.Array(Type.Number()),
  training: Type.Array(Type.Number()),
  live: Nullable(Type.Array(Type.Number())),
})
export type ComparedHistogram = Static<typeof ComparedHistogram>

/** RFC 9457. `code` is from the table of errors, `action` says what to do next. */
export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.Optional(Type.String()),
    code: Type.Optional(Type.String()),
    action: Type.Optional(Type.String()),
  },
  { additionalProperties: true },
)
export type Problem = Static<typeof Problem>

/** The answer to an act: one sentence for the person who did it. */
export const Done = Type.Object({ sentence: Type.String() })
export type Done = Static<typeof Done>

export const Json = Type.Unknown({ description: 'Any JSON value' })

/** What a margin and its contributions count in; of a forest, probabilities. */
export const MarginUnit = OneOf([
  'log-odds',
  'probability',
  'value',
  'log-value',
  'distance',
  'strangeness',
])
export type MarginUnit = Static<typeof MarginUnit>
