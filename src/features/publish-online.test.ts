import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Frame } from '../data/index.ts'
import { compileSource, eventTime, id, key, money, number, source } from '../data/index.ts'
import { manualClock } from '../lib/clock.ts'
import { DAY_US, HOUR_US } from '../lib/time.ts'
import { compileFeatureSet } from './compile.ts'
import { featureSet } from './declare.ts'
import { historyWithState } from './history.ts'
import { createMemoryOnlineValues } from './online-memory.ts'
import { codeOf } from './online-calls.cases.ts'
import { createFeatureState } from './operator/state.ts'
import { entitiesOf, onlineKinds, onlineSetOf, publishOnline } from './publish-online.ts'

const payments = source('payments', {
  timeZone: 'UTC',
  late: '1d',
  columns: {
    payment_id: id(),
    paid_at: eventTime(),
    customer_id: key('integer'),
    merchant_id: key('text', { nullable: true }),
    amount: money('EUR'),
  },
})

const behaviour = compileFeatureSet(
  featureSet('behaviour', payments, (tx) => {
    const customer = tx.per('customer_id')
    const merchant = tx.per('merchant_id')
    const mean = customer.mean('amount').over('1d')
    return [
      tx.value('amount').as('amount'),
      tx.time().isWeekend().as('weekend'),
      customer.count().over('1d').as('count_1d'),
      mean.as('mean_1d'),
      tx.value('amount').dividedBy(mean).as('against_mean'),
      merchant.sum('amount').over('1d').orElse(0).as('merchant_sum_1d'),
      tx.per('merchant_id', 'customer_id').count().over('1d').as('both_1d'),
      customer.count().over('1d').dividedBy(merchant.count().over('1d')).as('part_of_merchant'),
    ]
  }),
)
const compiled = compileSource(payments)

interface Payment {
  readonly at: number
  readonly customer: number
  readonly merchant: string | undefined
  readonly cents: number
}

const frameOf = (paid: readonly Payment[]): Frame => ({
  rows: paid.length,
  columns: {
    payment_id: paid.map((_, i) => `p${i}`),
    paid_at: Float64Array.from(paid, ({ at }) => at),
    customer_id: Float64Array.from(paid, ({ customer }) => customer),
    merchant_id: paid.map(({ merchant }) => merchant),
    amount: Float64Array.from(paid, ({ cents }) => cents),
  },
})

const stateOf = (paid: readonly Payment[]) =>
  historyWithState({ sets: [behaviour], source: compiled, frame: frameOf(paid) }).state

const requestOf = (paid: readonly Payment[], entity: string) => ({
  namespace: 'live',
  state: stateOf(paid),
  set: behaviour,
  source: compiled,
  kind: onlineKinds(behaviour).find((kind) => kind.entity.join('+') === entity)!,
  store: createMemoryOnlineValues(manualClock(0)),
})

describe('what is known of an entity without an event', () => {
  test('is every feature of past events alone, under the keys of all that it looks at', () => {
    expect(onlineKinds(behaviour)).toEqual([
      { entity: ['customer_id'], features: ['count_1d', 'mean_1d'] },
      { entity: ['merchant_id'], features: ['merchant_sum_1d'] },
      { entity: ['customer_id', 'merchant_id'], features: ['both_1d', 'part_of_merchant'] },
    ])
  })
})

describe('what is known of an entity from another source', () => {
  const logins = source('logins', {
    columns: { id: id(), at: eventTime(), user: key('integer'), weight: number() },
  })
  const set = compileFeatureSet(
    featureSet('tries', payments, (tx) => {
      const tries = tx.other(logins, { by: { user: 'customer_id' } })
      const rates = tx
        .graph({ from: 'customer_id', to: 'merchant_id' })
        .where(tx.time().isWeekend())
      const count = tries.count().over('1d')
      return [
        count.as('tries_1d'),
        tries.mean('weight').over('1d').onlyWhere(count.above(1)).as('weight_1d'),
        rates.within('1d').from.fanOut().plus(count).as('sent_1d'),
      ]
    }),
  )

  test('is under the columns of the set’s own source, and never of a graph', () => {
    expect(onlineKinds(set)).toEqual([
      { entity: ['customer_id'], features: ['tries_1d', 'weight_1d'] },
    ])
  })

  test('is published by them', async () => {
    const state = createFeatureState([set], compiled, [compileSource(logins)])
    state.apply(['p1', DAY_US, 7, 'a', 100], 1)
    state.applyOther('logins', ['l1', DAY_US, 7, 0.5], 2)
    const [kind] = onlineKinds(set)
    const store = createMemoryOnlineValues(manualClock(0))
    const request = { store, namespace: 'live', state, set, source: compiled, kind }
    await publishOnline({ ...request, entities: [[7]] })
    const read = { keys: [[7]], features: kind.features }
    expect(await store.read(onlineSetOf(request), read)).toMatchObject([{ values: [1, null] }])
  })
})

describe('entities of a frame', () => {
  test('are named once each, and not where a key is missing', () => {
    const frame = frameOf([
      { at: 1, customer: 1, merchant: 'a', cents: 1 },
      { at: 2, customer: 2, merchant: undefined, cents: 1 },
      { at: 3, customer: 1, merchant: 'a', cents: 1 },
      { at: 4, customer: 1, merchant: 'b', cents: 1 },
    ])
    expect([...entitiesOf(frame, ['customer_id'])]).toEqual([[1], [2]])
    expect([...entitiesOf(frame, ['merchant_id'])]).toEqual([['a'], ['b']])
    expect([...entitiesOf(frame, ['customer_id', 'merchant_id'])]).toEqual([
      [1, 'a'],
      [1, 'b'],
    ])
  })
})

