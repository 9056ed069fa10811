import { checkJson, checkText, isFailure, type Cell } from './cells.ts'
import type { CompiledColumn, CompiledSource } from './contract.ts'
import { fieldText, isFieldUtf8, type CsvRecord } from './csv.ts'
import { fail } from './errors.ts'
import { notUtf8, wrongFieldCount } from './event-table.ts'
import { failure, type Failure } from './failures.ts'
import type { FrameColumn } from './frame.ts'
import { matchHeader } from './header.ts'
import { inspectFile, type FileFormat } from './inputs.ts'
import type { ParquetRows } from './ports.ts'
import { QuarantineBatch } from './quarantine.ts'
import { readCsv, readNdjson, readParquet, readRecords, type Reading } from './readers.ts'
import { columnPositions, duplicateField } from './row-parser.ts'
import type { RowTable } from './row-table.ts'
import { didYouMean } from './suggestion.ts'

/**
 * Rows that somebody asks about: some columns of a source, checked as the source's own rows are,
 * each of which may be empty. They stay in their order and are kept nowhere.
 */
export interface EntityTable {
  readonly rows: number
  /** Declared names of the columns that were given, in the source's order. */
  readonly names: readonly string[]
  /** By declared name, as a frame holds them: NaN and undefined are no value. Ids are text. */
  readonly columns: Readonly<Record<string, FrameColumn>>
}

export interface EntityFileRequest {
  readonly path: string
  /** Found out from name and content unless given. */
  readonly format?: FileFormat
  /** What messages call it; its own name unless given. */
  readonly name?: string
  readonly source: CompiledSource
  /** Most rows that are taken: 100,000 unless given. */
  readonly rowsMax?: number
}

export interface EntityRecordsRequest {
  readonly records: readonly unknown[]
  readonly source: CompiledSource
  readonly rowsMax?: number
}

const rowsMaxDefault = 100_000
const failuresShown = 20

/**
 * Reads rows from a file. Columns answer to their declared names and to their names in files.
 * Fails with `entity_rows_invalid`, which lists the first failures with their rows, or as the
 * ingestion of a file does: `header_mismatch`, `file_not_found`, `dataset_too_large`…
 */
export async function readEntityFile(
  request: EntityFileRequest,
  ports: { readonly parquet?: ParquetRows },
): Promise<EntityTable> {
  const found = await inspectFile(request.path, request.format)
  const input = { ...found, name: request.name ?? found.name }
  const table = new EntityRowTable(request.source)
  const reading = readingOf(table, input.name, request.rowsMax)
  if (input.format === 'csv') await readCsv(input, reading)
  else if (input.format === 'ndjson') await readNdjson(input, reading)
  else if (ports.parquet === undefined) throw new Error('Reading Parquet takes its port.')
  else await readParquet(input, reading, ports.parquet)
  return finish(table, reading.refused)
}

/** As `readEntityFile`, from JSON objects. */
export async function readEntityRecords(request: EntityRecordsRequest): Promise<EntityTable> {
  const table = new EntityRowTable(request.source)
  const reading = readingOf(table, 'The request', request.rowsMax)
  if (request.records.length > reading.rowsMax) throw tooMany('The request', reading.rowsMax)
  await readRecords('The request', request.records, reading)
  return finish(table, reading.refused)
}

function readingOf(table: RowTable, name: string, rowsMax = rowsMaxDefault): Reading {
  const refused = new QuarantineBatch({
    dataset: '',
    ingestion: '',
    input: name,
    contractVersion: '',
    quarantinedAtUs: 0,
  })
  const onProgress = ({ read }: { readonly read: number }) => {
    if (read > rowsMax) throw tooMany(name, rowsMax)
  }
  return { table, refused, rowsMax, onProgress }
}

function tooMany(name: string, rowsMax: number): Error {
  return fail.dataset_too_large(`${name} has more than ${rowsMax.toLocaleString('en-US')} rows.`)
}

function finish(table: EntityRowTable, refused: QuarantineBatch): EntityTable {
  if (refused.count === 0) return table.finish()
  const failures = refused.rows
    .flatMap(({ row, line, failures: all }) => all.map((each) => ({ row, line, ...each })))
    .slice(0, failuresShown)
  const [{ row, message }] = failures
  const count = refused.count === 1 ? 'One row' : `${refused.count} rows`
  throw fail.entity_rows_invalid(`${count} cannot be read. The first is row ${row}: ${message}`, {
    extra: { failures },
  })
}

