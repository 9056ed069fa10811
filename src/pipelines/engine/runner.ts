// Runs the steps of a pipeline: those that were run before are looked up, others run side by side, and
// what each found is on disk before the next begins. A run that was broken off is gone on with from
// what is stored.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../lib/clock.ts'
import { contentHash } from '../../lib/hash.ts'
import { AssayError } from '../../lib/errors.ts'
import type { Ids } from '../../lib/ids.ts'
import type { Random } from '../../lib/random.ts'
import { pipelineErrors } from '../errors.ts'
import type { PipelineRun, PipelineRunStore } from '../types.ts'
import type { AttemptEnd, StepAttempts } from './attempts.ts'
import { heldApproval, verdictOf } from './approvals.ts'
import { createCodeReader } from './code.ts'
import type { CompiledInput, CompiledWork } from './compiled.ts'
import { hitAnswer, whyAnew } from './explain.ts'
import { createOutside, keptInput, type DatasetVersions, type FoundInput } from './inputs.ts'
import type { PipelineObjects } from './objects.ts'
import {
  keyOf,
  keyParts,
  paramsOf,
  requirePartition,
  stepParams,
  wantedSteps,
  type Environment,
  type RunRequest,
  type Wanted,
} from './plan.ts'
import type { KeptOutput, PipelineEngineStore, StepRecord } from './records.ts'
import { openRun, type Node, type RunState } from './run-state.ts'
import type { StepResult, StepTask } from './step-run.ts'

export interface RunnerPorts {
  readonly store: Omit<PipelineEngineStore, 'answer' | 'cancel'>
  readonly objects: PipelineObjects
  readonly attempts: StepAttempts
  readonly datasets: DatasetVersions
  readonly clock: Clock
  readonly ids: Ids
  /** For the jitter of waits. */
  readonly random: Random
  /** Ends early, without failing, when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  /** A folder on the disk of `objects`. */
  readonly scratch: string
  readonly environment: Environment
  readonly digests: Map<string, { readonly mark: string; readonly digest: string }>
  readonly onProgress?: (run: PipelineRun) => void
  /** Told of what happened to steps and runs, after it is stored; must not throw. */
  readonly observe?: (event: RunnerEvent) => void
}

export type RunnerEvent =
  | { readonly type: 'run'; readonly run: PipelineRun; readonly request: RunRequest }
  | { readonly type: 'step'; readonly run: PipelineRun; readonly record: StepRecord }

