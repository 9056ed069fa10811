import { describe, expect, test } from 'vitest'
import { createMemoryAccessStore } from '../src/access/index.ts'
import { createMemoryAuditStore } from '../src/audit/index.ts'
import type { AnsweredEvent, Outcome } from '../src/decisions/index.ts'
import { createMemoryGovernanceStore } from '../src/governance/index.ts'
import { createRandom } from '../src/lib/random.ts'
import { createMemoryUnitOfWork } from '../src/lib/unit-of-work.ts'
import { createMemoryRegistryStore } from '../src/registry/index.ts'
import {
  championOf,
  createMemoryDeploymentStore,
  usualGuards,
  type ChallengerSpec,
  type Compose,
} from '../src/serving/index.ts'
import { openBank } from '../src/serving/bank.cases.ts'
import { createCanary } from '../src/roles/canary.ts'

const steps = [
  { share: 0.1, holdMinutes: 10, minDecisions: 300 },
  { share: 0.5, holdMinutes: 10, minDecisions: 300 },
]
const compose: Compose = async (current, traffic) =>
  [championOf(current), ...traffic.map(({ name, share }) => `${name}:${share}`)].join(' ')

interface Nature {
  readonly fails?: number
  readonly latencyUs?: number
  readonly shift?: number
  readonly declineFrom?: number
}

/** A bank in which version 2 challenges version 1, with a stream of decisions between the two. */
async function challenged(over: Partial<ChallengerSpec> = {}) {
  const stores = {
    audit: createMemoryAuditStore(),
    access: createMemoryAccessStore(),
    registry: createMemoryRegistryStore(),
    governance: createMemoryGovernanceStore(),
    deployments: createMemoryDeploymentStore(),
  }
  const bank = await openBank({ ...stores, unit: createMemoryUnitOfWork(Object.values(stores)) })
  const champion = await bank.approved('logistic')
  await bank.deploy(champion)
  const better = await bank.approved('trees', champion)
  const challenger: ChallengerSpec = {
    name: 'v2',
    model: better.model,
    version: better.version,
    mode: 'live',
    share: 0.1,
    steps,
    guards: usualGuards,
    ...over,
  }
  const { operator, first } = bank.people
  const request = { policy: 'card-fraud', challenger, sticky: 'customer' }
  const { id } = await bank.challengers.propose(request, operator.id, 'Worth a try')
  await bank.challengers.confirm(id, first.id, 'I agree', compose)
  const events: AnsweredEvent[] = []
  const { next } = createRandom(7)
  const outcomeOf = (score: number, declineFrom: number): Outcome =>
    score >= declineFrom ? 'decline' : 'allow'
  const current = async () => (await bank.deployments.current('card-fraud'))!
  const canary = createCanary({
    serving: bank.deployments,
    governance: bank.governance,
    decisions: {
      answeredUnder: async ({ deployments, limit, by }) =>
        events
          .filter(({ deployment }) => deployments.includes(deployment))
          .filter(({ challenger: taker }) => by === undefined || taker === by)
          .toReversed()
          .slice(0, limit),
      shadowsUnder: async () => [],
      labelledUnder: async () => [],
      lastLabelled: async () => 0,
    },
    deployer: {
      endChallenger: async (end, by) => void (await bank.challengers.end(end, by, compose)),
      advanceChallenger: async (policy, name, by) =>
        void (await bank.challengers.advance(policy, name, by, compose)),
    },
    clock: bank.clock,
    namespace: async () => 'live',
  })
  return {
    bank,
    canary,
    current,
    /** So many decisions, of which the challenger takes its share by its nature. */
    async stream(n: number, { fails = 0, latencyUs = 800, shift = 0, declineFrom = 0.95 }: Nature) {
      const { document, challengers = [] } = await current()
      for (let i = 0; i < n; i++) {
        const isTaken = next() < (challengers[0]?.share ?? 0)
        const isFailed = isTaken && next() < fails
        const isOurs = isTaken && !isFailed
        const score = Math.min(1, next() + (isOurs ? shift : 0))
        events.push({
          sequence: events.length + 1,
          deployment: document,
          challenger: isTaken ? 'v2' : null,
          unanswered: isFailed ? ['v2'] : [],
          score,
          outcome: outcomeOf(score, isOurs ? declineFrom : 0.95),
          latencyUs: isOurs ? latencyUs : 700,
          label: null,
        })
      }
      bank.clock.advance(60_000_000)
      await canary.look()
    },
  }
}

