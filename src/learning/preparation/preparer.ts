/** A fitted preparation made ready, perhaps from a file: tables in, matrices out. */
import type { Matrix } from '../../lib/matrix.ts'
import { shown } from '../../lib/shown.ts'
import { fail } from '../errors.ts'
import type { Task } from '../model.ts'
import { checkBalance } from './balance.ts'
import { featuresOf, type FittedPreparation, PREPARATION_FORMAT } from './fit-preparation.ts'
import { FEATURES_MAX } from './spec.ts'
import { checkFittedColumn, encodeStep, stepFeatures } from './steps.ts'
import type { ColumnKinds, Table, TableColumn } from './table.ts'
import { outputCount } from './target.ts'

export interface Preparer {
  /** The columns that a table must have, dropped ones included; their order does not matter. */
  readonly columns: ColumnKinds
  readonly features: readonly string[]
  /** The features whose values are codes without an order. */
  readonly categorical: readonly string[]
  /** The column that each feature comes from, in the order of the features. */
  readonly sources: readonly string[]
  /**
   * The features of the table's rows, or of the given ones in their order. A row has the same
   * values whatever rows are beside it. Throws `columns_mismatch` that names a column which is
   * missing, not known, of another kind, or infinite.
   */
  apply(table: Table, rows?: Uint32Array): Matrix
}

/** Throws `model_invalid` that says what is damaged. */
export function preparer(preparation: FittedPreparation): Preparer {
  checkFitted(preparation)
  const { columns, features, categorical, classes } = preparation
  const kinds = columns.map(({ name, kind }) => ({ name, kind }))
  const encoders = columns.map(encodeStep)
  const sources = columns.flatMap((column) => stepFeatures(column, classes).map(() => column.name))
  return {
    columns: kinds,
    features,
    categorical,
    sources,
    apply(table, rows) {
      const found = findColumns(kinds, table)
      return {
        names: features,
        rows: rows?.length ?? table.rows,
        columns: found.flatMap((column, index) => encoders[index](column, rows)),
      }
    },
  }
}

function findColumns(kinds: ColumnKinds, table: Table): TableColumn[] {
  const byName = new Map(table.columns.map((column) => [column.name, column]))
  const found = kinds.map(({ name, kind }) => {
    const column = byName.get(name)
    if (column === undefined) throw fail.columns_mismatch(`The table lacks the column "${name}".`)
    if (column.kind !== kind) {
      throw fail.columns_mismatch(
        `The column "${name}" holds ${column.kind} values; the preparation takes ${kind} values.`,
      )
    }
    byName.delete(name)
    return column
  })
  for (const name of byName.keys()) {
    throw fail.columns_mismatch(`The table has the column "${name}", which was not fitted.`)
  }
  return found
}

function checkFitted(preparation: FittedPreparation): void {
  if (preparation?.format !== PREPARATION_FORMAT) {
    throw fail.model_invalid(`The preparation's format is "${shown(preparation?.format)}".`)
  }
  const { columns, features, categorical, task, classes, rows } = preparation
  const tasks: readonly Task[] = ['binary', 'multiclass', 'regression', 'anomaly', 'clusters']
  if (!tasks.includes(task)) throw fail.model_invalid("The preparation's task is not known.")
  const named = Array.isArray(classes) && classes.every((name) => typeof name === 'string')
  if (task === 'multiclass' ? !named : classes !== undefined) {
    throw fail.model_invalid("The preparation's classes are not those of its task.")
  }
  const hashed = typeof rows?.hash === 'string' && /^[0-9a-f]{64}$/.test(rows.hash)
  if (!hashed || !Number.isSafeInteger(rows.count) || rows.count < 1) {
    throw fail.model_invalid('The preparation does not say which rows it was fitted on.')
  }
  if (!Array.isArray(columns) || columns.length === 0 || columns.length > FEATURES_MAX) {
    throw fail.model_invalid('The preparation does not list its columns.')
  }
  for (const column of columns) checkFittedColumn(column, outputCount(task, classes))
  if (new Set(columns.map(({ name }) => name)).size !== columns.length) {
    throw fail.model_invalid('A column of the preparation occurs twice.')
  }
  checkBalance(preparation.balance, task === 'binary' ? 2 : (classes?.length ?? 0))
  const derived = featuresOf(columns, classes)
  if (!sameList(derived.features, features) || !sameList(derived.categorical, categorical)) {
    throw fail.model_invalid('The features of the preparation are not those of its columns.')
  }
}

/** Whether two lists of names are the same; the second may be from a file. */
export function sameList(a: readonly string[], b: readonly string[]): boolean {
  return Array.isArray(b) && a.length === b.length && a.every((name, index) => name === b[index])
}
