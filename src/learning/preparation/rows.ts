/** Row numbers of a table, and the hash that proves which rows something was fitted on. */
import { sha256Hex } from '../../lib/hash.ts'
import { fail } from '../errors.ts'

/** Which rows something was fitted on. */
export type FittedRows = {
  readonly count: number
  /** `rowsHash` of the row numbers. */
  readonly hash: string
}

/**
 * SHA-256 of a set of row numbers, whatever their order: each as four bytes, least first, in
 * ascending order. A leakage check compares it with the hash of the rows that it allows.
 */
export function rowsHash(rows: ArrayLike<number>): string {
  const sorted = Uint32Array.from(rows).sort()
  const bytes = new Uint8Array(4 * sorted.length)
  const view = new DataView(bytes.buffer)
  sorted.forEach((row, index) => view.setUint32(4 * index, row, true))
  return sha256Hex(bytes)
}

/** The rows in ascending order. Throws `split_invalid` for none, one beyond the table or twice. */
export function checkRows(rows: ArrayLike<number>, tableRows: number, which: string): Uint32Array {
  if (rows.length === 0) throw fail.split_invalid(`There are no ${which} rows.`)
  for (let i = 0; i < rows.length; i++) {
    if (!Number.isInteger(rows[i]) || rows[i] < 0 || rows[i] >= tableRows) {
      throw fail.split_invalid(`The ${which} row ${rows[i]} is not in a table of ${tableRows}.`)
    }
  }
  const sorted = Uint32Array.from(rows).sort()
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i] === sorted[i - 1]) {
      throw fail.split_invalid(`The ${which} row ${sorted[i]} is listed twice.`)
    }
  }
  return sorted
}

/** Throws `split_invalid` when two ascending lists share a row. */
export function checkApart(
  a: Uint32Array,
  b: Uint32Array,
  [first, second]: readonly [string, string],
): void {
  let at = 0
  for (const row of b) {
    while (at < a.length && a[at] < row) at++
    if (a[at] === row) {
      throw fail.split_invalid(`Row ${row} is both a ${first} row and a ${second} row.`)
    }
  }
}
