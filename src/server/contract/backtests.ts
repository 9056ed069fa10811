/** Back-tests of a policy: what a draft would have answered on a period of the past. */
import { Type, type Static } from '@sinclair/typebox'
import { Done, Identity, Nullable, OneOf, Outcome, Time } from './shapes.ts'

const Name = Type.String({ maxLength: 100 })
const byOutcome = <T extends ReturnType<typeof Type.Object> | ReturnType<typeof Type.Integer>>(
  of: T,
) => Type.Object({ allow: of, review: of, decline: of })

const Tally = Type.Object({
  n: Type.Integer(),
  positives: Type.Integer(),
  negatives: Type.Integer(),
  amountMinor: Type.Integer(),
  positiveAmountMinor: Type.Integer(),
})
export type BacktestTally = Static<typeof Tally>

/** With 95 % confidence between `lower` and `upper`; null without a case. */
const Rate = Type.Object({
  value: Nullable(Type.Number()),
  lower: Type.Number(),
  upper: Type.Number(),
  n: Type.Integer(),
})
export type BacktestRate = Static<typeof Rate>

const Tallies = Type.Object({ allow: Tally, review: Tally, decline: Tally })
const Counts = byOutcome(Type.Integer())
const Figures = Type.Object({
  outcomes: Tallies,
  precision: Rate,
  recall: Rate,
  reviewsPerDay: Type.Object({
    mean: Type.Number(),
    max: Type.Integer(),
    daysAboveCapacity: Type.Integer(),
  }),
})

export const BacktestResult = Type.Object({
  sentence: Type.String({ description: 'What would change' }),
  hash: Type.String({ description: 'Of all that was found and on what: what an approval binds' }),
  over: OneOf(['records', 'history']),
  namespace: Nullable(
    Type.String({
      description: 'Whose decisions, lists and labels were read, where that is known',
    }),
  ),
  currency: Nullable(Type.String()),
  exponent: Type.Integer(),
  capacity: Nullable(Type.Integer({ description: 'Reviews that people can work in a day' })),
  seconds: Type.Number(),
  from: Nullable(Time),
  to: Nullable(Time),
  events: Tally,
  draft: Figures,
  before: Figures,
  moves: Type.Object(
    { allow: Tallies, review: Tallies, decline: Tallies },
    { description: 'From what was answered to what the draft answers' },
  ),
  rules: Type.Array(
    Type.Object({
      name: Type.String(),
      then: Nullable(Outcome),
      mode: OneOf(['live', 'shadow']),
      fired: Tally,
      precision: Rate,
      recall: Rate,
      adds: Tally,
      overlap: Type.Record(Type.String(), Type.Integer()),
      hoursOverCap: Type.Integer(),
      failed: Type.Integer({ description: 'Events on which it could not be calculated' }),
      failedFirst: Type.Optional(Type.Object({ eventId: Type.String(), why: Type.String() })),
    }),
  ),
  days: Type.Array(
    Type.Object({ at: Time, events: Type.Integer(), draft: Counts, before: Counts }),
  ),
  changed: Type.Array(
    Type.Object({
      eventId: Type.String(),
      eventTime: Time,
      amountMinor: Nullable(Type.Integer()),
      positive: Nullable(Type.Boolean()),
      before: Outcome,
      draft: Outcome,
      rules: Type.Array(Type.String()),
    }),
    { description: 'The first ones' },
  ),
  rulesChanged: Type.Integer(),
  unscored: Type.Integer(),
})
export type BacktestResult = Static<typeof BacktestResult>

export const Backtest = Type.Object({
  id: Type.String({ description: 'Of one that was asked for; of a kept one its hash' }),
  title: Type.String(),
  state: OneOf(['waiting', 'running', 'done', 'failed', 'cancelled']),
  by: Identity,
  at: Time,
  from: Nullable(Time),
  to: Nullable(Time),
  progress: Nullable(
    Type.Object({
      stage: OneOf(['reading', 'features', 'deciding']),
      done: Type.Integer(),
      total: Type.Integer(),
      secondsLeft: Nullable(Type.Number()),
    }),
  ),
  problem: Nullable(Type.String()),
  hash: Nullable(Type.String()),
  /** Of the policy that was tested, where that is known. */
  version: Nullable(Type.String()),
  sentence: Nullable(Type.String()),
})
export type Backtest = Static<typeof Backtest>
export const Backtests = Type.Object({ items: Type.Array(Backtest) })

export const StartBacktest = Type.Object(
  {
    draft: Type.Optional(
      Type.String({ maxLength: 100, description: 'Id of a draft; without it the live policy' }),
    ),
    from: Type.Optional(Time),
    to: Type.Optional(Time),
    over: Type.Optional(OneOf(['records', 'history'])),
    modelVersion: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  { additionalProperties: false },
)
export const BacktestStarted = Type.Object({ id: Type.String() })
const PolicyParams = Type.Object({ policy: Name })
const Params = Type.Object({ policy: Name, backtest: Name })
const ResultParams = Type.Object({ policy: Name, hash: Type.String({ maxLength: 64 }) })

export const backtestRoutes = {
  backtests: {
    summary: 'Back-tests of a policy: those on their way, then what is kept, newest first',
    params: PolicyParams,
    response: Backtests,
  },
  startBacktest: {
    summary: 'Back-test a draft, or the live policy, on a period of the past',
    params: PolicyParams,
    body: StartBacktest,
    response: BacktestStarted,
  },
  cancelBacktest: { summary: 'Stop a back-test', params: Params, response: Done },
  backtestResult: {
    summary: 'What a back-test found',
    params: ResultParams,
    response: BacktestResult,
  },
} as const
