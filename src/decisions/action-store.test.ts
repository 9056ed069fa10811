import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import { createMemoryActionStore } from './action-store.ts'
import { actionStoreCases } from './action-store.cases.ts'

actionStoreCases('the memory', async () => {
  const store = createMemoryActionStore()
  return { store, unit: createMemoryUnitOfWork([store]) }
})
