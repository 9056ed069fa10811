import { Type, type Static } from '@sinclair/typebox'
import {
  exportQuery,
  Identity,
  Json,
  LabelValue,
  Money,
  Nullable,
  ObjectRef,
  OneOf,
  Outcome,
  PageOf,
  pageQuery,
  OutcomeRate,
  rangeQuery,
  Time,
  Verdict,
  MarginUnit,
} from './shapes.ts'

/** Filters of decisions. They also order J/K: the neighbours of one decision obey them. */
const decisionFilters = {
  ...rangeQuery,
  outcome: Type.Optional(
    Type.String({ description: 'One outcome or several, comma-separated', maxLength: 40 }),
  ),
  policy: Type.Optional(Type.String()),
  customer: Type.Optional(Type.String()),
  terminal: Type.Optional(Type.String()),
  text: Type.Optional(
    Type.String({ maxLength: 200, description: 'In event id, rule names and reasons' }),
  ),
  label: Type.Optional(OneOf(['fraud', 'genuine', 'none'])),
  rule: Type.Optional(Type.String({ description: 'Name of a rule that fired' })),
  amountMin: Type.Optional(Type.String({ description: 'Decimal text, major units: "100.00"' })),
  amountMax: Type.Optional(Type.String()),
  namespace: Type.Optional(
    Type.String({ description: 'Live or one replay; by default the one on air' }),
  ),
}
export const DecisionsQuery = Type.Object({
  ...decisionFilters,
  ...pageQuery,
  ...exportQuery,
  order: Type.Optional(OneOf(['newest', 'oldest', 'score', 'amount'])),
})
export type DecisionsQuery = Static<typeof DecisionsQuery>

const decisionFields = {
  policy: Type.String(),
  eventId: Type.String(),
  namespace: Type.String(),
  sequence: Type.Integer(),
  eventTime: Time,
  decidedAt: Time,
  customer: Nullable(Type.String()),
  terminal: Nullable(Type.String()),
  amount: Nullable(Money),
  outcome: Outcome,
  score: Nullable(Type.Number({ description: 'Probability from the model; null: rules alone' })),
  mainReason: Nullable(Type.String()),
  rulesFired: Type.Array(Type.String()),
  label: Nullable(LabelValue),
  labelArrivedAt: Nullable(Time),
  caseId: Nullable(Type.String()),
  latencyUs: Nullable(Type.Number()),
}
export const DecisionRow = Type.Object(decisionFields)
export type DecisionRow = Static<typeof DecisionRow>

export const DecisionsPage = PageOf(DecisionRow)
export type DecisionsPage = Static<typeof DecisionsPage>

export const LiveQuery = Type.Object({
  ...Type.Omit(Type.Object(decisionFilters), ['last', 'from', 'to', 'label']).properties,
  after: Type.Optional(
    Type.String({ maxLength: 120, description: 'The `place` of the answer before' }),
  ),
})

/** What was decided since a place, in the order in which it was heard of, and how it goes now. */
export const LiveDecisions = Type.Object({
  place: Type.String({ description: 'Give it as `after` to go on from here without a gap' }),
  namespace: Type.String(),
  items: Type.Array(DecisionRow, { maxItems: 200, description: 'Newest first' }),
  left: Type.Integer({ description: 'That match too, and are older than these' }),
  isWhole: Type.Boolean({
    description: 'False where more came since `after` than are kept at hand',
  }),
  pace: Type.Object({
    perSecond: Nullable(Type.Number({ description: 'Over the last ten seconds' })),
    n: Type.Integer({ description: 'Decisions of the last five minutes, at most 10,000' }),
    since: Nullable(Time),
    outcomes: Type.Array(OutcomeRate, { description: 'Of these n, filtered by policy alone' }),
  }),
})
export type LiveDecisions = Static<typeof LiveDecisions>

export const DecisionParams = Type.Object({
  policy: Type.String({ maxLength: 100 }),
  eventId: Type.String({ maxLength: 256 }),
})
export const DecisionQuery = Type.Object(decisionFilters)

