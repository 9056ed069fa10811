import { afterEach, expect, test } from 'vitest'
import { closeServices, codeOf, deployedBank, openBank } from '../../test/running-bank.ts'
import { deployment, memoryDeployments, payment, startUs } from '../../test/small-bank.ts'
import { decideRemote } from './remote-service.ts'

afterEach(closeServices)

test('a payment is decided by its score, and the answer says why', async () => {
  const { answer, hash } = await deployedBank()
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
  const { answer } = await deployedBank()
  const huge = await answer(payment(1, { amount: '6000.00' }))
  expect(huge).toMatchObject({ outcome: 'decline', rules: ['huge'] })
  expect(huge.reasons[0]).toMatchObject({ kind: 'rule', sentence: 'The amount is huge' })
  expect(huge.reasons.length).toBeLessThanOrEqual(4)
})

test('a rule that cannot be evaluated does not fire, and is recorded and counted', async () => {
  const deployments = memoryDeployments()
  const base = deployment()
  const broken = { when: '1 / (event.customer - 7) == 1', then: 'decline', reason: 'x' } as const
  const rules = [{ name: 'broken', ...broken }, ...base.policy.rules]
  const hash = deployments.add({ ...base, policy: { ...base.policy, rules } })
  const { remote, answer, service } = await openBank({ deployments })
  await remote.switchDeployment({ namespace: 'live', deployment: hash, actor: 'a', reason: 'r' })
  expect(await answer(payment(1, { customer: 7 }))).toMatchObject({ outcome: 'allow', rules: [] })
  await answer(payment(2, { customer: 90 }))
  expect(service.metrics().rulesFailed).toEqual({ broken: 1 })
  const { records } = await remote.records({ namespace: 'live', after: 0, limit: 10 })
  const failed = records.flatMap((each) => (each.type === 'decision' ? [each.rulesFailed] : []))
  expect(failed).toEqual([['broken'], undefined])
  const [first, second] = records.flatMap((each) => (each.type === 'decision' ? [each] : []))
  expect((await remote.explain(first)).rules[0].failed).toBe('division by zero')
  expect((await remote.explain(second)).rules[0].failed).toBeNull()
})

test('a rule that allows exempts from the score, and yields to one that declines', async () => {
  const deployments = memoryDeployments()
  const base = deployment()
  const rules = [
    {
      name: 'known',
      when: 'event.customer == 7',
      then: 'allow',
      reason: 'Known customer',
    } as const,
    ...base.policy.rules,
  ]
  const hash = deployments.add({ ...base, policy: { ...base.policy, rules } })
  const { remote, answer } = await openBank({ deployments })
  await remote.switchDeployment({ namespace: 'live', deployment: hash, actor: 'a', reason: 'r' })
  expect((await answer(payment(1, { customer: 7, amount: '1000.00' }))).outcome).toBe('allow')
  expect((await answer(payment(2, { customer: 8, amount: '1000.00' }))).outcome).toBe('review')
  expect((await answer(payment(3, { customer: 7, amount: '6000.00' }))).outcome).toBe('decline')
})

test('the same body gets the first answer byte for byte, another body a conflict', async () => {
  const { service, decide, clock } = await deployedBank()
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
  const { decide, remote, deployments, answer } = await deployedBank()
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
  const { decide, service, answer } = await deployedBank()
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
  const { decide } = await deployedBank()
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, i) => codeOf(decide(payment(1, { amount: `${i + 1}.00` })))),
  )
  expect(results.filter((code) => code === 'none')).toHaveLength(1)
  expect(results.filter((code) => code === 'event_id_conflict')).toHaveLength(19)
})

test('a refusal keeps no key', async () => {
  const { decide, answer } = await deployedBank()
  expect(await codeOf(decide(payment(1, { amount: 'NaN' })))).toBe('event_invalid')
  expect(await codeOf(decide(payment(1, { wrong: 1 })))).toBe('event_invalid')
  expect(await codeOf(decide(payment(1, { at: '2029-01-01T00:00:00Z' })))).toBe('event_in_future')
  expect((await answer(payment(1))).outcome).toBe('allow')
})

test('an unknown policy, source or namespace is named, with those that are known', async () => {
  const { service, decide } = await deployedBank()
  expect(await codeOf(decide(payment(1), 'nothing'))).toBe('policy_not_found')
  const ingest = (source: string, namespace = 'live') =>
    service.ingest({ namespace, source, rows: [], author: 'a' })
  expect(await codeOf(ingest('nothing'))).toBe('source_not_found')
  expect(await codeOf(ingest('payments', 'nowhere'))).toBe('namespace_not_found')
})

test('an event that was fed in first is decided on the values of its entry', async () => {
  const { service, remote, answer } = await deployedBank()
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
  const { service, remote, decide } = await deployedBank()
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
  const { answer, clock, service, decide } = await deployedBank()
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
  const { remote, service, hash } = await deployedBank()
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

test('explanations add up, and give for a review the very reasons of its answer', async () => {
  const { remote, answer } = await deployedBank()
  const large = await answer(payment(1, { amount: '1000.00' }))
  const key = { namespace: 'live', policy: 'card', eventId: 'p1' }
  const explained = await remote.explain(key)
  const sum = explained.contributions.reduce(
    (total, { contribution }) => total + contribution,
    explained.base!,
  )
  expect(sum).toBeCloseTo(explained.margin!, 9)
  expect(explained.score).toBe(large.score)
  expect(explained.reasons.map(({ sentence }) => sentence)).toEqual(
    large.reasons.map(({ sentence }) => sentence),
  )
  expect(await remote.explain(key)).toEqual(explained)
})

test('a deployment whose features the live state lacks is refused, and changes nothing', async () => {
  const { remote, deployments, answer } = await deployedBank()
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
  const { decide, service } = await deployedBank({ inFlightMax: 5 })
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, i) => codeOf(decide(payment(i + 1)))),
  )
  expect(results.filter((code) => code === 'too_many_in_flight')).toHaveLength(15)
  expect(service.status().shed).toBe(15)
  expect(await codeOf(decide(payment(20)))).toBe('none')
})
