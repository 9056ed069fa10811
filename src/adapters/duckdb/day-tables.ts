// Tables that come row by row, as Parquet files with a folder for each day. Rows wait on disk as JSON
// until all have come, and DuckDB turns one day after the other: memory does not grow with them.
import { mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExportCell, ExportRow, ExportSink } from '../../decisions/index.ts'
import { identifier, literal, withDatabase, type DatabaseLimits } from './database.ts'

export interface DayTables extends ExportSink {
  /** Writes the files, each whole or not at all in the place of an earlier one. */
  finish(): Promise<readonly { readonly file: string; readonly rows: number }[]>
  /** Removes what was not finished. */
  close(): Promise<void>
}

type Kind = 'BIGINT' | 'DOUBLE' | 'BOOLEAN' | 'VARCHAR' | 'DOUBLE[]' | 'VARCHAR[]'

interface Table {
  readonly table: string
  readonly day: string
  readonly waiting: string
  readonly kinds: Map<string, Kind | undefined>
  rows: number
  lines: string[]
  bytes: number
}

/** Rows are written to disk in pieces of about this size. */
const PIECE_BYTES = 256 * 1024

/** `DIRECTORY/TABLE/day=YYYY-MM-DD/TABLE.parquet`, as DuckDB and Spark find partitions. */
export async function openDayTables(
  directory: string,
  limits: DatabaseLimits = {},
): Promise<DayTables> {
  await mkdir(directory, { recursive: true })
  const waiting = await mkdtemp(join(directory, '.writing-'))
  const tables = new Map<string, Table>()

  async function flush(table: Table): Promise<void> {
    if (table.lines.length === 0) return
    const file = await open(table.waiting, 'a')
    try {
      await file.writeFile(table.lines.join(''))
    } finally {
      await file.close()
    }
    table.lines = []
    table.bytes = 0
  }

  function tableOf(name: string, day: string): Table {
    const key = `${name}-${day}`
    const known = tables.get(key)
    if (known !== undefined) return known
    const file = join(waiting, `${key}.ndjson`)
    const kinds = new Map<string, Kind | undefined>()
    const made = { table: name, day, waiting: file, kinds, rows: 0, lines: [], bytes: 0 }
    tables.set(key, made)
    return made
  }

  return {
    async add(name, day, row: ExportRow) {
      const table = tableOf(name, day)
      for (const [column, value] of Object.entries(row)) {
        table.kinds.set(column, widened(table.kinds.get(column), kindOf(column, value)))
      }
      const line = `${JSON.stringify(row)}\n`
      table.lines.push(line)
      table.rows++
      table.bytes += line.length
      if (table.bytes > PIECE_BYTES) await flush(table)
    },
    async finish() {
      const written: { file: string; rows: number }[] = []
      // One thread keeps the order of rows, so that the same records give the same file.
      await withDatabase({ spillDirectory: waiting, ...limits, threads: 1 }, async (connection) => {
        for (const table of tables.values()) {
          await flush(table)
          const folder = join(directory, table.table, `day=${table.day}`)
          await mkdir(folder, { recursive: true })
          const file = join(folder, `${table.table}.parquet`)
          const part = join(waiting, `${table.table}-${table.day}.parquet`)
          await connection.run(
            `COPY (${selectOf(table)}) TO ${literal(part)} (FORMAT parquet, COMPRESSION zstd)`,
          )
          await rename(part, file)
          await rm(table.waiting)
          written.push({ file, rows: table.rows })
        }
      })
      return written
    },
    close: () => rm(waiting, { recursive: true, force: true }),
  }
}

function selectOf({ waiting, kinds }: Table): string {
  const columns = [...kinds].map(([name, kind]) => [name, kind ?? 'VARCHAR'] as const)
  const types = columns.map(([name, kind]) => `${literal(name)}: ${literal(kind)}`)
  const selected = columns.map(([name, kind]) =>
    isTime(name) && kind === 'BIGINT'
      ? `make_timestamp(${identifier(name)}) AS ${identifier(name)}`
      : identifier(name),
  )
  return (
    `SELECT ${selected.join(', ')} FROM read_json(${literal(waiting)}, ` +
    `format = 'newline_delimited', maximum_object_size = 16777216, columns = {${types.join(', ')}})`
  )
}

/** The columns of the records themselves; an event's own are as its contract has them. */
function isTime(name: string): boolean {
  return /_(at|time)$/.test(name) && !name.startsWith('input_')
}

function kindOf(column: string, value: ExportCell): Kind | undefined {
  if (value === null) return undefined
  if (typeof value === 'object') return column === 'features' ? 'DOUBLE[]' : 'VARCHAR[]'
  if (typeof value === 'boolean') return 'BOOLEAN'
  if (typeof value === 'string') return 'VARCHAR'
  return Number.isSafeInteger(value) && !FRACTIONS.has(column) ? 'BIGINT' : 'DOUBLE'
}

/** What may be a whole number by chance. */
const FRACTIONS = new Set([
  'score',
  'margin',
  'threshold_review',
  'threshold_decline',
  'contract_us',
  'features_us',
  'decision_us',
])

function widened(known: Kind | undefined, next: Kind | undefined): Kind | undefined {
  if (known === undefined || next === undefined || known === next) return known ?? next
  const numbers: readonly Kind[] = ['BIGINT', 'DOUBLE']
  return numbers.includes(known) && numbers.includes(next) ? 'DOUBLE' : 'VARCHAR'
}
