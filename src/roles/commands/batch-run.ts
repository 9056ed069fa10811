// Rows in, scores out, part by part: what is done is on disk, and a run that was killed goes on there.
import { createReadStream, createWriteStream } from 'node:fs'
import { open, rename, rm, rmdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { csvToParquet, type CsvColumn } from '../../adapters/duckdb/index.ts'
import { count, rowsProgress, type RowsProgress, type Terminal } from '../../cli/index.ts'
import { monotonicUs } from '../../lib/clock.ts'
import { nodeFiles } from '../../lib/files.ts'
import {
  openProgress,
  type BatchFacts,
  type BatchPart,
  type BatchProgress,
} from '../../serving/index.ts'
import { version } from '../config.ts'
import { commandErrors } from './errors.ts'
import { checkOutput, csvHeader, csvRows, isReplaceable, type Table } from './table-file.ts'

/** A row that is not scored, and why. */
export interface RefusedRow {
  /** Of the input, from 1. */
  readonly row: number
  /** Physical line from 1; of Parquet the row. */
  readonly line: number
  readonly column: string | null
  readonly reason: string
  /** As it came, cut where it is long. */
  readonly raw: string
}

/** Rows that were worked through together. */
export interface BatchChunk {
  /** How many of the input, refused ones too. */
  readonly read: number
  /** What share of the input is done after them, from 0 to 1. */
  readonly share: number
  readonly table: Table
  readonly refused: readonly RefusedRow[]
}

export interface Batch {
  /** What the result follows from, beside the version of Assay. */
  readonly facts: BatchFacts
  readonly columns: readonly CsvColumn[]
  /** What comes behind the given row of the input, cut at the same rows wherever it begins. */
  chunks(position: number): AsyncIterable<BatchChunk>
}

/** Where results go. */
export interface BatchTarget {
  /** CSV or Parquet; standard output where none is named. */
  readonly out: string | undefined
  /** CSV of the rows that are refused; beside `out` unless named. */
  readonly rejects: string | undefined
  /** Forgets what an earlier run has done. */
  readonly fresh: boolean
}

export interface BatchDone {
  readonly rows: number
  readonly refused: number
  /** Where the refused rows are told; undefined where there are none, or nobody keeps them. */
  readonly rejects: string | undefined
}

/** Rows of the input after which what is done is safe. */
const PART_ROWS = 20_000
const REFUSED_SHOWN = 5

const refusedColumns = ['line', 'row', 'column', 'reason', 'raw'].map((name) => ({ name }))

/** Beside a file that is being written: what is done of it, and room for what it takes. */
export const progressFolder = (out: string): string => `${out}.assay-progress`

/** Errors, before any work is done: `option_invalid`, `output_unwritable`. */
export async function checkTarget(
  { out, rejects }: BatchTarget,
  inputs: readonly string[],
): Promise<void> {
  for (const path of [out, rejects]) {
    if (path === undefined) continue
    await checkOutput(path, inputs)
    const above = await stat(dirname(path)).catch(() => undefined)
    if (above?.isDirectory() !== true) {
      throw commandErrors.output_unwritable(`${path}: ${dirname(path)} is not a folder.`)
    }
  }
  if (rejects === undefined) return
  if (rejects === out || rejects.endsWith('.parquet')) {
    throw commandErrors.option_invalid(
      `--rejects ${rejects}: name a CSV file of its own for the rows that are refused.`,
    )
  }
}

/**
 * Scores the batch. Into a file the result appears whole, once all is done. Errors: `batch_changed`,
 * `batch_stopped`, `output_unwritable`, `no_row_scored`, and those of the batch.
 */
export async function runBatch(
  batch: Batch,
  target: BatchTarget,
  terminal: Terminal,
): Promise<BatchDone> {
  const { out } = target
  if (out === undefined) return straight(batch, process.stdout, target, terminal)
  if (await isReplaceable(out)) return intoFile(batch, out, target, terminal)
  if (out.endsWith('.parquet')) {
    throw commandErrors.option_invalid(`--out ${out}: only CSV is written into a pipe or device.`)
  }
  const stream = createWriteStream(out)
  try {
    return await straight(batch, stream, target, terminal)
  } finally {
    stream.destroy()
  }
}

/** Into a stream, which nobody can go on with. */
async function straight(
  batch: Batch,
  into: Writable,
  { rejects }: BatchTarget,
  terminal: Terminal,
): Promise<BatchDone> {
  const seen = new Seen(terminal, { rows: 0, refused: 0 })
  const kept = rejects === undefined ? undefined : createWriteStream(`${rejects}.part`)
  async function* pieces(): AsyncGenerator<string> {
    yield csvHeader(batch.columns)
    for await (const chunk of batch.chunks(0)) {
      seen.add(chunk)
      if (kept !== undefined) await written(kept, refusalText(chunk.refused))
      yield* csvRows(chunk.table)
    }
  }
  try {
    if (kept !== undefined) await written(kept, csvHeader(refusedColumns))
    await pipeline(Readable.from(pieces()), into, { end: into !== process.stdout })
    if (kept !== undefined) {
      await new Promise<void>((done) => kept.end(done))
      await rename(`${rejects}.part`, rejects!)
    }
  } catch (error) {
    throw unwritable(error, 'output')
  } finally {
    seen.progress?.end()
    kept?.destroy()
    if (kept !== undefined) await rm(`${rejects}.part`, { force: true })
  }
  return finish(seen, rejects, terminal)
}

function written(stream: Writable, text: string): Promise<void> {
  return new Promise((done, failed) => {
    stream.write(text, (error) => (error == null ? done() : failed(error)))
  })
}

/** Into a file by way of a folder beside it, in which the parts wait that are done. */
async function intoFile(
  batch: Batch,
  out: string,
  target: BatchTarget,
  terminal: Terminal,
): Promise<BatchDone> {
  const directory = progressFolder(out)
  const facts = { ...batch.facts, 'version of Assay': version }
  const progress = await openProgress({
    directory,
    facts,
    files: nodeFiles,
    fresh: target.fresh,
  }).catch((error: unknown) => {
    throw unwritable(error, 'output')
  })
  const { position } = progress
  if (position > 0) {
    terminal.err.line(`Goes on behind ${count(position, 'row')} that an earlier run has done.`)
  }
  const seen = new Seen(terminal, sumOf(progress.parts))
  try {
    for await (const part of partsOf(batch.chunks(position), position, seen)) {
      await progress.append(part)
    }
  } catch (error) {
    throw unwritable(error, directory)
  } finally {
    seen.progress?.end()
  }
  const rejects = target.rejects ?? out.replace(/\.(csv|parquet)$/, '') + '.rejects.csv'
  try {
    await join(progress, 'refused', rejects, refusedColumns)
    if (seen.rows > 0) await join(progress, 'rows', out, batch.columns)
    await progress.clear()
    await rmdir(directory).catch(() => undefined) // Somebody has put something into it.
  } catch (error) {
    throw unwritable(error, directory)
  }
  return finish(seen, rejects, terminal)
}

async function* partsOf(chunks: AsyncIterable<BatchChunk>, from: number, seen: Seen) {
  let position = from
  let part = { read: 0, rows: 0, refused: 0, content: [] as string[], refusals: '' }
  const finished = () => {
    const { rows, refused, content, refusals } = part
    position += part.read
    part = { read: 0, rows: 0, refused: 0, content: [], refusals: '' }
    return {
      position,
      rows,
      refused,
      content: Buffer.from(content.join('')),
      refusals: Buffer.from(refusals),
    }
  }
  for await (const chunk of chunks) {
    seen.add(chunk)
    part.read += chunk.read
    part.rows += chunk.table.rows
    part.refused += chunk.refused.length
    part.content.push(...csvRows(chunk.table))
    part.refusals += refusalText(chunk.refused)
    if (part.read >= PART_ROWS) yield finished()
  }
  if (part.read > 0) yield finished()
}

/**
 * Writes the parts as one file, which appears whole and replaces what was there; where no row was
 * refused, the file of an earlier run that tells of some goes.
 */
async function join(
  progress: BatchProgress,
  what: 'rows' | 'refused',
  to: string,
  columns: readonly { readonly name: string }[],
): Promise<void> {
  const parts = progress.parts.filter((part) => part[what] > 0)
  if (what === 'refused' && parts.length === 0) return rm(to, { force: true })
  const paths = parts.map((part) => progress.path(part, what))
  const { joinedPath } = progress
  if (to.endsWith('.parquet'))
    await csvToParquet(paths, columns as readonly CsvColumn[], joinedPath)
  else
    await pipeline(Readable.from(joined(paths, csvHeader(columns))), createWriteStream(joinedPath))
  const file = await open(joinedPath, 'r+')
  await file.sync().finally(() => file.close())
  await rename(joinedPath, to)
  await nodeFiles.syncDirectory(dirname(to))
}

async function* joined(paths: readonly string[], header: string): AsyncGenerator<string | Buffer> {
  yield header
  for (const path of paths) yield* createReadStream(path) as AsyncIterable<Buffer>
}

function finish(seen: Seen, rejects: string | undefined, { err }: Terminal): BatchDone {
  const { rows, refused, first } = seen
  if (refused > 0) {
    const said = refused === 1 ? 'row was' : 'rows were'
    err.line(err.style('yellow', `${count(refused)} ${said} refused and left out:`))
    for (const { row, line, column, reason } of first) {
      err.line(`  row ${row} (line ${line}):${column === null ? '' : ` ${column}:`} ${reason}`)
    }
    const more = refused - first.length
    const where = rejects === undefined ? '; --rejects FILE keeps them' : ` in ${rejects}`
    if (more > 0 || rejects !== undefined) {
      err.line(more > 0 ? `  and ${count(more)} more${where}` : `  all of them${where}`)
    }
  }
  if (rows === 0)
    throw commandErrors.no_row_scored(`${count(refused, 'row')} came, and none was taken.`)
  return { rows, refused, rejects: refused === 0 ? undefined : rejects }
}

/** What has gone by: how many, and the first that were refused. */
class Seen {
  rows: number
  refused: number
  progress: RowsProgress | undefined
  readonly first: RefusedRow[] = []
  private readonly terminal: Terminal

  constructor(terminal: Terminal, { rows, refused }: Pick<BatchPart, 'rows' | 'refused'>) {
    this.terminal = terminal
    this.rows = rows
    this.refused = refused
  }

  add({ table, refused, share }: BatchChunk): void {
    this.rows += table.rows
    this.refused += refused.length
    this.first.push(...refused.slice(0, REFUSED_SHOWN - this.first.length))
    const rows = this.rows + this.refused
    // Made with the first rows: finding the place to go on is no part of the rate.
    this.progress ??= rowsProgress({
      output: this.terminal.err,
      nowUs: monotonicUs,
      from: { rows, share },
    })
    this.progress.at(rows, share)
  }
}

function sumOf(parts: readonly BatchPart[]): Pick<BatchPart, 'rows' | 'refused'> {
  return {
    rows: parts.reduce((sum, part) => sum + part.rows, 0),
    refused: parts.reduce((sum, part) => sum + part.refused, 0),
  }
}

function refusalText(refused: readonly RefusedRow[]): string {
  const columns = [
    { name: 'line', values: Float64Array.from(refused, ({ line }) => line) },
    { name: 'row', values: Float64Array.from(refused, ({ row }) => row) },
    { name: 'column', values: refused.map(({ column }) => column ?? undefined) },
    { name: 'reason', values: refused.map(({ reason }) => reason) },
    { name: 'raw', values: refused.map(({ raw }) => raw) },
  ]
  return [...csvRows({ rows: refused.length, columns })].join('')
}

/** Errors of the file system and of DuckDB's writer, with what to do; others as they are. */
function unwritable(error: unknown, where: string): unknown {
  if (!(error instanceof Error) || !('syscall' in error || error.message.startsWith('IO Error'))) {
    return error
  }
  return commandErrors.batch_stopped(`${where}: ${error.message}`, { cause: error })
}
