// Tables that are read as they come, a few thousand rows at a time: CSV and Parquet files, and versions
// of datasets. Values are text until a model says what it takes.
import { createReadStream, existsSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { duckdbParquetRows } from '../../adapters/duckdb/index.ts'
import {
  createCsvReader,
  csvField,
  dataErrors,
  fieldText,
  inspectFile,
  presentVersion,
  readChunks,
  recordRaw,
  rules,
  type CsvRecord,
  type DatasetVersionDetail,
  type FileInput,
} from '../../data/index.ts'
import { formatMinor } from '../../lib/decimal.ts'
import { shortHash } from '../../lib/hash.ts'
import type { RefusedRow } from './batch-run.ts'
import type { Kept } from './connection.ts'
import { snapshotsOf } from './engines.ts'
import { commandErrors } from './errors.ts'

/** Some rows of a table, in its order. */
export interface TextRows {
  /** Rows that were read, those that are refused too. */
  readonly read: number
  readonly share: number
  /** Of the rows that could be read: their numbers and lines in the input, from 1. */
  readonly numbers: readonly number[]
  readonly lines: readonly number[]
  /** For each wanted column the text of each of them; '' where there is none. */
  readonly columns: readonly (readonly string[])[]
  /** The whole of such a row, for those that the model refuses. */
  raw(at: number): string
  readonly refused: readonly RefusedRow[]
}

export interface TableInput {
  /** For people. */
  readonly name: string
  /** What its content follows from: another content has another. */
  readonly identity: string
  /** Whether `NA`, `?` and the like stand for no value, as people write it into CSV. */
  readonly wordsForNothing: boolean
  /**
   * Rows behind the first `position`, `ROWS_AT_ONCE` at a time, of the named columns. Errors:
   * `option_invalid` where a column is not there, `input_changed`, those of files that cannot be read.
   */
  rows(wanted: readonly string[], position: number): AsyncIterable<TextRows>
}

/** Rows that are read and scored together. */
export const ROWS_AT_ONCE = 10_000

/** A file, or `DATASET@VERSION` of the home. Errors: those of files and of versions of datasets. */
export async function tableInput(named: string, kept: Kept): Promise<TableInput> {
  const version = await versionNamed(named, kept)
  return version === undefined ? fileInput(named) : datasetInput(version, kept)
}

/** The version of a dataset that an argument names; undefined where it names a file. */
export async function versionNamed(
  named: string,
  { versions }: Pick<Kept, 'versions'>,
): Promise<DatasetVersionDetail | undefined> {
  const [, dataset, version] = /^([^@/\\]+)@([^@/\\]+)$/.exec(named) ?? []
  if (dataset === undefined || existsSync(named)) return undefined
  return presentVersion(dataset, version, versions)
}

export const identityOf = ({ version }: DatasetVersionDetail): string =>
  `version ${version.number} of ${version.dataset} (${version.hash})`

async function fileInput(path: string): Promise<TableInput> {
  const input = await inspectFile(path, 'csv')
  const identity = await fileIdentity(path)
  const read = async function* (wanted: readonly string[], position: number) {
    const before = await markOf(path)
    if (before !== identity.mark) throw changed(path)
    yield* input.format === 'parquet'
      ? parquetRows([{ path, name: input.name }], wanted, position)
      : csvRows(input, wanted, position)
    if ((await markOf(path)) !== before) throw changed(path)
  }
  return {
    name: input.name,
    identity: identity.sha256,
    wordsForNothing: input.format === 'csv',
    rows: read,
  }
}

/** The hash of a file's bytes, and what tells quickly that it was written to since. */
export async function fileIdentity(path: string): Promise<{ sha256: string; mark: string }> {
  const mark = await markOf(path)
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer)
  }
  return { sha256: hash.digest('hex'), mark }
}

async function markOf(path: string): Promise<string> {
  const { size, mtimeMs, ino } = await stat(path)
  return [size, mtimeMs, ino].join(' ')
}

function changed(path: string): Error {
  return commandErrors.input_changed(`${path} was written to while it was read.`)
}

