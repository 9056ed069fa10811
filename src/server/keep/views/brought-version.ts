// A version that a client brought: what it is, whether it can be served, and what its run says.
import { isAssayError } from '../../../lib/errors.ts'
import type { LabelledVersion, ModelVersion } from '../../../registry/index.ts'
import { paramText, type Run } from '../../../tracking/index.ts'
import type { RunModel, Version } from '../../contract/index.ts'
import { estimate, metricView, ref } from '../present.ts'
import type { Rooms } from '../rooms.ts'
import { finite } from './experiments-context.ts'

/** So many runs are told by name; others by the name of the model. */
const RUNS_MAX = 1000

type Brought = NonNullable<Version['brought']>

/** Null of a version that was trained here. */
export async function broughtView(
  { tracking }: Pick<Rooms, 'tracking'>,
  modelsOf: (run: Run) => Promise<RunModel[]>,
  version: ModelVersion,
): Promise<Version['brought']> {
  const { brought, build } = version
  if (brought === undefined) return null
  const run = build.runId === '' ? undefined : await runOrNothing(tracking, build.runId)
  const models = run === undefined ? [] : await modelsOf(run)
  const model = models.find((one) => isOf(one, brought)) ?? null
  return {
    sentence: sentenceOf(version, brought, run),
    model,
    run: run === undefined ? null : ref('run', run.id, run.name),
    metrics: metricsOf(run),
    params: Object.entries(run?.params ?? {}).map(([name, value]) => ({
      name,
      value: paramText(value),
    })),
  }
}

/** Names of the runs that clients brought versions from; those that were purged have none. */
export async function namesOfRuns(
  { tracking }: Pick<Rooms, 'tracking'>,
  versions: readonly LabelledVersion[],
): Promise<ReadonlyMap<string, string>> {
  const ids = versions.flatMap(({ version: { brought, build } }) =>
    brought === undefined || build.runId === '' ? [] : build.runId,
  )
  if (ids.length === 0) return new Map()
  const { runs } = await tracking.searchRuns({
    experimentIds: [],
    filter: {
      field: { of: 'attribute', name: 'id' },
      op: 'in',
      value: [...new Set(ids)].slice(0, RUNS_MAX),
    },
    deleted: 'with',
    order: [],
    limit: RUNS_MAX,
    parts: { metrics: 'none', params: 'none', tags: 'none' },
  })
  return new Map(runs.map(({ id, name }) => [id, name]))
}

/** A run that was purged, or that a client only named, leaves the version without it. */
async function runOrNothing(tracking: Rooms['tracking'], id: string): Promise<Run | undefined> {
  try {
    return await tracking.run(id)
  } catch (error) {
    if (isAssayError(error, 'run_not_found')) return undefined
    throw error
  }
}

/** Whether a model of the run is the one that was registered. */
function isOf(
  { id, path }: RunModel,
  { source, loggedModelId }: NonNullable<ModelVersion['brought']>,
): boolean {
  if (loggedModelId !== undefined) return id === loggedModelId
  return id === source || (path !== '' && source.endsWith(`/artifacts/${path}`))
}

function sentenceOf(
  { build }: ModelVersion,
  { files, format, source }: NonNullable<ModelVersion['brought']>,
  run: Run | undefined,
): string {
  const form = format === 'unknown' ? 'A model' : `A model of ${format}`
  const unknown =
    build.runId === '' ? '' : ` The run ${build.runId} that it names is not known here.`
  const from = run === undefined ? '' : ` in the run ${run.name}`
  const ofRun = run === undefined ? unknown : ''
  return Object.keys(files).length === 0
    ? `A model that a client registered from ${source}. Its files are not kept here, so it can be neither read nor scored.${ofRun}`
    : `${form} that a client logged${from}; its files are kept here.${ofRun}`
}

function metricsOf(run: Run | undefined): Brought['metrics'] {
  return Object.entries(run?.metrics ?? {}).map(([name, metric]) => ({
    ...metricView(name, metric),
    estimate: { ...estimate(metric), value: finite(metric.value) },
  }))
}
