// Canaries over real decisions: an engine that answers, a journal that is read back, guards that look
// at what came of it, and documents that are published, switched to and rolled back.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { createMemoryAccessStore } from '../src/access/index.ts'
import { createMemoryAuditStore } from '../src/audit/index.ts'
import {
  compilePolicy,
  createMemoryReadModel,
  createProjector,
  directoryDeployments,
  publishDeployment,
  type DeployedPolicy,
  type OutsideModels,
} from '../src/decisions/index.ts'
import { createMemoryGovernanceStore } from '../src/governance/index.ts'
import { createMemoryUnitOfWork } from '../src/lib/unit-of-work.ts'
import { createMemoryRegistryStore } from '../src/registry/index.ts'
import { createCanary } from '../src/roles/canary.ts'
import { createDeployer } from '../src/roles/deployer.ts'
import { openBank as openPeople } from '../src/serving/bank.cases.ts'
import { createMemoryDeploymentStore, type ChallengerGuards } from '../src/serving/index.ts'
import { closeServices, openBank } from './running-bank.ts'
import { deployment, payment, policy } from './small-bank.ts'

afterEach(closeServices)

/** Nothing trips but what a test is about. */
const off: ChallengerGuards = {
  minDecisions: 100,
  errorRateMax: 1,
  latencyMsP99Max: 1e9,
  psiMax: 1e9,
  scoreDistanceMax: 1,
  approvalDifferenceMax: 1,
}
const BATCH = 50

const usual = deployment().model.body as Extract<
  DeployedPolicy['model']['body'],
  { kind: 'logistic-regression' }
>
const outside = { kind: 'outside', features: ['AMOUNT'], served: 'elsewhere' } as const

interface Nature {
  readonly body?: object
  readonly thresholds?: Readonly<Record<string, number>>
  readonly score?: OutsideModels['score']
}

/** Version 2, of some nature, challenges version 1 on every second customer of a bank that decides. */
async function challenged({ body = usual, thresholds, score }: Nature, guards: ChallengerGuards) {
  const directory = mkdtempSync(join(tmpdir(), 'assay-canary-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const deployments = { ...directoryDeployments(directory), add: () => '' }
  const decides = await openBank({
    deployments,
    inFlightMax: 1000,
    ...(score && { outsideModels: { score } }),
  })
  const stores = {
    audit: createMemoryAuditStore(),
    access: createMemoryAccessStore(),
    registry: createMemoryRegistryStore(),
    governance: createMemoryGovernanceStore(),
    deployments: createMemoryDeploymentStore(),
  }
  const bank = await openPeople({ ...stores, unit: createMemoryUnitOfWork(Object.values(stores)) })
  const compiled = compilePolicy({
    ...policy,
    name: 'card-fraud',
    fallback: { deadlineMs: 1000 },
    // Chosen when a model is trained, so that each has its own.
    thresholds: { decline: 0.9, review: { kind: 'alerts-per-day', alerts: 5 } },
  })
  const champion = await bank.approved('usual')
  const other = await bank.approved('other', champion)
  const usually = { decline: 0.9, review: 0.5 }
  const deployer = createDeployer({
    directory,
    project: () => undefined,
    registry: {
      version: async (model, version) => ({
        ...(await bank.registry.version(model, version)),
        thresholds: version === 2 ? (thresholds ?? usually) : usually,
      }),
      modelJson: async (_model, version) => JSON.stringify(version === 2 ? body : usual),
    },
    serving: bank.deployments,
    challengers: bank.challengers,
    decide: {
      ...decides.remote,
      // This bank has no history to start from.
      namespaces: async () =>
        (await decides.remote.namespaces()).map((each) => ({ ...each, base: 'none' })),
    },
    baseOf: async () => '',
  })
  const document = deployment({ policy: compiled })
  await bank.deploy(champion, { document: await publishDeployment(directory, document) })
  const by = { actor: 'ann', reason: 'first', namespace: 'live' }
  const { document: first } = (await bank.deployments.current('card-fraud'))!
  await decides.remote.switchDeployment({ ...by, deployment: first })

  const model = createMemoryReadModel()
  const projector = createProjector({ decide: decides.remote, sinks: [model] })
  const canary = createCanary({
    serving: bank.deployments,
    governance: bank.governance,
    decisions: model,
    deployer,
    clock: bank.clock,
    namespace: async () => 'live',
  })
  const { operator, first: ann } = bank.people
  let sent = 0
  const current = async () => (await bank.deployments.current('card-fraud'))!
  return {
    bank,
    model,
    current,
    async begin(over: object) {
      const { version } = other
      const spec = { name: 'v2', model: 'card-fraud', version, guards, mode: 'live', share: 0.5 }
      const request = { policy: 'card-fraud', challenger: { ...spec, ...over }, sticky: 'customer' }
      const { id } = await bank.challengers.propose(request as never, operator.id, 'Worth a try')
      await deployer.confirmProposal(id, ann.id, 'I agree')
    },
    /** So many decisions, then a look a minute later. */
    async stream(n = BATCH) {
      const answers = await Promise.all(
        Array.from({ length: n }, () => {
          sent++
          const over = { customer: sent, amount: `${(sent * 37) % 900}.00` }
          return decides.decide(payment(sent, over), 'card-fraud')
        }),
      )
      await projector.catchUp()
      bank.clock.advance(60_000_000)
      await canary.look()
      return answers.map((each) => JSON.parse(each) as { versions: { modelNumber: number } })
    },
    askedOf: async (documents: readonly string[]) => {
      const query = { namespace: 'live', deployments: documents, limit: 100_000 }
      const events = await model.answeredUnder(query)
      return events.filter((each) => each.challenger === 'v2' || each.unanswered.includes('v2'))
        .length
    },
  }
}

/** It adds infinities of both signs, and so answers no number. */
const broken = {
  ...usual,
  scales: usual.features.map(() => 1e-300),
  coefficients: usual.features.map((name) => (name === 'AMOUNT' ? 1e300 : -1e300)),
}
const hung: OutsideModels['score'] = (_model, _row, signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('Nobody waits any more')))
  })
