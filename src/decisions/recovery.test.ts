import * as fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { createFeatureState, createMemoryColdStore, type ColdStore } from '../features/index.ts'
import { compileSource } from '../data/index.ts'
import { faultyFiles } from '../lib/faulty-files.ts'
import {
  closeServices,
  codeOf,
  deployedBank,
  openBank,
  openServices,
} from '../../test/running-bank.ts'
import { deployment, memoryDeployments, payment, payments, startUs } from '../../test/small-bank.ts'
import { writeBaseCheckpoint } from './checkpoint.ts'
import { pauseAndRebuild } from './namespace.ts'
import { replayDecision } from './replay.ts'

afterEach(closeServices)

test('after a restart a replay knows how far it came, and judges no time until it is driven again', async () => {
  const files = faultyFiles()
  const { remote, service, hash, deployments } = await deployedBank({ files })
  await remote.openNamespace({ namespace: 'replay-1', clock: 'replay' })
  await remote.switchDeployment({
    namespace: 'replay-1',
    deployment: hash,
    actor: 'player',
    reason: 'replay',
  })
  await remote.replayClock({ namespace: 'replay-1', nowUs: startUs + 10_000_000 })
  await service.decide({ namespace: 'replay-1', policy: 'card', body: payment(1) })
  const again = await openBank({ files, deployments })
  const replay = again.service.namespaces().find(({ namespace }) => namespace === 'replay-1')
  expect(replay).toMatchObject({ clock: 'replay', nowUs: startUs + 10_000_000 })
  const decide = (n: number) =>
    codeOf(again.service.decide({ namespace: 'replay-1', policy: 'card', body: payment(n) }))
  expect(await decide(5000)).toBe('none')
  await again.remote.replayClock({ namespace: 'replay-1', nowUs: startUs + 20_000_000 })
  expect(await decide(5001)).toBe('event_in_future')
})

test('a restart brings back state, answers and deployments, with and without checkpoints', async () => {
  for (const checkpointEvery of [3, 1000]) {
    const files = faultyFiles()
    const first = await deployedBank({ files, checkpointEvery })
    const answers: string[] = []
    for (let n = 1; n <= 20; n++)
      answers.push(await first.decide(payment(n, { customer: 1, terminal: 1 })))
    const rows = [{ event_id: 'p3', value: 'fraud', arrival_time: '2024-05-01T13:00:00Z' }]
    await first.service.ingest({ namespace: 'live', source: 'fraud', rows, author: 'desk' })
    const next = payment(21, { customer: 1, terminal: 1 })
    const live = { namespace: 'live', policy: 'card', event: next }
    const before = await first.remote.liveFeatures(live)
    if (checkpointEvery === 3) await first.service.close()
    const again = await openBank({ files, deployments: first.deployments })
    expect(await again.remote.liveFeatures(live)).toEqual(before)
    for (let n = 1; n <= 20; n++) {
      expect(await again.decide(payment(n, { customer: 1, terminal: 1 }))).toBe(answers[n - 1])
    }
    expect(again.service.namespaces()[0]).toMatchObject({ decisions: 20, events: 20, labels: 1 })
    expect(
      await again.remote.recompute({ namespace: 'live', policy: 'card', eventId: 'p20' }),
    ).toMatchObject({
      identical: true,
    })
  }
})

