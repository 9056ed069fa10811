/** Endpoints: who answers a policy's traffic, how they do, and what people change about it. */
import { Type, type Static } from '@sinclair/typebox'
import {
  exportQuery,
  expressionLengthMax,
  Identity,
  Interval,
  Nullable,
  ObjectRef,
  OneOf,
  Permission,
  Rate,
  Time,
  Verdict,
} from './shapes.ts'

const Reason = Type.String({ minLength: 3, maxLength: 2000 })

export const AfterReview = Type.Object({
  id: Type.String(),
  act: Type.String({ description: 'For example model-suspended' }),
  what: Type.String({ description: 'What was done, in a sentence' }),
  by: Identity,
  reason: Type.String(),
  at: Time,
  dueAt: Time,
  overdue: Type.Boolean({ description: 'Nobody has looked at it in time' }),
  signed: Nullable(
    Type.Object({
      by: Identity,
      verdict: OneOf(['right', 'wrong']),
      note: Type.String(),
      at: Time,
    }),
  ),
  sign: Permission,
})
export type AfterReview = Static<typeof AfterReview>

const CanaryStep = Type.Object(
  {
    share: Type.Number({ exclusiveMinimum: 0, maximum: 1 }),
    holdMinutes: Type.Number({ minimum: 0 }),
    minDecisions: Type.Integer({ minimum: 0 }),
  },
  { additionalProperties: false },
)
const guardFields = {
  minDecisions: Type.Integer({ minimum: 0, description: 'Below so many, nothing is judged' }),
  errorRateMax: Type.Number({ minimum: 0, description: 'Share of events not answered' }),
  latencyMsP99Max: Type.Number({ minimum: 0 }),
  psiMax: Type.Number({ minimum: 0, description: 'Of scores, against the champion' }),
  scoreDistanceMax: Type.Number({ minimum: 0, description: 'Kolmogorov-Smirnov, 0 to 1' }),
  approvalDifferenceMax: Type.Number({ minimum: 0, description: 'Difference of shares allowed' }),
}
const Guards = Type.Object(guardFields)
const modes = ['live', 'shadow'] as const

export const ProposeChallenger = Type.Object(
  {
    name: Type.Optional(Type.String({ description: 'v4 for version 4 unless said' })),
    model: Type.Optional(Type.String({ description: 'That of the champion unless said' })),
    version: Type.Integer({ minimum: 1 }),
    mode: OneOf(modes),
    share: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
    when: Type.Optional(
      Type.String({ maxLength: expressionLengthMax, description: 'CEL; live traffic only' }),
    ),
    sticky: Type.Optional(Type.String({ description: 'The first key column unless said' })),
    steps: Type.Optional(Type.Array(CanaryStep, { maxItems: 20 })),
    guards: Type.Optional(
      Type.Partial(Type.Object(guardFields, { additionalProperties: false }), {
        additionalProperties: false,
      }),
    ),
    reason: Reason,
  },
  { additionalProperties: false },
)

const Side = Type.Object({
  n: Type.Integer(),
  allow: Type.Integer(),
  review: Type.Integer(),
  decline: Type.Integer(),
  allowed: Rate,
  precision: Rate,
  recall: Rate,
  disturbed: Rate,
  latencyMsP99: Nullable(Type.Number()),
})
const Compared = Type.Object({
  difference: Type.Number({ description: 'Challenger − champion' }),
  interval: Interval,
  test: Nullable(
    Type.Object({
      discordant: Type.Integer({ description: 'Pairs in which the two differ' }),
      eValue: Type.Number(),
      pValue: Type.Number({ description: 'Valid whenever one looks' }),
    }),
  ),
})
export type Compared = Static<typeof Compared>
export const Comparison = Type.Object({
  comparable: Type.Boolean(),
  note: Type.String({ description: 'On which events the two are compared' }),
  champion: Side,
  challenger: Side,
  errors: Rate,
  psi: Nullable(Type.Number()),
  scoreDistance: Nullable(Type.Number()),
  agreed: Nullable(Rate),
  allowed: Nullable(Compared),
  recall: Nullable(Compared),
  disturbed: Nullable(Compared),
  verdict: Verdict,
})
export type Comparison = Static<typeof Comparison>

const ChallengerDeclared = {
  name: Type.String(),
  version: ObjectRef,
  mode: OneOf(modes),
  share: Type.Number(),
  when: Nullable(Type.String()),
  steps: Type.Array(CanaryStep),
  guards: Guards,
}
export const ChallengerView = Type.Object({
  ...ChallengerDeclared,
  since: Time,
  step: Nullable(Type.Integer({ description: 'From 1' })),
  stepSince: Nullable(Time),
  health: Verdict,
  comparison: Comparison,
})
export type ChallengerView = Static<typeof ChallengerView>

export const ProposalView = Type.Object({
  id: Type.String(),
  kind: OneOf(['challenge', 'resume']),
  sentence: Type.String(),
  challenger: Nullable(Type.Object(ChallengerDeclared)),
  by: Identity,
  reason: Type.String(),
  at: Time,
  state: OneOf(['open', 'confirmed', 'withdrawn']),
  closed: Nullable(Type.Object({ by: Identity, reason: Type.String(), at: Time })),
  confirm: Permission,
  withdraw: Permission,
})
export type ProposalView = Static<typeof ProposalView>

