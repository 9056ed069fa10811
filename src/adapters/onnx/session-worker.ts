/** A thread with one session of ONNX Runtime: `run` blocks the thread that calls it. */
import { parentPort, workerData } from 'node:worker_threads'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { RunRequest, SessionData, SessionMessage } from './protocol.ts'

const { bytes, input, output } = workerData as SessionData

function post(message: SessionMessage, values?: Float32Array): void {
  parentPort!.postMessage(message, values === undefined ? [] : [values.buffer as ArrayBuffer])
}

try {
  const session = await InferenceSession.create(bytes, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 4,
  })
  parentPort!.on('message', (request: RunRequest) => void answer(session, request))
  post({ kind: 'ready' })
} catch (error) {
  post({ kind: 'refused', reason: reasonOf(error) })
}

async function answer(session: InferenceSession, request: RunRequest): Promise<void> {
  const { id, rows, columns, values } = request
  try {
    const table = new Tensor('float32', values, [rows, columns])
    const results = await session.run({ [input]: table }, [output])
    // A copy: the Runtime's own memory cannot be handed over.
    const given = Float32Array.from(results[output].data as Float32Array)
    post({ kind: 'done', id, values: given }, given)
  } catch (error) {
    post({ kind: 'failed', id, reason: reasonOf(error) })
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
