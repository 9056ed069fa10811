import { runViewCases } from '../../tracking/views.cases.ts'
import { openForTest } from './temporary.cases.ts'

runViewCases('SQLite', async () => {
  const { runViews, unit } = openForTest()
  return { store: runViews, unit }
})
