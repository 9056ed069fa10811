import { checkJson, checkText, isFailure, type Cell } from './cells.ts'
import type { CompiledColumn, CompiledSource } from './contract.ts'
import { failure, type Failure } from './failures.ts'
import { didYouMean } from './suggestion.ts'

/**
 * A row that passed its contract: one value a column, in contract order. Numbers hold money as minor
 * units, time as microseconds UTC and booleans as 0 and 1; ids, text and categories are text;
 * undefined is "no value".
 */
export type Row = readonly (number | string | undefined)[]

export type ParsedRow =
  | { readonly ok: true; readonly row: Row }
  | { readonly ok: false; readonly failures: readonly Failure[] }

export interface RowParser {
  readonly source: CompiledSource
  /** Parses a file's fields, one for each column in contract order. */
  fromText(fields: readonly string[]): ParsedRow
  /** Parses a JSON object; members may use declared names or names in files. */
  fromJson(body: unknown): ParsedRow
}

/**
 * Makes the parser of a source's rows. It keeps no state: the same input gives the same answer, and
 * every failure of a row is reported, not only the first.
 */
export function createRowParser(source: CompiledSource): RowParser {
  const { columns, timeZone } = source
  const positions = columnPositions(source)
  return {
    source,
    fromText(fields) {
      if (fields.length !== columns.length) return fieldCount(fields.length, columns.length)
      return collect(columns, (column, index) => checkText(column, fields[index], timeZone))
    },
    fromJson(body) {
      if (typeof body !== 'object' || body === null || Array.isArray(body)) return notAnObject(body)
      const failures: Failure[] = []
      const values: unknown[] = new Array(columns.length)
      const given = new Uint8Array(columns.length)
      for (const [name, value] of Object.entries(body)) {
        const position = positions.get(name)
        if (position === undefined) {
          failures.push(unknownField(name, value, positions))
        } else if (position >= 0) {
          if (given[position] === 1) failures.push(duplicateField(columns[position], value))
          given[position] = 1
          values[position] = value
        }
      }
      return collect(
        columns,
        (column, index) => checkJson(column, values[index], timeZone),
        failures,
      )
    },
  }
}

/**
 * Positions of the columns by every name they answer to; −1 for names that are left out on purpose.
 */
export function columnPositions(source: CompiledSource): ReadonlyMap<string, number> {
  const positions = new Map<string, number>()
  source.columns.forEach((column, index) => {
    positions.set(column.name, index)
    positions.set(column.from, index)
  })
  for (const name of source.ignore) positions.set(name, -1)
  return positions
}

/** Position of a column in rows, or a crash: asking for a column that was never there is a bug. */
export function columnPosition(source: CompiledSource, name: string): number {
  const position = source.columns.findIndex((column) => column.name === name)
  if (position < 0) throw new Error(`Source ${source.name} has no column ${JSON.stringify(name)}.`)
  return position
}

/** How a live event's time stands against the source's clock. */
export function timeliness(
  source: CompiledSource,
  eventTimeUs: number,
  nowUs: number,
): 'on time' | 'late' | 'future' {
  if (eventTimeUs > nowUs + source.futureUs) return 'future'
  if (source.lateUs !== null && eventTimeUs < nowUs - source.lateUs) return 'late'
  return 'on time'
}

function collect(
  columns: readonly CompiledColumn[],
  check: (column: CompiledColumn, index: number) => Cell,
  failures: Failure[] = [],
): ParsedRow {
  const row: (number | string | undefined)[] = new Array(columns.length)
  for (let index = 0; index < columns.length; index++) {
    const cell = check(columns[index], index)
    if (isFailure(cell)) failures.push(cell)
    else row[index] = cell
  }
  return failures.length === 0 ? { ok: true, row } : { ok: false, failures }
}

function fieldCount(given: number, wanted: number): ParsedRow {
  const message = `The row has ${given} fields where ${wanted} are expected.`
  return { ok: false, failures: [failure(null, 'field_count', String(given), message)] }
}

function notAnObject(body: unknown): ParsedRow {
  const shown = Array.isArray(body) ? 'an array' : JSON.stringify(body)
  const message = 'Send one JSON object with a member for each column.'
  return { ok: false, failures: [failure(null, 'json', shown ?? 'nothing', message)] }
}

function unknownField(
  name: string,
  value: unknown,
  positions: ReadonlyMap<string, number>,
): Failure {
  const near = didYouMean(name, [...positions.keys()])
  const shown = typeof value === 'string' ? value : (JSON.stringify(value) ?? null)
  const remedy = near === undefined ? 'Leave it out.' : `Did you mean ${JSON.stringify(near)}?`
  return failure(
    name.slice(0, 100),
    'unknown_field',
    shown,
    `The contract has no such field. ${remedy}`,
  )
}

/** A column that one JSON object gives under its own name and under its name in files. */
export function duplicateField(column: CompiledColumn, value: unknown): Failure {
  const names = `${JSON.stringify(column.name)} and ${JSON.stringify(column.from)}`
  const message = `Send ${column.name} once; ${names} mean the same column.`
  return failure(column.name, 'duplicate_field', JSON.stringify(value) ?? null, message)
}
