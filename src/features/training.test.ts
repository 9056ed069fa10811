import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Frame, Row } from '../data/index.ts'
import {
  columnPosition,
  compileSource,
  eventTime,
  id,
  key,
  labels,
  money,
  source,
} from '../data/index.ts'
import { isAssayError } from '../lib/errors.ts'
import { DAY_US, HOUR_US } from '../lib/time.ts'
import { compileFeatureSet } from './compile.ts'
import { featureSet } from './declare.ts'
import { history } from './history.ts'
import { valuesAtByDefinition, type Fact } from './oracle.cases.ts'
import {
  trainingRows,
  trainingRowsInTurns,
  type FactOrder,
  type TrainingRequest,
} from './training.ts'

const payments = source('payments', {
  late: '1d',
  future: '1h',
  columns: {
    payment_id: id(),
    paid_at: eventTime(),
    customer_id: key('integer', { nullable: true }),
    merchant_id: key('text'),
    amount: money('EUR'),
  },
})
const fraud = labels('fraud', {
  of: payments,
  values: { genuine: 0, fraud: 1 },
  positive: 'fraud',
  delay: '1d',
})
const set = compileFeatureSet(
  featureSet('velocity', payments, (tx) => [
    tx.value('amount').as('amount'),
    ...tx
      .per('customer_id')
      .count()
      .over('1h', '2d')
      .as((w) => `count_${w.text}`),
    tx.per('customer_id').sum('amount').over('2d').as('sum'),
    tx.per('customer_id').max('amount').over('1d').excludingCurrent().as('max'),
    tx.per('customer_id').distinct('merchant_id').over('2d').as('merchants'),
    tx.per('customer_id', 'merchant_id').mean('amount').over('2d').as('mean'),
    tx.per('merchant_id').timeSinceLast().over('2d').as('gap'),
    tx.per('merchant_id').share(fraud).over('3d').delayed('1d').as('risk'),
  ]),
)
const compiled = compileSource(payments)

interface Payment {
  readonly timeUs: number
  /** Undefined: not known when it arrived. */
  readonly lagUs: number | undefined
  readonly customer: number | undefined
  readonly merchant: string
  readonly amount: number
}
interface Verdict {
  readonly payment: number
  readonly lagUs: number
  readonly value: number | null
}
interface Question {
  readonly timeUs: number
  readonly customer: number | undefined
  readonly merchant: string
  readonly amount: number | undefined
}

// Hours are coarse, so that equal times and arrivals are common.
const hours = (max: number) => fc.integer({ min: 0, max }).map((n) => n * HOUR_US)
const customer = fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined, freq: 6 })
const merchant = fc.constantFrom('a', 'b', '9')
const scenario = fc.record({
  payments: fc.array(
    fc.record({
      timeUs: hours(120),
      lagUs: fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(0, undefined) },
        { weight: 2, arbitrary: hours(40) },
        { weight: 1, arbitrary: fc.constantFrom(-HOUR_US, -2 * HOUR_US) },
      ),
      customer,
      merchant,
      amount: fc.integer({ min: 0, max: 1e9 }),
    }),
    { maxLength: 25 },
  ),
  verdicts: fc.array(
    fc.record({
      payment: fc.nat({ max: 24 }),
      lagUs: hours(60),
      value: fc.constantFrom(0, 1, 1, null),
    }),
    { maxLength: 12 },
  ),
  questions: fc.array(
    fc.record({
      timeUs: hours(150),
      customer,
      merchant,
      amount: fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined }),
    }),
    { minLength: 1, maxLength: 6 },
  ),
})

function requestOf(
  all: readonly Payment[],
  verdicts: readonly Verdict[],
  questions: readonly Question[],
): TrainingRequest & { readonly arrivalsUs: Float64Array } {
  const sorted = [...all].sort((a, b) => a.timeUs - b.timeUs)
  const given = verdicts.filter(({ payment }) => payment < sorted.length)
  const numbers = (values: readonly (number | null | undefined)[]) =>
    Float64Array.from(values, (value) => value ?? NaN)
  const frame: Frame = {
    rows: sorted.length,
    columns: {
      payment_id: sorted.map((_, row) => `p${row}`),
      paid_at: numbers(sorted.map(({ timeUs }) => timeUs)),
      customer_id: numbers(sorted.map((each) => each.customer)),
      merchant_id: sorted.map((each) => each.merchant),
      amount: numbers(sorted.map(({ amount }) => amount)),
    },
  }
  return {
    sets: [set],
    source: compiled,
    frame,
    arrivalsUs: numbers(
      sorted.map(({ timeUs, lagUs }) => (lagUs === undefined ? undefined : timeUs + lagUs)),
    ),
    labels: [
      {
        labels: 'fraud',
        eventIds: given.map(({ payment }) => `p${payment}`),
        values: numbers(given.map(({ value }) => value)),
        arrivalsUs: numbers(given.map(({ payment, lagUs }) => sorted[payment].timeUs + lagUs)),
      },
    ],
    rows: {
      rows: questions.length,
      timesUs: numbers(questions.map(({ timeUs }) => timeUs)),
      columns: {
        customer_id: numbers(questions.map((each) => each.customer)),
        merchant_id: questions.map((each) => each.merchant),
        amount: numbers(questions.map(({ amount }) => amount)),
      },
    },
  }
}

