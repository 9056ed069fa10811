import { Type, type Static } from '@sinclair/typebox'
import { AfterReview } from './endpoints.ts'
import { Nullable, ObjectRef, OneOf, Time, Verdict } from './shapes.ts'

export const InventoryRow = Type.Object({
  model: ObjectRef,
  purpose: Type.String(),
  owner: Type.String(),
  tier: Nullable(Type.String()),
  tierReason: Nullable(Type.String()),
  status: OneOf(['live', 'approved', 'candidate', 'refused', 'retired', 'none']),
  live: Nullable(ObjectRef),
  approvals: Type.String({ description: 'In words: "2 of 2, by script (example)"' }),
  cardComplete: Type.Boolean(),
  missing: Type.Array(Type.String({ description: 'What the inventory still lacks' })),
  changedAt: Nullable(Time),
  verdict: Verdict,
})
export const Governance = Type.Object({
  verdict: Verdict,
  inventory: Type.Array(InventoryRow),
  gates: Type.Array(
    Type.Object({
      name: Type.String(),
      version: Type.String(),
      requirements: Type.Array(Type.String({ description: 'One sentence each' })),
      approvals: Type.Integer(),
      results: Type.Array(
        Type.Object({
          version: ObjectRef,
          passed: Type.Boolean(),
          at: Time,
          sentence: Type.String(),
        }),
      ),
    }),
  ),
  waiting: Type.Array(Type.Object({ version: ObjectRef, sentence: Type.String(), since: Time }), {
    description: 'Versions that wait for an approval, among the newest 100 candidates of a model',
  }),
  afterReviews: Type.Array(AfterReview, {
    description: 'What one person did at once: those that nobody signed, then the newest signed',
  }),
  waitingMore: Type.Boolean({ description: 'Whether a model has older candidates' }),
})
export type Governance = Static<typeof Governance>
