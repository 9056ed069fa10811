// What is calculated about a payment, each figure declared once for history and live alike.
import { featureSet } from 'assay'
import { fraud, transactions } from './sources.ts'

/** The fifteen features of the Fraud-Detection-Handbook, under its own names. */
export const handbook = featureSet(
  'handbook',
  transactions,
  (tx) => {
    const customer = tx.per('customer_id')
    const terminal = tx.per('terminal_id')
    return [
      tx
        .value('amount')
        .as('TX_AMOUNT')
        .describe('What the customer pays')
        .inWords('The payment is for {money}'),
      tx
        .time()
        .isWeekend()
        .as('TX_DURING_WEEKEND')
        .describe('Whether the payment is made on a Saturday or Sunday')
        .inWords('The payment is made on a weekend', {
          zero: 'The payment is made on a working day',
        }),
      tx
        .time()
        .hour()
        .atMost(6)
        .as('TX_DURING_NIGHT')
        .describe('Whether the payment is made before seven in the morning')
        .inWords('The payment is made at night', { zero: 'The payment is made by day' }),
      ...customer
        .count()
        .over('1d', '7d', '30d')
        .as((w) => `CUSTOMER_ID_NB_TX_${w.days}DAY_WINDOW`)
        .describe((w) => `How many payments the customer made in ${w.words}, this one included`)
        .inWords((w) => `The customer made {count payment} in ${w.words}, this one included`),
      ...customer
        .mean('amount')
        .over('1d', '7d', '30d')
        .as((w) => `CUSTOMER_ID_AVG_AMOUNT_${w.days}DAY_WINDOW`)
        .describe((w) => `What the customer paid on average in ${w.words}, this payment included`)
        .inWords(
          (w) => `The customer paid {money} on average in ${w.words}, this payment included`,
        ),
      ...terminal
        .count()
        .over('1d', '7d', '30d')
        .delayed('7d')
        .as((w) => `TERMINAL_ID_NB_TX_${w.days}DAY_WINDOW`)
        .describe((w) => `How many payments the terminal took in the ${span(w)} up to a week ago`)
        .inWords((w) => `This terminal took {count payment} in the ${span(w)} up to a week ago`),
      ...terminal
        .share(fraud)
        .over('1d', '7d', '30d')
        .delayed('7d')
        .orElse(0)
        .as((w) => `TERMINAL_ID_RISK_${w.days}DAY_WINDOW`)
        .describe(
          (w) => `Share of fraud among the terminal’s payments in the ${span(w)} up to a week ago`,
        )
        .inWords(
          (w) =>
            `{percent} of this terminal’s payments in the ${span(w)} up to a week ago ` +
            'were later confirmed as fraud',
        ),
    ]
  },
  { description: 'The fifteen features of the Fraud-Detection-Handbook' },
)

/**
 * How the payment sits with the customer's own past, and how the terminal fared among payments of
 * ordinary size. A stolen card shows in amounts; a compromised terminal does not, so fraud among
 * small payments tells the two apart, and whole weeks of it tell how long ago it began.
 */
export const behaviour = featureSet(
  'card-behaviour',
  transactions,
  (tx) => {
    const customer = tx.per('customer_id')
    const usual = customer.mean('amount').over('30d').excludingCurrent()
    const ordinary = tx.per('terminal_id').where(tx.value('amount').atMost(220))
    const newcomer = { missing: 'The customer made no earlier payment in 30 days to compare with' }
    const unknown = { missing: 'This terminal’s earlier payments say nothing about fraud' }
    return [
      tx
        .value('amount')
        .dividedBy(usual)
        .as('AMOUNT_VS_CUSTOMER_30D')
        .describe('The amount, as a multiple of the customer’s mean of 30 days')
        .inWords('The amount is {times} what this customer usually pays', newcomer),
      ...customer
        .max('amount')
        .over('3d', '7d', '14d')
        .excludingCurrent()
        .map((highest) => highest.dividedBy(usual))
        .as((w) => `CUSTOMER_MAX_${w.days}D_VS_30D`)
        .describe(
          (w) => `The customer’s highest earlier amount in ${w.words}, in multiples of their mean`,
        )
        .inWords(
          (w) => `The customer paid up to {times} their usual amount in the last ${w.words}`,
          (w) => ({ missing: `The customer made no other payment in the last ${w.words}` }),
        ),
      customer
        .std('amount')
        .over('7d')
        .excludingCurrent()
        .dividedBy(usual)
        .as('CUSTOMER_STD_7D_VS_30D')
        .describe(
          'Standard deviation of the customer’s amounts of 7 days, in multiples of their mean',
        )
        .inWords('The customer’s amounts of the last 7 days vary by {times} their usual amount', {
          missing: 'The customer made too few payments in 7 days to see how their amounts vary',
        }),
      customer
        .sum('amount')
        .over('6h')
        .dividedBy(usual)
        .as('CUSTOMER_SPEND_6H_VS_30D')
        .describe(
          'What the customer spent in 6 hours, this payment included, in multiples of their mean',
        )
        .inWords('Within 6 hours the customer spent {times} their usual amount', newcomer),
      customer
        .count()
        .over('1h')
        .as('CUSTOMER_COUNT_1H')
        .describe('How many payments the customer made within an hour, this one included')
        .inWords('The customer made {count payment} within an hour, this one included'),
      customer
        .timeSinceLast()
        .over('7d')
        .as('CUSTOMER_SECONDS_SINCE_LAST')
        .describe('Seconds since the customer’s payment before this one')
        .inWords('The customer’s payment before this one was {duration} ago', {
          missing: 'The customer made no payment in the 7 days before',
        }),
      ...ordinary
        .share(fraud)
        .over('3d', '7d')
        .delayed('7d')
        .as((w) => `TERMINAL_RISK_SMALL_${w.days}D`)
        .describe(
          (w) => `Share of fraud among payments up to 220 EUR in the ${span(w)} up to a week ago`,
        )
        .inWords(
          (w) =>
            `{percent} of this terminal’s ordinary payments in the ${span(w)} up to a week ago ` +
            'were later confirmed as fraud',
          () => unknown,
        ),
      ...(['14d', '21d', '28d'] as const).map((ago) =>
        ordinary
          .share(fraud)
          .over('7d')
          .delayed(ago)
          .as(`TERMINAL_RISK_SMALL_7D_AGO_${ago.toUpperCase()}`)
          .describe(
            `Share of fraud among payments up to 220 EUR in the week that ended ${ago} before`,
          )
          .inWords(
            `{percent} of this terminal’s ordinary payments in the week that ended ` +
              `${ago.replace('d', ' days')} before were confirmed as fraud`,
            unknown,
          ),
      ),
    ]
  },
  { description: 'Payments against the customer’s own past, and terminals by ordinary payments' },
)

/** A window's length as it follows "the": `day`, `7 days`. */
function span(window: { readonly days: number; readonly words: string }): string {
  return window.days === 1 ? 'day' : window.words
}
