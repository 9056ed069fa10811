// What `decisions` decides by: the example's features and as many more, and twenty rules of the kinds
// that a desk writes, over the event, its features, the score, a list and a typology.
import { behaviour, handbook } from '../examples/card-fraud/features.ts'
import { fraud, transactions } from '../examples/card-fraud/sources.ts'
import { compilePolicy, decisionPolicy, list, rule, typology } from '../src/decisions/index.ts'
import { compileFeatureSet, featureSet, type CompiledFeatureSet } from '../src/features/index.ts'

/** Both entities over shorter and longer windows than the example looks at. */
const velocity = featureSet('card-velocity', transactions, (tx) => {
  const customer = tx.per('customer_id')
  const terminal = tx.per('terminal_id')
  return [
    ...customer
      .sum('amount')
      .over('1h', '1d', '7d')
      .as((w) => `CUSTOMER_SUM_${w.text.toUpperCase()}`)
      .inWords((w) => `The customer spent {money} in ${w.words}`),
    ...customer
      .distinct('terminal_id')
      .over('1d', '7d')
      .as((w) => `CUSTOMER_TERMINALS_${w.text.toUpperCase()}`)
      .inWords((w) => `The customer paid at {count terminal} in ${w.words}`),
    ...customer
      .max('amount')
      .over('1d', '30d')
      .as((w) => `CUSTOMER_MAX_${w.text.toUpperCase()}`)
      .inWords((w) => `The customer’s highest amount in ${w.words} is {money}`),
    ...terminal
      .count()
      .over('1h', '1d')
      .as((w) => `TERMINAL_COUNT_${w.text.toUpperCase()}`)
      .inWords((w) => `This terminal took {count payment} in ${w.words}`),
    ...terminal
      .sum('amount')
      .over('1h', '1d')
      .as((w) => `TERMINAL_SUM_${w.text.toUpperCase()}`)
      .inWords((w) => `This terminal took {money} in ${w.words}`),
    ...terminal
      .distinct('customer_id')
      .over('1d', '7d')
      .as((w) => `TERMINAL_CUSTOMERS_${w.text.toUpperCase()}`)
      .inWords((w) => `{count customer} paid at this terminal in ${w.words}`),
    terminal
      .countOf(fraud)
      .over('7d')
      .delayed('7d')
      .as('TERMINAL_FRAUDS_7D')
      .inWords('{count payment} at this terminal were later confirmed as fraud'),
  ]
})

export const featureSets: readonly CompiledFeatureSet[] = [
  compileFeatureSet(handbook),
  compileFeatureSet(behaviour),
  compileFeatureSet(velocity),
]

/** Asks for nothing by itself; the typology weighs it. */
const signal = (name: string, when: string) => rule(name, { when, reason: `Signal: ${name}` })

const review = (name: string, when: string, reason: string) =>
  rule(name, { when, then: 'review', reason })

export const policy = compilePolicy(
  decisionPolicy('card-fraud', {
    source: transactions,
    features: [handbook, behaviour, velocity],
    model: 'card-fraud',
    lists: [
      list('blocked', { column: 'customer_id', description: 'Cards that are reported lost' }),
    ],
    rules: [
      rule('blocked-card', {
        when: 'listed("blocked")',
        then: 'decline',
        reason: 'The card was reported lost',
        priority: 10,
      }),
      rule('amount-far-beyond-any-payment', {
        when: 'event.amount > 500.0',
        then: 'decline',
        reason: 'The amount is more than twice the largest genuine payment on record',
      }),
      rule('sure-of-fraud', {
        when: 'score > 0.98 && event.amount > 20.0',
        then: 'decline',
        reason: 'The payment is nearly certainly fraud',
      }),
      rule('small-and-calm', {
        when: 'event.amount < 1.0 && score < 0.001',
        then: 'allow',
        reason: 'A very small payment of a calm customer',
      }),
      review(
        'terminal-under-attack',
        'features.TERMINAL_ID_RISK_7DAY_WINDOW > 0.5 && features.TERMINAL_ID_NB_TX_7DAY_WINDOW >= 3.0',
        'More than half of this terminal’s payments of a week ago were confirmed as fraud',
      ),
      review(
        'sudden-spree',
        'features.CUSTOMER_COUNT_1H >= 6.0 && features.CUSTOMER_SUM_1H > 600.0',
        'Six payments and more than 600 EUR within an hour',
      ),
      review(
        'first-payment-large',
        'isMissing(features.CUSTOMER_SECONDS_SINCE_LAST) && event.amount > 300.0',
        'A large payment after a week without any',
      ),
      review(
        'high-amount-and-score',
        'score > 0.8 && features.AMOUNT_VS_CUSTOMER_30D > 6.0',
        'Far beyond what the customer usually pays, and suspicious besides',
      ),
      review(
        'many-terminals',
        'features.CUSTOMER_TERMINALS_1D >= 12.0',
        'Twelve terminals within a day',
      ),
      review(
        'crowded-terminal',
        'features.TERMINAL_COUNT_1H >= 10.0 && features.TERMINAL_CUSTOMERS_1D < 3.0',
        'One or two customers keep a terminal busy',
      ),
      signal('night', 'features.TX_DURING_NIGHT == 1.0'),
      signal('weekend', 'features.TX_DURING_WEEKEND == 1.0'),
      signal('above-usual', 'features.AMOUNT_VS_CUSTOMER_30D > 3.0'),
      signal('busy-day', 'features.CUSTOMER_ID_NB_TX_1DAY_WINDOW >= 8.0'),
      signal('soon-after', 'features.CUSTOMER_SECONDS_SINCE_LAST < 120.0'),
      signal('terminal-has-frauds', 'features.TERMINAL_FRAUDS_7D >= 1.0'),
      signal('highest-of-month', 'event.amount >= features.CUSTOMER_MAX_30D'),
      signal('round-amount', 'event.amount in [50.0, 100.0, 200.0, 300.0]'),
      signal('late-in-the-day', 'event.datetime.getHours() >= 22'),
      signal(
        'suspicious',
        'score > 0.5 || (score > 0.3 && features.CUSTOMER_SPEND_6H_VS_30D > 5.0)',
      ),
    ],
    typologies: [
      typology('card-testing', {
        weights: { night: 1, 'soon-after': 2, 'busy-day': 2, 'round-amount': 1, suspicious: 3 },
        alert: 6,
        interdict: 9,
        reason: 'Several signs that somebody tries out a stolen card',
      }),
    ],
    // Found on the live events themselves, so that the share not allowed is what it should be.
    thresholds: { decline: 0.9, review: 0.5 },
  }),
)
