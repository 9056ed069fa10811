import { afterEach, describe, expect, test, vi } from 'vitest'
import { closeServices, codeOf, openBank } from '../../test/running-bank.ts'
import { deployment, memoryDeployments, payment } from '../../test/small-bank.ts'
import type { DeployedModel, DeployedPolicy } from './deployed.ts'
import type { OutsideModels } from './outside.ts'
import type { ShadowRecord } from './records.ts'

afterEach(closeServices)

const elsewhere = (number: number): DeployedModel => {
  const body = { kind: 'outside', features: ['AMOUNT'], served: `served ${number}` } as const
  return { name: 'graph', number, version: `graph ${number}`, body }
}
const thresholds = { decline: 0.9, review: 0.5 }
const fallback = {
  deadlineMs: 30,
  lastGood: true,
  outcome: 'review',
  failures: 3,
  pauseS: 60,
} as const

async function bankOf(score: OutsideModels['score'], over: Partial<DeployedPolicy> = {}) {
  const deployments = memoryDeployments()
  const { policy } = deployment()
  const document = { model: elsewhere(1), policy: { ...policy, fallback }, thresholds, ...over }
  const hash = deployments.add(deployment(document))
  const made = await openBank({ deployments, outsideModels: { score } })
  const request = { namespace: 'live', deployment: hash, actor: 'ann', reason: 'r' }
  await made.remote.switchDeployment(request)
  const key = (n: number) => ({ namespace: 'live', policy: 'card', eventId: `p${n}` })
  return { ...made, key, recompute: (n: number) => made.remote.recompute(key(n)) }
}

