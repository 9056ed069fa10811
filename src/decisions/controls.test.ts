import { afterEach, describe, expect, test } from 'vitest'
import { closeServices, codeOf, openBank } from '../../test/running-bank.ts'
import {
  behaviour,
  deployment,
  memoryDeployments,
  payment,
  payments,
  startUs,
} from '../../test/small-bank.ts'
import { faultyFiles } from '../lib/faulty-files.ts'
import { Controls } from './controls.ts'
import { compilePolicy, decisionPolicy, list, rule } from './policy.ts'

afterEach(closeServices)

const policy = compilePolicy(
  decisionPolicy('card', {
    source: payments,
    features: [behaviour],
    model: 'card-fraud',
    lists: [
      list('blocked', { column: 'customer' }),
      list('trusted', { column: 'customer', description: 'Called and was known' }),
    ],
    rules: [
      rule('blocked', {
        when: 'listed("blocked")',
        then: 'decline',
        reason: 'The customer is blocked',
        priority: 1,
      }),
      rule('trusted', {
        when: 'listed("trusted")',
        then: 'allow',
        reason: 'The customer called',
        priority: 2,
      }),
      rule('large', {
        when: 'event.amount > 50.0',
        then: 'review',
        reason: 'The amount is large',
        capPerHour: 3,
      }),
    ],
    thresholds: { decline: 0.99, review: 0.98 },
  }),
)

async function bank(files = faultyFiles()) {
  const deployments = memoryDeployments()
  const hash = deployments.add(deployment({ policy, thresholds: { decline: 0.99, review: 0.98 } }))
  const made = await openBank({ deployments, files })
  const request = { namespace: 'live', deployment: hash, actor: 'ann', reason: 'r' }
  await made.remote.switchDeployment(request)
  const change = (
    name: string,
    kind: 'add' | 'remove',
    values: string[],
    untilUs: number | null = null,
  ) =>
    made.remote.changeList({
      namespace: 'live',
      list: name,
      change: kind,
      values,
      untilUs,
      actor: 'ann',
      reason: 'She called',
    })
  const outcomeOf = async (n: number, over: Parameters<typeof payment>[1] = {}) => {
    const { outcome, rules } = await made.answer(
      payment(n, { customer: 7, amount: '10.00', ...over }),
    )
    return `${outcome} ${rules.join()}`.trim()
  }
  const isIdentical = async (n: number) =>
    (await made.remote.recompute({ namespace: 'live', policy: 'card', eventId: `p${n}` })).identical
  return { ...made, change, outcomeOf, isIdentical }
}

describe('a list', () => {
  test('counts from its next decision on, until the value is taken off it', async () => {
    const { change, outcomeOf, isIdentical } = await bank()
    expect(await outcomeOf(1)).toBe('allow')
    await change('blocked', 'add', ['7', '8'])
    expect(await outcomeOf(2)).toBe('decline blocked')
    expect(await outcomeOf(3, { customer: 9 })).toBe('allow')
    await change('blocked', 'remove', ['7'])
    expect(await outcomeOf(4)).toBe('allow')
    // The list has changed since; the decision is made again as it was.
    expect(await isIdentical(2)).toBe(true)
  })

  test('forgets a value at its time, by the source’s clock', async () => {
    const { change, outcomeOf, clock } = await bank()
    await change('blocked', 'add', ['7'], clock.nowUs() + 60_000_000)
    expect(await outcomeOf(1)).toBe('decline blocked')
    clock.advance(60_000_000)
    expect(await outcomeOf(2)).toBe('allow')
  })

  test('yields to a rule of a higher priority', async () => {
    const { change, outcomeOf } = await bank()
    await change('blocked', 'add', ['7'])
    await change('trusted', 'add', ['7'])
    expect(await outcomeOf(1)).toBe('allow blocked,trusted')
  })

  test('tells what is on it, by whom and why', async () => {
    const { change, remote } = await bank()
    await change('blocked', 'add', ['7'], startUs)
    expect(await remote.listEntries({ namespace: 'live', list: 'blocked' })).toMatchObject([
      { value: '7', untilUs: startUs, actor: 'ann', reason: 'She called' },
    ])
  })

  test('must be declared by a policy', async () => {
    const { change } = await bank()
    expect(await codeOf(change('blockd', 'add', ['7']))).toBe('list_unknown')
  })
})

