// Running a step that must run: its attempts with their waits, and what the last of them comes to.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { AttemptEnd } from './attempts.ts'
import type { CompiledWork } from './compiled.ts'
import type { FoundInput } from './inputs.ts'
import type { AttemptRecord, KeptOutput } from './records.ts'
import {
  failStep,
  sentence,
  type Prepared,
  type RunContext,
  type RunnerPorts,
} from './run-context.ts'
import type { StepResult, StepTask } from './step-run.ts'

/** Runs a step, with its repetitions; what it comes to is stored when this resolves. */
export async function runTries(context: RunContext, prepared: Prepared): Promise<void> {
  const { state, ports, signal } = context
  const { node, step } = prepared
  const startedAtUs = ports.clock.nowUs()
  let waitedMs = 0
  for (let tried = 1; ; tried++) {
    const end = await tryOnce(context, prepared, { startedAtUs, waitedMs })
    const last = tried >= step.retry.attempts || end.end === 'cancelled'
    if (end.end === 'done' || last) {
      await endStep(context, prepared, end).catch((error: unknown) =>
        failStep(context, node, sentence(error)),
      )
      return state.store()
    }
    waitedMs = backoffMs(step, tried, ports)
    state.change(node, { figure: `${end.problem}; again in ${Math.ceil(waitedMs / 1000)} s` })
    await state.store()
    await ports.sleep(waitedMs, signal)
  }
}

/** Doubled each time up to the bound; half of it is chance, so that many do not come back at once. */
function backoffMs(
  { retry }: CompiledWork,
  tried: number,
  { random }: Pick<RunnerPorts, 'random'>,
): number {
  const whole = Math.min(retry.backoffMaxS, retry.backoffS * 2 ** (tried - 1)) * 1000
  return Math.round(whole / 2 + (whole / 2) * random.next())
}

/** One attempt, on record from its beginning to its end. */
async function tryOnce(
  context: RunContext,
  prepared: Prepared,
  { startedAtUs, waitedMs }: { readonly startedAtUs: number; readonly waitedMs: number },
): Promise<AttemptEnd> {
  const { state, ports, signal } = context
  const { node } = prepared
  if (signal.aborted) return { end: 'cancelled', problem: String(signal.reason) }
  const earlier = node.record.attempts
  const now = {
    number: earlier.length + 1,
    startedAtUs: ports.clock.nowUs(),
    waitedMs,
    endedAtUs: null,
    problem: null,
  }
  const begun: AttemptRecord = { ...now, status: 'running' }
  state.change(node, { status: 'running', startedAtUs, attempts: [...earlier, begun] })
  await state.store()
  // What keeps an attempt from being made, such as a full disk, is the step's failure and no other's.
  const end = await attempt(context, prepared, now.number).catch((error: unknown): AttemptEnd => ({
    end: 'failed',
    problem: sentence(error),
  }))
  const problem = end.end === 'done' ? null : end.problem
  const last = { ...now, status: end.end, endedAtUs: ports.clock.nowUs(), problem }
  state.change(node, { attempts: [...earlier, last] })
  return end
}

async function attempt(
  context: RunContext,
  prepared: Prepared,
  number: number,
): Promise<AttemptEnd> {
  const { state, ports, signal } = context
  const { node, step } = prepared
  const directory = join(ports.scratch, state.run.id, `${step.name}.${number}`)
  await rm(directory, { recursive: true, force: true })
  try {
    const before = changedMeanwhile(context, prepared)
    if (before !== undefined) return changedEnd(before, 'since the run looked at it')
    const of = { runId: state.run.id, pipeline: state.run.pipeline, step: step.name }
    const bounds = { timeoutS: step.timeoutS, memoryMb: step.memoryMb }
    const task = await taskOf(context, prepared, directory)
    const end = await ports.attempts.run(
      { ...of, attempt: number, ...bounds, task },
      {
        signal,
        onFigure(figure) {
          state.change(node, { figure })
          ports.onProgress?.({ ...state.run, steps: [] })
        },
      },
    )
    const changed = end.end === 'done' ? changedMeanwhile(context, prepared) : undefined
    const result = changed === undefined ? end : changedEnd(changed, 'while the step read it')
    if (result.end !== 'done') await rm(directory, { recursive: true, force: true })
    return result
  } finally {
    await rm(`${directory}.inputs`, { recursive: true, force: true })
  }
}

