import * as fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { manualClock } from '../lib/clock.ts'
import { isAssayError } from '../lib/errors.ts'
import { faultyFiles } from '../lib/faulty-files.ts'
import { createFeatureState } from '../features/index.ts'
import { compileSource } from '../data/index.ts'
import { writeBaseCheckpoint } from './checkpoint.ts'
import { deployment, memoryDeployments, payment, payments, startUs } from '../../test/small-bank.ts'
import { createMemoryIndex } from './memory.ts'
import { rule } from './policy.ts'
import { decideRemote } from './remote-service.ts'
import type { AnswerBody } from './remote.ts'
import { replayDecision } from './replay.ts'
import { openDecisionService } from './service.ts'
import type { DecisionService } from './service.ts'

const open: DecisionService[] = []
afterEach(async () => {
  for (const service of open.splice(0)) await service.close().catch(() => undefined)
})

interface BankOptions {
  readonly files?: ReturnType<typeof faultyFiles>
  readonly checkpointEvery?: number
  readonly inFlightMax?: number
  readonly deployments?: ReturnType<typeof memoryDeployments>
}

async function bank({
  files = faultyFiles(),
  deployments = memoryDeployments(),
  ...rest
}: BankOptions = {}) {
  const clock = manualClock(startUs + 10_000_000_000)
  const fatal: Error[] = []
  const service = await openDecisionService({
    directory: '/decide',
    files,
    clock,
    deployments,
    openIndex: async () => createMemoryIndex(),
    removeDirectory: async () => undefined,
    onFatal: (error) => fatal.push(error),
    ...rest,
  })
  open.push(service)
  const remote = decideRemote(service)
  await remote.openNamespace({ namespace: 'live', clock: 'wall' })
  const decide = async (body: unknown, policy = 'card') =>
    (await service.decide({ namespace: 'live', policy, body })).body
  const answer = async (body: unknown) => JSON.parse(await decide(body)) as AnswerBody
  return { service, remote, files, clock, deployments, fatal, decide, answer }
}

async function deployed(options: BankOptions = {}) {
  const made = await bank(options)
  const hash = made.deployments.add(deployment())
  const request = { namespace: 'live', deployment: hash, actor: 'ann', reason: 'first' }
  await made.remote.switchDeployment(request)
  return { ...made, hash }
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    return isAssayError(error) ? error.code : String(error)
  }
  return 'none'
}

test('a payment is decided by its score, and the answer says why', async () => {
  const { answer, hash } = await deployed()
  const small = await answer(payment(1))
  expect(small).toMatchObject({
    policy: 'card',
    eventId: 'p1',
    outcome: 'allow',
    reasons: [],
    rules: [],
  })
  const large = await answer(payment(2, { amount: '1000.00' }))
  expect(large.outcome).toBe('review')
  expect(large.reasons.map(({ name }) => name)).toContain('AMOUNT')
  expect(large.versions).toMatchObject({ deployment: hash, modelNumber: 1 })
  expect(large.sequence).toBe(3)
})

test('a rule wins over a weaker score, and its reason comes first', async () => {
  const { answer } = await deployed()
  const huge = await answer(payment(1, { amount: '6000.00' }))
  expect(huge).toMatchObject({ outcome: 'decline', rules: ['huge'] })
  expect(huge.reasons[0]).toMatchObject({ kind: 'rule', sentence: 'The amount is huge' })
  expect(huge.reasons.length).toBeLessThanOrEqual(4)
})

test('a rule that allows exempts from the score, and yields to one that declines', async () => {
  const deployments = memoryDeployments()
  const base = deployment()
  const rules = [
    rule('known', { when: 'event.customer == 7', then: 'allow', reason: 'Known customer' }),
    ...base.policy.rules,
  ]
  const hash = deployments.add({ ...base, policy: { ...base.policy, rules } })
  const { remote, answer } = await bank({ deployments })
  await remote.switchDeployment({ namespace: 'live', deployment: hash, actor: 'a', reason: 'r' })
  expect((await answer(payment(1, { customer: 7, amount: '1000.00' }))).outcome).toBe('allow')
  expect((await answer(payment(2, { customer: 8, amount: '1000.00' }))).outcome).toBe('review')
  expect((await answer(payment(3, { customer: 7, amount: '6000.00' }))).outcome).toBe('decline')
})

test('the same body gets the first answer byte for byte, another body a conflict', async () => {
  const { service, decide, clock } = await deployed()
  const first = await decide(payment(1))
  clock.advance(1_000_000)
  const { body, replayed } = await service.decide({
    namespace: 'live',
    policy: 'card',
    body: Object.fromEntries(Object.entries(payment(1)).reverse()),
  })
  expect(body).toBe(first)
  expect(replayed).toBe(true)
  expect(await codeOf(decide(payment(1, { amount: '2.00' })))).toBe('event_id_conflict')
})

