// Our nouns in the form of MLflow's messages: times in whole milliseconds, unset members left out.
import type {
  DatasetInput,
  Experiment,
  LoggedModel,
  LoggedModelStatus,
  Metric,
  Run,
  RunHead,
  RunStatus,
  Tags,
} from '../../tracking/index.ts'
import { some } from './endpoint.ts'

/** The tag that says what a run is called; a run's name and this tag are one thing. */
export const runNameTag = 'mlflow.runName'
/** The tag that says who a client says it works for; who asked is in the audit log. */
export const userTag = 'mlflow.user'

export const runStatusNames = ['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'] as const
type RunStatusName = (typeof runStatusNames)[number]

const statusNames: Readonly<Record<RunStatus, RunStatusName>> = {
  running: 'RUNNING',
  scheduled: 'SCHEDULED',
  finished: 'FINISHED',
  failed: 'FAILED',
  cancelled: 'KILLED',
}

const statuses = Object.fromEntries(
  Object.entries(statusNames).map(([ours, theirs]) => [theirs, ours]),
) as Readonly<Record<RunStatusName, RunStatus>>

export const statusOf = (name: RunStatusName): RunStatus => statuses[name]

export const modelStatusNames = [
  'LOGGED_MODEL_STATUS_UNSPECIFIED',
  'LOGGED_MODEL_PENDING',
  'LOGGED_MODEL_READY',
  'LOGGED_MODEL_UPLOAD_FAILED',
] as const

const modelStatuses: Readonly<Record<LoggedModelStatus, (typeof modelStatusNames)[number]>> = {
  pending: 'LOGGED_MODEL_PENDING',
  ready: 'LOGGED_MODEL_READY',
  failed: 'LOGGED_MODEL_UPLOAD_FAILED',
}

export const toMs = (us: number): number => Math.floor(us / 1000)
export const toUs = (ms: number): number => ms * 1000

/** Where the files of an experiment lie unless its client said another place. */
export function experimentLocation({
  id,
  artifactLocation,
}: Pick<Experiment, 'id' | 'artifactLocation'>): string {
  return artifactLocation ?? `mlflow-artifacts:/${id}`
}

export function encodeExperiment(experiment: Experiment) {
  return {
    experiment_id: experiment.id,
    name: experiment.name,
    artifact_location: experimentLocation(experiment),
    lifecycle_stage: lifecycleStage(experiment),
    last_update_time: toMs(experiment.updatedAtUs),
    creation_time: toMs(experiment.createdAtUs),
    tags: encodeTags(experiment.tags),
  }
}

/** `location` is where the files of the run's experiment lie. */
export function encodeRunInfo(run: RunHead & { readonly tags?: Tags }, location: string) {
  return {
    run_uuid: run.id,
    experiment_id: run.experimentId,
    run_name: run.name,
    user_id: run.tags?.[userTag] ?? '',
    status: statusNames[run.status],
    start_time: toMs(run.startedAtUs),
    ...(run.endedAtUs !== undefined && { end_time: toMs(run.endedAtUs) }),
    artifact_uri: joinUri(location, run.id, 'artifacts'),
    lifecycle_stage: lifecycleStage(run),
    run_id: run.id,
  }
}

export function encodeRun(run: Run, location: string) {
  return {
    info: encodeRunInfo(run, location),
    data: {
      metrics: some(Object.values(run.metrics).map(encodeMetric)),
      params: some(
        Object.entries(run.params).map(([key, value]) => ({ key, value: String(value) })),
      ),
      tags: encodeTags({ ...run.tags, [runNameTag]: run.name }),
    },
    inputs: {
      dataset_inputs: some(run.datasets.map(encodeDataset)),
      model_inputs: some(run.modelInputs.map(({ modelId }) => ({ model_id: modelId }))),
    },
    outputs: {
      model_outputs: some(
        run.modelOutputs.map(({ modelId, step }) => ({ model_id: modelId, step })),
      ),
    },
  }
}

export function encodeMetric({ name, value, atUs, step, modelId, dataset }: Metric) {
  return {
    key: name,
    value: encodeDouble(value),
    timestamp: toMs(atUs),
    step,
    ...(dataset && { dataset_name: dataset.name, dataset_digest: dataset.digest }),
    ...(modelId !== undefined && { model_id: modelId }),
  }
}

export function encodeLoggedModel(model: LoggedModel, location: string) {
  return {
    info: {
      model_id: model.id,
      experiment_id: model.experimentId,
      name: model.name,
      creation_timestamp_ms: toMs(model.createdAtUs),
      last_updated_timestamp_ms: toMs(model.updatedAtUs),
      artifact_uri: joinUri(location, 'models', model.id, 'artifacts'),
      status: modelStatuses[model.status],
      model_type: model.modelType,
      source_run_id: model.sourceRunId ?? '',
      ...(model.statusMessage !== undefined && { status_message: model.statusMessage }),
      tags: encodeTags(model.tags),
    },
    data: {
      params: some(Object.entries(model.params).map(([key, value]) => ({ key, value }))),
      metrics: some(
        model.metrics.map((metric) => ({
          ...encodeMetric(metric),
          model_id: model.id,
          run_id: metric.runId,
        })),
      ),
    },
  }
}

export function encodeTags(tags: Tags): readonly { key: string; value: string }[] | undefined {
  return some(Object.entries(tags).map(([key, value]) => ({ key, value })))
}

function encodeDataset({ tags, ...dataset }: DatasetInput) {
  return {
    tags: encodeTags(tags),
    dataset: {
      name: dataset.name,
      digest: dataset.digest,
      source_type: dataset.sourceType,
      source: dataset.source,
      schema: dataset.schema,
      profile: dataset.profile,
    },
  }
}

/** As protobuf's JSON form writes doubles that JSON cannot. */
function encodeDouble(value: number): number | string {
  return Number.isFinite(value) ? value : String(value)
}

function lifecycleStage({ deletedAtUs }: { readonly deletedAtUs?: number | undefined }): string {
  return deletedAtUs === undefined ? 'active' : 'deleted'
}

function joinUri(root: string, ...parts: readonly string[]): string {
  const [, address, rest] = /^([^?#]*)(.*)$/s.exec(root)!
  return [address.replace(/\/$/, ''), ...parts].join('/') + rest
}
