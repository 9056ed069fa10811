import { afterEach, expect, test, vi } from 'vitest'
import { closeServices, codeOf, deployedBank, openBank } from '../../test/running-bank.ts'
import { deployment, payment, startUs } from '../../test/small-bank.ts'
import { createMemoryOnlineValues, featureErrors, onlineKinds } from '../features/index.ts'
import type { OnlineSet } from '../features/index.ts'
import { manualClock } from '../lib/clock.ts'
import { faultyFiles } from '../lib/faulty-files.ts'
import type { DecisionService } from './index.ts'

afterEach(closeServices)

/** A store that can be taken away. */
function storeOf() {
  const values = createMemoryOnlineValues(manualClock(0))
  const outage = { now: false }
  const store: typeof values = {
    ...values,
    async write(set, entities) {
      if (outage.now) throw featureErrors.online_store_unavailable('The store is away.')
      return values.write(set, entities)
    },
  }
  return { store, outage }
}

type Store = ReturnType<typeof storeOf>['store']

async function setOf(store: Store, column: string, namespace = 'live'): Promise<OnlineSet> {
  const found = (await store.sets(namespace)).find(({ entity }) => entity.join('+') === column)
  if (found === undefined) throw new Error(`Nothing of ${column} is declared yet.`)
  return found
}

async function valuesOf(store: Store, column: string, key: number) {
  const set = await setOf(store, column)
  const [reading] = await store.read(set, { keys: [[key]], features: set.features })
  if (reading.found === 'absent') throw new Error(`${column} ${key} is absent.`)
  return reading
}

/** What live state itself says of a customer, as of the newest event. */
function known(service: DecisionService, features: readonly string[], customer: number) {
  const { layout, operator, source } = service.namespace('live').state!
  const values: Readonly<Record<string, number>> = { customer, at: operator.newestUs }
  const vector = operator.valuesAt(source.columns.map(({ name }) => values[name]))
  return features.map((name) => vector[layout.names.indexOf(name)])
}

const settled = (service: DecisionService) =>
  vi.waitFor(
    () => {
      const { waiting, written } = service.onlineCopies()['live']
      expect(waiting).toBe(0)
      expect(written).toBeGreaterThan(0)
    },
    { timeout: 10_000 },
  )

test('what live state knows of the entities of decided events is what other programs read', async () => {
  const { store } = storeOf()
  const { decide, service } = await deployedBank({ online: store })
  for (const n of [0, 1, 2, 3, 4, 5]) await decide(payment(n, { customer: n % 2 }))
  await settled(service)
  for (const customer of [0, 1]) {
    const { values, sequence } = await valuesOf(store, 'customer', customer)
    const { features } = await setOf(store, 'customer')
    expect(values).toEqual(known(service, features, customer))
    expect(values[0]).toBe(3)
    expect(sequence).toBeGreaterThan(0)
  }
})

test('only kinds of entity that a set knows something of are published', async () => {
  const { store } = storeOf()
  const { decide, service } = await deployedBank({ online: store })
  await decide(payment(0))
  await settled(service)
  const kinds = deployment().featureSets.flatMap((set) => onlineKinds(set))
  const published = (await store.sets('live')).map(({ entity }) => entity)
  expect(published).toEqual(kinds.map(({ entity }) => entity))
})

test('a store that is away holds up no decision, and has all values once it is back', async () => {
  const { store, outage } = storeOf()
  outage.now = true
  const { decide, service } = await deployedBank({ online: store })
  for (const n of [0, 1]) await decide(payment(n, { customer: 7 }))
  await vi.waitFor(() => expect(service.onlineCopies()['live'].failures).toBeGreaterThan(0))
  await decide(payment(2, { customer: 7 }))
  expect(service.onlineCopies()['live']).toMatchObject({ written: 0, dropped: 0 })
  outage.now = false
  await settled(service)
  expect((await valuesOf(store, 'customer', 7)).values[0]).toBe(3)
})

test('what waits is written before the service ends', async () => {
  const { store } = storeOf()
  const { decide, service } = await deployedBank({ online: store })
  await decide(payment(0, { customer: 7 }))
  await service.close()
  expect((await valuesOf(store, 'customer', 7)).values[0]).toBe(1)
})

test('a store that never answers holds up the end of the service for seconds, not for ever', async () => {
  const { store } = storeOf()
  const never = new Promise<never>(() => undefined)
  const { decide, service } = await deployedBank({ online: { ...store, write: () => never } })
  await decide(payment(0))
  await service.close()
  expect(service.onlineCopies()['live'].written).toBe(0)
})

test('after a crash the events since the checkpoint are written', async () => {
  const files = faultyFiles()
  const { store } = storeOf()
  const lost = storeOf()
  lost.outage.now = true
  const first = await deployedBank({ files, online: lost.store })
  await first.decide(payment(0, { customer: 7 }))
  const again = await openBank({ files, deployments: first.deployments, online: store })
  await settled(again.service)
  expect((await valuesOf(store, 'customer', 7)).values[0]).toBe(1)
})

test('an event that the disk refuses is never published', async () => {
  const files = faultyFiles()
  const { store } = storeOf()
  const { decide, service } = await deployedBank({ files, online: store })
  await decide(payment(0, { customer: 7 }))
  await settled(service)
  files.fail('write', 'ENOSPC')
  expect(await codeOf(decide(payment(1, { customer: 7 })))).not.toBe('none')
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect((await valuesOf(store, 'customer', 7)).values[0]).toBe(1)
  expect(service.onlineCopies()['live'].written).toBe(2)
})

test('a replay has values of its own, which go with it', async () => {
  const { store } = storeOf()
  const { remote, hash, service } = await deployedBank({ online: store })
  const namespace = 'replay-1'
  await remote.openNamespace({ namespace, clock: 'replay' })
  await remote.switchDeployment({ namespace, deployment: hash, actor: 'ann', reason: 'replay' })
  const steps = [{ atUs: startUs + 2e6, event: payment(2, { customer: 7 }) }]
  await remote.play({ namespace, policy: 'card', labels: 'fraud', author: 'tape', steps })
  await vi.waitFor(() => expect(service.onlineCopies()[namespace].written).toBe(2))
  expect(await store.sets(namespace)).not.toEqual([])
  expect(await store.sets('live')).toEqual([])
  await remote.removeNamespace({ namespace })
  expect(await store.sets(namespace)).toEqual([])
})
