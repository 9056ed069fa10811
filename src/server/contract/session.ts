import { Type, type Static } from '@sinclair/typebox'
import { Identity, Nullable, OneOf, Time } from './shapes.ts'

export const clockKinds = ['live', 'replay', 'simulated'] as const
/** The bank's clock. Anything but `live` is badged wherever a time is shown. */
export const BankClock = Type.Object({
  kind: OneOf(clockKinds),
  now: Time,
  timeZone: Type.String({ description: "The bank's IANA zone; the page shows times in it" }),
})
export type BankClock = Static<typeof BankClock>

/** Always 200, so that a page can ask before it is signed in; `identity` is null until then. */
export const Session = Type.Object({
  identity: Nullable(Identity),
  roles: Type.Array(Type.String()),
  project: Type.Object({
    name: Type.String(),
    title: Type.String(),
    example: Type.Boolean({ description: 'True in the example bank: offers "Try"' }),
    policy: Nullable(Type.String({ description: 'The policy that new decisions go to' })),
  }),
  clock: BankClock,
  version: Type.String(),
  ephemeral: Type.Optional(
    Type.Boolean({ description: 'True where nothing is kept and nobody signs in: for tests only' }),
  ),
})
export type Session = Static<typeof Session>

/** Answers with a Set-Cookie (HttpOnly, SameSite=Strict). A wrong key is 401 `key_unknown`. */
export const SignIn = Type.Object(
  { key: Type.String({ minLength: 1, maxLength: 200 }) },
  { additionalProperties: false },
)
