import { expect, test } from 'vitest'
import { compileSource, eventTime, id, key, money, source } from '../data/index.ts'
import { manualClock } from '../lib/clock.ts'
import { compileFeatureSet } from './compile.ts'
import { featureSet } from './declare.ts'
import { featureErrors } from './index.ts'
import { createOnlineFeed } from './online-feed.ts'
import { createMemoryOnlineValues } from './online-memory.ts'
import type { OnlineValues } from './online.ts'
import { createFeatureState } from './operator/state.ts'
import { onlineKinds, onlineSetOf } from './publish-online.ts'

const payments = source('payments', {
  timeZone: 'UTC',
  columns: {
    payment_id: id(),
    paid_at: eventTime(),
    customer_id: key('integer'),
    merchant_id: key('text', { nullable: true }),
    amount: money('EUR'),
  },
})
const behaviour = compileFeatureSet(
  featureSet('behaviour', payments, (tx) => [
    tx.per('customer_id').count().over('1d').as('customer_1d'),
    tx.per('merchant_id').count().over('1d').as('merchant_1d'),
  ]),
)
const compiled = compileSource(payments)

/** A live state with a feed, and a store that can be made to fail. */
function live(options: { readonly waitingMax?: number; readonly batch?: number } = {}) {
  const memory = createMemoryOnlineValues(manualClock(0))
  const outage = { now: false }
  const store: OnlineValues = {
    ...memory,
    async write(address, entities) {
      if (outage.now) throw featureErrors.online_store_unavailable('The store is away.')
      return memory.write(address, entities)
    },
  }
  const state = createFeatureState([behaviour], compiled)
  const context = { store, namespace: 'live', set: behaviour, source: compiled }
  const feed = createOnlineFeed({ ...context, state, ...options })
  const pay = (customer: number, merchant: string | undefined) => {
    const sequence = state.lastSequence + 1
    const row = [`p${sequence}`, sequence, customer, merchant, 100]
    state.apply(row, sequence)
    feed.touch(row)
  }
  const [customers, merchants] = onlineKinds(behaviour).map((kind) => {
    const set = onlineSetOf({ ...context, kind })
    return async (...keys: (string | number)[]) => {
      const { features } = kind
      const readings = await memory.read(set, { keys: keys.map((one) => [one]), features })
      return readings.map((reading) => reading.found !== 'absent' && reading.values[0])
    }
  })
  return { feed, pay, customers, merchants, outage, store: memory, state }
}

test('a flush writes what is known by then of every entity that events touched', async () => {
  const { feed, pay, customers, merchants } = live()
  pay(1, 'a')
  pay(2, 'a')
  pay(1, undefined)
  expect(feed.statistics()).toMatchObject({ waiting: 3, written: 0 })
  expect(await feed.flush()).toMatchObject({ waiting: 0, written: 3, failures: 0 })
  expect(await customers(1, 2, 3)).toEqual([2, 1, false])
  expect(await merchants('a')).toEqual([2])
})

test('each flush writes no more than a batch of a kind, oldest touch first', async () => {
  const { feed, pay, customers } = live({ batch: 2 })
  for (const customer of [1, 2, 3]) pay(customer, undefined)
  await feed.flush()
  expect(await customers(1, 2, 3)).toEqual([1, 1, false])
  expect(await feed.flush()).toMatchObject({ waiting: 0, written: 3 })
})

test('what a failing store refused waits, and is written with what came meanwhile', async () => {
  const { feed, pay, customers, outage } = live()
  pay(1, undefined)
  outage.now = true
  const failed = await feed.flush()
  expect(failed).toMatchObject({ waiting: 1, failures: 1, lastFailure: 'The store is away.' })
  pay(1, undefined)
  pay(2, undefined)
  outage.now = false
  expect(await feed.flush()).toMatchObject({ waiting: 0, written: 2, lastFailure: undefined })
  expect(await customers(1, 2)).toEqual([2, 1])
})

test('during a long outage it keeps a bounded number of entities, and counts the others', async () => {
  const { feed, pay, outage, customers } = live({ waitingMax: 2 })
  outage.now = true
  for (const customer of [1, 2, 3, 1]) pay(customer, undefined)
  expect(await feed.flush()).toMatchObject({ waiting: 2, dropped: 1 })
  outage.now = false
  await feed.flush()
  pay(3, undefined)
  await feed.flush()
  expect(await customers(1, 2, 3)).toEqual([2, 1, 2])
})

test('two flushes at once are one', async () => {
  const { feed, pay } = live()
  pay(1, 'a')
  const [first, second] = await Promise.all([feed.flush(), feed.flush()])
  expect(first).toBe(second)
  expect(first.written).toBe(2)
})

test('events do not bring back a set that was retired', async () => {
  const { feed, pay, store } = live()
  pay(1, undefined)
  await feed.flush()
  const [set] = await store.sets('live')
  await store.retire(set)
  pay(1, undefined)
  expect(await feed.flush()).toMatchObject({ failures: 1, waiting: 0 })
  pay(1, undefined)
  expect(await feed.flush()).toMatchObject({ failures: 1, waiting: 0 })
  expect(await store.sets('live')).toEqual([])
})

test('a key that no store takes is passed over, and the event is none the worse', async () => {
  const { feed, pay, customers } = live()
  pay(1, 'm'.repeat(5_000))
  expect(await feed.flush()).toMatchObject({ written: 1, dropped: 1, failures: 0 })
  expect(await customers(1)).toEqual([1])
})
