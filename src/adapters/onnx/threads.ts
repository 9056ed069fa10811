/** Threads that each hold a session of one model. */
import { Worker } from 'node:worker_threads'
import { startLastingThreads, type LastingThreads } from '../../lib/lasting-threads.ts'
import { fail } from './errors.ts'
import type { RunRequest, SessionData } from './protocol.ts'

/** Takes a table, gives the numbers of the model; refused where too many requests wait. */
export type SessionThreads = LastingThreads<RunRequest, Float64Array>

export type ThreadOptions = {
  readonly threads: number
  readonly queueMax: number
  /** A run that takes longer ends its thread, and another takes its place. */
  readonly runMsMax: number
}

/** Resolves once every thread has loaded the model. Throws `onnx_model_invalid` where one refuses. */
export function startThreads(data: SessionData, options: ThreadOptions): Promise<SessionThreads> {
  return startLastingThreads({
    ...options,
    start: () => new Worker(new URL('./session-worker.ts', import.meta.url), { workerData: data }),
    fail: {
      refused: startError,
      failed: (reason) => fail.onnx_run_failed(reason),
      timedOut: (reason) => fail.onnx_run_failed(reason),
    },
  })
}

/** Why a thread could not begin: most installations leave the Runtime out until it is needed. */
function startError(reason: string, cause?: Error & { readonly code?: string }): Error {
  return cause?.code === 'ERR_MODULE_NOT_FOUND' || cause?.code === 'MODULE_NOT_FOUND'
    ? fail.onnx_runtime_missing('The package onnxruntime-node is not there.', { cause })
    : fail.onnx_model_invalid(reason, { cause })
}
