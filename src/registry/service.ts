import { requireReason, type ChangeBy } from '../access/index.ts'
import type { AuditLog } from '../audit/index.ts'
import type { Clock } from '../lib/clock.ts'
import { sha256Hex } from '../lib/hash.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import type { ArtifactStore } from '../tracking/index.ts'
import { registryErrors } from './errors.ts'
import type { RegistryStore } from './ports.ts'
import { mayStep } from './status.ts'
import { versionHash } from './version-hash.ts'
import type {
  LivePeriod,
  ModelVersion,
  NewVersion,
  RegisteredModel,
  RegistryEvent,
  VersionStatus,
} from './types.ts'

/**
 * Models and their immutable versions. Only governance and serving move a status: no door offers
 * `changeStatus`, `goLive` or `endLive` to the outside.
 */
export interface Registry {
  /** Registers the next version of a model, which is made if it is new. */
  registerVersion(version: NewVersion, by: ChangeBy): Promise<ModelVersion>
  models(): Promise<RegisteredModel[]>
  model(name: string): Promise<RegisteredModel>
  /** Newest first; of every model when none is given. */
  versions(model?: string): Promise<ModelVersion[]>
  version(model: string, version: number): Promise<ModelVersion>
  /** By `ModelVersion.hash`. */
  versionByHash(hash: string): Promise<ModelVersion | undefined>
  /** The model JSON, checked against its hash. */
  modelJson(model: string, version: number): Promise<string>
  changeStatus(
    model: string,
    version: number,
    to: Exclude<VersionStatus, 'live'>,
    by: ChangeBy,
  ): Promise<ModelVersion>
  /**
   * Marks an approved version as answering a policy. The one that answered it before ends and goes
   * back to approved, unless it still answers another policy.
   */
  goLive(model: string, version: number, policy: string, by: ChangeBy): Promise<ModelVersion>
  endLive(model: string, policy: string, by: ChangeBy): Promise<void>
  /** Which version answered traffic from when to when, oldest first. */
  liveHistory(model: string): Promise<LivePeriod[]>
  /** Which versions answered traffic at an instant (µs UTC). */
  liveAt(model: string, atUs: number): Promise<LivePeriod[]>
  /** Points an alias at a version. An alias is a name for people and never steers traffic. */
  setAlias(model: string, alias: string, version: number, by: ChangeBy): Promise<void>
  aliases(model: string): Promise<Record<string, number>>
}

export interface RegistryDependencies {
  readonly store: RegistryStore
  /** Holds the model JSON, named by hash. */
  readonly models: ArtifactStore
  readonly unit: UnitOfWork
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
  readonly emit?: (event: RegistryEvent) => void
}

