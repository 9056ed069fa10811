// Registered models and their aliases: /mlflow/registered-models….
import { isAssayError } from '../../lib/errors.ts'
import {
  isPrompt,
  registryErrors,
  type ModelAttribute,
  type ModelField,
  type RegisteredModel,
} from '../../registry/index.ts'
import { defineEndpoint, list, some, text, type Endpoint } from './endpoint.ts'
import { toRecord } from './fields.ts'
import {
  encodeModel,
  encodeVersion,
  numberOf,
  registryTagKey,
  registryTags,
  registryTagValue,
  stageOf,
  theAlias,
  theName,
  theVersion,
} from './registry-fields.ts'
import { readRegistrySearch, registrySearchFields } from './registry-search.ts'
import type { MlflowRooms } from './rooms.ts'
import { listed, onlyKeys, patterns, tagsAnd, textKey, timeKey, type Attributes } from './search.ts'

const latestFields = { name: theName, stages: list(text()) } as const

export const modelEndpoints: readonly Endpoint[] = [
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/registered-models/create',
    action: 'track',
    fields: { name: theName, tags: registryTags, description: text() },
    handle: async ({ request: { name, tags, description }, rooms, by }) => {
      const wanted = toRecord(tags)
      const model = await rooms.registry
        .createModel({ name, tags: wanted, description: description || undefined }, by)
        .catch(async (error: unknown) => {
          throw (await nameConflict(rooms, name, isPrompt({ tags: wanted }))) ?? error
        })
      return { registered_model: encodeModel(model, [], {}) }
    },
  }),
  defineEndpoint({
    method: 'GET',
    path: '/mlflow/registered-models/get',
    action: 'read',
    fields: { name: theName },
    handle: async ({ request, rooms }) => answer(rooms, await rooms.registry.model(request.name)),
  }),
  defineEndpoint({
    method: 'PATCH',
    path: '/mlflow/registered-models/update',
    action: 'track',
    fields: { name: theName, description: text() },
    handle: async ({ request: { name, description = '' }, rooms, by }) =>
      answer(rooms, await rooms.registry.describeModel(name, description, by)),
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/registered-models/rename',
    action: 'track',
    fields: { name: theName, new_name: theName },
    handle: async ({ request, rooms, by }) =>
      answer(rooms, await rooms.registry.renameModel(request.name, request.new_name, by)),
  }),
  defineEndpoint({
    method: 'DELETE',
    path: '/mlflow/registered-models/delete',
    action: 'track',
    fields: { name: theName },
    handle: async ({ request, rooms, by }) => {
      await rooms.registry.deleteModel(request.name, by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'GET',
    path: '/mlflow/registered-models/search',
    action: 'read',
    fields: registrySearchFields(1000, 100),
    handle: async ({ request, rooms }) => {
      const search = readRegistrySearch(request, models, modelOrders)
      const { models: found, next } = await rooms.registry.searchModels(search)
      const latest = await rooms.registry.latestByStage(found.map(({ name }) => name))
      const ofModel = Map.groupBy(latest, ({ version }) => version.model)
      const answers = await Promise.all(
        found.map(async (model) => {
          const aliases = await rooms.registry.aliases(model.name)
          return encodeModel(model, ofModel.get(model.name) ?? [], aliases)
        }),
      )
      return { registered_models: some(answers), next_page_token: next }
    },
  }),
  ...(['GET', 'POST'] as const).map((method) =>
    defineEndpoint({
      method,
      path: '/mlflow/registered-models/get-latest-versions',
      action: 'read',
      fields: latestFields,
      handle: async ({ request, rooms }) => {
        await rooms.registry.model(request.name)
        const wanted = request.stages.map(stageOf)
        const latest = (await rooms.registry.latestByStage([request.name])).filter(
          ({ labels }) => wanted.length === 0 || wanted.includes(labels.stage),
        )
        return { model_versions: some(latest.map(encodeVersion)) }
      },
    }),
  ),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/registered-models/set-tag',
    action: 'track',
    fields: { name: theName, key: registryTagKey, value: registryTagValue },
    handle: async ({ request: { name, key, value = '' }, rooms, by }) => {
      await rooms.registry.setModelTag(name, key, value, by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'DELETE',
    path: '/mlflow/registered-models/delete-tag',
    action: 'track',
    fields: { name: theName, key: registryTagKey },
    handle: async ({ request, rooms, by }) => {
      await rooms.registry.deleteModelTag(request.name, request.key, by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/registered-models/alias',
    action: 'track',
    fields: { name: theName, alias: theAlias, version: theVersion },
    handle: async ({ request: { name, alias, version }, rooms, by }) => {
      refuseReserved(alias)
      await rooms.registry.setAlias(name, alias, numberOf(version), by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'DELETE',
    path: '/mlflow/registered-models/alias',
    action: 'track',
    fields: { name: theName, alias: theAlias },
    handle: async ({ request, rooms, by }) => {
      await rooms.registry.deleteAlias(request.name, request.alias, by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'GET',
    path: '/mlflow/registered-models/alias',
    action: 'read',
    fields: { name: theName, alias: theAlias },
    handle: async ({ request, rooms }) => ({
      model_version: encodeVersion(await rooms.registry.byAlias(request.name, request.alias)),
    }),
  }),
]

async function encoded({ registry }: Pick<MlflowRooms, 'registry'>, model: RegisteredModel) {
  const versions = await registry.latestByStage([model.name])
  return encodeModel(model, versions, await registry.aliases(model.name))
}

async function answer(rooms: Pick<MlflowRooms, 'registry'>, model: RegisteredModel) {
  return { registered_model: await encoded(rooms, model) }
}

/** Models and prompts share their names; the refusal says which of them has it. */
async function nameConflict(
  { registry }: Pick<MlflowRooms, 'registry'>,
  name: string,
  wantsPrompt: boolean,
) {
  const there = await registry.model(name).catch((error: unknown) => {
    if (!isAssayError(error, 'model_not_found')) throw error
    return undefined
  })
  if (there === undefined) return undefined
  const kind = (prompt: boolean) => (prompt ? 'Prompt' : 'Registered Model')
  const [old, wanted] = [kind(isPrompt(there)), kind(wantsPrompt)]
  return registryErrors.model_exists(
    old === wanted
      ? `${wanted} (name=${name}) already exists.`
      : `Tried to create a ${wanted.toLowerCase()} with name '${name}', but the name is already taken by a ${old.toLowerCase()}. MLflow does not allow creating a model and a prompt with the same name.`,
  )
}

function refuseReserved(alias: string): void {
  if (alias.toLowerCase() === 'latest') {
    throw registryErrors.alias_invalid("'latest' alias name (case insensitive) is reserved.")
  }
  if (/^v\d+$/i.test(alias)) {
    throw registryErrors.alias_invalid(`Version alias name '${alias}' is reserved.`)
  }
}

const modelAttributes: Attributes<ModelField> = {
  name: textKey('name', listed),
  creation_timestamp: timeKey('createdAtUs'),
  last_updated_timestamp: timeKey('updatedAtUs'),
}

const models = tagsAnd(modelAttributes, patterns)

const modelOrders = onlyKeys<ModelAttribute>({
  name: 'name',
  creation_timestamp: 'createdAtUs',
  timestamp: 'updatedAtUs',
  last_updated_timestamp: 'updatedAtUs',
})
