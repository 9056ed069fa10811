import type { ChangeBy } from '../access/index.ts'
import {
  checkCount,
  checkDataset,
  checkName,
  checkParams,
  checkTags,
  checkedMetric,
} from './checks.ts'
import type { Context } from './context.ts'
import { trackingErrors } from './errors.ts'
import { trackingLimits as limits } from './limits.ts'
import { metricsHash, runHash } from './run-content.ts'
import { isEnded } from './runs.ts'
import { paramText } from './search.ts'
import type { DatasetInput, ModelOutput, NewMetric, Params, Tags } from './types.ts'

/** What one call logs. */
export interface Batch {
  readonly metrics?: readonly NewMetric[] | undefined
  readonly params?: Params | undefined
  readonly tags?: Tags | undefined
}

export interface Inputs {
  readonly datasets?: readonly DatasetInput[] | undefined
  readonly models?: readonly { readonly modelId: string }[] | undefined
}

/**
 * Writing to runs. A param is written once: the same value again is fine, another one is
 * `param_changed`. A run that has ended takes writes too, because clients make them; each is
 * audited with the content hash before and after it. `by` is who amends; whoever started the run
 * where nobody is named.
 */
export interface Logging {
  /** One batch: all of it or nothing. */
  log(runId: string, batch: Batch, by?: ChangeBy): Promise<void>
  logParams(runId: string, params: Params, by?: ChangeBy): Promise<void>
  logTags(runId: string, tags: Tags, by?: ChangeBy): Promise<void>
  /** At most 1000 values a call. NaN and infinities are refused; `log` takes them. */
  logMetrics(runId: string, metrics: readonly NewMetric[], by?: ChangeBy): Promise<void>
  deleteTag(runId: string, name: string, by?: ChangeBy): Promise<void>
  logInputs(runId: string, inputs: Inputs, by?: ChangeBy): Promise<void>
  logOutputs(runId: string, models: readonly ModelOutput[], by?: ChangeBy): Promise<void>
}

export function loggingOf(context: Context): Logging {
  const { store, clock } = context
  const amending = amender(context)

  async function setNewParams(runId: string, params: Params): Promise<void> {
    const known = await store.params(runId, Object.keys(params))
    const added = Object.entries(params).filter(([name, value]) => {
      if (!Object.hasOwn(known, name)) return true
      if (paramText(known[name]) === paramText(value)) return false
      throw trackingErrors.param_changed(
        `Parameter ${name} of run ${runId} is ${shown(known[name])} and cannot become ${shown(value)}.`,
        { extra: { param: name, from: known[name], to: value } },
      )
    })
    if (added.length > 0) await store.setParams(runId, Object.fromEntries(added))
  }

  async function log(
    runId: string,
    { metrics = [], params = {}, tags = {} }: Batch,
    by: ChangeBy | undefined,
    onlyFinite: boolean,
  ): Promise<void> {
    const counts = [metrics.length, Object.keys(params).length, Object.keys(tags).length] as const
    checkCount('metrics', counts[0], limits.metricsPerBatch)
    checkCount('params', counts[1], limits.paramsPerBatch)
    checkCount('tags', counts[2], limits.tagsPerBatch)
    checkCount('items', counts[0] + counts[1] + counts[2], limits.itemsPerBatch)
    checkParams(params)
    checkTags(tags)
    const nowUs = clock.nowUs()
    const values = metrics.map((metric) => checkedMetric(metric, nowUs, onlyFinite))
    const write = async () => {
      if (counts[1] > 0) await setNewParams(runId, params)
      if (counts[2] > 0) await store.setTags(runId, tags)
      if (values.length > 0) await store.appendMetrics(runId, values)
    }
    // An earlier step changes the history alone, which the hash of a run does not cover.
    const added = () => ({ metrics: values.length, metricsHash: metricsHash(values) })
    await amending(runId, by, write, values.length > 0 ? added : undefined)
  }

  return {
    log: (runId, batch, by) => log(runId, batch, by, false),
    logParams: (runId, params, by) => log(runId, { params }, by, true),
    logTags: (runId, tags, by) => log(runId, { tags }, by, true),
    logMetrics: (runId, metrics, by) => log(runId, { metrics }, by, true),

    async deleteTag(runId, name, by) {
      checkName(name, 'The name of a tag')
      await amending(runId, by, async () => {
        if (await store.deleteTag(runId, name)) return
        throw trackingErrors.tag_not_found(`Run ${runId} has no tag ${name}.`)
      })
    },

    async logInputs(runId, { datasets = [], models = [] }, by) {
      checkCount('data sets', datasets.length, limits.datasetsPerCall)
      checkCount('models', models.length, limits.modelsPerCall)
      for (const dataset of datasets) checkDataset(dataset)
      for (const { modelId } of models) checkName(modelId, 'The id of a logged model')
      await amending(runId, by, async () => {
        await store.addDatasets(runId, datasets)
        await store.addModelInputs(
          runId,
          models.map(({ modelId }) => modelId),
        )
      })
    },

    async logOutputs(runId, models, by) {
      checkCount('models', models.length, limits.modelsPerCall)
      for (const { modelId, step } of models) {
        checkName(modelId, 'The id of a logged model')
        if (!Number.isSafeInteger(step)) {
          throw trackingErrors.tracking_value_invalid(`The step of model ${modelId} must be whole.`)
        }
      }
      await amending(runId, by, () => store.addModelOutputs(runId, models))
    },
  }
}

/**
 * Writes to a run that takes writes, and audits where that amends an ended one: where its content
 * hash is another, or where `added` says what else there is.
 */
export function amender({ store, unit, clock, record, runOrFail, writableRun }: Context) {
  return <T>(
    runId: string,
    by: ChangeBy | undefined,
    write: () => Promise<T>,
    added?: () => Readonly<Record<string, unknown>>,
  ): Promise<T> =>
    unit.transaction(async () => {
      const head = await writableRun(runId)
      const before = isEnded(head.status) ? runHash(await runOrFail(runId)) : undefined
      const result = await write()
      if (before === undefined) return result
      await store.updateRun(runId, { updatedAtUs: clock.nowUs() })
      const contentHash = runHash(await runOrFail(runId))
      if (contentHash === before && added === undefined) return result
      const who = by ?? {
        actor: { id: head.startedBy, name: head.startedBy, kind: 'system' as const },
        reason: 'Written to after its end',
      }
      const details = { contentHashBefore: before, contentHash, ...added?.() }
      await record(who, 'run-amended', { kind: 'run', id: runId }, details)
      return result
    })
}

function shown(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