/** The rows of a version in the order in which its snapshots were taken in; an event is there once. */
function datasetInput(version: DatasetVersionDetail, { home }: Kept): TableInput {
  const { parts } = version
  const snapshots = snapshotsOf(home)
  const identity = identityOf(version)
  return {
    name: identity,
    identity,
    wordsForNothing: false,
    async *rows(wanted, position) {
      const files: ParquetFile[] = []
      for (const { hash } of parts) {
        const found = await snapshots.describe(hash)
        if (found === undefined) {
          throw dataErrors.snapshot_not_found(`The snapshot ${shortHash(hash)} is gone.`)
        }
        const money = new Map(
          found.schema.columns.flatMap(({ name, type, exponent }) =>
            type === 'money' ? [[name, exponent!] as const] : [],
          ),
        )
        for (const part of found.parts) files.push({ path: part.path!, name: identity, money })
      }
      const { contract } = parts.at(-1)!
      const once = parts.length > 1 && contract.kind !== 'labels' ? contract.id : undefined
      yield* parquetRows(files, wanted, position, once)
    },
  }
}

interface ParquetFile {
  readonly path: string
  readonly name: string
  /** Columns of minor units, with the places that they have. */
  readonly money?: ReadonlyMap<string, number>
}

async function* parquetRows(
  files: readonly ParquetFile[],
  wanted: readonly string[],
  position: number,
  once?: string,
): AsyncGenerator<TextRows> {
  const gathered = new Gathered(wanted.length)
  const seen = new Set<string>()
  for (const [index, { path, name, money }] of files.entries()) {
    const { columns, batches } = await duckdbParquetRows().open(path)
    const places = placesOf(wanted, columns, name)
    const id = once === undefined ? -1 : columns.indexOf(once)
    const exponents = wanted.map((column) => money?.get(column))
    for await (const batch of batches) {
      for (const fields of batch) {
        if (id >= 0) {
          if (seen.has(fields[id])) continue
          seen.add(fields[id])
        }
        const number = ++gathered.row
        if (number <= position) continue
        const values = places.map((place, j) => amountText(fields[place], exponents[j]))
        gathered.add(number, values, () => fields.map(csvField).join(','))
      }
      while (gathered.ready.length > 0) yield gathered.ready.shift()!.with(index / files.length)
    }
  }
  if (gathered.row === 0) throw dataErrors.file_empty(`${files[0]?.name} has no rows.`)
  yield* gathered.rest()
}

/** Amounts as people write them, and as a request has them. */
function amountText(text: string, exponent: number | undefined): string {
  return exponent === undefined || text === '' ? text : formatMinor(Number(text), exponent)
}

async function* csvRows(
  input: FileInput,
  wanted: readonly string[],
  position: number,
): AsyncGenerator<TextRows> {
  const gathered = new Gathered(wanted.length)
  const dialect = await dialectOf(input, wanted)
  let header: readonly string[] | undefined
  let places: readonly number[] = []
  const take = (record: CsvRecord) => {
    const number = ++gathered.row
    if (number <= position) return
    const { line } = record
    const { raw } = recordRaw(record)
    const refuse = (reason: string) =>
      gathered.refuse({ row: number, line, column: null, reason, raw })
    if (record.count !== header!.length) {
      return refuse(`The row has ${record.count} fields where ${header!.length} are expected.`)
    }
    const values = places.map((place) => fieldText(record, place))
    if (values.some((text) => text.includes('\ufffd'))) return refuse(rules.encoding)
    return gathered.add(number, values, raw, line)
  }
  const reader = createCsvReader(
    {
      record(record) {
        if (header === undefined) {
          header = dialect.header ? namesIn(record) : unnamedColumns(record.count)
          places = placesOf(wanted, header, input.name)
          if (dialect.header) return
        }
        take(record)
      },
      fault({ rule, line, raw }) {
        if (header === undefined) {
          throw dataErrors.header_mismatch(
            `${input.name}: the first line cannot be read as a header. ${rules[rule]}`,
          )
        }
        const row = ++gathered.row
        if (row > position) {
          gathered.refuse({ row, line, column: null, reason: rules[rule], raw })
        }
      },
    },
    undefined,
    dialect.delimiter,
  )
  let bytes = 0
  for await (const chunk of readChunks(input, (bytesRead) => (bytes = bytesRead))) {
    reader.push(chunk)
    while (gathered.ready.length > 0) yield gathered.ready.shift()!.with(bytes / input.bytes)
  }
  reader.end()
  if (gathered.row === 0) throw dataErrors.file_empty(`${input.name} has no rows.`)
  yield* gathered.rest()
}

