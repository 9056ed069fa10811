import { describe, expect, test } from 'vitest'
import { category, eventTime, id, key, labels, money, source } from '../data/index.ts'
import { compileFeatureSet } from './compile.ts'
import { featureSet, type EventScope } from './declare.ts'
import type { Feature } from './feature.ts'
import { lineageOf, windowsInWords } from './lineage.ts'

const columns = {
  payment_id: id(),
  paid_at: eventTime(),
  customer: key('integer'),
  terminal: key('integer'),
  amount: money('EUR'),
  channel: category(['online', 'shop']),
}
const payments = source('payments', { columns })
const fraud = labels('fraud', {
  of: payments,
  values: { genuine: 0, fraud: 1 },
  positive: 'fraud',
  delay: '7d',
})
const customers = source('customers', {
  columns: { row_id: id(), from: eventTime(), customer: key('integer'), credit: money('EUR') },
})

function windowsOf(declare: (tx: EventScope<typeof columns>) => { as(name: string): Feature }) {
  const set = compileFeatureSet(featureSet('set', payments, (tx) => [declare(tx).as('F')]))
  return windowsInWords(lineageOf(set.features[0], set))
}

describe('the windows of a feature', () => {
  test('are said as they are declared', () => {
    const by = { by: { customer: 'customer' } } as const
    expect([
      windowsOf((tx) => tx.value('amount')),
      windowsOf((tx) => tx.per('customer').count().over('7d')),
      windowsOf((tx) => tx.per('terminal').share(fraud).over('7d').delayed('8d').orElse(0)),
      windowsOf((tx) => tx.per('customer').mean('amount').overLast(20)),
      windowsOf((tx) => tx.per('customer').mean('amount').within('1h').overLast(1)),
      windowsOf((tx) => tx.per('customer').count().over('ever')),
      windowsOf((tx) => tx.per('customer').decayedCount({ halfLife: '7d' })),
      windowsOf((tx) => tx.lookup(customers, by).value('credit')),
      windowsOf((tx) => tx.lookup(customers, by).staleAfter('90d').value('credit').whenStale(-1)),
      windowsOf((tx) => tx.graph({ from: 'customer', to: 'terminal' }).within('1d').from.fanOut()),
    ]).toEqual([
      null,
      '7 days',
      '7 days, delayed 8 days',
      'last 20 events',
      'last event within 1 hour',
      'ever',
      'fading, half-life 7 days',
      'newest row',
      'newest row, stale after 90 days',
      '1 day',
    ])
  })

  test('are all said where there are several, and those of a figure of each event are not', () => {
    expect(windowsOf((tx) => tx.per('customer').count().shortAgainstLong('1d', '30d'))).toBe(
      '1 day and 30 days',
    )
    expect(
      windowsOf((tx) => {
        const customer = tx.per('customer')
        const step = tx.value('amount').minus(customer.lag('amount', 1).over('30d'))
        return customer.std(tx.derive(step, { decimals: 2 })).overLast(10)
      }),
    ).toBe('last 10 events')
  })
})