test('a bank whose state has no room in memory decides alike, through restarts at any point', async () => {
  for (const checkpointEvery of [3, 7, 1000]) {
    const stores = new Map<string, ColdStore>()
    const stateMemory = {
      maxBytes: 1,
      openCold(directory: string): ColdStore {
        const store = stores.get(directory) ?? createMemoryColdStore()
        stores.set(directory, store)
        return store
      },
    }
    const steady = await deployedBank()
    let small = await deployedBank({ checkpointEvery, stateMemory })
    const { files, deployments, hash } = small
    for (let n = 1; n <= 40; n++) {
      const body = payment(n, { customer: n % 5, terminal: n % 3 })
      const featuresIn = async ({ decide, remote }: Pick<typeof steady, 'decide' | 'remote'>) => {
        await decide(body)
        const eventId = `p${n}`
        const found = await remote.decision({ namespace: 'live', policy: 'card', eventId })
        return found.record.features
      }
      expect(await featuresIn(small)).toEqual(await featuresIn(steady))
      const rows = [{ event_id: `p${n - 2}`, value: 'fraud', arrival_time: '2024-05-01T13:00:00Z' }]
      if (n % 6 === 4) {
        for (const { service } of [small, steady]) {
          await service.ingest({ namespace: 'live', source: 'fraud', rows, author: 'desk' })
        }
      }
      // Half of the restarts come without a word.
      if (n % 9 === 0) await small.service.close()
      const bank = { files, deployments, checkpointEvery, stateMemory }
      if (n % 4 === 0 || n % 9 === 0) small = { ...(await openBank(bank)), hash }
    }
    expect(stores.get('/decide/live/cold')!.statistics().entries).toBeGreaterThan(0)
  }
})

test('live state continues from a base of history, and survives a restart on it', async () => {
  const made = await openBank()
  const { featureSets } = deployment()
  const source = compileSource(payments)
  const state = createFeatureState(featureSets, source)
  for (let n = 0; n < 5; n++)
    state.apply([`h${n}`, startUs - (5 - n) * 1_000_000, 1, 1, 100], n + 1)
  const base = {
    featureSets,
    source,
    state: state.snapshot(),
    lastSequence: 5,
    newestEventTimeUs: startUs,
  }
  await writeBaseCheckpoint('/base', base, made.files)
  await made.remote.loadBase({ namespace: 'live', path: '/base' })
  const hash = made.deployments.add(deployment())
  await made.remote.switchDeployment({
    namespace: 'live',
    deployment: hash,
    actor: 'a',
    reason: 'r',
  })
  await made.decide(payment(1))
  const count = async ({ remote }: Pick<typeof made, 'remote'>, eventId: string) => {
    const { record, featureNames } = await remote.decision({
      namespace: 'live',
      policy: 'card',
      eventId,
    })
    return record.features[featureNames.indexOf('CUSTOMER_COUNT_1D')]
  }
  expect(await count(made, 'p1')).toBe(6)
  const again = await openBank({ files: made.files, deployments: made.deployments })
  await again.decide(payment(2, { customer: 1 }))
  expect(await count(again, 'p2')).toBe(7)
})

test('a decision is made again from files alone: base, journal, deployment', async () => {
  const made = await openBank()
  const { featureSets } = deployment()
  const source = compileSource(payments)
  const state = createFeatureState(featureSets, source)
  for (let n = 0; n < 5; n++)
    state.apply([`h${n}`, startUs - (5 - n) * 1_000_000, 1, 1, 100], n + 1)
  const base = {
    featureSets,
    source,
    state: state.snapshot(),
    lastSequence: 5,
    newestEventTimeUs: startUs,
  }
  await writeBaseCheckpoint('/base', base, made.files)
  await made.remote.loadBase({ namespace: 'live', path: '/base' })
  const hash = made.deployments.add(deployment())
  await made.remote.switchDeployment({
    namespace: 'live',
    deployment: hash,
    actor: 'a',
    reason: 'r',
  })
  const feed = (name: string, rows: unknown[]) =>
    made.service.ingest({ namespace: 'live', source: name, rows, author: 'a' })
  await feed('payments', [payment(50, { customer: 1 })])
  for (let n = 1; n <= 20; n++) await made.decide(payment(n, { customer: 1, terminal: 1 }))
  await feed('fraud', [{ event_id: 'p3', value: 'fraud', arrival_time: '2024-05-01T12:10:00Z' }])
  await made.decide(payment(4000, { customer: 1, terminal: 1, amount: '1000.00' }))
  await made.decide(payment(50, { customer: 1 }))
  const { files, deployments } = made
  for (const eventId of ['p1', 'p20', 'p4000', 'p50']) {
    const { record } = await made.remote.decision({ namespace: 'live', policy: 'card', eventId })
    const request = { directory: '/decide/live', files, deployments, sequence: record.sequence }
    expect(await replayDecision(request)).toEqual({ identical: true, compared: 5 + 7 })
  }
  const none = { directory: '/decide/live', files, deployments, sequence: 1 }
  expect(await codeOf(replayDecision(none))).toBe('decision_not_found')
})

