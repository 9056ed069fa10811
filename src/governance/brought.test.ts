import { expect, test } from 'vitest'
import { createMemoryAccessStore, systemActor } from '../access/index.ts'
import { manualClock } from '../lib/clock.ts'
import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import { createMemoryRegistryStore, createRegistry } from '../registry/index.ts'
import { createMemoryArtifactStore } from '../tracking/index.ts'
import { sampleEvidence } from './evidence.cases.ts'
import {
  compileGatePolicy,
  createGovernance,
  createMemoryGovernanceStore,
  gatePolicy,
} from './index.ts'

const by = { actor: systemActor, reason: 'Test' }

test('a version that was brought passes no gate and awaits no approval, and it is said why', async () => {
  const stores = {
    registry: createMemoryRegistryStore(),
    governance: createMemoryGovernanceStore(),
  }
  const common = {
    unit: createMemoryUnitOfWork([stores.registry, stores.governance]),
    audit: { append: async () => undefined as never },
    clock: manualClock(1),
    ids: (prefix: string) => `${prefix}_1`,
  }
  const registry = createRegistry({
    ...common,
    store: stores.registry,
    models: createMemoryArtifactStore(),
  })
  const access = { identity: async (id: string) => createMemoryAccessStore().identity(id) }
  const governance = createGovernance({ ...common, store: stores.governance, registry, access })
  await registry.createModel({ name: 'churn' }, by)
  const { hash, version } = await registry.bringVersion({ model: 'churn', source: 's3://b/m' }, by)
  await governance.enrol(
    {
      model: 'churn',
      project: 'bank',
      example: false,
      owner: 'CRM',
      purpose: 'Who leaves',
      tier: 'low',
      tierRationale: 'Few are touched',
      gate: compileGatePolicy(
        gatePolicy('gate', { minimum: { roc_auc: 0.1 }, card: 'complete', approvals: 2 }),
      ),
    },
    by,
  )
  const evidence = { ...sampleEvidence(), model: 'churn', version, versionHash: hash }
  const refused = expect.objectContaining({ code: 'version_brought' })
  await expect(governance.examine(evidence, by)).rejects.toEqual(refused)
  const standing = await governance.standing('churn', version)
  expect(standing.state).toBe('not-gated')
  expect(standing.message).toContain('bound to no features')
  const missing = expect.objectContaining({ code: 'not_approved' })
  await expect(governance.requireApproved('churn', version)).rejects.toEqual(missing)
  expect((await registry.version('churn', version)).status).toBe('candidate')
})
