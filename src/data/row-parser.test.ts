import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DAY_US, formatTimestamp, parseTimestamp } from '../lib/time.ts'
import { formatMinor } from '../lib/decimal.ts'
import { numberReader } from './cell-bytes.ts'
import { checkText, isFailure } from './cells.ts'
import { compileSource } from './compile.ts'
import { boolean, eventTime, id, integer, key, money, number, source } from './declarations.ts'
import { everythingContract, paymentsContract } from './example.cases.ts'
import { createLabelParser } from './label-parser.ts'
import { fraudContract } from './example.cases.ts'
import { createRowParser, timeliness } from './row-parser.ts'

const parser = createRowParser(paymentsContract)
const good = { payment_id: 'p1', paid_at: '2018-04-01 12:30:00', customer_id: 7, amount: '57.16' }
const goodRow = ['p1', parseTimestamp('2018-04-01T12:30:00Z'), 7, 5716]

/** The rules that the first failures name, by column. */
function rulesOf(body: unknown): Record<string, string> {
  const parsed = parser.fromJson(body)
  if (parsed.ok) return {}
  return Object.fromEntries(parsed.failures.map(({ column, rule }) => [column ?? '', rule]))
}

describe('a row', () => {
  test('becomes exact values in contract order, from text and from JSON alike', () => {
    expect(parser.fromJson(good)).toEqual({ ok: true, row: goodRow })
    const text = ['p1', '2018-04-01T12:30:00Z', '7', '57.16']
    expect(parser.fromText(text)).toEqual({ ok: true, row: goodRow })
  })

  test('may use names in files, and JSON numbers for amounts', () => {
    const body = {
      PAYMENT_ID: 'p1',
      PAID_AT: good.paid_at,
      CUSTOMER_ID: 7,
      amount: 57.16,
      NOTE: 'x',
    }
    expect(parser.fromJson(body)).toEqual({ ok: true, row: goodRow })
  })

  test('has an id with one spelling: text, or a whole number', () => {
    for (const id of [1.5, 1e21, -1e-7]) {
      const parsed = parser.fromJson({ ...good, payment_id: id })
      expect(!parsed.ok && parsed.failures.map(({ column, rule }) => [column, rule])).toEqual([
        ['payment_id', 'type'],
      ])
    }
  })

  test('is refused with every failure, each with column, rule, value and remedy', () => {
    const parsed = parser.fromJson({
      payment_id: '',
      paid_at: '2031-01-01',
      customer_id: '7',
      amount: 1.005,
      amout: 3,
    })
    expect(parsed).toMatchObject({ ok: false })
    expect(!parsed.ok && parsed.failures).toEqual([
      {
        column: 'amout',
        rule: 'unknown_field',
        value: '3',
        message: 'The contract has no such field. Did you mean "amount"?',
      },
      {
        column: 'payment_id',
        rule: 'missing',
        value: null,
        message: 'payment_id is empty; fill it, or declare the column nullable.',
      },
      {
        column: 'paid_at',
        rule: 'range',
        value: '2031-01-01',
        message: 'paid_at must lie between 2018-01-01T00:00:00Z and 2030-01-01T00:00:00Z.',
      },
      {
        column: 'customer_id',
        rule: 'type',
        value: '7',
        message: 'Send customer_id as a whole JSON number.',
      },
      {
        column: 'amount',
        rule: 'scale',
        value: '1.005',
        message:
          'amount has 3 decimal places, but EUR has 2. Round it where it is made, or declare fromFloat if a program kept it as a binary float.',
      },
    ])
  })

  test.each([
    [{ ...good, amount: NaN }, { amount: 'not_finite' }],
    [{ ...good, amount: '1e3' }, { amount: 'type' }],
    [{ ...good, amount: '1,000.00' }, { amount: 'type' }],
    [{ ...good, amount: true }, { amount: 'type' }],
    [{ ...good, amount: -0.01 }, { amount: 'range' }],
    [{ ...good, amount: '90071992547409.93' }, { amount: 'unsafe_integer' }],
    [{ ...good, customer_id: 1.5 }, { customer_id: 'type' }],
    [{ ...good, customer_id: 2 ** 53 }, { customer_id: 'unsafe_integer' }],
    [{ ...good, paid_at: '2018-02-30 10:00:00' }, { paid_at: 'date' }],
    [{ ...good, paid_at: 1522585800 }, { paid_at: 'type' }],
    [{ ...good, paid_at: '1999-01-01' }, { paid_at: 'range' }],
    [{ ...good, payment_id: 'x'.repeat(300) }, { payment_id: 'length' }],
    [{ ...good, payment_id: 'a\u0000b' }, { payment_id: 'encoding' }],
    [{ ...good, payment_id: '\ud800' }, { payment_id: 'encoding' }],
    [{ ...good, payment_id: { a: 1 } }, { payment_id: 'type' }],
    [{ ...good, AMOUNT: '57.16' }, { amount: 'duplicate_field' }],
    [[good], { '': 'json' }],
    [null, { '': 'json' }],
  ])('with %j is refused as %j', (body, expected) => {
    expect(rulesOf(body)).toEqual(expected)
  })

  test('takes the noise of binary floats out of amounts only where the contract says so', () => {
    const columns = { event: id(), at: eventTime(), amount: money('EUR', { fromFloat: true }) }
    const lenient = createRowParser(compileSource(source('s', { columns })))
    const amountOf = (amount: string): unknown => {
      const parsed = lenient.fromText(['1', '2018-04-01', amount])
      return parsed.ok ? parsed.row[2] : parsed.failures[0].rule
    }
    expect(amountOf('85.64999999999999')).toBe(8565)
    expect(amountOf('0.30000000000000004')).toBe(30)
    expect(amountOf('85.649')).toBe('scale')
    expect(amountOf('123456789012.345')).toBe('scale')
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 10_000_000 }),
        fc.integer({ min: 1, max: 9 }),
        (cents, n) => {
          expect(amountOf(String((cents / 100) * n))).toBe(cents * n)
        },
      ),
    )
    expect(rulesOf({ ...good, amount: 85.64999999999999 })).toEqual({ amount: 'scale' })
  })

  test('is the same from text and from JSON, whatever its values', () => {
    const both = createRowParser(everythingContract)
    const optional = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined })
    const rows = fc.record({
      event: fc.string({ minLength: 1, maxLength: 30 }),
      at: fc.integer({ min: 0, max: parseTimestamp('2200-01-01')! }).map(formatTimestamp),
      account: optional(fc.string({ minLength: 1, maxLength: 30 })),
      branch: optional(fc.maxSafeInteger()),
      amount: optional(fc.integer().map((minor) => formatMinor(minor, 2))),
      pieces: optional(fc.integer()),
      score: optional(fc.double({ noNaN: true, min: -2e6, max: 2e6 })),
      note: optional(fc.string({ maxLength: 25 })),
      channel: optional(fc.constantFrom('card', 'transfer', 'cash, mixed', 'cheque')),
      online: optional(fc.boolean()),
    })
    fc.assert(
      fc.property(rows, (row) => {
        const text = everythingContract.columns.map(({ name }) => {
          const value = row[name as keyof typeof row]
          return value === undefined ? '' : String(value)
        })
        expect(both.fromText(text)).toEqual(both.fromJson(row))
      }),
    )
  })
})

