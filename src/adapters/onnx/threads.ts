/** Threads that each hold a session of one model, and the requests that wait for them. */
import { Worker } from 'node:worker_threads'
import { generalErrors } from '../../lib/errors.ts'
import { fail } from './errors.ts'
import type { RunRequest, SessionData, SessionMessage } from './protocol.ts'

export interface SessionThreads {
  /** The numbers that the model gives for a table; refused where too many requests wait. */
  run(table: Omit<RunRequest, 'id'>): Promise<Float32Array>
  close(): Promise<void>
}

type Waiting = {
  readonly request: RunRequest
  readonly resolve: (values: Float32Array) => void
  readonly reject: (error: Error) => void
}

type Thread = { readonly worker: Worker; busy: Waiting | undefined; timer?: NodeJS.Timeout }

/** Why a thread could not begin: most installations leave the Runtime out until it is needed. */
function startError(cause: Error & { readonly code?: string }): Error {
  return cause.code === 'ERR_MODULE_NOT_FOUND' || cause.code === 'MODULE_NOT_FOUND'
    ? fail.onnx_runtime_missing('The package onnxruntime-node is not there.', { cause })
    : fail.onnx_model_invalid(cause.message, { cause })
}

export type ThreadOptions = {
  readonly threads: number
  /** Requests that may wait beyond those that are computed. */
  readonly queueMax: number
  /** A run that takes longer ends its thread, and with it the model. */
  readonly runMsMax: number
}

/** Resolves once every thread has loaded the model. Throws `onnx_model_invalid` where one refuses. */
export async function startThreads(
  data: SessionData,
  options: ThreadOptions,
): Promise<SessionThreads> {
  const queue: Waiting[] = []
  const threads: Thread[] = []
  let ended: Error | undefined
  let count = 0

  function end(error: Error): void {
    ended ??= error
    for (const thread of threads) {
      clearTimeout(thread.timer)
      thread.busy?.reject(ended)
      thread.busy = undefined
    }
    for (const waiting of queue.splice(0)) waiting.reject(ended)
  }

  async function close(error: Error): Promise<void> {
    end(error)
    await Promise.all(threads.map(({ worker }) => worker.terminate()))
  }

  function give(thread: Thread): void {
    const next = queue.shift()
    thread.busy = next
    if (next === undefined) return thread.worker.unref()
    thread.worker.ref()
    const { request } = next
    thread.timer = setTimeout(() => {
      const detail = `A run of ${request.rows} rows took more than ${options.runMsMax} ms.`
      void close(fail.onnx_run_failed(detail))
    }, options.runMsMax)
    thread.worker.postMessage(request, [request.values.buffer as ArrayBuffer])
  }

  function finish(thread: Thread, message: SessionMessage): void {
    const waiting = thread.busy
    clearTimeout(thread.timer)
    if (message.kind === 'done') waiting?.resolve(message.values)
    if (message.kind === 'failed') waiting?.reject(fail.onnx_run_failed(message.reason))
    give(thread)
  }

  async function start(): Promise<void> {
    const worker = new Worker(new URL('./session-worker.ts', import.meta.url), { workerData: data })
    const thread: Thread = { worker, busy: undefined }
    threads.push(thread)
    await new Promise<void>((resolve, reject) => {
      worker.on('error', (cause: unknown) => {
        const error = cause instanceof Error ? cause : new Error(String(cause))
        end(fail.onnx_run_failed(error.message, { cause: error }))
        reject(startError(error))
      })
      worker.on('exit', () => end(fail.onnx_run_failed('A thread of the model has ended.')))
      worker.on('message', (message: SessionMessage) => {
        if (message.kind === 'refused') reject(fail.onnx_model_invalid(message.reason))
        else if (message.kind === 'ready') resolve()
        else finish(thread, message)
      })
    })
    worker.unref()
  }

  try {
    await Promise.all(Array.from({ length: options.threads }, start))
  } catch (error) {
    await close(error as Error)
    throw error
  }

  return {
    run(table) {
      if (ended !== undefined) return Promise.reject(ended)
      const idle = threads.find(({ busy }) => busy === undefined)
      if (idle === undefined && queue.length >= options.queueMax) {
        const detail = `${queue.length} requests wait for the model.`
        return Promise.reject(generalErrors.overloaded(detail, { extra: { retryAfter: 1 } }))
      }
      return new Promise((resolve, reject) => {
        queue.push({ request: { id: count++, ...table }, resolve, reject })
        if (idle !== undefined) give(idle)
      })
    },
    close: () => close(fail.onnx_run_failed('The model has been closed.')),
  }
}