/** Why a run is left as it is stored, to be gone on with: its process ends. */
export class BrokenOff extends Error {}

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
    engine: { partition, params, why, options, backfill, declaration, counts: {}, runner },
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
  const begun: PipelineRun = { ...run, status: 'running', endedAtUs: null, problem: null }
  // Where the store fails, or the process ends, what else runs is ended too.
  const own = new AbortController()
  const either = AbortSignal.any([signal, own.signal])
  const brokenOff = () => either.reason instanceof BrokenOff
  const state = openRun(begun, compiled, known, { ...ports, brokenOff })
  await state.store(partitionRow(state.run, 'running', clock))
  ports.observe?.({ type: 'run', run: state.run, request })
  const work = createWork(state, request, ports, { signal: either, known })
  const running = new Set<Promise<void>>()
  try {
    for (;;) {
      await work.advance()
      while (work.toRun.length > 0 && running.size < compiled.parallel && !signal.aborted) {
        const started = work.start(work.toRun.shift()!).finally(() => running.delete(started))
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
  ports.observe?.({ type: 'run', run: state.run, request })
  return state.run
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

/** Marks runs of commands that fell: they can be gone on with. Those of `work` it goes on with itself. */
export async function markBrokenOff(runs: Pick<PipelineRunStore, 'list' | 'save'>): Promise<void> {
  for (const run of await runs.list(LOOKED_AT)) {
    const byCommand = run.engine?.runner.startsWith('command') === true
    if (run.status === 'running' && byCommand) await runs.save({ ...run, status: 'interrupted' })
  }
}

interface Prepared {
  readonly node: Node
  readonly step: CompiledWork
  readonly inputs: Readonly<Record<string, FoundInput>>
  readonly params: StepTask['params']
  readonly key: string
}

function createWork(
  state: RunState,
  request: RunRequest,
  ports: RunnerPorts,
  { signal, known }: { readonly signal: AbortSignal; readonly known: readonly StepRecord[] },
) {
  const { clock, objects, store } = ports
  const { compiled, files } = request.pipeline
  const params = paramsOf(compiled, request.params)
  const wanted = wantedSteps(compiled, request.options)
  const code = createCodeReader(request.directory)
  const outside = createOutside({ ...ports, ...request })
  const before = new Map(known.map((record) => [record.step, record]))
  const toRun: Prepared[] = []

  /** Looks at all that is ready, until only steps that must run are left. */
  async function advance(): Promise<void> {
    for (let node = state.ready.shift(); node !== undefined; node = state.ready.shift()) {
      if (signal.aborted) return
      await look(node).catch((error: unknown) => failStep(node, sentence(error)))
      if (state.full()) await state.store()
    }
  }

  async function look(node: Node): Promise<void> {
    const bad = node.before.find(
      ({ record }) => record.status !== 'done' && record.status !== 'cached',
    )
    const want = wanted.get(node.step.name) ?? 'as-known'
    if (bad !== undefined || want === 'left-out') {
      const why = bad === undefined ? 'not asked for' : `${bad.record.title} has not ended well`
      return state.end(node, { status: 'skipped', figure: why })
    }
    const inputs = await findInputs(node)
    if (node.step.kind === 'approval') return lookAtApproval(node, inputs)
    await lookUp(node, node.step, inputs, want)
  }

  async function lookUp(
    node: Node,
    step: CompiledWork,
    inputs: Readonly<Record<string, FoundInput>>,
    want: Wanted,
  ): Promise<void> {
    const own = stepParams(step, params, request.partition)
    const digests = Object.entries(inputs).map(([name, { digest }]) => [name, digest] as const)
    const parts = keyParts(step, {
      file: files[step.name],
      code,
      params: own,
      inputs: Object.fromEntries(digests),
      environment: ports.environment,
    })
    const key = keyOf(parts)
    const read = readInputs(inputs)
    const mayLook = want === 'known-only' || (want === 'as-known' && step.cache)
    // What this very run has done before it was broken off counts, whatever was asked for.
    const earlier = before.get(step.name)
    const own_ = earlier?.status === 'done' && earlier.key === key ? earlier : undefined
    const entry = mayLook || own_ !== undefined ? await store.cached(key) : undefined
    if (entry !== undefined && (await kept(entry.outputs))) {
      const { figure, outputs, checks } = entry
      if (own_ !== undefined) return state.end(node, { ...own_, attempts: node.record.attempts })
      const cache = hitAnswer(entry.madeBy)
      const nowUs = clock.nowUs()
      const at = { startedAtUs: nowUs, endedAtUs: nowUs }
      const all = { status: 'cached', key, cache, figure, outputs, checks, inputs: read } as const
      return state.end(node, { ...all, ...at })
    }
    const removed = entry !== undefined
    const cache = await whyAnew({ pipeline: compiled.name, step, parts, removed, want }, store)
    if (want === 'known-only') {
      const why = cache.words.join('; ')
      throw pipelineErrors.pipeline_step_failed(`It would have to run (${why}); leave --only out.`)
    }
    state.change(node, { key, parts, cache, inputs: read })
    toRun.push({ node, step, inputs, params: own, key })
  }

  async function lookAtApproval(
    node: Node,
    inputs: Readonly<Record<string, FoundInput>>,
  ): Promise<void> {
    if (node.step.kind !== 'approval') return
    const approval = heldApproval(node.step, inputs)
    const verdict = verdictOf(approval, node.step.name, await store.answers(state.run.id))
    const nowUs = clock.nowUs()
    const read = readInputs(inputs)
    const common = { approval, inputs: read, figure: verdict.words, startedAtUs: nowUs }
    if (verdict.status === 'held') return state.change(node, { ...common, status: 'held' })
    const problem = verdict.status === 'failed' ? verdict.words : null
    state.end(node, { ...common, status: verdict.status, problem, endedAtUs: nowUs })
  }

  async function findInputs(node: Node): Promise<Record<string, FoundInput>> {
    const found: Record<string, FoundInput> = {}
    for (const [name, input] of Object.entries(node.step.inputs)) {
      found[name] = input.from === 'step' ? ofStep(node, input) : await outside.find(input)
    }
    return found
  }

  function ofStep(
    node: Node,
    { step, output }: CompiledInput & { readonly from: 'step' },
  ): FoundInput {
    const made = node.before.find((each) => each.step.name === step)?.record.outputs[output]
    if (made === undefined) throw new Error(`${step} has no output ${output}.`)
    return { ...keptInput(made, objects), source: `step ${step}/${output}`, watched: null }
  }

  async function kept(outputs: Readonly<Record<string, KeptOutput>>): Promise<boolean> {
    const found = Object.values(outputs).map(({ digest }) => objects.has(digest))
    return (await Promise.all(found)).every(Boolean)
  }

  /** Runs a step, with its repetitions; what it comes to is stored when this resolves. */
  async function start(prepared: Prepared): Promise<void> {
    const { node, step } = prepared
    const startedAtUs = clock.nowUs()
    let waitedMs = 0
    for (let tried = 1; ; tried++) {
      const end = await attempt(prepared, startedAtUs, waitedMs)
      const last = tried >= step.retry.attempts || end.end === 'cancelled'
      if (end.end === 'done' || last) {
        await ended(prepared, end).catch((error: unknown) => failStep(node, sentence(error)))
        await state.store()
        return ports.observe?.({ type: 'step', run: state.run, record: node.record })
      }
      waitedMs = backoffMs(step, tried)
      state.change(node, { figure: `${end.problem}; again in ${Math.ceil(waitedMs / 1000)} s` })
      await state.store()
      await ports.sleep(waitedMs, signal)
    }
  }

  /** Doubled each time up to the bound; half of it is chance, so that many do not come back at once. */
  function backoffMs({ retry }: CompiledWork, tried: number): number {
    const whole = Math.min(retry.backoffMaxS, retry.backoffS * 2 ** (tried - 1)) * 1000
    return Math.round(whole / 2 + (whole / 2) * ports.random.next())
  }

  async function attempt(
    { node, step, inputs, params: own }: Prepared,
    startedAtUs: number,
    waitedMs: number,
  ): Promise<AttemptEnd> {
    if (signal.aborted) return { end: 'cancelled', problem: String(signal.reason) }
    const number = node.record.attempts.length + 1
    const now = { number, startedAtUs: clock.nowUs(), waitedMs, endedAtUs: null, problem: null }
    const attempts = [...node.record.attempts, { ...now, status: 'running' as const }]
    state.change(node, { status: 'running', startedAtUs, attempts })
    await state.store()
    const directory = join(ports.scratch, state.run.id, `${step.name}.${number}`)
    await rm(directory, { recursive: true, force: true })
    const task: StepTask = {
      inputs: await laidOut(inputs, `${directory}.inputs`),
      params: own,
      env: variables(step),
      outputs: step.outputs,
      directory,
      spreads: await spreadsOf(step),
    }
    const of = { runId: state.run.id, pipeline: compiled.name, step: step.name, attempt: number }
    const bounds = { timeoutS: step.timeoutS, memoryMb: step.memoryMb }
    const end = await ports.attempts.run(
      { ...of, ...bounds, task },
      {
        signal,
        onFigure(figure) {
          state.change(node, { figure })
          ports.onProgress?.({ ...state.run, steps: [] })
        },
      },
    )
    const changed = outside.changed(Object.values(inputs))
    const result: AttemptEnd =
      end.end === 'done' && changed !== undefined
        ? { end: 'failed', problem: `${changed.source} changed while the step read it` }
        : end
    const problem = result.end === 'done' ? null : result.problem
    const last = { ...now, status: result.end, endedAtUs: clock.nowUs(), problem }
    state.change(node, { attempts: [...attempts.slice(0, -1), last] })
    await rm(`${directory}.inputs`, { recursive: true, force: true })
    if (result.end !== 'done') await rm(directory, { recursive: true, force: true })
    return result
  }

  function variables(step: CompiledWork): Record<string, string> {
    return Object.fromEntries(
      step.env.flatMap((name) => {
        const value = ports.environment.variable(name)
        return value === undefined ? [] : [[name, value] as const]
      }),
    )
  }

  /** Kept folders are lists of files; a step gets the files. */
  async function laidOut(
    inputs: Readonly<Record<string, FoundInput>>,
    into: string,
  ): Promise<StepTask['inputs']> {
    const laid: Record<string, StepTask['inputs'][string]> = {}
    for (const [name, { kind, digest, paths, source }] of Object.entries(inputs)) {
      const isKept = kind === 'folder' && !source.startsWith('folder ')
      const path = join(into, name)
      if (isKept) await objects.layOut(digest, path)
      laid[name] = { kind, digest, paths: isKept ? [path] : paths }
    }
    return laid
  }

  async function spreadsOf(step: CompiledWork): Promise<StepTask['spreads']> {
    const drifts = Object.values(step.outputs).some(({ checks }) =>
      checks.some(({ check }) => check === 'drift'),
    )
    if (!drifts) return {}
    const spreads: Record<string, Record<string, StepTask['spreads'][string][string]>> = {}
    for (const { output, column, spread } of await store.spreads(compiled.name, step.name)) {
      spreads[output] = { ...spreads[output], [column]: spread }
    }
    return spreads
  }

  async function ended({ node, step, key }: Prepared, end: AttemptEnd): Promise<void> {
    const endedAtUs = clock.nowUs()
    if (end.end === 'cancelled') {
      return state.end(node, { status: 'cancelled', figure: end.problem, endedAtUs })
    }
    if (end.end !== 'done') return failStep(node, end.problem)
    const outputs = await adopted(end.result)
    const { checks, figure } = end.result
    const broken = checks.flatMap(({ output, evidence }) =>
      evidence.filter(({ passed }) => !passed).map(({ said }) => `${output}: ${said}`),
    )
    state.change(node, { outputs, checks })
    if (broken.length > 0) return failStep(node, `A check does not hold. ${broken.join(' ')}`)
    const { id: runId, pipeline } = state.run
    state.cache({
      key,
      madeBy: { runId, pipeline, step: step.name, atUs: endedAtUs },
      figure,
      outputs,
      checks,
    })
    for (const { output, evidence } of checks) {
      for (const { check, spread } of evidence) {
        if (check.check !== 'drift' || spread === undefined) continue
        state.passed({ pipeline, step: step.name, output, column: check.column, spread })
      }
    }
    state.end(node, { status: 'done', figure, endedAtUs })
  }

  async function adopted({ outputs }: StepResult): Promise<Record<string, KeptOutput>> {
    const all: Record<string, KeptOutput> = {}
    for (const [output, { path, ...facts }] of Object.entries(outputs)) {
      const form = facts.kind === 'folder' ? 'folder' : 'file'
      all[output] = { ...facts, ...(await objects.adopt(path, form)) }
    }
    return all
  }

  function failStep(node: Node, problem: string): void {
    const endedAtUs = clock.nowUs()
    state.end(node, { status: 'failed', figure: problem, problem, endedAtUs })
  }

  return { advance, start, toRun }
}

function readInputs(inputs: Readonly<Record<string, FoundInput>>): StepRecord['inputs'] {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { kind, digest, source }]) => [
      name,
      { kind, digest, source },
    ]),
  )
}

function sentence(error: unknown): string {
  if (error instanceof AssayError) return error.detail
  return error instanceof Error ? error.message : String(error)
}
