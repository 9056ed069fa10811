// A bank in memory whose models learn in milliseconds, for tests of training and registering.
import type { Access, Identity } from '../src/access/index.ts'
import { systemActor } from '../src/access/index.ts'
import { compileLabels, compileSource } from '../src/data/index.ts'
import { compilePolicy } from '../src/decisions/index.ts'
import { compileFeatureSet } from '../src/features/index.ts'
import {
  compileGatePolicy,
  createGovernance,
  createMemoryGovernanceStore,
} from '../src/governance/index.ts'
import { boostedTrees, logisticRegression, timeSplit } from '../src/learning/index.ts'
import { manualClock } from '../src/lib/clock.ts'
import { createIds } from '../src/lib/ids.ts'
import { createRandom } from '../src/lib/random.ts'
import { parseTimestamp } from '../src/lib/time.ts'
import { createMemoryUnitOfWork } from '../src/lib/unit-of-work.ts'
import { createMemoryRegistryStore, createRegistry } from '../src/registry/index.ts'
import {
  createMemoryArtifactStore,
  createMemoryPartStore,
  createMemoryTrackingStore,
  createTracking,
} from '../src/tracking/index.ts'
import { behaviour, fraud, payments, policy } from './small-bank.ts'
import type { FlowProject } from '../src/pipelines/flows/plan.ts'
import type { TrainingTable } from '../src/pipelines/flows/train.ts'

export const by = { actor: systemActor, reason: 'A test' }
export const where = { codeRevision: 'assay 0.1.0, files a', environment: 'node 26' }
/** When the bank's clock begins. */
export const FIRST_US = parseTimestamp('2024-06-01T00:00:00Z')!

const features = compileFeatureSet(behaviour)
const split = { train: ['2024-01-01', '2024-02-01'], test: ['2024-02-10', '2024-03-01'] } as const

export function bankProject(over: Partial<FlowProject> = {}, withCustomers = true): FlowProject {
  const model = { description: '', featureSets: [features.name], label: fraud.name }
  return {
    name: 'small-bank',
    version: 'v1',
    example: true,
    owner: 'Tests',
    sources: [compileSource(payments)],
    labels: [compileLabels(fraud)],
    featureSets: [features],
    models: [
      { name: 'trees', ...model, learner: boostedTrees({ trees: 4, depth: 3, learningRate: 0.3 }) },
      { name: 'logistic', ...model, learner: logisticRegression({ c: 1 }) },
    ],
    split: timeSplit({
      train: [...split.train],
      delay: '1d',
      test: [...split.test],
      ...(withCustomers && { dropKnown: 'customer' }),
    }),
    gates: [
      compileGatePolicy({
        kind: 'gate-policy',
        name: 'small-gate',
        minimum: { roc_auc: 0.5 },
        champion: { metric: 'roc_auc', margin: 0.5 },
        card: 'complete',
        approvals: 2,
      }),
    ],
    policies: [
      compilePolicy({
        ...policy,
        thresholds: {
          decline: { kind: 'precision-at-least', precision: 0.6 },
          review: { kind: 'alerts-per-day', alerts: 2 },
        },
      }),
    ],
    seed: 7,
    registeredModel: {
      name: 'card-fraud',
      purpose: 'Stops fraud',
      users: ['Tests'],
      limitations: ['It is small'],
      ethicalConsiderations: ['A customer may be declined'],
      tier: 'low',
      tierRationale: 'Nobody loses money',
    },
    replay: null,
    approvers: [],
    ...over,
  }
}

/** Rows of which the amount tells most, from the first day of training to the last of the test. */
export function paymentsTable({
  seed,
  withCustomers = true,
}: {
  readonly seed: number
  readonly withCustomers?: boolean
}): TrainingTable {
  const random = createRandom(seed)
  const rows = 600
  const names = features.features.map(({ name }) => name)
  const columns = names.map(() => Float64Array.from({ length: rows }, () => random.int(1000)))
  // Every so often nothing is known.
  columns[1][random.int(rows)] = NaN
  const fromUs = parseTimestamp(`${split.train[0]}T00:00:00Z`)!
  const untilUs = parseTimestamp(`${split.test[1]}T00:00:00Z`)!
  const stepUs = Math.floor((untilUs - fromUs) / rows)
  // Some follow from nothing, so that no model tells all of them.
  const label = Float64Array.from(columns[0], (amount) =>
    amount + random.int(600) > 1200 || random.int(8) === 0 ? 1 : 0,
  )
  label[random.int(rows)] = NaN
  return {
    features: { names, rows, columns },
    eventTimeUs: Float64Array.from({ length: rows }, (_, row) => fromUs + row * stepUs),
    label,
    customer: withCustomers
      ? Float64Array.from({ length: rows }, () => random.int(300))
      : undefined,
    snapshots: [
      { dataset: 'payments', hash: 'a' },
      { dataset: 'fraud', hash: `${seed}` },
    ],
  }
}

export type Bank = ReturnType<typeof bank>

/** The rooms that the flow uses, over stores in memory. */
export function bank() {
  const clock = manualClock(FIRST_US)
  let drawn = 0
  const random = (length: number) =>
    Uint8Array.from({ length }, () => (drawn = (drawn * 167 + 89) % 251))
  const stores = {
    tracking: createMemoryTrackingStore(),
    registry: createMemoryRegistryStore(),
    governance: createMemoryGovernanceStore(),
  }
  const base = {
    clock,
    ids: createIds(clock, random),
    unit: createMemoryUnitOfWork(Object.values(stores)),
    audit: { append: async () => undefined as never },
  }
  const identities = new Map<string, Identity>()
  const access: Pick<Access, 'identity' | 'ensureIdentity'> = {
    identity: async (id) => identities.get(id),
    async ensureIdentity({ name, kind, roles }) {
      const identity = { id: name, name, kind, roles, createdAtUs: clock.nowUs() } as Identity
      identities.set(name, identity)
      return identity
    },
  }
  const artifacts = createMemoryArtifactStore()
  const tracking = createTracking({
    ...base,
    store: stores.tracking,
    artifacts,
    parts: createMemoryPartStore(),
    random,
  })
  const models = createMemoryArtifactStore()
  const registry = createRegistry({ ...base, store: stores.registry, models })
  const governance = createGovernance({ ...base, store: stores.governance, registry, access })
  return { clock, access, tracking, registry, governance, artifacts }
}
