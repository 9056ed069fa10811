/** A customer calls: the decision is found, its reasons are read out, and it may be let through next time. */
import { Type, type Static } from '@sinclair/typebox'
import { DecisionParams, DecisionRow } from './decisions.ts'
import { Nullable, OneOf, rangeQuery, Time } from './shapes.ts'

export const CallsQuery = Type.Object({
  value: Type.Optional(
    Type.String({
      maxLength: 200,
      description: 'A card, customer or other key as written in events, or an event id',
    }),
  ),
  amount: Type.Optional(Type.String({ description: 'Decimal text, major units: "100.00"' })),
  outcome: Type.Optional(OneOf(['refused', 'all'], 'refused: declined or to review')),
  ...rangeQuery,
})

export const Calls = Type.Object({
  items: Type.Array(DecisionRow, { maxItems: 50, description: 'Newest first' }),
  sentence: Type.String(),
})
export type Calls = Static<typeof Calls>

/** A list of the policy that lets events through, and what it holds of this event. */
export const AllowLists = Type.Object({
  lists: Type.Array(
    Type.Object({
      list: Type.String(),
      description: Type.String(),
      column: Type.String(),
      value: Nullable(Type.String({ description: 'Null where the event has none' })),
      listedUntil: Nullable(Time),
    }),
  ),
  say: Type.Array(Type.String(), { description: 'What can be said aloud, strongest first' }),
})
export type AllowLists = Static<typeof AllowLists>

export const AllowWish = Type.Object(
  {
    list: Type.String({ maxLength: 100 }),
    until: Type.String({ format: 'date-time', description: 'By the clock of the bank' }),
  },
  { additionalProperties: false },
)
export const AllowPreview = Type.Object({
  list: Type.String(),
  column: Type.String(),
  value: Type.String(),
  until: Time,
  effects: Type.Array(Type.String(), { description: 'What it lets through, and who will know' }),
  token: Type.String({ description: 'Stands for exactly this; give it back to confirm' }),
})
export type AllowPreview = Static<typeof AllowPreview>

export const AllowConfirm = Type.Object(
  {
    list: Type.String({ maxLength: 100 }),
    until: Type.String({ format: 'date-time' }),
    token: Type.String({ maxLength: 100 }),
    reason: Type.String({ minLength: 3, maxLength: 1000 }),
  },
  { additionalProperties: false },
)
export const Allowed = Type.Object({ sentence: Type.String(), until: Time })

export const callRoutes = {
  calls: {
    summary: 'Find decisions by what a customer on the phone knows',
    query: CallsQuery,
    response: Calls,
  },
  allowLists: {
    summary: 'What can be said of a decision, and on which lists its event could be allowed',
    params: DecisionParams,
    response: AllowLists,
  },
  previewAllow: {
    summary: 'What allowing until a time would let through; changes nothing',
    params: DecisionParams,
    body: AllowWish,
    response: AllowPreview,
  },
  confirmAllow: {
    summary: 'Allow until a time, as previewed',
    params: DecisionParams,
    body: AllowConfirm,
    response: Allowed,
  },
} as const