/** A model that never answers, nor notices that nobody waits any more. */
const hung: OutsideModels['score'] = () => new Promise(() => {})
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('a model outside of the process', () => {
  test('scores the event on the values with which it entered', async () => {
    const seen: number[] = []
    const { answer, recompute, remote, key } = await bankOf(async (_model, row) => {
      seen.push(...row)
      return 0.7
    })
    expect(await answer(payment(1, { amount: '12.00' }))).toMatchObject({
      outcome: 'review',
      score: 0.7,
      versions: { modelName: 'graph', modelNumber: 1 },
    })
    expect(seen).toEqual([12])
    expect((await remote.decision(key(1))).record).toMatchObject({ entry: 'known', margin: null })
    expect(await recompute(1)).toMatchObject({ identical: true })
    expect(await remote.explain(key(1))).toMatchObject({ base: null, contributions: [] })
  })

  test('lets others be decided while it is waited for, and counts each event once', async () => {
    const { answer, remote } = await bankOf(async () => {
      await later(5)
      return 0.1
    })
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => answer(payment(n + 1, { customer: 7 }))),
    )
    expect(new Set(answers.map(({ sequence }) => sequence)).size).toBe(20)
    const { values, names } = await remote.liveFeatures({
      namespace: 'live',
      policy: 'card',
      event: payment(21, { customer: 7 }),
    })
    expect(values[names.indexOf('CUSTOMER_COUNT_1D')]).toBe(21)
  })

  test('asked twice about one event at once gives one decision', async () => {
    const { service, remote } = await bankOf(async () => {
      await later(5)
      return 0.1
    })
    const one = { namespace: 'live', policy: 'card', body: payment(1) }
    const [a, b] = await Promise.all([service.decide(one), service.decide(one)])
    expect(a.body).toBe(b.body)
    const { records } = await remote.records({ namespace: 'live', after: 0, limit: 10 })
    expect(records.filter(({ type }) => type === 'decision')).toHaveLength(1)
  })

  test('that hangs is given up at its deadline, for the last good version', async () => {
    const { answer, recompute } = await bankOf(hung, {
      lastGood: { model: deployment().model, thresholds },
    })
    expect(await answer(payment(1))).toMatchObject({
      versions: { modelName: 'card-fraud' },
      unanswered: [{ by: 'champion', why: 'It did not answer within 30 ms' }],
    })
    expect(await recompute(1)).toMatchObject({ identical: true })
  })

  test('answers as the last good version, where the champion inside fails or is suspended', async () => {
    const { features } = deployment().model.body
    const body = {
      ...deployment().model.body,
      scales: features.map(() => 1e-300),
      coefficients: features.map((name) => (name === 'AMOUNT' ? 1e300 : -1e300)),
    } as DeployedModel['body']
    const broken = { name: 'card-fraud', number: 3, version: 'broken', body }
    for (const model of [broken, deployment().model]) {
      const lastGood = { model: elsewhere(2), thresholds }
      const { answer, remote } = await bankOf(async () => 0.95, { model, lastGood })
      if (model !== broken) {
        const by = { actor: 'ann', reason: 'It declines everyone' }
        const suspend = { namespace: 'live', policy: 'card', change: 'suspend', ...by } as const
        await remote.changeModel(suspend)
      }
      expect(await answer(payment(1))).toMatchObject({
        outcome: 'decline',
        score: 0.95,
        versions: { modelNumber: 2 },
        unanswered: [{ by: 'champion' }],
      })
    }
  })

  test('is not asked while it is suspended, and the one before answers', async () => {
    const asked: number[] = []
    const score = async ({ number }: DeployedModel) => {
      asked.push(number)
      return 0.6
    }
    const { answer, remote } = await bankOf(score, {
      lastGood: { model: elsewhere(2), thresholds },
    })
    const by = { namespace: 'live', policy: 'card', actor: 'ann', reason: 'Wrong' }
    await remote.changeModel({ ...by, change: 'suspend' })
    expect(await answer(payment(1))).toMatchObject({
      score: 0.6,
      unanswered: [{ by: 'champion', why: 'Suspended by ann: Wrong' }],
    })
    expect(asked).toEqual([2])
    await remote.changeModel({ ...by, change: 'resume' })
    await answer(payment(2))
    expect(asked).toEqual([2, 1])
  })

  test.each<[string, OutsideModels['score'], string]>([
    ['that hangs', hung, 'It did not answer within 30 ms'],
    ['that crashes', () => Promise.reject(new Error('Worker ended')), 'Worker ended'],
    ['that answers no number', async () => Number.NaN, 'It answered no number'],
  ])('%s leaves the event to rules and the declared outcome', async (_, score, why) => {
    const { answer } = await bankOf(score)
    expect(await answer(payment(1, { amount: '6000.00' }))).toMatchObject({ outcome: 'decline' })
    expect(await answer(payment(2, { amount: '1.00' }))).toMatchObject({
      outcome: 'review',
      score: null,
      unanswered: [{ by: 'champion', why }],
    })
  })

  test('that keeps failing is not asked for a while', async () => {
    let asked = 0
    const { answer } = await bankOf(async () => {
      asked++
      throw new Error('Down')
    })
    for (let n = 1; n <= 6; n++) await answer(payment(n))
    expect(asked).toBe(3)
    expect((await answer(payment(7))).unanswered).toEqual([
      { by: 'champion', why: 'It failed 3 times in a row and is not asked for 60 s' },
    ])
  })

  test('is asked in shadow too, and answers there when it can', async () => {
    const traffic = { mode: 'shadow', share: 1 } as const
    const { answer, remote, service } = await bankOf(async () => 0.95, {
      model: deployment().model,
      sticky: 'customer',
      challengers: [{ name: 'graph', model: elsewhere(2), thresholds, traffic }],
    })
    await answer(payment(1))
    await vi.waitFor(() => expect(service.metrics().shadows.answered).toBe(1))
    const { records } = await remote.records({ namespace: 'live', after: 0, limit: 10 })
    const shadow = records.find(({ type }) => type === 'shadow') as unknown as ShadowRecord
    expect(shadow).toMatchObject({ challenger: 'graph', score: 0.95, outcome: 'decline' })
  })

  test('of an event with another body is a conflict, not a decision', async () => {
    const { answer } = await bankOf(async () => 0.1)
    await answer(payment(1))
    expect(await codeOf(answer(payment(1, { amount: '2.00' })))).toBe('event_id_conflict')
  })
})
