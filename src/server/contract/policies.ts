import { Type, type Static } from '@sinclair/typebox'
import {
  exportQuery,
  expressionLengthMax,
  Identity,
  Nullable,
  OneOf,
  Outcome,
  PageOf,
  pageQuery,
  Time,
} from './shapes.ts'

const Reason = Type.String({ minLength: 3, maxLength: 2000 })
const Name = Type.String({ maxLength: 100 })
const closed = { additionalProperties: false } as const

const ListParams = Type.Object({ list: Name })
const ListsAnswer = Type.Object({
  lists: Type.Array(
    Type.Object({
      name: Type.String(),
      column: Type.String(),
      description: Type.String(),
      policies: Type.Array(Type.String()),
      entries: Type.Integer(),
      expired: Type.Integer({ description: 'Of these; they are swept thirty days later' }),
    }),
  ),
})
export type ListsAnswer = Static<typeof ListsAnswer>

const ListEntry = Type.Object({
  value: Type.String(),
  until: Nullable(Time),
  expired: Type.Boolean(),
  by: Identity,
  reason: Type.String(),
  at: Time,
})
export type ListEntry = Static<typeof ListEntry>
const ListEntries = PageOf(ListEntry)
const EntriesQuery = Type.Object({
  text: Type.Optional(Type.String({ maxLength: 256, description: 'In value or reason' })),
  state: Type.Optional(OneOf(['all', 'valid', 'expired'])),
  ...pageQuery,
  ...exportQuery,
})
/** Of one request, and of `csv` once it is split. */
const ChangeEntries = Type.Object(
  {
    change: OneOf(['add', 'remove']),
    values: Type.Optional(Type.Array(Type.String({ maxLength: 256 }), { maxItems: 10_000 })),
    csv: Type.Optional(
      Type.String({
        maxLength: 4_000_000,
        description: 'One value a line, or a header with the name of the column among others',
      }),
    ),
    until: Type.Optional(Nullable(Time)),
    reason: Reason,
  },
  closed,
)
const Ordered = Type.Object({
  id: Type.String(),
  state: OneOf(['proposed', 'ordered', 'told', 'failed', 'withdrawn']),
  sentence: Type.String(),
})
export type Ordered = Static<typeof Ordered>

const RuleParams = Type.Object({ policy: Name, rule: Name })
const WithReason = Type.Object({ reason: Reason }, closed)
const ChangeParams = Type.Object({ change: Name })
const AnswerChange = Type.Object({ action: OneOf(['confirm', 'withdraw']), reason: Reason }, closed)

const PolicyRule = Type.Object(
  {
    name: Name,
    when: Type.String({ maxLength: expressionLengthMax }),
    then: Type.Optional(Outcome),
    reason: Type.String({ maxLength: 500 }),
    priority: Type.Optional(Type.Integer()),
    capPerHour: Type.Optional(Type.Integer()),
    mode: Type.Optional(OneOf(['live', 'shadow'])),
  },
  closed,
)
const Threshold = Type.Union([
  Type.Number({ minimum: 0, maximum: 2 }),
  Type.Object({ kind: Type.String() }, { additionalProperties: true }),
])
const PolicyAction = Type.Object(
  {
    name: Name,
    to: Type.Union([
      Type.Object(
        { webhook: Type.String({ maxLength: 2000 }), secret: Type.Optional(Name) },
        closed,
      ),
      Type.Object({ topic: Name }, closed),
      Type.Object({ file: Name }, closed),
    ]),
    outcomes: Type.Optional(Type.Array(Outcome, { maxItems: 3 })),
    rules: Type.Optional(Type.Array(Name, { maxItems: 500 })),
  },
  closed,
)
export type PolicyAction = Static<typeof PolicyAction>
/** What people change of a policy; all else of it stays as its project declares it. */
export const PolicyParts = Type.Object(
  {
    description: Type.String({ maxLength: 2000 }),
    rules: Type.Array(PolicyRule, { maxItems: 500 }),
    lists: Type.Array(
      Type.Object(
        { name: Name, column: Name, description: Type.String({ maxLength: 500 }) },
        closed,
      ),
      { maxItems: 100 },
    ),
    typologies: Type.Array(
      Type.Object(
        {
          name: Name,
          weights: Type.Record(Type.String(), Type.Integer()),
          alert: Type.Integer(),
          interdict: Type.Optional(Type.Integer()),
          reason: Type.String({ maxLength: 500 }),
        },
        closed,
      ),
      { maxItems: 100 },
    ),
    thresholds: Type.Object({ review: Threshold, decline: Threshold }, closed),
    fallback: Nullable(
      Type.Object(
        {
          deadlineMs: Type.Optional(Type.Integer()),
          lastGood: Type.Optional(Type.Boolean()),
          outcome: Type.Optional(Outcome),
          failures: Type.Optional(Type.Integer()),
          pauseS: Type.Optional(Type.Integer()),
        },
        closed,
      ),
    ),
    reviewCapacityPerDay: Nullable(Type.Integer({ minimum: 0 })),
    actions: Type.Optional(
      Type.Array(PolicyAction, {
        maxItems: 100,
        description: 'Who is told of decisions; those that are live where it is left out',
      }),
    ),
  },
  closed,
)
export type PolicyParts = Static<typeof PolicyParts>