/** Gathers rows in their order. Every column may be empty here, also where events need it. */
class EntityRowTable implements RowTable {
  accepted = 0
  private readonly source: CompiledSource
  private readonly columns: readonly CompiledColumn[]
  private readonly names: ReadonlyMap<string, number>
  private readonly values: (number | string | undefined)[][]
  private readonly given: Uint8Array
  private positions: readonly number[] = []
  private width = 0

  constructor(source: CompiledSource) {
    this.source = source
    this.columns = source.columns.map((column) => ({ ...column, nullable: true }))
    this.names = columnPositions(source)
    this.values = source.columns.map(() => [])
    this.given = new Uint8Array(source.columns.length)
  }

  header(names: readonly string[], input: string): void {
    const { source } = this
    const wanted = source.columns.map(({ from, name }) => ({
      names: [name, from],
      required: false,
    }))
    this.positions = matchHeader(names, wanted, source.ignore, {
      input,
      contract: `the columns of source ${JSON.stringify(source.name)}`,
    })
    this.positions.forEach((position, index) => (this.given[index] = Number(position >= 0)))
    this.width = names.length
  }

  record(record: CsvRecord): readonly Failure[] | undefined {
    if (record.count !== this.width) return [wrongFieldCount(record.count, this.width)]
    const texts = this.positions.map((at) => (at < 0 ? '' : fieldText(record, at)))
    const wrong = texts.findIndex(
      (text, index) => text !== '' && !isFieldUtf8(record, this.positions[index], text),
    )
    if (wrong >= 0) return [notUtf8(this.columns[wrong].name, texts[wrong])]
    return this.takeTexts(texts)
  }

  fields(fields: readonly string[]): readonly Failure[] | undefined {
    if (fields.length !== this.width) return [wrongFieldCount(fields.length, this.width)]
    return this.takeTexts(this.positions.map((at) => (at < 0 ? '' : fields[at])))
  }

  object(body: unknown): readonly Failure[] | undefined {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      return [failure(null, 'json', null, 'Send one JSON object a row.')]
    }
    const cells: Cell[] = this.columns.map(() => undefined)
    const failures: Failure[] = []
    const seen = new Set<number>()
    for (const [name, value] of Object.entries(body)) {
      const at = this.names.get(name)
      if (at === undefined) failures.push(this.unknown(name))
      if (at === undefined || at < 0) continue
      if (seen.has(at)) failures.push(duplicateField(this.columns[at], value))
      seen.add(at)
      this.given[at] = 1
      cells[at] = checkJson(this.columns[at], value, this.source.timeZone)
    }
    return this.take(cells, failures)
  }

  finish(): EntityTable {
    const given = this.source.columns.flatMap((column, at) =>
      this.given[at] === 1 ? [[column.name, columnOfKind(column, this.values[at])] as const] : [],
    )
    return {
      rows: this.accepted,
      names: given.map(([name]) => name),
      columns: Object.fromEntries(given),
    }
  }

  private takeTexts(texts: readonly string[]): readonly Failure[] | undefined {
    const { timeZone } = this.source
    return this.take(
      this.columns.map((column, index) => checkText(column, texts[index], timeZone)),
      [],
    )
  }

  private take(cells: readonly Cell[], failures: Failure[]): readonly Failure[] | undefined {
    for (const cell of cells) if (isFailure(cell)) failures.push(cell)
    if (failures.length > 0) return failures
    cells.forEach((cell, at) => this.values[at].push(cell as number | string | undefined))
    this.accepted++
    return undefined
  }

  private unknown(name: string): Failure {
    const near = didYouMean(name, [...this.names.keys()])
    const remedy = near === undefined ? 'Leave it out.' : `Did you mean ${JSON.stringify(near)}?`
    const message = `Source ${this.source.name} has no column ${JSON.stringify(name.slice(0, 80))}. ${remedy}`
    return failure(name.slice(0, 100), 'unknown_field', null, message)
  }
}

function columnOfKind(
  column: CompiledColumn,
  values: readonly (number | string | undefined)[],
): FrameColumn {
  const isText =
    column.kind === 'id' ||
    column.kind === 'text' ||
    column.kind === 'category' ||
    (column.kind === 'key' && column.type === 'text')
  if (isText) return values as (string | undefined)[]
  return Float64Array.from(values, (value) => (value as number | undefined) ?? Number.NaN)
}
