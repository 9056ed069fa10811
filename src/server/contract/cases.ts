import { Type, type Static } from '@sinclair/typebox'
import { DecisionRow } from './decisions.ts'
import {
  exportQuery,
  Identity,
  Money,
  Nullable,
  OneOf,
  pageQuery,
  PageOf,
  Time,
  Verdict,
} from './shapes.ts'

export const caseVerdicts = ['fraud', 'genuine', 'unsure'] as const
export const CaseVerdictValue = OneOf(caseVerdicts, 'unsure: "can\'t tell"; makes no label')
export type CaseVerdictValue = Static<typeof CaseVerdictValue>

/** A verdict becomes a label when `undoUntil` (wall clock) has passed; until then it can go. */
export const CaseVerdict = Type.Object({
  value: CaseVerdictValue,
  by: Identity,
  at: Time,
  reason: Nullable(Type.String()),
  undoUntil: Nullable(Time),
  corrected: Type.Boolean({ description: 'True where it replaced an earlier verdict' }),
})

export const CaseViewer = Type.Object({ identity: Identity, since: Time, you: Type.Boolean() })

/** One decision to review, within a case. */
export const CaseAlert = Type.Object({
  id: Type.String(),
  status: OneOf(['open', 'closed']),
  decision: DecisionRow,
  verdict: Nullable(CaseVerdict),
})
export type CaseAlert = Static<typeof CaseAlert>

/** A verdict that a second person must say yes to before it holds. */
export const CaseProposal = Type.Object({
  verdict: CaseVerdictValue,
  corrects: Type.Boolean(),
  alerts: Type.Integer({ minimum: 1 }),
  by: Identity,
  at: Time,
  reason: Nullable(Type.String()),
  yours: Type.Boolean(),
})

/** The alerts of one entity that are worked together. */
export const Case = Type.Object({
  id: Type.String(),
  status: OneOf(['open', 'closed']),
  openedAt: Time,
  entity: Type.Object({
    column: Type.String({ description: 'The key column that its alerts share' }),
    value: Type.String(),
  }),
  /** That of the alert with most at risk. */
  decision: DecisionRow,
  alerts: Type.Array(CaseAlert, { description: 'Oldest first; the newest so many' }),
  alertCount: Type.Integer(),
  openAlerts: Type.Integer(),
  priority: Type.Object({
    risk: Nullable(Money),
    sentence: Type.String({ description: 'How it came about' }),
  }),
  dueAt: Time,
  overdue: Type.Boolean(),
  assignee: Nullable(Identity),
  assigneeIsYou: Type.Boolean(),
  fourEyes: Type.Boolean({ description: 'Whether a verdict waits for a second person' }),
  proposal: Nullable(CaseProposal),
  verdict: Nullable(CaseVerdict),
  history: Type.Array(Type.Object({ at: Time, by: Nullable(Identity), sentence: Type.String() })),
  viewers: Type.Array(CaseViewer),
})
export type Case = Static<typeof Case>

const YES = OneOf(['yes'])
export const CasesQuery = Type.Object({
  status: Type.Optional(OneOf(['open', 'closed', 'all'])),
  assignee: Type.Optional(
    Type.String({ maxLength: 100, description: 'me, none, or the id of a person' }),
  ),
  overdue: Type.Optional(YES),
  waiting: Type.Optional(YES),
  verdict: Type.Optional(CaseVerdictValue),
  customer: Type.Optional(Type.String()),
  terminal: Type.Optional(Type.String()),
  text: Type.Optional(Type.String({ maxLength: 200 })),
  order: Type.Optional(OneOf(['priority', 'due', 'newest', 'oldest', 'score', 'amount'])),
  ...pageQuery,
  ...exportQuery,
})
export const Cases = Type.Composite([
  PageOf(Case),
  Type.Object({
    capacity: Type.Object({
      perDay: Nullable(Type.Integer()),
      open: Type.Integer(),
      decidedToday: Type.Integer(),
      oldestOpenedAt: Nullable(Time),
      mine: Type.Integer(),
      unassigned: Type.Integer(),
      overdue: Type.Integer(),
      waiting: Type.Integer({ description: 'Verdicts that wait for a second person' }),
      verdict: Verdict,
    }),
    workers: Type.Array(Identity, { description: 'Who may work on cases' }),
  }),
])
export type Cases = Static<typeof Cases>

