/**
 * How much one call may bring and how long texts may be. The same as those of MLflow's client
 * (mlflow/utils/validation.py), so that what it sends fits; characters are UTF-16 code units.
 */
export const trackingLimits = {
  metricsPerBatch: 1000,
  paramsPerBatch: 100,
  tagsPerBatch: 100,
  itemsPerBatch: 1000,
  datasetsPerCall: 1000,
  modelsPerCall: 1000,
  /** Names of metrics, params and tags. */
  name: 250,
  experimentName: 500,
  runName: 1000,
  loggedModelName: 500,
  paramValue: 6000,
  runTagValue: 8000,
  experimentTagValue: 20_000,
  statusMessage: 5000,
  location: 8000,
  datasetName: 500,
  datasetDigest: 36,
  datasetSchema: 1_048_575,
  datasetSource: 65_535,
  datasetProfile: 16_777_215,
  /** Pages. */
  runsPerPage: 50_000,
  experimentsPerPage: 50_000,
  loggedModelsPerPage: 1000,
  historyPerPage: 25_000,
  runsPerHistories: 100,
  pointsPerHistory: 2500,
  /** Experiments that one search may name. */
  experimentsPerSearch: 10_000,
} as const
