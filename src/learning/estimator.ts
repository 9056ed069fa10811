/** The estimators, one a learner kind. A new kind is a new entry here and needs no other edit. */
import { boostedTreesEstimator } from './boosted-trees/estimator.ts'
import { logisticRegressionEstimator } from './logistic-regression.ts'
import type { FitOptions, LearnerSpec, Predictor, TrainedModel, TrainingData } from './model.ts'

export interface Estimator<Kind extends LearnerSpec['kind']> {
  /** Learns from data that `fit` has checked. */
  fit(
    spec: Extract<LearnerSpec, { kind: Kind }>,
    data: TrainingData,
    options: FitOptions,
  ): Extract<TrainedModel, { kind: Kind }>
  /** Makes a model ready whose head `predictor` has checked; refuses a damaged body. */
  predictor(model: Extract<TrainedModel, { kind: Kind }>): Predictor
}

export const estimators: { readonly [Kind in LearnerSpec['kind']]: Estimator<Kind> } = {
  'logistic-regression': logisticRegressionEstimator,
  'boosted-trees': boostedTreesEstimator,
}
