/** A thread with one session of ONNX Runtime: `run` blocks the thread that calls it. */
import { parentPort, workerData } from 'node:worker_threads'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { ThreadMessage } from '../../lib/lasting-threads.ts'
import type { RunRequest, SessionData } from './protocol.ts'

const { bytes, inputs, output } = workerData as SessionData
const width = inputs.reduce((all, { columns }) => all + columns, 0)

function post(message: ThreadMessage<Float64Array>, values?: Float64Array): void {
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
  try {
    const results = await session.run(tensorsOf(request), [output])
    // A copy: the Runtime's own memory cannot be handed over.
    const given = Float64Array.from(results[output].data as Float32Array | Float64Array)
    post({ kind: 'done', answer: given }, given)
  } catch (error) {
    post({ kind: 'failed', reason: reasonOf(error) })
  }
}

function tensorsOf({ rows, values }: RunRequest): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = {}
  let from = 0
  for (const { name, type, isList, columns } of inputs) {
    const start = from
    const valueAt = (_: unknown, at: number) => {
      const row = Math.floor(at / columns)
      return values[row * width + start + (at - row * columns)]
    }
    const dims = isList ? [rows] : [rows, columns]
    tensors[name] = new Tensor(type, listOf(type, { length: rows * columns }, valueAt, name), dims)
    from += columns
  }
  return tensors
}

function listOf(
  type: (typeof inputs)[number]['type'],
  like: ArrayLike<unknown>,
  valueAt: (_: unknown, at: number) => number,
  name: string,
) {
  const whole = (_: unknown, at: number) => {
    const value = valueAt(_, at)
    if (Number.isSafeInteger(value)) return value
    throw new Error(`the input "${name}" takes whole numbers, and got ${value}`)
  }
  if (type === 'float32') return Float32Array.from(like, valueAt)
  if (type === 'float64') return Float64Array.from(like, valueAt)
  if (type === 'int32') return Int32Array.from(like, whole)
  return BigInt64Array.from(like, (_, at) => BigInt(whole(_, at)))
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
