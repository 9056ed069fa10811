// What models and pipelines need of the data, so that retention leaves it.
import type { DataInUse } from '../data/index.ts'
import type { PipelineRunStore } from '../pipelines/index.ts'
import type { Registry } from '../registry/index.ts'

/** As many of the newest runs are looked at; older ones have long ended. */
const RUNS_LOOKED_AT = 1000

/** Snapshots that versions were built on, and when the oldest run of a pipeline that has not ended began. */
export async function dataInUse(
  registry: Pick<Registry, 'dataNamed'>,
  pipelines: Pick<PipelineRunStore, 'list'>,
): Promise<DataInUse> {
  // One that waits for people goes on when they have answered.
  const running = (await pipelines.list(RUNS_LOOKED_AT)).filter(
    ({ status }) => status === 'running' || status === 'waiting',
  )
  const began = running.map(({ startedAtUs }) => startedAtUs)
  return {
    hashes: new Set(await registry.dataNamed()),
    runningSinceUs: began.length === 0 ? null : Math.min(...began),
  }
}
