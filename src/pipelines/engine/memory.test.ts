import { createMemoryPipelineRuns } from '../memory.ts'
import { createMemoryEngineStore } from './memory.ts'
import { pipelineEngineCases } from './store.cases.ts'

pipelineEngineCases('memory', async () => {
  const runs = createMemoryPipelineRuns()
  return { runs, store: createMemoryEngineStore(runs), close: async () => {} }
})
