/** What passes between a model and the threads that compute it. */
import type { OnnxInput } from '../../registry/index.ts'

export type SessionData = {
  readonly bytes: Uint8Array
  /** In the order of their columns in a row. */
  readonly inputs: readonly (Omit<OnnxInput, 'columns'> & { readonly columns: number })[]
  readonly output: string
  /** Name of an execution provider; absent: the processor. */
  readonly device?: string
}

/** Rows of numbers, row after row, with the columns of all inputs. */
export type RunRequest = {
  readonly rows: number
  readonly values: Float64Array
}
