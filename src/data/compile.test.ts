import { describe, expect, expectTypeOf, test } from 'vitest'
import type { AssayError } from '../lib/errors.ts'
import { DAY_US, parseTimestamp } from '../lib/time.ts'
import { compileLabels, compileSource } from './compile.ts'
import {
  arrivalTime,
  category,
  eventTime,
  id,
  integer,
  key,
  labels,
  money,
  source,
  type ColumnName,
  type NumericKind,
  type RowOf,
  type SourceDeclaration,
} from './declarations.ts'
import { fraud, payments, type everything } from './example.cases.ts'

function mistakesOf(compile: () => unknown): string[] {
  try {
    compile()
  } catch (error) {
    return (error as AssayError).extra!['mistakes'] as string[]
  }
  return []
}

describe('a source', () => {
  test('compiles to a contract in plain JSON, named by its content', () => {
    const contract = compileSource(payments)
    expect(JSON.parse(JSON.stringify(contract))).toEqual(contract)
    expect(contract).toMatchObject({ id: 'payment_id', eventTime: 'paid_at', lateUs: DAY_US })
    expect(contract.columns[1]).toMatchObject({
      kind: 'eventTime',
      min: parseTimestamp('2018-01-01'),
    })
    expect(contract.columns[3]).toMatchObject({
      kind: 'money',
      exponent: 2,
      min: 0,
      max: 10_000_000,
    })
    expect(compileSource(payments).version).toBe(contract.version)
  })

  test('may say when its rows arrived, in one column; others keep the versions they had', () => {
    const columns = { event: id(), at: eventTime() }
    expect(compileSource(source('s', { columns }))).not.toHaveProperty('arrivalTime')
    const arrived = { ...columns, came_at: arrivalTime({ from: 'CAME', nullable: true }) }
    const contract = compileSource(source('s', { columns: arrived }))
    expect(contract.arrivalTime).toBe('came_at')
    expect(contract.columns[2]).toMatchObject({ kind: 'arrivalTime', from: 'CAME', nullable: true })
    const twice = { ...arrived, again: arrivalTime() }
    expect(mistakesOf(() => compileSource(source('s', { columns: twice })))).toEqual([
      'Source "s": "came_at", "again" are all declared with arrivalTime(); exactly one may be.',
    ])
  })

  test('has another version when anything in it changes', () => {
    const columns = { event: id(), at: eventTime(), n: integer({ max: 5 }) }
    const version = compileSource(source('s', { columns })).version
    const wider = { ...columns, n: integer({ max: 6 }) }
    expect(compileSource(source('s', { columns: wider })).version).not.toBe(version)
    expect(compileSource(source('s', { columns, timeZone: 'Europe/Berlin' })).version).not.toBe(
      version,
    )
  })

  test('lets TypeScript know the names, kinds and values of its columns', () => {
    expectTypeOf<ColumnName<typeof payments, 'key'>>().toEqualTypeOf<'customer_id'>()
    expectTypeOf<ColumnName<typeof payments, NumericKind>>().toEqualTypeOf<'amount'>()
    expectTypeOf<RowOf<typeof everything>['branch']>().toEqualTypeOf<number | undefined>()
    expectTypeOf<RowOf<typeof everything>['channel']>().toEqualTypeOf<
      'card' | 'transfer' | 'cash, mixed' | undefined
    >()
    expectTypeOf<RowOf<typeof payments>['paid_at']>().toEqualTypeOf<number>()
    expectTypeOf(payments).toExtend<SourceDeclaration>()
  })

  test('names every mistake with its column and the remedy, all at once', () => {
    const mistakes = mistakesOf(() =>
      compileSource(
        source('Payments', {
          timeZone: 'Berlin',
          columns: {
            'bad name': integer({ min: 5, max: 1 }),
            amount: money('EURO', { min: '0' }),
            price: money('EUR', { min: '0.001' }),
            at: eventTime({ min: 'soon' }),
            kind: category([]),
            n: integer({ nulable: true } as never),
            other: key('int' as never),
          },
          ignore: ['amount'],
          late: '1 day',
        }),
      ),
    )
    expect(mistakes).toEqual([
      'Source "Payments": use a name of lower-case letters, digits, - and _ that starts with a letter.',
      `Source "Payments": timeZone "Berlin" is not an IANA zone such as 'Europe/Berlin'.`,
      'Source "Payments", column "bad name": use a name of letters, digits and underscores that starts with a letter.',
      'Source "Payments", column "bad name": min lies above max.',
      `Source "Payments", column "amount": "EURO" is not a currency. Use its ISO 4217 code, such as 'EUR'.`,
      'Source "Payments", column "price": min "0.001" is not an amount in EUR. Write it as decimal text with at most 2 decimal places.',
      `Source "Payments", column "at": min "soon" is not a date. Write it as '2018-04-01'.`,
      `Source "Payments", column "kind": list the accepted values, such as category(['card', 'transfer']).`,
      'Source "Payments", column "n": there is no option "nulable"; did you mean "nullable"?',
      `Source "Payments", column "other": the type must be 'integer' or 'text', not "int".`,
      'Source "Payments": ignore lists "amount", which is the column "amount".',
      'Source "Payments": no column is declared with id(); exactly one must be.',
      `Source "Payments": late "1 day" is not a duration. Write it as '7d', '24h' or '15m'.`,
    ])
  })

  test('refuses two ids and two columns that answer to one name', () => {
    const columns = { a: id(), b: id({ from: 'a' }), at: eventTime() }
    expect(mistakesOf(() => compileSource(source('s', { columns })))).toEqual([
      'Source "s": columns "a" and "b" both answer to "a".',
      'Source "s": "a", "b" are all declared with id(); exactly one may be.',
    ])
  })
})

describe('labels', () => {
  test('compile to a contract that knows its source and its delay', () => {
    const contract = compileLabels(fraud)
    expect(contract).toMatchObject({ of: 'payments', delayUs: 7 * DAY_US, from: 'IS_FRAUD' })
    expect(JSON.parse(JSON.stringify(contract))).toEqual(contract)
  })

  test('refuse values that cannot be told apart and a column that is taken', () => {
    const declaration = labels('fraud', {
      of: payments,
      values: { no: 0, maybe: 0, yes: 0.5 },
      positive: 'certain' as never,
      delay: '7',
      from: 'AMOUNT',
    })
    expect(mistakesOf(() => compileLabels(declaration))).toEqual([
      'Labels "fraud": the value of "yes" must be a whole number, not 0.5.',
      'Labels "fraud": two labels share one number in values.',
      'Labels "fraud": positive is "certain", which values does not name.',
      'Labels "fraud": from "AMOUNT" is already the source’s column "amount".',
      `Labels "fraud": delay "7" is not a duration. Write it as '7d', '24h' or '15m'.`,
    ])
  })
})
