// What models and pipelines need of the data, so that retention leaves it.
import type { DataInUse } from '../data/index.ts'
import type { PipelineRunStore } from '../pipelines/index.ts'
import type { Registry } from '../registry/index.ts'

/** As many of the newest runs are looked at; older ones have long ended. */
const RUNS_LOOKED_AT = 1000

/** Snapshots of live and approved versions, and when the oldest run of a pipeline that has not ended began. */
export async function dataInUse(
  registry: Pick<Registry, 'versions'>,
  pipelines: Pick<PipelineRunStore, 'list'>,
): Promise<DataInUse> {
  const versions = (await registry.versions()).filter(
    ({ status }) => status === 'live' || status === 'approved',
  )
  // One that waits for people goes on when they have answered.
  const running = (await pipelines.list(RUNS_LOOKED_AT)).filter(
    ({ status }) => status === 'running' || status === 'waiting',
  )
  const began = running.map(({ startedAtUs }) => startedAtUs)
  return {
    hashes: new Set(versions.flatMap(({ build }) => Object.values(build.snapshots))),
    runningSinceUs: began.length === 0 ? null : Math.min(...began),
  }
}
