// What a deployment's document says of the version before, and of thresholds, by what the policy declares.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import {
  compilePolicy,
  decisionErrors,
  directoryDeployments,
  publishDeployment,
  type PolicyOptions,
} from '../src/decisions/index.ts'
import { createDeployer, type DeployerPorts } from '../src/roles/deployer.ts'
import type { Deployment, DeployRequest } from '../src/serving/index.ts'
import { deployment, policy } from './small-bank.ts'

const { model } = deployment()
const by = { actor: { id: 'ann', name: 'Ann', kind: 'person' }, reason: 'A test' } as const
const chosen = { decline: 0.9, review: { kind: 'alerts-per-day', alerts: 5 } } as const

/** Deploys a policy over a champion that has a version before it; the document that comes of it. */
async function deployed(
  fallback: PolicyOptions['fallback'],
  thresholds: typeof policy.thresholds = chosen,
  ports: object = {},
) {
  const directory = mkdtempSync(join(tmpdir(), 'assay-deployer-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const current = {
    policy: 'card',
    document: await publishDeployment(directory, deployment()),
    model: 'card-fraud',
    version: 2,
    lastGood: { model: 'card-fraud', version: 1 },
  } as Deployment
  const requests: DeployRequest[] = []
  const deployer = createDeployer({
    directory,
    project: () => undefined,
    registry: {
      version: async (_name: string, version: number) => ({
        modelHash: model.version,
        status: 'approved',
        thresholds: { decline: 0.8, review: 0.1 * version },
      }),
      modelJson: async () => JSON.stringify(model.body),
    },
    serving: {
      current: async () => current,
      deploy: async (request: DeployRequest) => {
        requests.push(request)
        return { ...current, ...request }
      },
    },
    challengers: {},
    decide: { namespaces: async () => [] },
    baseOf: async () => '',
    ...ports,
  } as unknown as DeployerPorts)
  await deployer.deployPolicy(compilePolicy({ ...policy, thresholds, fallback }), by)
  const document = await directoryDeployments(directory).read(requests[0].document)
  return { request: requests[0], document: document! }
}

test('the version before answers next, unless the policy declares otherwise', async () => {
  const usual = await deployed({ outcome: 'allow' })
  expect(usual.request.lastGood).toEqual({ model: 'card-fraud', version: 1 })
  expect(usual.document.lastGood?.model.number).toBe(1)
  const without = await deployed({ outcome: 'allow', lastGood: false })
  expect(without.request.lastGood).toBeUndefined()
  expect(without.document).not.toHaveProperty('lastGood')
})

test('a stated threshold counts for every version, a chosen one is of each', async () => {
  const { document } = await deployed({})
  expect(document.thresholds).toEqual({ decline: 0.9, review: 0.2 })
  expect(document.lastGood?.thresholds).toEqual({ decline: 0.9, review: 0.1 })
})

/** A process that decides, and cannot record for so many questions. */
function paused(questions: number) {
  const told: string[] = []
  let pausedMs = 0
  const ports = {
    decide: {
      namespaces: async () => [{ namespace: 'live', base: 'b', policies: [] }],
      switchDeployment: async ({ deployment }: { deployment: string }) => {
        if (questions-- > 0) throw decisionErrors.decisions_paused('A base is being loaded.')
        told.push(deployment)
      },
    },
    pause: async (ms: number) => void (pausedMs += ms),
  }
  return { told, ports, pausedMs: () => pausedMs }
}

test('a deployment waits while nothing can be recorded, for half a minute at most', async () => {
  const loading = paused(7)
  const { request } = await deployed({}, chosen, loading.ports)
  expect(loading.told).toEqual([request.document])
  const full = paused(Infinity)
  await expect(deployed({}, chosen, full.ports)).rejects.toMatchObject({ code: 'decisions_paused' })
  expect(full.pausedMs()).toBe(30_000)
})
