/** One session of ONNX Runtime. It blocks the thread in which it is made and run. */
import * as onnxruntime from 'onnxruntime-node'
import type { InferenceSession } from 'onnxruntime-node'
import type { RunRequest, SessionData } from './protocol.ts'

/** What of the package is used; a test puts another in its place. */
export type Runtime = Pick<typeof onnxruntime, 'InferenceSession' | 'Tensor'>

export interface Session {
  /** The numbers of the output, row after row. */
  run(request: RunRequest): Promise<Float64Array>
  release(): Promise<void>
}

/**
 * A device is used for the whole graph or not at all: what it does not compute is never left to the
 * processor unseen. Throws what the Runtime throws.
 */
export async function openSession(
  { bytes, inputs, output, device }: SessionData,
  runtime: Runtime = onnxruntime,
): Promise<Session> {
  const session = await runtime.InferenceSession.create(bytes, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 4,
    ...(device !== undefined && onDevice(device)),
  })
  const width = inputs.reduce((all, { columns }) => all + columns, 0)
  return {
    async run(request) {
      const results = await session.run(tensorsOf(request, inputs, width, runtime), [output])
      // A copy: the Runtime's own memory cannot be handed over.
      return Float64Array.from(results[output].data as Float32Array | Float64Array)
    },
    release: () => session.release(),
  }
}

function onDevice(device: string): InferenceSession.SessionOptions {
  return {
    executionProviders: [device],
    extra: { session: { disable_cpu_ep_fallback: '1' } },
  }
}

function tensorsOf(
  { rows, values }: RunRequest,
  inputs: SessionData['inputs'],
  width: number,
  { Tensor }: Runtime,
): Record<string, InferenceSession.OnnxValueMapType[string]> {
  const tensors: Record<string, InferenceSession.OnnxValueMapType[string]> = {}
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
  type: SessionData['inputs'][number]['type'],
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
