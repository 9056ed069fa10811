import { Type, type Static } from '@sinclair/typebox'
import { DecisionRow } from './decisions.ts'
import {
  exportQuery,
  Identity,
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

export const Case = Type.Object({
  id: Type.String(),
  status: OneOf(['open', 'closed']),
  openedAt: Time,
  decision: DecisionRow,
  verdict: Nullable(CaseVerdict),
  history: Type.Array(Type.Object({ at: Time, by: Nullable(Identity), sentence: Type.String() })),
  viewers: Type.Array(CaseViewer),
})
export type Case = Static<typeof Case>

export const CasesQuery = Type.Object({
  status: Type.Optional(OneOf(['open', 'closed', 'all'])),
  verdict: Type.Optional(CaseVerdictValue),
  customer: Type.Optional(Type.String()),
  terminal: Type.Optional(Type.String()),
  text: Type.Optional(Type.String({ maxLength: 200 })),
  order: Type.Optional(OneOf(['score', 'newest', 'oldest', 'amount'])),
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
      verdict: Verdict,
    }),
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
export const GiveVerdict = Type.Object(
  { verdict: CaseVerdictValue, reason: Type.Optional(Type.String({ maxLength: 1000 })) },
  { additionalProperties: false },
)
export const CorrectVerdict = Type.Object(
  { verdict: CaseVerdictValue, reason: Type.String({ minLength: 3, maxLength: 1000 }) },
  { additionalProperties: false },
)
export const BulkVerdict = Type.Object(
  {
    caseIds: Type.Array(Type.String(), { minItems: 1, maxItems: 500 }),
    verdict: CaseVerdictValue,
    reason: Type.Optional(Type.String({ maxLength: 1000 })),
  },
  { additionalProperties: false },
)
export const BulkUndo = Type.Object(
  { caseIds: Type.Array(Type.String(), { minItems: 1, maxItems: 500 }) },
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
