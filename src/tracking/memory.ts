import { Readable } from 'node:stream'
import { matches } from '../lib/filter.ts'
import { sha256Hex } from '../lib/hash.ts'
import type { Restorable } from '../lib/unit-of-work.ts'
import { own } from '../lib/records.ts'
import { isLaterMetric } from './comparison.ts'
import { createMemoryLoggedModels, type LoggedModelMap } from './memory-models.ts'
import type { FileStore } from './file-ports.ts'
import { createMemoryFileStore } from './files-memory.ts'
import { collect } from './files-stream.ts'
import type {
  ArtifactStore,
  DatasetSummary,
  HistoriesQuery,
  NameCount,
  TrackingStore,
} from './ports.ts'
import { experimentValue, pageOf, runValue, type Names, type RunParts } from './search.ts'
import { evenPlaces, thinned } from './thinning.ts'
import {
  datasetContextTag,
  type DatasetInput,
  type Experiment,
  type Metric,
  type Run,
} from './types.ts'

interface State {
  experiments: Map<string, Experiment>
  runs: Map<string, Run>
  /** By run and name; in the order in which they were logged. */
  histories: Map<string, readonly Metric[]>
  models: LoggedModelMap
  /** Runs and models that went with their experiment. */
  gone: Set<string>
}

/** The simplest right store: maps of immutable values that a failed transaction puts back. */
export function createMemoryTrackingStore(): TrackingStore & Restorable {
  let state: State = {
    experiments: new Map(),
    runs: new Map(),
    histories: new Map(),
    models: new Map(),
    gone: new Set(),
  }
  const models = createMemoryLoggedModels(() => state.models)
  const files = createMemoryFileStore()

  return {
    save() {
      const saved: State = {
        experiments: new Map(state.experiments),
        runs: new Map(state.runs),
        histories: new Map(state.histories),
        models: new Map(state.models),
        gone: new Set(state.gone),
      }
      const restoreFiles = files.save()
      return () => {
        restoreFiles()
        state = saved
      }
    },
    ...experimentStore(() => state),
    files,
    ...runStore(() => state, models.measured, files),
    ...models.store,
    ...purgeStore(() => state),
  }
}

type State_ = () => State

function experimentStore(state: State_) {
  const change = (id: string, update: (experiment: Experiment) => object) => {
    const experiment = state().experiments.get(id)
    if (experiment !== undefined) {
      state().experiments.set(id, withoutNulls({ ...experiment, ...update(experiment) }))
    }
  }
  const contents = (experimentId: string) =>
    [state().runs, state().models].map((map) =>
      [...map.values()].filter((item) => item.experimentId === experimentId),
    )
  const mark = (id: string, deletedAtUs: number | undefined) => {
    const { runs, models, gone } = state()
    const [run, model] = [runs.get(id), models.get(id)]
    if (run !== undefined) runs.set(id, { ...run, deletedAtUs })
    if (model !== undefined) models.set(id, { ...model, deletedAtUs })
    if (deletedAtUs === undefined) gone.delete(id)
    else gone.add(id)
  }

  return {
    async insertExperiment(experiment: Experiment) {
      state().experiments.set(experiment.id, experiment)
    },
    updateExperiment: async (id, update) => change(id, () => update),
    setExperimentTags: async (id, tags) =>
      change(id, (experiment) => ({ tags: { ...experiment.tags, ...tags } })),
    async deleteExperimentTag(id, name) {
      const tags = state().experiments.get(id)?.tags ?? {}
      change(id, () => ({ tags: without(tags, name) }))
      return Object.hasOwn(tags, name)
    },
    experiment: async (id) => state().experiments.get(id),
    experimentByName: async (name) =>
      [...state().experiments.values()].find((e) => e.name === name),
    experiments: async () =>
      [...state().experiments.values()]
        .filter(({ deletedAtUs }) => deletedAtUs === undefined)
        .sort((a, b) => a.createdAtUs - b.createdAtUs || order(a.id, b.id)),
    searchExperiments: async (search) =>
      pageOf(
        [...state().experiments.values()].filter(
          (experiment) =>
            isWanted(experiment, search.deleted) &&
            matches(search.filter ?? { all: [] }, (field) => experimentValue(experiment, field)),
        ),
        search,
        experimentValue,
        ({ createdAtUs }) => createdAtUs,
      ),
    async deleteContents(experimentId, atUs) {
      const [runs, models] = contents(experimentId).map((items) =>
        items.filter(({ deletedAtUs }) => deletedAtUs === undefined),
      )
      for (const { id } of [...runs, ...models]) mark(id, atUs)
      return runs.length
    },
    async restoreContents(experimentId) {
      const [runs, models] = contents(experimentId).map((items) =>
        items.filter(({ id }) => state().gone.has(id)),
      )
      for (const { id } of [...runs, ...models]) mark(id, undefined)
      return runs.length
    },
  } satisfies Partial<TrackingStore>
}

