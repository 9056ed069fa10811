/** A bank with people in it, with which the cases of a release begin. */
import { createAccess, type AccessStore, type Identity, type Role } from '../access/index.ts'
import {
  createAuditLog,
  createCheckpointSigner,
  generateSigningKey,
  type AuditLog,
  type AuditStore,
  type NewAuditEntry,
} from '../audit/index.ts'
import {
  createAfterReviews,
  buildModelCard,
  compileGatePolicy,
  createGovernance,
  type ChampionComparison,
  type CompiledGatePolicy,
  type Evidence,
  type GovernanceStore,
  type ModelCardFacts,
} from '../governance/index.ts'
import { manualClock } from '../lib/clock.ts'
import { createIds } from '../lib/ids.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import { createRegistry, type ModelVersion, type RegistryStore } from '../registry/index.ts'
import { createMemoryArtifactStore } from '../tracking/index.ts'
import { createChallengers } from './challengers.ts'
import { createDeployments } from './deployments.ts'
import type { DeploymentStore } from './ports.ts'

export interface ReleaseStores {
  readonly unit: UnitOfWork
  readonly audit: AuditStore
  readonly access: AccessStore
  readonly registry: RegistryStore
  readonly governance: GovernanceStore
  readonly deployments: DeploymentStore
  readonly close?: () => Promise<void>
}

const signer = createCheckpointSigner(generateSigningKey(), 'assay-test')

export const declared = {
  kind: 'gate-policy',
  name: 'card-fraud-gate',
  minimum: { average_precision: 0.5 },
  champion: { metric: 'average_precision', margin: 0.01 },
  card: 'complete',
  approvals: 2,
} as const

export const gate = compileGatePolicy(declared)

const cardFacts: ModelCardFacts = {
  name: 'Card fraud',
  version: '1',
  date: '2018-08-15',
  purpose: 'Stops fraud',
  owner: 'Fraud analytics',
  architecture: 'Boosted trees',
  data: [{ name: 'transactions', description: 'Card payments' }],
  inputs: [{ name: 'TX_AMOUNT', description: 'Amount' }],
  output: 'Probability of fraud',
  outcomes: [{ name: 'decline', description: 'Stopped' }],
  metrics: [{ name: 'average_precision', value: 0.68, low: 0.64, high: 0.72 }],
  users: ['Analysts'],
  useCases: ['Terminals'],
  limitations: ['No e-commerce'],
  tradeoffs: [],
  ethicalConsiderations: [{ name: 'Wrong declines', mitigation: 'Reasons' }],
}

