import { matches } from '../lib/filter.ts'
import { isLaterMetric } from './comparison.ts'
import type { LoggedModelStore } from './ports.ts'
import { countsOn, loggedModelValue, pageOf } from './search.ts'
import type { LoggedModel, LoggedModelMetric, Metric } from './types.ts'

export type LoggedModelMap = Map<string, LoggedModel>

/** The logged models of the in-memory store. */
export function createMemoryLoggedModels(models: () => LoggedModelMap) {
  const change = (id: string, update: (model: LoggedModel) => object) => {
    const model = models().get(id)
    if (model === undefined) return
    const changed = Object.entries({ ...model, ...update(model) })
    models().set(
      id,
      Object.fromEntries(changed.filter(([, value]) => value !== null)) as unknown as LoggedModel,
    )
  }

  const store: LoggedModelStore = {
    async insertLoggedModel(model) {
      models().set(model.id, { ...model, metrics: [] })
    },
    updateLoggedModel: async (id, update) => change(id, () => update),
    loggedModel: async (id) => models().get(id),
    async searchLoggedModels(search) {
      const { experimentIds, deleted, filter = { all: [] }, datasets, onlyMeasured } = search
      const valueOf = (model: LoggedModel, field: Parameters<typeof loggedModelValue>[1]) =>
        loggedModelValue(model, field, datasets)
      const wanted = [...models().values()].filter(
        (model) =>
          (experimentIds.length === 0 || experimentIds.includes(model.experimentId)) &&
          (deleted === 'with' || (model.deletedAtUs === undefined) === (deleted === 'without')) &&
          (onlyMeasured !== true || model.metrics.some((metric) => countsOn(metric, datasets))) &&
          matches(filter, (field) => valueOf(model, field)),
      )
      return pageOf(wanted, search, valueOf, ({ createdAtUs }) => createdAtUs)
    },
    setLoggedModelParams: async (id, params) =>
      change(id, (model) => ({ params: { ...model.params, ...params } })),
    setLoggedModelTags: async (id, tags) =>
      change(id, (model) => ({ tags: { ...model.tags, ...tags } })),
    async deleteLoggedModelTag(id, name) {
      const tags = Object.entries(models().get(id)?.tags ?? {})
      const left = tags.filter(([key]) => key !== name)
      change(id, () => ({ tags: Object.fromEntries(left) }))
      return left.length < tags.length
    },
  }

  /** A metric that was logged to a run and measures a model. */
  function measured(runId: string, metric: Metric): void {
    if (metric.modelId === undefined) return
    const seen: LoggedModelMetric = { ...metric, runId }
    change(metric.modelId, ({ metrics }) => {
      const current = metrics.find((other) => placeOf(other) === placeOf(metric))
      if (!isLaterMetric(metric, current)) return {}
      const others = metrics.filter((other) => other !== current)
      return { metrics: [...others, seen].sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1)) }
    })
  }

  return { store, measured }
}

function placeOf({ name, dataset }: Metric): string {
  return JSON.stringify([name, dataset?.name ?? '', dataset?.digest ?? ''])
}