interface Known {
  readonly fact: Fact
  readonly arrivalUs: number
}

/** What was known at a time, worked out by looking at every fact anew. */
function knownBy(request: TrainingRequest, order: FactOrder, untilUs: number): Fact[] {
  const { frame, arrivalsUs } = request
  const events = Array.from({ length: frame.rows }, (_, row): Known => {
    const timeUs = frame.columns['paid_at'][row] as number
    const arrivedUs = arrivalsUs![row]
    const decided = order === 'as-decided' && !Number.isNaN(arrivedUs)
    return {
      fact: { kind: 'event', row: rowOf(frame, row) },
      arrivalUs: decided ? arrivedUs : timeUs,
    }
  })
  const verdicts = order === 'as-decided' ? labelFacts(request) : correctedFacts(request)
  // Labels stand before events of the same instant, as in every history.
  const facts = [...verdicts, ...events]
    .map((each, place) => ({ ...each, place }))
    .filter(({ arrivalUs }) => arrivalUs <= untilUs)
    .sort((a, b) => a.arrivalUs - b.arrivalUs || a.place - b.place)
  let newestUs = -Infinity
  return facts.flatMap(({ fact, arrivalUs }): Fact[] => {
    if (fact.kind === 'label') return [fact]
    const timeUs = fact.row[columnPosition(compiled, 'paid_at')] as number
    const refused = timeUs > arrivalUs + HOUR_US || timeUs <= newestUs - DAY_US - HOUR_US
    if (refused) return []
    newestUs = Math.max(newestUs, timeUs)
    return [fact]
  })
}

function labelFacts({ labels: [arrivals] = [] }: TrainingRequest): Known[] {
  return Array.from(arrivals.values, (value, i) => ({
    fact: {
      kind: 'label' as const,
      labels: 'fraud',
      id: arrivals.eventIds[i] as string,
      value: Number.isNaN(value) ? null : value,
    },
    arrivalUs: arrivals.arrivalsUs[i],
  }))
}

function correctedFacts(request: TrainingRequest): Known[] {
  const sorted = labelFacts(request)
    .map((each, place) => ({ ...each, place }))
    .sort((a, b) => a.arrivalUs - b.arrivalUs || a.place - b.place)
  const idOf = ({ fact }: Known) => (fact.kind === 'label' ? fact.id : '')
  return sorted.map((each) => ({
    fact: sorted.findLast((other) => idOf(other) === idOf(each))!.fact,
    arrivalUs: sorted.find((other) => idOf(other) === idOf(each))!.arrivalUs,
  }))
}

function rowOf(frame: Frame, at: number): Row {
  return compiled.columns.map(({ name }) => {
    const value = frame.columns[name][at]
    return typeof value === 'number' && Number.isNaN(value) ? undefined : value
  })
}

const valuesOf = ({ matrix }: ReturnType<typeof trainingRows>, row: number) =>
  set.features.map(({ name }) => matrix.columns[matrix.names.indexOf(name)][row])

describe('training rows', () => {
  test.each(['as-decided', 'as-corrected'] as const)(
    'are what the definition gives for the facts known %s, however late they came',
    (order) => {
      fc.assert(
        fc.property(scenario, ({ payments: all, verdicts, questions }) => {
          const request = requestOf(all, verdicts, questions)
          const found = trainingRows({ ...request, order })
          questions.forEach(({ timeUs, customer: who, merchant: where, amount }, i) => {
            const row = [undefined, timeUs, who, where, amount]
            const facts = knownBy(request, order, timeUs)
            const expected = valuesAtByDefinition(set, compiled, facts, row)
            expect(valuesOf(found, i)).toEqual(expected)
          })
        }),
        { numRuns: 400 },
      )
    },
  )

  test('of named events are those with which the events entered', () => {
    fc.assert(
      fc.property(scenario, ({ payments: all, verdicts }) => {
        const inOrder = all.map((each) => ({ ...each, lagUs: undefined }))
        const request = requestOf(inOrder, verdicts, [])
        const named = {
          rows: inOrder.length,
          timesUs: new Float64Array(inOrder.length).fill(NaN),
          columns: {},
          eventIds: inOrder.map((_, row) => `p${row}`).reverse(),
        }
        const { arrivalsUs: _, ...assumed } = request
        const past = history(assumed)
        const { matrix, facts } = trainingRows({ ...assumed, rows: named })
        matrix.columns.forEach((column, c) => expect(column.toReversed()).toEqual(past.columns[c]))
        expect(facts).toMatchObject({ events: all.length, assumed: all.length })
      }),
      { numRuns: 100 },
    )
  })

  test('are the same when other work of the process gets its turn meanwhile', async () => {
    const many = Array.from({ length: 5000 }, (_, i) => ({
      timeUs: i * 1_000_000,
      lagUs: undefined,
      customer: i % 7,
      merchant: 'a',
      amount: i,
    }))
    const questions = [{ timeUs: 4_999_000_000, customer: 3, merchant: 'a', amount: 1 }]
    const request = requestOf(many, [], questions)
    let turns = 0
    const found = await trainingRowsInTurns(request, async () => void turns++)
    expect(found).toEqual(trainingRows(request))
    expect(turns).toBeGreaterThan(1)
  })
})

