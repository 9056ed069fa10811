/** All steps under one shape: how each fits a column, names its features and applies. */
import { selectValues } from '../../lib/matrix.ts'
import { fail } from '../errors.ts'
import {
  checkCategories,
  type Encode,
  encodeOneHot,
  encodeOrdinal,
  type FittedOneHot,
  type FittedOrdinal,
  fitOneHot,
  fitOrdinal,
  oneHotFeatures,
  ordinalFeatures,
} from './category-steps.ts'
import {
  applyNumber,
  checkNumber,
  type FittedNumber,
  fitNumber,
  numberFeatures,
} from './number-step.ts'
import type { ColumnStep, PreparationSpec } from './spec.ts'
import { asCategories, type TableColumn } from './table.ts'
import {
  checkTarget,
  encodeTarget,
  type FittedTarget,
  fitTarget,
  targetFeatures,
  type TargetRows,
} from './target-step.ts'

/** A column with what its step learnt. */
export type FittedColumn = {
  readonly name: string
  readonly kind: TableColumn['kind']
  readonly fitted: FittedStep
}

export type FittedStep =
  | FittedNumber
  | FittedOrdinal
  | FittedOneHot
  | FittedTarget
  | { readonly step: 'drop' }

/** What steps may learn from. */
export type FitContext = TargetRows & { readonly empty: PreparationSpec['empty'] }

/** The fitted step; `training` where training rows have other values than new ones. */
export function fitStep(
  step: ColumnStep,
  column: TableColumn,
  context: FitContext,
): { readonly fitted: FittedStep; readonly training?: Float64Array[] } {
  const { rows, empty } = context
  switch (step.step) {
    case 'number':
      if (column.kind !== 'number') {
        throw fail.preparation_invalid(
          `The column "${column.name}" holds texts; a number step cannot prepare it.`,
        )
      }
      return { fitted: fitNumber(step, column, rows, empty) }
    case 'ordinal':
      return { fitted: fitOrdinal(step, asCategories(column), rows, empty) }
    case 'one-hot':
      return { fitted: fitOneHot(step, asCategories(column), rows, empty) }
    case 'target':
      if (context.outputs.length === 0) {
        throw fail.preparation_invalid(
          `Target encoding of "${column.name}" needs labels, and the task has none.`,
        )
      }
      return fitTarget(step, asCategories(column), context)
    case 'drop':
      return { fitted: { step: 'drop' } }
  }
}

/** Names of the features that a fitted column becomes. */
export function stepFeatures(
  { name, fitted }: FittedColumn,
  classes: readonly string[] | undefined,
): string[] {
  switch (fitted.step) {
    case 'number':
      return numberFeatures(name, fitted)
    case 'ordinal':
      return ordinalFeatures(name, fitted)
    case 'one-hot':
      return oneHotFeatures(name, fitted)
    case 'target':
      return targetFeatures(name, classes)
    case 'drop':
      return []
  }
}

/** A fitted column made ready: from a table's column of its kind to its features. */
export function encodeStep({ fitted }: FittedColumn): Encode<TableColumn> {
  switch (fitted.step) {
    case 'number':
      return (column, rows) =>
        column.kind === 'number' ? applyNumber(fitted, column, rows) : wrongKind(column)
    case 'ordinal':
      return ofCategories(encodeOrdinal(fitted))
    case 'one-hot':
      return ofCategories(encodeOneHot(fitted))
    case 'target':
      return ofCategories(encodeTarget(fitted))
    case 'drop':
      return () => []
  }
}

function ofCategories(encode: ReturnType<typeof encodeOneHot>): Encode<TableColumn> {
  return (column, rows) => {
    if (column.kind === 'category') return encode(column, rows)
    // Only the texts of the rows asked for are made.
    const values = rows === undefined ? column.values : selectValues(column.values, rows)
    return encode(asCategories({ ...column, values }), undefined)
  }
}

function wrongKind(column: TableColumn): never {
  throw fail.columns_mismatch(`The column "${column.name}" holds ${column.kind} values.`)
}

/** Throws `model_invalid` unless a fitted column, perhaps from a file, is usable. */
export function checkFittedColumn(column: FittedColumn, outputs: number): void {
  const { name, kind, fitted } = column ?? {}
  if (typeof name !== 'string' || (kind !== 'number' && kind !== 'category')) {
    throw fail.model_invalid('A fitted column has no name or kind.')
  }
  switch (fitted?.step) {
    case 'number':
      if (kind !== 'number') throw fail.model_invalid(`The step of the column "${name}" differs.`)
      return checkNumber(name, fitted)
    case 'ordinal':
    case 'one-hot':
      return checkCategories(name, fitted)
    case 'target':
      return checkTarget(name, fitted, outputs)
    case 'drop':
      return
    default:
      throw fail.model_invalid(`The step of the fitted column "${name}" is not known.`)
  }
}