function runStore(
  state: State_,
  measured: (runId: string, metric: Metric) => void,
  files: FileStore,
) {
  const withFiles = async (run: Run): Promise<Run> => {
    const owner = { kind: 'run', id: run.id } as const
    const own = await files.filesBelow(owner, '', { limit: Infinity })
    const artifacts = own.map(({ path: name, contentType, sha256, size }) => {
      return { name, contentType, sha256, size }
    })
    return { ...run, artifacts }
  }
  const change = (id: string, update: (run: Run) => object) => {
    const run = state().runs.get(id)
    if (run !== undefined) state().runs.set(id, withoutNulls({ ...run, ...update(run) }))
  }
  const history = (runId: string, name: string) =>
    (state().histories.get(`${runId}\n${name}`) ?? [])
      .map((metric, number) => ({ metric, key: [metric.step, metric.atUs, number] as const }))
      .sort((a, b) => compareNumbers(a.key, b.key))
  const inSteps = (runId: string, { name, fromStep, toStep }: Omit<HistoriesQuery, 'runIds'>) =>
    history(runId, name)
      .map(({ metric }) => metric)
      .filter(({ step }) => step >= (fromStep ?? step) && step <= (toStep ?? step))
  const ofExperiments = (ids: readonly string[]) =>
    [...state().runs.values()].filter((run) => ids.length === 0 || ids.includes(run.experimentId))

  return {
    async insertRun(run) {
      const nothing = { params: {}, tags: {}, metrics: {}, artifacts: [], datasets: [] }
      state().runs.set(run.id, { ...run, ...nothing, modelInputs: [], modelOutputs: [] })
    },
    async updateRun(id, update) {
      change(id, () => update)
      if (update.deletedAtUs === null) state().gone.delete(id)
    },
    async runHead(id) {
      const run = state().runs.get(id)
      if (run === undefined) return undefined
      const { id: known, experimentId, name, status, startedAtUs, endedAtUs, startedBy } = run
      const { updatedAtUs, deletedAtUs } = run
      const head = { id: known, experimentId, name, status, startedAtUs, startedBy, updatedAtUs }
      return {
        ...head,
        ...(endedAtUs !== undefined && { endedAtUs }),
        ...(deletedAtUs !== undefined && { deletedAtUs }),
      }
    },
    async run(id) {
      const run = state().runs.get(id)
      return run && withFiles(run)
    },
    async searchRuns(search) {
      const runs = ofExperiments(search.experimentIds).filter(
        (run) =>
          isWanted(run, search.deleted) &&
          matches(search.filter ?? { all: [] }, (field) => runValue(run, field)),
      )
      const page = pageOf(runs, search, runValue, ({ startedAtUs }) => startedAtUs)
      const { parts = {} } = search
      const items = page.items.map(async (run) => {
        const chosen = partsOf(run, parts)
        return parts.files === 'none' ? chosen : withFiles(chosen)
      })
      return { ...page, items: await Promise.all(items) }
    },
    async runCounts() {
      const present = [...state().runs.values()].filter((run) => run.deletedAtUs === undefined)
      const byExperiment = Map.groupBy(present, ({ experimentId }) => experimentId)
      return Object.fromEntries([...byExperiment].map(([id, runs]) => [id, runs.length]))
    },
    params: async (id, names) => picked(state().runs.get(id)?.params ?? {}, names),
    setParams: async (id, params) =>
      change(id, (run) => ({ params: { ...run.params, ...params } })),
    setTags: async (id, tags) => change(id, (run) => ({ tags: { ...run.tags, ...tags } })),
    async deleteTag(id, name) {
      const tags = state().runs.get(id)?.tags ?? {}
      change(id, () => ({ tags: without(tags, name) }))
      return Object.hasOwn(tags, name)
    },
    async appendMetrics(id, metrics) {
      for (const metric of metrics) {
        const key = `${id}\n${metric.name}`
        measured(id, metric)
        if (isRepeated(metric, state().histories.get(key))) continue
        state().histories.set(key, [...(state().histories.get(key) ?? []), metric])
        change(id, (run) =>
          isLaterMetric(metric, own(run.metrics, metric.name))
            ? { metrics: { ...run.metrics, [metric.name]: metric } }
            : {},
        )
      }
    },
    async metricHistory(runId, name, { limit, after }) {
      const rest = history(runId, name).filter(
        ({ key }) => after === undefined || compareNumbers(key, after) > 0,
      )
      const page = rest.slice(0, limit)
      return {
        metrics: page.map(({ metric }) => metric),
        ...(rest.length > limit && page.length > 0 && { next: page.at(-1)!.key }),
      }
    },
    metricHistories: async ({ runIds, ...query }) =>
      runIds.map((runId) => ({ runId, metrics: thinned(inSteps(runId, query), query.points) })),
    metricSamples: async (runId, query) => {
      const metrics = inSteps(runId, query)
      return evenPlaces(metrics.length, query.points).map((place) => metrics[place])
    },
    async addDatasets(id, datasets) {
      const experimentId = state().runs.get(id)?.experimentId
      for (const dataset of datasets) {
        const known = ofExperiments(experimentId === undefined ? [] : [experimentId])
          .flatMap((run) => run.datasets)
          .find((one) => isSameDataset(one, dataset))
        const own = state()
          .runs.get(id)
          ?.datasets.find((one) => isSameDataset(one, dataset))
        const added = { ...(known ?? dataset), tags: { ...own?.tags, ...dataset.tags } }
        change(id, (run) => ({
          datasets: [...run.datasets.filter((one) => !isSameDataset(one, dataset)), added].sort(
            (a, b) => order(a.name, b.name) || order(a.digest, b.digest),
          ),
        }))
      }
    },
    addModelInputs: async (id, modelIds) =>
      change(id, (run) => ({
        modelInputs: [...new Set([...run.modelInputs.map((one) => one.modelId), ...modelIds])]
          .sort(order)
          .map((modelId) => ({ modelId })),
      })),
    addModelOutputs: async (id, outputs) =>
      change(id, (run) => {
        const ids = outputs.map(({ modelId }) => modelId)
        const others = run.modelOutputs.filter(({ modelId }) => !ids.includes(modelId))
        return { modelOutputs: [...others, ...outputs].sort((a, b) => order(a.modelId, b.modelId)) }
      }),
    async datasets(experimentIds) {
      const found = new Map<string, DatasetSummary>()
      for (const { experimentId, datasets, deletedAtUs } of ofExperiments(experimentIds)) {
        for (const { name, digest, tags } of deletedAtUs === undefined ? datasets : []) {
          const context = own(tags, datasetContextTag)
          const summary = { experimentId, name, digest, ...(context !== undefined && { context }) }
          found.set(JSON.stringify([experimentId, name, digest, context]), summary)
        }
      }
      return [...found.entries()].sort(([a], [b]) => order(a, b)).map(([, summary]) => summary)
    },
    async columns(experimentIds) {
      const runs = ofExperiments(experimentIds)
      const counts = (part: 'metrics' | 'params' | 'tags') =>
        counted(runs.flatMap((run) => Object.keys(run[part])))
      return { metrics: counts('metrics'), params: counts('params'), tags: counts('tags') }
    },
  } satisfies Partial<TrackingStore>
}

