/**
 * Learning: matrices in, models and honest figures out.
 *
 * Owns the learners, the format of trained models, scoring, explanation, evaluation, thresholds
 * and the time split. What always holds: the same data, learner and seed give the same model,
 * byte for byte, on every platform; a model is plain JSON that survives a round trip exactly; a
 * row of any other shape is refused; SHAP values and their base add up to the margin; no figure
 * comes from rows that were learnt from.
 */
export { type CalibrationBin, calibrationTable } from './evaluation/calibration.ts'
export {
  type BootstrapOptions,
  cardPrecisionInterval,
  type Estimate,
  pairedDifference,
  rankingIntervals,
} from './evaluation/bootstrap.ts'
export { type CardDays, cardPrecisionAt } from './evaluation/card-precision.ts'
export {
  averagePrecision,
  type PrecisionRecallPoint,
  precisionRecallCurve,
  rank,
  type Ranking,
  rankingMetrics,
  type RankingMetrics,
  rocAuc,
  rocCurve,
  type RocPoint,
} from './evaluation/ranking.ts'
export {
  chooseThreshold,
  type ThresholdChoice,
  type ThresholdData,
  thresholdEffect,
  type ThresholdEffect,
  type ThresholdRule,
} from './evaluation/threshold.ts'
export { type Capabilities, capabilitiesOf } from './estimator.ts'
export { fit } from './fit.ts'
export { boostedTrees, logisticRegression } from './learners.ts'
export { MODEL_FORMAT } from './model.ts'
export { predictor } from './predictor.ts'
export type {
  LogisticRegressionModel,
  LogisticRegressionParams,
  LogisticRegressionSpec,
} from './linear/model.ts'
export type {
  CheckedData,
  Explanation,
  FitOptions,
  FitProgress,
  LearnerSpec,
  Predictor,
  Task,
  TrainedModel,
  TrainingData,
  TrainingFacts,
} from './model.ts'
export type {
  BoostedTreesModel,
  BoostedTreesParams,
  BoostedTreesSpec,
  EarlyStopping,
  Tree,
} from './trees/model.ts'
export {
  type Period,
  shiftSplit,
  splitRows,
  type SplitRows,
  timeSplit,
  type TimeSplit,
  type TimeSplitDeclaration,
} from './split.ts'
