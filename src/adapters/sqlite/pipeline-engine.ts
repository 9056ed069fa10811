// What the engine of declared pipelines keeps. The rows of a run are written in one transaction with
// the run itself; text of records is JSON, columns are what is searched by.
import { sql, type Kysely } from 'kysely'
import type {
  ApprovalAnswer,
  BackfillState,
  CacheEntry,
  Cancellation,
  EarlierStep,
  PartitionRow,
  PartitionStatus,
  PassedSpread,
  PipelineEngineStore,
  PipelineRunStore,
  ProductVersion,
  StepPlace,
  StepRecord,
  UsedByRuns,
} from '../../pipelines/index.ts'
import type { SqliteDatabase } from './database.ts'
import { fromJson, toJson } from './values.ts'

interface StepRow {
  runId: string
  step: string
  place: number
  pipeline: string
  status: string
  startedAtUs: number | null
  /** 1 where it was really run. */
  ran: number
  body: string
}
interface ProductRow {
  pipeline: string
  output: string
  /** Of the whole: ''. */
  part: string
  version: number
  digest: string
  atUs: number
  body: string
}
interface Tables {
  pipeline_steps: StepRow
  pipeline_cache: { key: string; body: string }
  pipeline_products: ProductRow
  pipeline_spreads: { pipeline: string; step: string; output: string; column: string; body: string }
  pipeline_answers: { runId: string; step: string; atUs: number; body: string }
  pipeline_cancellations: { runId: string; body: string }
  pipeline_partitions: {
    pipeline: string
    key: string
    status: PartitionStatus
    runId: string
    atUs: number
  }
  pipeline_backfills: { id: string; pipeline: string; startedAtUs: number; body: string }
  pipeline_marks: { name: string; body: string }
}

/** Rows in one statement; SQLite takes 32,766 values. */
const ROWS_MAX = 500

