// One run: what its flow or its client logged, where it came from, and what people wrote to it.
import { PREDICTIONS, type RunReport } from '../../../pipelines/index.ts'
import { datasetContextTag, paramText, type Metric, type Run } from '../../../tracking/index.ts'
import type { Run as RunView, RunMetrics, RunSummary } from '../../contract/index.ts'
import type { Handlers } from '../handlers.ts'
import { metricView, ref, short, time, timeOrNull } from '../present.ts'
import {
  changeBy,
  finite,
  runContext,
  summaryOf,
  type ExperimentRooms,
} from './experiments-context.ts'
import { artifactHref } from './experiments-files.ts'

/** Tags that MLflow's clients set (mlflow/utils/mlflow_tags.py). */
const tagNames = {
  note: 'mlflow.note.content',
  parent: 'mlflow.parentRunId',
  source: 'mlflow.source.name',
  sourceKind: 'mlflow.source.type',
  entryPoint: 'mlflow.project.entryPoint',
  commit: 'mlflow.source.git.commit',
  branch: 'mlflow.source.git.branch',
  repository: 'mlflow.source.git.repoURL',
} as const

const CHILDREN_MAX = 200
const ARTIFACTS_MAX = 1000
const METRICS_PER_PAGE = 100
const THUMBNAIL_POINTS = 120

export function runViews(
  rooms: ExperimentRooms,
): Pick<Handlers, 'run' | 'runMetrics' | 'setRunTag' | 'deleteRunTag'> {
  const { tracking } = rooms
  return {
    async run({ params }) {
      const run = await tracking.run(params.runId)
      const known = await runContext(rooms, [run])
      return { ...summaryOf(run, known), ...(await details(rooms, run)) }
    },

    async runMetrics({ params, query }) {
      const run = await tracking.run(params.runId)
      const names = Object.keys(run.metrics)
        .sort()
        .filter((name) => query.after === undefined || name > query.after)
      const page = names.slice(0, METRICS_PER_PAGE)
      const items = await Promise.all(page.map((name) => metricFacts(rooms, run, name)))
      return { items, next: names.length > page.length ? (page.at(-1) ?? null) : null }
    },

    async setRunTag({ params, body, identity }) {
      const by = changeBy(identity, 'A tag was written on the page of the run')
      await tracking.logTags(params.runId, { [body.key]: body.value }, by)
      const isNote = body.key === tagNames.note
      return { sentence: isNote ? 'The note is saved.' : `${body.key} is set.` }
    },

    async deleteRunTag({ params, identity }) {
      const by = changeBy(identity, 'A tag was removed on the page of the run')
      await tracking.deleteTag(params.runId, params.key, by)
      return { sentence: `${params.key} is removed.` }
    },
  }
}

async function metricFacts(
  { tracking }: ExperimentRooms,
  run: Run,
  name: string,
): Promise<RunMetrics['items'][number]> {
  const last = run.metrics[name]
  const [found] = await tracking.metricHistories({
    runIds: [run.id],
    name,
    points: THUMBNAIL_POINTS,
  })
  const history: readonly Metric[] = found?.metrics ?? []
  const values = history.map(({ value }) => value).filter(Number.isFinite)
  return {
    name,
    title: metricView(name, last).title,
    last: finite(last.value),
    low: last.low ?? null,
    high: last.high ?? null,
    n: last.n ?? null,
    min: values.length === 0 ? null : Math.min(...values),
    max: values.length === 0 ? null : Math.max(...values),
    step: last.step,
    at: time(last.atUs),
    curve: history.length < 2 ? [] : history.map(({ value }) => finite(value)),
  }
}

async function details(rooms: ExperimentRooms, run: Run): Promise<Omit<RunView, keyof RunSummary>> {
  const [report, family, models] = await Promise.all([
    reportOf(rooms, run),
    familyOf(rooms, run),
    rooms.models?.(run) ?? [],
  ])
  return {
    ...origin(run),
    ...family,
    ...plotsOf(report),
    experimentId: run.experimentId,
    endedAt: timeOrNull(run.endedAtUs),
    deletedAt: timeOrNull(run.deletedAtUs),
    params: Object.entries(run.params).map(([name, value]) => ({ name, value: paramText(value) })),
    tags: Object.entries(run.tags).map(([key, value]) => ({ key, value })),
    note: run.tags[tagNames.note] ?? null,
    models,
    artifacts: run.artifacts.slice(0, ARTIFACTS_MAX).map(({ name, size, sha256 }) => ({
      name,
      bytes: size,
      sha256,
      href: artifactHref(run.id, name),
    })),
    problem: run.tags['problem'] ?? null,
  }
}