describe('publishing', () => {
  const payment = fc.record({
    gap: fc.integer({ min: 0, max: 12 }).map((hours) => hours * HOUR_US),
    customer: fc.integer({ min: 1, max: 4 }),
    merchant: fc.constantFrom('a', 'b', undefined),
    cents: fc.integer({ min: 0, max: 10_000 }),
  })
  const stream = fc.array(payment, { minLength: 1, maxLength: 60 }).map((steps) => {
    let at = 0
    return steps.map(({ gap, ...rest }): Payment => ({ at: (at += gap), ...rest }))
  })

  test('writes what the definition says of each entity as of the last event', async () => {
    await fc.assert(
      fc.asyncProperty(stream, fc.integer({ min: 1, max: 3 }), async (paid, batch) => {
        const request = requestOf(paid, 'customer_id')
        const entities = [...entitiesOf(frameOf(paid), ['customer_id']), [99]]
        const report = await publishOnline({ ...request, entities, batch })
        expect(report).toMatchObject({ written: entities.length, outdated: 0 })
        const asOfUs = paid.at(-1)!.at
        const readings = await request.store.read(report.set, {
          keys: entities,
          features: ['count_1d', 'mean_1d'],
        })
        readings.forEach((reading, i) => {
          const within = paid.filter(
            ({ at, customer }) => customer === entities[i][0] && at > asOfUs - DAY_US,
          )
          const cents = within.reduce((sum, one) => sum + one.cents, 0)
          const mean = within.length === 0 ? null : cents / within.length / 100
          expect(reading).toMatchObject({ found: 'fresh', asOfUs, sequence: paid.length })
          const values = reading.found === 'absent' ? [] : reading.values
          expect(values[0]).toBe(within.length)
          if (mean === null) expect(values[1]).toBeNull()
          else expect(values[1]).toBeCloseTo(mean, 9)
        })
      }),
      { numRuns: 60 },
    )
  })

  test('gives the values that the live state gives, bit for bit', async () => {
    await fc.assert(
      fc.asyncProperty(stream, async (paid) => {
        const request = requestOf(paid, 'customer_id+merchant_id')
        const { kind, state, store } = request
        const entities = [...entitiesOf(frameOf(paid), kind.entity)]
        const { set } = await publishOnline({ ...request, entities })
        const { features } = kind
        const readings = await store.read(set, { keys: entities, features })
        readings.forEach((reading, i) => {
          const [customer, merchant] = entities[i]
          const vector = state.valuesAt([undefined, state.newestUs, customer, merchant, undefined])
          const values = features.map((feature) => vector[state.names.indexOf(feature)])
          const expected = values.map((value) => (Number.isNaN(value) ? null : value))
          expect(reading).toMatchObject({ found: 'fresh', values: expected })
        })
      }),
      { numRuns: 30 },
    )
  })

  test('may be repeated, and a state that is behind changes nothing', async () => {
    const paid = [1, 2, 3].map((day): Payment => {
      return { at: day * DAY_US, customer: 1, merchant: 'a', cents: 100 * day }
    })
    const request = requestOf(paid, 'customer_id')
    const entities = [[1]]
    await publishOnline({ ...request, entities })
    expect(await publishOnline({ ...request, entities })).toMatchObject({ written: 1 })
    const behind = { ...request, state: stateOf(paid.slice(0, 2)), entities }
    expect(await publishOnline(behind)).toMatchObject({ written: 0, outdated: 1 })
    const later = await publishOnline({ ...request, entities, asOfUs: 9 * DAY_US })
    const [reading] = await request.store.read(later.set, {
      keys: entities,
      features: ['count_1d'],
    })
    expect(reading).toMatchObject({ asOfUs: 9 * DAY_US, values: [0] })
  })

  test('says of each batch what it is as of, while the state goes on', async () => {
    const request = requestOf([{ at: 0, customer: 1, merchant: 'a', cents: 100 }], 'customer_id')
    let sequence = 1
    const onProgress = (): void => {
      sequence++
      request.state.apply([`n${sequence}`, sequence, 2, 'a', 100], sequence)
    }
    const entities = [[1], [2], [3]]
    const { set } = await publishOnline({ ...request, entities, batch: 1, onProgress })
    const readings = await request.store.read(set, { keys: entities, features: ['count_1d'] })
    expect(readings).toMatchObject([
      { sequence: 1, values: [1] },
      { sequence: 2, values: [1] },
      { sequence: 3, values: [0] },
    ])
  })

  test('a state without events publishes the set, and nothing in it', async () => {
    const request = requestOf([], 'customer_id')
    const report = await publishOnline({ ...request, entities: [[1]] })
    expect(report).toMatchObject({ written: 0, outdated: 0 })
    expect(await request.store.sets('live')).toEqual([onlineSetOf(request)])
  })

  test('a key of another type or length is refused', async () => {
    const request = requestOf([{ at: 0, customer: 1, merchant: 'a', cents: 1 }], 'customer_id')
    for (const wrong of [['1'], [1, 2], []]) {
      const call = publishOnline({ ...request, entities: [wrong] })
      expect(await codeOf(call)).toBe('online_key_invalid')
    }
  })
})
