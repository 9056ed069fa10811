// Models that our own engine does not compute: graphs in ONNX Runtime, models of other servers.
import { openOnnxModel } from '../adapters/onnx/index.ts'
import {
  openRemote,
  outsideRuntime,
  type ModelRuntime,
  type OpenRuntime,
} from '../serving/index.ts'

type OutsideBody = Parameters<OpenRuntime>[0]

export interface OutsideOptions {
  /** Whether a remote model may lie in a private network. */
  readonly allowPrivate: boolean
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
      const { file, features, task } = body
      const named = { ...(features && { features }), ...(task && { task }) }
      const bytes = Buffer.from(file, 'base64')
      return outsideRuntime('onnxruntime', await openOnnxModel(bytes, { ...limits, ...named }))
    }
    case 'remote':
      return openRemote(body, options)
  }
}
