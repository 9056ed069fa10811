// Runs of declared pipelines in a process that stays: a bounded queue, what was broken off is gone on
// with, what waits for people goes on when they have answered, and triggers begin runs by themselves.
import { systemActor, type ChangeBy } from '../../access/index.ts'
import { contentHash } from '../../lib/hash.ts'
import { pipelineErrors } from '../errors.ts'
import type { PipelineRun, PipelineRunStore, RunReason } from '../types.ts'
import { keysBetween, runBackfill, type BackfillCounts } from './backfill.ts'
import type { ParamValue } from './kinds.ts'
import { allSteps, type LoadedPipeline, type RunRequest } from './plan.ts'
import { BrokenOff, newRun, runPipelineSteps, type RunnerPorts } from './runner.ts'

export interface StartPipeline {
  readonly pipeline: string
  readonly params: Readonly<Record<string, ParamValue>>
  readonly partition: string | null
  readonly options?: RunRequest['options'] | undefined
  readonly why: RunReason
}

export interface StartBackfill {
  readonly pipeline: string
  readonly params: Readonly<Record<string, ParamValue>>
  readonly from: string
  readonly to: string
}

/** A backfill as people see it. */
export interface BackfillState extends StartBackfill {
  readonly id: string
  readonly state: 'running' | 'done' | 'failed' | 'cancelled'
  readonly actor: string
  readonly startedAtUs: number
  readonly endedAtUs: number | null
  readonly counts: BackfillCounts | null
  /** Partitions that have ended, of `total`. */
  readonly progress: { readonly done: number; readonly total: number }
  readonly problem: string | null
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
  /** False where there was nothing to stop. */
  cancelBackfill(id: string, by: ChangeBy): Promise<boolean>
  /** Looks again at a run that waited for people, or is to be ended. */
  wake(runId: string): Promise<void>
}

export interface HostPorts extends RunnerPorts {
  readonly runs: Pick<PipelineRunStore, 'get' | 'list'>
  readonly begin: (run: PipelineRun, by: ChangeBy) => Promise<void>
  readonly directory: string
  readonly pipelines: readonly LoadedPipeline[]
  /** Told of what ended a run from outside of it: a defect, or the store was away. */
  readonly onDefect: (error: unknown) => void
}

export const WORK_RUNNER = 'work'
const AT_ONCE = 2
const WAITING_MAX = 100
const LOOKED_AT = 200
const BACKFILLS_KEPT = 100
/** Backfills at once; each runs a few partitions side by side. */
const BACKFILLS_AT_ONCE = 4
const BACKFILLS = 'backfills'

interface Waiting {
  readonly run: PipelineRun
  readonly request: RunRequest
}

