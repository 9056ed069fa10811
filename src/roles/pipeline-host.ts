// The declared pipelines of the project, run by `work`: what was broken off is gone on with, triggers
// are looked at, and people's answers wake what waits for them.
import { setTimeout as wait } from 'node:timers/promises'
import type { ChangeBy } from '../access/index.ts'
import { systemClock } from '../lib/clock.ts'
import { isAssayError } from '../lib/errors.ts'
import type { Remote } from '../lib/rpc.ts'
import {
  createPipelineHost,
  createScheduler,
  loadedPipeline,
  pipelineErrors,
  type PipelineRemote,
} from '../pipelines/index.ts'
import type { Home, LoadedDeclarations } from '../projects/index.ts'
import { enginePorts } from './pipeline-engine.ts'
import type { roleLog } from './log.ts'
import type { ServicesForWork } from './services.ts'

const LOOK_EVERY_MS = 1000

type Peers = {
  readonly [
    Name in 'catalog' | 'pipelines' | 'pipelineEngine' | 'pipelineDesk' | 'registry' | 'versions'
  ]: Remote<ServicesForWork[Name]>
}

export interface RunningPipelines {
  readonly remote: PipelineRemote
  stop(): Promise<void>
}

/** Begins with what was broken off. A project without pipelines costs nothing. */
export async function startPipelines(
  { directory, declaration }: Pick<LoadedDeclarations, 'directory' | 'declaration'>,
  home: Home,
  peers: Peers,
  log: ReturnType<typeof roleLog>,
): Promise<RunningPipelines> {
  const declared = 'pipelines' in declaration ? (declaration.pipelines ?? []) : []
  const pipelines = declared.map((each) => loadedPipeline(each))
  const ports = enginePorts({
    home,
    project: directory,
    store: peers.pipelineEngine,
    catalog: peers.catalog,
  })
  const host = createPipelineHost({
    ...ports,
    runs: peers.pipelines,
    begin: (run, by) => peers.pipelineDesk.begin(run, by),
    beginBackfill: (state, by) => peers.pipelineDesk.beginBackfill(state, by),
    endBackfill: (state) => peers.pipelineDesk.endBackfill(state),
    directory,
    pipelines,
    onDefect: (error) => log.error({ error }, 'A pipeline run was broken off'),
  })
  const scheduler = createScheduler({
    pipelines: () => pipelines.map(({ compiled }) => compiled),
    store: peers.pipelineEngine,
    runs: peers.pipelines,
    clock: systemClock,
    versionOf: (kind, name) => (kind === 'data' ? dataVersion(name) : modelVersion(name)),
    start: host.startBy,
    onProblem: (pipeline, error) =>
      log.warn({ error, pipeline }, 'A trigger could not begin a run'),
  })

  async function dataVersion(dataset: string): Promise<string | undefined> {
    try {
      const { versions } = await peers.versions.history(dataset, { limit: 1 })
      return versions[0]?.hash
    } catch (error) {
      if (isAssayError(error, 'dataset_not_found')) return undefined
      throw error
    }
  }

  async function modelVersion(model: string): Promise<string | undefined> {
    const { versions } = await peers.registry.searchVersions({
      filter: { field: { of: 'attribute', name: 'model' }, op: '=', value: model },
      prompts: 'without',
      order: [],
      limit: 1,
    })
    return versions[0] && `${versions[0].version.version}`
  }

  const stopped = new AbortController()
  const loop = (async () => {
    while (!stopped.signal.aborted) {
      await wait(LOOK_EVERY_MS, undefined, { signal: stopped.signal }).catch(() => {})
      if (stopped.signal.aborted) return
      await host.look()
      await scheduler.tick()
    }
  })()
  if (pipelines.length > 0) await host.resume()
  return {
    remote: host.remote,
    async stop() {
      stopped.abort()
      await loop.catch(() => {})
      await host.stop()
    },
  }
}

/** The service of `work`, which is there before the project is loaded. */
export function pipelineService(running: () => RunningPipelines | undefined): PipelineRemote {
  const host = (): PipelineRemote => {
    const found = running()
    if (found !== undefined) return found.remote
    throw pipelineErrors.pipeline_unknown('The project is still being loaded.')
  }
  return {
    start: async (request, by: ChangeBy) => host().start(request, by),
    startBackfill: async (request, by: ChangeBy) => host().startBackfill(request, by),
    // What waits is looked at when the project is there.
    wake: async (id) => running()?.remote.wake(id),
  }
}