test('a full disk refuses, changes nothing, and decisions go on once there is room', async () => {
  const { decide, files, remote, service, fatal, answer } = await deployedBank()
  const first = await decide(payment(1, { customer: 1 }))
  files.fail('write', 'ENOSPC')
  const results = await Promise.all(
    [2, 3, 4].map((n) => codeOf(decide(payment(n, { customer: 1 })))),
  )
  expect(results).toEqual(['decisions_paused', 'decisions_paused', 'decisions_paused'])
  expect(await codeOf(decide(payment(5)))).toBe('decisions_paused')
  expect(await decide(payment(1, { customer: 1 }))).toBe(first)
  while (service.status().storage === 'full')
    await new Promise((resolve) => setTimeout(resolve, 50))
  await answer(payment(3, { customer: 1 }))
  const { record, featureNames } = await remote.decision({
    namespace: 'live',
    policy: 'card',
    eventId: 'p3',
  })
  expect(record.sequence).toBe(3)
  expect(record.features[featureNames.indexOf('CUSTOMER_COUNT_1D')]).toBe(2)
  expect(fatal).toEqual([])
})

test('state that is built anew keeps what was on its way to the disk, and each event once', async () => {
  const { decide, service, fatal, remote } = await deployedBank()
  await decide(payment(1, { customer: 1 }))
  const underway = decide(payment(2, { customer: 1 }))
  const live = service.namespace('live')
  pauseAndRebuild(live, new Error('a defect'))
  pauseAndRebuild(live, new Error('a defect'))
  expect(await codeOf(underway)).toBe('none')
  await remote.checkpoint({ namespace: 'live' })
  while (service.status().storage === 'full')
    await new Promise((resolve) => setTimeout(resolve, 50))
  const { names, values } = await remote.liveFeatures({
    namespace: 'live',
    policy: 'card',
    event: payment(3, { customer: 1 }),
  })
  expect(values[names.indexOf('CUSTOMER_COUNT_1D')]).toBe(3)
  expect(fatal).toEqual([])
})

test('a failed sync ends the service rather than trying again', async () => {
  const { decide, files, fatal } = await deployedBank()
  files.fail('sync', 'EIO')
  expect(await codeOf(decide(payment(1)))).toBe('decisions_paused')
  expect(fatal.length).toBeGreaterThan(0)
})

test('after a loss of power every acknowledged decision is there once, with its very bytes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 5, max: 200 }), fc.integer(), async (stopAfter, seed) => {
      const files = faultyFiles()
      const deployments = memoryDeployments()
      const { decide } = await deployedBank({ files, deployments, checkpointEvery: 10 })
      files.stopAfter(stopAfter)
      const acknowledged = new Map<number, string>()
      const load = Promise.all(
        Array.from({ length: 60 }, async (_, i) => {
          for (let wait = 0; wait < i; wait++) await new Promise(setImmediate)
          acknowledged.set(i, await decide(payment(i)))
        }),
      )
      await Promise.race([load, files.stopped])
      openServices.length = 0
      let state = seed >>> 0
      const random = (below: number) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0
        return state % below
      }
      const again = await openBank({ files: files.restart(random), deployments })
      for (const [n, body] of acknowledged) expect(await again.decide(payment(n))).toBe(body)
      const { records } = await again.remote.records({ namespace: 'live', after: 0, limit: 5000 })
      const ids = records.flatMap((record) => (record.type === 'decision' ? [record.eventId] : []))
      expect(new Set(ids).size).toBe(ids.length)
      openServices.length = 0
    }),
    { numRuns: 40 },
  )
})