export const EndpointSummary = Type.Object({
  policy: ObjectRef,
  champion: ObjectRef,
  challengers: Type.Integer(),
  proposals: Type.Integer({ description: 'That wait for a second person' }),
  verdict: Verdict,
})
export const Endpoints = Type.Object({ items: Type.Array(EndpointSummary) })
export const Endpoint = Type.Composite([
  EndpointSummary,
  Type.Object({
    championShare: Type.Number({ description: 'Of the sticky values; 1 without challengers' }),
    sticky: Nullable(Type.String()),
    lastGood: Nullable(ObjectRef),
    suspended: Nullable(Type.Object({ by: Identity, reason: Type.String(), at: Time })),
    traffic: Type.Array(ChallengerView),
    open: Type.Array(ProposalView),
    closed: Type.Array(ProposalView, { description: 'Newest first' }),
    history: Type.Array(
      Type.Object({
        at: Time,
        action: Type.String(),
        sentence: Type.String(),
        by: Identity,
        reason: Type.String(),
      }),
      { description: 'Newest first' },
    ),
    candidates: Type.Array(
      Type.Object({ version: ObjectRef, number: Type.Integer(), live: Type.Boolean() }),
      { description: 'Versions that may challenge; `live` also with live traffic' },
    ),
    rollbackTo: Nullable(ObjectRef),
    usualGuards: Guards,
    may: Type.Object({
      propose: Permission,
      end: Permission,
      suspend: Permission,
      resume: Permission,
      rollBack: Permission,
    }),
  }),
])
export type Endpoint = Static<typeof Endpoint>

const comparedFigures = [
  'answers',
  'allowed',
  'recall',
  'disturbed',
  'precision',
  'not_answered',
  'latency_ms_p99',
  'psi',
  'score_distance',
  'same_outcome',
] as const
const FigureOf = Nullable(
  Type.Object({
    value: Nullable(Type.Number()),
    low: Nullable(Type.Number()),
    high: Nullable(Type.Number()),
    n: Nullable(Type.Integer()),
  }),
)
/** A line of the table in which champion and challenger stand beside each other. */
export const ComparedFigure = Type.Object({
  policy: Type.String(),
  name: Type.String({ description: 'Of the challenger' }),
  version: Type.String(),
  mode: OneOf(modes),
  figure: OneOf(comparedFigures),
  champion: FigureOf,
  challenger: FigureOf,
  difference: Nullable(
    Type.Object(
      { value: Type.Number(), low: Type.Number(), high: Type.Number() },
      { description: 'Challenger − champion, with 95 % confidence' },
    ),
  ),
  test: Nullable(Type.Object({ discordant: Type.Integer(), pValue: Type.Number() })),
  guard: Nullable(Type.Number({ description: 'Beyond it the challenger is taken off' })),
})
export type ComparedFigure = Static<typeof ComparedFigure>
const ComparisonsQuery = Type.Object({
  policy: Type.Optional(Type.String({ maxLength: 100 })),
  name: Type.Optional(Type.String({ maxLength: 100, description: 'Of the challenger' })),
  ...exportQuery,
})

const PolicyParams = Type.Object({ policy: Type.String() })
const ProposalParams = Type.Object({ policy: Type.String(), proposal: Type.String() })
const Because = Type.Object({ reason: Reason }, { additionalProperties: false })

export const endpointRoutes = {
  comparisons: {
    summary: 'Champions and challengers, figure by figure',
    query: ComparisonsQuery,
    response: Type.Object({ items: Type.Array(ComparedFigure) }),
    exports: true,
  },
  endpoints: { summary: 'Policies that answer traffic', response: Endpoints },
  endpoint: {
    summary: 'Who answers a policy’s traffic, and how champion and challengers do',
    params: PolicyParams,
    response: Endpoint,
  },
  proposeChallenger: {
    summary: 'Propose a challenger; another person confirms it',
    params: PolicyParams,
    body: ProposeChallenger,
    response: Endpoint,
  },
  endChallenger: {
    summary: 'End a challenger at once; another person looks at it afterwards',
    params: Type.Object({ policy: Type.String(), name: Type.String() }),
    body: Because,
    response: Endpoint,
  },
  suspendModel: {
    summary: 'Ask the champion no more, at once; another person looks at it afterwards',
    params: PolicyParams,
    body: Because,
    response: Endpoint,
  },
  proposeResume: {
    summary: 'Propose that a suspended champion is asked again; another person confirms it',
    params: PolicyParams,
    body: Because,
    response: Endpoint,
  },
  confirmProposal: {
    summary: 'Confirm what another person proposed, which turns it on',
    params: ProposalParams,
    body: Because,
    response: Endpoint,
  },
  withdrawProposal: {
    summary: 'Take a proposal off the list',
    params: ProposalParams,
    body: Because,
    response: Endpoint,
  },
  signAfterReview: {
    summary: 'Say whether what another person did at once was right',
    params: Type.Object({ review: Type.String() }),
    body: Type.Object(
      { verdict: OneOf(['right', 'wrong']), note: Reason },
      { additionalProperties: false },
    ),
    response: AfterReview,
  },
} as const
