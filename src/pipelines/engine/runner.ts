// Runs the steps of a pipeline: those that were run before are looked up, others run side by side, and
// what each found is on disk before the next begins. A run that was broken off is gone on with from
// what is stored.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../lib/clock.ts'
import { contentHash } from '../../lib/hash.ts'
import type { PipelineRun, PipelineRunStore } from '../types.ts'
import { createCodeReader } from './code.ts'
import { continued, leftBehind } from './go-on.ts'
import { createOutside } from './inputs.ts'
import { createLook } from './look.ts'
import { paramsOf, requirePartition, wantedSteps, type RunRequest } from './plan.ts'
import type { PipelineEngineStore, StepRecord } from './records.ts'
import { BrokenOff, type RunContext, type RunnerPorts } from './run-context.ts'
import { openRun, type RunState } from './run-state.ts'
import { runTries } from './tries.ts'

/** The record of a run that is about to begin. Errors: those of its parameters and partition. */
export function newRun(request: RunRequest, { clock, ids }: Pick<RunnerPorts, 'clock' | 'ids'>) {
  const { compiled } = request.pipeline
  const params = paramsOf(compiled, request.params)
  wantedSteps(compiled, request.options)
  requirePartition(request, clock.nowUs())
  const declaration = contentHash(compiled)
  const { partition, options, why, actor, backfill, runner } = request
  return {
    id: ids('pipe'),
    pipeline: compiled.name,
    key: contentHash([declaration, params, partition]),
    status: 'running',
    actor,
    ...(partition !== null && { about: partition }),
    startedAtUs: clock.nowUs(),
    endedAtUs: null,
    steps: [],
    problem: null,
    engine: {
      partition,
      params,
      given: Object.keys(request.params),
      why,
      options,
      backfill,
      declaration,
      counts: {},
      runner,
    },
  } satisfies PipelineRun
}

/**
 * Runs a run to its end, or to where it waits for people, and returns its record. Given a run that was
 * begun before, steps whose key is the same are not run again. Rejects only where the store does:
 * then the run stays as it is stored, and can be gone on with.
 */
export async function runPipelineSteps(
  run: PipelineRun,
  request: RunRequest,
  ports: RunnerPorts,
  signal: AbortSignal,
): Promise<PipelineRun> {
  const { compiled } = request.pipeline
  const { clock, store } = ports
  const known = await store.steps(run.id)
  const code = createCodeReader(request.directory)
  const asked = continued(run, request, { known, code, nowUs: clock.nowUs() })
  if (asked.obstacle !== null) return endUnable(asked.run, asked.obstacle, request.pipeline, ports)
  const begun: PipelineRun = { ...asked.run, status: 'running', endedAtUs: null, problem: null }
  // What an earlier process of this run was writing when it fell.
  await rm(join(ports.scratch, run.id), { recursive: true, force: true })
  // Where the store fails, or the process ends, what else runs is ended too.
  const own = new AbortController()
  const either = AbortSignal.any([signal, own.signal])
  const brokenOff = () => either.reason instanceof BrokenOff
  const state = openRun(begun, compiled, known, { ...ports, brokenOff })
  await state.store(partitionRow(state.run, 'running', clock))
  const context: RunContext = {
    state,
    request,
    ports,
    code,
    outside: createOutside({ ...ports, ...request }),
    signal: either,
  }
  const look = createLook(context, known)
  const running = new Set<Promise<void>>()
  try {
    for (;;) {
      await look.advance()
      while (look.toRun.length > 0 && running.size < compiled.parallel && !signal.aborted) {
        const started = runTries(context, look.toRun.shift()!).finally(() =>
          running.delete(started),
        )
        running.add(started)
      }
      if (running.size === 0) break
      await Promise.race(running)
    }
  } catch (error) {
    own.abort(new BrokenOff('The store of runs failed'))
    await Promise.allSettled(running)
    throw error
  }
  if (brokenOff()) return state.run
  return finish(state, request, ports, signal)
}

