// What enters: card payments at terminals, and what later became known of them.
import { eventTime, id, key, labels, money, source } from 'assay'

export const transactions = source('transactions', {
  description: 'Card payments at terminals',
  timeZone: 'UTC',
  columns: {
    transaction_id: id({ from: 'TRANSACTION_ID', description: 'Unique number of the payment' }),
    datetime: eventTime({
      from: 'TX_DATETIME',
      min: '2018-01-01',
      max: '2031-01-01',
      description: 'When the card was presented',
    }),
    customer_id: key('integer', {
      from: 'CUSTOMER_ID',
      personal: true,
      description: 'The card holder',
    }),
    terminal_id: key('integer', {
      from: 'TERMINAL_ID',
      description: 'The terminal that asked for the payment',
    }),
    amount: money('EUR', {
      from: 'TX_AMOUNT',
      min: '0.00',
      max: '100000.00',
      // The published file was written from floats: 85.64999999999999 means 85.65.
      fromFloat: true,
      description: 'What the customer pays',
    }),
  },
  ignore: ['TX_TIME_SECONDS', 'TX_TIME_DAYS', 'TX_FRAUD_SCENARIO'],
  late: '1d',
  future: '5m',
})

/** A payment is known to be fraud or genuine seven days after it was made. */
export const fraud = labels('fraud', {
  of: transactions,
  values: { genuine: 0, fraud: 1 },
  positive: 'fraud',
  delay: '7d',
  from: 'TX_FRAUD',
})
