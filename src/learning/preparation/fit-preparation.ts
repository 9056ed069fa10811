/**
 * Fitting a preparation on training rows, and nothing else.
 *
 * What always holds: values and labels of rows that are not among the given ones change neither
 * the fitted preparation nor the training matrix; the same spec, rows and seed give the same
 * bytes; the fitted preparation names the rows it was fitted on.
 */
import type { Matrix } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { fail } from '../errors.ts'
import type { Task, TrainingData } from '../model.ts'
import { balanceRows, type FittedBalance } from './balance.ts'
import { checkRows, type FittedRows, rowsHash } from './rows.ts'
import {
  CELLS_MAX,
  checkPreparation,
  type ColumnStep,
  FEATURES_MAX,
  type PreparationSpec,
} from './spec.ts'
import { encodeStep, type FittedColumn, fitStep, stepFeatures } from './steps.ts'
import type { Table, TableColumn } from './table.ts'
import { checkTarget, outputsOf, type Target } from './target.ts'

/** The file format of fitted preparations; a reader refuses any other. */
export const PREPARATION_FORMAT = 'assay-preparation/1'

/** A fitted preparation as plain JSON: `preparer` makes it ready. */
export type FittedPreparation = {
  readonly format: typeof PREPARATION_FORMAT
  readonly spec: PreparationSpec
  readonly seed: number | string
  readonly task: Task
  /** Of a multi-class task. */
  readonly classes?: readonly string[]
  /** The training rows, before balancing. */
  readonly rows: FittedRows
  /** All columns of the table, in its order; also the dropped ones. */
  readonly columns: readonly FittedColumn[]
  readonly features: readonly string[]
  /** The features whose values are codes without an order. */
  readonly categorical: readonly string[]
  readonly balance: FittedBalance
}

export type FitPreparationOptions = {
  readonly seed: number | string
  /** What must not be parted when training rows are encoded by other rows' labels, a table row. */
  readonly groups?: ArrayLike<number | string>
}

/** A fitted preparation, and its training rows as a learner takes them. */
export type PreparedTraining = {
  readonly preparation: FittedPreparation
  readonly data: TrainingData
  /** The table row of each row of `data`, ascending. */
  readonly rows: Uint32Array
}

/**
 * Fits a preparation on the given rows of a table and prepares these rows for training. That
 * matrix may differ from what the fitted preparation makes of the same rows later: categories
 * encoded by labels have out-of-fold values in it.
 *
 * Throws `preparation_invalid`, `split_invalid` (rows), `training_data_invalid` (labels) or
 * `columns_mismatch` (infinite values).
 */
export function fitPreparation(
  spec: PreparationSpec,
  table: Table,
  rows: ArrayLike<number>,
  target: Target,
  options: FitPreparationOptions,
): PreparedTraining {
  checkPreparation(spec)
  const used = checkRows(rows, table.rows, 'training')
  checkTarget(target, used, table.rows)
  checkNamed(spec, table)
  const random = createRandom(options.seed).fork('preparation')
  const outputs = outputsOf(target, used)
  const classes = target.task === 'multiclass' ? target.classes : undefined
  const { empty } = spec
  const context = { rows: used, outputs, groups: options.groups, empty }
  const fits = table.columns.map((column) => {
    const own = { ...context, random: random.fork(column.name) }
    return fitStep(stepOf(spec, column), column, own)
  })
  const columns = table.columns.map(({ name, kind }, index): FittedColumn => {
    return { name, kind, fitted: fits[index].fitted }
  })
  const { features, categorical } = featuresOf(columns, classes)
  checkFeatures(features, used.length)
  const values = columns.flatMap(
    (column, index) => fits[index].training ?? encodeStep(column)(table.columns[index], used),
  )
  const { balance, learnt } = balanceRows(spec.balance, target, used, random.fork('balance'))
  const preparation: FittedPreparation = {
    format: PREPARATION_FORMAT,
    spec,
    seed: options.seed,
    task: target.task,
    ...(classes === undefined ? {} : { classes }),
    rows: { count: used.length, hash: rowsHash(used) },
    columns,
    features,
    categorical,
    balance,
  }
  const x = { names: features, rows: used.length, columns: values }
  return { preparation, rows: learnt, data: trainingData(x, used, learnt, preparation, target) }
}

function stepOf(spec: PreparationSpec, column: TableColumn): ColumnStep {
  if (Object.hasOwn(spec.columns, column.name)) return spec.columns[column.name]
  return column.kind === 'number' ? spec.numbers : spec.categories
}

function checkNamed(spec: PreparationSpec, table: Table): void {
  const known = new Set(table.columns.map(({ name }) => name))
  const strange = Object.keys(spec.columns).find((name) => !known.has(name))
  if (strange !== undefined) {
    throw fail.preparation_invalid(
      `The preparation names the column "${strange}", which is not there.`,
    )
  }
}

/** All features in order, and those among them whose values are codes without an order. */
export function featuresOf(
  columns: readonly FittedColumn[],
  classes: readonly string[] | undefined,
): { readonly features: string[]; readonly categorical: string[] } {
  const features = columns.flatMap((column) => stepFeatures(column, classes))
  const categorical = columns
    .filter(({ fitted }) => fitted.step === 'ordinal' && fitted.unordered)
    .map(({ name }) => name)
  return { features, categorical }
}

function checkFeatures(features: readonly string[], rows: number): void {
  const { length } = features
  if (length === 0) throw fail.preparation_invalid('The preparation makes no features.')
  if (length > FEATURES_MAX || length * rows > CELLS_MAX) {
    throw fail.preparation_invalid(
      `The preparation makes ${length} features of ${rows} rows; at most ${FEATURES_MAX} ` +
        `features and ${CELLS_MAX} values are made. Lower categoriesMax.`,
    )
  }
  const seen = new Set<string>()
  for (const name of features) {
    if (seen.has(name)) {
      throw fail.preparation_invalid(
        `Two features would be called "${name}"; rename one of the columns.`,
      )
    }
    seen.add(name)
  }
}

function trainingData(
  x: Matrix,
  used: Uint32Array,
  learnt: Uint32Array,
  { categorical, balance, classes }: FittedPreparation,
  target: Target,
): TrainingData {
  const kept = learnt.length === used.length ? x : pickRows(x, used, learnt)
  const labels = 'y' in target ? { y: Float64Array.from(learnt, (row) => target.y[row]) } : {}
  const weighs = balance.weights.some((weight) => weight !== 1)
  return {
    x: kept,
    ...labels,
    ...(classes === undefined ? {} : { classes }),
    ...(weighs && 'y' in target
      ? { weights: Float64Array.from(learnt, (row) => balance.weights[target.y[row]]) }
      : {}),
    ...(categorical.length === 0 ? {} : { categorical }),
  }
}

/** Keeps those of the used rows that are learnt from; both lists ascend. */
function pickRows(x: Matrix, used: Uint32Array, learnt: Uint32Array): Matrix {
  const places = new Uint32Array(learnt.length)
  let at = 0
  learnt.forEach((row, i) => {
    while (used[at] !== row) at++
    places[i] = at++
  })
  const columns = x.columns.map((column) => Float64Array.from(places, (place) => column[place]))
  return { names: x.names, rows: learnt.length, columns }
}
