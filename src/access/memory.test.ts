import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import { createMemoryAccessStore } from './memory.ts'
import { accessStoreCases } from './store.cases.ts'

accessStoreCases('the memory', async () => {
  const store = createMemoryAccessStore()
  return { store, unit: createMemoryUnitOfWork([store]) }
})
