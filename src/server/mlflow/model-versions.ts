// Versions of registered models: /mlflow/model-versions….
import type { LabelledVersion, VersionField, VersionOrderField } from '../../registry/index.ts'
import { defineEndpoint, flag, some, text, type Endpoint } from './endpoint.ts'
import { mlflowErrors } from './errors.ts'
import { toRecord } from './fields.ts'
import { readRegistrySearch, registrySearchFields } from './registry-search.ts'
import { downloadUri, markLoggedModel, resolvedSource } from './registry-source.ts'
import {
  encodeVersion,
  numberOf,
  registryTagKey,
  registryTags,
  registryTagValue,
  stageOf,
  theName,
  theVersion,
} from './registry-fields.ts'
import {
  listed,
  onlyKeys,
  orders,
  patterns,
  tagsAnd,
  textKey,
  timeKey,
  type Attributes,
} from './search.ts'

const named = { name: theName, version: theVersion } as const

export const versionEndpoints: readonly Endpoint[] = [
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/model-versions/create',
    action: 'track',
    fields: {
      name: theName,
      source: text({ required: true }),
      run_id: text(),
      tags: registryTags,
      run_link: text(),
      description: text(),
      model_id: text(),
    },
    handle: async ({ request, rooms, by }) => {
      const { name, run_link, description = '' } = request
      const tags = toRecord(request.tags)
      const { source, runId, loggedModelId } = await resolvedSource(rooms, request, tags)
      const { version } = await rooms.registry.bringVersion(
        {
          model: name,
          source,
          tags,
          description,
          runId: runId || undefined,
          loggedModelId: loggedModelId || undefined,
          runLink: run_link || undefined,
        },
        by,
      )
      if (loggedModelId) await markLoggedModel(rooms, loggedModelId, { name, version }, by)
      return { model_version: encodeVersion(await rooms.registry.labelled(name, version)) }
    },
  }),
  defineEndpoint({
    method: 'GET',
    path: '/mlflow/model-versions/get',
    action: 'read',
    fields: named,
    handle: async ({ request, rooms }) =>
      answer(await rooms.registry.labelled(request.name, numberOf(request.version))),
  }),
  defineEndpoint({
    method: 'PATCH',
    path: '/mlflow/model-versions/update',
    action: 'track',
    fields: { ...named, description: text() },
    handle: async ({ request: { name, version, description }, rooms, by }) =>
      answer(await rooms.registry.describeVersion(name, numberOf(version), description, by)),
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/model-versions/transition-stage',
    action: 'track',
    fields: { ...named, stage: text({ required: true }), archive_existing_versions: flag() },
    handle: async ({ request, rooms, by }) => {
      const { name, version, archive_existing_versions: archive = false } = request
      const stage = stageOf(request.stage)
      if (archive && stage !== 'staging' && stage !== 'production') {
        throw mlflowErrors.mlflow_request_invalid(
          'Model version transition cannot archive existing model versions because ' +
            `'${request.stage}' is not an Active stage. Valid stages are ['Staging', 'Production']`,
        )
      }
      return answer(await rooms.registry.setStage(name, numberOf(version), stage, by, archive))
    },
  }),
  defineEndpoint({
    method: 'DELETE',
    path: '/mlflow/model-versions/delete',
    action: 'track',
    fields: named,
    handle: async ({ request, rooms, by }) => {
      await rooms.registry.deleteVersion(request.name, numberOf(request.version), by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'GET',
    path: '/mlflow/model-versions/get-download-uri',
    action: 'read',
    fields: named,
    handle: async ({ request, rooms }) => {
      const found = await rooms.registry.labelled(request.name, numberOf(request.version))
      return { artifact_uri: await downloadUri(rooms, found.version) }
    },
  }),
  defineEndpoint({
    method: 'GET',
    path: '/mlflow/model-versions/search',
    action: 'read',
    fields: registrySearchFields(200_000, 10_000),
    handle: async ({ request, rooms }) => {
      const search = readRegistrySearch(request, versions, versionOrders)
      const { versions: found, next } = await rooms.registry.searchVersions({
        ...search,
        order:
          search.order.length > 0 ? search.order : [{ field: 'updatedAtUs', descending: true }],
      })
      return { model_versions: some(found.map(encodeVersion)), next_page_token: next }
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/model-versions/set-tag',
    action: 'track',
    fields: { ...named, key: registryTagKey, value: registryTagValue },
    handle: async ({ request: { name, version, key, value = '' }, rooms, by }) => {
      await rooms.registry.setVersionTag(name, numberOf(version), key, value, by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'DELETE',
    path: '/mlflow/model-versions/delete-tag',
    action: 'track',
    fields: { ...named, key: registryTagKey },
    handle: async ({ request: { name, version, key }, rooms, by }) => {
      await rooms.registry.deleteVersionTag(name, numberOf(version), key, by)
      return {}
    },
  }),
]

function answer(version: LabelledVersion) {
  return { model_version: encodeVersion(version) }
}

const versionAttributes: Attributes<VersionField> = {
  name: textKey('model', listed),
  run_id: textKey('runId', listed),
  source_path: textKey('source', patterns),
  version_number: {
    field: { of: 'attribute', name: 'version' },
    type: 'number',
    operators: orders,
    convert: (value) => (Number.isInteger(Number(value)) ? Number(value) : undefined),
  },
  creation_timestamp: timeKey('createdAtUs'),
  last_updated_timestamp: timeKey('updatedAtUs'),
}

const versions = tagsAnd(versionAttributes, patterns)

const versionOrders = onlyKeys<VersionOrderField>({
  name: 'model',
  version_number: 'version',
  creation_timestamp: 'createdAtUs',
  last_updated_timestamp: 'updatedAtUs',
})