export const CaseParams = Type.Object({ caseId: Type.String() })
export const OpenCase = Type.Object(
  {
    policy: Type.String(),
    eventId: Type.String(),
    reason: Type.Optional(Type.String({ maxLength: 1000 })),
  },
  { additionalProperties: false },
)
const SomeAlerts = Type.Optional(
  Type.Array(Type.String(), {
    minItems: 1,
    maxItems: 500,
    description: 'Ids of alerts of the case; all of them where it is missing',
  }),
)
const Reason = Type.String({ minLength: 3, maxLength: 1000 })
export const GiveVerdict = Type.Object(
  {
    verdict: CaseVerdictValue,
    reason: Type.Optional(Type.String({ maxLength: 1000 })),
    alerts: SomeAlerts,
  },
  { additionalProperties: false },
)
export const CorrectVerdict = Type.Object(
  { verdict: CaseVerdictValue, reason: Reason, alerts: SomeAlerts },
  { additionalProperties: false },
)
const SomeCases = Type.Array(Type.String(), { minItems: 1, maxItems: 200 })
export const BulkVerdict = Type.Object(
  { caseIds: SomeCases, verdict: CaseVerdictValue, reason: Reason },
  { additionalProperties: false },
)
export const BulkUndo = Type.Object({ caseIds: SomeCases }, { additionalProperties: false })
const To = Nullable(
  Type.String({ maxLength: 100, description: 'me, or the id of a person; null for nobody' }),
)
export const BulkAssign = Type.Object(
  { caseIds: SomeCases, to: To, reason: Type.Optional(Reason) },
  { additionalProperties: false },
)
export const AssignCase = Type.Object(
  { to: To, reason: Type.Optional(Type.String({ maxLength: 1000 })) },
  { additionalProperties: false },
)
export const NoteCase = Type.Object(
  { text: Type.String({ minLength: 1, maxLength: 2000 }) },
  { additionalProperties: false },
)
export const AnswerProposal = Type.Object(
  {
    answer: OneOf(['confirm', 'turn-down']),
    reason: Type.Optional(Type.String({ maxLength: 1000 })),
  },
  { additionalProperties: false },
)
export const BulkAnswer = Type.Object({
  done: Type.Array(Type.String()),
  refused: Type.Array(Type.Object({ caseId: Type.String(), detail: Type.String() })),
  undoUntil: Nullable(Time),
  sentence: Type.String(),
})
export type BulkAnswer = Static<typeof BulkAnswer>

export const CaseViewers = Type.Object({ viewers: Type.Array(CaseViewer) })

/** What one can judge a case by, beside the decision on screen. */
export const CaseEvidence = Type.Object({
  decisions: Type.Array(
    Type.Object({
      decision: DecisionRow,
      rules: Type.Array(Type.String(), { description: 'Rules that fired, in words' }),
      reasons: Type.Array(Type.String()),
      features: Type.Array(
        Type.Object({ name: Type.String(), words: Type.String(), valueText: Type.String() }),
      ),
    }),
    { description: 'The newest alerts first' },
  ),
  recent: Type.Array(DecisionRow, { description: 'Of the entity, newest first' }),
  neighbours: Type.Object({
    graph: Nullable(
      Type.String({
        description:
          'The declared graph whose edges these are, "from → to"; null: the keys of decisions',
      }),
    ),
    sentence: Type.String(),
    entities: Type.Array(
      Type.Object({
        column: Type.String(),
        value: Type.String(),
        shared: Type.Array(Type.String(), { description: 'How it is linked, in words' }),
        decisions: Type.Integer({ description: 'In the 30 days before; so are the others' }),
        declined: Type.Integer(),
        fraud: Type.Integer({ description: 'Confirmed so far' }),
      }),
    ),
  }),
  past: Type.Array(
    Type.Object({
      id: Type.String(),
      openedAt: Time,
      alerts: Type.Integer(),
      sentence: Type.String(),
    }),
  ),
})
export type CaseEvidence = Static<typeof CaseEvidence>

/** The operations on cases, as the table of the API has them. */
export const caseRoutes = {
  cases: { summary: 'The review queue', query: CasesQuery, response: Cases, exports: true },
  openCase: { summary: 'Put a decision into the review queue', body: OpenCase, response: Case },
  case: {
    summary: 'One case, by its id or that of one of its alerts',
    params: CaseParams,
    response: Case,
  },
  caseEvidence: {
    summary: 'Decisions, neighbours and past cases of the entity of a case',
    params: CaseParams,
    response: CaseEvidence,
  },
  giveVerdict: {
    summary: 'Confirm fraud, genuine, or unsure; may be undone for ten seconds',
    params: CaseParams,
    body: GiveVerdict,
    response: Case,
  },
  undoVerdict: { summary: 'Take a verdict back in time', params: CaseParams, response: Case },
  correctVerdict: {
    summary: 'Correct an earlier verdict; history is kept',
    params: CaseParams,
    body: CorrectVerdict,
    response: Case,
  },
  answerProposal: {
    summary: 'The yes or no of a second person to a verdict that waits',
    params: CaseParams,
    body: AnswerProposal,
    response: Case,
  },
  assignCase: {
    summary: 'Take a case, hand it over, or give it back to the queue',
    params: CaseParams,
    body: AssignCase,
    response: Case,
  },
  noteCase: {
    summary: 'Write a note on a case',
    params: CaseParams,
    body: NoteCase,
    response: Case,
  },
  viewCase: {
    summary: 'I have this case open (repeat every 15 s)',
    params: CaseParams,
    response: CaseViewers,
  },
  leaveCase: { summary: 'I closed this case', params: CaseParams, response: CaseViewers },
  bulkVerdict: {
    summary: 'One verdict for several cases, with one reason',
    body: BulkVerdict,
    response: BulkAnswer,
  },
  bulkUndo: { summary: 'Take several verdicts back in time', body: BulkUndo, response: BulkAnswer },
  bulkAssign: {
    summary: 'Give several cases to one person, or back to the queue',
    body: BulkAssign,
    response: BulkAnswer,
  },
} as const
