/**
 * serving: what answers each decision policy, now and at any time before; and models made ready to
 * answer (`prediction/`), wherever they compute.
 *
 * What always holds: only an approved version goes live, with exactly the decision policy and
 * thresholds that were approved with it; a roll-back brings back an earlier deployment as it was
 * approved then; at every instant at most one deployment answers a policy, and none is forgotten. A
 * model is called ready only after it gave the answers that it was published with, and sees no
 * request that does not fit its signature.
 */
export { createChallengers, documentsOf } from './challengers.ts'
export type { ChallengeRequest, Challengers, Compose } from './challengers.ts'
export { usualGuards } from './challenger-spec.ts'
export { championOf, createDeployments, leftBehind } from './deployments.ts'
export type { Deployments, DeploymentsDependencies } from './deployments.ts'
export { createMemoryDeploymentStore } from './memory.ts'
export { servingErrors } from './errors.ts'
export type { DeploymentStore } from './ports.ts'
export type {
  CanaryStep,
  ChallengerGuards,
  ChallengerSpec,
  ChallengerTraffic,
  Deployment,
  DeploymentAction,
  DeploymentChanged,
  DeployRequest,
  Proposal,
  RollbackRequest,
  Suspension,
} from './types.ts'
export {
  createModelHost,
  type GoldenReader,
  type HostedModel,
  type LoadingHost,
  type ModelHost,
  openRuntime,
  type OpenRuntime,
  runtimeOf,
} from './prediction/host.ts'
export type { ModelState } from './prediction/keep-ready.ts'
export { compareGolden } from './prediction/golden.ts'
export type { ModelRuntime } from './prediction/ports.ts'
export { checkInputs, type ModelSignature, type TensorSpec } from './prediction/signature.ts'
export {
  type Datatype,
  isDatatype,
  isFloating,
  type NumberType,
  numberTypes,
  sizeOf,
  type Tensor,
} from './prediction/tensor.ts'
export {
  type Golden,
  plainTensor,
  readServedModel,
  type ServedBody,
  type ServedModel,
  writeServedModel,
} from './prediction/document.ts'
export { openRemote, type RemoteOptions } from './prediction/remote-runtime.ts'
export {
  type CatalogueEntry,
  publishServedModel,
  readCatalogue,
  writeCatalogue,
} from './prediction/catalogue.ts'
export { createPublishedHost, type PublishedHost } from './prediction/published-host.ts'
export { createModelThreads, serveModelThread } from './prediction/thread-runtime.ts'
export { refuseNaN } from './prediction/answers.ts'
export { bindInputs } from './prediction/bind.ts'
export { bodyOfFile } from './prediction/file.ts'
export { outsideRuntime } from './prediction/engine-runtime.ts'
export { GOLDEN_ROWS, goldenFor, goldenOf } from './prediction/warm-up.ts'
export { chancesOf, rowInputs, rowTensors } from './prediction/chances.ts'
export {
  openProgress,
  type BatchFacts,
  type BatchPart,
  type BatchProgress,
  type NewBatchPart,
} from './batch/progress.ts'
export {
  openBatchModel,
  type BatchColumn,
  type BatchColumns,
  type BatchModel,
  type RowReason,
} from './batch/model.ts'
