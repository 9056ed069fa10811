import { createHash } from 'node:crypto'
import { contentHash } from '../lib/hash.ts'
import type { CompiledSource } from './contract.ts'
import type { Row } from './row-parser.ts'

/**
 * A frame is a table in memory, column by column. Numbers of every kind (money in minor units, time
 * in microseconds UTC, whole numbers, floats, booleans as 0 and 1) are a Float64Array in which NaN
 * means "no value"; text is an array in which undefined means "no value". Ids are a Float64Array
 * when every id of the frame is the plain decimal text of a safe integer, else text: use `textAt`
 * to read either.
 */
export interface Frame {
  readonly rows: number
  readonly columns: Readonly<Record<string, FrameColumn>>
}

export type FrameColumn = Float64Array | (string | undefined)[]

/** How a column is stored and what its numbers mean. */
export type FrameType = 'time' | 'money' | 'integer' | 'number' | 'boolean' | 'text'

export interface FrameSchemaColumn {
  readonly name: string
  readonly type: FrameType
  /** Of money only: ISO 4217 code and number of decimal places. */
  readonly currency?: string
  readonly exponent?: number
}

export interface FrameSchema {
  readonly columns: readonly FrameSchemaColumn[]
}

/** A file that was read as it is, without a contract. */
export interface TableFile {
  readonly frame: Frame
  readonly schema: FrameSchema
}

/** The value of a row as text, whatever the column's form; undefined where there is none. */
export function textAt(column: FrameColumn, row: number): string | undefined {
  const value = column[row]
  if (typeof value === 'number') return Number.isNaN(value) ? undefined : String(value)
  return value
}

/** An event as its contract gave it, in the order of the source's columns; ids are text. */
export function rowAt(source: CompiledSource, frame: Frame, at: number): Row {
  return source.columns.map(({ name, kind }) => {
    const column = columnOf(frame, name)
    if (kind === 'id') return textAt(column, at)
    const value = column[at]
    return typeof value === 'number' && Number.isNaN(value) ? undefined : value
  })
}

/** The frame's column, or a crash: asking for a column that was never there is a bug. */
export function columnOf(frame: Frame, name: string): FrameColumn {
  const column = frame.columns[name]
  if (column === undefined) throw new Error(`The frame has no column ${JSON.stringify(name)}.`)
  return column
}

/** The frame's column of numbers, or a crash. */
export function numbersOf(frame: Frame, name: string): Float64Array {
  const column = columnOf(frame, name)
  if (!(column instanceof Float64Array)) {
    throw new Error(`The frame's column ${JSON.stringify(name)} holds text, not numbers.`)
  }
  return column
}

/** Rows `start` to `end` (exclusive); numbers are looked at where they lie, not copied. */
export function sliceFrame(frame: Frame, start: number, end = frame.rows): Frame {
  const columns: Record<string, FrameColumn> = {}
  for (const [name, column] of Object.entries(frame.columns)) {
    columns[name] =
      column instanceof Float64Array ? column.subarray(start, end) : column.slice(start, end)
  }
  return { rows: end - start, columns }
}

/** How a source's rows are stored. Integer ids are stored as integers where the frame holds them so. */
export function sourceSchema(source: CompiledSource, frame: Frame): FrameSchema {
  return {
    columns: source.columns.map((column): FrameSchemaColumn => {
      const { name } = column
      switch (column.kind) {
        case 'eventTime':
        case 'arrivalTime':
          return { name, type: 'time' }
        case 'money':
          return { name, type: 'money', currency: column.currency, exponent: column.exponent }
        case 'integer':
          return { name, type: 'integer' }
        case 'number':
          return { name, type: 'number' }
        case 'boolean':
          return { name, type: 'boolean' }
        case 'key':
          return { name, type: column.type === 'integer' ? 'integer' : 'text' }
        case 'id':
          return { name, type: frame.columns[name] instanceof Float64Array ? 'integer' : 'text' }
        case 'text':
        case 'category':
          return { name, type: 'text' }
      }
    }),
  }
}

/** How labels are stored, in every dataset of labels. */
export function labelsSchema(frame: Frame): FrameSchema {
  return {
    columns: [
      {
        name: 'event_id',
        type: frame.columns['event_id'] instanceof Float64Array ? 'integer' : 'text',
      },
      { name: 'value', type: 'integer' },
      { name: 'event_time', type: 'time' },
      { name: 'arrival_time', type: 'time' },
      { name: 'arrival_assumed', type: 'boolean' },
      { name: 'author', type: 'text' },
    ],
  }
}

/**
 * What a snapshot's name stands for: its schema, its length, and one digest a column, so that a
 * reader of two columns can check just those two.
 */
export interface SnapshotManifest {
  readonly format: 'assay-snapshot/1'
  readonly rows: number
  readonly schema: FrameSchema
  /** SHA-256 (hex) of each column's canonical bytes, in schema order. */
  readonly digests: readonly string[]
}

/**
 * Describes a frame's content independently of the file that will hold it, so that the name of a
 * snapshot survives another Parquet writer, another compression and another engine.
 */
export function manifestOf(frame: Frame, schema: FrameSchema): SnapshotManifest {
  return {
    format: 'assay-snapshot/1',
    rows: frame.rows,
    schema,
    digests: schema.columns.map((column) => digestOf(columnOf(frame, column.name), frame.rows)),
  }
}

/** The snapshot's name: SHA-256 (hex) of the canonical JSON of its manifest. */
export function manifestHash(manifest: SnapshotManifest): string {
  return contentHash(manifest)
}

/**
 * Canonical bytes of a column: numbers as little-endian IEEE 754 doubles (−0 never occurs and NaN is
 * always the one quiet NaN that JavaScript writes), text as a little-endian u32 byte length and
 * UTF-8, "no value" as the length 2^32 − 1.
 */
export function digestOf(column: FrameColumn, rows: number): string {
  const hash = createHash('sha256')
  if (column instanceof Float64Array) {
    hash.update(new Uint8Array(column.buffer, column.byteOffset, rows * 8))
  } else {
    const buffer = Buffer.allocUnsafe(1 << 16)
    let used = 0
    for (let row = 0; row < rows; row++) {
      const text = column[row]
      // A UTF-16 unit takes at most three bytes in UTF-8.
      const room = 4 + (text === undefined ? 0 : text.length * 3)
      if (used + room > buffer.length) {
        hash.update(buffer.subarray(0, used))
        used = 0
      }
      if (room > buffer.length) {
        const bytes = Buffer.from(text ?? '')
        const length = Buffer.allocUnsafe(4)
        length.writeUInt32LE(bytes.length)
        hash.update(length).update(bytes)
        continue
      }
      const length = text === undefined ? 0xffffffff : buffer.write(text, used + 4)
      buffer.writeUInt32LE(length, used)
      used += 4 + (text === undefined ? 0 : length)
    }
    hash.update(buffer.subarray(0, used))
  }
  return hash.digest('hex')
}
