import * as fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { closeServices, openBank } from '../../../test/running-bank.ts'
import {
  behaviour,
  deployment,
  memoryDeployments,
  payment,
  payments,
  startUs,
} from '../../../test/small-bank.ts'
import { createMemoryCatalog, createMemorySnapshots } from '../../data/index.ts'
import {
  compilePolicy,
  decisionPolicy,
  draftDocument,
  draftPolicy,
  list,
  rule,
  typology,
  type CompiledPolicy,
  type Outcome,
  type RuleDeclaration,
} from '../../decisions/index.ts'
import { createReplayEngine } from '../../features/index.ts'
import { DAY_US } from '../../lib/time.ts'
import { backtest, type BacktestOver, type BacktestRequest } from './backtest.ts'

afterEach(closeServices)

const thresholds = { decline: 0.35, review: 0.2 }

function policyOf(rules: readonly RuleDeclaration[]): CompiledPolicy {
  return compilePolicy(
    decisionPolicy('card', {
      source: payments,
      features: [behaviour],
      model: 'card-fraud',
      lists: [list('blocked', { column: 'customer' }), list('trusted', { column: 'customer' })],
      rules,
      typologies: [
        typology('both', {
          weights: Object.fromEntries(rules.map(({ name }, at) => [name, at + 1])),
          alert: 3,
          interdict: 6,
          reason: 'Several together',
        }),
      ],
      thresholds,
    }),
  )
}

const rules = [
  rule('blocked', { when: 'listed("blocked")', then: 'decline', reason: 'B', priority: 2 }),
  rule('trusted', { when: 'listed("trusted")', then: 'allow', reason: 'T', priority: 1 }),
  rule('large', { when: 'event.amount > 500.0', then: 'review', reason: 'L' }),
  rule('busy', { when: 'features.CUSTOMER_COUNT_1D >= 2.0', reason: 'Busy' }),
  rule('tried', { when: 'score > 0.1', then: 'decline', reason: 'S', mode: 'shadow' }),
]

/** A bank that decided on payments by a policy; customer 7 is blocked, 8 is trusted for a while. */
async function decided(policy: CompiledPolicy, bodies: readonly Record<string, unknown>[]) {
  const deployments = memoryDeployments()
  const live = deployment({ policy, thresholds })
  const { remote, answer, files } = await openBank({ deployments })
  const by = { namespace: 'live', actor: 'ann', reason: 'r' }
  await remote.switchDeployment({ ...by, deployment: deployments.add(live) })
  const add = { ...by, change: 'add' } as const
  await remote.changeList({ ...add, list: 'blocked', values: ['7'], untilUs: null })
  const untilUs = startUs + 10_100_000_000
  await remote.changeList({ ...add, list: 'trusted', values: ['8'], untilUs })
  const answers = new Map<string, { outcome: Outcome; rules: readonly string[] }>()
  for (const body of bodies) {
    const { eventId, outcome, rules: fired } = await answer(body)
    answers.set(eventId, { outcome, rules: fired })
  }
  const tested = async (over: BacktestOver | undefined, draft = live, asked = {}) => {
    const again = new Map<string, { outcome: Outcome; rules: readonly string[] }>()
    const request: BacktestRequest = {
      draft,
      before: live,
      fromUs: -Infinity,
      toUs: Infinity,
      over,
      ...asked,
    }
    const evidence = await backtest(request, {
      catalog: createMemoryCatalog(),
      snapshots: createMemorySnapshots(),
      history: createReplayEngine(),
      directory: '/decide/live',
      files,
      deployments,
      namespace: 'live',
      onAnswer: ({ eventId }, draftAnswer) => {
        const { outcome, rules: fired } = draftAnswer
        again.set(eventId, { outcome, rules: fired })
      },
    })
    return { evidence, again }
  }
  return { live, answers, tested, remote, answer }
}

const many = Array.from({ length: 400 }, (_, n) => payment(n, { customer: n % 23 }))

