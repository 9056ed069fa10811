import { requireReason, type ChangeBy } from '../access/index.ts'
import { sha256Hex } from '../lib/hash.ts'
import { nextOf, placeIn } from '../lib/paging.ts'
import type { ArtifactStore } from '../tracking/index.ts'
import { bringVersion, noSources, type SourceReader } from './brought.ts'
import { createCatalogue, type Catalogue, type CatalogueDependencies } from './catalogue.ts'
import { checkModelName, modelOrFail, presentOrFail, record, versionNotFound } from './context.ts'
import { registryErrors } from './errors.ts'
import { checkLimit, searchLimits, type ModelSearch, type VersionSearch } from './search.ts'
import { mayStep } from './status.ts'
import { versionHash } from './version-hash.ts'
import { isPrompt } from './types.ts'
import type {
  Champions,
  FirstVersions,
  LabelledVersion,
  LivePeriod,
  ModelVersion,
  NewBroughtVersion,
  NewVersion,
  RegisteredModel,
  RunVersion,
  StatusCounts,
  TrainingInput,
  VersionStatus,
} from './types.ts'

/**
 * Models and their immutable versions. Only governance and serving move a status: no door offers
 * `changeStatus`, `goLive` or `endLive` to the outside.
 */
export interface Registry extends Catalogue {
  /** Registers the next version of a model, which is made if it is new. */
  registerVersion(version: NewVersion, by: ChangeBy): Promise<ModelVersion>
  /**
   * Registers a model that was made elsewhere as the next version. It can be looked at, tagged and
   * loaded by its client, and cannot answer traffic: its inputs are bound to no features.
   */
  bringVersion(version: NewBroughtVersion, by: ChangeBy): Promise<ModelVersion>
  /** By name, without prompts and deleted ones. */
  models(): Promise<RegisteredModel[]>
  /** Also those that were deleted. */
  allModels(): Promise<RegisteredModel[]>
  /** Error: `model_not_found`, also where it was deleted. */
  model(name: string): Promise<RegisteredModel>
  /** Newest first, without deleted ones. */
  versions(model: string): Promise<ModelVersion[]>
  /** Which versions were trained on something: the first `most`, 1 to 1000, without deleted ones. */
  trainedOn(input: TrainingInput, most: number): Promise<FirstVersions>
  /** Of each of these runs the first version that came of it, by model and then the newest. */
  registeredFrom(runIds: readonly string[]): Promise<RunVersion[]>
  /** How many versions of a model, or of all, stand where; without deleted ones. */
  statusCounts(model?: string): Promise<StatusCounts>
  /** A deleted one stays on record, and is found here until it is removed. */
  version(model: string, version: number): Promise<ModelVersion>
  /** By `ModelVersion.hash`. */
  versionByHash(hash: string): Promise<ModelVersion | undefined>
  /** With what people wrote on it. Error: `version_not_found`, also where it was deleted. */
  labelled(model: string, version: number): Promise<LabelledVersion>
  /** Newest first; deleted ones where they are asked for. */
  allLabelled(model: string, deleted?: 'with'): Promise<LabelledVersion[]>
  /** The newest of each stage of each of these models; without deleted ones. */
  latestByStage(models: readonly string[]): Promise<LabelledVersion[]>
  /** The version that an alias names, `latest` being the highest. Error: `alias_not_found`. */
  byAlias(model: string, alias: string): Promise<LabelledVersion>
  /** One page; `next` is the token of the following one. Error: `page_token_invalid`. */
  searchModels(
    search: ModelSearch & { readonly after?: string | undefined },
  ): Promise<{ readonly models: readonly RegisteredModel[]; readonly next?: string }>
  searchVersions(
    search: VersionSearch & { readonly after?: string | undefined },
  ): Promise<{ readonly versions: readonly LabelledVersion[]; readonly next?: string }>
  /** Whether a version, also a deleted one, came of a run or of a logged model. */
  cameOf(source: { readonly runId: string } | { readonly loggedModelId: string }): Promise<boolean>
  /** Hashes of all data that versions were built on, deleted ones too: no retention removes it. */
  dataNamed(): Promise<string[]>
  /** The model JSON, checked against its hash. Error: `version_brought`. */
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
  /** What the model's name, or a former name of it, meant at an instant (µs UTC). */
  championsAt(model: string, atUs: number): Promise<Champions>
}

export interface RegistryDependencies extends CatalogueDependencies {
  /** Holds the model JSON, named by hash. */
  readonly models: Pick<ArtifactStore, 'put' | 'get'>
  /** Where facts about brought versions come from; none by default. */
  readonly sources?: SourceReader | undefined
}

