import { afterEach, describe, expect, test, vi } from 'vitest'
import { closeServices, openBank } from '../../test/running-bank.ts'
import { deployment, memoryDeployments, payment } from '../../test/small-bank.ts'
import type { DeployedModel } from './deployed.ts'
import type { OutsideModels } from './outside.ts'
import type { ShadowRecord } from './records.ts'

afterEach(closeServices)

const body = { kind: 'outside', features: ['AMOUNT'], served: 'served' } as const
const graph: DeployedModel = { name: 'graph', number: 2, version: 'graph 2', body }
const thresholds = { decline: 0.9, review: 0.5 }
const fallback = {
  deadlineMs: 10_000,
  lastGood: true,
  outcome: 'review',
  failures: 3,
  pauseS: 60,
} as const

/** A bank whose champion is computed in the process; beside it, in shadow, a model that is not. */
async function bankOf(score: OutsideModels['score'] | undefined) {
  const deployments = memoryDeployments()
  const { policy } = deployment()
  const traffic = { mode: 'shadow', share: 1 } as const
  const challengers = [{ name: 'graph', model: graph, thresholds, traffic }]
  const beside = score === undefined ? {} : { sticky: 'customer', challengers }
  const hash = deployments.add(deployment({ policy: { ...policy, fallback }, ...beside }))
  const made = await openBank({ deployments, ...(score && { outsideModels: { score } }) })
  const request = { namespace: 'live', deployment: hash, actor: 'ann', reason: 'r' }
  await made.remote.switchDeployment(request)
  const shadows = () => made.service.metrics().shadows
  return {
    ...made,
    shadows,
    /** Resolves once so many questions are over. */
    over: (questions: number) =>
      vi.waitFor(() => {
        const { answered, unanswered, dropped, failed } = shadows()
        expect(answered + unanswered + dropped + failed).toBe(questions)
      }),
    async records(): Promise<ShadowRecord[]> {
      const { records } = await made.remote.records({ namespace: 'live', after: 0, limit: 5000 })
      return records.filter((each) => each.type === 'shadow')
    },
  }
}

/** What a customer is told; sequences and times are those of the bank. */
const told = ({ outcome, score, path, rules, reasons, unanswered }: Record<string, unknown>) => {
  return { outcome, score, path, rules, reasons, unanswered }
}
const payments = (count: number) =>
  Array.from({ length: count }, (_, n) => payment(n + 1, { amount: `${n + 1}.00` }))

describe('a challenger in shadow that another thread or server computes', () => {
  test('and that hangs delays no answer, changes none, and holds no more than a bound', async () => {
    const asked: ((chance: number) => void)[] = []
    const hung = await bankOf(() => new Promise((resolve) => asked.push(resolve)))
    const alone = await bankOf(undefined)
    for (let from = 0; from < 1200; from += 300) {
      const some = payments(1200).slice(from, from + 300)
      const answers = await Promise.all(some.map((event) => hung.answer(event)))
      const expected = await Promise.all(some.map((event) => alone.answer(event)))
      expect(answers.map((each) => told({ ...each }))).toEqual(
        expected.map((each) => told({ ...each })),
      )
    }
    await vi.waitFor(() => expect(asked).toHaveLength(1000))
    expect(hung.shadows()).toEqual({ answered: 0, unanswered: 0, dropped: 200, failed: 0 })
    for (const answer of asked) answer(0.7)
    await hung.over(1200)
    expect(hung.shadows()).toMatchObject({ answered: 1000, dropped: 200 })
  })

  test('and that has died is recorded as one that gave no score, and is let alone for a while', async () => {
    let asked = 0
    const { answer, over, records, shadows } = await bankOf(async () => {
      asked++
      throw new Error('Worker ended')
    })
    for (const event of payments(20)) {
      const { score, unanswered } = await answer(event)
      expect([typeof score, unanswered]).toEqual(['number', undefined])
    }
    await over(20)
    expect(shadows()).toEqual({ answered: 0, unanswered: 20, dropped: 0, failed: 0 })
    // More than three may have been under way when the third one failed.
    expect(asked).toBeLessThan(20)
    for (const { score, path } of await records()) expect([score, path]).toEqual([null, 'default'])
  })

  test('is compared on its own event, in whatever order its answers come', async () => {
    const waiting: (() => void)[] = []
    const { answer, over, records } = await bankOf(
      (_, [amount]) => new Promise((resolve) => waiting.push(() => resolve(amount / 100))),
    )
    const decided = new Map<string, number>()
    for (const event of payments(40)) {
      const { eventId, sequence } = await answer(event)
      decided.set(eventId, sequence)
    }
    await vi.waitFor(() => expect(waiting).toHaveLength(40))
    for (const go of waiting.toReversed()) go()
    await over(40)
    const found = await records()
    expect(found).toHaveLength(40)
    for (const { eventId, of, score, outcome, challenger } of found) {
      const amount = Number(eventId.slice(1))
      expect([of, score, challenger]).toEqual([decided.get(eventId), amount / 100, 'graph'])
      expect(outcome).toBe(amount / 100 >= thresholds.review ? 'review' : 'allow')
    }
  })
})
