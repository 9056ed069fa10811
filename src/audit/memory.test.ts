import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import { createMemoryAuditStore } from './memory.ts'
import { auditStoreCases } from './store.cases.ts'

auditStoreCases('the memory', async () => {
  const store = createMemoryAuditStore()
  return { store, unit: createMemoryUnitOfWork([store]) }
})
