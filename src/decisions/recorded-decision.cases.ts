// A decision as the journal records it, for what reads journals.
import type { DecisionRecord, Sequenced } from './records.ts'

/** The n-th record of a namespace `live`: policy `p` allows the event `e<n>` of the source `s`. */
export function recordedDecision(
  sequence: number,
  over: Partial<Sequenced<DecisionRecord>> = {},
): Sequenced<DecisionRecord> {
  const eventTimeUs = over.eventTimeUs ?? sequence * 1000
  return {
    type: 'decision',
    namespace: 'live',
    sequence,
    policy: 'p',
    source: 's',
    eventId: `e${sequence}`,
    event: { id: `e${sequence}` },
    bodyHash: 'b',
    eventHash: 'h',
    shown: {
      keys: { customer: `c${sequence % 3}`, terminal: '9' },
      amountMinor: sequence * 100,
      currency: 'EUR',
    },
    entry: 'new',
    eventTimeUs,
    receivedAtUs: 5_000_000 + sequence,
    clockUs: eventTimeUs,
    late: false,
    features: [1, null],
    layout: 'l',
    margin: 0,
    score: sequence / 100,
    outcome: 'allow',
    path: 'score',
    rules: [],
    reasons: [],
    thresholds: { decline: 0.9, review: 0.5 },
    versions: {
      deployment: 'd',
      policy: 'pv',
      model: 'mv',
      modelName: 'm',
      modelNumber: 1,
      source: 'sv',
      featureSets: ['f'],
    },
    timings: { contractUs: 1, featuresUs: 2, decisionUs: sequence },
    ...over,
  }
}
