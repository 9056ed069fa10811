/** k-means: what it is declared with, and what is kept of it. */
import type { ModelHead } from '../model.ts'

export type KMeansSpec = { readonly kind: 'k-means'; readonly params: KMeansParams }

export type KMeansParams = {
  readonly clusters: number
  /** Whether features are divided by their deviation, so that their units do not matter. */
  readonly standardise: boolean
  /** Runs from different centres, of which the best is kept. */
  readonly starts: number
  /** Most passes over the rows, or most batches, a start. */
  readonly iterations: number
  /** Stop when the centres' squared steps add up to less than this share of the mean variance. */
  readonly tolerance: number
  /** Rows a batch; absent: every step looks at all rows. */
  readonly batchRows?: number
}

export type KMeansModel = ModelHead & {
  readonly kind: 'k-means'
  readonly params: KMeansParams
  /** A feature's training mean, which also stands in for missing values, and what it is divided by. */
  readonly means: readonly number[]
  readonly scales: readonly number[]
  /** One list a cluster, of one number a feature: (value − mean) / scale. */
  readonly centres: readonly (readonly number[])[]
}
