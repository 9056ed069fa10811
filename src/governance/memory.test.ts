import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import { createMemoryGovernanceStore } from './memory.ts'
import { governanceStoreCases } from './store.cases.ts'

governanceStoreCases('the memory', async () => {
  const store = createMemoryGovernanceStore()
  return { store, unit: createMemoryUnitOfWork([store]) }
})
