// A small bank for tests and measurements: one source, a handful of features, a model made by hand.
import {
  compileLabels,
  compileSource,
  eventTime,
  id,
  key,
  labels,
  money,
  source,
} from '../src/data/index.ts'
import { compileFeatureSet, featureSet } from '../src/features/index.ts'
import { MODEL_FORMAT } from '../src/learning/index.ts'
import type { LogisticRegressionModel } from '../src/learning/index.ts'
import { contentHash } from '../src/lib/hash.ts'
import { parseTimestamp } from '../src/lib/time.ts'
import { compilePolicy, decisionPolicy, deploymentHash, rule } from '../src/decisions/index.ts'
import type { DeployedPolicy, DeploymentFiles } from '../src/decisions/index.ts'

export const payments = source('payments', {
  description: 'Payments of a small bank',
  timeZone: 'UTC',
  columns: {
    payment_id: id({ from: 'PAYMENT_ID' }),
    at: eventTime({ from: 'AT', min: '2020-01-01', max: '2030-01-01' }),
    customer: key('integer', { from: 'CUSTOMER', personal: true }),
    terminal: key('integer', { from: 'TERMINAL' }),
    amount: money('EUR', { from: 'AMOUNT', min: '0.00', max: '100000.00' }),
  },
  late: '1d',
  future: '5m',
})

export const fraud = labels('fraud', {
  of: payments,
  values: { genuine: 0, fraud: 1 },
  positive: 'fraud',
  delay: '1h',
})

export const behaviour = featureSet('behaviour', payments, (tx) => [
  tx.value('amount').as('AMOUNT'),
  ...tx
    .per('customer')
    .count()
    .over('1d', '7d')
    .as((w) => `CUSTOMER_COUNT_${w.days}D`),
  tx.per('customer').mean('amount').over('7d').as('CUSTOMER_MEAN_7D'),
  tx.per('terminal').share(fraud).over('7d').as('TERMINAL_RISK_7D'),
])

export const logins = source('logins', {
  late: '1h',
  future: '5m',
  columns: { login_id: id(), at: eventTime(), user: key('integer') },
})

/** A table whose rows replace one another. */
export const customers = source('customers', {
  late: '30d',
  future: '5m',
  columns: { row_id: id(), at: eventTime(), customer: key('integer'), limit: money('EUR') },
})

/** What the further sources say of a payment's customer. */
export const besides = featureSet('besides', payments, (tx) => [
  tx
    .other(logins, { by: { user: 'customer' } })
    .count()
    .over('1h')
    .as('LOGINS_1H'),
  tx
    .lookup(customers, { by: { customer: 'customer' } })
    .value('limit')
    .as('LIMIT'),
])

export const policy = decisionPolicy('card', {
  source: payments,
  features: [behaviour],
  model: 'card-fraud',
  rules: [
    rule('huge', { when: 'event.amount > 5000.0', then: 'decline', reason: 'The amount is huge' }),
    rule('busy', {
      when: 'features.CUSTOMER_COUNT_1D >= 20.0',
      then: 'review',
      reason: 'The customer paid twenty times today',
    }),
  ],
  thresholds: { decline: 0.9, review: 0.5 },
})

const features = compileFeatureSet(behaviour)
const names = features.features.map(({ name }) => name)

/** Log-odds rise with the amount and with the terminal's risk. */
const model: LogisticRegressionModel = {
  format: MODEL_FORMAT,
  kind: 'logistic-regression',
  features: names,
  seed: 1,
  training: { rows: 10, positives: 2, iterations: 1, loss: 0.5 },
  params: { c: 1, tolerance: 1e-6, maxIterations: 100, positiveWeight: 1 },
  intercept: -3,
  means: names.map(() => 0),
  scales: names.map((name) => (name === 'AMOUNT' || name.includes('MEAN') ? 500 : 1)),
  coefficients: names.map((name) => (name === 'AMOUNT' ? 2 : name.includes('RISK') ? 4 : 0.01)),
}

export function deployment(over: Partial<DeployedPolicy> = {}): DeployedPolicy {
  return {
    format: 1,
    policy: compilePolicy(policy),
    source: compileSource(payments),
    labels: [compileLabels(fraud)],
    featureSets: [features],
    model: { name: 'card-fraud', number: 1, version: contentHash(model), body: model },
    thresholds: { decline: 0.9, review: 0.5 },
    ...over,
  }
}

/** Deployment documents in memory. */
export function memoryDeployments(...documents: DeployedPolicy[]): DeploymentFiles & {
  add(document: DeployedPolicy): string
} {
  const held = new Map(documents.map((each) => [deploymentHash(each), each] as const))
  return {
    read: async (hash) => held.get(hash),
    add(document) {
      const hash = deploymentHash(document)
      held.set(hash, document)
      return hash
    },
  }
}

export const startUs = parseTimestamp('2024-05-01T12:00:00Z')!

/** The n-th payment, a second after the one before; every 50th is large. */
export function payment(n: number, over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    payment_id: `p${n}`,
    at: new Date(startUs / 1000 + n * 1000).toISOString(),
    customer: n % 97,
    terminal: n % 31,
    amount: n % 50 === 7 ? '900.00' : `${(n % 40) + 1}.50`,
    ...over,
  }
}
