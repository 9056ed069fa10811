// What is calculated about a payment: declared once, the same in history and live.
import { featureSet } from 'assay'
import { payments } from './sources.ts'

export const behaviour = featureSet('behaviour', payments, (payment) => [
  payment.value('amount').as('amount').inWords('The payment is for {money}'),
  ...payment
    .per('customer_id')
    .count()
    .over('1d', '7d', '30d')
    .as((window) => `customer_payments_${window.days}d`)
    .inWords((window) => `The customer made {count payment} in ${window.words}`),
  ...payment
    .per('customer_id')
    .mean('amount')
    .over('7d', '30d')
    .as((window) => `customer_mean_amount_${window.days}d`)
    .inWords((window) => `The customer paid {money} on average in ${window.words}`),
  payment
    .value('amount')
    .dividedBy(payment.per('customer_id').mean('amount').over('30d').excludingCurrent())
    .as('amount_against_customer')
    .inWords('The amount is {times} what this customer usually pays', {
      missing: 'The customer made no other payment within 30 days',
    }),
  ...payment
    .per('shop_id')
    .count()
    .over('1d', '7d')
    .as((window) => `shop_payments_${window.days}d`)
    .inWords((window) => `The shop took {count payment} in ${window.words}`),
])
