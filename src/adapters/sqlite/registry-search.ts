import { sql, type Kysely } from 'kysely'
import type { Page, PageKey } from '../../lib/paging.ts'
import {
  modelOrder,
  promptTag,
  versionOrder,
  type LabelledVersion,
  type ModelField,
  type ModelSearch,
  type RegisteredModel,
  type VersionField,
  type VersionOrderField,
  type VersionSearch,
} from '../../registry/index.ts'
import { whereFilter, type FilterColumn, type Sql } from './filter.ts'
import { ordered, pageAfter, pageFrom, places, type OrderColumn } from './keyset.ts'
import { withLabels, withTags } from './registry-joins.ts'
import type { ModelRow, RegistryTables, VersionRow } from './registry-tables.ts'

type Db = Kysely<RegistryTables>

export async function searchModels(
  db: Db,
  search: ModelSearch,
  after?: PageKey,
): Promise<Page<RegisteredModel>> {
  const order = modelOrder(search).map(({ field, descending }): OrderColumn => {
    return { value: sql.ref(`m.${field}`), descending, isNullable: false }
  })
  const { rows } = await sql<ModelRow>`
    SELECT m.*, ${places(order)} FROM registry_models m WHERE m.deletedAtUs IS NULL
    ${search.prompts === 'without' ? sql`AND NOT ${isPrompt(sql`m.name`)}` : sql``}
    AND ${whereFilter(search.filter ?? { all: [] }, modelColumn)}
    AND ${pageAfter(order, after)} ORDER BY ${ordered(order)} LIMIT ${search.limit + 1}`.execute(db)
  return pageFrom(rows, search.limit, order.length, (page) => withTags(db, page))
}

/** The page is chosen from what indexes hold; only its own records, which are long, are read. */
export async function searchVersions(
  db: Db,
  search: VersionSearch,
  after?: PageKey,
): Promise<Page<LabelledVersion>> {
  const order = versionOrder(search).map(({ field, descending }): OrderColumn => {
    return { value: sql.ref(`v.${orderColumns[field]}`), descending, isNullable: false }
  })
  const { rows } = await sql<VersionRow>`
    SELECT v.*, ${places(order)} FROM (
      SELECT v.model, v.version FROM registry_versions v WHERE v.deletedAtUs IS NULL
      ${search.prompts === 'without' ? sql`AND NOT ${isPrompt(sql`v.model`)}` : sql``}
      AND ${whereFilter(search.filter ?? { all: [] }, versionColumn)}
      AND ${pageAfter(order, after)} ORDER BY ${ordered(order)} LIMIT ${search.limit + 1}
    ) chosen JOIN registry_versions v USING (model, version)
    ORDER BY ${ordered(order)}`.execute(db)
  return pageFrom(rows, search.limit, order.length, (page) => withLabels(db, page))
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
    case 'loggedModelId':
    case 'status':
    case 'hash':
    case 'declaration':
      return { value: sql.ref(`v.${field.name}`) }
    default:
      return { value: sql.ref(`v.${orderColumns[field.name]}`) }
  }
}

function isPrompt(model: Sql): Sql {
  return sql`EXISTS (SELECT 1 FROM registry_model_tags p WHERE p.model = ${model}
    AND p.key = ${promptTag} AND assay_lower(p.value) = 'true')`
}