const slow: OutsideModels['score'] = async () => {
  await new Promise((resolve) => setTimeout(resolve, 30))
  return 0.1
}
/** All scores a little higher, and nobody answered otherwise for it. */
const shifted = { ...usual, intercept: usual.intercept + 1 }
const strict = { decline: 0.9, review: 0.04 }

describe('a challenger over real decisions', () => {
  test.each<readonly [string, Nature, Partial<ChallengerGuards>, RegExp]>([
    ['answers no number', { body: broken }, { errorRateMax: 0.02 }, /did not answer 100\.0 % of/],
    ['hangs', { body: outside, score: hung }, { errorRateMax: 0.02 }, /did not answer 100\.0 % of/],
    [
      'is slow',
      { body: outside, score: slow },
      { latencyMsP99Max: 20 },
      /took more than \d+\.\d ms; at most 20 ms/,
    ],
    [
      'drifts',
      { body: shifted },
      { psiMax: 0.25 },
      /stability index of its scores is \d\.\d+ over/,
    ],
    [
      'scores otherwise',
      { body: shifted },
      { scoreDistanceMax: 0.25 },
      /distance of its scores is 0\.\d+ over/,
    ],
    [
      'allows too few',
      { thresholds: strict },
      { approvalDifferenceMax: 0.05 },
      /It allows \d+\.\d % of \d+ events and the champion \d+\.\d %/,
    ],
  ])('that %s is withdrawn once it was asked often enough', async (_, nature, guard, reason) => {
    const guards = { ...off, ...guard }
    const { begin, stream, current, askedOf } = await challenged(nature, guards)
    await begin({})
    const { document } = await current()
    let asked = 0
    while ((await current()).challengers !== undefined) {
      // One side at most had the declared number of answers at the look before.
      expect(asked).toBeLessThan(guards.minDecisions + BATCH / 2)
      await stream()
      asked = await askedOf([document])
    }
    const live = await current()
    expect(live).toMatchObject({ action: 'withdraw', actorId: 'system', version: 1 })
    expect(live.reason).toMatch(reason)
    expect(asked).toBeGreaterThanOrEqual(guards.minDecisions)
    for (const { versions } of await stream()) expect(versions.modelNumber).toBe(1)
  })

  test('that is as good goes up all its steps, and then takes every decision', async () => {
    const guards = { ...off, errorRateMax: 0.02, latencyMsP99Max: 5000, scoreDistanceMax: 0.25 }
    const { begin, stream, current, bank } = await challenged({}, guards)
    const step = (share: number) => ({ share, holdMinutes: 2, minDecisions: 60 })
    await begin({ share: 0.1, steps: [step(0.1), step(0.5), step(1)] })
    const shares = new Set<number>()
    for (let look = 0; look < 40 && !shares.has(1); look++) {
      await stream(100)
      shares.add((await current()).challengers![0].share)
    }
    expect([...shares]).toEqual([0.1, 0.5, 1])
    for (const { versions } of await stream(100)) expect(versions.modelNumber).toBe(2)
    expect(await current()).toMatchObject({ action: 'advance', challengers: [{ step: 2 }] })
    const steps = (await bank.deployments.history('card-fraud')).map(({ action }) => action)
    expect(steps).toEqual(['advance', 'advance', 'challenge', 'deploy'])
  })
})
