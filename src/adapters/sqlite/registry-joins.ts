// Rows of the registry together with the tags and aliases that lie in tables beside them.
import type { Kysely } from 'kysely'
import type {
  LabelledVersion,
  ModelVersion,
  RegisteredModel,
  Stage,
  VersionStatus,
} from '../../registry/index.ts'
import type { ModelRow, RegistryTables, VersionRow } from './registry-tables.ts'
import { fromJson, withoutNulls } from './values.ts'

type Db = Kysely<RegistryTables>

/** Names of one query; more of them are read in several. */
const NAMES_MAX = 500

function parts<T>(all: readonly T[]): T[][] {
  const count = Math.ceil(all.length / NAMES_MAX)
  return Array.from({ length: count }, (_, i) => all.slice(i * NAMES_MAX, (i + 1) * NAMES_MAX))
}

export async function withTags(db: Db, rows: readonly ModelRow[]): Promise<RegisteredModel[]> {
  const tags = new Map<string, Record<string, string>>()
  for (const part of parts(rows)) {
    const names = part.map(({ name }) => name)
    const found = await db
      .selectFrom('registry_model_tags')
      .selectAll()
      .where('model', 'in', names)
      .execute()
    for (const { model, key, value } of found) {
      tags.set(model, { ...tags.get(model), [key]: value })
    }
  }
  return rows.map(
    ({ name, project, createdAtUs, createdBy, description, updatedAtUs, deletedAtUs }) => ({
      ...withoutNulls({
        name,
        project,
        createdAtUs,
        createdBy,
        description,
        updatedAtUs,
        deletedAtUs,
      }),
      tags: tags.get(name) ?? {},
    }),
  )
}

export async function withLabels(db: Db, rows: readonly VersionRow[]): Promise<LabelledVersion[]> {
  const tags = new Map<string, Record<string, string>>()
  const aliases = new Map<string, string[]>()
  const key = (model: string, version: number) => `${version}/${model}`
  for (const models of parts([...new Set(rows.map(({ model }) => model))])) {
    const versions = rows.filter(({ model }) => models.includes(model)).map((row) => row.version)
    // Most reads are of one version of one model; then only its own tags are read.
    let tagRows = db.selectFrom('registry_version_tags').selectAll().where('model', 'in', models)
    if (versions.length === 1) tagRows = tagRows.where('version', '=', versions[0])
    for (const { model, version, key: tag, value } of await tagRows.execute()) {
      const of = key(model, version)
      tags.set(of, { ...tags.get(of), [tag]: value })
    }
    const aliasRows = await db
      .selectFrom('registry_alias_periods')
      .selectAll()
      .where('model', 'in', models)
      .where('toUs', 'is', null)
      .orderBy('alias')
      .execute()
    for (const { model, version, alias } of aliasRows) {
      const of = key(model, version)
      aliases.set(of, [...(aliases.get(of) ?? []), alias])
    }
  }
  return rows.map((row) => {
    const { model, version, description, stage, updatedAtUs, deletedAtUs } = row
    return {
      version: versionOf(row),
      labels: {
        ...withoutNulls({ description, updatedAtUs, deletedAtUs }),
        stage: stage as Stage,
        tags: tags.get(key(model, version)) ?? {},
      },
      aliases: aliases.get(key(model, version)) ?? [],
    }
  })
}

export function versionOf({ model, record, status, statusReason }: VersionRow): ModelVersion {
  const kept = fromJson<Omit<ModelVersion, 'status' | 'statusReason'>>(record)
  return {
    ...kept,
    ...(kept.model !== model && { model, registeredAs: kept.model }),
    status: status as VersionStatus,
    statusReason,
  }
}
