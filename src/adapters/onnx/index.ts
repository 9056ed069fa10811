/**
 * ONNX Runtime: models of any operators, for those that our own engine does not compute. Sessions run
 * in worker threads with one thread each, never on the caller's, because `run` blocks; what waits is
 * bounded. A file that refers to other files is refused before the Runtime sees it.
 */
import { createRequire } from 'node:module'
import type { Matrix } from '../../lib/matrix.ts'
import type { OutsidePredictor, Task } from '../../learning/index.ts'
import { onnxInterface } from '../../registry/index.ts'
import { fail } from './errors.ts'
import { startThreads } from './threads.ts'

export type OnnxModelOptions = {
  readonly task: Extract<Task, 'binary' | 'multiclass' | 'regression'>
  /** Names of the columns, which ONNX does not name; absent: f0, f1, … */
  readonly features?: readonly string[]
  /** Names of the classes, in the order of the model's columns; absent: their numbers. */
  readonly classes?: readonly string[]
  /** Which output has the numbers; absent: the last one that has any, as exporters write them. */
  readonly output?: string
  /** Threads, each with a copy of the model; absent: 1. */
  readonly threads?: number
  /** Requests that may wait; absent: 64. */
  readonly queueMax?: number
  /** Absent: 30 s. */
  readonly runMsMax?: number
}

/** Whether the optional package `onnxruntime-node` is there; it is not loaded. */
export function isOnnxRuntimeInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve('onnxruntime-node')
    return true
  } catch {
    return false
  }
}

/** Rows of one run: a larger matrix is computed in several. */
const ROWS_MAX = 4096

/**
 * Loads a model and computes one row of zeros with it, to see what it gives. A binary model gives one
 * chance, or the chances of both classes. Throws `onnx_model_invalid`, `onnx_outputs_mismatch`, or
 * what `onnxInterface` throws.
 */
export async function openOnnxModel(
  file: Uint8Array,
  options: OnnxModelOptions,
): Promise<OutsidePredictor> {
  const { bytes, input, columns, outputs: given } = onnxInterface(file)
  const features = featuresOf(columns, options.features)
  const output = options.output ?? given[given.length - 1]
  if (!given.includes(output)) {
    throw fail.onnx_outputs_mismatch(
      `The model has no output "${output}" of numbers; it has ${given.join(', ')}.`,
    )
  }
  const threads = await startThreads(
    { bytes, input, output },
    {
      threads: options.threads ?? 1,
      queueMax: options.queueMax ?? 64,
      runMsMax: options.runMsMax ?? 30_000,
    },
  )
  const table = (rows: number) => new Float32Array(rows * features.length)
  try {
    const probe = await threads.run({ rows: 1, columns: features.length, values: table(1) })
    const { outputs, width } = outputsOf(options, probe.length)
    return {
      task: options.task,
      features,
      outputs,
      predictMatrix: (x) => predictMatrix(x, width, outputs.length),
      close: threads.close,
    }
  } catch (error) {
    await threads.close()
    throw error
  }

  /** The last `kept` of the `width` numbers of each row. */
  async function predictMatrix(x: Matrix, width: number, kept: number): Promise<Float64Array> {
    const positions = features.map((name) => columnOf(x, name))
    const all = new Float64Array(x.rows * kept)
    for (let from = 0; from < x.rows; from += ROWS_MAX) {
      const rows = Math.min(ROWS_MAX, x.rows - from)
      const values = table(rows)
      positions.forEach((column, j) => {
        for (let i = 0; i < rows; i++) values[i * features.length + j] = column[from + i]
      })
      const found = await threads.run({ rows, columns: features.length, values })
      if (found.length !== rows * width) {
        throw fail.onnx_outputs_mismatch(`The model gave ${found.length} numbers for ${rows} rows.`)
      }
      for (let i = 0; i < rows; i++) {
        const own = found.subarray((i + 1) * width - kept, (i + 1) * width)
        all.set(own, (from + i) * kept)
      }
    }
    return all
  }
}

function featuresOf(
  columns: number | undefined,
  named: readonly string[] | undefined,
): readonly string[] {
  const count = columns ?? named?.length
  if (count === undefined || (named !== undefined && named.length !== count)) {
    throw fail.onnx_outputs_mismatch(
      `${named?.length ?? 'No'} names are given for the ${columns ?? 'unknown'} columns of the model.`,
    )
  }
  return named ?? Array.from({ length: count }, (_, j) => `f${j}`)
}

/** The names of the outputs, and how many numbers the model gives a row. */
function outputsOf(
  { task, classes }: OnnxModelOptions,
  width: number,
): { outputs: readonly string[]; width: number } {
  if (task === 'binary') {
    if (width === 1 || width === 2) return { outputs: ['score'], width }
    throw fail.onnx_outputs_mismatch(`The model gives ${width} numbers a row; two classes have 2.`)
  }
  if (classes !== undefined && classes.length !== width) {
    throw fail.onnx_outputs_mismatch(
      `The model gives ${width} numbers a row for ${classes.length} classes.`,
    )
  }
  const numbered = Array.from({ length: width }, (_, index) =>
    task === 'regression' ? `value_${index}` : String(index),
  )
  if (task === 'regression' && width === 1) return { outputs: ['value'], width }
  return { outputs: classes ?? numbered, width }
}

function columnOf(x: Matrix, name: string): Float64Array {
  const position = x.names.indexOf(name)
  if (position >= 0) return x.columns[position]
  throw fail.onnx_outputs_mismatch(`The matrix lacks the model's feature "${name}".`)
}
