// What can be asked of runs, experiments and logged models: which fields there are, how a search is
// written down, and what one item's value of a field is. Stores answer a search from indexes; the
// functions here are the plain meaning that they are held against.
import type { FieldValue, Filter } from '../lib/filter.ts'
import { compareValues, pageInOrder, type Page, type PageKey } from '../lib/paging.ts'
import { own } from '../lib/records.ts'
import {
  datasetContextTag,
  type Experiment,
  type LoggedModel,
  type LoggedModelMetric,
  type ParamValue,
  type Run,
} from './types.ts'

export type RunField =
  | { readonly of: 'metric' | 'param' | 'tag'; readonly name: string }
  | { readonly of: 'attribute'; readonly name: RunAttribute }
  | { readonly of: 'dataset'; readonly name: 'name' | 'digest' | 'context' }

export type RunAttribute =
  | 'id'
  | 'name'
  | 'status'
  | 'startedBy'
  | 'startedAtUs'
  | 'endedAtUs'
  | 'artifactUri'

export type ExperimentField =
  | { readonly of: 'tag'; readonly name: string }
  | { readonly of: 'attribute'; readonly name: 'id' | 'name' | 'createdAtUs' | 'updatedAtUs' }

export type LoggedModelField =
  | { readonly of: 'metric' | 'param' | 'tag'; readonly name: string }
  | { readonly of: 'attribute'; readonly name: LoggedModelAttribute }

export type LoggedModelAttribute =
  | 'id'
  | 'name'
  | 'modelType'
  | 'sourceRunId'
  | 'status'
  | 'createdAtUs'
  | 'updatedAtUs'

export interface SearchOrder<Field> {
  readonly field: Field
  readonly descending: boolean
}

export interface Search<Field> {
  readonly filter?: Filter<Field> | undefined
  readonly deleted: 'without' | 'only' | 'with'
  /** What has no value of a field, or NaN, comes last, whatever the direction. */
  readonly order: readonly SearchOrder<Field>[]
  readonly limit: number
  /** The token of the page before. It belongs to the same search; another search refuses it. */
  readonly after?: string | undefined
}

export type Names = readonly string[] | 'all' | 'none'

/** Which parts of runs a list wants; all where nothing is said. */
export interface RunParts {
  readonly metrics?: Names | undefined
  readonly params?: Names | undefined
  readonly tags?: Names | undefined
  /** Of `artifacts`. */
  readonly files?: 'all' | 'none' | undefined
}

/** After `order`: newest first, then by id. */
export interface RunSearch extends Search<RunField> {
  /** Empty: every experiment. */
  readonly experimentIds: readonly string[]
  readonly parts?: RunParts | undefined
}

/** After `order`: newest first, then by id. */
export type ExperimentSearch = Search<ExperimentField>

/** After `order`: newest first, then by id. */
export interface LoggedModelSearch extends Search<LoggedModelField> {
  readonly experimentIds: readonly string[]
  /** Metrics count only where measured on one of these; all where there are none. */
  readonly datasets?: readonly { readonly name: string; readonly digest?: string | undefined }[]
  /** Only models of which some metric counts so. */
  readonly onlyMeasured?: boolean | undefined
}

/** Its places are the values of the order's fields, the time, and the id. */
export type StoreSearch<S> = Omit<S, 'after'> & { readonly after?: PageKey | undefined }

/** A parameter as text: what filters and orders compare. */
export function paramText(value: ParamValue): string {
  return String(value)
}

export function runValue(run: Run, field: RunField): FieldValue {
  switch (field.of) {
    case 'metric':
      return own(run.metrics, field.name)?.value
    case 'param': {
      const value = own(run.params, field.name)
      return value === undefined ? undefined : paramText(value)
    }
    case 'tag':
      return own(run.tags, field.name)
    case 'dataset':
      return run.datasets.flatMap((dataset) => {
        if (field.name !== 'context') return [dataset[field.name]]
        return own(dataset.tags, datasetContextTag) ?? []
      })
    case 'attribute':
      return field.name === 'artifactUri' ? artifactUri(run.id) : run[field.name]
  }
}

/** Where a run's files lie, as a name that does not depend on where Assay is reached. */
export function artifactUri(runId: string): string {
  return `runs:/${runId}`
}

export function experimentValue(experiment: Experiment, field: ExperimentField): FieldValue {
  return field.of === 'tag' ? own(experiment.tags, field.name) : experiment[field.name]
}

export function loggedModelValue(
  model: LoggedModel,
  field: LoggedModelField,
  datasets: LoggedModelSearch['datasets'] = [],
): FieldValue {
  switch (field.of) {
    case 'metric':
      return model.metrics
        .filter((metric) => metric.name === field.name && countsOn(metric, datasets))
        .map(({ value }) => value)
    case 'param':
      return own(model.params, field.name)
    case 'tag':
      return own(model.tags, field.name)
    case 'attribute':
      return model[field.name]
  }
}

/** Whether a metric was measured on one of these data sets; with none, always. */
export function countsOn(
  { dataset }: LoggedModelMetric,
  datasets: LoggedModelSearch['datasets'] = [],
): boolean {
  if (datasets.length === 0) return true
  return datasets.some(
    ({ name, digest }) =>
      dataset?.name === name && (digest === undefined || dataset.digest === digest),
  )
}

/**
 * Sorts items as a search asks: by its fields, then newest first, then by id; and cuts the page out.
 * Of several values of one field the largest counts when descending, the smallest when ascending.
 */
export function pageOf<T extends { readonly id: string }, Field>(
  items: readonly T[],
  search: Pick<StoreSearch<Search<Field>>, 'order' | 'limit' | 'after'>,
  valueOf: (item: T, field: Field) => FieldValue,
  timeUs: (item: T) => number,
): Page<T> {
  const { order, limit, after } = search
  const keyOf = (item: T): PageKey => [
    ...order.map(({ field, descending }) => orderValue(valueOf(item, field), descending)),
    timeUs(item),
    item.id,
  ]
  const descending = [...order.map((each) => each.descending), true, false]
  return pageInOrder(items, keyOf, { descending, limit, after })
}

function orderValue(value: FieldValue, descending: boolean): string | number | null {
  const known = [value].flat().filter((one) => one !== undefined && !Number.isNaN(one))
  const sorted = known.sort((a, b) => compareValues(a!, b!))
  return (descending ? sorted.at(-1) : sorted[0]) ?? null
}
