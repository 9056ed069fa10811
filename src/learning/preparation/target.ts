/** What a table's rows are labelled with. */
import { fail } from '../errors.ts'
import type { Task } from '../model.ts'

/** Labels are one number a row of the table; rows that are not used may hold anything. */
export type Target =
  /** 0 or 1. */
  | { readonly task: 'binary'; readonly y: Float64Array }
  /** Indices into `classes`. */
  | { readonly task: 'multiclass'; readonly y: Float64Array; readonly classes: readonly string[] }
  /** Finite numbers. */
  | { readonly task: 'regression'; readonly y: Float64Array }
  /** Tasks without labels. */
  | { readonly task: 'anomaly' | 'clusters' }

/** Number of classes that rows are told apart by; 0 where there are none. */
export function classCount(target: Target): number {
  if (target.task === 'binary') return 2
  return target.task === 'multiclass' ? target.classes.length : 0
}

/** How many series of numbers a mean label has: one, or one a class of a multi-class task. */
export function outputCount(task: Task, classes: readonly string[] | undefined): number {
  if (task === 'multiclass') return classes?.length ?? 0
  return task === 'binary' || task === 'regression' ? 1 : 0
}

/** Throws `training_data_invalid` unless every given row is labelled as its task asks for. */
export function checkTarget(target: Target, rows: Uint32Array, tableRows: number): void {
  if (!('y' in target)) return
  const { y } = target
  if (y.length !== tableRows) {
    throw fail.training_data_invalid(`There are ${y.length} labels for ${tableRows} rows.`)
  }
  const classes = classCount(target)
  for (const row of rows) {
    const label = y[row]
    const valid =
      classes === 0 ? Number.isFinite(label) : label >= 0 && label < classes && label % 1 === 0
    if (valid) continue
    const wanted = classes === 0 ? 'a finite number' : `a whole number below ${classes}`
    throw fail.training_data_invalid(`The label of row ${row} is ${label}; it must be ${wanted}.`)
  }
}

/** The labels of the given rows as the numbers whose means encode categories. */
export function outputsOf(target: Target, rows: Uint32Array): Float64Array[] {
  if (!('y' in target)) return []
  const y = Float64Array.from(rows, (row) => target.y[row])
  if (target.task !== 'multiclass') return [y]
  return target.classes.map((_, index) => y.map((label) => (label === index ? 1 : 0)))
}
