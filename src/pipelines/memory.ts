import type { PipelineRun, PipelineRunStore } from './types.ts'

/** The in-memory version of the port. */
export function createMemoryPipelineRuns(): PipelineRunStore {
  const runs = new Map<string, PipelineRun>()
  return {
    save: async (run) => {
      runs.set(run.id, run)
    },
    get: async (id) => runs.get(id),
    list: async (limit, pipeline) =>
      [...runs.values()]
        .filter((run) => pipeline === undefined || run.pipeline === pipeline)
        .toSorted((a, b) => b.startedAtUs - a.startedAtUs || (a.id < b.id ? 1 : -1))
        .slice(0, limit),
  }
}
