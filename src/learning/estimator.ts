/** The estimators, one a learner kind. A new kind is a new entry here and needs no other edit. */
import { logisticRegressionEstimator } from './linear/logistic-regression.ts'
import type {
  CheckedData,
  Explanation,
  FitOptions,
  LearnerSpec,
  Task,
  TrainedModel,
} from './model.ts'
import { boostedTreesEstimator } from './trees/boosted-trees.ts'

/** What an estimator can do, for whoever chooses one. */
export type Capabilities = {
  readonly tasks: readonly Task[]
  /** Whether it takes missing values. */
  readonly missing: boolean
  /** Whether it parts categories without giving them an order. */
  readonly categorical: boolean
  readonly weights: boolean
  readonly earlyStopping: boolean
  /** Whether its models give exact Shapley values. */
  readonly explains: boolean
  readonly threads: boolean
}

export interface Estimator<Kind extends LearnerSpec['kind']> {
  readonly capabilities: Capabilities
  /** What a learner of this spec learns to tell. */
  task(spec: Extract<LearnerSpec, { kind: Kind }>): Task
  /** Learns from data that `fit` has checked. */
  fit(
    spec: Extract<LearnerSpec, { kind: Kind }>,
    data: CheckedData,
    options: FitOptions,
  ): Extract<TrainedModel, { kind: Kind }>
  /** Makes a model ready whose head `predictor` has checked; refuses a damaged body. */
  scorer(model: Extract<TrainedModel, { kind: Kind }>): Scorer
}

/** What an estimator makes of a model; `predictor` wraps it with checks of rows and matrices. */
export interface Scorer {
  readonly task: Task
  readonly outputs: readonly string[]
  /** Writes the margin of each output. */
  margins(row: Float64Array, into: Float64Array): void
  /** Turns margins into outputs, in place. */
  activate(margins: Float64Array): void
  explain?(row: Float64Array, output: number): Explanation
}

export const estimators: { readonly [Kind in LearnerSpec['kind']]: Estimator<Kind> } = {
  'logistic-regression': logisticRegressionEstimator,
  'boosted-trees': boostedTreesEstimator,
}

/** What the learners of a kind can do. */
export function capabilitiesOf(kind: LearnerSpec['kind']): Capabilities {
  return estimators[kind].capabilities
}
