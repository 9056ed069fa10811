// What clients log to a run: metrics, params, tags, data sets, models.
import { invalid, mlflowErrors } from './errors.ts'
import { trackingLimits, type NewMetric, type Tags } from '../../tracking/index.ts'
import { runNameTag, toUs } from './encode.ts'
import {
  defineEndpoint,
  list,
  number,
  record,
  text,
  whole,
  type Endpoint,
  type EndpointCall,
  type RequestOf,
} from './endpoint.ts'
import { metricKey, paramKey, tagKey, theRun, toRecord } from './fields.ts'
import { timeMsMax } from './limits.ts'
import { parseJsonText, tooMany } from './parse.ts'
import { atMost } from './text-rules.ts'

const limits = trackingLimits

const metricFields = {
  key: metricKey,
  value: number({ required: true }),
  timestamp: whole({ required: true }),
  step: whole({ fallback: 0 }),
  model_id: text(),
  dataset_name: text({ rule: atMost(limits.datasetName, 'dataset_name') }),
  dataset_digest: text({ rule: atMost(limits.datasetDigest, 'dataset_digest') }),
} as const

const paramFields = { key: paramKey, value: text() } as const

const theModels = record({ model_id: text({ required: true }), step: whole({ fallback: 0 }) })

export const loggingEndpoints: readonly Endpoint[] = [
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/runs/log-metric',
    action: 'track',
    fields: { run_id: theRun, ...metricFields },
    handle: async ({ request, rooms, by }) => {
      await rooms.tracking.log(request.run_id, { metrics: [metricOf(request, '')] }, by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/runs/log-parameter',
    action: 'track',
    fields: { run_id: theRun, ...paramFields },
    handle: async ({ request, rooms, by }) => {
      const kept = cutTo(limits.paramValue, 'param', [request])
      await rooms.tracking.log(request.run_id, { params: kept.values, tags: kept.marks }, by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/runs/set-tag',
    action: 'track',
    fields: { run_id: theRun, key: tagKey, value: text() },
    handle: async ({ request, rooms, by }) => {
      await setTags(rooms, request.run_id, [request], by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/runs/delete-tag',
    action: 'track',
    fields: { run_id: theRun, key: text({ required: true }) },
    handle: async ({ request, rooms, by }) => {
      // The name stays, and so does the tag that says it.
      if (request.key === runNameTag) return {}
      await rooms.tracking.deleteTag(request.run_id, request.key, by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/runs/log-batch',
    action: 'track',
    fields: {
      run_id: theRun,
      metrics: list(record(metricFields), { itemsMax: limits.metricsPerBatch, called: 'metrics' }),
      params: list(record(paramFields), { itemsMax: limits.paramsPerBatch, called: 'params' }),
      tags: list(record({ key: tagKey, value: text() }), {
        itemsMax: limits.tagsPerBatch,
        called: 'tags',
      }),
    },
    handle: async ({ request, rooms, by }) => {
      const { run_id: runId, metrics, params, tags } = request
      requireBatch(metrics.length + params.length + tags.length)
      requireOnce(params.map(({ key }) => key))
      const keptParams = cutTo(limits.paramValue, 'param', params)
      const keptTags = cutTo(limits.runTagValue, 'tag', tags)
      const { [runNameTag]: name, ...ownTags } = keptTags.values
      const allTags = Object.entries({ ...ownTags, ...keptTags.marks, ...keptParams.marks })
      const fitting = Math.min(
        limits.tagsPerBatch,
        limits.itemsPerBatch - metrics.length - params.length,
      )
      const batch = {
        metrics: metrics.map((metric, place) => metricOf(metric, `metrics[${place}].`)),
        params: keptParams.values,
        tags: Object.fromEntries(allTags.slice(0, fitting)),
      }
      await rooms.tracking.log(runId, batch, by)
      // Marks for which a full batch has no room.
      for (let from = fitting; from < allTags.length; from += limits.tagsPerBatch) {
        const more = Object.fromEntries(allTags.slice(from, from + limits.tagsPerBatch))
        await rooms.tracking.log(runId, { tags: more }, by)
      }
      if (name) await rooms.tracking.updateRun(runId, { name }, by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/runs/log-inputs',
    action: 'track',
    bodyBytesMax: 64 * 1024 * 1024,
    fields: {
      run_id: theRun,
      datasets: list(
        record({
          tags: list(record({ key: text({ required: true }), value: text() })),
          dataset: record(
            {
              name: text({ required: true, rule: atMost(limits.datasetName) }),
              digest: text({ required: true, rule: atMost(limits.datasetDigest) }),
              source_type: text({ required: true }),
              source: text({ required: true, rule: atMost(limits.datasetSource) }),
              schema: text({ rule: atMost(limits.datasetSchema) }),
              profile: text({ rule: atMost(limits.datasetProfile) }),
            },
            { required: true },
          ),
        }),
        { itemsMax: limits.datasetsPerCall },
      ),
      models: list(theModels, { itemsMax: limits.modelsPerCall }),
    },
    handle: async ({ request, rooms, by }) => {
      const datasets = request.datasets.map(({ tags, dataset: { source_type, ...dataset } }) => ({
        ...dataset,
        sourceType: source_type,
        tags: toRecord(tags),
      }))
      const models = request.models.map(({ model_id: modelId }) => ({ modelId }))
      await rooms.tracking.logInputs(request.run_id, { datasets, models }, by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/runs/outputs',
    action: 'track',
    fields: {
      run_id: theRun,
      models: list(theModels, { required: true, itemsMax: limits.modelsPerCall }),
    },
    handle: async ({ request, rooms, by }) => {
      const models = request.models.map(({ model_id: modelId, step }) => ({ modelId, step }))
      await rooms.tracking.logOutputs(request.run_id, models, by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/runs/log-model',
    action: 'track',
    fields: { run_id: theRun, model_json: text({ required: true }) },
    handle: async (call) => {
      const { request, rooms, by } = call
      const entry = modelEntry(request.model_json)
      const { tags } = await rooms.tracking.run(request.run_id)
      const value = JSON.stringify([...earlierEntries(tags), entry])
      await rooms.tracking.log(request.run_id, { tags: { [modelHistoryTag]: value } }, by)
      return {}
    },
  }),
]

type MetricRequest = RequestOf<typeof metricFields>

function metricOf(request: MetricRequest, path: string): NewMetric {
  const { key: name, value, timestamp, step } = request
  if (timestamp < 0) {
    const why = `metric '${name}' (value=${value}). Timestamp must be a nonnegative long (64-bit integer) `
    throw invalid(`${path}timestamp`, timestamp, why)
  }
  if (timestamp > timeMsMax) {
    throw invalid(`${path}timestamp`, timestamp, `It must be at most ${timeMsMax} milliseconds`)
  }
  const { model_id: modelId, dataset_name: dataset, dataset_digest: digest } = request
  return {
    name,
    // The largest double stands for what lies beyond it, as in MLflow's own store.
    value: Number.isNaN(value)
      ? NaN
      : Math.min(Math.max(value, -Number.MAX_VALUE), Number.MAX_VALUE),
    atUs: toUs(timestamp),
    step,
    ...(modelId && { modelId }),
    ...(dataset && { dataset: { name: dataset, digest: digest ?? '' } }),
  }
}

type Rooms = EndpointCall['rooms']
type By = EndpointCall['by']
type Pair = { readonly key: string; readonly value: string | undefined }

async function setTags(
  { tracking }: Rooms,
  runId: string,
  tags: readonly Pair[],
  by: By,
): Promise<void> {
  const { values, marks } = cutTo(limits.runTagValue, 'tag', tags)
  const { [runNameTag]: name, ...kept } = { ...values, ...marks }
  if (Object.keys(kept).length > 0) await tracking.log(runId, { tags: kept }, by)
  if (name) await tracking.updateRun(runId, { name }, by)
}

/**
 * MLflow's server cuts values that are too long, and training scripts count on it. Here a cut value
 * leaves a tag that says so, because a record that lost something must tell.
 */
function cutTo(limit: number, kind: 'param' | 'tag', pairs: readonly Pair[]) {
  const values: Record<string, string> = {}
  const marks: Record<string, string> = {}
  for (const { key, value = '' } of pairs) {
    values[key] = value.length <= limit ? value : wholeCharacters(value.slice(0, limit))
    if (value.length <= limit) continue
    marks[`assay.cut.${kind}.${key}`.slice(0, limits.name)] =
      `${limit} of ${value.length} characters were kept`
  }
  return { values, marks }
}

/** A text that was cut within a surrogate pair loses the half that is left. */
function wholeCharacters(text: string): string {
  return /[\ud800-\udbff]$/.test(text) ? text.slice(0, -1) : text
}

function requireBatch(items: number): void {
  if (items <= limits.itemsPerBatch) return
  const called = 'metrics, params, and tags'
  throw mlflowErrors.mlflow_request_invalid(tooMany(called, limits.itemsPerBatch, items))
}

function requireOnce(keys: readonly string[]): void {
  const seen = new Set<string>()
  const twice = keys.filter((key) => seen.size === seen.add(key).size)
  if (twice.length === 0) return
  throw mlflowErrors.mlflow_request_invalid(
    `Duplicate parameter keys have been submitted: [${twice.map((key) => `'${key}'`).join(', ')}]. ` +
      'Please ensure the request contains only one param value per param key.',
  )
}

/** Where clients before MLflow 3 say which models a run logged: a list of JSON objects. */
const modelHistoryTag = 'mlflow.log-model.history'
const modelEntryFields = ['artifact_path', 'flavors', 'utc_time_created', 'run_id'] as const

function modelEntry(json: string): Record<string, unknown> {
  const model = parseJsonText(json)
  const shown = json.slice(0, 500)
  if (typeof model !== 'object' || model === null || Array.isArray(model)) {
    throw mlflowErrors.mlflow_request_invalid(
      `Malformed model info. \n ${shown} \n is not a valid JSON.`,
    )
  }
  const absent = modelEntryFields.filter((name) => !Object.hasOwn(model, name))
  if (absent.length > 0) {
    const names = absent.map((name) => `'${name}'`).join(', ')
    throw mlflowErrors.mlflow_request_invalid(`Model json is missing mandatory fields: {${names}}`)
  }
  const { artifact_path, flavors, utc_time_created, run_id, model_uuid } = model as Record<
    string,
    unknown
  >
  return { run_id, artifact_path, utc_time_created, flavors, model_uuid }
}

function earlierEntries(tags: Tags): readonly unknown[] {
  const known = Object.hasOwn(tags, modelHistoryTag) ? parseJsonText(tags[modelHistoryTag]) : []
  return Array.isArray(known) ? known : []
}
