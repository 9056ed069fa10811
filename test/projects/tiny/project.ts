// A bank so small that it goes from an empty home to its first live decision in seconds. The
// system tests start it; customers, terminals and frauds are those of the example's simulator.
import {
  boostedTrees,
  decisionPolicy,
  eventTime,
  featureSet,
  gatePolicy,
  id,
  key,
  labels,
  logisticRegression,
  model,
  money,
  project,
  rule,
  source,
  timeSplit,
} from 'assay'
import { simulate } from '../../../examples/card-fraud/simulator.ts'

const days = { from: '2018-06-01', replay: '2018-07-11', until: '2018-07-25' }

const payments = source('payments', {
  description: 'Card payments of a tiny bank',
  timeZone: 'UTC',
  columns: {
    payment_id: id({ from: 'TRANSACTION_ID' }),
    paid_at: eventTime({ from: 'TX_DATETIME', min: '2018-01-01', max: '2031-01-01' }),
    customer_id: key('integer', { from: 'CUSTOMER_ID', personal: true }),
    terminal_id: key('integer', { from: 'TERMINAL_ID' }),
    amount: money('EUR', { from: 'TX_AMOUNT', min: '0.00', max: '100000.00' }),
  },
  ignore: ['TX_TIME_SECONDS', 'TX_TIME_DAYS', 'TX_FRAUD_SCENARIO'],
  late: '1d',
  future: '5m',
})

const fraud = labels('fraud', {
  of: payments,
  values: { genuine: 0, fraud: 1 },
  positive: 'fraud',
  delay: '7d',
  from: 'TX_FRAUD',
})

const behaviour = featureSet('behaviour', payments, (tx) => [
  tx.value('amount').as('AMOUNT').inWords('The payment is for {money}'),
  ...tx
    .per('customer_id')
    .count()
    .over('1d', '7d')
    .as((w) => `CUSTOMER_COUNT_${w.days}D`)
    .inWords((w) => `The customer made {count payment} in ${w.words}`),
  tx
    .per('customer_id')
    .mean('amount')
    .over('7d')
    .as('CUSTOMER_MEAN_7D')
    .inWords('The customer paid {money} on average in 7 days'),
  tx
    .per('terminal_id')
    .share(fraud)
    .over('7d')
    .delayed('7d')
    .as('TERMINAL_RISK_7D')
    .inWords('{percent} of this terminal’s payments of a week ago were fraud', {
      missing: 'The terminal took no payment of which anything is known',
    }),
])

const common = { features: [behaviour], label: fraud }

/** Six rows that break the contract, each in its own way. */
const planted = [
  '900001,2018-06-10 10:12:00,17,20,-12.30,0,0,0,0',
  '900002,2018-13-01 08:00:00,12,77,25.00,0,0,0,0',
  '900003,2018-06-10 11:30:15,,31,48.10,0,0,0,0',
  '900004,2018-06-10 12:45:09,40,51,1O2.50,0,0,0,0',
  '42,2018-06-10 15:01:02,22,81,61.75,0,0,0,0',
  '900005,2018-06-10 16:40:00,73,29',
]

function* generate(): Generator<string> {
  const size = { customers: 200, terminals: 1000, seed: 7 }
  yield* simulate({ from: days.from, until: days.until, ...size })
  yield `${planted.join('\n')}\n`
}

export default project('tiny', {
  title: 'Tiny bank',
  description: 'For tests of the whole system',
  example: true,
  owner: 'Tests',
  sources: [payments],
  labels: [fraud],
  featureSets: [behaviour],
  models: [
    model('trees', {
      ...common,
      learner: boostedTrees({ trees: 12, depth: 3, learningRate: 0.3 }),
    }),
    model('logistic', { ...common, learner: logisticRegression({ c: 1 }) }),
  ],
  split: timeSplit({
    train: ['2018-06-16', '2018-06-26'],
    delay: '7d',
    test: ['2018-07-04', '2018-07-10'],
    dropKnown: 'customer_id',
  }),
  gates: [
    gatePolicy('tiny-gate', {
      minimum: { average_precision: 0.1, roc_auc: 0.5 },
      champion: { metric: 'average_precision', margin: 0, confidence: 0.95 },
      card: 'complete',
      approvals: 2,
    }),
  ],
  policies: [
    decisionPolicy('tiny', {
      description: 'Decides on payments of the tiny bank',
      source: payments,
      features: [behaviour],
      model: 'tiny-fraud',
      rules: [
        rule('huge', {
          when: 'event.amount > 400.0',
          then: 'decline',
          reason: 'The amount is larger than any genuine payment',
        }),
        rule('watched-terminal', {
          when: 'event.terminal_id == 999',
          then: 'review',
          reason: 'The terminal is being watched',
        }),
      ],
      thresholds: {
        decline: { kind: 'precision-at-least', precision: 0.9 },
        review: { kind: 'alerts-per-day', alerts: 5 },
      },
      reviewCapacityPerDay: 5,
    }),
  ],
  seed: 7,
  registeredModel: {
    name: 'tiny-fraud',
    purpose: 'Tell fraudulent payments of a tiny bank from genuine ones.',
    users: ['Tests'],
    limitations: ['It knows two hundred customers.'],
    ethicalConsiderations: ['A genuine customer may be declined.'],
    tier: 'low',
    tierRationale: 'Nobody loses money.',
  },
  data: { describe: 'Simulated payments of 200 customers', fileName: 'payments.csv', generate },
  replay: { from: days.replay, until: days.until, speed: 600 },
  approvers: ['First approver (script)', 'Second approver (script)'],
})