async function finish(
  state: RunState,
  request: RunRequest,
  ports: RunnerPorts,
  signal: AbortSignal,
): Promise<PipelineRun> {
  const { clock } = ports
  if (signal.aborted) {
    for (const node of state.nodes) {
      if (node.record.status === 'waiting' || node.record.status === 'held') {
        state.change(node, { status: 'cancelled' })
      }
    }
  }
  const with_ = (status: StepRecord['status']) =>
    state.nodes.filter(({ record }) => record.status === status)
  const failed = with_('failed')
  const held = with_('held')
  const problem = failed.map(({ record }) => `${record.title}: ${record.problem}`).join('\n')
  const status = signal.aborted
    ? 'cancelled'
    : failed.length > 0
      ? 'failed'
      : held.length > 0
        ? 'waiting'
        : 'done'
  const endedAtUs = status === 'waiting' ? null : clock.nowUs()
  state.run = { ...state.run, status, endedAtUs, problem: problem === '' ? null : problem }
  if (status === 'cancelled') state.run = { ...state.run, problem: String(signal.reason) }
  const { compiled } = request.pipeline
  const products = Object.entries(compiled.products).flatMap(([output, { step, output: of }]) => {
    const kept = state.nodes.find((node) => node.step.name === step)?.record.outputs[of]
    if (status !== 'done' || kept === undefined) return []
    const { partition } = request
    return [
      { pipeline: compiled.name, output, partition, kept, runId: state.run.id, atUs: endedAtUs! },
    ]
  })
  const ended = status === 'waiting' ? 'running' : status
  await state.store({ products, ...partitionRow(state.run, ended, clock) })
  await rm(join(ports.scratch, state.run.id), { recursive: true, force: true })
  return state.run
}

/** Ends a run that cannot go on in the project as it is now; `pipeline` is null where it has none. */
export async function endUnable(
  run: PipelineRun,
  problem: string,
  pipeline: RunRequest['pipeline'] | null,
  { store, clock }: Pick<RunnerPorts, 'store' | 'clock'>,
): Promise<PipelineRun> {
  const known = await store.steps(run.id)
  const names = new Set(pipeline?.compiled.steps.map(({ name }) => name))
  const steps = known.map((record) => leftBehind(record, names))
  const counts: Partial<Record<StepRecord['status'], number>> = {}
  for (const { status } of steps) counts[status] = (counts[status] ?? 0) + 1
  const endedAtUs = clock.nowUs()
  const engine = { ...run.engine!, counts }
  const ended = { ...run, status: 'failed', steps: [], problem, endedAtUs, engine } as const
  await store.record({ run: ended, steps, ...partitionRow(ended, 'failed', clock) })
  return ended
}

function partitionRow(
  { engine, id, pipeline }: PipelineRun,
  status: 'running' | 'done' | 'failed' | 'cancelled',
  clock: Clock,
) {
  if (engine?.partition == null) return {}
  return {
    partitions: [{ pipeline, key: engine.partition, status, runId: id, atUs: clock.nowUs() }],
  }
}

const LOOKED_AT = 50

/**
 * Marks runs and backfills of processes that fell: runs can be gone on with, and so is what a backfill
 * has left when it is asked for again. Those of `work` it goes on with itself.
 */
export async function markBrokenOff(
  runs: Pick<PipelineRunStore, 'list' | 'save'>,
  {
    store,
    clock,
    isAlive,
  }: Pick<RunnerPorts, 'clock'> & {
    readonly store: Pick<PipelineEngineStore, 'backfills' | 'saveBackfill'>
    /** Whether what is named as the runner of a run is still there. */
    readonly isAlive: (runner: string) => boolean
  },
): Promise<void> {
  for (const run of await runs.list(LOOKED_AT)) {
    if (run.status !== 'running' || run.engine === undefined) continue
    if (!isAlive(run.engine.runner)) await runs.save({ ...run, status: 'interrupted' })
  }
  for (const state of await store.backfills(LOOKED_AT)) {
    if (state.state !== 'running' || isAlive(state.runner ?? '')) continue
    const problem = 'It was broken off. Ask for it again: what is done is left out.'
    await store.saveBackfill({ ...state, state: 'failed', problem, endedAtUs: clock.nowUs() })
  }
}
