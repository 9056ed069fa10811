import { describe, expect, test } from 'vitest'
import {
  compileSource,
  eventTime,
  id,
  key,
  labels,
  money,
  number,
  source,
} from '../../data/index.ts'
import { DAY_US } from '../../lib/time.ts'
import { compileFeatureSet } from '../compile.ts'
import { featureSet, type EventScope } from '../declare.ts'
import type { Feature } from '../feature.ts'
import { duckdbDialect } from './dialect.ts'
import type { EventFacts } from './facts.ts'
import { sqlFor } from './sql-for.ts'

const columns = {
  payment_id: id(),
  paid_at: eventTime(),
  customer_id: key('integer'),
  amount: money('EUR'),
  score: number({ nullable: true }),
}
const payments = source('payments', { columns })
const fraud = labels('fraud', {
  of: payments,
  values: { genuine: 0, fraud: 1 },
  positive: 'fraud',
  delay: '7d',
})

const facts: EventFacts = {
  rows: 1000,
  fromUs: Date.UTC(2024, 0, 1) * 1000,
  toUs: Date.UTC(2024, 6, 1) * 1000,
  tiesMax: 1,
  absMax: { amount: 100_000 },
  labelLateUs: { fraud: 7 * DAY_US },
}

function written(
  declare: (tx: EventScope<typeof columns>) => Feature,
  known: Partial<EventFacts> = {},
) {
  const set = compileFeatureSet(featureSet('some', payments, (tx) => [declare(tx)]))
  const options = { dialect: duckdbDialect, facts: { ...facts, ...known }, fromRow: 0 }
  return sqlFor(set, compileSource(payments), options)
}

/** Why there is no SQL for it; undefined where there is. */
function refusal(...of: Parameters<typeof written>): string | undefined {
  const result = written(...of)
  return 'unsupported' in result ? result.unsupported[0].reason : undefined
}

describe('SQL for features', () => {
  test('is one SELECT over the columns that the features read', () => {
    const result = written((tx) => tx.per('customer_id').sum('amount').over('7d').as('spent'))
    expect(result).toMatchObject({
      features: ['spent'],
      columns: [
        { column: 'customer_id', name: 'c0', type: 'integer' },
        { column: 'amount', name: 'c1', type: 'integer' },
      ],
      labels: [],
    })
    const { sql } = result as { sql: string }
    expect(sql).toMatch(/ SELECT row, /)
    expect(sql).toContain('PARTITION BY c0 ORDER BY place')
  })

  test('adds up doubles as far as they hold every integer, and wider integers beyond', () => {
    const sum = (size: number) => {
      const known = { absMax: { amount: size } }
      return written((tx) => tx.per('customer_id').sum('amount').over('7d').as('spent'), known)
    }
    expect(sum(1e6)).toMatchObject({ sql: expect.stringContaining('AS DOUBLE)) OVER') as string })
    expect(sum(1e14)).toMatchObject({ sql: expect.stringContaining('AS BIGINT)) OVER') as string })
    expect(sum(2 ** 53 - 1)).toMatchObject({
      sql: expect.stringContaining('AS HUGEINT)) OVER') as string,
    })
  })

  test('is refused where engines round otherwise than the operator', () => {
    expect(refusal((tx) => tx.value('amount').log1p().as('log'))).toBe(
      'log1p is not exact in every engine',
    )
    expect(refusal((tx) => tx.per('customer_id').mean('score').over('7d').as('mean'))).toBe(
      'a mean of measured numbers rounds in the order of events',
    )
    expect(refusal((tx) => tx.per('customer_id').max('score').over('7d').as('max'))).toBeUndefined()
  })

  test('is refused where integers of 128 bits are too small', () => {
    const std = (rows: number) => {
      const known = { rows, absMax: { amount: 2 ** 53 - 1 } }
      return refusal((tx) => tx.per('customer_id').std('amount').over('7d').as('std'), known)
    }
    expect(std(500)).toBeUndefined()
    expect(std(5000)).toBe('its sums of squares do not fit integers of 128 bits')
  })

  test('joins labels as of their arrival only where some arrive later than the delay', () => {
    const risk = (lateUs: number) =>
      written((tx) => tx.per('customer_id').share(fraud).over('7d').delayed('7d').as('risk'), {
        labelLateUs: { fraud: lateUs },
      })
    const join = expect.stringContaining('ASOF') as string
    expect(risk(7 * DAY_US)).not.toMatchObject({ sql: join })
    expect(risk(7 * DAY_US + 1)).toMatchObject({ sql: join, labels: [{ labels: 'fraud' }] })
  })

  test('is refused where it is not said which event a label belongs to', () => {
    const known = { labelLateUs: {} }
    const share = (tx: EventScope<typeof columns>) => {
      return tx.per('customer_id').share(fraud).over('7d').delayed('7d').as('risk')
    }
    expect(refusal(share, known)).toBe('the labels "fraud" are not one list with one event an id')
  })

  test('is refused where no order key holds all events', () => {
    const known = { tiesMax: 2 ** 20 }
    expect(refusal((tx) => tx.value('amount').as('amount'), known)).toBe(
      'too many events share one instant over too long a time',
    )
  })

  test('is refused for what a later version may add to an aggregate', () => {
    const set = compileFeatureSet(
      featureSet('some', payments, (tx) => [tx.per('customer_id').count().over('7d').as('n')]),
    )
    const altered = JSON.parse(
      JSON.stringify(set).replace('"function"', '"unheardOf":5,"function"'),
    ) as typeof set
    const options = { dialect: duckdbDialect, facts, fromRow: 0 }
    expect(sqlFor(altered, compileSource(payments), options)).toEqual({
      unsupported: [{ feature: 'n', reason: '"unheardOf" is not written in SQL' }],
    })
  })
})
