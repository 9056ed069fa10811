import type { CompiledLabels, CompiledSource } from './contract.ts'
import { fail } from './errors.ts'
import { EventTable, type EventTableOptions } from './event-table.ts'
import type { Failure } from './failures.ts'
import type { CsvRecord } from './csv.ts'
import { IdSet } from './id-set.ts'
import { inspectFile, type FileInput } from './inputs.ts'
import type { ParquetRows } from './ports.ts'
import type { RowOrigin } from './quarantine.ts'
import { readCsv, readNdjson, readParquet, type RowReading } from './readers.ts'
import type { FinishedTable, RowTable } from './row-table.ts'

export interface EventBlock {
  /** In order of (event time, row). */
  readonly events: FinishedTable
  /** The labels that stand in a column of the file; undefined where there are none. */
  readonly labels: FinishedTable | undefined
}

export interface RefusedEvent extends RowOrigin {
  readonly failures: readonly Failure[]
}

export interface EventBlocksRequest {
  readonly path: string
  readonly source: CompiledSource
  readonly labels?: CompiledLabels | undefined
  /** Accepted rows that come together, or a little more. */
  readonly rows: number
  /** Takes rows away; reading goes on once it has. */
  readonly take: (block: EventBlock) => Promise<void>
  /** The same for rows that are refused, in their order. */
  readonly refuse: (rows: readonly RefusedEvent[]) => Promise<void>
  readonly onProgress?: (share: number) => void
}

/**
 * Reads a file of events as `ingestFile` does, by the same checks, but hands its rows over as they
 * come: what it keeps is the ids, sixteen bytes or so each. Resolves with the number of rows read.
 * Errors: those of files that cannot be read, `header_mismatch`, `file_empty`.
 */
export async function readEventBlocks(
  request: EventBlocksRequest,
  parquet: ParquetRows,
): Promise<number> {
  const input = await inspectFile(request.path)
  const { source, labels, take, refuse, rows } = request
  const table = new BlockTable(source, { labels, labelsOptional: true, seen: new IdSet() })
  let refused: RefusedEvent[] = []
  const away = async (least: number) => {
    if (refused.length > 0) {
      const told = refused
      refused = []
      await refuse(told)
    }
    if (table.waiting >= least && table.waiting > 0) await take(table.next())
  }
  const read = await readFile(
    input,
    {
      table,
      refused: {
        header: [],
        add: (origin, failures) => void refused.push({ ...origin, failures }),
      },
      rowsMax: Infinity,
      onProgress: ({ bytesRead }) => request.onProgress?.(bytesRead / input.bytes),
      pause: () => away(rows),
    },
    parquet,
  )
  await away(1)
  if (read === 0) throw fail.file_empty(`${input.name} has a header but no rows.`)
  return read
}

function readFile(input: FileInput, reading: RowReading, parquet: ParquetRows): Promise<number> {
  switch (input.format) {
    case 'csv':
      return readCsv(input, reading)
    case 'ndjson':
      return readNdjson(input, reading)
    case 'parquet':
      return readParquet(input, reading, parquet)
  }
}

/** A table of events that is emptied now and then; ids stay known. */
class BlockTable implements RowTable {
  private readonly source: CompiledSource
  private readonly options: EventTableOptions
  private table: EventTable
  private names: readonly [header: readonly string[], input: string] | undefined
  private earlier = 0

  constructor(source: CompiledSource, options: EventTableOptions) {
    this.source = source
    this.options = options
    this.table = new EventTable(source, options)
  }

  get accepted(): number {
    return this.earlier + this.table.accepted
  }

  get waiting(): number {
    return this.table.accepted
  }

  header(names: readonly string[], input: string): void {
    this.names = [names, input]
    this.table.header(names, input)
  }

  record(record: CsvRecord, row: number) {
    return this.table.record(record, row)
  }

  fields(fields: readonly string[], row: number) {
    return this.table.fields(fields, row)
  }

  object(body: unknown, row: number) {
    return this.table.object(body, row)
  }

  /** The rows since the last call. */
  next(): EventBlock {
    const events = this.table.finish()
    const labels = this.table.finishLabels(events.frame)
    this.earlier += this.table.accepted
    this.table = new EventTable(this.source, this.options)
    if (this.names !== undefined) this.table.header(...this.names)
    return { events, labels }
  }
}
