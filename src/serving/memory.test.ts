import { createMemoryAccessStore } from '../access/index.ts'
import { createMemoryAuditStore } from '../audit/index.ts'
import { createMemoryGovernanceStore } from '../governance/index.ts'
import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import { createMemoryRegistryStore } from '../registry/index.ts'
import { challengerCases } from './challengers.cases.ts'
import { createMemoryDeploymentStore } from './memory.ts'
import { releaseCases } from './release.cases.ts'
import { deploymentStoreCases } from './store.cases.ts'

deploymentStoreCases('the memory', async () => {
  const store = createMemoryDeploymentStore()
  return { store, unit: createMemoryUnitOfWork([store]) }
})

const openRelease = async () => {
  const stores = {
    audit: createMemoryAuditStore(),
    access: createMemoryAccessStore(),
    registry: createMemoryRegistryStore(),
    governance: createMemoryGovernanceStore(),
    deployments: createMemoryDeploymentStore(),
  }
  return { ...stores, unit: createMemoryUnitOfWork(Object.values(stores)) }
}
releaseCases('the memory', openRelease)
challengerCases('the memory', openRelease)
