// Features of entity rows in the project's history, for those who ask over HTTP.
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFrame } from '../adapters/duckdb/index.ts'
import {
  readEntityFile,
  readEntityRecords,
  textAt,
  type CompiledSource,
  type EntityTable,
  type FrameColumn,
  type FrameSchemaColumn,
  type IngestPorts,
} from '../data/index.ts'
import { readJournalFacts } from '../decisions/index.ts'
import type { CompiledFeatureSet } from '../features/index.ts'
import { generalErrors } from '../lib/errors.ts'
import { nodeFiles } from '../lib/files.ts'
import { formatTimestamp } from '../lib/time.ts'
import {
  entityFeatures,
  readSourceFacts,
  withLiveFacts,
  type EntityFeatures,
  type FeatureHistoryAnswer,
  type FeatureHistoryRequest,
  type SourceFacts,
} from '../pipelines/index.ts'
import type { DeclaredProject } from '../projects/index.ts'
import { rolesErrors } from './errors.ts'

export interface FeatureHistoryPorts extends Pick<
  IngestPorts,
  'catalog' | 'snapshots' | 'parquet' | 'ids'
> {
  /** The folder of the namespace whose events are part of history, in decide's part of the home. */
  readonly journal: string
  /** A folder for bodies while they are read. */
  readonly incoming: string
  readonly limits: { readonly memory: string; readonly threads: number }
}

const AT_ONCE_MAX = 2

/**
 * Answers such questions for a project. Each holds the project's events in memory while it is
 * answered, so only two are at once; beyond that, `overloaded`. Errors: `feature_set_unknown`, and
 * those of reading rows and of training rows.
 */
export function createFeatureHistory(
  ports: FeatureHistoryPorts,
): (request: FeatureHistoryRequest, project: DeclaredProject) => Promise<FeatureHistoryAnswer> {
  let running = 0
  return async (request, project) => {
    if (running === AT_ONCE_MAX) {
      throw generalErrors.overloaded(`${running} questions about history are being answered.`, {
        extra: { retryAfter: 5 },
      })
    }
    running++
    try {
      return await answer(request, project, ports)
    } finally {
      running--
    }
  }
}

async function answer(
  { set: name, order, body, as }: FeatureHistoryRequest,
  project: DeclaredProject,
  ports: FeatureHistoryPorts,
): Promise<FeatureHistoryAnswer> {
  const set = project.featureSets.find((each) => each.name === name)
  if (set === undefined) {
    const names = project.featureSets.map((each) => each.name).join(', ')
    throw rolesErrors.feature_set_unknown(
      `The project declares no feature set "${name}"; it has ${names}.`,
    )
  }
  const source = project.sources.find((each) => each.name === set.source)!
  const entities = await entitiesOf(body, source, ports)
  // Only who names events is told their labels.
  const isNaming = entities.columns[source.id] !== undefined
  const facts = await knownFacts(project, set, ports, isNaming)
  const found = await entityFeatures({ set, facts, entities, order, turn })
  const columns = found.columns.map((column) => column.name)
  const { facts: counted, engines } = found
  const about = { set: set.name, version: set.version, order, columns, facts: counted, engines }
  return {
    ...about,
    snapshots: facts.snapshots,
    table:
      as === 'parquet'
        ? { form: 'parquet', bytes: await writeFrame(found.frame, found, ports.limits) }
        : { form: 'rows', rows: cellsOf(found) },
  }
}

/** What datasets hold of a set's sources, and what came in live since; see `readSourceFacts`. */
export async function knownFacts(
  project: DeclaredProject,
  set: CompiledFeatureSet,
  ports: Omit<FeatureHistoryPorts, 'incoming' | 'limits'>,
  withLabels = true,
): Promise<SourceFacts> {
  const source = project.sources.find((each) => each.name === set.source)!
  const past = await readSourceFacts(project, set, ports, withLabels)
  const sources = [source, ...past.others.map((other) => other.source)]
  const live = await readJournalFacts(ports.journal, sources, nodeFiles)
  return withLiveFacts(past, live.facts, project.labels)
}

export const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

async function entitiesOf(
  body: FeatureHistoryRequest['body'],
  source: CompiledSource,
  { incoming, parquet, ids }: FeatureHistoryPorts,
): Promise<EntityTable> {
  if (body.form === 'rows') return readEntityRecords({ records: body.rows, source })
  await mkdir(incoming, { recursive: true })
  const path = join(incoming, `${ids('rows')}.${body.form}`)
  try {
    await writeFile(path, body.bytes, { flag: 'wx', mode: 0o600 })
    const request = { path, format: body.form, source, name: 'The request' }
    return await readEntityFile(request, { ...(parquet !== undefined && { parquet }) })
  } finally {
    await rm(path, { force: true })
  }
}

/** Rows as JSON holds them: times as ISO 8601, null where there is no value. */
function cellsOf({ frame, columns }: EntityFeatures): (string | number | null)[][] {
  const readers = columns.map((column) => cellReader(column, frame.columns[column.name]))
  return Array.from({ length: frame.rows }, (_, row) => readers.map((read) => read(row)))
}

function cellReader({ type }: FrameSchemaColumn, values: FrameColumn) {
  return (row: number): string | number | null => {
    if (type === 'text') return textAt(values, row) ?? null
    const value = values[row] as number
    if (Number.isNaN(value)) return null
    return type === 'time' ? formatTimestamp(value) : value
  }
}
