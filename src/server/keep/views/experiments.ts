import { defineErrors, isAssayError } from '../../../lib/errors.ts'
import type { ModelVersion } from '../../../registry/index.ts'
import type { Metric, Run, RunComparison } from '../../../tracking/index.ts'
import { PREDICTIONS, type RunReport } from '../../../pipelines/index.ts'
import type { ComparedRuns, Run as RunView, RunSummary } from '../../contract/index.ts'
import type { Handlers } from '../handlers.ts'
import {
  estimate,
  identityView,
  interval,
  metricTitles,
  metricView,
  ref,
  short,
  time,
  verdict,
  versionRef,
} from '../present.ts'
import type { Rooms } from '../rooms.ts'

const errors = defineErrors({
  comparison_invalid: {
    status: 422,
    title: 'These runs cannot be compared',
    action: 'Choose 2 to 20 runs.',
  },
})

/** Runs measured on different rows have figures that cannot be held against each other. */
const SPLIT_TAG = 'split'

export function experimentViews(rooms: Rooms): Pick<Handlers, 'runs' | 'run' | 'compareRuns'> {
  const context = async () => {
    const [identities, experiments, versions] = await Promise.all([
      rooms.access.identities(),
      rooms.tracking.experiments(),
      rooms.registry.versions(),
    ])
    return {
      people: new Map(identities.map((each) => [each.id, each])),
      experiments: new Map(experiments.map((each) => [each.id, each.name])),
      registered: new Map(versions.map((each) => [each.build.runId, each])),
    }
  }
  type Context = Awaited<ReturnType<typeof context>>

  const summary = (run: Run, known: Context): RunSummary => ({
    id: run.id,
    name: run.name,
    experiment: known.experiments.get(run.experimentId) ?? run.experimentId,
    learner: String(run.params['learner'] ?? run.name),
    status: statusView(run),
    startedAt: time(run.startedAtUs),
    durationMs: run.endedAtUs === undefined ? null : (run.endedAtUs - run.startedAtUs) / 1000,
    by: identityView(known.people.get(run.startedBy), run.startedBy),
    metrics: Object.entries(run.metrics).map(([name, metric]) => metricView(name, metric)),
    registeredAs: registeredRef(known.registered.get(run.id)),
  })

  return {
    async runs({ query }) {
      const known = await context()
      const wanted = query.text?.toLowerCase()
      const items = (await rooms.tracking.runs())
        .map((run) => summary(run, known))
        .filter(
          (run) =>
            (query.experiment === undefined || run.experiment === query.experiment) &&
            (query.status === undefined || run.status === query.status) &&
            (wanted === undefined ||
              `${run.name} ${run.learner} ${run.id}`.toLowerCase().includes(wanted)),
        )
      return { items }
    },
    async run({ params }) {
      const run = await rooms.tracking.run(params.runId)
      return { ...summary(run, await context()), ...(await details(rooms, run)) }
    },
    async compareRuns({ query }) {
      const ids = query.ids.split(',').filter((id) => id !== '')
      if (ids.length < 2 || ids.length > 20) {
        throw errors.comparison_invalid(`${ids.length} run(s) were named.`)
      }
      const [known, comparison] = await Promise.all([context(), rooms.tracking.compare(ids)])
      const reports = await Promise.all(comparison.runs.map((run) => reportOf(rooms, run)))
      const pairs = await pairsOf(rooms, comparison)
      return {
        runs: comparison.runs.map((run) => summary(run, known)),
        params: comparison.params.map(({ name, values, differs }) => ({
          name,
          values: values.map((value) => (value === undefined ? null : String(value))),
          differs,
        })),
        metrics: comparison.metrics.map(({ name, values }) => comparedMetric(name, values)),
        pairs,
        roc: reports.map((report) => report?.roc ?? null),
        precisionRecall: reports.map((report) => report?.precisionRecall ?? null),
        positiveShare: reports.find((report) => report !== undefined)?.positiveShare ?? null,
        verdict: comparisonVerdict(comparison, pairs),
      }
    },
  }
}

