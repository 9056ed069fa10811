import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import { createMemoryFileStore, createMemoryPartStore } from './files-memory.ts'
import { fileStoreCases, partStoreCases } from './files-store.cases.ts'

fileStoreCases('the memory', async () => {
  const store = createMemoryFileStore()
  return { store, unit: createMemoryUnitOfWork([store]) }
})

partStoreCases('the memory', async () => createMemoryPartStore())