function purgeStore(state: State_) {
  const before = (us: number, items: Iterable<{ id: string; deletedAtUs?: number | undefined }>) =>
    [...items]
      .filter(({ deletedAtUs }) => deletedAtUs !== undefined && deletedAtUs < us)
      .map(({ id }) => id)
      .sort(order)
  return {
    async deletedBefore(kind, us, { after, limit }) {
      const { experiments, runs, models } = state()
      const items = { experiment: experiments, run: runs, 'logged-model': models }[kind]
      const ids = before(us, items.values())
      return ids.filter((id) => after === undefined || order(id, after) > 0).slice(0, limit)
    },
    async purgeRuns(ids) {
      const { runs, histories, gone } = state()
      for (const id of ids) {
        for (const name of Object.keys(runs.get(id)?.metrics ?? {}))
          histories.delete(`${id}\n${name}`)
        runs.delete(id)
        gone.delete(id)
      }
    },
    async purgeLoggedModels(ids) {
      for (const id of ids) {
        state().models.delete(id)
        state().gone.delete(id)
      }
    },
    async purgeExperiments(ids) {
      const { experiments, runs, models } = state()
      const held = new Set([...runs.values(), ...models.values()].map((item) => item.experimentId))
      const empty = ids.filter((id) => experiments.has(id) && !held.has(id))
      for (const id of empty) experiments.delete(id)
      return empty
    },
  } satisfies Partial<TrackingStore>
}

