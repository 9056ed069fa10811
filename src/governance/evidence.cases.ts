/** Evidence and card facts with which the cases of this room and of those after it begin. */
import { buildModelCard, type ModelCardFacts } from './card.ts'
import type { Evidence } from './types.ts'

export const completeCardFacts: ModelCardFacts = {
  name: 'Card fraud',
  version: '1',
  date: '2018-08-15',
  purpose: 'Stops card payments that are fraud.',
  owner: 'Fraud analytics',
  architecture: '100 boosted trees of depth 6',
  data: [
    { name: 'transactions', description: 'Card payments', hash: 's1', personal: ['customer_id'] },
  ],
  inputs: [{ name: 'TX_AMOUNT', description: 'Amount of the payment' }],
  output: 'Probability of fraud',
  outcomes: [{ name: 'decline', description: 'The payment is stopped' }],
  metrics: [{ name: 'roc_auc', value: 0.9, low: 0.88, high: 0.92 }],
  users: ['Fraud analysts'],
  useCases: ['Card payments at terminals'],
  limitations: ['Knows no e-commerce'],
  tradeoffs: [],
  ethicalConsiderations: [{ name: 'Wrong declines', mitigation: 'Reasons and a review queue' }],
}

export function sampleEvidence(): Evidence {
  return {
    model: 'card-fraud',
    version: 1,
    versionHash: 'v1',
    metrics: {
      roc_auc: { value: 0.9, low: 0.88, high: 0.92, n: 1000 },
      average_precision: { value: 0.68, low: 0.64, high: 0.72, n: 1000 },
    },
    measuredOn: { transactions: 's1' },
    decisionPolicy: { name: 'card-fraud', hash: 'p1', thresholds: { decline: 0.8, review: 0.4 } },
    card: buildModelCard(completeCardFacts),
  }
}
