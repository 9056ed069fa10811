import { createMemoryDifferences } from './difference-memory.ts'
import { differenceCases } from './difference.cases.ts'
import { createMemorySnapshots } from './memory.ts'

differenceCases('memory', async () => {
  const snapshots = createMemorySnapshots()
  return { snapshots, differences: createMemoryDifferences(snapshots) }
})