test('the first answer returns whatever is live now', async () => {
  const { decide, remote, deployments, answer } = await deployed()
  const first = await decide(payment(1))
  const other = deployment({ thresholds: { decline: 0.0001, review: 0.00001 } })
  const next = {
    namespace: 'live',
    deployment: deployments.add(other),
    actor: 'bob',
    reason: 'stricter',
  }
  await remote.switchDeployment(next)
  expect(await decide(payment(1))).toBe(first)
  expect((await answer(payment(2))).outcome).toBe('decline')
  expect(
    await remote.recompute({ namespace: 'live', policy: 'card', eventId: 'p1' }),
  ).toMatchObject({
    identical: true,
  })
})

test('concurrent duplicates share one decision, and the event enters state once', async () => {
  const { decide, service, answer } = await deployed()
  const bodies = await Promise.all(Array.from({ length: 50 }, () => decide(payment(1))))
  expect(new Set(bodies).size).toBe(1)
  const { events, decisions, lastSequence } = service.namespaces()[0]
  expect({ events, decisions, lastSequence }).toEqual({ events: 1, decisions: 1, lastSequence: 2 })
  await answer(payment(2, { customer: 1 }))
  const { remote } = { remote: decideRemote(service) }
  const { record, featureNames } = await remote.decision({
    namespace: 'live',
    policy: 'card',
    eventId: 'p2',
  })
  expect(record.features[featureNames.indexOf('CUSTOMER_COUNT_1D')]).toBe(2)
})

test('concurrent requests with different bodies: one is decided, the others conflict', async () => {
  const { decide } = await deployed()
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, i) => codeOf(decide(payment(1, { amount: `${i + 1}.00` })))),
  )
  expect(results.filter((code) => code === 'none')).toHaveLength(1)
  expect(results.filter((code) => code === 'event_id_conflict')).toHaveLength(19)
})

test('a refusal keeps no key', async () => {
  const { decide, answer } = await deployed()
  expect(await codeOf(decide(payment(1, { amount: 'NaN' })))).toBe('event_invalid')
  expect(await codeOf(decide(payment(1, { wrong: 1 })))).toBe('event_invalid')
  expect(await codeOf(decide(payment(1, { at: '2029-01-01T00:00:00Z' })))).toBe('event_in_future')
  expect((await answer(payment(1))).outcome).toBe('allow')
})

test('an unknown policy, source or namespace is named, with those that are known', async () => {
  const { service, decide } = await deployed()
  expect(await codeOf(decide(payment(1), 'nothing'))).toBe('policy_not_found')
  const ingest = (source: string, namespace = 'live') =>
    service.ingest({ namespace, source, rows: [], author: 'a' })
  expect(await codeOf(ingest('nothing'))).toBe('source_not_found')
  expect(await codeOf(ingest('payments', 'nowhere'))).toBe('namespace_not_found')
})

test('an event that was fed in first is decided on the values of its entry', async () => {
  const { service, remote, answer } = await deployed()
  const ingest = (rows: unknown[]) =>
    service.ingest({ namespace: 'live', source: 'payments', rows, author: 'a' })
  expect(
    await ingest([payment(1), payment(1), payment(1, { amount: '7.77' }), { payment_id: 'x' }]),
  ).toMatchObject([
    { status: 'accepted', eventId: 'p1', sequence: 2 },
    { status: 'duplicate', eventId: 'p1', sequence: 2 },
    { status: 'refused', code: 'event_id_conflict' },
    { status: 'refused', code: 'event_invalid' },
  ])
  await ingest([payment(2, { customer: 1 }), payment(3, { customer: 1 })])
  await answer(payment(1))
  const { record, featureNames } = await remote.decision({
    namespace: 'live',
    policy: 'card',
    eventId: 'p1',
  })
  expect(record.entry).toBe('known')
  expect(record.features[featureNames.indexOf('CUSTOMER_COUNT_1D')]).toBe(1)
  expect(service.namespaces()[0]).toMatchObject({ events: 3, decisions: 1 })
  expect((await ingest([payment(1)]))[0]).toMatchObject({ status: 'duplicate' })
})

