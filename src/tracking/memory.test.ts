import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import { createMemoryArtifactStore, createMemoryTrackingStore } from './memory.ts'
import { trackingListCases } from './lists.cases.ts'
import { runSearchCases } from './search.cases.ts'
import { artifactStoreCases, trackingStoreCases } from './store.cases.ts'

const open = async () => {
  const store = createMemoryTrackingStore()
  return { store, unit: createMemoryUnitOfWork([store]) }
}

trackingStoreCases('the memory', open)
runSearchCases('the memory', open)
trackingListCases('the memory', open)

artifactStoreCases('the memory', async () => createMemoryArtifactStore())
