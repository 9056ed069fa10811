// What is calculated about a payment: declared once, the same in history and live.
import { featureSet } from 'assay'
import { payments } from './sources.ts'

export const behaviour = featureSet('behaviour', payments, (payment) => [
  payment.value('amount').as('amount'),
  ...payment
    .per('customer_id')
    .count()
    .over('1d', '7d', '30d')
    .as((window) => `customer_payments_${window.days}d`),
  ...payment
    .per('customer_id')
    .mean('amount')
    .over('7d', '30d')
    .as((window) => `customer_mean_amount_${window.days}d`),
  payment
    .value('amount')
    .dividedBy(payment.per('customer_id').mean('amount').over('30d').excludingCurrent())
    .as('amount_against_customer'),
  ...payment
    .per('shop_id')
    .count()
    .over('1d', '7d')
    .as((window) => `shop_payments_${window.days}d`),
])
