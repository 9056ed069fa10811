import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import { createMemoryArtifactStore, createMemoryTrackingStore } from './memory.ts'
import { artifactStoreCases, trackingStoreCases } from './store.cases.ts'

trackingStoreCases('the memory', async () => {
  const store = createMemoryTrackingStore()
  return { store, unit: createMemoryUnitOfWork([store]) }
})

artifactStoreCases('the memory', async () => createMemoryArtifactStore())