const hour = (n: number) => n * HOUR_US
const paid = (timeUs: number, lagUs: number | undefined, amount: number): Payment => ({
  timeUs,
  lagUs,
  customer: 1,
  merchant: 'a',
  amount,
})
const asks = (timeUs: number): Question => ({
  timeUs,
  customer: 1,
  merchant: 'a',
  amount: undefined,
})
const valueOf = (found: ReturnType<typeof trainingRows>, name: string) =>
  Array.from(found.matrix.columns[found.matrix.names.indexOf(name)])

test('a payment that came late counts from its arrival as decided, from its time as corrected', () => {
  const request = requestOf(
    [paid(hour(1), 0, 500), paid(hour(2), hour(10), 700)],
    [],
    [asks(hour(3)), asks(hour(12))],
  )
  const decided = trainingRows(request)
  expect(valueOf(decided, 'sum')).toEqual([5, 12])
  expect(decided.facts).toEqual({ events: 2, assumed: 0, tooLate: 0, inFuture: 0 })
  expect(valueOf(trainingRows({ ...request, order: 'as-corrected' }), 'sum')).toEqual([12, 12])
})

test('a label that was corrected holds from its first arrival as corrected, and never before', () => {
  const request = requestOf(
    [paid(0, 0, 500)],
    [
      { payment: 0, lagUs: hour(30), value: 0 },
      { payment: 0, lagUs: hour(60), value: 1 },
    ],
    [asks(hour(29)), asks(hour(30)), asks(hour(61))],
  )
  expect(valueOf(trainingRows(request), 'risk')).toEqual([0, 0, 1])
  expect(valueOf(trainingRows({ ...request, order: 'as-corrected' }), 'risk')).toEqual([0, 1, 1])
})

test('an entity without events has counts of zero, a row without its key has missing values', () => {
  const request = requestOf(
    [paid(0, 0, 500)],
    [],
    [
      { ...asks(hour(1)), customer: 2 },
      { ...asks(hour(1)), customer: undefined },
    ],
  )
  const found = trainingRows(request)
  expect(valueOf(found, 'count_2d')).toEqual([0, NaN])
  expect(valueOf(found, 'sum')).toEqual([0, NaN])
  expect(valueOf(found, 'mean')).toEqual([NaN, NaN])
})

test('what a live door refuses is left out and counted', () => {
  const request = requestOf(
    [paid(0, hour(30), 1), paid(hour(28), 0, 2), paid(hour(40), -hour(2), 4)],
    [],
    [asks(hour(41))],
  )
  const { facts, matrix } = trainingRows(request)
  expect(facts).toEqual({ events: 1, assumed: 0, tooLate: 1, inFuture: 1 })
  expect(matrix.columns[matrix.names.indexOf('count_2d')][0]).toBe(1)
})

test('a row has the label that its event has in the end, however late it came', () => {
  const request = requestOf(
    [paid(0, 0, 500)],
    [
      { payment: 0, lagUs: hour(60), value: 1 },
      { payment: 0, lagUs: hour(30), value: 0 },
    ],
    [asks(hour(1)), asks(hour(1))],
  )
  const rows = { ...request.rows, eventIds: ['p0', undefined] }
  expect(trainingRows({ ...request, rows }).labels['fraud']).toEqual(Float64Array.of(1, NaN))
})

test.each([
  ['nobody', 'training_event_unknown', 'no payment_id "nobody" (row 1)'],
  [undefined, 'training_row_timeless', 'Row 1 has neither a time nor an event.'],
])('a row without a time that names %s is refused', (named, code, detail) => {
  const request = requestOf([paid(0, 0, 500)], [], [asks(NaN)])
  const refused = () => trainingRows({ ...request, rows: { ...request.rows, eventIds: [named] } })
  let error: unknown
  try {
    refused()
  } catch (thrown) {
    error = thrown
  }
  expect(isAssayError(error, code) && error.detail).toContain(detail)
})
