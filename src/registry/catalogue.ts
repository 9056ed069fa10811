// Models and what is written on them and on their versions: descriptions, tags, stages, aliases,
// deletion. None of it is part of a version's record, and none of it steers traffic.
import { requireReason, type ChangeBy } from '../access/index.ts'
import {
  checkDescription,
  checkModelName,
  checkTags,
  labelLimits,
  modelOrFail,
  notFound,
  presentOrFail,
  record,
  versionNotFound,
  type RegistryContext,
} from './context.ts'
import { registryErrors } from './errors.ts'
import { isKept } from './status.ts'
import {
  isPrompt,
  stages,
  type AliasPeriod,
  type LabelledVersion,
  type RegisteredModel,
  type Stage,
} from './types.ts'

export interface NewModel {
  readonly name: string
  readonly project?: string | undefined
  readonly description?: string | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
}

export interface Catalogue {
  /**
   * A model without versions. A name whose model was deleted starts anew: its versions stay deleted
   * and its numbers go on. Errors: `model_exists`, `model_name_invalid`.
   */
  createModel(model: NewModel, by: ChangeBy): Promise<RegisteredModel>
  describeModel(name: string, description: string, by: ChangeBy): Promise<RegisteredModel>
  /**
   * The record goes along: versions, aliases, periods. The former name goes on answering questions
   * about history. Errors: `model_exists`, `model_name_taken`, `model_governed`.
   */
  renameModel(name: string, to: string, by: ChangeBy): Promise<RegisteredModel>
  /** Why a model may not change its name; undefined where it may. */
  renameObstacle(name: string): Promise<string | undefined>
  setModelTag(name: string, key: string, value: string, by: ChangeBy): Promise<void>
  deleteModelTag(name: string, key: string, by: ChangeBy): Promise<void>
  /** Hides it with its versions; error `version_kept` where one is approved or live. */
  deleteModel(name: string, by: ChangeBy): Promise<void>
  /** Brings it back with the versions that were deleted along with it. */
  restoreModel(name: string, by: ChangeBy): Promise<RegisteredModel>

  describeVersion(
    model: string,
    version: number,
    description: string | undefined,
    by: ChangeBy,
  ): Promise<LabelledVersion>
  /** With `archiveOthers`, other versions in that stage go to `archived`. */
  setStage(
    model: string,
    version: number,
    stage: Stage,
    by: ChangeBy,
    archiveOthers?: boolean,
  ): Promise<LabelledVersion>
  setVersionTag(
    model: string,
    version: number,
    key: string,
    value: string,
    by: ChangeBy,
  ): Promise<void>
  deleteVersionTag(model: string, version: number, key: string, by: ChangeBy): Promise<void>
  /** Hides it and takes its aliases away; error `version_kept` where it is approved or live. */
  deleteVersion(model: string, version: number, by: ChangeBy): Promise<void>
  restoreVersion(model: string, version: number, by: ChangeBy): Promise<LabelledVersion>

  /** Points an alias at a version. An alias is a name for people and never steers traffic. */
  setAlias(model: string, alias: string, version: number, by: ChangeBy): Promise<void>
  /** Nothing happens where there is no such alias. */
  deleteAlias(model: string, alias: string, by: ChangeBy): Promise<void>
  aliases(model: string): Promise<Record<string, number>>
  /** Who pointed which alias where from when to when, oldest first; also by a former name. */
  aliasHistory(model: string): Promise<AliasPeriod[]>

  /**
   * Removes for good what was deleted before an instant (µs UTC), except what was ever approved or
   * live. Numbers of removed versions are never given again. Goes in transactions of bounded size,
   * each with its audit entry, and the signal ends it between two of them. A dry run counts what
   * would go.
   */
  purge(
    beforeUs: number,
    by: ChangeBy,
    options?: { readonly dryRun?: boolean; readonly signal?: AbortSignal | undefined },
  ): Promise<{ models: number; versions: number }>
}

export interface CatalogueDependencies extends RegistryContext {
  /** Why a model may not change its name; undefined where it may. */
  readonly renameObstacle?: ((model: string) => Promise<string | undefined>) | undefined
}

export function createCatalogue(context: CatalogueDependencies): Catalogue {
  return { ...modelParts(context), ...versionParts(context), ...aliasParts(context) }
}

