import type { ModelSignature } from './signature.ts'
import type { Tensor } from './tensor.ts'

/**
 * A model made ready to answer, wherever it computes. Cases that every implementation passes:
 * `runtime.cases.ts`.
 */
export interface ModelRuntime {
  /** What computes, in a word: `assay`, `onnxruntime`, or what a remote server calls its own. */
  readonly platform: string
  readonly signature: ModelSignature
  /**
   * The outputs of the signature, in its order, for inputs that `checkInputs` has passed. A promise
   * only where it computes elsewhere: in the process there is nothing to wait for. The inputs must
   * not be changed before the answer is there. Errors: `overloaded`,
   * `inference_failed`, `inference_timeout`, `remote_unavailable`.
   */
  predict(inputs: readonly Tensor[]): readonly Tensor[] | Promise<readonly Tensor[]>
  /** Resolves with why, once what computes has ended for good; absent where it cannot. */
  readonly ended?: Promise<Error>
  /** Whether a promise of `predict` leaves the thread of its caller free; absent: it does. */
  readonly blocks?: boolean
  /** Ends what computes; calls that wait are refused. */
  close(): Promise<void>
}
