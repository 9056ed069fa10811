// Feast beside us: the values of customers and terminals as of given times, as a training set needs
// them. Feast's local offline stores join feature rows that were worked out before, here one for each
// event of each entity (by DuckDB, untimed); we work the values out from the events, in the time that
// is measured. The asked times are those of events, where both must give the same values: they are
// compared bit for bit.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import { numbersOf } from '../src/data/index.ts'
import { trainingRows, type CompiledFeatureSet, type EntityRows } from '../src/features/index.ts'
import type { Matrix } from '../src/lib/matrix.ts'
import { createRandom } from '../src/lib/random.ts'
import { answerSql, compareRows, withEvents, type Comparison } from './features-duckdb.ts'
import { significant, spent, type Spent } from './features-measure.ts'
import { entities, timesOf, type Stream } from './features-stream.ts'
import type { Figures } from './run.ts'

/** Feast's stores that need no server: `file` is the default one, `duckdb` the fast one. */
const stores = ['duckdb', 'file'] as const

const INSTALL = 'pip install "feast[duckdb]" pandas pyarrow, then --python PATH/TO/python'

export interface FeastOptions {
  /** An interpreter that has Feast. */
  readonly python: string
  /** How many entity rows are asked for. */
  readonly rows: number
}

/** The set's features must be among the 42 of the backfill. */
export async function measureFeast(
  stream: Stream,
  set: CompiledFeatureSet,
  { python, rows }: FeastOptions,
  say: (line: string) => void,
): Promise<Figures> {
  if ((await output(python, ['-c', 'import feast'])) === undefined) {
    say(`Feast is not there: ${INSTALL}`)
    return { feast: `not installed: ${INSTALL}` }
  }
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  try {
    const asked = sampleEvents(stream, rows)
    await writeInput(stream, set, asked, folder)
    const ours = await spent(() => {
      const request = { sets: [set], source: stream.source, frame: stream.frame }
      return trainingRows({ ...request, rows: asked }).matrix
    })
    say(`from ${stream.frame.rows} events: ${ours.wallS.toFixed(2)} s`)
    const figures: Record<string, number | string> = {
      feast_rows: asked.rows,
      feast_features: set.features.length,
      feast_assay_s: significant(ours.wallS),
      feast_assay_cpu_s: significant(ours.cpuS),
    }
    let best = Infinity
    for (const store of stores) {
      const theirs = await joinByFeast(python, folder, store)
      if (theirs === undefined) {
        figures[`feast_${store}`] = `failed: ${INSTALL}`
        continue
      }
      say(`feast ${theirs.version}, ${store}: ${theirs.wallS.toFixed(2)} s`)
      const { compared, mismatches } = await compareWithFeast(folder, ours.result)
      best = Math.min(best, theirs.wallS)
      Object.assign(figures, {
        feast_version: theirs.version,
        [`feast_${store}_s`]: significant(theirs.wallS),
        [`feast_${store}_cpu_s`]: significant(theirs.cpuS),
        [`feast_${store}_memory_bytes`]: theirs.memoryBytes,
        [`feast_${store}_compared`]: compared,
        [`feast_${store}_mismatches`]: mismatches,
      })
    }
    return { ...figures, feast_ratio: significant(ours.wallS / best) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Keys and times of events drawn without replacement, in the order of the events. */
function sampleEvents(stream: Stream, wanted: number): EntityRows {
  const { frame } = stream
  const random = createRandom('entity rows')
  const chosen: number[] = []
  for (let row = 0; row < frame.rows; row++) {
    const left = frame.rows - row
    if (random.int(left) < wanted - chosen.length) chosen.push(row)
  }
  const take = (column: Float64Array): Float64Array =>
    Float64Array.from(chosen, (row) => column[row])
  const keys = entities.map(({ key }) => [key, take(numbersOf(frame, key))] as const)
  return {
    rows: chosen.length,
    timesUs: take(timesOf(stream)),
    columns: Object.fromEntries(keys),
  }
}

/** Feature rows by entity, one for each of its instants, and the entity rows, as Parquet. */
async function writeInput(
  stream: Stream,
  set: CompiledFeatureSet,
  asked: EntityRows,
  folder: string,
): Promise<void> {
  await withEvents(stream, 2, async (connection) => {
    await connection.run(answerSql('lag'))
    await fillAsked(connection, asked)
    for (const { key, prefix } of entities) {
      const names = set.features.map(({ name }) => name).filter((name) => name.startsWith(prefix))
      await connection.run(
        `COPY (SELECT ${key}, datetime AS event_timestamp, ${names.join(', ')}
               FROM answer JOIN events USING (sequence)
               QUALIFY row_number() OVER (PARTITION BY ${key}, datetime ORDER BY sequence DESC) = 1
               ORDER BY event_timestamp)
         TO '${join(folder, `${prefix.toLowerCase()}.parquet`)}' (FORMAT parquet)`,
      )
    }
    await connection.run(
      `COPY (SELECT "row", customer_id, terminal_id, make_timestamp(time_us) AS event_timestamp
             FROM asked ORDER BY "row") TO '${join(folder, 'entities.parquet')}' (FORMAT parquet)`,
    )
  })
}

async function fillAsked(connection: DuckDBConnection, asked: EntityRows): Promise<void> {
  await connection.run(
    'CREATE TABLE asked ("row" BIGINT, customer_id BIGINT, terminal_id BIGINT, time_us BIGINT)',
  )
  const appender = await connection.createAppender('asked')
  for (let row = 0; row < asked.rows; row++) {
    appender.appendBigInt(BigInt(row))
    for (const { key } of entities) appender.appendBigInt(BigInt(asked.columns[key][row]!))
    appender.appendBigInt(BigInt(asked.timesUs[row]))
    appender.endRow()
  }
  appender.closeSync()
}

interface FeastTime extends Spent {
  readonly version: string
  readonly memoryBytes: number
}

/** Undefined where this store fails, for example because its extra is not installed. */
async function joinByFeast(
  python: string,
  folder: string,
  store: string,
): Promise<FeastTime | undefined> {
  const script = join(import.meta.dirname, 'peers/feast_join.py')
  const text = await output(python, [script, folder, store])
  if (text === undefined) return undefined
  const found = JSON.parse(text.trim().split('\n').at(-1)!) as Record<string, number | string>
  return {
    version: String(found['version']),
    wallS: Number(found['wall_s']),
    cpuS: Number(found['cpu_s']),
    memoryBytes: Number(found['memory_max_bytes']),
  }
}

async function compareWithFeast(folder: string, matrix: Matrix): Promise<Comparison> {
  const instance = await DuckDBInstance.create(':memory:')
  try {
    const connection = await instance.connect()
    const answer = `'${join(folder, 'answer.parquet')}'`
    const comparison = await compareRows(connection, '"row"', answer, matrix)
    connection.closeSync()
    return comparison
  } finally {
    instance.closeSync()
  }
}

/** What a command wrote to standard output; undefined where it cannot be run or fails. */
async function output(command: string, args: readonly string[]): Promise<string | undefined> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  let text = ''
  child.stdout.on('data', (bytes: Buffer) => (text += bytes.toString('utf8')))
  return await new Promise((resolve) => {
    child.on('error', () => resolve(undefined))
    child.on('close', (code) => resolve(code === 0 ? text : undefined))
  })
}