describe('a canary', () => {
  test('goes up its steps as each was held long enough with enough decisions', async () => {
    const { stream, current, bank } = await challenged()
    const share = async () => (await current()).challengers?.[0].share
    for (let minute = 0; minute < 9; minute++) await stream(100, {})
    expect(await share()).toBe(0.1)
    // Held long enough by now, but not with enough decisions.
    for (let minute = 0; minute < 3; minute++) await stream(100, {})
    expect(await share()).toBe(0.1)
    for (let minute = 0; minute < 10; minute++) await stream(300, {})
    expect(await share()).toBe(0.5)
    for (let minute = 0; minute < 60; minute++) await stream(100, {})
    expect(await share()).toBe(0.5)
    const [step] = await bank.deployments.history('card-fraud')
    expect(step).toMatchObject({ action: 'advance', actorId: 'system' })
    expect(step.reason).toMatch(
      /^Step 1 was held for \d+ minutes with 300 decisions or more, and no/,
    )
  })

  test('goes on however many decisions a step asks for', async () => {
    const first = { share: 0.5, holdMinutes: 0, minDecisions: 3000 }
    const { stream, current } = await challenged({
      share: 0.5,
      steps: [first, { ...first, share: 1 }],
    })
    for (let minute = 0; minute < 7; minute++) await stream(1000, {})
    expect((await current()).challengers).toMatchObject([{ share: 1, step: 1 }])
  })

  test.each<readonly [string, Nature, RegExp]>([
    ['does not answer', { fails: 0.2 }, /did not answer 1\d\.\d % of \d+ events; at most 2\.0 %/],
    ['is slow', { latencyUs: 400_000 }, /took more than 400\.0 ms; at most 100 ms/],
    ['drifts from the champion', { shift: 0.3 }, /stability index of its scores is \d\.\d+ over/],
    ['declines too many', { declineFrom: 0.7 }, /It allows \d\d\.\d % of \d+ events and the champ/],
  ])('that %s is withdrawn by itself, with the figures', async (_what, nature, reason) => {
    const { stream, current, bank } = await challenged()
    await stream(1000, {})
    expect((await current()).challengers).toHaveLength(1)
    for (let minute = 0; minute < 6; minute++) await stream(1000, nature)
    const live = await current()
    expect(live).toMatchObject({ action: 'withdraw', actorId: 'system', document: 'doc-1' })
    expect(live.reason).toMatch(reason)
    const entries = await Array.fromAsync(bank.log.export())
    expect(entries.join()).toContain('serving.challenger-withdrawn')
  })

  test('is judged by its newest decisions: a long good time hides nothing', async () => {
    const { stream, current } = await challenged({ steps: undefined, share: 0.5 })
    for (let minute = 0; minute < 10; minute++) await stream(1000, {})
    expect((await current()).challengers).toHaveLength(1)
    await stream(1000, { fails: 0.5 })
    expect((await current()).action).toBe('withdraw')
  })

  test('is left alone while too little is known', async () => {
    const { stream, current } = await challenged()
    await stream(500, { fails: 1 })
    expect((await current()).challengers).toHaveLength(1)
  })

  test('whose version was refused since is withdrawn', async () => {
    const { stream, current, bank } = await challenged()
    await bank.governance.giveVerdict(
      { model: 'card-fraud', version: 2, verdict: 'refuse', reason: 'Leaks the label' },
      bank.people.second.id,
    )
    await stream(1, {})
    expect((await current()).reason).toContain('Refused by Ben: Leaks the label')
  })
})