async function details(rooms: Rooms, run: Run): Promise<Omit<RunView, keyof RunSummary>> {
  const report = await reportOf(rooms, run)
  return {
    params: Object.entries(run.params).map(([name, value]) => ({ name, value: String(value) })),
    split: report?.split ?? '',
    seed: report?.seed ?? 0,
    codeRevision: run.tags['code_revision'] ?? null,
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
    artifacts: run.artifacts.map((artifact) => ({
      name: artifact.name,
      bytes: artifact.size,
      sha256: artifact.sha256,
      href: `/api/v1/runs/${encodeURIComponent(run.id)}/artifacts/${encodeURIComponent(artifact.name)}`,
    })),
    log: report?.log.slice() ?? [],
    problem: run.tags['problem'] ?? null,
  }
}

async function reportOf(rooms: Rooms, run: Run): Promise<RunReport | undefined> {
  if (!run.artifacts.some((artifact) => artifact.name === 'report.json')) return undefined
  const { bytes } = await rooms.tracking.artifact(run.id, 'report.json')
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as RunReport
}

function comparedMetric(
  name: string,
  values: readonly (Metric | undefined)[],
): ComparedRuns['metrics'][number] {
  const { higherIsBetter } = metricView(name, { value: 0 })
  let best: number | null = null
  for (const [index, metric] of values.entries()) {
    if (metric === undefined) continue
    const leader = best === null ? undefined : values[best]
    if (
      leader === undefined ||
      (higherIsBetter ? metric.value > leader.value : metric.value < leader.value)
    ) {
      best = index
    }
  }
  return {
    name,
    title: metricTitles[name] ?? name,
    higherIsBetter,
    values: values.map((metric) => (metric === undefined ? null : estimate(metric))),
    best,
  }
}

/** Row by row, where all were measured on the same rows and kept what they said of them. */
async function pairsOf(rooms: Rooms, comparison: RunComparison): Promise<ComparedRuns['pairs']> {
  const { runs } = comparison
  if (onSameRows(comparison) !== true) return []
  if (!runs.every((run) => run.status === 'finished' && keptPredictions(run))) return []
  try {
    const found = await rooms.learning.pairs(runs.map(({ id }) => id))
    return found.map(({ measure, best, differences }) => ({
      name: measure,
      best,
      differences: differences.map((one, index) =>
        one === null
          ? null
          : {
              value: one.value,
              n: runs[index].metrics[measure]?.n ?? 0,
              interval: interval(one.lower, one.upper),
            },
      ),
    }))
  } catch (error) {
    // While `work` is away the runs are shown side by side, without this.
    if (isAssayError(error, 'peer_unavailable', 'peer_failed', 'peer_timeout')) return []
    throw error
  }
}

function keptPredictions({ artifacts }: Run): boolean {
  return artifacts.some(({ name }) => name === PREDICTIONS)
}

/** Undefined: not known, because a run does not say it. */
function onSameRows({ runs }: RunComparison): boolean | undefined {
  const splits = runs.flatMap(({ tags }) => tags[SPLIT_TAG] ?? [])
  if (splits.length < runs.length) return undefined
  return new Set(splits).size === 1
}

function comparisonVerdict(
  comparison: RunComparison,
  [first]: ComparedRuns['pairs'],
): ComparedRuns['verdict'] {
  const isSame = onSameRows(comparison)
  if (isSame === undefined) {
    return verdict('no-data', 'It is not known whether these runs were measured on the same rows.')
  }
  if (!isSame) {
    return verdict(
      'warning',
      'These runs were measured on different rows: their figures do not compare.',
    )
  }
  const same = 'All of these runs were measured on the same rows.'
  if (first === undefined) return verdict('ok', same)
  const { best, differences, name } = first
  const close = comparison.runs.filter((_, index) => {
    const upper = differences[index]?.interval?.high
    return upper !== undefined && upper >= 0
  })
  const behind =
    close.length === 0
      ? 'measurably so'
      : `not measurably better than ${close.map((run) => run.name).join(', ')}`
  const title = (metricTitles[name] ?? name).toLowerCase().replace('roc auc', 'ROC AUC')
  return verdict('ok', `${same} ${comparison.runs[best].name} has the best ${title}, ${behind}.`)
}

function registeredRef(version: ModelVersion | undefined) {
  return version === undefined ? null : versionRef(version.model, version.version)
}

function statusView(run: Run): RunSummary['status'] {
  return run.status === 'cancelled' ? 'failed' : run.status
}
