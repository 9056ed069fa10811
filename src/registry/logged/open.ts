import { predictor, type OutsidePredictor, type Task } from '../../learning/index.ts'
import { fromRows, type Matrix } from '../../lib/matrix.ts'
import { examineLogged, type DescribeOptions, type LoggedFiles } from './describe.ts'
import { loggedErrors } from './errors.ts'

/** A row by column names; what is missing or null is a missing value. */
export type LoggedRow = Readonly<Record<string, number | null | undefined>>

export interface LoggedPredictor {
  readonly task: Task
  readonly features: readonly string[]
  /** What a row's answer holds: classes, or one of 'score' and 'value'. */
  readonly outputs: readonly string[]
  /** One list of numbers a row, in the order of `outputs`; at most 100,000 rows a call. */
  score(rows: readonly LoggedRow[]): Promise<Float64Array[]>
  close(): Promise<void>
}

export interface OpenLoggedOptions extends DescribeOptions {
  /** Opens a graph in ONNX Runtime; without it such a model is not servable. */
  readonly openOnnx?: (
    bytes: Uint8Array,
    options: { readonly features?: readonly string[] },
  ) => Promise<OutsidePredictor>
}

const ROWS_MAX = 100_000
const OPEN_BYTES_MAX = 128 * 1024 * 1024

/**
 * Makes a model that Python logged ready for scoring: its probabilities or values, as the engine
 * computes them for the same file anywhere else. Error: `logged_model_not_servable`, which says why
 * and carries the lines that mend it as `fix`; of scoring: `logged_rows_too_many`.
 */
export async function openLogged(
  files: LoggedFiles,
  { openOnnx, ...options }: OpenLoggedOptions = {},
): Promise<LoggedPredictor> {
  const { description, content } = await examineLogged(files, {
    maxBytes: OPEN_BYTES_MAX,
    ...options,
    hasOnnxRuntime: openOnnx !== undefined,
  })
  if (content === undefined) {
    const { why, fix } = description
    throw loggedErrors.logged_model_not_servable(why, fix === undefined ? {} : { extra: { fix } })
  }
  if (content.by === 'engine') {
    const scorer = predictor(content.model, { lasting: false })
    return scoring(
      scorer,
      async (matrix) => scorer.predictMatrix(matrix),
      async () => {},
    )
  }
  const { bytes, features } = content
  const outside = await openOnnx!(bytes, features ? { features } : {})
  return scoring(
    outside,
    (matrix) => outside.predictMatrix(matrix),
    () => outside.close(),
  )
}

function scoring(
  { task, features, outputs }: Pick<LoggedPredictor, 'task' | 'features' | 'outputs'>,
  predict: (matrix: Matrix) => Promise<Float64Array>,
  close: () => Promise<void>,
): LoggedPredictor {
  return {
    task,
    features,
    outputs,
    async score(rows) {
      if (rows.length > ROWS_MAX) {
        throw loggedErrors.logged_rows_too_many(`${rows.length} rows came at once.`)
      }
      const values = rows.map((row) =>
        Float64Array.from(features, (name) =>
          Object.hasOwn(row, name) ? (row[name] ?? NaN) : NaN,
        ),
      )
      const flat = await predict(fromRows(features, values))
      return rows.map((_, at) => flat.slice(at * outputs.length, (at + 1) * outputs.length))
    },
    close,
  }
}
