import type { Page, PageKey } from '../lib/paging.ts'
import type { ModelSearch, VersionSearch } from './search.ts'
import type {
  AliasPeriod,
  FirstVersions,
  LabelledVersion,
  LivePeriod,
  ModelVersion,
  RegisteredModel,
  RunVersion,
  StatusCounts,
  TrainingInput,
  VersionLabels,
  VersionStatus,
} from './types.ts'

/** What may change of a model or of a version's labels; `null` takes a value away. */
export interface LabelChange {
  readonly description?: string | null
  readonly updatedAtUs?: number
  readonly deletedAtUs?: number | null
}

/**
 * Models, versions, their labels, aliases and live periods. The model JSON itself is in the artifact
 * store. Reads of one thing find it also after it was deleted, until it is removed.
 */
export interface RegistryStore {
  insertModel(model: RegisteredModel): Promise<void>
  /** Also one that was deleted. */
  model(name: string): Promise<RegisteredModel | undefined>
  /** By name; deleted ones only where they are asked for. */
  models(deleted?: 'with'): Promise<RegisteredModel[]>
  changeModel(
    name: string,
    change: LabelChange & Partial<Pick<RegisteredModel, 'createdAtUs' | 'createdBy' | 'project'>>,
  ): Promise<void>
  /** Undefined takes the tag away. */
  setModelTag(name: string, key: string, value: string | undefined): Promise<void>
  /** Everything that stands under one name stands under the other afterwards. */
  renameModel(from: string, to: string): Promise<void>
  /** Of a model that has no versions. Its name stays known, with the numbers it gave out. */
  removeModel(name: string): Promise<void>
  /**
   * What a name was used for: the present name of what had it, and the highest version number that
   * was ever given under it. Undefined where nothing ever had that name.
   */
  nameUse(name: string): Promise<{ now: string; lastVersion: number } | undefined>

  insertVersion(version: ModelVersion, labels: VersionLabels): Promise<void>
  /** Also one that was deleted. */
  version(model: string, version: number): Promise<ModelVersion | undefined>
  /** Newest first, without deleted ones. */
  versions(model: string): Promise<ModelVersion[]>
  /** Without deleted ones; no more than `most`. */
  trainedOn(input: TrainingInput, most: number): Promise<FirstVersions>
  /** Of each run the first version that came of it, by model and then the newest; no deleted ones. */
  registeredFrom(runIds: readonly string[]): Promise<RunVersion[]>
  /** Of a model, of all where none is given; without deleted ones. */
  statusCounts(model?: string): Promise<StatusCounts>
  versionByHash(hash: string): Promise<ModelVersion | undefined>
  setStatus(model: string, version: number, status: VersionStatus, reason: string): Promise<void>
  /** Also one that was deleted. */
  labelled(model: string, version: number): Promise<LabelledVersion | undefined>
  /** Newest first. */
  allLabelled(model: string, deleted?: 'with'): Promise<LabelledVersion[]>
  /** The newest of each stage of each of these models, by model; without deleted ones. */
  latestByStage(models: readonly string[]): Promise<LabelledVersion[]>
  changeLabels(
    model: string,
    version: number,
    change: LabelChange & Partial<Pick<VersionLabels, 'stage'>>,
  ): Promise<void>
  setVersionTag(
    model: string,
    version: number,
    key: string,
    value: string | undefined,
  ): Promise<void>
  /** Deleted before an instant, never approved and never live: what a retention may remove. */
  removable(beforeUs: number, limit: number): Promise<{ model: string; version: number }[]>
  /** Names of models that were deleted before an instant and have no versions left. */
  emptyModels(beforeUs: number, limit: number): Promise<string[]>
  /** Hashes of the files of all versions, deleted ones too. */
  modelsNamed(): Promise<string[]>
  /** Hashes of all data in the build records of versions, deleted ones too. */
  dataNamed(): Promise<string[]>
  removeVersion(model: string, version: number): Promise<void>
  /** One page past the given place; see `pageOfModels` for what it means. */
  searchModels(search: ModelSearch, after?: PageKey): Promise<Page<RegisteredModel>>
  searchVersions(search: VersionSearch, after?: PageKey): Promise<Page<LabelledVersion>>
  /** Whether a version, deleted or not, came of the run, or of the logged model. */
  cameOf(source: { readonly runId: string } | { readonly loggedModelId: string }): Promise<boolean>

  openAlias(period: AliasPeriod): Promise<void>
  closeAlias(model: string, alias: string, toUs: number, endedBy: string): Promise<void>
  aliases(model: string): Promise<Record<string, number>>
  /** In order of their start. */
  aliasPeriods(model: string): Promise<AliasPeriod[]>

  openLivePeriod(period: LivePeriod): Promise<void>
  closeLivePeriod(model: string, policy: string, toUs: number, endedBy: string): Promise<void>
  /** In order of their start. */
  livePeriods(model: string): Promise<LivePeriod[]>
}
