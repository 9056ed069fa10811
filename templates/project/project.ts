// A project: run it with `npx assay run`, or start it with `npx assay start`.
import {
  boostedTrees,
  decisionPolicy,
  gatePolicy,
  logisticRegression,
  model,
  project,
  rule,
  timeSplit,
} from 'assay'
import { simulatePayments } from './data.ts'
import { behaviour } from './features.ts'
import { fraud, payments } from './sources.ts'

const trees = model('boosted-trees', {
  features: [behaviour],
  label: fraud,
  learner: boostedTrees({ trees: 100, depth: 4, learningRate: 0.1 }),
})

const logistic = model('logistic-regression', {
  features: [behaviour],
  label: fraud,
  learner: logisticRegression({ c: 1 }),
})

const gate = gatePolicy('payment-fraud-gate', {
  minimum: { average_precision: 0.3, roc_auc: 0.7 },
  champion: { metric: 'average_precision', margin: 0.02, confidence: 0.95 },
  card: 'complete',
  approvals: 2,
})

const policy = decisionPolicy('payments', {
  description: 'Decides on payments while the customer waits.',
  source: payments,
  features: [behaviour],
  model: 'payment-fraud',
  rules: [
    rule('very-large-amount', {
      when: 'event.amount > 5000.0',
      then: 'review',
      reason: 'The amount is larger than a person may release alone',
    }),
  ],
  thresholds: {
    decline: { kind: 'precision-at-least', precision: 0.9 },
    review: { kind: 'alerts-per-day', alerts: 10 },
  },
  reviewCapacityPerDay: 10,
})

export default project('my-bank', {
  title: 'My bank',
  description: 'Payment fraud: from events to governed decisions.',
  owner: 'Fraud analytics',
  sources: [payments],
  labels: [fraud],
  featureSets: [behaviour],
  models: [trees, logistic],
  // Train on four weeks, wait until their labels are known, test on the two weeks after that.
  split: timeSplit({
    train: ['2026-02-05', '2026-03-04'],
    delay: '7d',
    test: ['2026-03-12', '2026-03-25'],
    dropKnown: 'customer_id',
  }),
  gates: [gate],
  policies: [policy],
  seed: 1,
  registeredModel: {
    name: 'payment-fraud',
    purpose: 'Tell fraudulent payments from genuine ones before they are made.',
    users: ['Fraud operations'],
    limitations: ['Learned from simulated payments until you give it yours.'],
    ethicalConsiderations: ['A genuine customer may be declined; every decline can be explained.'],
    tier: 'high',
    tierRationale: 'Decides on payments without a person in between.',
  },
  data: {
    describe: 'Simulated payments',
    fileName: 'payments.csv',
    generate: () => simulatePayments('2026-01-01T00:00:00Z', 98, 7),
  },
  // The last two weeks are kept back and played as live traffic.
  replay: { from: '2026-03-26', until: '2026-04-09', speed: 600 },
})
