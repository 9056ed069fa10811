/**
 * Tables: typed columns as they come from a file or a request, before they are features.
 *
 * A column holds numbers (NaN is missing; true and false are 1 and 0) or categories: texts, kept
 * as positions in a list of the distinct ones.
 */
import { fail } from '../errors.ts'

export type Table = {
  readonly rows: number
  readonly columns: readonly TableColumn[]
}

export type TableColumn = NumberColumn | CategoryColumn

export type NumberColumn = {
  readonly name: string
  readonly kind: 'number'
  /** NaN where missing. */
  readonly values: Float64Array
}

export type CategoryColumn = {
  readonly name: string
  readonly kind: 'category'
  /** Position in `dictionary`, −1 where missing. */
  readonly codes: Int32Array
  /** Distinct texts in any order; some may occur in no row. */
  readonly dictionary: readonly string[]
}

/** The names and kinds of a table's columns. */
export type ColumnKinds = readonly {
  readonly name: string
  readonly kind: TableColumn['kind']
}[]

/** A cell as JSON has it. */
export type TableCell = number | string | boolean | null | undefined

/** The most distinct texts that a column may hold; near what one Map can. */
const DICTIONARY_MAX = 16_000_000

/** A column of numbers; null and NaN are missing, true is 1 and false is 0. */
export function numberColumn(name: string, cells: ArrayLike<TableCell>): NumberColumn {
  const values = new Float64Array(cells.length)
  for (let row = 0; row < cells.length; row++) values[row] = numberOf(cells[row], name, row)
  return { name, kind: 'number', values }
}

function numberOf(cell: TableCell, name: string, row: number): number {
  if (cell === null || cell === undefined) return NaN
  if (typeof cell === 'boolean') return cell ? 1 : 0
  if (typeof cell === 'number') return cell
  throw fail.columns_mismatch(
    `The column "${name}" holds numbers, but row ${row} the text ${shown(cell)}.`,
  )
}

/**
 * A column of categories; null is missing, empty text is a category. Numbers and booleans are
 * taken as their text. Throws `preparation_invalid` beyond 16 million distinct texts.
 */
export function categoryColumn(name: string, cells: ArrayLike<TableCell>): CategoryColumn {
  const codes = new Int32Array(cells.length)
  const codeOf = new Map<string, number>()
  for (let row = 0; row < cells.length; row++) {
    const text = textOf(cells[row])
    if (text === undefined) {
      codes[row] = -1
      continue
    }
    let code = codeOf.get(text)
    if (code === undefined) {
      code = codeOf.size
      if (code >= DICTIONARY_MAX) {
        throw fail.preparation_invalid(
          `The column "${name}" has more than ${DICTIONARY_MAX} distinct values: it names rows, ` +
            'it does not group them.',
        )
      }
      if (!text.isWellFormed()) {
        throw fail.columns_mismatch(`The text in row ${row} of "${name}" is not valid Unicode.`)
      }
      codeOf.set(text, code)
    }
    codes[row] = code
  }
  return { name, kind: 'category', codes, dictionary: [...codeOf.keys()] }
}

function textOf(cell: TableCell): string | undefined {
  if (cell === null || cell === undefined) return undefined
  if (typeof cell === 'string') return cell
  if (typeof cell === 'number') return cell === cell ? String(cell) : undefined
  return String(cell)
}

/** Numbers as categories: each value by its text. */
export function asCategories(column: TableColumn): CategoryColumn {
  return column.kind === 'category' ? column : categoryColumn(column.name, column.values)
}

/** A table of columns of one length and different names; throws `columns_mismatch` otherwise. */
export function tableOf(columns: readonly TableColumn[]): Table {
  const rows = columns.length === 0 ? 0 : lengthOf(columns[0])
  const names = new Set<string>()
  for (const column of columns) {
    if (column.name === '' || column.name === '__proto__') {
      throw fail.columns_mismatch(`A column cannot be called "${column.name}".`)
    }
    if (names.has(column.name)) {
      throw fail.columns_mismatch(`The column "${column.name}" occurs twice.`)
    }
    names.add(column.name)
    if (lengthOf(column) !== rows) {
      throw fail.columns_mismatch(
        `The column "${column.name}" has ${lengthOf(column)} values for ${rows} rows.`,
      )
    }
  }
  return { rows, columns }
}

function lengthOf(column: TableColumn): number {
  return column.kind === 'number' ? column.values.length : column.codes.length
}

/**
 * A table from records as JSON has them, for example of a request: every record holds exactly the
 * columns of `kinds`; null is missing. Throws `columns_mismatch` that names record and column.
 */
export function tableOfRecords(
  records: readonly Readonly<Record<string, TableCell>>[],
  kinds: ColumnKinds,
): Table {
  const known = new Set(kinds.map(({ name }) => name))
  records.forEach((record, row) => {
    const strange = Object.keys(record).find((name) => !known.has(name))
    if (strange !== undefined) {
      throw fail.columns_mismatch(`Record ${row} has the column "${strange}", which is not known.`)
    }
    const lacking = kinds.find(({ name }) => !Object.hasOwn(record, name))
    if (lacking !== undefined) {
      throw fail.columns_mismatch(
        `Record ${row} lacks the column "${lacking.name}"; a missing value is null.`,
      )
    }
  })
  return tableOf(
    kinds.map(({ name, kind }) => {
      const cells = records.map((record) => record[name])
      return kind === 'number' ? numberColumn(name, cells) : categoryColumn(name, cells)
    }),
  )
}

/** Copies the given rows, in the given order; dictionaries are shared. */
export function selectTableRows(table: Table, rows: ArrayLike<number>): Table {
  const columns = table.columns.map((column): TableColumn => {
    if (column.kind === 'number') {
      const values = new Float64Array(rows.length)
      for (let i = 0; i < rows.length; i++) values[i] = column.values[rows[i]]
      return { ...column, values }
    }
    const codes = new Int32Array(rows.length)
    for (let i = 0; i < rows.length; i++) codes[i] = column.codes[rows[i]]
    return { ...column, codes }
  })
  return { rows: rows.length, columns }
}

function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
}
