/** Models that are computed elsewhere: in another thread, process or machine. */
import type { Matrix } from '../lib/matrix.ts'
import type { Task } from './model.ts'

/**
 * What a `Predictor` is, without waiting on the caller's thread. Answers need not be the same bits on
 * every platform: a policy that has to recompute its decisions bit for bit uses a `Predictor`.
 */
export interface OutsidePredictor {
  readonly task: Task
  /** The features in the order in which a row holds them. */
  readonly features: readonly string[]
  readonly outputs: readonly string[]
  /** The outputs of every row, row after row; the columns are found by name. */
  predictMatrix(x: Matrix): Promise<Float64Array>
  /** Resolves with why, once what computes has ended for good; absent where it cannot. */
  readonly ended?: Promise<Error>
  /** Whether it computes in the thread of its caller after all, which has nothing else to do. */
  readonly blocks?: boolean
  /** Ends what computes; calls that wait are refused. */
  close(): Promise<void>
}