export function createRegistry(dependencies: RegistryDependencies): Registry {
  const { store, models, unit, audit, clock, emit } = dependencies

  async function versionOrFail(model: string, version: number): Promise<ModelVersion> {
    const found = await store.version(model, version)
    if (found === undefined) {
      throw registryErrors.version_not_found(`Model ${model} has no version ${version}.`)
    }
    return found
  }

  async function modelOrFail(name: string): Promise<RegisteredModel> {
    const model = await store.model(name)
    if (model === undefined) throw registryErrors.model_not_found(`No model is named ${name}.`)
    return model
  }

  async function step(
    before: ModelVersion,
    to: VersionStatus,
    by: ChangeBy,
    details: Record<string, unknown> = {},
  ): Promise<ModelVersion> {
    const { model, version, status: from } = before
    const reason = requireReason(by)
    if (!mayStep(from, to)) {
      throw registryErrors.version_status_conflict(
        `${model} version ${version} is ${from} and cannot become ${to}.`,
      )
    }
    await store.setStatus(model, version, to, reason)
    await audit.append({
      actor: by.actor.id,
      action: 'registry.version-status-changed',
      object: { kind: 'model-version', id: `${model}/${version}` },
      reason,
      details: { from, to, version: before.hash, ...details },
    })
    unit.afterCommit(() =>
      emit?.({ type: 'registry.version-status-changed', model, version, from, to }),
    )
    return { ...before, status: to, statusReason: reason }
  }

  const registry: Registry = {
    async registerVersion(input, by) {
      checkComplete(input)
      const reason = requireReason(by)
      const { modelJson, ...record } = input
      const stored = await models.put(new TextEncoder().encode(modelJson))
      return unit.transaction(async () => {
        await ensureModel(record.model, record.project, by)
        const version = ((await store.versions(record.model))[0]?.version ?? 0) + 1
        const registeredBy = by.actor.id
        const registeredAtUs = clock.nowUs()
        const immutable = {
          ...record,
          version,
          modelHash: stored.sha256,
          registeredBy,
          registeredAtUs,
        }
        const registered: ModelVersion = {
          ...immutable,
          hash: versionHash(immutable),
          status: 'candidate',
          statusReason: reason,
        }
        await store.insertVersion(registered)
        await audit.append({
          actor: by.actor.id,
          action: 'registry.version-registered',
          object: { kind: 'model-version', id: `${record.model}/${version}` },
          reason,
          details: {
            version: registered.hash,
            modelHash: stored.sha256,
            run: record.build.runId,
            snapshots: record.build.snapshots,
          },
        })
        unit.afterCommit(() =>
          emit?.({ type: 'registry.version-registered', model: record.model, version }),
        )
        return registered
      })
    },

    models: () => store.models(),
    model: modelOrFail,
    versions: (model) => store.versions(model),
    version: versionOrFail,
    versionByHash: (hash) => store.versionByHash(hash),

    async modelJson(model, version) {
      const { modelHash } = await versionOrFail(model, version)
      const bytes = await models.get(modelHash)
      if (bytes === undefined || sha256Hex(bytes) !== modelHash) {
        throw registryErrors.model_json_missing(
          `The model of ${model} version ${version} is not in the store as ${modelHash}.`,
        )
      }
      return new TextDecoder().decode(bytes)
    },

    changeStatus: (model, version, to, by) =>
      unit.transaction(async () => {
        const before = await versionOrFail(model, version)
        if (before.status === to) return before
        if (before.status === 'live') {
          throw registryErrors.version_status_conflict(
            `${model} version ${version} is live: deploy another version or roll back first.`,
          )
        }
        return step(before, to, by)
      }),

    goLive: (model, version, policy, by) =>
      unit.transaction(async () => {
        const before = await versionOrFail(model, version)
        await registry.endLive(model, policy, by)
        const now = await versionOrFail(model, version)
        const live = now.status === 'live' ? before : await step(now, 'live', by, { policy })
        await store.openLivePeriod({
          model,
          version,
          policy,
          fromUs: clock.nowUs(),
          startedBy: by.actor.id,
        })
        return live
      }),

    endLive: (model, policy, by) =>
      unit.transaction(async () => {
        const open = (await store.livePeriods(model)).filter((p) => p.toUs === undefined)
        const ending = open.find((period) => period.policy === policy)
        if (ending === undefined) return
        await store.closeLivePeriod(model, policy, clock.nowUs(), by.actor.id)
        const elsewhere = open.some((p) => p.version === ending.version && p.policy !== policy)
        if (elsewhere) return
        await step(await versionOrFail(model, ending.version), 'approved', by, { policy })
      }),

    liveHistory: (model) => store.livePeriods(model),

    async liveAt(model, atUs) {
      const periods = await store.livePeriods(model)
      return periods.filter((p) => p.fromUs <= atUs && (p.toUs === undefined || atUs < p.toUs))
    },

    async setAlias(model, alias, version, by) {
      const reason = requireReason(by)
      if (!/^[\w-]{1,255}$/.test(alias) || alias === 'latest' || /^v\d+$/i.test(alias)) {
        throw registryErrors.alias_invalid(`"${alias}" is not an alias.`)
      }
      await unit.transaction(async () => {
        await versionOrFail(model, version)
        const before = (await store.aliases(model))[alias]
        await store.setAlias(model, alias, version)
        await audit.append({
          actor: by.actor.id,
          action: 'registry.alias-set',
          object: { kind: 'model', id: model },
          reason,
          details: { alias, version, before: before ?? null },
        })
      })
    },

    aliases: (model) => store.aliases(model),
  }
  return registry

  async function ensureModel(name: string, project: string, by: ChangeBy): Promise<void> {
    if ((await store.model(name)) !== undefined) return
    await store.insertModel({ name, project, createdAtUs: clock.nowUs(), createdBy: by.actor.id })
    await audit.append({
      actor: by.actor.id,
      action: 'registry.model-created',
      object: { kind: 'model', id: name },
      reason: requireReason(by),
      details: { project },
    })
  }
}

/** A version that could not be trained again is not registered. */
function checkComplete({ model, modelJson, build, trainedBy }: NewVersion): void {
  const missing = [
    [model === '' || model.length > 250, 'a model name of 1 to 250 characters'],
    [modelJson === '', 'the model JSON'],
    [build.runId === '', 'the run'],
    [Object.keys(build.snapshots).length === 0, 'the data snapshots'],
    [build.featureSets.length === 0, 'the feature set versions'],
    [build.codeRevision === '', 'the code revision'],
    [
      typeof build.seed === 'string' ? build.seed === '' : !Number.isSafeInteger(build.seed),
      'the seed',
    ],
    [trainedBy.length === 0, 'who trained it'],
  ].flatMap(([lacks, what]) => (lacks === true ? [String(what)] : []))
  if (missing.length > 0) {
    throw registryErrors.version_incomplete(`The new version lacks ${missing.join(', ')}.`)
  }
}