const RuleTest = Type.Object(
  {
    name: Name,
    event: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()]), {
      description: 'As the contract holds it: money in minor units',
    }),
    features: Type.Record(Type.String(), Type.Number()),
    score: Nullable(Type.Number()),
    listed: Type.Array(Type.String(), { maxItems: 100 }),
    expect: Type.Object(
      {
        outcome: Type.Optional(Outcome),
        rules: Type.Optional(Type.Array(Type.String(), { maxItems: 500 })),
      },
      closed,
    ),
  },
  closed,
)
export type RuleTest = Static<typeof RuleTest>
const TestResult = Type.Object({
  name: Type.String(),
  passed: Type.Boolean(),
  outcome: Outcome,
  rules: Type.Array(Type.String()),
  sentence: Type.String(),
})
const content = { parts: PolicyParts, tests: Type.Array(RuleTest, { maxItems: 200 }) }
const DraftContent = Type.Object(content, closed)
const SaveDraft = Type.Object({ ...content, reason: Reason }, closed)

const ChangeDraft = Type.Object(
  {
    ...content,
    reason: Reason,
    binds: Type.Optional(
      Type.String({ maxLength: 64, description: 'As the draft said when it was read' }),
    ),
  },
  closed,
)

const DraftCheck = Type.Object({
  mistakes: Type.Array(
    Type.Object({
      rule: Nullable(Type.String()),
      at: Nullable(Type.Integer({ description: 'Character of the expression, from 1' })),
      sentence: Type.String(),
    }),
  ),
  results: Type.Array(TestResult),
  differences: Type.Array(Type.String()),
})
export type DraftCheck = Static<typeof DraftCheck>

const states = [
  'draft',
  'shadow',
  'proposed',
  'approved',
  'live',
  'superseded',
  'refused',
  'withdrawn',
] as const
const draftRow = {
  id: Type.String(),
  policy: Type.String(),
  state: OneOf(states),
  version: Type.String(),
  by: Identity,
  reason: Type.String(),
  updatedAt: Time,
  sentence: Type.String({ description: 'Where it stands, and what is next' }),
}
const Draft = Type.Object({
  ...draftRow,
  ...content,
  results: Type.Array(TestResult),
  differences: Type.Array(Type.String()),
  evidence: Nullable(
    Type.Object({
      kind: OneOf(['trial', 'backtest']),
      hash: Type.String(),
      sentence: Type.String(),
    }),
  ),
  binds: Type.String({ description: 'What an approval given now would bind' }),
  verdicts: Type.Array(
    Type.Object({
      by: Identity,
      verdict: OneOf(['approve', 'refuse']),
      reason: Type.String(),
      at: Time,
    }),
  ),
  needed: Type.Integer(),
  obstacle: Nullable(Type.String({ description: 'Why you may not give a verdict now' })),
  history: Type.Array(
    Type.Object({
      act: Type.String(),
      by: Identity,
      reason: Type.String(),
      at: Time,
      version: Type.String(),
      changes: Type.Array(Type.String()),
    }),
  ),
})
export type Draft = Static<typeof Draft>

/** A rule that could not be calculated on events, and so did not fire on them. */
export const FailingRule = Type.Object({
  rule: Type.String(),
  n: Type.Integer({ description: 'Events' }),
  since: Time,
  last: Time,
  eventId: Type.String({ description: 'The last one' }),
  why: Nullable(Type.String({ description: 'On the last one; null while nobody can say' })),
})
export type FailingRule = Static<typeof FailingRule>

