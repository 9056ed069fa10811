import type { LivePeriod, ModelVersion, RegisteredModel, VersionStatus } from './types.ts'

/** Models, versions, aliases and live periods. The model JSON itself is in the artifact store. */
export interface RegistryStore {
  insertModel(model: RegisteredModel): Promise<void>
  model(name: string): Promise<RegisteredModel | undefined>
  /** By name. */
  models(): Promise<RegisteredModel[]>

  insertVersion(version: ModelVersion): Promise<void>
  version(model: string, version: number): Promise<ModelVersion | undefined>
  /** Newest first; of every model by name when none is given. */
  versions(model?: string): Promise<ModelVersion[]>
  versionByHash(hash: string): Promise<ModelVersion | undefined>
  setStatus(model: string, version: number, status: VersionStatus, reason: string): Promise<void>

  setAlias(model: string, alias: string, version: number): Promise<void>
  aliases(model: string): Promise<Record<string, number>>

  openLivePeriod(period: LivePeriod): Promise<void>
  closeLivePeriod(model: string, policy: string, toUs: number, endedBy: string): Promise<void>
  /** In order of their start. */
  livePeriods(model: string): Promise<LivePeriod[]>
}
