/**
 * ONNX Runtime: models of any operators, for those that our own engine does not compute. Sessions run
 * in worker threads with one thread each, because `run` blocks, unless the caller is such a thread
 * itself; what waits is bounded. A file that refers to other files is refused before the Runtime sees it.
 */
import { createRequire } from 'node:module'
import type { Matrix } from '../../lib/matrix.ts'
import type { OutsidePredictor, Task } from '../../learning/index.ts'
import { onnxInterface } from '../../registry/index.ts'
import { fail } from './errors.ts'
import { openHere, startThreads } from './threads.ts'

type OnnxTask = Extract<Task, 'binary' | 'multiclass' | 'regression'>

export type OnnxModelOptions = {
  /** Absent: what the outputs are called, and what the model gives for one row, tell it. */
  readonly task?: OnnxTask
  /** Names of the columns; absent: those of the inputs, where there are several, else f0, f1, … */
  readonly features?: readonly string[]
  /** Names of the classes, in the order of the model's columns; absent: those of the file, or numbers. */
  readonly classes?: readonly string[]
  /** Which output has the numbers; absent: a classifier's chances, else the last one that has any. */
  readonly output?: string
  /** An execution provider of the Runtime, such as cuda; absent: the processor. */
  readonly device?: string
  /** In the thread of the caller, for one that does nothing else; then the bounds below are its own. */
  readonly here?: boolean
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
 * Loads a model and computes one row of zeros with it, to see what it gives. Of a classifier those are
 * the chances of its classes, of two classes that of the second. A binary model may also give just that. Throws `onnx_model_invalid`, `onnx_outputs_mismatch`, or
 * what `onnxInterface` throws.
 */
export async function openOnnxModel(
  file: Uint8Array,
  options: OnnxModelOptions,
): Promise<OutsidePredictor> {
  const graph = onnxInterface(file)
  const { bytes, outputs: given, chances } = graph
  const features = featuresOf(graph.columns, options.features ?? graph.features)
  const output = options.output ?? chances?.output ?? given[given.length - 1]
  if (!given.includes(output)) {
    throw fail.onnx_outputs_mismatch(
      `The model has no output "${output}" of numbers; it has ${given.join(', ')}.`,
    )
  }
  const inputs = graph.inputs.map((input) => ({
    ...input,
    columns: input.columns ?? features.length,
  }))
  const { device, here = false } = options
  const data = { bytes, inputs, output, ...(device !== undefined && { device }) }
  const sessions = here
    ? await openHere(data)
    : await startThreads(data, {
        threads: options.threads ?? 1,
        queueMax: options.queueMax ?? 64,
        runMsMax: options.runMsMax ?? 30_000,
      })
  const run = (rows: number, values: Float64Array) =>
    sessions.run({ rows, values }, [values.buffer as ArrayBuffer])
  try {
    const probe = await run(1, new Float64Array(features.length))
    const found = output === chances?.output ? chances : undefined
    const { task, outputs } = answersOf(options, probe, found)
    return {
      task,
      features,
      outputs,
      predictMatrix: (x) => predictMatrix(x, probe.length, outputs.length),
      ended: sessions.ended,
      blocks: here,
      close: sessions.close,
    }
  } catch (error) {
    await sessions.close()
    throw error
  }

  /** The last `kept` of the `width` numbers of each row. */
  async function predictMatrix(x: Matrix, width: number, kept: number): Promise<Float64Array> {
    const positions = features.map((name) => columnOf(x, name))
    const all = new Float64Array(x.rows * kept)
    for (let from = 0; from < x.rows; from += ROWS_MAX) {
      const rows = Math.min(ROWS_MAX, x.rows - from)
      const values = new Float64Array(rows * features.length)
      positions.forEach((column, j) => {
        for (let i = 0; i < rows; i++) values[i * features.length + j] = column[from + i]
      })
      const found = await run(rows, values)
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

/** What the numbers of a row mean, of which `probe` is one. */
function answersOf(
  { task: declared, classes: named }: OnnxModelOptions,
  probe: Float64Array,
  chances: { readonly classes?: readonly string[] } | undefined,
): { readonly task: OnnxTask; readonly outputs: readonly string[] } {
  const width = probe.length
  const task = declared ?? (chances === undefined ? 'regression' : taskOf(probe))
  if (task === 'binary') {
    if (width === 1 || width === 2) return { task, outputs: ['score'] }
    throw fail.onnx_outputs_mismatch(`The model gives ${width} numbers a row; two classes have 2.`)
  }
  if (named !== undefined && named.length !== width) {
    throw fail.onnx_outputs_mismatch(
      `The model gives ${width} numbers a row for ${named.length} classes.`,
    )
  }
  if (named !== undefined) return { task, outputs: named }
  if (task === 'regression') {
    const values = Array.from({ length: width }, (_, index) => `value_${index}`)
    return { task, outputs: width === 1 ? ['value'] : values }
  }
  const numbers = Array.from({ length: width }, (_, index) => String(index))
  return { task, outputs: chances?.classes?.length === width ? chances.classes : numbers }
}

/** Chances of a row add up to 1; what does not are the margins, or chances of several labels. */
function taskOf(probe: Float64Array): OnnxTask {
  const areChances = probe.every((value) => value >= 0 && value <= 1 + 1e-5)
  if (probe.length === 1 && areChances) return 'binary'
  const total = probe.reduce((sum, value) => sum + value, 0)
  if (!areChances || Math.abs(total - 1) > 1e-3) return 'regression'
  return probe.length === 2 ? 'binary' : 'multiclass'
}

function columnOf(x: Matrix, name: string): Float64Array {
  const position = x.names.indexOf(name)
  if (position >= 0) return x.columns[position]
  throw fail.onnx_outputs_mismatch(`The matrix lacks the model's feature "${name}".`)
}