const PolicyWork = Type.Object({
  policy: Type.String(),
  version: Type.String(),
  parts: PolicyParts,
  columns: Type.Array(Type.Object({ name: Type.String(), kind: Type.String() })),
  features: Type.Array(Type.String()),
  paused: Type.Array(
    Type.Object({
      rule: Type.String(),
      by: Identity,
      byItself: Type.Boolean({ description: 'It fired above its cap' }),
      reason: Type.String(),
      at: Time,
      resume: Nullable(Type.String({ description: 'The proposal that waits for another person' })),
    }),
  ),
  failing: Type.Array(FailingRule, {
    description: 'Since the policy as it is decides, in the last 30 days at most',
  }),
  waiting: Type.Array(
    Type.Object({
      id: Type.String(),
      rule: Type.String(),
      by: Identity,
      reason: Type.String(),
      at: Time,
      yours: Type.Boolean(),
    }),
  ),
  drafts: Type.Array(Type.Object(draftRow)),
  declared: Type.Array(Type.String(), {
    description:
      'What the project declares otherwise than people approved; empty where it is the same',
  }),
})
export type PolicyWork = Static<typeof PolicyWork>

const PolicyParams = Type.Object({ policy: Name })
const DraftParams = Type.Object({ policy: Name, draft: Name })
const DraftAct = Type.Object(
  {
    action: OneOf(['shadow', 'propose', 'withdraw']),
    reason: Reason,
  },
  closed,
)
const DraftVerdict = Type.Object(
  {
    verdict: OneOf(['approve', 'refuse']),
    reason: Reason,
    binds: Type.String({ maxLength: 64, description: 'As the draft said when it was read' }),
  },
  closed,
)
const tally = Type.Object({
  allow: Type.Integer(),
  review: Type.Integer(),
  decline: Type.Integer(),
})
const Trial = Type.Object({
  sentence: Type.String(),
  events: Type.Integer(),
  before: tally,
  draft: tally,
  rules: Type.Array(
    Type.Object({
      name: Type.String(),
      fired: Type.Integer(),
      positives: Type.Integer(),
      labelled: Type.Integer(),
      alone: Type.Integer({ description: 'Answered less strictly without this rule' }),
    }),
  ),
  changed: Type.Array(
    Type.Object({
      eventId: Type.String(),
      before: Outcome,
      draft: Outcome,
      rules: Type.Array(Type.String()),
    }),
  ),
  tookMs: Type.Number(),
})
export type Trial = Static<typeof Trial>

export const policyRoutes = {
  lists: { summary: 'Lists that live policies declare', response: ListsAnswer },
  listEntries: {
    summary: 'Entries of a list, expired ones too until they are swept',
    params: ListParams,
    query: EntriesQuery,
    response: ListEntries,
    exports: true,
  },
  changeListEntries: {
    summary: 'Put values on a list, or take them off it',
    params: ListParams,
    body: ChangeEntries,
    response: Ordered,
  },
  pauseRule: {
    summary: 'Pause a rule, at once',
    params: RuleParams,
    body: WithReason,
    response: Ordered,
  },
  resumeRule: {
    summary: 'Propose that a paused rule goes on; another person confirms',
    params: RuleParams,
    body: WithReason,
    response: Ordered,
  },
  answerChange: {
    summary: 'Confirm or withdraw what was proposed',
    params: ChangeParams,
    body: AnswerChange,
    response: Ordered,
  },
  policyWork: {
    summary: 'What people may change of a policy, its drafts and its paused rules',
    params: PolicyParams,
    response: PolicyWork,
  },
  checkDraft: {
    summary: 'Look at a draft without keeping it',
    params: PolicyParams,
    body: DraftContent,
    response: DraftCheck,
  },
  tryDraft: {
    summary: 'Answer the last 1,000 decisions again by a draft',
    params: PolicyParams,
    body: Type.Object({ parts: PolicyParts }, closed),
    response: Trial,
  },
  newDraft: {
    summary: 'Keep a draft of a policy',
    params: PolicyParams,
    body: SaveDraft,
    response: Draft,
  },
  draft: { summary: 'One draft of a policy', params: DraftParams, response: Draft },
  saveDraft: {
    summary: 'Change a draft; approvals of it are void then',
    params: DraftParams,
    body: ChangeDraft,
    response: Draft,
  },
  actOnDraft: {
    summary: 'Run in shadow, propose, withdraw',
    params: DraftParams,
    body: DraftAct,
    response: Draft,
  },
  answerDraft: {
    summary: 'Approve or refuse a draft',
    params: DraftParams,
    body: DraftVerdict,
    response: Draft,
  },
} as const
