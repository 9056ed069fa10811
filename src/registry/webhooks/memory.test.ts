import { createMemoryUnitOfWork } from '../../lib/unit-of-work.ts'
import { createMemoryWebhookStore } from './memory.ts'
import { webhookStoreCases } from './store.cases.ts'

webhookStoreCases('the memory', async () => {
  const store = createMemoryWebhookStore()
  return { store, unit: createMemoryUnitOfWork([store]) }
})
