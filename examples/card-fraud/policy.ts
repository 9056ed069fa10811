// What decides on a payment, and what must hold before it may.
import { action, decisionPolicy, gatePolicy, list, rule } from 'assay'
import { behaviour, handbook } from './features.ts'
import { transactions } from './sources.ts'

export const gate = gatePolicy('card-fraud-gate', {
  minimum: { average_precision: 0.5, roc_auc: 0.8 },
  champion: { metric: 'average_precision', margin: 0.02, confidence: 0.95 },
  card: 'complete',
  approvals: 2,
})

export const policy = decisionPolicy('card-fraud', {
  description: 'Decides on card payments while the customer waits at the terminal.',
  source: transactions,
  features: [handbook, behaviour],
  model: 'card-fraud',
  // Both are empty at first: people put customers on them, each with a reason and, if wanted, an end.
  lists: [
    list('blocked', { column: 'customer_id', description: 'Nothing of theirs is paid' }),
    list('travelling', { column: 'customer_id', description: 'Told us that they travel' }),
  ],
  rules: [
    rule('customer-blocked', {
      when: 'listed("blocked")',
      then: 'decline',
      priority: 20,
      reason: 'The customer is blocked',
    }),
    rule('customer-travelling', {
      when: 'listed("travelling")',
      then: 'allow',
      reason: 'The customer told us that they travel',
    }),
    rule('amount-far-beyond-any-payment', {
      when: 'event.amount > 500.0',
      then: 'decline',
      reason: 'The amount is more than twice the largest genuine payment on record',
    }),
    rule('terminal-under-attack', {
      when: 'features.TERMINAL_ID_RISK_7DAY_WINDOW > 0.5 && features.TERMINAL_ID_NB_TX_7DAY_WINDOW >= 3.0',
      then: 'review',
      reason: 'More than half of this terminal’s payments of a week ago were confirmed as fraud',
    }),
  ],
  // Declined: at most one genuine payment in ten. Reviewed: the next best ones, as many as people can
  // read beside those that the rules bring them.
  thresholds: {
    decline: { kind: 'precision-at-least', precision: 0.9 },
    review: { kind: 'alerts-per-day', alerts: 45 },
  },
  reviewCapacityPerDay: 60,
  // A line of told/declined.ndjson in the home for each payment that is declined.
  actions: [action('declined', { to: { file: 'declined.ndjson' }, outcomes: ['decline'] })],
})