function modelParts(context: CatalogueDependencies) {
  const { store, unit, clock, notify, renameObstacle } = context
  return {
    async createModel({ name, project = '', description, tags = {} }, by) {
      checkModelName(name)
      checkDescription(description)
      checkTags(tags)
      return unit.transaction(async () => {
        const before = await store.model(name)
        if (before !== undefined && before.deletedAtUs === undefined) {
          throw registryErrors.model_exists(`Registered Model (name=${name}) already exists.`)
        }
        const now = clock.nowUs()
        const times = { createdAtUs: now, createdBy: by.actor.id, updatedAtUs: now }
        if (before === undefined) {
          await store.insertModel({
            name,
            project,
            tags,
            ...times,
            ...(description !== undefined && { description }),
          })
        } else {
          const change = { project, description: description ?? null, deletedAtUs: null }
          await store.changeModel(name, { ...change, ...times })
          for (const key of Object.keys(before.tags)) await store.setModelTag(name, key, undefined)
          for (const [key, value] of Object.entries(tags)) await store.setModelTag(name, key, value)
        }
        await record(context, 'model-created', { model: name }, by, {
          project,
          description: description ?? null,
          tags,
          before: before ?? null,
        })
        await notify?.({
          event: 'registered_model.created',
          model: name,
          tags,
          description: description ?? null,
        })
        return modelOrFail(store, name)
      })
    },
    describeModel: (name, description, by) =>
      unit.transaction(async () => {
        checkDescription(description)
        const before = await modelOrFail(store, name)
        await store.changeModel(name, { description, updatedAtUs: clock.nowUs() })
        const details = { description, before: before.description ?? null }
        await record(context, 'model-described', { model: name }, by, details)
        return modelOrFail(store, name)
      }),
    renameModel: (name, to, by) =>
      unit.transaction(async () => {
        checkModelName(to)
        await modelOrFail(store, name)
        if (to === name) throw registryErrors.model_exists(`${name} has that name already.`)
        const obstacle = await renameObstacle?.(name)
        if (obstacle !== undefined) throw registryErrors.model_governed(obstacle)
        const taken = await store.model(to)
        if (taken !== undefined) {
          const what = taken.deletedAtUs === undefined ? '' : ' and is deleted'
          throw registryErrors.model_exists(`Registered Model (name=${to}) already exists${what}.`)
        }
        const use = await store.nameUse(to)
        if (use !== undefined && use.now !== name && use.lastVersion > 0) {
          throw registryErrors.model_name_taken(
            `${to} was the name of another model, whose versions are on record as 1 to ${use.lastVersion}.`,
          )
        }
        const now = clock.nowUs()
        await store.renameModel(name, to)
        await store.changeModel(to, { updatedAtUs: now })
        for (const { version } of await store.allLabelled(to)) {
          await store.changeLabels(to, version.version, { updatedAtUs: now })
        }
        await record(context, 'model-renamed', { model: to }, by, { before: name })
        return modelOrFail(store, to)
      }),
    renameObstacle: async (name) => renameObstacle?.(name),
    setModelTag: (name, key, value, by) =>
      unit.transaction(async () => {
        checkTags({ [key]: value })
        const model = await modelOrFail(store, name)
        await store.setModelTag(name, key, value)
        const details = { key, value, before: model.tags[key] ?? null }
        await record(context, 'model-tag-set', { model: name }, by, details)
        if (isPrompt(model)) await notify?.({ event: 'prompt_tag.set', model: name, key, value })
      }),
    deleteModelTag: (name, key, by) =>
      unit.transaction(async () => {
        const model = await modelOrFail(store, name)
        const before = model.tags[key]
        if (before === undefined) return
        await store.setModelTag(name, key, undefined)
        await record(context, 'model-tag-deleted', { model: name }, by, { key, before })
        if (isPrompt(model)) await notify?.({ event: 'prompt_tag.deleted', model: name, key })
      }),
    deleteModel: (name, by) =>
      unit.transaction(async () => {
        await modelOrFail(store, name)
        const versions = await store.allLabelled(name)
        for (const { version } of versions) refuseIfKept(version)
        const now = clock.nowUs()
        for (const [alias] of Object.entries(await store.aliases(name))) {
          await store.closeAlias(name, alias, now, by.actor.id)
        }
        const change = { deletedAtUs: now, updatedAtUs: now }
        for (const { version } of versions) await store.changeLabels(name, version.version, change)
        await store.changeModel(name, change)
        const numbers = versions.map(({ version }) => version.version)
        await record(context, 'model-deleted', { model: name }, by, { versions: numbers })
      }),
    restoreModel: (name, by) =>
      unit.transaction(async () => {
        const model = await store.model(name)
        if (model === undefined) throw notFound(name)
        const { deletedAtUs } = model
        if (deletedAtUs === undefined) return model
        const change = { deletedAtUs: null, updatedAtUs: clock.nowUs() }
        const along = (await store.allLabelled(name, 'with'))
          .filter(({ labels }) => labels.deletedAtUs === deletedAtUs)
          .map(({ version }) => version.version)
        for (const version of along) await store.changeLabels(name, version, change)
        await store.changeModel(name, change)
        await record(context, 'model-restored', { model: name }, by, { versions: along })
        return modelOrFail(store, name)
      }),
    async purge(beforeUs, by, { dryRun = false, signal } = {}) {
      if (dryRun) return purgeable(context, beforeUs)
      const gone = { models: 0, versions: 0 }
      while (signal?.aborted !== true) {
        const some = await purgeSome(context, beforeUs, by)
        if (some.models + some.versions === 0) break
        gone.models += some.models
        gone.versions += some.versions
      }
      return gone
    },
  } satisfies Partial<Catalogue>
}