/**
 * What the step's key names and is not any more as it was named: a file that it reads, or its code,
 * which its process loads from the disk by itself.
 */
function changedMeanwhile(
  { outside, code, request }: RunContext,
  { inputs, step }: Prepared,
): string | undefined {
  const input = outside.changed(Object.values(inputs))
  if (input !== undefined) return input.source
  const file = code.changed(request.pipeline.files[step.name])
  return file && `code of ${file}`
}

function changedEnd(what: string, when: string): AttemptEnd {
  const problem = `${what} changed ${when}, so that its key would name another result; run it again`
  return { end: 'failed', problem }
}

async function taskOf(
  { ports, state }: RunContext,
  { step, inputs, params }: Prepared,
  directory: string,
): Promise<StepTask> {
  return {
    inputs: await laidOut(inputs, `${directory}.inputs`, ports),
    params,
    env: Object.fromEntries(
      step.env.flatMap((name) => {
        const value = ports.environment.variable(name)
        return value === undefined ? [] : [[name, value] as const]
      }),
    ),
    outputs: step.outputs,
    directory,
    spreads: await spreadsOf(step, state.run.pipeline, ports),
  }
}

/** Kept folders are lists of files; a step gets the files. */
async function laidOut(
  inputs: Readonly<Record<string, FoundInput>>,
  into: string,
  { objects }: Pick<RunnerPorts, 'objects'>,
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

async function spreadsOf(
  step: CompiledWork,
  pipeline: string,
  { store }: Pick<RunnerPorts, 'store'>,
): Promise<StepTask['spreads']> {
  const drifts = Object.values(step.outputs).some(({ checks }) =>
    checks.some(({ check }) => check === 'drift'),
  )
  if (!drifts) return {}
  const spreads: Record<string, Record<string, StepTask['spreads'][string][string]>> = {}
  for (const { output, column, spread } of await store.spreads(pipeline, step.name)) {
    spreads[output] = { ...spreads[output], [column]: spread }
  }
  return spreads
}

async function endStep(
  context: RunContext,
  { node, step, key }: Prepared,
  end: AttemptEnd,
): Promise<void> {
  const { state, ports } = context
  const endedAtUs = ports.clock.nowUs()
  if (end.end === 'cancelled') {
    return state.end(node, { status: 'cancelled', figure: end.problem, endedAtUs })
  }
  if (end.end !== 'done') return failStep(context, node, end.problem)
  const outputs = await adopted(end.result, ports)
  const { checks, figure } = end.result
  const broken = checks.flatMap(({ output, evidence }) =>
    evidence.filter(({ passed }) => !passed).map(({ said }) => `${output}: ${said}`),
  )
  state.change(node, { outputs, checks })
  if (broken.length > 0) {
    return failStep(context, node, `A check does not hold. ${broken.join(' ')}`)
  }
  const { id: runId, pipeline } = state.run
  const madeBy = { runId, pipeline, step: step.name, atUs: endedAtUs }
  state.cache({ key, madeBy, figure, outputs, checks })
  for (const { output, evidence } of checks) {
    for (const { check, spread } of evidence) {
      if (check.check !== 'drift' || spread === undefined) continue
      state.passed({ pipeline, step: step.name, output, column: check.column, spread })
    }
  }
  state.end(node, { status: 'done', figure, endedAtUs })
}

async function adopted(
  { outputs }: StepResult,
  { objects }: Pick<RunnerPorts, 'objects'>,
): Promise<Record<string, KeptOutput>> {
  const all: Record<string, KeptOutput> = {}
  for (const [output, { path, ...facts }] of Object.entries(outputs)) {
    const form = facts.kind === 'folder' ? 'folder' : 'file'
    all[output] = { ...facts, ...(await objects.adopt(path, form)) }
  }
  return all
}
