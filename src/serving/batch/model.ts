/**
 * A model as it scores many rows at once: by the calculation that answers requests, so that a row has
 * one score wherever it is asked for. Beside the score, on request, what pushed it most.
 */
import {
  categoryColumn,
  predictor,
  preparedPredictor,
  tableOf,
  type OutsidePredictor,
  type Predictor,
  type PreparedModel,
  type Task,
} from '../../learning/index.ts'
import type { Matrix } from '../../lib/matrix.ts'
import { servingErrors } from '../errors.ts'
import { greatest } from '../prediction/answers.ts'
import type { ServedBody } from '../prediction/document.ts'
import { takesMissing } from '../prediction/engine-runtime.ts'

/** A column that the model takes. */
export interface BatchColumn {
  readonly name: string
  readonly kind: 'number' | 'category'
  /** Whether a row may lack it. */
  readonly missing: boolean
}

/** One list a column of the model, in its order: numbers with NaN, or texts with undefined, as missing. */
export type BatchColumns = readonly (Float64Array | readonly (string | undefined)[])[]

/** A column and what it added to the row's margin. */
export interface RowReason {
  readonly column: string
  readonly effect: number
}

export interface BatchModel {
  readonly task: Task
  readonly columns: readonly BatchColumn[]
  /** What `predict` gives, by name: classes, clusters, or one of `score` and `value`. */
  readonly outputs: readonly string[]
  /** The outputs of every row, row after row. */
  predict(columns: BatchColumns, rows: number): Promise<Float64Array>
  /**
   * Of every row the `most` columns with the greatest effect on the margin, up or down, by exact
   * Shapley values; of several outputs those of the greatest. Errors: `explanation_unavailable`,
   * `batch_unexplained`.
   */
  reasons(columns: BatchColumns, answers: Float64Array, rows: number, most: number): RowReason[][]
  close(): Promise<void>
}

type OutsideBody = Exclude<ServedBody, { kind: 'engine' | 'prepared' }>

/** Makes what is served ready to score tables. Errors: `model_invalid`, and those of `open`. */
export async function openBatchModel(
  body: ServedBody,
  open: (body: OutsideBody) => Promise<OutsidePredictor>,
): Promise<BatchModel> {
  switch (body.kind) {
    case 'engine':
      return ofEngine(predictor(body.model, { lasting: true }), takesMissing(body.model))
    case 'prepared':
      return ofPrepared(body.model)
    case 'onnx':
    case 'remote':
      return ofOutside(await open(body))
    default:
      throw servingErrors.served_model_invalid('The document names no kind of model that is known.')
  }
}

function ofEngine(scorer: Predictor, missing: boolean): BatchModel {
  const { features, outputs, task } = scorer
  const matrix = matrixOf(features)
  return {
    task,
    outputs,
    columns: features.map((name) => ({ name, kind: 'number', missing })),
    predict: async (columns, rows) => scorer.predictMatrix(matrix(columns, rows)),
    reasons(columns, answers, rows, most) {
      const row = new Float64Array(features.length)
      return Array.from({ length: rows }, (_, i) => {
        for (let j = 0; j < row.length; j++) row[j] = columns[j][i] as number
        const { values } = scorer.explain(row, greatest(answers, i, outputs.length))
        return strongest(features, values, most)
      })
    },
    close: async () => {},
  }
}

function ofPrepared(model: PreparedModel): BatchModel {
  const scorer = preparedPredictor(model)
  const { columns: kinds, outputs, task, sources } = scorer
  const names = kinds.map(({ name }) => name)
  const table = (columns: BatchColumns) =>
    tableOf(
      kinds.map(({ name, kind }, j) =>
        kind === 'number'
          ? { name, kind, values: columns[j] as Float64Array }
          : categoryColumn(name, columns[j]),
      ),
    )
  return {
    task,
    outputs,
    columns: kinds.map(({ name, kind }) => ({ name, kind, missing: true })),
    predict: async (columns) => scorer.predict(table(columns)),
    reasons(columns, answers, rows, most) {
      const given = table(columns)
      return Array.from({ length: rows }, (_, i) => {
        const { values } = scorer.explain(given, i, greatest(answers, i, outputs.length))
        // A column may have become several features; together they are what it did.
        const sums = new Float64Array(names.length)
        values.forEach((value, feature) => (sums[names.indexOf(sources[feature])] += value))
        return strongest(names, sums, most)
      })
    },
    close: async () => {},
  }
}

function ofOutside(scorer: OutsidePredictor): BatchModel {
  const { features, outputs, task } = scorer
  const matrix = matrixOf(features)
  return {
    task,
    outputs,
    columns: features.map((name) => ({ name, kind: 'number', missing: true })),
    predict: (columns, rows) => scorer.predictMatrix(matrix(columns, rows)),
    reasons() {
      throw servingErrors.batch_unexplained('The model is computed outside of this engine.')
    },
    close: () => scorer.close(),
  }
}

const matrixOf =
  (names: readonly string[]) =>
  (columns: BatchColumns, rows: number): Matrix => ({
    names,
    rows,
    columns: columns as readonly Float64Array[],
  })

/** By size, and of equal ones in the order of the columns; what had no effect is left out. */
function strongest(names: readonly string[], effects: Float64Array, most: number): RowReason[] {
  return names
    .map((column, j) => ({ column, effect: effects[j] }))
    .filter(({ effect }) => effect !== 0)
    .toSorted((a, b) => Math.abs(b.effect) - Math.abs(a.effect))
    .slice(0, most)
}
