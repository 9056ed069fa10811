import { sql, type Kysely } from 'kysely'
import {
  modelOrder,
  promptTag,
  versionOrder,
  type LabelledVersion,
  type ModelField,
  type ModelSearch,
  type RegisteredModel,
  type RegistryPage,
  type RegistryPageKey,
  type VersionField,
  type VersionOrderField,
  type VersionSearch,
} from '../../registry/index.ts'
import { whereFilter, type FilterColumn, type Sql } from './filter.ts'
import { withLabels, withTags } from './registry-joins.ts'
import type { ModelRow, RegistryTables, VersionRow } from './registry-tables.ts'

type Db = Kysely<RegistryTables>

export async function searchModels(
  db: Db,
  search: ModelSearch,
  after?: RegistryPageKey,
): Promise<RegistryPage<RegisteredModel>> {
  const order = modelOrder(search).map(({ field, descending }) => ({
    column: sql.ref(`m.${field}`),
    descending,
  }))
  const { rows } = await sql<ModelRow>`
    SELECT m.* FROM registry_models m WHERE m.deletedAtUs IS NULL
    ${search.prompts === 'without' ? sql`AND NOT ${isPrompt(sql`m.name`)}` : sql``}
    AND ${search.filter === undefined ? sql`TRUE` : whereFilter(search.filter, modelColumn)}
    AND ${past(order, after)} ORDER BY ${ordered(order)} LIMIT ${search.limit + 1}`.execute(db)
  const page = rows.slice(0, search.limit)
  const last = page.at(-1)
  const keyOf = (row: ModelRow) => modelOrder(search).map(({ field }) => row[field])
  return {
    items: await withTags(db, page),
    ...(rows.length > page.length && last !== undefined && { next: keyOf(last) }),
  }
}

export async function searchVersions(
  db: Db,
  search: VersionSearch,
  after?: RegistryPageKey,
): Promise<RegistryPage<LabelledVersion>> {
  const order = versionOrder(search).map(({ field, descending }) => ({
    column: sql.ref(`v.${orderColumns[field]}`),
    descending,
  }))
  const { rows } = await sql<VersionRow & { registeredAtUs: number }>`
    SELECT v.* FROM registry_versions v WHERE v.deletedAtUs IS NULL
    ${search.prompts === 'without' ? sql`AND NOT ${isPrompt(sql`v.model`)}` : sql``}
    AND ${search.filter === undefined ? sql`TRUE` : whereFilter(search.filter, versionColumn)}
    AND ${past(order, after)} ORDER BY ${ordered(order)} LIMIT ${search.limit + 1}`.execute(db)
  const page = rows.slice(0, search.limit)
  const last = page.at(-1)
  const keyOf = (row: (typeof page)[number]) =>
    versionOrder(search).map(({ field }) => row[orderColumns[field]])
  return {
    items: await withLabels(db, page),
    ...(rows.length > page.length && last !== undefined && { next: keyOf(last) }),
  }
}

const orderColumns = {
  model: 'model',
  version: 'version',
  createdAtUs: 'registeredAtUs',
  updatedAtUs: 'updatedAtUs',
} as const satisfies Record<VersionOrderField, string>

function modelColumn(field: ModelField): FilterColumn {
  if (field.of === 'attribute') return { value: sql.ref(`m.${field.name}`) }
  return {
    value: sql`t.value`,
    holds: (condition) => sql`EXISTS (SELECT 1 FROM registry_model_tags t
      WHERE t.model = m.name AND t.key = ${field.name} AND ${condition})`,
  }
}

function versionColumn(field: VersionField): FilterColumn {
  if (field.of === 'tag') {
    return {
      value: sql`t.value`,
      holds: (condition) => sql`EXISTS (SELECT 1 FROM registry_version_tags t
        WHERE t.model = v.model AND t.version = v.version AND t.key = ${field.name}
        AND ${condition})`,
    }
  }
  switch (field.name) {
    case 'runId':
      // The column itself, not an expression of it: that is what the index is on.
      return { value: sql`v.runId`, holds: (condition) => sql`(v.runId <> '' AND ${condition})` }
    case 'source':
      return { value: sql`v.source` }
    default:
      return { value: sql.ref(`v.${orderColumns[field.name]}`) }
  }
}

function isPrompt(model: Sql): Sql {
  return sql`EXISTS (SELECT 1 FROM registry_model_tags p WHERE p.model = ${model}
    AND p.key = ${promptTag} AND assay_lower(p.value) = 'true')`
}

interface Column {
  readonly column: Sql
  readonly descending: boolean
}

function ordered(order: readonly Column[]): Sql {
  return sql.join(
    order.map(({ column, descending }) => sql`${column} ${descending ? sql`DESC` : sql`ASC`}`),
  )
}

/** Behind the place where the page before ended: equal up to some column, and past it there. */
function past(order: readonly Column[], after: RegistryPageKey | undefined): Sql {
  if (after === undefined) return sql`TRUE`
  const cases = order.map(({ column, descending }, i) => {
    const equal = order.slice(0, i).map((each, j) => sql`${each.column} = ${after[j]}`)
    const further = descending ? sql`${column} < ${after[i]}` : sql`${column} > ${after[i]}`
    return sql`(${sql.join([...equal, further], sql` AND `)})`
  })
  return sql`(${sql.join(cases, sql` OR `)})`
}
