/**
 * registry: models, their immutable versions, aliases, and which version was live from when to when.
 *
 * What always holds: a version is named by its model and number and by the hash of its whole
 * record, and only its status ever moves; it records what it takes to train it again; it becomes
 * live from approved alone; every period in which it answered traffic is kept. Model files of other
 * tools are read as data and never run as code; what cannot be computed exactly is refused.
 */
export { createRegistry } from './service.ts'
export type { Registry, RegistryDependencies } from './service.ts'
export { versionHash } from './version-hash.ts'
export { createMemoryRegistryStore } from './memory.ts'
export { registryErrors } from './errors.ts'
export type { RegistryStore } from './ports.ts'
export { formatOf, type ModelFormat, readModelFile, type ReadOptions } from './formats/read.ts'
export { onnxInterface, type OnnxInterface } from './formats/onnx-interface.ts'
export { writeModelFile } from './formats/write.ts'
export type {
  BuildRecord,
  LivePeriod,
  ModelVersion,
  NewVersion,
  RegisteredModel,
  RegistryEvent,
  VersionMetric,
  VersionRegistered,
  VersionStatus,
  VersionStatusChanged,
} from './types.ts'
