/** A thread with one session of ONNX Runtime: `run` blocks the thread that calls it. */
import { parentPort, workerData } from 'node:worker_threads'
import type { ThreadMessage, ThreadRequest } from '../../lib/lasting-threads.ts'
import type { RunRequest, SessionData } from './protocol.ts'
import { openSession, type Session } from './session.ts'

function post(message: ThreadMessage<Float64Array>, values?: Float64Array): void {
  parentPort!.postMessage(message, values === undefined ? [] : [values.buffer as ArrayBuffer])
}

try {
  const session = await openSession(workerData as SessionData)
  parentPort!.on('message', (asked: ThreadRequest<RunRequest>) => void answer(session, asked))
  post({ kind: 'ready' })
} catch (error) {
  post({ kind: 'refused', reason: reasonOf(error) })
}

async function answer(session: Session, { id, request }: ThreadRequest<RunRequest>): Promise<void> {
  try {
    const given = await session.run(request)
    post({ kind: 'done', id, answer: given }, given)
  } catch (error) {
    post({ kind: 'failed', id, reason: reasonOf(error) })
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
