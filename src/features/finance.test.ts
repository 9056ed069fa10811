import { expect, test } from 'vitest'
import type { Row } from '../data/index.ts'
import { category, compileSource, eventTime, id, key, money, source } from '../data/index.ts'
import { DAY_US } from '../lib/time.ts'
import { agreedValues } from './agreed.cases.ts'
import { compileFeatureSet } from './compile.ts'
import type { EventScope } from './declare.ts'
import { featureSet } from './declare.ts'
import type { Feature } from './feature.ts'
import {
  balanceVolatility,
  creditUtilisation,
  incomeRegularity,
  liquidityCoverage,
} from './finance.ts'
import type { Fact } from './oracle.cases.ts'

const columns = {
  id: id(),
  at: eventTime(),
  account: key('text'),
  direction: category(['in', 'out']),
  purpose: category(['salary', 'rent', 'other']),
  amount: money('EUR', { min: '0.00' }),
  balance: money('EUR'),
  limit: money('EUR', { nullable: true }),
}
const bookings = source('bookings', { columns })
type Scope = EventScope<typeof columns>

interface Booking {
  readonly day: number
  readonly direction?: 'in' | 'out'
  readonly purpose?: 'salary' | 'rent' | 'other'
  /** Euros, as are the next two. */
  readonly amount?: number
  readonly balance?: number
  readonly limit?: number
}

function valueOf(
  declare: (tx: Scope) => { as(name: string): Feature },
  given: readonly Booking[],
): number {
  const set = compileFeatureSet(featureSet('set', bookings, (tx) => [declare(tx).as('F')]))
  const cents = (euros: number | undefined) => (euros === undefined ? undefined : euros * 100)
  const facts = given.map((booking, i): Fact => {
    const { day, direction = 'in', purpose = 'other', amount = 0, balance = 0 } = booking
    const money_ = [cents(amount), cents(balance), cents(booking.limit)]
    const row: Row = [`b${i}`, day * DAY_US, 'NL01', direction, purpose, ...money_]
    return { kind: 'event', row }
  })
  return agreedValues(set, compileSource(bookings), facts)[0]
}

test('credit utilisation is what is drawn over the limit', () => {
  const utilisation = (tx: Scope) => creditUtilisation(tx.value('balance'), tx.value('limit'))
  expect(valueOf(utilisation, [{ day: 0, balance: 750, limit: 3000 }])).toBe(0.25)
  expect(valueOf(utilisation, [{ day: 0, balance: -20, limit: 3000 }])).toBe(0)
  expect(valueOf(utilisation, [{ day: 0, balance: 750, limit: 0 }])).toBeNaN()
  expect(valueOf(utilisation, [{ day: 0, balance: 750 }])).toBeNaN()
})

test('balance volatility is the spread of the balances over their mean', () => {
  const volatility = (tx: Scope) => balanceVolatility(tx.per('account'), 'balance').over('30d')
  // Mean 200, squared deviations 10,000 + 0 + 10,000 over 2: a standard deviation of 100.
  const balances = [100, 200, 300].map((balance, day) => ({ day, balance }))
  expect(valueOf(volatility, balances)).toBe(0.5)
  const overdrawn = balances.map(({ day, balance }) => ({ day, balance: -balance }))
  expect(valueOf(volatility, overdrawn)).toBe(0.5)
  expect(valueOf(volatility, balances.slice(0, 1))).toBeNaN()
})

test('liquidity coverage is the balance over the net outflow, inflows capped', () => {
  const coverage = (tx: Scope) =>
    liquidityCoverage(tx.per('account'), {
      balance: tx.value('balance'),
      amount: 'amount',
      outflow: (event) => event.value('direction').is('out'),
    }).over('30d')
  const out = { day: 1, direction: 'out', amount: 1000, balance: 900 } as const
  // Net outflow 1000 − 400.
  expect(valueOf(coverage, [{ day: 0, amount: 400 }, out])).toBe(1.5)
  // Inflows count up to 750: net outflow 250.
  expect(valueOf(coverage, [{ day: 0, amount: 5000 }, out])).toBe(3.6)
  expect(valueOf(coverage, [{ day: 0, amount: 400, balance: 400 }])).toBeNaN()
})

test('income regularity is 1 for even gaps, and falls with their spread', () => {
  const regularity = (tx: Scope) =>
    incomeRegularity(tx.per('account'), tx.value('purpose').is('salary')).over('90d')
  const salaries = (...days: readonly number[]): Booking[] =>
    days.map((day) => ({ day, purpose: 'salary' }))
  expect(valueOf(regularity, salaries(0, 28, 56, 84))).toBe(1)
  const others: Booking[] = [{ day: 85, purpose: 'rent' }]
  expect(valueOf(regularity, [...salaries(0, 28, 56, 84), ...others])).toBe(1)
  // Gaps of 10 and 30 days: mean 20, standard deviation √200.
  const spread = Math.sqrt(200)
  expect(valueOf(regularity, salaries(0, 10, 40))).toBeCloseTo((20 - spread) / (20 + spread), 12)
  expect(valueOf(regularity, salaries(0, 28))).toBeNaN()
})
