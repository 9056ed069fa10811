/** The kernels in WebAssembly SIMD, where `prepare` has built them from `kernels.as.ts`. */
import { existsSync, readFileSync } from 'node:fs'
import type { Kernels } from './kernels.ts'

type OfArrays = 'numbers' | 'wholes' | 'bytes' | 'lanes' | 'sortColumns' | 'binColumns'
type Exports = {
  readonly [
    name in Exclude<keyof Kernels, OfArrays> | 'sortValues' | 'binColumn' | 'drainHistogram'
  ]: Numeric
}
type ArrayOf<T> = {
  readonly BYTES_PER_ELEMENT: number
  new (buffer: ArrayBuffer, start: number, length: number): T
}
type Numeric = (...pointersAndNumbers: number[]) => number

/** The part of WebAssembly that is used; Node's types leave it to the browser's. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => Module
  readonly Memory: new (pages: { initial: number; maximum: number; shared: true }) => Memory
  readonly Instance: new (module: Module, imports: object) => { readonly exports: object }
}
type Module = { readonly module?: never }
type Memory = { readonly buffer: ArrayBuffer; grow(pages: number): number }

/** The compiled kernels, with what another thread needs to work on the same memory. */
export type CompiledKernels = Kernels & {
  readonly shared: { readonly module: object; readonly memory: Memory; readonly exports: Exports }
}

const PAGE = 65536
const PAGES_MAX = 65536
/** An allocation begins at a multiple of this, and what follows its end may be read and written. */
const ALIGNMENT = 16

let compiled: Module | false | undefined

/**
 * Undefined where the kernels were not built or the memory cannot be had. The memory grows beyond
 * `bytes` where it must, and is given back with the kernels.
 */
export function compiledKernels(bytes = 0): CompiledKernels | undefined {
  compiled ??= compile()
  const pages = Math.ceil(bytes / PAGE) + 2
  // Histograms may need as much again.
  if (compiled === false || pages > PAGES_MAX / 2) return undefined
  let memory: Memory
  try {
    memory = new WebAssembly.Memory({ initial: pages, maximum: PAGES_MAX, shared: true })
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
  const instance = new WebAssembly.Instance(compiled, { env: { memory } })
  const run = instance.exports as Exports
  return { ...kernelsOf(run, memory), shared: { module: compiled, memory, exports: run } }
}

function compile(): Module | false {
  const file = new URL('./kernels.wasm', import.meta.url)
  return existsSync(file) && new WebAssembly.Module(readFileSync(file))
}

function kernelsOf(run: Exports, memory: Memory): Kernels {
  let next = 1024
  const counts = allocate(2048 * 4)

  function allocate(bytes: number): number {
    const at = next
    next = Math.ceil((at + bytes) / ALIGNMENT + 1) * ALIGNMENT
    const lacking = next - memory.buffer.byteLength
    if (lacking > 0) memory.grow(Math.ceil(lacking / PAGE))
    return at
  }

  function place<T>(array: ArrayOf<T>, length: number): T {
    // Allocation first: it may replace the buffer.
    const start = allocate(array.BYTES_PER_ELEMENT * length)
    return new array(memory.buffer, start, length)
  }

  return {
    numbers: (length) => place(Float64Array, length),
    wholes: (length) => place(Uint32Array, length),
    bytes: (length) => place(Uint8Array, length),

    addToHistogram(histogram, byRow, stride, features, rows, from, to, derivatives) {
      run.addToHistogram(
        at(histogram),
        at(byRow),
        stride,
        features,
        at(rows),
        from,
        to,
        at(derivatives),
      )
    },
    addSomeToHistogram(histogram, byRow, stride, features, rows, from, to, derivatives) {
      run.addSomeToHistogram(
        at(histogram),
        at(byRow),
        stride,
        at(features),
        features.length,
        at(rows),
        from,
        to,
        at(derivatives),
      )
    },
    subtractHistogram(parent, child, features, missing) {
      run.subtractHistogram(at(parent), at(child), at(features), features.length, at(missing))
    },
    findSplit(found, histogram, features, missing, hasMissing, g, h, parentWorth, penalties) {
      run.findSplit(
        at(found),
        at(histogram),
        at(features),
        features.length,
        at(missing),
        at(hasMissing),
        g,
        h,
        parentWorth,
        penalties.l1,
        penalties.l2,
        penalties.gamma,
        Math.max(penalties.minChildWeight, Number.MIN_VALUE),
      )
    },
    findSplitWithin(found, histogram, features, missing, hasMissing, node, limits) {
      run.findSplitWithin(
        at(found),
        at(histogram),
        at(features),
        features.length,
        at(missing),
        at(hasMissing),
        at(node),
        at(limits.kinds),
        at(limits.terms),
        limits.allowed === undefined ? 0 : at(limits.allowed),
        limits.counts === undefined ? 0 : at(limits.counts),
      )
    },
    countBins(counts, byRow, stride, features, rows, from, to) {
      const own = [at(features), features.length, at(rows)]
      run.countBins(at(counts), at(byRow), stride, ...own, from, to)
    },
    subtractCounts: (parent, child, features) =>
      void run.subtractCounts(at(parent), at(child), at(features), features.length),
    partition: (rows, from, to, column, bin, alsoLeft, scratch) =>
      run.partition(at(rows), from, to, at(column), bin, alsoLeft, at(scratch)),
    partitionSet: (rows, from, to, column, table, scratch) =>
      run.partitionSet(at(rows), from, to, at(column), at(table), at(scratch)),
    addLeaves(margins, rows, leaves) {
      run.addLeaves(at(margins), at(rows), at(leaves), leaves.length / 3, 0, rows.length)
    },
    differentiate(derivatives, margins, labels, weights, quantum) {
      const { length } = margins
      run.differentiate(at(derivatives), at(margins), at(labels), at(weights), length, quantum)
    },
    softmax: (shares, margins, rows) =>
      void run.softmax(at(shares), at(margins), rows, margins.length / rows),
    lanes: 1,
    sortColumns: (values, scratch) =>
      values.map((column, i) => {
        const { length } = column
        // Above two gigabytes a pointer comes back negative.
        const sorted = run.sortValues(at(column), at(scratch[i]), counts, length) >>> 0
        return sorted === at(column) ? column : scratch[i].subarray(0, length)
      }),
    binColumns(bins, values, cuts, missing) {
      values.forEach((column, i) => {
        run.binColumn(at(bins[i]), at(column), at(cuts[i]), missing[i], column.length)
      })
    },
    transposeBins(byRow, byColumn, rows, stride) {
      const features = byColumn.length / rows
      run.transposeBins(at(byRow), at(byColumn), rows, features, stride, 0, rows)
    },
  }
}

/** Where an array lies in the memory. */
export function at(array: { readonly byteOffset: number }): number {
  return array.byteOffset
}
