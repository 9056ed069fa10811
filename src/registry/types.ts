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
  /** What its code ran in, in words, or the hash of its conda or requirements file; where known. */
  readonly environment?: string | undefined
}

/**
 * What is known of a version whose model was made elsewhere and brought here by a client. Its build
 * record holds what the client said of the run; what nobody said is empty ('', {}, []).
 */
export interface BroughtVersion {
  /** Where the client says the files lie: `runs:/…`, `models:/…`, `mlflow-artifacts:/…`, any URI. */
  readonly source: string
  readonly loggedModelId?: string | undefined
  readonly runLink?: string | undefined
  /** The form of its files: `xgboost-json`, `lightgbm-text`, `onnx`, a flavour, or `unknown`. */
  readonly format: string
  /** Names and types of inputs, outputs and parameters, as the client logged them. */
  readonly signature?: unknown
  /** Path below the source → SHA-256. Empty where the files are not kept here. */
  readonly files: Readonly<Record<string, string>>
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
  /**
   * SHA-256 of the model JSON: what a decision records. Of a brought version the content hash of
   * its manifest of files.
   */
  readonly modelHash: string
  /** Only of versions that were brought from elsewhere; those that Assay built have none. */
  readonly brought?: BroughtVersion | undefined
  /** The name under which it was registered, where its model was renamed since. */
  readonly registeredAs?: string | undefined
  /** Content hash of the whole immutable record: what an approval binds. */
  readonly hash: string
  readonly registeredBy: string
  readonly registeredAtUs: number
  readonly status: VersionStatus
  readonly statusReason: string
}

/** What names a version. */
export type VersionName = Pick<ModelVersion, 'model' | 'version'>

/** A run and a version that came of it. */
export interface RunVersion extends VersionName {
  readonly runId: string
}

/** A thing that versions are trained on: snapshots of a data set, versions of a feature set. */
export interface TrainingInput {
  readonly kind: 'snapshot' | 'feature-set'
  readonly name: string
  /** Any, where none is given. */
  readonly hash?: string | undefined
}

/** The first of the versions that fit, by model and then the newest; whether there are more. */
export interface FirstVersions {
  readonly versions: readonly VersionName[]
  readonly more: boolean
}

/** How many versions have each status; none is no member. */
export type StatusCounts = Readonly<Partial<Record<VersionStatus, number>>>

export interface RegisteredModel {
  readonly name: string
  /** Empty where no project declares it. */
  readonly project: string
  readonly createdAtUs: number
  readonly createdBy: string
  readonly description?: string | undefined
  readonly tags: Readonly<Record<string, string>>
  readonly updatedAtUs: number
  readonly deletedAtUs?: number | undefined
}

/** A label from before aliases; it steers nothing. */
export const stages = ['none', 'staging', 'production', 'archived'] as const
export type Stage = (typeof stages)[number]

/** What people write on a version. It may change, so no hash covers it. */
export interface VersionLabels {
  readonly description?: string | undefined
  readonly stage: Stage
  readonly tags: Readonly<Record<string, string>>
  readonly updatedAtUs: number
  readonly deletedAtUs?: number | undefined
}

export interface LabelledVersion {
  readonly version: ModelVersion
  readonly labels: VersionLabels
  /** By name. */
  readonly aliases: readonly string[]
}

/** A model that a client brings; everything it says of it besides the files. */
export interface NewBroughtVersion {
  readonly model: string
  readonly source: string
  readonly runId?: string | undefined
  readonly loggedModelId?: string | undefined
  readonly runLink?: string | undefined
  readonly description?: string | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
}

/** Who pointed an alias where, from when to when; `toUs` is missing while it points there. */
export interface AliasPeriod {
  readonly model: string
  readonly alias: string
  readonly version: number
  readonly fromUs: number
  readonly setBy: string
  readonly reason: string
  readonly toUs?: number | undefined
  readonly endedBy?: string | undefined
}

/** What a model's name meant at an instant: which versions answered traffic, and its aliases. */
export interface Champions {
  /** The name that the model has now. */
  readonly model: string
  readonly atUs: number
  readonly live: readonly LivePeriod[]
  readonly aliases: readonly AliasPeriod[]
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

/** The tag by which MLflow's clients keep prompts among models; lists leave them out unless asked. */
export const promptTag = 'mlflow.prompt.is_prompt'

export function isPrompt({ tags }: Pick<RegisteredModel, 'tags'>): boolean {
  return tags[promptTag]?.toLowerCase() === 'true'
}

export type Origin = 'built' | 'brought'

export function originOf(version: Pick<ModelVersion, 'brought'>): Origin {
  return version.brought === undefined ? 'built' : 'brought'
}

export type RegistryEvent = VersionRegistered | VersionStatusChanged