/** Where a run came from: code, data and models. */
function origin({ tags, datasets, modelInputs }: Run) {
  return {
    codeRevision: tags['code_revision'] ?? tags[tagNames.commit] ?? null,
    source: {
      name: tags[tagNames.source] ?? tags[tagNames.entryPoint] ?? null,
      kind: tags[tagNames.sourceKind] ?? null,
      branch: tags[tagNames.branch] ?? null,
      repository: tags[tagNames.repository] ?? null,
    },
    datasets: datasets.map((data) => ({
      name: data.name,
      digest: data.digest,
      context: data.tags[datasetContextTag] ?? null,
      source: data.source,
    })),
    modelInputs: modelInputs.map(({ modelId }) => modelId),
  }
}

/** The run around this one and the runs within it, which clients tell by a tag. */
async function familyOf(
  { tracking }: ExperimentRooms,
  run: Run,
): Promise<Pick<RunView, 'parent' | 'children'>> {
  const near = ({ id, name, status }: Pick<Run, 'id' | 'name' | 'status'>) => ({ id, name, status })
  const parentId = run.tags[tagNames.parent]
  const parent = parentId === undefined ? undefined : await runOrNothing(tracking, parentId)
  const { runs: children } = await tracking.searchRuns({
    experimentIds: [],
    filter: { field: { of: 'tag', name: tagNames.parent }, op: '=', value: run.id },
    deleted: 'without',
    order: [],
    limit: CHILDREN_MAX,
    parts: { metrics: 'none', params: 'none', tags: 'none' },
  })
  return { parent: parent === undefined ? null : near(parent), children: children.map(near) }
}

/** A tag may name a run that was purged, or never was. */
async function runOrNothing(tracking: ExperimentRooms['tracking'], id: string) {
  const { runs } = await tracking.searchRuns({
    experimentIds: [],
    filter: { field: { of: 'attribute', name: 'id' }, op: '=', value: id },
    deleted: 'with',
    order: [],
    limit: 1,
    parts: { metrics: 'none', params: 'none', tags: 'none' },
  })
  return runs[0]
}

/** A file that only looks like a report of ours has nothing to show. */
function plotsOf(report: RunReport | undefined): ReturnType<typeof plots> {
  try {
    return plots(report)
  } catch {
    return plots(undefined)
  }
}

/** What our own flows report of a run; nothing of it where a client logged. */
function plots(report: RunReport | undefined) {
  return {
    split: report?.split ?? '',
    seed: report?.seed ?? null,
    inputs: [
      ...(report?.snapshots ?? []).map(({ dataset, hash }) =>
        ref('snapshot', `${dataset}/${hash}`, `${dataset} ${short(hash)}`),
      ),
      ...(report?.featureSets ?? []).map(({ name, version }) =>
        ref('feature-set', name, `${name} ${short(version)}`),
      ),
    ],
    roc: report?.roc ?? null,
    precisionRecall: report?.precisionRecall ?? null,
    positiveShare: report?.positiveShare ?? null,
    calibration: report?.calibration?.map((bin) => ({ ...bin })) ?? null,
    scores: report?.scores ?? null,
    importance: (report?.importance ?? []).map(({ feature, set, value }) => ({
      feature,
      value,
      // A column of a file is no declared feature.
      target: set === '' ? null : ref('feature', `${set}/${feature}`, feature),
    })),
    importanceIs: report?.importanceIs ?? 'Mean |SHAP|, log-odds',
    contributions: (report?.contributions as RunView['contributions']) ?? null,
    threshold: report?.threshold ?? null,
    log: report?.log.slice() ?? [],
  }
}

const REPORT = 'report.json'
const REPORT_BYTES = 16 * 1024 * 1024

/**
 * The report that our flows keep beside the predictions. A client may call a file the same, and it
 * is then only a file.
 */
export async function reportOf(rooms: ExperimentRooms, run: Run): Promise<RunReport | undefined> {
  const file = run.artifacts.find(({ name }) => name === REPORT)
  if (file === undefined || file.size > REPORT_BYTES) return undefined
  const { bytes } = await rooms.tracking.artifact(run.id, REPORT)
  try {
    const report = JSON.parse(Buffer.from(bytes).toString('utf8')) as RunReport
    return Array.isArray(report.log) && Array.isArray(report.snapshots) ? report : undefined
  } catch {
    return undefined
  }
}

export function keptPredictions({ artifacts }: Run): boolean {
  return artifacts.some(({ name }) => name === PREDICTIONS)
}
