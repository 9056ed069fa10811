// What enters: payments, and what later became known of them. Change the columns to yours; `from`
// is a column's name in your files.
import { eventTime, id, key, labels, money, source } from 'assay'

export const payments = source('payments', {
  description: 'Payments of customers to shops',
  timeZone: 'UTC',
  columns: {
    payment_id: id({ description: 'Unique number of the payment' }),
    paid_at: eventTime({ min: '2020-01-01', max: '2040-01-01' }),
    customer_id: key('integer', { personal: true, description: 'Who pays' }),
    shop_id: key('integer', { description: 'Who is paid' }),
    amount: money('EUR', { min: '0.01', max: '50000.00' }),
  },
  late: '1d',
  future: '5m',
})

/** Known seven days after the payment; in the files it stands in the column `fraud`. */
export const fraud = labels('fraud', {
  of: payments,
  values: { genuine: 0, fraud: 1 },
  positive: 'fraud',
  delay: '7d',
  from: 'fraud',
})
