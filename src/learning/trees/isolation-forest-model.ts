/** Isolation forests: what they are declared with, and what is kept of them. */
import type { ModelHead } from '../model.ts'
import type { Tree } from './model.ts'

/** The sample is small by design: more rows hide what is strange among what is usual. */
export const SAMPLE_ROWS_MAX = 65_536

export type IsolationForestSpec = {
  readonly kind: 'isolation-forest'
  readonly params: IsolationForestParams
}

export type IsolationForestParams = {
  readonly trees: number
  /** Rows that each tree is grown from, drawn without replacement; fewer where there are fewer. */
  readonly sampleRows: number
}

export type IsolationForestModel = ModelHead & {
  readonly kind: 'isolation-forest'
  readonly params: IsolationForestParams
  /** Rows that each tree was grown from. */
  readonly sampleRows: number
  /** The value of a leaf is the length of the path to it, with what is expected below it. */
  readonly trees: readonly Tree[]
}
