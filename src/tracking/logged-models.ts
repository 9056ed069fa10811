import { requireReason, type ChangeBy } from '../access/index.ts'
import { checkCount, checkName, checkParams, checkTags, checkText } from './checks.ts'
import type { Context } from './context.ts'
import { trackingErrors } from './errors.ts'
import { trackingLimits as limits } from './limits.ts'
import { loggedModelHash, loggedModelId } from './run-content.ts'
import { paramText } from './search.ts'
import type { LoggedModel, Params, Tags } from './types.ts'

export interface NewLoggedModel {
  readonly experimentId: string
  /** The first characters of its id where there is none. */
  readonly name?: string | undefined
  readonly modelType?: string | undefined
  readonly sourceRunId?: string | undefined
  readonly params?: Params | undefined
  readonly tags?: Tags | undefined
}

export interface LoggedModels {
  /** Pending, until `finalizeLoggedModel` says how its writing ended. */
  createLoggedModel(model: NewLoggedModel, by: ChangeBy): Promise<LoggedModel>
  /** Fails with `logged_model_not_found` for a deleted one too. */
  loggedModel(id: string): Promise<LoggedModel>
  finalizeLoggedModel(
    id: string,
    status: 'ready' | 'failed',
    by: ChangeBy,
    message?: string,
  ): Promise<LoggedModel>
  deleteLoggedModel(id: string, by: ChangeBy): Promise<void>
  restoreLoggedModel(id: string, by: ChangeBy): Promise<void>
  /** Written once, like the params of a run; audited, as tags are, once the model is finalized. */
  logLoggedModelParams(id: string, params: Params, by: ChangeBy): Promise<void>
  setLoggedModelTags(id: string, tags: Tags, by: ChangeBy): Promise<void>
  deleteLoggedModelTag(id: string, name: string, by: ChangeBy): Promise<void>
}

export function loggedModelsOf(context: Context): LoggedModels {
  const { store, unit, clock, ids, record, loggedModelOrFail } = context

  /** Changes what a model says of itself; once it is finalized that has its audit entry. */
  async function amend(
    id: string,
    by: ChangeBy,
    write: (before: LoggedModel) => Promise<void>,
  ): Promise<void> {
    requireReason(by)
    await unit.transaction(async () => {
      const before = await loggedModelOrFail(id)
      await write(before)
      await store.updateLoggedModel(id, { updatedAtUs: clock.nowUs() })
      if (before.status === 'pending') return
      const contentHashBefore = loggedModelHash(before)
      const contentHash = loggedModelHash(await loggedModelOrFail(id))
      if (contentHash === contentHashBefore) return
      const details = { contentHashBefore, contentHash }
      await record(by, 'logged-model-amended', { kind: 'logged-model', id }, details)
    })
  }

  return {
    async createLoggedModel(model, by) {
      const { experimentId, name, modelType = '', sourceRunId, params = {}, tags = {} } = model
      checkText('The name of a logged model', name ?? '', limits.loggedModelName)
      checkText('The type of a logged model', modelType, limits.loggedModelName)
      checkParams(params)
      checkTags(tags)
      requireReason(by)
      return unit.transaction(async () => {
        await context.writableExperiment(experimentId)
        if (sourceRunId !== undefined) await context.checkNotDeleted(sourceRunId)
        const id = loggedModelId(ids('model'))
        const nowUs = clock.nowUs()
        const made: Omit<LoggedModel, 'metrics'> = {
          id,
          experimentId,
          name: name?.trim() ? name : id.slice(0, 10),
          modelType,
          ...(sourceRunId !== undefined && { sourceRunId }),
          status: 'pending',
          createdAtUs: nowUs,
          updatedAtUs: nowUs,
          createdBy: by.actor.id,
          params: texts(params),
          tags,
        }
        await store.insertLoggedModel(made)
        const details = { experiment: experimentId, ...(sourceRunId && { run: sourceRunId }) }
        await record(by, 'logged-model-created', { kind: 'logged-model', id }, details)
        return { ...made, metrics: [] }
      })
    },

    loggedModel: loggedModelOrFail,

    async finalizeLoggedModel(id, status, by, message) {
      checkText('A status message', message ?? '', limits.statusMessage)
      return unit.transaction(async () => {
        await loggedModelOrFail(id)
        const statusMessage = message === undefined ? {} : { statusMessage: message }
        await store.updateLoggedModel(id, { status, ...statusMessage, updatedAtUs: clock.nowUs() })
        const finalized = await loggedModelOrFail(id)
        const details = { status, contentHash: loggedModelHash(finalized) }
        await record(by, 'logged-model-finalized', { kind: 'logged-model', id }, details)
        return finalized
      })
    },

    deleteLoggedModel: (id, by) =>
      unit.transaction(async () => {
        await loggedModelOrFail(id)
        const atUs = clock.nowUs()
        await store.updateLoggedModel(id, { deletedAtUs: atUs, updatedAtUs: atUs })
        await record(by, 'logged-model-deleted', { kind: 'logged-model', id })
      }),

    restoreLoggedModel: (id, by) =>
      unit.transaction(async () => {
        const model = await store.loggedModel(id)
        if (model === undefined) {
          throw trackingErrors.logged_model_not_found(`No logged model has id ${id}.`)
        }
        if (model.deletedAtUs === undefined) return
        await context.writableExperiment(model.experimentId)
        await store.updateLoggedModel(id, { deletedAtUs: null, updatedAtUs: clock.nowUs() })
        await record(by, 'logged-model-restored', { kind: 'logged-model', id })
      }),

    async logLoggedModelParams(id, params, by) {
      checkCount('params', Object.keys(params).length, limits.itemsPerBatch)
      checkParams(params)
      await amend(id, by, async ({ params: known }) => {
        const changed = Object.entries(params).find(
          ([name, value]) => Object.hasOwn(known, name) && known[name] !== paramText(value),
        )
        if (changed !== undefined) {
          const [name, value] = changed
          throw trackingErrors.param_changed(
            `Parameter ${name} of logged model ${id} is "${known[name]}" and cannot become "${value}".`,
            { extra: { param: name, from: known[name], to: value } },
          )
        }
        await store.setLoggedModelParams(id, texts(params))
      })
    },

    async setLoggedModelTags(id, tags, by) {
      checkCount('tags', Object.keys(tags).length, limits.itemsPerBatch)
      checkTags(tags)
      await amend(id, by, () => store.setLoggedModelTags(id, tags))
    },

    async deleteLoggedModelTag(id, name, by) {
      checkName(name, 'The name of a tag')
      await amend(id, by, async () => {
        if (await store.deleteLoggedModelTag(id, name)) return
        throw trackingErrors.tag_not_found(`Logged model ${id} has no tag ${name}.`)
      })
    },
  }
}

function texts(params: Params): Record<string, string> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, paramText(value)]))
}