export function createMemoryArtifactStore(): ArtifactStore {
  const files = new Map<string, Uint8Array>()
  return {
    async put(bytes) {
      const sha256 = sha256Hex(bytes)
      files.set(sha256, Uint8Array.from(bytes))
      return { sha256, size: bytes.length }
    },
    async putStream(content, limitBytes) {
      return this.put(await collect(content, limitBytes))
    },
    get: async (sha256) => files.get(sha256),
    async open(sha256) {
      const bytes = files.get(sha256)
      return bytes && { size: bytes.length, stream: Readable.from([bytes]) }
    },
    has: async (sha256) => files.has(sha256),
    async *stored() {
      yield [...files.keys()]
    },
    async remove(sha256) {
      files.delete(sha256)
    },
  }
}

function partsOf(run: Run, parts: RunParts): Run {
  const pick = <T>(record: Readonly<Record<string, T>>, names: Names = 'all') =>
    names === 'all' ? record : picked(record, names === 'none' ? [] : names)
  return {
    ...run,
    metrics: pick(run.metrics, parts.metrics),
    params: pick(run.params, parts.params),
    tags: pick(run.tags, parts.tags),
  }
}

function isWanted(
  { deletedAtUs }: { readonly deletedAtUs?: number | undefined },
  deleted: 'without' | 'only' | 'with',
): boolean {
  return deleted === 'with' || (deletedAtUs === undefined) === (deleted === 'without')
}

function isSameDataset(a: DatasetInput, b: DatasetInput): boolean {
  return a.name === b.name && a.digest === b.digest
}

function counted(names: readonly string[]): NameCount[] {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts]
    .map(([name, runs]) => ({ name, runs }))
    .sort((a, b) => b.runs - a.runs || order(a.name, b.name))
}

function picked<T>(record: Readonly<Record<string, T>>, names: readonly string[]) {
  return Object.fromEntries(
    names.filter((name) => Object.hasOwn(record, name)).map((name) => [name, record[name]]),
  )
}

function without<T>(record: Readonly<Record<string, T>>, name: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => key !== name))
}

/** A change that says null takes the member away. */
function withoutNulls<T extends object>(item: object): T {
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== null)) as T
}

function compareNumbers(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) if (value !== b[index]) return value - b[index]
  return 0
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Whether a metric of a logged model is a value that its run has logged before. */
function isRepeated(metric: Metric, before: readonly Metric[] = []): boolean {
  const { modelId, step, atUs, value } = metric
  if (modelId === undefined) return false
  return before.some((one) => one.step === step && one.atUs === atUs && Object.is(one.value, value))
}
