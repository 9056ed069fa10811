import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import { runViewCases } from './views.cases.ts'
import { createMemoryRunViews } from './views.ts'

runViewCases('the memory', async () => {
  const store = createMemoryRunViews()
  return { store, unit: createMemoryUnitOfWork([store]) }
})