describe('a rule', () => {
  const about = { namespace: 'live', policy: 'card', actor: 'ann', reason: 'Too many' }

  test('that is paused is evaluated and recorded, and counts for nothing', async () => {
    const { remote, outcomeOf, isIdentical } = await bank()
    await remote.changeRule({ ...about, rule: 'large', change: 'pause' })
    expect(await outcomeOf(1, { amount: '60.00' })).toBe('allow')
    const key = { namespace: 'live', policy: 'card', eventId: 'p1' }
    expect((await remote.decision(key)).record.rulesHeld).toEqual(['large'])
    await remote.changeRule({ ...about, rule: 'large', change: 'resume' })
    expect(await outcomeOf(2, { amount: '60.00' })).toBe('review large')
    expect(await isIdentical(1)).toBe(true)
  })

  test('pauses itself above its cap, says so, and begins anew when it is let go on', async () => {
    const { remote, outcomeOf } = await bank()
    const large = (n: number) => outcomeOf(n, { amount: '60.00' })
    for (const n of [1, 2, 3, 4]) expect(await large(n)).toBe('review large')
    expect(await large(5)).toBe('allow')
    expect(await remote.controls({ namespace: 'live', policy: 'card' })).toMatchObject({
      paused: [
        { rule: 'large', actor: 'assay', reason: 'It fired 4 times within an hour; its cap is 3.' },
      ],
    })
    await remote.changeRule({ ...about, rule: 'large', change: 'resume' })
    expect(await large(6)).toBe('review large')
  })

  test('keeps below its cap when the hours go by', async () => {
    const { outcomeOf, clock } = await bank()
    for (let n = 1; n <= 12; n++) {
      if (n % 3 === 0) clock.advance(3_600_000_000)
      expect(await outcomeOf(n, { amount: '60.00' })).toBe('review large')
    }
  })

  test('must be one of the policy', async () => {
    const { remote } = await bank()
    const unknown = remote.changeRule({ ...about, rule: 'larg', change: 'pause' })
    expect(await codeOf(unknown)).toBe('rule_unknown')
  })
})

describe('a model', () => {
  test('that is suspended is not asked, from the next decision on, until it is resumed', async () => {
    const { remote, answer, isIdentical } = await bank()
    const change = { namespace: 'live', policy: 'card', actor: 'ann', reason: 'It drifts' }
    await remote.changeModel({ ...change, change: 'suspend' })
    expect(await answer(payment(1, { amount: '1.00' }))).toMatchObject({
      outcome: 'review',
      score: null,
      unanswered: [{ by: 'champion', why: 'Suspended by ann: It drifts' }],
    })
    await remote.changeModel({ ...change, change: 'resume' })
    expect((await answer(payment(2, { amount: '1.00' }))).score).not.toBeNull()
    expect(await isIdentical(1)).toBe(true)
  })
})

describe('after a restart', () => {
  test.each([true, false])('all of it holds, with a checkpoint: %s', async (hasCheckpoint) => {
    const files = faultyFiles()
    const first = await bank(files)
    await first.change('blocked', 'add', ['7'])
    for (const n of [1, 2, 3, 4]) await first.outcomeOf(n, { customer: 9, amount: '60.00' })
    if (hasCheckpoint) await first.remote.checkpoint({ namespace: 'live' })
    await first.change('blocked', 'add', ['8'])
    await first.service.close()
    const again = await bank(files)
    expect(await again.outcomeOf(11)).toBe('decline blocked')
    expect(await again.outcomeOf(12, { customer: 8 })).toBe('decline blocked')
    expect(await again.outcomeOf(13, { customer: 9, amount: '60.00' })).toBe('allow')
    expect(await again.isIdentical(4)).toBe(true)
  })
})

test('what a snapshot holds is what was held', () => {
  const made = new Controls()
  const about = { actor: 'a', reason: 'r', receivedAtUs: 5 }
  const entry = { type: 'list', list: 'l', change: 'add', value: 'v', untilUs: 9 } as const
  made.apply({ ...entry, ...about }, 1)
  made.apply({ type: 'rule', policy: 'card', rule: 'large', change: 'pause', ...about }, 2)
  made.noteFired({ policy }, ['large'], 1)
  const restored = new Controls(JSON.parse(JSON.stringify(made.snapshot())))
  expect(restored.snapshot()).toEqual(made.snapshot())
  expect(restored.isListed('l', 'v', 8)).toBe(true)
  expect(restored.isListed('l', 'v', 9)).toBe(false)
  expect(restored.pausedRules('card')).toEqual(new Set(['large']))
})
