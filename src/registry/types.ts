export type VersionStatus = 'candidate' | 'refused' | 'approved' | 'live' | 'retired'

/** What it takes to train the version again, and to know what it was trained on. */
export interface BuildRecord {
  /** The model's declared name in its project, e.g. `boosted-trees`. */
  readonly declaration: string
  readonly runId: string
  /** Data snapshot of each source and label set it was trained on: name → content hash. */
  readonly snapshots: Readonly<Record<string, string>>
  readonly featureSets: readonly { readonly name: string; readonly version: string }[]
  readonly label: string
  readonly learner: unknown
  readonly split: unknown
  readonly codeRevision: string
  readonly seed: number | string
}

export interface VersionMetric {
  readonly value: number
  readonly low?: number | undefined
  readonly high?: number | undefined
  readonly n?: number | undefined
}

export interface NewVersion {
  /** The registered model, e.g. `card-fraud`; made when it is new. */
  readonly model: string
  readonly project: string
  /** Model kind as its JSON names it, e.g. `boosted-trees`. */
  readonly kind: string
  /** The model itself. Models are data (design.md, "Models are data"). */
  readonly modelJson: string
  readonly build: BuildRecord
  /** Outcome thresholds on the score, e.g. `{ decline: 0.83, review: 0.41 }`. */
  readonly thresholds: Readonly<Record<string, number>>
  readonly metrics: Readonly<Record<string, VersionMetric>>
  /** Identity ids of those who trained it. */
  readonly trainedBy: readonly string[]
}

/** One immutable version; only `status` moves. Named `model` and `version` (1, 2, …). */
export interface ModelVersion extends Omit<NewVersion, 'modelJson'> {
  readonly version: number
  /** SHA-256 of the model JSON: what a decision records. */
  readonly modelHash: string
  /** Content hash of the whole immutable record: what an approval binds. */
  readonly hash: string
  readonly registeredBy: string
  readonly registeredAtUs: number
  readonly status: VersionStatus
  readonly statusReason: string
}

export interface RegisteredModel {
  readonly name: string
  readonly project: string
  readonly createdAtUs: number
  readonly createdBy: string
}

/** When a version answered traffic; `toUs` is missing while it still does. */
export interface LivePeriod {
  readonly model: string
  readonly version: number
  /** The decision policy it served. */
  readonly policy: string
  readonly fromUs: number
  readonly toUs?: number | undefined
  readonly startedBy: string
  readonly endedBy?: string | undefined
}

/** Emitted after a status moved. */
export interface VersionStatusChanged {
  readonly type: 'registry.version-status-changed'
  readonly model: string
  readonly version: number
  readonly from: VersionStatus
  readonly to: VersionStatus
}

export interface VersionRegistered {
  readonly type: 'registry.version-registered'
  readonly model: string
  readonly version: number
}

export type RegistryEvent = VersionRegistered | VersionStatusChanged