/** One feature's share of the score. Contributions are SHAP values in the explanation's unit. */
export const Reason = Type.Object({
  feature: Type.String(),
  sentence: Type.String({ description: 'Can be said aloud, with the usual value' }),
  value: Nullable(Type.Number()),
  valueText: Type.String({ description: 'The value with its unit: "38 %", "EUR 412.30"' }),
  contribution: Type.Number(),
  target: Nullable(ObjectRef),
})
export type Reason = Static<typeof Reason>

/** Base + all contributions = margin, exactly; `others` sums those not listed. */
export const Explanation = Type.Object({
  towards: Type.Array(Reason, { description: 'Pushed towards fraud, strongest first' }),
  against: Type.Array(Reason, { description: 'Pushed towards genuine, strongest first' }),
  others: Type.Number(),
  base: Type.Number(),
  margin: Type.Number(),
  unit: MarginUnit,
  method: Type.String({ description: 'For example "exact path-dependent tree SHAP, log-odds"' }),
})
export type Explanation = Static<typeof Explanation>

export const TimelineEvent = Type.Object({
  policy: Nullable(Type.String()),
  eventId: Type.String(),
  at: Time,
  amount: Nullable(Money),
  outcome: Nullable(Outcome),
  label: Nullable(LabelValue),
  isThisOne: Type.Boolean(),
})
export const Timeline = Type.Object({
  entity: OneOf(['customer', 'terminal']),
  id: Type.String(),
  sentence: Type.String({ description: 'For example "23 payments in 30 days, 2 of them fraud"' }),
  events: Type.Array(TimelineEvent, { maxItems: 200, description: 'Oldest first' }),
  truncated: Type.Boolean(),
})
export type Timeline = Static<typeof Timeline>

export const RuleResult = Type.Object({
  name: Type.String(),
  fired: Type.Boolean(),
  failed: Nullable(Type.String({ description: 'Why it could not be calculated' })),
  expression: Type.String({ description: 'CEL' }),
  then: Nullable(Outcome),
  reason: Type.String(),
})

export const PathStep = Type.Object({
  step: Type.String({ description: 'contract, features, rules, model, thresholds, outcome' }),
  sentence: Type.String(),
  tookUs: Nullable(Type.Number()),
})

export const storyKinds = [
  'decided',
  'label',
  'case-opened',
  'verdict',
  'verdict-undone',
  'correction',
] as const
/** What became of it, oldest first; corrections add, nothing is overwritten. */
export const StoryEntry = Type.Object({
  kind: OneOf(storyKinds),
  at: Time,
  by: Nullable(Identity),
  label: Nullable(LabelValue),
  sentence: Type.String(),
})

export const FeatureValue = Type.Object({
  name: Type.String(),
  target: ObjectRef,
  value: Nullable(Type.Number()),
  valueText: Type.String(),
  words: Type.String(),
  sourceEvents: Nullable(
    Type.Object({
      count: Type.Integer(),
      ids: Type.Array(Type.String(), { maxItems: 50 }),
      sentence: Type.String(),
    }),
  ),
})

/** Where the record stands in the tamper-evident log: by the hash of its sealed segment. */
export const AuditProof = Type.Object({
  state: OneOf(['proved', 'not-sealed-yet']),
  sentence: Type.String(),
  segment: Nullable(Type.String()),
  segmentSha256: Nullable(Type.String()),
  entryIndex: Nullable(Type.Integer()),
  treeSize: Nullable(Type.Integer()),
  root: Nullable(Type.String()),
  path: Type.Array(Type.String()),
})

export const Decision = Type.Object({
  ...decisionFields,
  sentence: Type.String({ description: 'Outcome and why, in one sentence' }),
  thresholds: Type.Object({
    review: Nullable(Type.Number()),
    decline: Nullable(Type.Number()),
  }),
  /** Null for allow, where reasons are made on demand by `decisionExplanation`, identically. */
  explanation: Nullable(Explanation),
  timelines: Type.Array(Timeline),
  rules: Type.Array(RuleResult),
  path: Type.Array(PathStep),
  story: Type.Array(StoryEntry),
  evidence: Type.Object({
    features: Type.Array(FeatureValue),
    versions: Type.Array(
      Type.Object({ title: Type.String(), target: ObjectRef, hash: Type.String() }),
    ),
    bodyHash: Type.String(),
    proof: AuditProof,
    record: Json,
  }),
  neighbours: Type.Object({
    newer: Nullable(DecisionParams),
    older: Nullable(DecisionParams),
  }),
})
export type Decision = Static<typeof Decision>

