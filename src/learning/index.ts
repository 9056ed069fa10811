/**
 * Learning: matrices in, models and honest figures out.
 *
 * Owns the learners and the format of trained models, scoring (also of models from elsewhere),
 * preparation of tables, tuning, calibration, explanation, evaluation, thresholds, splits and the
 * leakage check. What always holds: the same data, learner and seed give the same model, byte for
 * byte, on every platform; a model is plain JSON that survives a round trip exactly; a row of any
 * other shape is refused; SHAP values and their base add up to the margin; a preparation is fitted
 * on named training rows only; but for the training loss that a model keeps, no figure comes from
 * rows that were learnt from.
 */
export { type Capabilities, capabilitiesOf, taskOf } from './estimator.ts'
export { calibratedModel, crossCalibrate } from './calibration/calibrated.ts'
export {
  applyCalibration,
  calibrate,
  type Calibration,
  type CalibrationKind,
  type MarginsToCalibrate,
} from './calibration/calibration.ts'
export type { CalibratedModel, CalibratedParams, CalibratedSpec } from './calibration/model.ts'
export {
  brierParts,
  type BrierParts,
  type CalibrationBin,
  calibrationTable,
} from './evaluation/calibration.ts'
export {
  type BootstrapOptions,
  cardPrecisionInterval,
  type Estimate,
  pairedDifference,
  rankingIntervals,
} from './evaluation/bootstrap.ts'
export { type CardDays, cardPrecisionAt } from './evaluation/card-precision.ts'
export { costCurve, type CostPoint } from './evaluation/cost-curve.ts'
export { type AreaDifference, delong } from './evaluation/delong.ts'
export {
  freezeThreshold,
  type FrozenThreshold,
  type FrozenThresholdRecord,
  type NamedRows,
} from './evaluation/frozen-threshold.ts'
export { type ConfusionMatrix, confusionMatrix } from './evaluation/multiclass-measures.ts'
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
export { nextFloat32, floorFloat32, previousFloat32 } from './ensemble/float32.ts'
export {
  type Activation,
  decision,
  type EnsembleTree,
  type ImportedHead,
  type ImportedModel,
  type LinearMapModel,
  type ModelSource,
  type Step,
  type TreeEnsembleModel,
} from './ensemble/model.ts'
export {
  type Counterfactual,
  type CounterfactualOptions,
  type CounterfactualResult,
  counterfactuals,
  type CounterfactualTarget,
} from './explanation/counterfactual.ts'
export type { FeatureRule } from './explanation/counterfactual-space.ts'
export { limeExplainer, type LimeExplanation, type LimeOptions } from './explanation/lime.ts'
export { matrixHash } from './explanation/matrix.ts'
export {
  type DependencePoint,
  type PartialDependence,
  partialDependence,
  type PartialDependenceOptions,
} from './explanation/partial-dependence.ts'
export {
  type FeatureImportance,
  type PermutationImportance,
  permutationImportance,
  type PermutationOptions,
} from './explanation/permutation-importance.ts'
export {
  type ReasonCodes,
  reasonCodes,
  type ReasonDeclaration,
  type ToldReason,
} from './explanation/reason-codes.ts'
export { fit } from './fit.ts'
export { nearestCluster } from './k-means/k-means.ts'
export type { KMeansModel, KMeansParams, KMeansSpec } from './k-means/model.ts'
export {
  boostedTrees,
  calibrated,
  isolationForest,
  kMeans,
  linearRegression,
  logisticRegression,
  multinomialRegression,
  oneClassSvm,
  randomForest,
} from './learners.ts'
export {
  type Comparison,
  estimateMeasures,
  type Estimates,
  type MeasureEstimate,
  type ModelResults,
} from './evaluation/estimates.ts'
export {
  type Measure,
  measure,
  type MeasureInfo,
  measureNames,
  measurer,
  measures,
} from './evaluation/measures.ts'
export {
  type BinaryResults,
  type MulticlassResults,
  type RegressionResults,
  type Results,
  unitWeights,
} from './evaluation/results.ts'
export {
  checkLeakage,
  leakageColumns,
  type LeakageInput,
  type LeakageWarning,
} from './leakage/leakage.ts'
export { MODEL_FORMAT } from './model.ts'
export type { OutsidePredictor } from './outside.ts'
export { predictor } from './predictor.ts'
export {
  crossValidate,
  type CrossValidation,
  type FoldFacts,
  resultsOf,
  type TrainTest,
} from './preparation/cross-validation.ts'
export {
  fitPrepared,
  type PreparedModel,
  preparedPredictor,
  type PreparedPredictor,
  type PreparedSpec,
  preparationFor,
} from './preparation/prepared-model.ts'
export {
  type BalanceSpec,
  type ColumnStep,
  dropColumn,
  linearPreparation,
  numericFeature,
  oneHot,
  ordinalCodes,
  preparation,
  type PreparationSpec,
  targetEncoding,
} from './preparation/spec.ts'
export {
  type FittedPreparation,
  fitPreparation,
  type PreparedTraining,
} from './preparation/fit-preparation.ts'
export { type Preparer, preparer } from './preparation/preparer.ts'
export { type FittedRows, rowsHash } from './preparation/rows.ts'
export {
  type CategoryColumn,
  categoryColumn,
  type NumberColumn,
  numberColumn,
  selectTableRows,
  type Table,
  type TableCell,
  type TableColumn,
  tableOf,
  tableOfRecords,
} from './preparation/table.ts'
export type { Target } from './preparation/target.ts'
export {
  type NestedFoldResult,
  type NestedResult,
  nestedTuning,
  type NestedTrainTest,
} from './tuning/nested.ts'
export {
  crossValidationObjective,
  type Objective,
  type ObjectiveOptions,
} from './tuning/objective.ts'
export { type Sampler, tpe } from './tuning/sampler.ts'
export type { Parameter, Setting, Space } from './tuning/space.ts'
export { defaultSpace, learnerWith } from './tuning/spaces.ts'
export { type Schedule, tuning, type TuningSpec } from './tuning/spec.ts'
export {
  type Evaluate,
  tune,
  type TuneOptions,
  type TuningProgress,
  type TuningResult,
  type TuningState,
} from './tuning/tune.ts'
export { type ObjectiveInWorkers, objectiveInWorkers } from './tuning/trial-workers.ts'
export type { Trial } from './tuning/trials.ts'
export {
  type Fold,
  type FoldPlan,
  type FoldRows,
  foldsOf,
  type NestedFold,
  nestedFolds,
} from './splits/folds.ts'
export { fitSparse, type SparseTrainingData } from './linear/fit-sparse.ts'
export { readSparseRow, type SparseMatrix, toSparse } from './linear/sparse.ts'
export { type CoefficientInterval, waldIntervals } from './linear/wald.ts'
export type {
  LinearRegressionModel,
  LinearRegressionParams,
  LinearRegressionSpec,
  LogisticRegressionModel,
  LogisticRegressionParams,
  LogisticRegressionSpec,
  MultinomialRegressionModel,
  MultinomialRegressionParams,
  MultinomialRegressionSpec,
} from './linear/model.ts'
export type {
  CheckedData,
  ExplainOptions,
  Explanation,
  FitOptions,
  FitProgress,
  LearnerSpec,
  MatrixExplanation,
  MarginUnit,
  Predictor,
  Task,
  TrainedModel,
  TrainingData,
  TrainingFacts,
} from './model.ts'
export type { OneClassSvmModel, OneClassSvmParams, OneClassSvmSpec } from './one-class-svm/model.ts'
export type {
  IsolationForestModel,
  IsolationForestParams,
  IsolationForestSpec,
} from './trees/isolation-forest-model.ts'
export type {
  ForestTree,
  NodeFeatures,
  RandomForestModel,
  RandomForestParams,
  RandomForestSpec,
} from './trees/random-forest-model.ts'
export type {
  BoostedTreesModel,
  BoostedTreesParams,
  BoostedTreesSpec,
  CategoryParams,
  EarlyStopping,
  ObjectiveName,
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
} from './splits/time-split.ts'
