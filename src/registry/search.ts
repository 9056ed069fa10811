// What can be asked of models and versions, and the plain meaning of an answer: what in-memory
// stores do, and what indexes are held against.
import { matches, type FieldValue, type Filter } from '../lib/filter.ts'
import { pageInOrder, type Page, type PageKey } from '../lib/paging.ts'
import { own } from '../lib/records.ts'
import { registryErrors } from './errors.ts'
import { isPrompt, type LabelledVersion, type RegisteredModel } from './types.ts'

export type ModelAttribute = 'name' | 'createdAtUs' | 'updatedAtUs'
export type ModelField =
  | { readonly of: 'tag'; readonly name: string }
  | { readonly of: 'attribute'; readonly name: ModelAttribute }

/** Attributes that every version has, by which lists can be ordered. */
export type VersionOrderField = 'model' | 'version' | 'createdAtUs' | 'updatedAtUs'
export type VersionAttribute =
  | VersionOrderField
  | 'runId'
  | 'source'
  | 'loggedModelId'
  | 'status'
  | 'hash'
  | 'declaration'
export type VersionField =
  | { readonly of: 'tag'; readonly name: string }
  | { readonly of: 'attribute'; readonly name: VersionAttribute }

interface Search<Field, OrderField> {
  readonly filter?: Filter<Field> | undefined
  /** Whether prompts are looked at too. */
  readonly prompts: 'with' | 'without'
  readonly order: readonly { readonly field: OrderField; readonly descending: boolean }[]
  readonly limit: number
}

/** Without deleted ones. After `order`: by name. */
export type ModelSearch = Search<ModelField, ModelAttribute>

/** Without deleted ones. After `order`: by model, then the newest first. */
export type VersionSearch = Search<VersionField, VersionOrderField>

export const searchLimits = { models: 1000, versions: 200_000, trainedOn: 1000 } as const

/** The full order of a search: every item has its own place in it. */
export function modelOrder({ order }: ModelSearch) {
  return completed<ModelAttribute>(order, [{ field: 'name', descending: false }])
}

export function versionOrder({ order }: VersionSearch) {
  return completed<VersionOrderField>(order, [
    { field: 'model', descending: false },
    { field: 'version', descending: true },
  ])
}

function completed<Field>(
  order: readonly { readonly field: Field; readonly descending: boolean }[],
  last: readonly { readonly field: Field; readonly descending: boolean }[],
) {
  const named = new Set(order.map(({ field }) => field))
  return [...order, ...last.filter(({ field }) => !named.has(field))]
}

export function modelValue(model: RegisteredModel, field: ModelField): FieldValue {
  return field.of === 'tag' ? own(model.tags, field.name) : model[field.name]
}

export function versionValue(
  { version, labels }: LabelledVersion,
  field: VersionField,
): FieldValue {
  if (field.of === 'tag') return own(labels.tags, field.name)
  switch (field.name) {
    case 'model':
    case 'version':
      return version[field.name]
    case 'runId':
      return version.build.runId || undefined
    case 'source':
    case 'loggedModelId':
      return version.brought?.[field.name]
    case 'status':
    case 'hash':
      return version[field.name]
    case 'declaration':
      return version.build.declaration
    case 'createdAtUs':
      return version.registeredAtUs
    case 'updatedAtUs':
      return labels.updatedAtUs
  }
}

/** Every model, deleted or not: those that fit, in order, and one page of them. */
export function pageOfModels(
  models: readonly RegisteredModel[],
  search: ModelSearch,
  after?: PageKey,
): Page<RegisteredModel> {
  const order = modelOrder(search)
  const fitting = models.filter(
    (model) =>
      model.deletedAtUs === undefined &&
      (search.prompts === 'with' || !isPrompt(model)) &&
      fits(search.filter, (field) => modelValue(model, field)),
  )
  return pageOf(fitting, order, search.limit, after, (model, name) =>
    modelValue(model, { of: 'attribute', name }),
  )
}

export function pageOfVersions(
  versions: readonly LabelledVersion[],
  prompts: ReadonlySet<string>,
  search: VersionSearch,
  after?: PageKey,
): Page<LabelledVersion> {
  const fitting = versions.filter(
    (each) =>
      each.labels.deletedAtUs === undefined &&
      (search.prompts === 'with' || !prompts.has(each.version.model)) &&
      fits(search.filter, (field) => versionValue(each, field)),
  )
  return pageOf(fitting, versionOrder(search), search.limit, after, (each, name) =>
    versionValue(each, { of: 'attribute', name }),
  )
}

/** Error: `search_limit_invalid`. */
export function checkLimit(limit: number, most: number): void {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= most) return
  throw registryErrors.search_limit_invalid(`A page has 1 to ${most} items, not ${limit}.`)
}

function fits<Field>(
  filter: Filter<Field> | undefined,
  valueOf: (field: Field) => FieldValue,
): boolean {
  return filter === undefined || matches(filter, valueOf)
}

function pageOf<Item, Field>(
  items: readonly Item[],
  order: readonly { readonly field: Field; readonly descending: boolean }[],
  limit: number,
  after: PageKey | undefined,
  valueOf: (item: Item, field: Field) => FieldValue,
): Page<Item> {
  const descending = order.map((each) => each.descending)
  const keyOf = (item: Item) => order.map(({ field }) => single(valueOf(item, field)))
  return pageInOrder(items, keyOf, { descending, limit, after })
}

function single(value: FieldValue): string | number {
  if (typeof value === 'string' || typeof value === 'number') return value
  throw new Error('What lists are ordered by has one value.')
}