export function createPipelineHost(ports: HostPorts) {
  const { store, clock } = ports
  const waiting: Waiting[] = []
  const current = new Map<
    string,
    { readonly abort: AbortController; readonly ended: Promise<void> }
  >()
  const backfills = new Map<string, AbortController>()
  let stopped = false
  let saving: Promise<unknown> = Promise.resolve()

  function next(): void {
    if (stopped || current.size >= AT_ONCE) return
    const first = waiting.shift()
    if (first === undefined) return
    const { run, request } = first
    const abort = new AbortController()
    const ended = runPipelineSteps(run, request, ports, abort.signal)
      .then(() => {}, ports.onDefect)
      .finally(() => {
        current.delete(run.id)
        next()
      })
    current.set(run.id, { abort, ended })
    void endWhenCancelled(run.id)
    next()
  }

  async function endWhenCancelled(runId: string): Promise<void> {
    const running = current.get(runId)
    const found = await store.cancellation(runId).catch(() => undefined)
    if (found === undefined) return
    running?.abort.abort(`Cancelled by ${found.identityName}: ${found.reason}`)
  }

  function pipelineOf(name: string): LoadedPipeline {
    const found = ports.pipelines.find(({ compiled }) => compiled.name === name)
    if (found !== undefined) return found
    throw pipelineErrors.pipeline_unknown(`The project declares no pipeline "${name}".`)
  }

  function requestOf(request: StartPipeline, actor: string): RunRequest {
    const { params, partition, why } = request
    return {
      directory: ports.directory,
      pipeline: pipelineOf(request.pipeline),
      params,
      partition,
      options: request.options ?? allSteps,
      why,
      actor,
      backfill: null,
      runner: WORK_RUNNER,
    }
  }

  async function enqueue(request: RunRequest, by: ChangeBy): Promise<string> {
    if (waiting.length >= WAITING_MAX) {
      throw pipelineErrors.pipeline_runs_full(`${waiting.length} runs wait.`)
    }
    const run = newRun(request, ports)
    await ports.begin(run, by)
    waiting.push({ run, request })
    next()
    return run.id
  }

  /** Puts a recorded run back into the queue, on the pipeline as it is declared now. */
  function goOn(run: PipelineRun): void {
    const loaded = ports.pipelines.find(({ compiled }) => compiled.name === run.pipeline)
    const known = current.has(run.id) || waiting.some((each) => each.run.id === run.id)
    if (run.engine === undefined || loaded === undefined || known) return
    const { params, partition, options, why, backfill } = run.engine
    const { directory } = ports
    const asked = { directory, pipeline: loaded, params, partition, options, why, backfill }
    waiting.push({ run, request: { ...asked, actor: run.actor, runner: WORK_RUNNER } })
  }

  async function keptBackfills(): Promise<BackfillState[]> {
    const text = await store.mark(BACKFILLS)
    return text === undefined ? [] : (JSON.parse(text) as BackfillState[])
  }

  function saveBackfill(state: BackfillState): Promise<void> {
    const saved = saving.then(async () => {
      const others = (await keptBackfills()).filter(({ id }) => id !== state.id)
      await store.setMark(BACKFILLS, JSON.stringify([state, ...others].slice(0, BACKFILLS_KEPT)))
    })
    saving = saved.catch(() => {})
    return saved
  }

  /** `by` begins the runs; whoever asked for the backfill stays the one who may not approve them. */
  async function fill(began: BackfillState, by: ChangeBy): Promise<void> {
    const abort = backfills.get(began.id) ?? new AbortController()
    backfills.set(began.id, abort)
    let state = began
    const why: RunReason = { kind: 'backfill', words: `Backfill ${began.id}` }
    try {
      const asked = requestOf({ ...began, partition: null, why }, began.actor)
      const counts = await runBackfill(
        { ...asked, backfill: began.id, from: began.from, to: began.to },
        {
          ...ports,
          begin: (run) => ports.begin(run, by),
          onPartition(progress) {
            state = { ...state, progress: { done: progress.done, total: progress.total } }
            void saveBackfill(state).catch(ports.onDefect)
          },
        },
        abort.signal,
      )
      if (stopped) return
      const cancelled = abort.signal.aborted ? String(abort.signal.reason) : null
      const ended = cancelled !== null ? 'cancelled' : counts.failed > 0 ? 'failed' : 'done'
      state = { ...state, state: ended, counts, endedAtUs: clock.nowUs(), problem: cancelled }
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      state = { ...state, state: 'failed', endedAtUs: clock.nowUs(), problem }
    } finally {
      backfills.delete(began.id)
    }
    await saveBackfill(state)
  }

  const remote: PipelineRemote = {
    start: async (request, by) => enqueue(requestOf(request, by.actor.id), by),
    async startBackfill(request, by) {
      keysBetween({ ...request, pipeline: pipelineOf(request.pipeline) }, clock.nowUs())
      if (backfills.size >= BACKFILLS_AT_ONCE) {
        throw pipelineErrors.pipeline_runs_full(`${backfills.size} backfills are running.`)
      }
      const state: BackfillState = {
        ...request,
        id: ports.ids('fill'),
        state: 'running',
        actor: by.actor.id,
        startedAtUs: clock.nowUs(),
        endedAtUs: null,
        counts: null,
        progress: { done: 0, total: 0 },
        problem: null,
      }
      backfills.set(state.id, new AbortController())
      try {
        await saveBackfill(state)
      } catch (error) {
        backfills.delete(state.id)
        throw error
      }
      fill(state, by).catch(ports.onDefect)
      return state.id
    },
    async cancelBackfill(id, by) {
      const running = backfills.get(id)
      running?.abort(`Cancelled by ${by.actor.name}: ${by.reason}`)
      return running !== undefined
    },
    async wake(runId) {
      await endWhenCancelled(runId)
      const run = await ports.runs.get(runId)
      if (run?.status === 'waiting') goOn(run)
      next()
    },
  }

  return {
    remote,
    /** Goes on with what this role had begun before it fell, and with what people may have answered. */
    async resume(): Promise<void> {
      for (const run of (await ports.runs.list(LOOKED_AT)).toReversed()) {
        if (run.engine === undefined) continue
        const own = run.engine.runner === WORK_RUNNER
        if (run.engine.backfill !== null) {
          // Its backfill runs the partition again.
          const interrupted = { ...run, status: 'interrupted', steps: [] } as const
          if (own && run.status === 'running') await store.record({ run: interrupted })
          continue
        }
        if (run.status === 'waiting' || (own && run.status === 'running')) goOn(run)
      }
      next()
      for (const state of await keptBackfills()) {
        const reason = 'Going on with a backfill that was broken off'
        if (state.state === 'running') {
          fill(state, { actor: systemActor, reason }).catch(ports.onDefect)
        }
      }
    },
    /** Sees what people asked of runs that go on; to be called about once a second. */
    async look(): Promise<void> {
      for (const runId of current.keys()) await endWhenCancelled(runId)
    },
    /** What a trigger starts. */
    startBy: (pipeline: string, partition: string | null, why: RunReason): Promise<string> =>
      remote.start(
        { pipeline, params: {}, partition, why },
        { actor: systemActor, reason: why.words },
      ),
    async stop(): Promise<void> {
      stopped = true
      waiting.length = 0
      for (const abort of backfills.values()) abort.abort(new BrokenOff('This Assay stops'))
      const reason = new BrokenOff('This Assay stops')
      for (const { abort } of current.values()) abort.abort(reason)
      await Promise.all([...current.values()].map(({ ended }) => ended))
    },
    /** Of the declarations, for whoever asks whether they are still the same. */
    version: contentHash(ports.pipelines.map(({ compiled }) => compiled)),
  }
}

export type PipelineHost = ReturnType<typeof createPipelineHost>
