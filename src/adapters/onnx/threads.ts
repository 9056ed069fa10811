/** What computes one model: threads that each hold a session of it, or one session where the caller is. */
import { Worker } from 'node:worker_threads'
import { startLastingThreads, type LastingThreads } from '../../lib/lasting-threads.ts'
import { fail } from './errors.ts'
import type { RunRequest, SessionData } from './protocol.ts'

/** Takes a table, gives the numbers of the model. */
export interface Sessions {
  /** Errors: `overloaded` where too many requests wait, `onnx_run_failed`. */
  run: LastingThreads<RunRequest, Float64Array>['run']
  /** Resolves with why, once nothing is answered any more. */
  readonly ended: Promise<Error>
  close(): Promise<void>
}

export type ThreadOptions = {
  readonly threads: number
  readonly queueMax: number
  /** A run that takes longer ends its thread, and another takes its place. */
  readonly runMsMax: number
}

/**
 * Resolves once every thread has loaded the model. Errors: `onnx_model_invalid` where one refuses,
 * `onnx_runtime_missing`, `onnx_device_missing`.
 */
export function startThreads(data: SessionData, options: ThreadOptions): Promise<Sessions> {
  return startLastingThreads({
    ...options,
    start: () => new Worker(new URL('./session-worker.ts', import.meta.url), { workerData: data }),
    fail: {
      refused: (reason, cause) => startError(data, reason, cause),
      failed: (reason) => fail.onnx_run_failed(reason),
      timedOut: (reason) => fail.onnx_run_failed(reason),
    },
  })
}

/** In the thread of the caller, which whoever started that ends where a run hangs. Errors as above. */
export async function openHere(data: SessionData): Promise<Sessions> {
  const session = await openSessionHere(data)
  const ending = Promise.withResolvers<Error>()
  return {
    async run(request) {
      try {
        return await session.run(request)
      } catch (error) {
        throw fail.onnx_run_failed(reasonOf(error), { cause: error })
      }
    },
    ended: ending.promise,
    async close() {
      ending.resolve(fail.onnx_run_failed('It has been closed.'))
      await session.release()
    },
  }
}

async function openSessionHere(data: SessionData) {
  try {
    const { openSession } = await import('./session.ts')
    return await openSession(data)
  } catch (error) {
    throw startError(data, reasonOf(error), error as Error)
  }
}

/** Why it could not begin: most installations leave the Runtime out until it is needed. */
function startError(
  { device }: SessionData,
  reason: string,
  cause?: Error & { readonly code?: string },
): Error {
  if (cause?.code === 'ERR_MODULE_NOT_FOUND' || cause?.code === 'MODULE_NOT_FOUND') {
    return fail.onnx_runtime_missing('The package onnxruntime-node is not there.', { cause })
  }
  if (device !== undefined && /CPU EP/.test(reason)) {
    return fail.onnx_device_missing(
      `${device}: it has no kernel for some operators of the graph, which the processor is not asked for unseen. ${reason}`,
      { cause },
    )
  }
  if (device !== undefined && /provider|backend|adapter/i.test(reason)) {
    return fail.onnx_device_missing(`${device}: ${needsOf(device)} ${reason}`, { cause })
  }
  return fail.onnx_model_invalid(reason, { cause })
}

function needsOf(device: string): string {
  return needs[device] ?? 'this build of ONNX Runtime knows no such device.'
}

/** As onnxruntime-node documents it. */
const needs: Readonly<Record<string, string>> = {
  cuda:
    'it needs Linux on x64, a driver with CUDA 12, cuDNN 9, and the libraries that ' +
    '`npm rebuild onnxruntime-node` fetches (it was installed without them).',
  tensorrt:
    'it needs what cuda needs (Linux on x64, CUDA 12, cuDNN 9, `npm rebuild onnxruntime-node`), and TensorRT 10.',
  dml: 'it needs Windows with DirectX 12.',
  coreml: 'it needs macOS.',
  webgpu: 'it needs a driver of Vulkan, Metal or DirectX 12.',
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
