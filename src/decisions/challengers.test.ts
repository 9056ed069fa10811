import { afterEach, describe, expect, test, vi } from 'vitest'
import { closeServices, codeOf, openBank } from '../../test/running-bank.ts'
import { deployment, memoryDeployments, payment } from '../../test/small-bank.ts'
import type { LogisticRegressionModel } from '../learning/index.ts'
import { contentHash } from '../lib/hash.ts'
import type { Challenger, DeployedModel, DeployedPolicy } from './deployed.ts'
import type { DecisionRecord, ShadowRecord } from './records.ts'

afterEach(closeServices)

/** The usual model, changed. */
function other(number: number, over: Partial<LogisticRegressionModel>): DeployedModel {
  const { model } = deployment()
  const body = { ...model.body, ...over } as LogisticRegressionModel
  return { ...model, number, version: contentHash(body), body }
}

/** It adds infinities of both signs, and so answers no number. */
const broken = (number: number) => {
  const { features } = deployment().model.body
  return other(number, {
    scales: features.map(() => 1e-300),
    coefficients: features.map((name) => (name === 'AMOUNT' ? 1e300 : -1e300)),
  })
}

const challenger = (
  name: string,
  traffic: Challenger['traffic'],
  model = other(2, { intercept: 40 }),
): Challenger => {
  return { name, model, thresholds: { decline: 0.9, review: 0.5 }, traffic }
}

async function bankOf(over: Partial<DeployedPolicy>, name = 'bank') {
  const deployments = memoryDeployments()
  const hash = deployments.add(deployment({ sticky: 'customer', ...over }))
  const made = await openBank({ deployments })
  const request = { namespace: 'live', deployment: hash, actor: 'ann', reason: name }
  await made.remote.switchDeployment(request)
  const recordOf = async (eventId: string): Promise<DecisionRecord> =>
    (await made.remote.decision({ namespace: 'live', policy: 'card', eventId })).record
  const recompute = (eventId: string) =>
    made.remote.recompute({ namespace: 'live', policy: 'card', eventId })
  return { ...made, recordOf, recompute }
}

const customers = Array.from({ length: 200 }, (_, customer) => customer)

describe('a challenger on live traffic', () => {
  test('takes its share of customers, always the same ones, and is named in the record', async () => {
    const share = { mode: 'live', share: 0.25 } as const
    const { answer, recordOf, recompute } = await bankOf({
      challengers: [challenger('next', share)],
    })
    const taken = new Set<number>()
    for (const round of [0, 1]) {
      for (const customer of customers) {
        const n = 1 + customer + round * customers.length
        const { score } = await answer(payment(n, { customer }))
        const record = await recordOf(`p${n}`)
        expect(record.challenger).toBe(score! > 0.99 ? 'next' : undefined)
        expect(record.versions.modelNumber).toBe(record.challenger === undefined ? 1 : 2)
        if (round === 0 && record.challenger !== undefined) taken.add(customer)
        if (round === 1) expect(record.challenger !== undefined).toBe(taken.has(customer))
      }
    }
    expect(taken.size).toBeGreaterThan(25)
    expect(taken.size).toBeLessThan(75)
    for (const customer of customers.slice(0, 20)) {
      expect(await recompute(`p${1 + customer}`)).toMatchObject({ identical: true })
    }
  })

  test('keeps the customers it had when its share grows', async () => {
    const takenAt = async (share: number) => {
      const { answer } = await bankOf({
        challengers: [challenger('next', { mode: 'live', share })],
      })
      const scores = await Promise.all(
        customers.map((customer) => answer(payment(1 + customer, { customer }))),
      )
      return customers.filter((customer) => scores[customer].score! > 0.99)
    }
    const few = await takenAt(0.1)
    const many = await takenAt(0.5)
    expect(few.length).toBeGreaterThan(0)
    expect(many).toEqual(expect.arrayContaining(few))
  })

  test('takes only events for which its condition holds', async () => {
    const traffic = { mode: 'live', share: 1, when: 'event.amount > 100.0' } as const
    const { answer, recordOf } = await bankOf({ challengers: [challenger('large', traffic)] })
    await answer(payment(1, { amount: '99.00' }))
    await answer(payment(2, { amount: '101.00' }))
    expect(await recordOf('p1')).not.toHaveProperty('challenger')
    expect(await recordOf('p2')).toMatchObject({ challenger: 'large' })
  })

  test('that cannot answer leaves the event to the champion', async () => {
    const traffic = { mode: 'live', share: 1 } as const
    const { answer, recordOf, recompute } = await bankOf({
      challengers: [challenger('broken', traffic, broken(3))],
    })
    const { score, unanswered } = await answer(payment(1))
    expect(score).toBeGreaterThan(0)
    expect(unanswered).toMatchObject([{ by: 'broken' }])
    expect((await recordOf('p1')).versions.modelNumber).toBe(1)
    expect(await recompute('p1')).toMatchObject({ identical: true })
  })
})

