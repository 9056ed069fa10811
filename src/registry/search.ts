// What can be asked of models and versions, and the plain meaning of an answer: what in-memory
// stores do, and what indexes are held against.
import { compareText, matches, type FieldValue, type Filter } from '../lib/filter.ts'
import { pageToken, readPageToken } from '../lib/page-token.ts'
import { own } from '../lib/records.ts'
import { trackingErrors } from '../tracking/index.ts'
import { registryErrors } from './errors.ts'
import { isPrompt, type LabelledVersion, type RegisteredModel } from './types.ts'

export type ModelAttribute = 'name' | 'createdAtUs' | 'updatedAtUs'
export type ModelField =
  | { readonly of: 'tag'; readonly name: string }
  | { readonly of: 'attribute'; readonly name: ModelAttribute }

/** Attributes that every version has, by which lists can be ordered. */
export type VersionOrderField = 'model' | 'version' | 'createdAtUs' | 'updatedAtUs'
export type VersionAttribute = VersionOrderField | 'runId' | 'source'
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

/** Where a page ended: the values of the order, and what tells items apart. */
export type RegistryPageKey = readonly (string | number)[]

export interface RegistryPage<Item> {
  readonly items: readonly Item[]
  readonly next?: RegistryPageKey | undefined
}

export const searchLimits = { models: 1000, versions: 200_000 } as const

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
      return version.brought?.source
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
  after?: RegistryPageKey,
): RegistryPage<RegisteredModel> {
  const order = modelOrder(search)
  const fitting = models.filter(
    (model) =>
      model.deletedAtUs === undefined &&
      (search.prompts === 'with' || !isPrompt(model)) &&
      fits(search.filter, (field) => modelValue(model, field)),
  )
  return pageOf(fitting, order, search.limit, after, (model, name) =>
    single(modelValue(model, { of: 'attribute', name })),
  )
}

export function pageOfVersions(
  versions: readonly LabelledVersion[],
  prompts: ReadonlySet<string>,
  search: VersionSearch,
  after?: RegistryPageKey,
): RegistryPage<LabelledVersion> {
  const fitting = versions.filter(
    (each) =>
      each.labels.deletedAtUs === undefined &&
      (search.prompts === 'with' || !prompts.has(each.version.model)) &&
      fits(search.filter, (field) => versionValue(each, field)),
  )
  return pageOf(fitting, versionOrder(search), search.limit, after, (each, name) =>
    single(versionValue(each, { of: 'attribute', name })),
  )
}

/** The place that a token names. Error: `page_token_invalid`. */
export function placeIn(token: string | undefined, search: object): RegistryPageKey | undefined {
  if (token === undefined) return undefined
  const key = readPageToken(token, withoutLimit(search))
  if (key === undefined || key.includes(null)) {
    throw trackingErrors.page_token_invalid('The page token is not one of this search.')
  }
  return key as RegistryPageKey
}

export function tokenOf(key: RegistryPageKey | undefined, search: object): { next?: string } {
  return key === undefined ? {} : { next: pageToken(key, withoutLimit(search)) }
}

/** Error: `search_limit_invalid`. */
export function checkLimit(limit: number, most: number): void {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= most) return
  throw registryErrors.search_limit_invalid(`A page has 1 to ${most} items, not ${limit}.`)
}

function withoutLimit(search: object): unknown {
  return { ...search, limit: undefined }
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
  after: RegistryPageKey | undefined,
  valueOf: (item: Item, field: Field) => string | number,
): RegistryPage<Item> {
  const compare = (a: RegistryPageKey, b: RegistryPageKey) => {
    for (const [i, { descending }] of order.entries()) {
      const difference = compareValues(a[i], b[i])
      if (difference !== 0) return descending ? -difference : difference
    }
    return 0
  }
  const sorted = items
    .map((item) => ({ item, key: order.map(({ field }) => valueOf(item, field)) }))
    .filter(({ key }) => after === undefined || compare(key, after) > 0)
    .sort((a, b) => compare(a.key, b.key))
  const page = sorted.slice(0, limit)
  return {
    items: page.map(({ item }) => item),
    ...(sorted.length > limit && { next: page.at(-1)?.key }),
  }
}

function compareValues(a: string | number, b: string | number): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : compareText(String(a), String(b))
}

function single(value: FieldValue): string | number {
  if (typeof value === 'string' || typeof value === 'number') return value
  throw new Error('What lists are ordered by has one value.')
}
