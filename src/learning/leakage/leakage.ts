/**
 * The leakage check: what in the data or in how it was parted makes figures look better than they
 * will be. It warns and never forbids; what to do stands in each warning.
 */
import type { Matrix } from '../../lib/matrix.ts'
import { fail } from '../errors.ts'
import type { FittedRows } from '../preparation/rows.ts'
import type { Table } from '../preparation/table.ts'
import type { Fold } from '../splits/folds.ts'
import type { Labels } from './alone.ts'
import { columnWarnings, orderWarnings } from './columns.ts'
import { partWarnings } from './parts.ts'

export type LeakageWarning = {
  readonly code: LeakageCode
  /** The column concerned; absent where it is about rows. */
  readonly column?: string
  /** Whether figures are surely, or perhaps, too good; a note is about neither. */
  readonly level: 'likely' | 'possible' | 'note'
  /** An area, an R², or a share of rows, as the words say. */
  readonly figure: number
  /** What was found and what to do, for people. */
  readonly words: string
}

export type LeakageCode =
  /** A column that equals the target under another name. */
  | 'target_copy'
  /** A column that alone tells the target suspiciously well. */
  | 'too_good'
  /** Whether a column is missing tells the target suspiciously well. */
  | 'missing_too_good'
  /** A column with a value of its own in every row. */
  | 'id_like'
  | 'constant'
  /** The target depends on where a row stands. */
  | 'target_follows_order'
  /** Test rows that are, in all columns, also training rows. */
  | 'duplicates_across'
  | 'groups_straddle'
  | 'times_straddle'
  /** Training labels that were not known when the test began. */
  | 'labels_not_yet_known'
  /** A preparation that saw rows other than its training rows. */
  | 'prepared_outside'

export type LeakageInput = {
  readonly x: Matrix
  /** Columns whose values are category codes. */
  readonly categorical?: readonly string[]
  readonly target: Labels
  /** Such as the customer of each row. */
  readonly groups?: ArrayLike<number | string>
  readonly eventTimeUs?: ArrayLike<number>
  /** When each row's label was known; absent: not checked. */
  readonly knownUs?: ArrayLike<number>
  /** How the rows are parted; absent: only columns are checked. */
  readonly folds?: readonly Fold[]
  /** Encoders, imputers and scalers, with the rows that they were fitted on. */
  readonly preparations?: readonly PreparationFact[]
  /** For the sample that columns of large data are judged by; 0 if absent. */
  readonly seed?: number | string
}

export type PreparationFact = {
  readonly name: string
  /** The fold, by its place in `folds`, whose model the preparation serves. */
  readonly fold: number
  /** The rows themselves, or their number and hash, which must then be those of the training. */
  readonly fittedOn: Uint32Array | FittedRows
}

/** A table's columns as the check takes them: categories as their codes, missing ones as NaN. */
export function leakageColumns(table: Table): Required<Pick<LeakageInput, 'x' | 'categorical'>> {
  const columns = table.columns.map((column) =>
    column.kind === 'number'
      ? column.values
      : Float64Array.from(column.codes, (code) => (code < 0 ? NaN : code)),
  )
  return {
    x: { names: table.columns.map(({ name }) => name), rows: table.rows, columns },
    categorical: table.columns.flatMap(({ kind, name }) => (kind === 'category' ? [name] : [])),
  }
}

/**
 * All warnings, those of columns in the order of the matrix first. Throws `evaluation_invalid`
 * where lists differ in length, the target holds one value or is no number, or a preparation names
 * no fold.
 */
export function checkLeakage(input: LeakageInput): LeakageWarning[] {
  checkInput(input)
  const parts = partWarnings(input)
  const inTime =
    input.folds !== undefined &&
    input.eventTimeUs !== undefined &&
    !parts.some(({ code }) => code === 'times_straddle')
  return [
    ...columnWarnings(input),
    // Folds that follow time already answer for a target that changes with it.
    ...(inTime ? [] : orderWarnings(input)),
    ...parts,
  ]
}

function checkInput(input: LeakageInput): void {
  const { x, target, folds = [], preparations = [] } = input
  const lists = { labels: target.y, ...pick(input) }
  for (const [name, list] of Object.entries(lists)) {
    if (list !== undefined && list.length !== x.rows) {
      throw fail.evaluation_invalid(`There are ${list.length} ${name} for ${x.rows} rows.`)
    }
  }
  if (!target.y.every((value) => Number.isFinite(value))) {
    throw fail.evaluation_invalid('A label is missing; leave rows without one out first.')
  }
  if (target.y.every((value) => value === target.y[0])) {
    throw fail.evaluation_invalid('The target has the same value in every row.')
  }
  for (const { name, fold } of preparations) {
    if (folds[fold] === undefined) {
      throw fail.evaluation_invalid(`The preparation "${name}" serves fold ${fold}, which is none.`)
    }
  }
}

function pick({ groups, eventTimeUs, knownUs }: LeakageInput) {
  return { groups, 'event times': eventTimeUs, 'times of knowledge': knownUs }
}
