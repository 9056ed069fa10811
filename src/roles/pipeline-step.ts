// The process in which one attempt of a step runs. It loads the project, runs the step on what it was
// told, and answers with what came of it; the engine that started it may end it at any moment.
import { Worker } from 'node:worker_threads'
import { duckdbStepTables } from '../adapters/duckdb/index.ts'
import {
  pipelineErrors,
  runStep,
  type AnyStep,
  type StepResult,
  type StepTask,
} from '../pipelines/index.ts'
import { AssayError } from '../lib/errors.ts'
import { loadPipelines } from '../projects/index.ts'

export interface StepOrder {
  readonly project: string
  readonly pipeline: string
  readonly step: string
  readonly task: StepTask
}

export type StepMessage =
  | { readonly type: 'log' | 'figure'; readonly text: string }
  | { readonly type: 'done'; readonly result: StepResult }
  | { readonly type: 'failed'; readonly problem: string; readonly stack: string }

const LIMITS = { memory: '1GB', threads: 2 }

/** Loads a project and finds a step of it by the names that it has there. */
export async function declaredStep(order: Omit<StepOrder, 'task'>): Promise<AnyStep> {
  const { pipelines } = await loadPipelines(order.project)
  const use = pipelines.find(({ name }) => name === order.pipeline)?.steps[order.step]
  if (use === undefined || use.kind === 'approval-use') {
    throw pipelineErrors.pipeline_unknown(
      `${order.project} declares no step ${order.step} of a pipeline ${order.pipeline}.`,
    )
  }
  return use.step
}

/** Tables as steps read and write them. */
export const stepTables = duckdbStepTables(LIMITS)

if (process.send !== undefined && process.argv[2] === 'attempt') {
  const send = process.send.bind(process) as (message: StepMessage, done?: () => void) => void
  endWithParent()
  const abort = new AbortController()
  process.once('message', (order: StepOrder) => {
    process.once('message', () => abort.abort(new Error('The step was ended.')))
    void attempt(order, send, abort.signal)
  })
}

async function attempt(
  order: StepOrder,
  send: (message: StepMessage, done?: () => void) => void,
  signal: AbortSignal,
): Promise<void> {
  const end = (message: StepMessage) => send(message, () => process.exit(0))
  try {
    const result = await runStep(await declaredStep(order), order.task, {
      tables: stepTables,
      log: (text) => send({ type: 'log', text }),
      report: (text) => send({ type: 'figure', text }),
      signal,
    })
    end({ type: 'done', result })
  } catch (error) {
    const problem = error instanceof AssayError ? error.detail : (error as Error).message
    end({ type: 'failed', problem, stack: String((error as Error).stack ?? error) })
  }
}

/**
 * Nothing outlives the engine that started it, not even a step that never comes back to its event
 * loop: a thread looks whether the parent is still the same, and ends the whole group if not.
 */
function endWithParent(): void {
  process.once('disconnect', () => process.exit(1))
  new Worker(new URL('./pipeline-watch.ts', import.meta.url), { workerData: process.ppid }).unref()
}