export function createRegistry(dependencies: RegistryDependencies): Registry {
  const { store, models, unit, audit, clock, emit, notify, sources = noSources } = dependencies
  /** The name that a model has now; of a name that nothing ever had, itself. */
  const nameNow = async (name: string) => (await store.nameUse(name))?.now ?? name

  async function newestOf(model: string): Promise<number | undefined> {
    const { items } = await store.searchVersions({
      filter: { field: { of: 'attribute', name: 'model' }, op: '=', value: model },
      prompts: 'with',
      order: [],
      limit: 1,
    })
    return items[0]?.version.version
  }

  async function versionOrFail(model: string, version: number): Promise<ModelVersion> {
    const found = await store.version(model, version)
    if (found === undefined) {
      throw versionNotFound(model, version)
    }
    return found
  }

  async function step(
    before: ModelVersion,
    to: VersionStatus,
    by: ChangeBy,
    details: Record<string, unknown> = {},
  ): Promise<ModelVersion> {
    const { model, version, status: from } = before
    const reason = requireReason(by)
    if (before.brought !== undefined && (to === 'approved' || to === 'live')) {
      throw registryErrors.version_brought(
        `${model} version ${version} was brought from ${before.brought.source}; its inputs are bound to no features.`,
      )
    }
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
    ...createCatalogue(dependencies),
    async registerVersion(input, by) {
      checkComplete(input)
      const reason = requireReason(by)
      const { modelJson, ...facts } = input
      const { model } = facts
      const bytes = new TextEncoder().encode(modelJson)
      const stored = await models.put(bytes)
      return unit.transaction(async () => {
        // A file that no version named until now may have been swept away meanwhile.
        if ((await models.get(stored.sha256)) === undefined) await models.put(bytes)
        await ensureModel(model, facts.project, by)
        const version = ((await store.nameUse(model))?.lastVersion ?? 0) + 1
        const registeredBy = by.actor.id
        const registeredAtUs = clock.nowUs()
        const immutable = {
          ...facts,
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
        await store.insertVersion(registered, {
          stage: 'none',
          tags: {},
          updatedAtUs: registeredAtUs,
        })
        await store.changeModel(model, { updatedAtUs: registeredAtUs })
        const { runId, snapshots } = facts.build
        await record(dependencies, 'version-registered', { model, version }, by, {
          version: registered.hash,
          modelHash: stored.sha256,
          run: runId,
          snapshots,
        })
        await notify?.({
          event: 'model_version.created',
          model,
          version,
          runId,
          source: `runs:/${runId}/model.json`,
          tags: {},
          description: null,
        })
        unit.afterCommit(() => emit?.({ type: 'registry.version-registered', model, version }))
        return registered
      })
    },
    bringVersion: (input, by) => bringVersion(dependencies, sources, input, by),

    async models() {
      return (await store.models()).filter((model) => !isPrompt(model))
    },
    allModels: () => store.models('with'),
    model: (name) => modelOrFail(store, name),
    versions: (model) => store.versions(model),
    async trainedOn(input, most) {
      checkLimit(most, searchLimits.trainedOn)
      return store.trainedOn(input, most)
    },
    registeredFrom: (runIds) => store.registeredFrom(runIds),
    statusCounts: (model) => store.statusCounts(model),
    version: versionOrFail,
    versionByHash: (hash) => store.versionByHash(hash),
    labelled: (model, version) => presentOrFail(store, model, version),
    allLabelled: (model, deleted) => store.allLabelled(model, deleted),
    latestByStage: (models) => store.latestByStage(models),
    async byAlias(model, alias) {
      await modelOrFail(store, model)
      const version =
        alias.toLowerCase() === 'latest'
          ? await newestOf(model)
          : (await store.aliases(model))[alias]
      if (version === undefined) {
        throw registryErrors.alias_not_found(`Registered model alias ${alias} not found.`)
      }
      return presentOrFail(store, model, version)
    },
    async searchModels({ after, ...search }) {
      checkLimit(search.limit, searchLimits.models)
      const { limit: _, ...asked } = search
      const page = await store.searchModels(search, placeIn(after, asked))
      return { models: page.items, ...nextOf(page.next, asked) }
    },
    async searchVersions({ after, ...search }) {
      checkLimit(search.limit, searchLimits.versions)
      const { limit: _, ...asked } = search
      const page = await store.searchVersions(search, placeIn(after, asked))
      return { versions: page.items, ...nextOf(page.next, asked) }
    },
    cameOf: (source) => store.cameOf(source),
    dataNamed: () => store.dataNamed(),

    async modelJson(model, version) {
      const { modelHash, brought } = await versionOrFail(model, version)
      if (brought !== undefined) {
        throw registryErrors.version_brought(
          `The files of ${model} version ${version} are at ${brought.source}; it has no model JSON.`,
        )
      }
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

    async liveHistory(model) {
      return store.livePeriods(await nameNow(model))
    },

    async liveAt(model, atUs) {
      return (await store.livePeriods(await nameNow(model))).filter(covers(atUs))
    },

    async championsAt(name, atUs) {
      const model = await nameNow(name)
      if ((await store.model(model)) === undefined) {
        throw registryErrors.model_not_found(`No model is or was named ${name}.`)
      }
      const live = (await store.livePeriods(model)).filter(covers(atUs))
      const aliases = (await store.aliasPeriods(model)).filter(covers(atUs))
      return { model, atUs, live, aliases }
    },
  }
  return registry

  async function ensureModel(name: string, project: string, by: ChangeBy): Promise<void> {
    const before = await store.model(name)
    if (before === undefined || before.deletedAtUs !== undefined) {
      await registry.createModel({ name, project }, by)
    } else if (before.project === '') {
      await store.changeModel(name, { project })
    }
  }
}

/** Whether a period holds an instant: from its start on, and not its end. */
function covers(atUs: number) {
  return ({ fromUs, toUs }: { readonly fromUs: number; readonly toUs?: number | undefined }) =>
    fromUs <= atUs && (toUs === undefined || atUs < toUs)
}

/** A version that could not be trained again is not registered. */
function checkComplete({ model, modelJson, build, trainedBy }: NewVersion): void {
  checkModelName(model)
  const missing = [
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
