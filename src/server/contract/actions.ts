/** What policies tell of their decisions, and messages of streams that could not be decided on. */
import { Type, type Static } from '@sinclair/typebox'
import { exportQuery, Identity, Nullable, PageOf, pageQuery, Time, Verdict } from './shapes.ts'

/** One decision that could not be delivered. */
export const DeadLetter = Type.Object({
  policy: Type.String(),
  action: Type.String(),
  sequence: Type.Integer(),
  eventId: Type.String(),
  attempts: Type.Integer(),
  error: Type.String(),
  at: Time,
  redriving: Type.Boolean({ description: 'Somebody wants it delivered once more' }),
  body: Nullable(
    Type.String({ description: 'What the receiver would get; null where decisions are away' }),
  ),
})
export type DeadLetter = Static<typeof DeadLetter>
export const DeadLetters = PageOf(DeadLetter)
export const DeadLettersQuery = Type.Object({
  policy: Type.Optional(Type.String({ maxLength: 100 })),
  action: Type.Optional(Type.String({ maxLength: 100 })),
  text: Type.Optional(Type.String({ maxLength: 200, description: 'In event id or error' })),
  ...pageQuery,
  ...exportQuery,
})

export const ActionState = Type.Object({
  policy: Type.String(),
  action: Type.String(),
  to: Type.String({ description: 'In words: "POST https://…", "topic decided", "file …"' }),
  on: Type.String({ description: 'The decisions it applies to, in words' }),
  delivered: Type.Integer(),
  behind: Nullable(
    Type.Integer({ description: 'Records of the journal that it has not looked at yet' }),
  ),
  behindSince: Nullable(Time),
  attempts: Type.Integer({ description: 'Failed attempts at the decision that is next' }),
  nextAt: Nullable(Time),
  lastError: Nullable(Type.String()),
  dead: Type.Integer(),
  verdict: Verdict,
})
export type ActionState = Static<typeof ActionState>
export const ActionStates = Type.Object({ items: Type.Array(ActionState) })

export const ActionParams = Type.Object({
  policy: Type.String({ maxLength: 100 }),
  action: Type.String({ maxLength: 100 }),
})
export const Redrive = Type.Object({
  reason: Type.String({ minLength: 1, maxLength: 2000 }),
  sequences: Type.Optional(
    Type.Array(Type.Integer({ minimum: 1 }), {
      minItems: 1,
      maxItems: 1000,
      description: 'All that could not be delivered, where it is left out',
    }),
  ),
})
export const Redriven = Type.Object({ letters: Type.Integer() })

export const SetAsideQuery = Type.Object({
  topic: Type.Optional(Type.String({ maxLength: 249 })),
  all: Type.Optional(Type.Boolean({ description: 'Also those that were sent once more' })),
  ...pageQuery,
  ...exportQuery,
})
export const SetAsideMessage = Type.Object({
  sequence: Type.Integer(),
  topic: Type.String(),
  partition: Type.Integer(),
  offset: Type.Integer(),
  code: Type.String(),
  detail: Type.String(),
  body: Type.String({ description: 'The message as text, 64 KiB of it at most' }),
  at: Time,
  sentAt: Nullable(Time),
  sentBy: Nullable(Identity),
})
export type SetAsideMessage = Static<typeof SetAsideMessage>
export const SetAsidePage = Type.Object({
  items: Type.Array(SetAsideMessage),
  waiting: Type.Integer(),
  next: Nullable(Type.String()),
})
export const SetAsideParams = Type.Object({ sequence: Type.Integer({ minimum: 1 }) })
export const ResendMessage = Type.Object({
  policy: Type.String({ maxLength: 100 }),
  reason: Type.String({ minLength: 1, maxLength: 2000 }),
  body: Type.Optional(
    Type.String({ maxLength: 1024 * 1024, description: 'The message as it was mended' }),
  ),
})
export const ResentMessage = Type.Object({
  answer: Type.String({ description: 'The decision’s answer, byte for byte' }),
})

export const actionRoutes = {
  actions: {
    summary: 'What policies tell of their decisions, and how that goes',
    response: ActionStates,
  },
  deadLetters: {
    summary: 'Decisions that could not be delivered, oldest first',
    query: DeadLettersQuery,
    response: DeadLetters,
    exports: true,
  },
  redriveAction: {
    summary: 'Deliver once more what could not be delivered',
    params: ActionParams,
    body: Redrive,
    response: Redriven,
  },
  setAside: {
    summary: 'Messages of streams on which nothing could be decided',
    query: SetAsideQuery,
    response: SetAsidePage,
    exports: true,
  },
  resendMessage: {
    summary: 'Decide on such a message once more, as it came or mended',
    params: SetAsideParams,
    body: ResendMessage,
    response: ResentMessage,
  },
} as const