export function createSqlitePipelineEngine(
  database: SqliteDatabase,
  runs: PipelineRunStore,
): PipelineEngineStore {
  const reader = () => database.reader<Tables>()
  return {
    record: (change) =>
      database.write<Tables, void>(async (db) => {
        if (change.run !== undefined) await runs.save(change.run)
        await saveSteps(db, change.steps ?? [])
        for (const entry of change.cache ?? []) {
          const row = { key: entry.key, body: toJson(entry) }
          await db.replaceInto('pipeline_cache').values(row).execute()
        }
        for (const made of change.products ?? []) await saveProduct(db, made)
        for (const rows of inPieces(change.partitions ?? [])) {
          await db.replaceInto('pipeline_partitions').values(rows).execute()
        }
        for (const { pipeline, step, output, column, spread } of change.spreads ?? []) {
          const row = { pipeline, step, output, column, body: toJson(spread) }
          await db.replaceInto('pipeline_spreads').values(row).execute()
        }
      }),
    async steps(runId) {
      const rows = await reader()
        .selectFrom('pipeline_steps')
        .select('body')
        .where('runId', '=', runId)
        .orderBy('place')
        .execute()
      return rows.map(({ body }) => fromJson<StepRecord>(body))
    },
    async cached(key) {
      const row = await reader()
        .selectFrom('pipeline_cache')
        .select('body')
        .where('key', '=', key)
        .executeTakeFirst()
      return row && fromJson<CacheEntry>(row.body)
    },
    async earlier(pipeline, step, limit) {
      const rows = await reader()
        .selectFrom('pipeline_steps')
        .select('body')
        .where('pipeline', '=', pipeline)
        .where('step', '=', step)
        .where('ran', '=', 1)
        .orderBy('startedAtUs', 'desc')
        .limit(limit)
        .execute()
      return rows.flatMap(({ body }): EarlierStep[] => {
        const { runId, parts, partition, startedAtUs } = fromJson<StepRecord>(body)
        return parts === null ? [] : [{ runId, partition, parts, atUs: startedAtUs ?? 0 }]
      })
    },
    async product(pipeline, output, partition) {
      const row = await newestProduct(reader(), pipeline, output, partition ?? '')
      return row && productOf(row)
    },
    async products(pipeline, limit) {
      const rows = await reader()
        .selectFrom('pipeline_products')
        .selectAll()
        .where('pipeline', '=', pipeline)
        .orderBy('atUs', 'desc')
        .orderBy('version', 'desc')
        .limit(limit)
        .execute()
      return rows.map((row) => productOf(row))
    },
    async allProducts(after, limit) {
      const { rows } = await sql<{ body: string }>`
        SELECT body FROM pipeline_products
        WHERE (pipeline, output, part, version) > (${after?.pipeline ?? ''}, ${after?.output ?? ''},
          ${after?.partition ?? ''}, ${after?.version ?? 0})
        ORDER BY pipeline, output, part, version LIMIT ${limit}`.execute(reader())
      return rows.map((row) => productOf(row))
    },
    usedByRuns: (sinceUs, after, limit) => usedByRuns(reader(), sinceUs, after, limit),
    async spreads(pipeline, step) {
      const rows = await reader()
        .selectFrom('pipeline_spreads')
        .selectAll()
        .where('pipeline', '=', pipeline)
        .where('step', '=', step)
        .execute()
      return rows.map(({ body, ...row }) => ({
        ...row,
        spread: fromJson<PassedSpread['spread']>(body),
      }))
    },
    async answer(answer) {
      const { runId, step, atUs } = answer
      const row = { runId, step, atUs, body: toJson(answer) }
      await database.write<Tables, unknown>((db) =>
        db.insertInto('pipeline_answers').values(row).execute(),
      )
    },
    async answers(runId) {
      const rows = await reader()
        .selectFrom('pipeline_answers')
        .select('body')
        .where('runId', '=', runId)
        .orderBy('atUs')
        .execute()
      return rows.map(({ body }) => fromJson<ApprovalAnswer>(body))
    },
    async cancel(cancellation) {
      const row = { runId: cancellation.runId, body: toJson(cancellation) }
      await database.write<Tables, unknown>((db) =>
        db
          .insertInto('pipeline_cancellations')
          .values(row)
          .onConflict((conflict) => conflict.column('runId').doNothing())
          .execute(),
      )
    },
    async cancellation(runId) {
      const row = await reader()
        .selectFrom('pipeline_cancellations')
        .select('body')
        .where('runId', '=', runId)
        .executeTakeFirst()
      return row && fromJson<Cancellation>(row.body)
    },
    async partitions(pipeline, { status, keys, after, limit }) {
      if (keys?.length === 0) return []
      let query = reader()
        .selectFrom('pipeline_partitions')
        .selectAll()
        .where('pipeline', '=', pipeline)
      if (status !== undefined) query = query.where('status', '=', status)
      if (after !== undefined) query = query.where('key', '>', after)
      if (keys !== undefined) query = query.where('key', 'in', [...keys])
      const rows: PartitionRow[] = await query.orderBy('key').limit(limit).execute()
      if (keys === undefined) return rows
      const byKey = new Map(rows.map((row) => [row.key, row]))
      return keys.flatMap((key) => byKey.get(key) ?? [])
    },
    async partitionCounts(pipeline) {
      const rows = await reader()
        .selectFrom('pipeline_partitions')
        .select(['status', (expression) => expression.fn.countAll<number>().as('count')])
        .where('pipeline', '=', pipeline)
        .groupBy('status')
        .execute()
      const none = { running: 0, done: 0, failed: 0, cancelled: 0 }
      return { ...none, ...Object.fromEntries(rows.map(({ status, count }) => [status, count])) }
    },
    async saveBackfill(state) {
      const { id, pipeline, startedAtUs } = state
      const row = { id, pipeline, startedAtUs, body: toJson(state) }
      await database.write<Tables, unknown>((db) =>
        db.replaceInto('pipeline_backfills').values(row).execute(),
      )
    },
    async backfill(id) {
      const row = await reader()
        .selectFrom('pipeline_backfills')
        .select('body')
        .where('id', '=', id)
        .executeTakeFirst()
      return row && fromJson<BackfillState>(row.body)
    },
    async backfills(limit, pipeline) {
      let query = reader().selectFrom('pipeline_backfills').select('body')
      if (pipeline !== undefined) query = query.where('pipeline', '=', pipeline)
      const rows = await query
        .orderBy('startedAtUs', 'desc')
        .orderBy('id', 'desc')
        .limit(limit)
        .execute()
      return rows.map(({ body }) => fromJson<BackfillState>(body))
    },
    async mark(name) {
      const row = await reader()
        .selectFrom('pipeline_marks')
        .select('body')
        .where('name', '=', name)
        .executeTakeFirst()
      return row?.body
    },
    async setMark(name, body) {
      await database.write<Tables, unknown>((db) =>
        db.replaceInto('pipeline_marks').values({ name, body }).execute(),
      )
    },
  }
}

