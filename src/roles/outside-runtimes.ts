// Models that our own engine does not compute: graphs in ONNX Runtime, models of other servers.
import { openOnnxModel } from '../adapters/onnx/index.ts'
import {
  openRemote,
  outsideRuntime,
  type ModelRuntime,
  type OpenRuntime,
} from '../serving/index.ts'

export type OutsideBody = Parameters<OpenRuntime>[0]

export interface OutsideOptions {
  /** Whether a remote model may lie in a private network. */
  readonly allowPrivate: boolean
  /** Whether a graph is computed in this very thread, which is there for nothing else. */
  readonly here?: boolean
  /** Of a remote model, from a request to the end of its answer; absent: that of `openRemote`. */
  readonly deadlineMs?: number
}

/** Whether models in a private network may be asked by what decides here. */
export function allowsPrivate(): boolean {
  return process.env['ASSAY_MODELS_PRIVATE'] === 'allow'
}

/** How long a graph may take over one request, and how many may wait. */
const limits = { runMsMax: 5_000, queueMax: 64 }

/** Errors: those of ONNX Runtime and of `openRemote`. */
export async function openOutside(
  body: OutsideBody,
  options: OutsideOptions,
): Promise<ModelRuntime> {
  switch (body.kind) {
    case 'onnx': {
      const { file, features, task, device } = body
      const { here = false } = options
      const named = {
        ...(features && { features }),
        ...(task && { task }),
        ...(device && { device }),
      }
      const bytes = Buffer.from(file, 'base64')
      const model = await openOnnxModel(bytes, { ...limits, ...named, here })
      return outsideRuntime('onnxruntime', model)
    }
    case 'remote':
      return openRemote(body, options)
  }
}