describe('the shortcut that reads numbers from bytes', () => {
  const columns = compileSource(
    source('numbers', {
      columns: {
        event: id(),
        at: eventTime({ min: '2000-01-01' }),
        branch: key('integer'),
        pieces: integer({ min: -50, max: 5000 }),
        euros: money('EUR', { min: '-10.00' }),
        yen: money('JPY'),
        dinars: money('KWD', { fromFloat: true }),
        score: number({ max: 1e6 }),
        online: boolean(),
      },
    }),
  ).columns.slice(1)

  const digits = fc.stringMatching(/^-?[0-9]{0,17}(\.[0-9]{0,5})?$/)
  const times = fc.oneof(
    fc
      .integer({ min: 0, max: parseTimestamp('2100-01-01')! / 1e6 })
      .map((s) => formatTimestamp(s * 1e6)),
    fc.stringMatching(/^20[0-9]{2}-[01][0-9]-[0-3][0-9][ T][0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z?$/),
  )
  const cells = fc.oneof(
    digits,
    times,
    fc.string({ unit: fc.constantFrom(...'0123456789-+.eETZ: naNif'), maxLength: 20 }),
    fc.double().map(String),
  )

  test.each(['UTC', 'Europe/Berlin'])(
    'answers what the checks answer, or leaves it to them (%s)',
    (zone) => {
      const readers = columns.map((column) => numberReader(column, zone)!)
      fc.assert(
        fc.property(cells, (text) => {
          const bytes = Buffer.from(`x${text}y`)
          columns.forEach((column, index) => {
            const fast = readers[index](bytes, 1, bytes.length - 1)
            if (Number.isNaN(fast)) return
            const checked = checkText(column, text, zone)
            expect(isFailure(checked) ? checked.rule : checked, `${column.name} ${text}`).toBe(fast)
          })
        }),
        { numRuns: 3000 },
      )
    },
  )

  test('takes the plain values that files are made of', () => {
    const plain: Record<string, string> = {
      at: '2018-04-01 00:00:31',
      branch: '596',
      pieces: '-3',
      euros: '57.16',
      yen: '500',
      dinars: '1.250',
      score: '-0.125',
      online: '1',
    }
    for (const column of columns) {
      const bytes = Buffer.from(plain[column.name])
      expect(numberReader(column, 'UTC')!(bytes, 0, bytes.length), column.name).not.toBeNaN()
    }
  })
})

describe('a label', () => {
  const labels = createLabelParser(fraudContract)

  test('is read by its name or its number', () => {
    for (const value of ['fraud', 1, '1']) {
      expect(labels.fromJson({ event_id: 'p1', value, author: 'Ann' })).toEqual({
        ok: true,
        label: {
          eventId: 'p1',
          value: 1,
          eventTimeUs: undefined,
          arrivalTimeUs: undefined,
          author: 'Ann',
        },
      })
    }
  })

  test('is refused with what is wrong', () => {
    const parsed = labels.fromJson({ event_id: 5, value: 'frau', arival_time: '2018-01-01' })
    expect(!parsed.ok && parsed.failures.map(({ column, rule }) => [column, rule])).toEqual([
      ['value', 'category'],
      ['arival_time', 'unknown_field'],
    ])
  })
})

test('an event is late or in the future by the source’s clock', () => {
  const now = parseTimestamp('2018-06-01')!
  expect(timeliness(paymentsContract, now - DAY_US, now)).toBe('on time')
  expect(timeliness(paymentsContract, now - DAY_US - 1, now)).toBe('late')
  expect(timeliness(paymentsContract, now + 300_000_001, now)).toBe('future')
})
