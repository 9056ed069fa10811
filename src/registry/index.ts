/**
 * registry: models and their immutable versions, trained here or brought from elsewhere; what people
 * write on them (descriptions, tags, stages, aliases); which version was live from when to when; and
 * the webhooks by which other systems hear of changes.
 *
 * What always holds: a version is named by its model and number and by the hash of its whole
 * record, of which only the status ever moves; a version trained here records what it takes to train
 * it again; it becomes live from approved alone, and a brought one never; every period in which it
 * answered traffic is kept, and so is where each alias pointed; no number is given twice. A notice is
 * kept in the transaction of its change. Model files of other tools are read as data and never run as
 * code; what cannot be computed exactly is refused.
 */
export { createRegistry } from './service.ts'
export type { Registry, RegistryDependencies } from './service.ts'
export type { SourceFacts, SourceFiles, SourceReader } from './brought.ts'
export { recordOf, versionHash } from './version-hash.ts'
export { isKept } from './status.ts'
export { isPrompt, originOf, promptTag, stages } from './types.ts'
export { createMemoryRegistryStore } from './memory.ts'
export { createModelFiles, type ModelFiles } from './model-files.ts'
export { registryErrors } from './errors.ts'
export type { RegistryStore } from './ports.ts'
export { formatOf, type ModelFormat, readModelFile, type ReadOptions } from './formats/read.ts'
export { onnxInterface, type OnnxInput, type OnnxInterface } from './formats/onnx-interface.ts'
export { writeModelFile } from './formats/write.ts'
export {
  describeLogged,
  examineLogged,
  type DescribeOptions,
  type LoggedDescription,
  type LoggedFiles,
} from './logged/describe.ts'
export { openLogged, type LoggedPredictor, type LoggedRow } from './logged/open.ts'
export {
  parseMlmodel,
  type Mlmodel,
  type Signature,
  type SignatureColumn,
} from './logged/mlmodel.ts'
export type {
  AliasPeriod,
  BroughtVersion,
  BuildRecord,
  Champions,
  FirstVersions,
  LabelledVersion,
  LivePeriod,
  ModelVersion,
  NewBroughtVersion,
  NewVersion,
  Origin,
  RegisteredModel,
  RegistryEvent,
  RunVersion,
  Stage,
  StatusCounts,
  TrainingInput,
  VersionLabels,
  VersionMetric,
  VersionName,
  VersionRegistered,
  VersionStatus,
  VersionStatusChanged,
} from './types.ts'
export {
  differenceGroups,
  versionDifference,
  type Change,
  type DifferenceGroup,
  type DifferenceGroupName,
  type DifferenceRow,
  type VersionDifference,
} from './difference.ts'
export { modelOrder, versionOrder } from './search.ts'
export type {
  ModelAttribute,
  ModelField,
  ModelSearch,
  VersionField,
  VersionOrderField,
  VersionSearch,
} from './search.ts'
export { createTrackingSources } from './tracking-sources.ts'
export { createWebhooks, isDelivered, signatureOf, type Webhooks } from './webhooks/service.ts'
export { createMemoryWebhookStore } from './webhooks/memory.ts'
export { createSeal } from './webhooks/seal.ts'
export { type AddressPolicy, checkedUrl, hostOf } from './webhooks/address.ts'
export { checkedLookup, createWebhookSender } from './webhooks/send.ts'
export { webhookEvents, type Notice } from './webhooks/notices.ts'
export type { WebhookStore } from './webhooks/ports.ts'
export type {
  Delivery,
  DeliveryState,
  StoredWebhook,
  Webhook,
  WebhookEvent,
  WebhookRequest,
  WebhookSender,
  WebhookStatus,
} from './webhooks/types.ts'
