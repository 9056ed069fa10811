// Logged models of MLflow 3: /mlflow/logged-models….
import { trackingErrors, trackingLimits, type LoggedModel } from '../../tracking/index.ts'
import { encodeLoggedModel, modelStatusNames } from './encode.ts'
import {
  defineEndpoint,
  flag,
  list,
  oneOf,
  record,
  some,
  text,
  whole,
  type Endpoint,
  type RequestOf,
} from './endpoint.ts'
import { invalid, mlflowErrors } from './errors.ts'
import { tagList, theExperiment, toRecord } from './fields.ts'
import type { MlflowRooms } from './rooms.ts'
import { locationOf, locationsOf } from './runs.ts'
import { readLoggedModelSearch } from './search.ts'
import { atMost, every, loggedModelName } from './text-rules.ts'

const limits = trackingLimits
const theModel = text({ required: true })
const paramList = list(record({ key: text({ required: true }), value: text() }))

const searchFields = {
  experiment_ids: list(text(), { required: true, itemsMax: limits.experimentsPerSearch }),
  filter: text(),
  datasets: list(record({ dataset_name: text({ required: true }), dataset_digest: text() })),
  max_results: whole({ min: 1, max: limits.loggedModelsPerPage, fallback: 50 }),
  order_by: list(
    record({
      field_name: text({ required: true }),
      ascending: flag(),
      dataset_name: text(),
      dataset_digest: text(),
    }),
  ),
  page_token: text(),
} as const

export const loggedModelEndpoints: readonly Endpoint[] = [
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/logged-models',
    action: 'track',
    fields: {
      experiment_id: theExperiment,
      name: text({ rule: every(loggedModelName, atMost(limits.loggedModelName, 'name')) }),
      model_type: text({ rule: atMost(500) }),
      source_run_id: text({ rule: atMost(256) }),
      params: paramList,
      tags: tagList,
    },
    handle: async ({ request, rooms, by }) => {
      const model = await rooms.tracking.createLoggedModel(
        {
          experimentId: request.experiment_id,
          name: request.name || undefined,
          modelType: request.model_type ?? '',
          sourceRunId: request.source_run_id || undefined,
          params: toRecord(request.params),
          tags: toRecord(request.tags),
        },
        by,
      )
      return encoded(rooms, model)
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/logged-models/search',
    action: 'read',
    fields: searchFields,
    handle: async ({ request, rooms }) => {
      // To the room no experiment means all of them; to MLflow it means none.
      if (request.experiment_ids.length === 0) return {}
      const { models, next } = await rooms.tracking.searchLoggedModels({
        experimentIds: request.experiment_ids,
        ...readLoggedModelSearch({
          filter: request.filter,
          orderBy: request.order_by.map(({ field_name: field, ascending = true }) =>
            ascending ? field : `${field} DESC`,
          ),
        }),
        datasets: datasetsOf(request),
        onlyMeasured: request.datasets.length > 0,
        deleted: 'without',
        limit: request.max_results,
        after: request.page_token || undefined,
      })
      const locations = await locationsOf(rooms, models)
      return {
        models: some(
          models.map((model) => encodeLoggedModel(model, locations.get(model.experimentId)!)),
        ),
        next_page_token: next,
      }
    },
  }),
  defineEndpoint({
    method: 'GET',
    path: '/mlflow/logged-models/:model_id',
    action: 'read',
    fields: { model_id: theModel, allow_deleted: text() },
    handle: async ({ request: { model_id: id, allow_deleted: deleted }, rooms }) => {
      const isAny = deleted?.toLowerCase() === 'true'
      return encoded(rooms, await (isAny ? anyModel(rooms, id) : rooms.tracking.loggedModel(id)))
    },
  }),
  defineEndpoint({
    method: 'PATCH',
    path: '/mlflow/logged-models/:model_id',
    action: 'track',
    fields: { model_id: theModel, status: oneOf(modelStatusNames, { required: true }, 0) },
    handle: async ({ request, rooms, by }) => {
      const status = finalStatus(request.status)
      return encoded(rooms, await rooms.tracking.finalizeLoggedModel(request.model_id, status, by))
    },
  }),
  defineEndpoint({
    method: 'DELETE',
    path: '/mlflow/logged-models/:model_id',
    action: 'track',
    fields: { model_id: theModel },
    handle: async ({ request, rooms, by }) => {
      await rooms.tracking.deleteLoggedModel(request.model_id, by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/logged-models/:model_id/params',
    action: 'track',
    fields: { model_id: theModel, params: paramList },
    handle: async ({ request, rooms, by }) => {
      await rooms.tracking.logLoggedModelParams(request.model_id, toRecord(request.params), by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'PATCH',
    path: '/mlflow/logged-models/:model_id/tags',
    action: 'track',
    fields: { model_id: theModel, tags: tagList },
    handle: async ({ request, rooms, by }) => {
      await rooms.tracking.setLoggedModelTags(request.model_id, toRecord(request.tags), by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'DELETE',
    path: '/mlflow/logged-models/:model_id/tags/:tag_key',
    action: 'track',
    fields: { model_id: theModel, tag_key: text({ required: true }) },
    handle: async ({ request, rooms, by }) => {
      await rooms.tracking.deleteLoggedModelTag(request.model_id, request.tag_key, by)
      return {}
    },
  }),
]

async function encoded(rooms: MlflowRooms, model: LoggedModel): Promise<object> {
  return { model: encodeLoggedModel(model, await locationOf(rooms, model)) }
}

function finalStatus(name: (typeof modelStatusNames)[number]): 'ready' | 'failed' {
  if (name === 'LOGGED_MODEL_READY') return 'ready'
  if (name === 'LOGGED_MODEL_UPLOAD_FAILED') return 'failed'
  throw invalid('status', name, 'A model is finalized as ready or as failed')
}

/** Data sets of the filter; where there are none, those by whose measurements is ordered. */
function datasetsOf({ datasets, order_by: orders }: RequestOf<typeof searchFields>) {
  const ordered = orders.filter((order) => order.dataset_name)
  if (orders.some((order) => order.dataset_digest && !order.dataset_name)) {
    throw mlflowErrors.mlflow_request_invalid(
      '`dataset_digest` can only be specified if `dataset_name` is also specified.',
    )
  }
  return (datasets.length > 0 ? datasets : ordered).map(
    ({ dataset_name: name, dataset_digest: digest }) => ({
      name: name!,
      ...(digest && { digest }),
    }),
  )
}

/** A logged model that may be deleted. */
async function anyModel({ tracking }: MlflowRooms, id: string): Promise<LoggedModel> {
  const { models } = await tracking.searchLoggedModels({
    experimentIds: [],
    filter: { field: { of: 'attribute', name: 'id' }, op: '=', value: id },
    deleted: 'with',
    order: [],
    limit: 1,
  })
  if (models.length > 0) return models[0]
  throw trackingErrors.logged_model_not_found(`No logged model has id ${id}.`)
}