test('labels: sent twice they count once; the latest arrival holds and moves the features', async () => {
  const { service, remote, decide } = await deployed()
  await decide(payment(1))
  const label = (row: object) =>
    service.ingest({ namespace: 'live', source: 'fraud', rows: [row], author: 'desk' })
  const early = '2024-05-01T13:00:00Z'
  const later = '2024-05-01T14:00:00Z'
  expect(await label({ event_id: 'p1', value: 'fraud', arrival_time: later })).toMatchObject([
    { status: 'accepted' },
  ])
  expect(await label({ event_id: 'p1', value: 'fraud', arrival_time: later })).toMatchObject([
    { status: 'duplicate' },
  ])
  expect(await label({ event_id: 'p1', value: 'fraud' })).toMatchObject([{ status: 'duplicate' }])
  expect(await label({ event_id: 'p1', value: 'genuine', arrival_time: early })).toMatchObject([
    { status: 'accepted' },
  ])
  expect(await label({ event_id: 'p1', value: 'maybe' })).toMatchObject([{ code: 'label_invalid' }])
  expect(
    await label({ event_id: 'p1', value: 'fraud', arrival_time: '2024-05-09T00:00:00Z' }),
  ).toMatchObject([{ code: 'event_in_future' }])
  const risk = async () => {
    const event = payment(500, { terminal: 1 })
    const { names, values } = await remote.liveFeatures({
      namespace: 'live',
      policy: 'card',
      event,
    })
    return values[names.indexOf('TERMINAL_RISK_7D')]
  }
  expect(await risk()).toBe(0.5)
  await label({ event_id: 'p1', value: 'genuine' })
  expect(await risk()).toBe(0)
  const { records } = await remote.records({ namespace: 'live', after: 0, limit: 100 })
  expect(records.filter(({ type }) => type === 'label')).toHaveLength(3)
})

test('late events are decided and marked; what is too late for its windows stays outside of state', async () => {
  const { answer, clock, service, decide } = await deployed()
  clock.set(startUs + 10 * 86_400_000_000)
  await answer(payment(1, { at: '2024-05-11T11:00:00Z' }))
  const late = await answer(payment(2, { at: '2024-05-10T11:30:00Z' }))
  expect(late.late).toBe(true)
  const tooLate = payment(3, { at: '2024-05-01T12:00:00Z' })
  expect((await answer(tooLate)).late).toBe(true)
  expect(await decide(tooLate)).toBe(await decide(tooLate))
  expect(service.namespaces()[0]).toMatchObject({ events: 2, decisions: 3 })
})

test('a replay is judged by its own clock', async () => {
  const { remote, service, hash } = await deployed()
  await remote.openNamespace({ namespace: 'replay-1', clock: 'replay' })
  const live = { namespace: 'replay-1', deployment: hash, actor: 'player', reason: 'replay' }
  await remote.switchDeployment(live)
  await remote.replayClock({ namespace: 'replay-1', nowUs: startUs })
  const decide = (body: unknown) => service.decide({ namespace: 'replay-1', policy: 'card', body })
  expect(await codeOf(decide(payment(1000)))).toBe('event_in_future')
  await remote.replayClock({ namespace: 'replay-1', nowUs: startUs + 1000_000_000 })
  expect(JSON.parse((await decide(payment(1000))).body)).toMatchObject({
    late: false,
    namespace: 'replay-1',
  })
  expect(service.namespaces().map(({ decisions }) => decisions)).toEqual([0, 1])
  await remote.removeNamespace({ namespace: 'replay-1' })
  expect(await codeOf(decide(payment(1)))).toBe('namespace_not_found')
})

test('after a restart a replay knows how far it came, and judges no time until it is driven again', async () => {
  const files = faultyFiles()
  const { remote, service, hash, deployments } = await deployed({ files })
  await remote.openNamespace({ namespace: 'replay-1', clock: 'replay' })
  await remote.switchDeployment({
    namespace: 'replay-1',
    deployment: hash,
    actor: 'player',
    reason: 'replay',
  })
  await remote.replayClock({ namespace: 'replay-1', nowUs: startUs + 10_000_000 })
  await service.decide({ namespace: 'replay-1', policy: 'card', body: payment(1) })
  const again = await bank({ files, deployments })
  const replay = again.service.namespaces().find(({ namespace }) => namespace === 'replay-1')
  expect(replay).toMatchObject({ clock: 'replay', nowUs: startUs + 10_000_000 })
  const decide = (n: number) =>
    codeOf(again.service.decide({ namespace: 'replay-1', policy: 'card', body: payment(n) }))
  expect(await decide(5000)).toBe('none')
  await again.remote.replayClock({ namespace: 'replay-1', nowUs: startUs + 20_000_000 })
  expect(await decide(5001)).toBe('event_in_future')
})