describe('a back-test of the policy that is live', () => {
  test.each(['records', 'history'] as const)('over %s answers as it did', async (over) => {
    const { answers, tested } = await decided(policyOf(rules), many)
    const { again, evidence } = await tested(over)
    expect(again).toEqual(answers)
    const { report } = evidence
    expect(evidence.namespace).toBe('live')
    expect(report.events.n).toBe(400)
    expect(report.rulesChanged).toBe(0)
    expect(report.changed).toEqual([])
    // What the test would say of nothing: every kind of answer is among them.
    for (const figures of Object.values(report.draft.outcomes)) expect(figures.n).toBeGreaterThan(0)
  })

  test('over records keeps to what was paused and listed at each moment', async () => {
    const { answers, tested, remote, answer } = await decided(policyOf(rules), many.slice(0, 20))
    const by = { namespace: 'live', policy: 'card', actor: 'ann', reason: 'r' }
    await remote.changeRule({ ...by, rule: 'blocked', change: 'pause' })
    const paused = await answer(payment(900, { customer: 7 }))
    await remote.changeRule({ ...by, rule: 'blocked', change: 'resume' })
    const resumed = await answer(payment(901, { customer: 7 }))
    expect([paused.rules.includes('blocked'), resumed.rules.includes('blocked')]).toEqual([
      false,
      true,
    ])
    for (const { eventId, outcome, rules: fired } of [paused, resumed])
      answers.set(eventId, { outcome, rules: fired })
    expect((await tested('records')).again).toEqual(answers)
  })

  test('whatever its rules are, answers as it did', async () => {
    const condition = fc.oneof(
      fc.integer({ min: 1, max: 900 }).map((euros) => `event.amount > ${euros}.0`),
      fc.integer({ min: 0, max: 8 }).map((customer) => `event.customer == ${customer}`),
      fc.integer({ min: 1, max: 5 }).map((n) => `features.CUSTOMER_COUNT_7D >= ${n}.0`),
      fc.integer({ min: 1, max: 9 }).map((n) => `score > 0.0${n}`),
      fc.constantFrom('listed("blocked")', 'listed("trusted")', '1 / (event.customer - 3) == 1'),
    )
    const drawn = fc.record({
      when: condition,
      then: fc.constantFrom<(Outcome | undefined)[]>('allow', 'review', 'decline', undefined),
      priority: fc.integer({ min: 0, max: 2 }),
      mode: fc.constantFrom<('live' | 'shadow')[]>('live', 'live', 'shadow'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(drawn, { minLength: 1, maxLength: 6 }), async (given) => {
        const policy = policyOf(given.map((each, n) => rule(`r${n}`, { ...each, reason: 'R' })))
        const bodies = Array.from({ length: 60 }, (_, n) => payment(n, { customer: n % 11 }))
        const { answers, tested } = await decided(policy, bodies)
        for (const over of ['records', 'history'] as const) {
          expect((await tested(over)).again).toEqual(answers)
        }
        await closeServices()
      }),
      { numRuns: 25 },
    )
  })
})

describe('a back-test of a draft', () => {
  test('says what would change, and binds all that it follows from', async () => {
    const { live, tested } = await decided(policyOf(rules), many)
    const added = draftPolicy(
      live.policy,
      {
        rules: [
          ...live.policy.rules,
          { name: 'terminal', when: 'event.terminal == 3', then: 'decline', reason: 'T' },
        ],
      },
      { source: live.source, featureSets: live.featureSets },
    )
    const draft = draftDocument(live, added)
    const { evidence } = await tested(undefined, draft)
    const terminal = evidence.report.rules.find(({ name }) => name === 'terminal')!
    expect(terminal.fired.n).toBe(13)
    expect(evidence.report.moves.allow.decline.n).toBe(
      terminal.adds.n - evidence.report.moves.review.decline.n,
    )
    expect(evidence.draft.policy).toBe(added.version)
    expect(evidence.over).toMatchObject({ kind: 'records' })
    const elsewhere = await tested('history', draft)
    expect(elsewhere.evidence.report).toEqual(evidence.report)
  })

  test('of a period that begins before decisions do goes over history', async () => {
    const { live, tested } = await decided(policyOf(rules), many.slice(0, 3))
    const asked = async (fromUs: number) =>
      (await tested(undefined, live, { fromUs })).evidence.over.kind
    expect(await asked(startUs)).toBe('records')
    expect(await asked(startUs - 2 * DAY_US)).toBe('history')
  })

  test('of a period without events is refused', async () => {
    const { live, tested } = await decided(policyOf(rules), many.slice(0, 3))
    await expect(tested(undefined, live, { toUs: 0 })).rejects.toMatchObject({
      code: 'backtest_empty',
    })
  })
})
