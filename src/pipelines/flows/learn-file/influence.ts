// What the best model goes by: how much it loses without a column, and how it moves with one.
import {
  measurer,
  permutationImportance,
  predictor,
  preparedPredictor,
  preparer,
  resultsOf,
  selectTableRows,
  unitWeights,
  type CategoryColumn,
  type Measure,
  type NumberColumn,
  type PreparedModel,
  type Table,
  type TableColumn,
  type Target,
} from '../../../learning/index.ts'
import { isAssayError } from '../../../lib/errors.ts'
import { createRandom, type Random } from '../../../lib/random.ts'
import type { Contributions } from '../plan.ts'
import type { Dependence, Importance } from './report.ts'

const ROWS_MAX = 4000
const RARE_ROWS = 20
const SHUFFLES = 5
const DEPENDENCE_ROWS = 800
const POINTS = 20
const CATEGORIES = 10
const EXPLAINED_ROWS = 200
const EXPLAINED_ROWS_MIN = 20
const EXPLAINED_BYTES = 400e6
const EXPLAINED_COLUMNS = 12

/** A model, and rows that it did not learn from. */
export interface Unseen {
  readonly model: PreparedModel
  readonly table: Table
  readonly target: Target
  readonly rows: Uint32Array
}

/**
 * Permutation importance of each column: what the measure loses when its values are shuffled among
 * rows that the model did not learn from, the features that come of one column together. The most
 * important first.
 */
export function importanceOf(unseen: Unseen, measure: Measure, seed: number): Importance[] {
  const { model } = unseen
  const random = createRandom(`${seed}/importance`)
  const rows = withAllClasses(sample(unseen.rows, ROWS_MAX, random), unseen)
  const ready = preparer(model.preparation)
  const target = targetRows(unseen.target, rows)
  if (!('y' in target)) return []
  const all = Uint32Array.from(rows.keys())
  const weights = unitWeights(rows.length)
  const columns = [...Map.groupBy(ready.features.keys(), (feature) => ready.sources[feature])]
  const { features } = permutationImportance(predictor(model.model), {
    x: ready.apply(unseen.table, rows),
    y: target.y,
    measure: (predictions) => {
      const results = resultsOf(target, { rows: all, predictions })
      return measure.goodness(measurer(results, [measure]).figures(weights)[0])
    },
    better: 'higher',
    seed: `${seed}/importance`,
    repeats: SHUFFLES,
    together: columns.map(([, own]) => own.map((feature) => ready.features[feature])),
  })
  const columnOf = new Map(ready.features.map((name, feature) => [name, ready.sources[feature]]))
  return features.map(({ features: [first], importance, interval }) => ({
    column: columnOf.get(first)!,
    loss: { value: importance, ...interval },
  }))
}

/** Partial dependence (Friedman 2001) of the last output on each named column. */
export function dependenceOf(
  { model: document, table, rows }: Unseen,
  names: readonly string[],
  seed: number,
): Dependence[] {
  const model = preparedPredictor(document)
  const random = createRandom(`${seed}/dependence`)
  const chosen = selectTableRows(table, sample(rows, DEPENDENCE_ROWS, random))
  return names.map((name) => {
    const index = chosen.columns.findIndex((column) => column.name === name)
    const column = chosen.columns[index]
    const values = gridOf(column, chosen.rows)
    return {
      column: name,
      numeric: column.kind === 'number',
      points: values.map(({ at, filled }) => {
        const outputs = model.predict({ ...chosen, columns: chosen.columns.with(index, filled) })
        const width = model.outputs.length
        let sum = 0
        for (let row = 0; row < chosen.rows; row++) sum += outputs[(row + 1) * width - 1]
        return { at, prediction: sum / chosen.rows }
      }),
    }
  })
}

/**
 * Exact Shapley values of a sample of rows: of the last output's margin, the features that come of
 * one column added up. The strongest columns first. What a row takes grows with the model's length,
 * and so large models explain fewer rows.
 */