function* inPieces<Row>(rows: readonly Row[]): Generator<Row[]> {
  for (let from = 0; from < rows.length; from += ROWS_MAX) yield rows.slice(from, from + ROWS_MAX)
}

async function saveSteps(db: Kysely<Tables>, records: readonly StepRecord[]): Promise<void> {
  for (const piece of inPieces(records)) {
    const rows = piece.map((record): StepRow => {
      const { runId, step, place, pipeline, status, startedAtUs, parts } = record
      const ran = parts !== null && status !== 'running' && status !== 'waiting' ? 1 : 0
      return { runId, step, place, pipeline, status, startedAtUs, ran, body: toJson(record) }
    })
    await db.replaceInto('pipeline_steps').values(rows).execute()
  }
}

/** The same content again is the same version, made again. */
async function saveProduct(
  db: Kysely<Tables>,
  made: Omit<ProductVersion, 'version'>,
): Promise<void> {
  const { pipeline, output, atUs, kept } = made
  const part = made.partition ?? ''
  const newest = await newestProduct(db, pipeline, output, part)
  const same = newest?.digest === kept.digest
  const version = (newest?.version ?? 0) + (same ? 0 : 1)
  const body = toJson({ ...made, version })
  const row = { pipeline, output, part, version, digest: kept.digest, atUs, body }
  await db.replaceInto('pipeline_products').values(row).execute()
}

function newestProduct(
  db: Kysely<Tables>,
  pipeline: string,
  output: string,
  part: string,
): Promise<ProductRow | undefined> {
  return db
    .selectFrom('pipeline_products')
    .selectAll()
    .where('pipeline', '=', pipeline)
    .where('output', '=', output)
    .where('part', '=', part)
    .orderBy('version', 'desc')
    .executeTakeFirst()
}

/** So many steps are looked at, however few of them count: nobody waits long for a page. */
async function usedByRuns(
  db: Kysely<Tables>,
  sinceUs: number,
  after: StepPlace | null,
  limit: number,
): Promise<UsedByRuns> {
  const { rows } = await sql<StepPlace & { inputs: string | null; outputs: string | null }>`
    SELECT s.runId, s.step,
      CASE WHEN r.id IS NOT NULL THEN s.body -> 'inputs' END AS inputs,
      CASE WHEN r.id IS NOT NULL THEN s.body -> 'outputs' END AS outputs
    FROM (
      SELECT runId, step, body FROM pipeline_steps
      WHERE (runId, step) > (${after?.runId ?? ''}, ${after?.step ?? ''})
      ORDER BY runId, step LIMIT ${limit}) AS s
    LEFT JOIN pipeline_runs AS r ON r.id = s.runId AND (
      r.body ->> 'status' IN ('running', 'waiting')
      OR coalesce(r.body ->> 'endedAtUs', r.startedAtUs) >= ${sinceUs})
    ORDER BY s.runId, s.step`.execute(db)
  const objects = rows.flatMap(({ inputs, outputs }) =>
    [inputs, outputs].flatMap((text) =>
      text === null ? [] : Object.values(fromJson<StepRecord['inputs']>(text)),
    ),
  )
  const last = rows.at(-1)
  return {
    objects: objects.map(({ digest, kind }) => ({ digest, kind })),
    next: rows.length < limit || last === undefined ? null : { runId: last.runId, step: last.step },
  }
}

function productOf({ body }: Pick<ProductRow, 'body'>): ProductVersion {
  return fromJson<ProductVersion>(body)
}