/** So many versions or models go in one transaction: others need not wait for a large purge. */
const perTransaction = 200

/** One transaction of a purge: versions first, then the models that have none left. */
function purgeSome({ store, unit, audit }: RegistryContext, beforeUs: number, by: ChangeBy) {
  return unit.transaction(async () => {
    const versions = await store.removable(beforeUs, perTransaction)
    for (const { model, version } of versions) await store.removeVersion(model, version)
    const models = await store.emptyModels(beforeUs, perTransaction)
    for (const name of models) await store.removeModel(name)
    const counts = { models: models.length, versions: versions.length }
    if (counts.models + counts.versions > 0) {
      await audit.append({
        actor: by.actor.id,
        action: 'registry.purged',
        object: { kind: 'registry', id: 'models' },
        reason: requireReason(by),
        details: { beforeUs, models, versions },
      })
    }
    return counts
  })
}

/** How much a purge would remove: a model goes where all of its versions do. */
async function purgeable({ store }: RegistryContext, beforeUs: number) {
  const versions = await store.removable(beforeUs, Number.MAX_SAFE_INTEGER)
  const going = Map.groupBy(versions, ({ model }) => model)
  let models = 0
  for (const { name, deletedAtUs = beforeUs } of await store.models('with')) {
    if (deletedAtUs >= beforeUs) continue
    const held = (await store.allLabelled(name, 'with')).length
    if (held === (going.get(name)?.length ?? 0)) models++
  }
  return { models, versions: versions.length }
}