describe('where the champion does not answer', () => {
  const model = broken(1)

  test('the last good version does', async () => {
    const lastGood = {
      model: other(7, { intercept: -3 }),
      thresholds: { decline: 0.8, review: 0.4 },
    }
    const { answer, recordOf, recompute } = await bankOf({ model, lastGood })
    expect(await answer(payment(1))).toMatchObject({
      thresholds: { decline: 0.8 },
      unanswered: [{ by: 'champion' }],
    })
    expect((await recordOf('p1')).versions.modelNumber).toBe(7)
    expect(await recompute('p1')).toMatchObject({ identical: true })
  })

  test('rules do, and then what is declared', async () => {
    const { answer, recordOf, recompute } = await bankOf({ model })
    expect(await answer(payment(1, { amount: '6000.00' }))).toMatchObject({
      outcome: 'decline',
      score: null,
      rules: ['huge'],
    })
    expect(await answer(payment(2, { amount: '10.00' }))).toMatchObject({
      outcome: 'review',
      score: null,
      reasons: [{ kind: 'fallback' }],
    })
    expect(await recordOf('p2')).toMatchObject({ path: 'default', margin: null })
    expect(await recompute('p1')).toMatchObject({ identical: true })
    expect(await recompute('p2')).toMatchObject({ identical: true })
  })
})

describe('a challenger in shadow', () => {
  test('is asked after the answer, recorded beside it, and decides nothing', async () => {
    const { answer, remote, service } = await bankOf({
      challengers: [challenger('next', { mode: 'shadow', share: 1 })],
    })
    const { outcome, sequence } = await answer(payment(1, { amount: '10.00' }))
    expect(outcome).toBe('allow')
    await vi.waitFor(() => expect(service.metrics().shadows.answered).toBe(1))
    const { records } = await remote.records({ namespace: 'live', after: 0, limit: 10 })
    const shadows = records.filter((each) => each.type === 'shadow') as ShadowRecord[]
    expect(shadows).toMatchObject([
      { of: sequence, eventId: 'p1', challenger: 'next', outcome: 'decline', path: 'score' },
    ])
  })
})

describe('a deployment is refused', () => {
  const half = { mode: 'live', share: 0.6 } as const
  test.each<[string, Partial<DeployedPolicy>]>([
    [
      'whose shares exceed the whole',
      { challengers: [challenger('a', half), challenger('b', half)] },
    ],
    [
      'with two challengers of one name',
      { challengers: [challenger('a', half), challenger('a', half)] },
    ],
    ['with a challenger called champion', { challengers: [challenger('champion', half)] }],
    ['that is sticky by no column', { sticky: 'card', challengers: [challenger('a', half)] }],
    ['with a share that is none', { challengers: [challenger('a', { mode: 'live', share: 2 })] }],
  ])('%s', async (_, over) => {
    const { challengers } = over
    expect(await codeOf(bankOf({ ...over, challengers: challengers! }))).toBe('deployment_invalid')
  })
})