export function contributionsOf(
  { model: document, table, rows }: Unseen,
  seed: number,
): Contributions | null {
  const model = preparedPredictor(document)
  const bytes = JSON.stringify(document.model).length
  const most = Math.max(
    EXPLAINED_ROWS_MIN,
    Math.min(EXPLAINED_ROWS, Math.floor(EXPLAINED_BYTES / bytes)),
  )
  const chosen = sample(rows, most, createRandom(`${seed}/contributions`))
  const output = model.outputs.length - 1
  const places = new Map(table.columns.map(({ name }, index) => [name, index]))
  const shares = table.columns.map(() => new Float64Array(chosen.length))
  let base = 0
  try {
    for (const [at, row] of chosen.entries()) {
      const explained = model.explain(table, row, output)
      base = explained.base
      for (const [feature, value] of explained.values.entries()) {
        shares[places.get(model.sources[feature])!][at] += value
      }
    }
  } catch (error) {
    if (isAssayError(error, 'explanation_unavailable')) return null
    throw error
  }
  const columns = table.columns.map((column, index) => ({
    column: column.name,
    mean: shares[index].reduce((sum, value) => sum + Math.abs(value), 0) / chosen.length,
    values: Array.from(chosen, (row) => valueAt(column, row)),
    contributions: Array.from(shares[index]),
  }))
  return {
    output: model.outputs[output],
    unit: model.marginUnit,
    base,
    columns: columns.toSorted((a, b) => b.mean - a.mean).slice(0, EXPLAINED_COLUMNS),
  }
}

function valueAt(column: TableColumn, row: number): number | string | null {
  if (column.kind === 'category') return column.dictionary[column.codes[row]] ?? null
  return Number.isNaN(column.values[row]) ? null : column.values[row]
}

function gridOf(column: TableColumn, rows: number): { at: string; filled: TableColumn }[] {
  return column.kind === 'number' ? numberGrid(column, rows) : categoryGrid(column, rows)
}

/** Quantiles from 1 % to 99 %, each value once. */
function numberGrid(column: NumberColumn, rows: number): { at: string; filled: TableColumn }[] {
  const sorted = column.values.filter((value) => !Number.isNaN(value)).sort()
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]
  const grid = new Set(
    sorted.length === 0
      ? []
      : Array.from({ length: POINTS }, (_, i) => at(0.01 + (0.98 * i) / (POINTS - 1))),
  )
  return [...grid].map((value) => ({
    at: String(value),
    filled: { ...column, values: new Float64Array(rows).fill(value) },
  }))
}

/** The most frequent categories. */
function categoryGrid(column: CategoryColumn, rows: number): { at: string; filled: TableColumn }[] {
  const counts = new Map<number, number>()
  for (const code of column.codes) if (code >= 0) counts.set(code, (counts.get(code) ?? 0) + 1)
  return [...counts]
    .toSorted((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, CATEGORIES)
    .map(([code]) => ({
      at: column.dictionary[code],
      filled: { ...column, codes: new Int32Array(rows).fill(code) },
    }))
}

function sample(rows: Uint32Array, most: number, random: Random): Uint32Array {
  if (rows.length <= most) return rows
  return Uint32Array.from(random.shuffle([...rows]).slice(0, most)).sort()
}

/** Few rows of each class that the sample lacks: without them most measures are not defined. */
function withAllClasses(chosen: Uint32Array, { rows, target }: Unseen): Uint32Array {
  if (target.task !== 'binary' && target.task !== 'multiclass') return chosen
  const present = new Set(Array.from(chosen, (row) => target.y[row]))
  const lacking = Map.groupBy(
    rows.values().filter((row) => !present.has(target.y[row])),
    (row) => target.y[row],
  )
  const added = [...lacking.values()].flatMap((of) => of.slice(0, RARE_ROWS))
  return Uint32Array.from([...chosen, ...added]).sort()
}

function targetRows(target: Target, rows: Uint32Array): Target {
  if (!('y' in target)) return target
  return { ...target, y: Float64Array.from(rows, (row) => target.y[row]) }
}