/** A bank with people in it, and the shortest ways to take the steps of a release. */
export async function openBank(stores: ReleaseStores, example = false) {
  const clock = manualClock(1_534_000_000_000_000)
  let drawn = 0
  const random = (length: number) =>
    Uint8Array.from({ length }, () => (drawn = (drawn * 167 + 89) % 251))
  const ids = createIds(clock, random)
  const { unit } = stores
  const log = await createAuditLog(stores.audit, { clock, ids, signer, unit })
  let refuseAction: string | undefined
  const audit: Pick<AuditLog, 'append'> = {
    append: (entry: NewAuditEntry) => {
      if (entry.action === refuseAction) throw new Error('the audit log failed')
      return log.append(entry)
    },
  }
  const events: string[] = []
  const emit = (event: { type: string }) => events.push(event.type)
  const base = { unit, audit, clock, ids, emit }
  const access = createAccess({ ...base, store: stores.access, random })
  const models = createMemoryArtifactStore()
  const registry = createRegistry({ ...base, store: stores.registry, models })
  const governance = createGovernance({ ...base, store: stores.governance, registry, access })
  const afterReviews = createAfterReviews({ ...base, store: stores.governance, access })
  const deployments = createDeployments({
    ...base,
    store: stores.deployments,
    registry,
    governance,
    afterReviews,
  })
  const challengers = createChallengers({
    ...base,
    store: stores.deployments,
    deployments,
    registry,
    governance,
    access,
    afterReviews,
  })

  const system = {
    actor: { id: 'system', name: 'Assay', kind: 'system' as const },
    reason: 'A test',
  }
  const person = (name: string, roles: Role[], kind: Identity['kind'] = 'person') =>
    access.createIdentity({ name, kind, roles }, system)
  const people = {
    trainer: await person('Tess', ['analyst', 'approver']),
    registrar: await person('Rob', ['analyst', 'approver']),
    first: await person('Ann', ['approver']),
    second: await person('Ben', ['approver']),
    operator: await person('Ada', ['administrator', 'approver']),
    reader: await person('Rea', ['reader']),
    script: await person('Example approver (script)', ['approver'], 'script'),
  }
  const enrol = (withGate: CompiledGatePolicy, asExample = example) =>
    governance.enrol(
      {
        model: 'card-fraud',
        project: 'bank',
        example: asExample,
        owner: 'Fraud analytics',
        purpose: 'Stops fraud',
        tier: 'high',
        tierRationale: 'It stops payments',
        gate: withGate,
      },
      system,
    )
  await enrol(gate)

  const register = (name: string): Promise<ModelVersion> =>
    registry.registerVersion(
      {
        model: 'card-fraud',
        project: 'bank',
        kind: 'boosted-trees',
        modelJson: JSON.stringify({ name }),
        build: {
          declaration: name,
          runId: 'run_1',
          snapshots: { transactions: 's1' },
          featureSets: [{ name: 'handbook', version: 'f1' }],
          label: 'fraud',
          learner: {},
          split: {},
          codeRevision: 'c1',
          seed: 1,
        },
        thresholds: {},
        metrics: {},
        trainedBy: [people.trainer.id],
      },
      { actor: people.registrar, reason: 'The better model' },
    )
  const evidenceOf = (version: ModelVersion, more: Partial<Evidence> = {}): Evidence => {
    return {
      model: 'card-fraud',
      version: version.version,
      versionHash: version.hash,
      metrics: { average_precision: { value: 0.68, low: 0.64, high: 0.72, n: 1000 } },
      measuredOn: { transactions: 's1' },
      decisionPolicy: { name: 'card-fraud', hash: 'p1', thresholds: { decline: 0.8, review: 0.4 } },
      card: buildModelCard(cardFacts),
      ...more,
    }
  }
  const approve = (version: ModelVersion, identity: Identity, binds?: string) =>
    governance.giveVerdict(
      { model: 'card-fraud', version: version.version, verdict: 'approve', reason: 'Sound', binds },
      identity.id,
    )
  const deploy = (version: ModelVersion, more: object = {}) =>
    deployments.deploy(
      {
        policy: 'card-fraud',
        policyHash: 'p1',
        document: `doc-${version.version}`,
        model: 'card-fraud',
        version: version.version,
        ...more,
      },
      { actor: people.first, reason: 'Approved' },
    )
  return {
    access,
    registry,
    governance,
    afterReviews,
    deployments,
    challengers,
    log,
    clock,
    people,
    events,
    system,
    enrol,
    register,
    evidenceOf,
    approve,
    deploy,
    failAuditAt: (action: string) => {
      refuseAction = action
    },
    examine: (evidence: Evidence) => governance.examine(evidence, system),
    standing: (version: ModelVersion) => governance.standing('card-fraud', version.version),
    status: async (version: ModelVersion) =>
      (await registry.version('card-fraud', version.version)).status,
    rollback: (version?: number) =>
      deployments.rollback(
        {
          policy: 'card-fraud',
          version,
        },
        {
          actor: people.first,
          reason: 'It declines too much',
        },
      ),
    async approved(name: string, champion?: ModelVersion): Promise<ModelVersion> {
      const version = await register(name)
      const compared = champion && comparisonWith(champion, 0.01)
      await governance.examine(evidenceOf(version, { champion: compared }), system)
      await approve(version, people.first)
      await approve(version, people.second)
      return version
    },
  }
}

export function comparisonWith(champion: ModelVersion, low: number): ChampionComparison {
  return {
    model: champion.model,
    version: champion.version,
    versionHash: champion.hash,
    metric: 'average_precision',
    candidate: 0.68,
    champion: 0.66,
    difference: low + 0.01,
    low,
    high: low + 0.02,
    confidence: 0.95,
    rows: 1000,
  }
}
