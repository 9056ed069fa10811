import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import { createMemoryRegistryStore } from './memory.ts'
import { registryStoreCases } from './store.cases.ts'

registryStoreCases('the memory', async () => {
  const store = createMemoryRegistryStore()
  return { store, unit: createMemoryUnitOfWork([store]) }
})
