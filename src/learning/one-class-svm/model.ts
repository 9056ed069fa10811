/** One-class support vector machines: what they are declared with, and what is kept of them. */
import type { ModelHead } from '../model.ts'

export type OneClassSvmSpec = { readonly kind: 'one-class-svm'; readonly params: OneClassSvmParams }

export type OneClassSvmParams = {
  /** Share of the training rows that may lie outside, in (0, 1]. */
  readonly nu: number
  /**
   * The kernel is exp(−gamma · squared distance) of standardised rows; "scale": 1 / the sum of the
   * standardised features' variances.
   */
  readonly gamma: 'scale' | number
  /** Random frequencies that stand for the kernel; its error falls with their square root. */
  readonly frequencies: number
  /** Steps of the descent, a row each. */
  readonly steps: number
}

export type OneClassSvmModel = ModelHead & {
  readonly kind: 'one-class-svm'
  readonly params: OneClassSvmParams
  /** A feature's training mean, which also stands in for missing values, and deviation. */
  readonly means: readonly number[]
  readonly scales: readonly number[]
  /** One list a frequency, of one number a feature: half turns a deviation. */
  readonly frequencies: readonly (readonly number[])[]
  /** What each frequency's cosine and sine are multiplied by. */
  readonly cosines: readonly number[]
  readonly sines: readonly number[]
  /** The score is this less the sum. */
  readonly offset: number
}