test('explanations add up, and give for a review the very reasons of its answer', async () => {
  const { remote, answer } = await deployed()
  const large = await answer(payment(1, { amount: '1000.00' }))
  const key = { namespace: 'live', policy: 'card', eventId: 'p1' }
  const explained = await remote.explain(key)
  const sum = explained.contributions.reduce(
    (total, { contribution }) => total + contribution,
    explained.base,
  )
  expect(sum).toBeCloseTo(explained.margin, 9)
  expect(explained.score).toBe(large.score)
  expect(explained.reasons.map(({ sentence }) => sentence)).toEqual(
    large.reasons.map(({ sentence }) => sentence),
  )
  expect(await remote.explain(key)).toEqual(explained)
})

test('a restart brings back state, answers and deployments, with and without checkpoints', async () => {
  for (const checkpointEvery of [3, 1000]) {
    const files = faultyFiles()
    const first = await deployed({ files, checkpointEvery })
    const answers: string[] = []
    for (let n = 1; n <= 20; n++)
      answers.push(await first.decide(payment(n, { customer: 1, terminal: 1 })))
    const rows = [{ event_id: 'p3', value: 'fraud', arrival_time: '2024-05-01T13:00:00Z' }]
    await first.service.ingest({ namespace: 'live', source: 'fraud', rows, author: 'desk' })
    const next = payment(21, { customer: 1, terminal: 1 })
    const live = { namespace: 'live', policy: 'card', event: next }
    const before = await first.remote.liveFeatures(live)
    if (checkpointEvery === 3) await first.service.close()
    const again = await bank({ files, deployments: first.deployments })
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

test('live state continues from a base of history, and survives a restart on it', async () => {
  const made = await bank()
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
  const again = await bank({ files: made.files, deployments: made.deployments })
  await again.decide(payment(2, { customer: 1 }))
  expect(await count(again, 'p2')).toBe(7)
})

test('a decision is made again from files alone: base, journal, deployment', async () => {
  const made = await bank()
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

test('a deployment whose features the live state lacks is refused, and changes nothing', async () => {
  const { remote, deployments, answer } = await deployed()
  await answer(payment(1))
  const base = deployment()
  const featureSets = base.featureSets.map((set) => ({ ...set, version: 'f'.repeat(64) }))
  const other = {
    namespace: 'live',
    deployment: deployments.add({ ...base, featureSets }),
    actor: 'a',
    reason: 'r',
  }
  expect(await codeOf(remote.switchDeployment(other))).toBe('state_missing')
  expect(await codeOf(remote.switchDeployment({ ...other, deployment: '0'.repeat(64) }))).toBe(
    'deployment_not_found',
  )
  expect((await answer(payment(2))).outcome).toBe('allow')
})

test('beyond the bound requests are shed and keep no key', async () => {
  const { decide, service } = await deployed({ inFlightMax: 5 })
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, i) => codeOf(decide(payment(i + 1)))),
  )
  expect(results.filter((code) => code === 'too_many_in_flight')).toHaveLength(15)
  expect(service.status().shed).toBe(15)
  expect(await codeOf(decide(payment(20)))).toBe('none')
})

test('a full disk refuses, changes nothing, and decisions go on once there is room', async () => {
  const { decide, files, remote, service, fatal, answer } = await deployed()
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

test('a failed sync ends the service rather than trying again', async () => {
  const { decide, files, fatal } = await deployed()
  files.fail('sync', 'EIO')
  expect(await codeOf(decide(payment(1)))).toBe('decisions_paused')
  expect(fatal.length).toBeGreaterThan(0)
})

test('after a loss of power every acknowledged decision is there once, with its very bytes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 5, max: 200 }), fc.integer(), async (stopAfter, seed) => {
      const files = faultyFiles()
      const deployments = memoryDeployments()
      const { decide } = await deployed({ files, deployments, checkpointEvery: 10 })
      files.stopAfter(stopAfter)
      const acknowledged = new Map<number, string>()
      const load = Promise.all(
        Array.from({ length: 60 }, async (_, i) => {
          for (let wait = 0; wait < i; wait++) await new Promise(setImmediate)
          acknowledged.set(i, await decide(payment(i)))
        }),
      )
      await Promise.race([load, files.stopped])
      open.length = 0
      let state = seed >>> 0
      const random = (below: number) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0
        return state % below
      }
      const again = await bank({ files: files.restart(random), deployments })
      for (const [n, body] of acknowledged) expect(await again.decide(payment(n))).toBe(body)
      const { records } = await again.remote.records({ namespace: 'live', after: 0, limit: 5000 })
      const ids = records.flatMap((record) => (record.type === 'decision' ? [record.eventId] : []))
      expect(new Set(ids).size).toBe(ids.length)
      open.length = 0
    }),
    { numRuns: 40 },
  )
})
