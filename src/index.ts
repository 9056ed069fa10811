/**
 * The public API: what a bank's project imports. Re-exports only; docs/decisions/0006 says why it
 * looks as it does, and `test/public-api.test.ts` keeps its surface.
 */
export {
  arrivalTime,
  boolean,
  category,
  check,
  eventTime,
  id,
  integer,
  key,
  labels,
  money,
  number,
  source,
  text,
} from './data/index.ts'
export { featureSet, finance, graphSnapshots, market } from './features/index.ts'
export {
  boostedTrees,
  calibrated,
  logisticRegression,
  randomForest,
  timeSplit,
} from './learning/index.ts'
export { gatePolicy } from './governance/index.ts'
export { action, decisionPolicy, list, rule, typology } from './decisions/index.ts'
export {
  approval,
  cron,
  freshness,
  given,
  onData,
  onModel,
  partitionBy,
  pipeline,
  step,
} from './pipelines/index.ts'
export { logStream } from './logs/index.ts'
export { featureProject, model, pipelineProject, project, streamProject } from './projects/index.ts'
export { createRandom, type Random } from './lib/random.ts'
export { AssayError } from './lib/errors.ts'