function versionParts(context: CatalogueDependencies) {
  const { store, unit, clock, notify } = context
  const touchModel = (model: string) => store.changeModel(model, { updatedAtUs: clock.nowUs() })
  return {
    describeVersion: (model, version, description, by) =>
      unit.transaction(async () => {
        checkDescription(description)
        const { labels } = await presentOrFail(store, model, version)
        const change = { description: description ?? null, updatedAtUs: clock.nowUs() }
        await store.changeLabels(model, version, change)
        const details = { description: description ?? null, before: labels.description ?? null }
        await record(context, 'version-described', { model, version }, by, details)
        return presentOrFail(store, model, version)
      }),
    setStage: (model, version, stage, by, archiveOthers = false) =>
      unit.transaction(async () => {
        if (!stages.includes(stage)) {
          throw registryErrors.model_label_invalid(
            `"${stage as string}" is none of ${stages.join(', ')}.`,
          )
        }
        const { labels } = await presentOrFail(store, model, version)
        const others = archiveOthers
          ? (await store.allLabelled(model))
              .filter((each) => each.version.version !== version && each.labels.stage === stage)
              .map((each) => each.version.version)
          : []
        const updatedAtUs = clock.nowUs()
        for (const other of others) {
          await store.changeLabels(model, other, { stage: 'archived', updatedAtUs })
        }
        await store.changeLabels(model, version, { stage, updatedAtUs })
        await touchModel(model)
        const details = { stage, before: labels.stage, archived: others }
        await record(context, 'version-staged', { model, version }, by, details)
        return presentOrFail(store, model, version)
      }),
    setVersionTag: (model, version, key, value, by) =>
      unit.transaction(async () => {
        checkTags({ [key]: value })
        const { labels } = await presentOrFail(store, model, version)
        await store.setVersionTag(model, version, key, value)
        const details = { key, value, before: labels.tags[key] ?? null }
        await record(context, 'version-tag-set', { model, version }, by, details)
        await notify?.({ event: 'model_version_tag.set', model, version, key, value })
      }),
    deleteVersionTag: (model, version, key, by) =>
      unit.transaction(async () => {
        const { labels } = await presentOrFail(store, model, version)
        const before = labels.tags[key]
        if (before === undefined) return
        await store.setVersionTag(model, version, key, undefined)
        await record(context, 'version-tag-deleted', { model, version }, by, { key, before })
        await notify?.({ event: 'model_version_tag.deleted', model, version, key })
      }),
    deleteVersion: (model, number, by) =>
      unit.transaction(async () => {
        const { version, aliases } = await presentOrFail(store, model, number)
        refuseIfKept(version)
        const now = clock.nowUs()
        for (const alias of aliases) await store.closeAlias(model, alias, now, by.actor.id)
        await store.changeLabels(model, number, { deletedAtUs: now, updatedAtUs: now })
        await touchModel(model)
        const details = { version: version.hash, aliases }
        await record(context, 'version-deleted', { model, version: number }, by, details)
      }),
    restoreVersion: (model, version, by) =>
      unit.transaction(async () => {
        await modelOrFail(store, model)
        const found = await store.labelled(model, version)
        if (found === undefined) {
          throw versionNotFound(model, version)
        }
        if (found.labels.deletedAtUs === undefined) return found
        const change = { deletedAtUs: null, updatedAtUs: clock.nowUs() }
        await store.changeLabels(model, version, change)
        await touchModel(model)
        const details = { version: found.version.hash }
        await record(context, 'version-restored', { model, version }, by, details)
        return presentOrFail(store, model, version)
      }),
  } satisfies Partial<Catalogue>
}

function aliasParts(context: CatalogueDependencies) {
  const { store, unit, clock, notify } = context
  return {
    async setAlias(model, alias, version, by) {
      const reason = requireReason(by)
      checkAlias(alias)
      await unit.transaction(async () => {
        await presentOrFail(store, model, version)
        const before = (await store.aliases(model))[alias]
        if (before === version) return
        const now = clock.nowUs()
        if (before !== undefined) await store.closeAlias(model, alias, now, by.actor.id)
        await store.openAlias({ model, alias, version, fromUs: now, setBy: by.actor.id, reason })
        const details = { alias, version, before: before ?? null }
        await record(context, 'alias-set', { model }, by, details)
        await notify?.({ event: 'model_version_alias.created', model, alias, version })
      })
    },
    deleteAlias: (model, alias, by) =>
      unit.transaction(async () => {
        await modelOrFail(store, model)
        const before = (await store.aliases(model))[alias]
        if (before === undefined) return
        await store.closeAlias(model, alias, clock.nowUs(), by.actor.id)
        await record(context, 'alias-deleted', { model }, by, { alias, before })
        await notify?.({ event: 'model_version_alias.deleted', model, alias })
      }),
    aliases: (model) => store.aliases(model),
    async aliasHistory(model) {
      const use = await store.nameUse(model)
      return store.aliasPeriods(use?.now ?? model)
    },
  } satisfies Partial<Catalogue>
}

/** Error: `alias_invalid`. */
function checkAlias(alias: string): void {
  const reserved = /^(latest|v\d+)$/i.test(alias)
  if (!/^[\w-]+$/.test(alias) || alias.length > labelLimits.alias || reserved) {
    throw registryErrors.alias_invalid(`"${alias.slice(0, 300)}" is not an alias.`)
  }
}

function refuseIfKept({ model, version, status }: LabelledVersion['version']): void {
  if (!isKept(status)) return
  throw registryErrors.version_kept(`${model} version ${version} is ${status}.`)
}