/** A record as it came; of Parquet it is put together when it is asked for. */
type Raw = string | (() => string)

/** Rows on their way into chunks that are cut at the same rows wherever reading began. */
class Gathered {
  /** Rows of the input so far. */
  row = 0
  readonly ready: ReadyRows[] = []
  private readonly width: number
  private at: ReadyRows

  constructor(width: number) {
    this.width = width
    this.at = new ReadyRows(width)
  }

  add(number: number, values: readonly string[], raw: Raw, line = number): void {
    const { numbers, lines, columns, raws } = this.at
    numbers.push(number)
    lines.push(line)
    values.forEach((text, j) => columns[j].push(text))
    raws.push(raw)
    this.count()
  }

  refuse(row: RefusedRow): void {
    this.at.refused.push(row)
    this.count()
  }

  *rest(): Generator<TextRows> {
    yield* this.ready.splice(0)
    if (this.at.read > 0) yield this.at
  }

  private count(): void {
    if (++this.at.read < ROWS_AT_ONCE) return
    this.ready.push(this.at)
    this.at = new ReadyRows(this.width)
  }
}

class ReadyRows implements TextRows {
  read = 0
  share = 1
  readonly numbers: number[] = []
  readonly lines: number[] = []
  readonly columns: string[][]
  readonly raws: Raw[] = []
  readonly refused: RefusedRow[] = []

  constructor(width: number) {
    this.columns = Array.from({ length: width }, () => [])
  }

  with(share: number): this {
    this.share = share
    return this
  }

  raw(at: number): string {
    const raw = this.raws[at]
    return typeof raw === 'string' ? raw : raw()
  }
}

/** Where the wanted columns stand. Error: `option_invalid`, which names what is missing. */
function placesOf(
  wanted: readonly string[],
  columns: readonly string[],
  input: string,
): readonly number[] {
  const missing = wanted.filter((name) => !columns.includes(name))
  if (missing.length > 0) {
    const named = missing.map((name) => `no column "${name}"`).join(' and ')
    throw commandErrors.option_invalid(`${input} has ${named}, which the model takes.`)
  }
  const twice = wanted.find((name) => columns.indexOf(name) !== columns.lastIndexOf(name))
  if (twice !== undefined) {
    throw commandErrors.option_invalid(`${input} has the column "${twice}" twice.`)
  }
  return wanted.map((name) => columns.indexOf(name))
}

const DELIMITERS = [',', ';', '\t', '|']

/**
 * How the fields are parted, and whether names stand above them: told by the names that are wanted.
 * Without names columns are called column00, column01, …, as where a model is learnt from a file.
 */
async function dialectOf(
  input: FileInput,
  wanted: readonly string[],
): Promise<{ readonly delimiter: string; readonly header: boolean }> {
  const records = new Map<string, readonly string[]>()
  for await (const chunk of readChunks(input)) {
    const head = Buffer.from(chunk)
    for (const delimiter of DELIMITERS) records.set(delimiter, firstRecord(head, delimiter))
    break
  }
  const found = [...records]
  const named = found.find(([, names]) => wanted.every((name) => names.includes(name)))
  if (named !== undefined) return { delimiter: named[0], header: true }
  const widest = found.toSorted(([, a], [, b]) => b.length - a.length)[0]
  const [delimiter, { length }] = widest ?? [',', []]
  const unnamed = unnamedColumns(length)
  return { delimiter, header: !wanted.every((name) => unnamed.includes(name)) }
}

function namesIn(record: CsvRecord): string[] {
  return Array.from({ length: record.count }, (_, at) => fieldText(record, at).trim())
}

function firstRecord(bytes: Buffer, delimiter: string): readonly string[] {
  let names: readonly string[] | undefined
  const reader = createCsvReader(
    {
      record(record) {
        names ??= namesIn(record)
      },
      fault() {
        names ??= []
      },
    },
    undefined,
    delimiter,
  )
  const line = bytes.indexOf(0x0a)
  reader.push(line < 0 ? bytes : bytes.subarray(0, line + 1))
  if (names === undefined) reader.end()
  return names ?? []
}

/** As DuckDB calls columns without names: those of files that models are learnt from. */
function unnamedColumns(count: number): readonly string[] {
  const digits = String(count - 1).length
  return Array.from({ length: count }, (_, at) => `column${String(at).padStart(digits, '0')}`)
}
