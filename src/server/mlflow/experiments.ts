// Experiments: /mlflow/experiments/….
import { trackingLimits } from '../../tracking/index.ts'
import { encodeExperiment } from './encode.ts'
import { defineEndpoint, list, oneOf, some, text, whole, type Endpoint } from './endpoint.ts'
import { mlflowErrors } from './errors.ts'
import { tagKey, tagList, theExperiment, toRecord } from './fields.ts'
import { readExperimentSearch } from './search.ts'
import { artifactLocation, atMost, every } from './text-rules.ts'

const limits = trackingLimits

export const viewTypes = ['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL'] as const

/** Which of the deleted a view shows. */
export const deletedOf = {
  ACTIVE_ONLY: 'without',
  DELETED_ONLY: 'only',
  ALL: 'with',
} as const

const experimentName = text({ required: true, rule: atMost(limits.experimentName, 'name') })

const search = {
  path: '/mlflow/experiments/search',
  action: 'read',
  fields: {
    max_results: whole({ required: true, min: 1, max: limits.experimentsPerPage }),
    page_token: text(),
    filter: text(),
    order_by: list(text()),
    view_type: oneOf(viewTypes, { fallback: 'ACTIVE_ONLY' }),
  },
} as const

const searchEndpoint = (method: 'GET' | 'POST') =>
  defineEndpoint({
    ...search,
    method,
    handle: async ({ request, rooms }) => {
      const { experiments, next } = await rooms.tracking.searchExperiments({
        ...readExperimentSearch({ filter: request.filter, orderBy: request.order_by }),
        deleted: deletedOf[request.view_type],
        limit: request.max_results,
        after: request.page_token || undefined,
      })
      return { experiments: some(experiments.map(encodeExperiment)), next_page_token: next }
    },
  })

export const experimentEndpoints: readonly Endpoint[] = [
  searchEndpoint('POST'),
  searchEndpoint('GET'),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/experiments/create',
    action: 'track',
    fields: {
      name: experimentName,
      artifact_location: text({ rule: every(artifactLocation, atMost(2048, 'artifact_location')) }),
      tags: tagList,
    },
    handle: async ({ request, rooms, by }) => {
      const experiment = await rooms.tracking.createExperiment(
        {
          name: request.name,
          artifactLocation: request.artifact_location || undefined,
          tags: toRecord(request.tags),
        },
        by,
      )
      return { experiment_id: experiment.id }
    },
  }),
  defineEndpoint({
    method: 'GET',
    path: '/mlflow/experiments/get',
    action: 'read',
    fields: { experiment_id: theExperiment },
    handle: async ({ request, rooms }) => ({
      experiment: encodeExperiment(await rooms.tracking.experiment(request.experiment_id)),
    }),
  }),
  defineEndpoint({
    method: 'GET',
    path: '/mlflow/experiments/get-by-name',
    action: 'read',
    fields: { experiment_name: text({ required: true }) },
    handle: async ({ request, rooms }) => {
      const experiment = await rooms.tracking.experimentByName(request.experiment_name)
      return { experiment: encodeExperiment(experiment) }
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/experiments/delete',
    action: 'track',
    fields: { experiment_id: theExperiment },
    handle: async ({ request, rooms, by }) => {
      await rooms.tracking.deleteExperiment(request.experiment_id, by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/experiments/restore',
    action: 'track',
    fields: { experiment_id: theExperiment },
    handle: async ({ request, rooms, by }) => {
      await rooms.tracking.restoreExperiment(request.experiment_id, by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/experiments/update',
    action: 'track',
    fields: { experiment_id: theExperiment, new_name: experimentName },
    handle: async ({ request, rooms, by }) => {
      await rooms.tracking.renameExperiment(request.experiment_id, request.new_name, by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/experiments/set-experiment-tag',
    action: 'track',
    fields: {
      experiment_id: theExperiment,
      key: tagKey,
      value: text({ rule: atMost(limits.experimentTagValue, 'value') }),
    },
    handle: async ({ request: { experiment_id: id, key, value = '' }, rooms, by }) => {
      await rooms.tracking.setExperimentTag(id, key, value, by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/experiments/delete-experiment-tag',
    action: 'track',
    fields: { experiment_id: theExperiment, key: text({ required: true }) },
    handle: async ({ request, rooms, by }) => {
      await rooms.tracking.deleteExperimentTag(request.experiment_id, request.key, by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/experiments/search-datasets',
    action: 'read',
    fields: { experiment_ids: list(text()) },
    handle: async ({ request, rooms }) => {
      const found = await rooms.tracking.searchDatasets(namedExperiments(request.experiment_ids))
      return {
        dataset_summaries: some(
          found.map(({ experimentId, ...dataset }) => ({
            experiment_id: experimentId,
            ...dataset,
          })),
        ),
      }
    },
  }),
]

const DATASET_EXPERIMENTS_MAX = 20

function namedExperiments(ids: readonly string[]): readonly string[] {
  if (ids.length === 0) {
    throw mlflowErrors.mlflow_request_invalid(
      'SearchDatasets request must specify at least one experiment_id.',
    )
  }
  if (ids.length > DATASET_EXPERIMENTS_MAX) {
    throw mlflowErrors.mlflow_request_invalid(
      `SearchDatasets request cannot specify more than ${DATASET_EXPERIMENTS_MAX} experiment_ids. ` +
        `Received ${ids.length} experiment_ids.`,
    )
  }
  return ids
}