/** Features, score and outcome computed again from the journal, compared bit for bit. */
export const Recomputed = Type.Object({
  identical: Type.Boolean(),
  compared: Type.Integer({ description: 'How many values were compared' }),
  differences: Type.Array(
    Type.Object({ name: Type.String(), recorded: Type.String(), recomputed: Type.String() }),
  ),
  verdict: Verdict,
  tookMs: Type.Number(),
})
export type Recomputed = Static<typeof Recomputed>

/** An event in the shape of the policy's source, under its declared column names. */
export const DecideBody = Type.Record(Type.String(), Json)
export const DecideParams = Type.Object({ policy: Type.String({ maxLength: 100 }) })
const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' })
/** Returned byte for byte again for the same event id and body. */
export const DecideAnswer = Type.Object(
  {
    policy: Type.String(),
    eventId: Type.String(),
    outcome: Outcome,
    score: Nullable(Type.Number({ description: 'Null where no model answered' })),
    path: OneOf(
      ['rule', 'typology', 'score', 'default'],
      'What led to the outcome; `default`: no model answered, and no rule asked for anything',
    ),
    reasons: Type.Array(
      Type.Object(
        {
          kind: OneOf(['rule', 'typology', 'feature', 'fallback']),
          name: Type.String(),
          sentence: Type.String(),
          contribution: Nullable(
            Type.Number({ description: 'Of a feature, in the unit of the margin; else null' }),
          ),
        },
        { additionalProperties: false },
      ),
      { maxItems: 4, description: 'Strongest first; none for `allow`' },
    ),
    rules: Type.Array(Type.String(), { description: 'Those that fired and count' }),
    thresholds: Type.Object({ review: Type.Number(), decline: Type.Number() }),
    unanswered: Type.Optional(
      Type.Array(Type.Object({ by: Type.String(), why: Type.String() }), {
        description: 'Models that did not answer before the one that did',
      }),
    ),
    late: Type.Boolean(),
    namespace: Type.String(),
    sequence: Type.Integer(),
    eventTime: Time,
    decidedAt: Time,
    versions: Type.Object({
      deployment: Hash,
      policy: Hash,
      model: Hash,
      modelName: Type.String(),
      modelNumber: Type.Integer(),
      source: Hash,
      featureSets: Type.Array(Hash),
    }),
    timings: Type.Record(Type.String(), Type.Integer(), { description: 'µs, of each stage' }),
  },
  { additionalProperties: false },
)
export type DecideAnswer = Static<typeof DecideAnswer>

export const EventsParams = Type.Object({ source: Type.String({ maxLength: 100 }) })
/** One answer a row, in order. */
export const EventsAnswer = Type.Object(
  {
    accepted: Type.Integer(),
    duplicates: Type.Integer(),
    refused: Type.Integer(),
    rows: Type.Array(Json),
  },
  { additionalProperties: true },
)

/** A decision policy: rules + model + thresholds, as it answers now. */
export const Policy = Type.Object({
  name: Type.String(),
  version: Type.String(),
  source: ObjectRef,
  model: Nullable(ObjectRef),
  rules: Type.Array(
    Type.Object({
      name: Type.String(),
      expression: Type.String(),
      then: Nullable(Outcome),
      reason: Type.String(),
      firedLast24h: Nullable(Type.Integer()),
    }),
  ),
  thresholds: Type.Object({
    review: Nullable(Type.Number()),
    decline: Nullable(Type.Number()),
    declared: Type.String({ description: 'The declared rule, in words' }),
  }),
  reviewCapacityPerDay: Nullable(Type.Integer()),
  file: Nullable(Type.String({ description: 'Where the project declares it' })),
  example: Json,
  versions: Type.Array(
    Type.Object({ version: Type.String(), liveSince: Time, by: Identity, reason: Type.String() }),
  ),
})
export type Policy = Static<typeof Policy>
