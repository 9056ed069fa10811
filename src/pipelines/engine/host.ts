// Runs of declared pipelines in a process that stays: what was broken off is gone on with, what waits
// for people goes on when they have answered, and triggers begin runs by themselves.
import { systemActor, type ChangeBy } from '../../access/index.ts'
import { contentHash } from '../../lib/hash.ts'
import { pipelineErrors } from '../errors.ts'
import type { PipelineRun, PipelineRunStore, RunReason } from '../types.ts'
import { createBackfills } from './backfills.ts'
import type { PipelineDesk } from './desk.ts'
import type { ParamValue } from './kinds.ts'
import { allSteps, type LoadedPipeline, type RunRequest } from './plan.ts'
import { createRunQueue } from './queue.ts'
import type { StartBackfill } from './records.ts'
import { BrokenOff, type RunnerPorts } from './run-context.ts'

export interface StartPipeline {
  readonly pipeline: string
  readonly params: Readonly<Record<string, ParamValue>>
  readonly partition: string | null
  readonly options?: RunRequest['options'] | undefined
  readonly why: RunReason
}

/** The rpc service `pipelines` of `work`. */
export interface PipelineRemote {
  /** The id of the run. Errors: `pipeline_unknown`, `pipeline_value_invalid`, `pipeline_runs_full`. */
  start(request: StartPipeline, by: ChangeBy): Promise<string>
  /**
   * Begins runs of the partitions from one to another; its id. Errors: `pipeline_unknown`,
   * `pipeline_value_invalid` where a key is none of the pipeline's, `pipeline_runs_full`.
   */
  startBackfill(request: StartBackfill, by: ChangeBy): Promise<string>
  /** Looks again at a run that waited for people, or at a run or backfill that is to be ended. */
  wake(id: string): Promise<void>
}

export interface HostPorts
  extends RunnerPorts, Pick<PipelineDesk, 'begin' | 'beginBackfill' | 'endBackfill'> {
  readonly runs: Pick<PipelineRunStore, 'get' | 'list'>
  readonly directory: string
  readonly pipelines: readonly LoadedPipeline[]
  /** Told of what ended a run from outside of it: a defect, or the store was away. */
  readonly onDefect: (error: unknown) => void
}

export const WORK_RUNNER = 'work'
const LOOKED_AT = 200

export function createPipelineHost(ports: HostPorts) {
  const queue = createRunQueue(ports, WORK_RUNNER)
  const backfills = createBackfills(ports, {
    requestOf: (asked, actor) => requestOf({ ...asked, partition: null }, actor),
    runner: WORK_RUNNER,
  })

  function requestOf(request: StartPipeline, actor: string): RunRequest {
    const { params, partition, why } = request
    const pipeline = ports.pipelines.find(({ compiled }) => compiled.name === request.pipeline)
    if (pipeline === undefined) {
      throw pipelineErrors.pipeline_unknown(
        `The project declares no pipeline "${request.pipeline}".`,
      )
    }
    return {
      directory: ports.directory,
      pipeline,
      params,
      partition,
      options: request.options ?? allSteps,
      why,
      actor,
      backfill: null,
      runner: WORK_RUNNER,
    }
  }

  const remote: PipelineRemote = {
    start: async (request, by) => queue.enqueue(requestOf(request, by.actor.id), by),
    startBackfill: backfills.start,
    async wake(id) {
      await queue.endWhenCancelled(id)
      await backfills.endWhenCancelled(id)
      const run = await ports.runs.get(id)
      if (run?.status === 'waiting') await queue.goOn(run)
      queue.next()
    },
  }

  /** A run that an earlier process of this role had begun, or that waits for people. */
  async function resumeRun(run: PipelineRun): Promise<void> {
    if (run.engine === undefined) return
    const own = run.engine.runner === WORK_RUNNER
    if (run.engine.backfill !== null) {
      // Its backfill runs the partition again.
      const interrupted = { ...run, status: 'interrupted', steps: [] } as const
      if (own && run.status === 'running') await ports.store.record({ run: interrupted })
    } else if (run.status === 'waiting' || (own && run.status === 'running')) {
      await queue.goOn(run)
    }
  }

  return {
    remote,
    /** Goes on with what this role had begun before it fell, and with what people may have answered. */
    async resume(): Promise<void> {
      for (const run of (await ports.runs.list(LOOKED_AT)).toReversed()) await resumeRun(run)
      queue.next()
      await backfills.resume()
    },
    /** Sees what people asked of what goes on; to be called about once a second. */
    async look(): Promise<void> {
      await queue.look()
      await backfills.look()
    },
    /** What a trigger starts. */
    startBy: (pipeline: string, partition: string | null, why: RunReason): Promise<string> =>
      remote.start(
        { pipeline, params: {}, partition, why },
        { actor: systemActor, reason: why.words },
      ),
    async stop(): Promise<void> {
      const reason = new BrokenOff('This Assay stops')
      await Promise.all([backfills.stop(reason), queue.stop(reason)])
    },
    /** Of the declarations, for whoever asks whether they are still the same. */
    version: contentHash(ports.pipelines.map(({ compiled }) => compiled)),
  }
}

export type PipelineHost = ReturnType<typeof createPipelineHost>
