import { pipelineEngineCases } from '../../pipelines/engine/store.cases.ts'
import { openTemporary } from './temporary.cases.ts'

pipelineEngineCases('SQLite', async () => {
  const { pipelineEngine: store, pipelines: runs, close } = openTemporary()
  return { store, runs, close }
})
