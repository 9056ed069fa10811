/** The kernels of SHAP values in WebAssembly SIMD, where `prepare` has built them from `shap.as.ts`. */
import { existsSync, readFileSync } from 'node:fs'
import type { ShapKernels } from './shap-kernels.ts'

type Numeric = (...pointersAndNumbers: number[]) => void
type Exports = {
  readonly [
    name in
      | 'useForest'
      | 'explainTree'
      | 'useBatch'
      | 'markTree'
      | 'addTree'
      | 'tabulateShares'
      | 'tabulateCounts'
  ]: Numeric
}
type ArrayOf<T> = {
  readonly BYTES_PER_ELEMENT: number
  new (buffer: ArrayBuffer, start: number, length: number): T
}

/** The part of WebAssembly that is used; Node's types leave it to the browser's. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => Module
  readonly Memory: new (pages: { initial: number; maximum: number; shared: true }) => Memory
  readonly Instance: new (module: Module, imports: object) => { readonly exports: object }
}
type Module = { readonly module?: never }
type Memory = { readonly buffer: ArrayBuffer; grow(pages: number): number }

const PAGE = 65536
const PAGES_MAX = 65536
/** What is asked for is an estimate: small tables are not in it. */
const PAGES_SPARE = 256
/** An allocation begins at a multiple of this, and what follows its end may be read and written. */
const ALIGNMENT = 16

let compiled: Module | false | undefined

/** Undefined where the kernels were not built or the memory cannot be had. */
export function compiledShapKernels(bytes: number): ShapKernels | undefined {
  compiled ??= compile()
  const pages = Math.ceil(bytes / PAGE) + 1
  if (compiled === false || pages > PAGES_MAX / 2) return undefined
  let memory: Memory
  try {
    // Shared memory may grow under arrays that are in use; nothing else is shared.
    const maximum = Math.min(PAGES_MAX, 2 * pages + PAGES_SPARE)
    memory = new WebAssembly.Memory({ initial: pages, maximum, shared: true })
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
  const instance = new WebAssembly.Instance(compiled, { env: { memory } })
  return kernelsOf(instance.exports as Exports, memory)
}

function compile(): Module | false {
  const file = new URL('./shap.wasm', import.meta.url)
  return existsSync(file) && new WebAssembly.Module(readFileSync(file))
}

function kernelsOf(run: Exports, memory: Memory): ShapKernels {
  let next = 1024

  function place<T>(array: ArrayOf<T>, length: number): T {
    const start = next
    next = Math.ceil((start + array.BYTES_PER_ELEMENT * length) / ALIGNMENT + 1) * ALIGNMENT
    const lacking = next - memory.buffer.byteLength
    if (lacking > 0) memory.grow(Math.ceil(lacking / PAGE))
    return new array(memory.buffer, start, length)
  }

  return {
    numbers: (length) => place(Float64Array, length),
    wholes: (length) => place(Int32Array, length),
    shorts: (length) => place(Uint16Array, length),
    bytes: (length) => place(Uint8Array, length),

    walk(walk) {
      run.useForest(
        at(walk.feature),
        at(walk.threshold),
        at(walk.missingLeft),
        at(walk.left),
        at(walk.right),
        at(walk.value),
        at(walk.edgeFeature),
        at(walk.previous),
        at(walk.share),
        at(walk.points),
        at(walk.rests),
        at(walk.weights),
        at(walk.taken),
        at(walk.products),
        at(walk.factors),
        at(walk.gains),
        walk.width,
      )
      return (from, to, row, values) => run.explainTree(from, to, at(row), at(values))
    },
    batch(batch) {
      run.useBatch(
        at(batch.feature),
        at(batch.missingLeft),
        at(batch.left),
        at(batch.right),
        at(batch.codesAt),
        at(batch.code),
        at(batch.place),
        at(batch.distinct),
        at(batch.pathAt),
        at(batch.path),
        at(batch.tableAt),
        at(batch.table),
        at(batch.codes),
        at(batch.values),
        batch.column,
        at(batch.lost),
      )
      return { mark: run.markTree, add: run.addTree }
    },
    tabulateShares(table, count, shares, value, points, weights, scratch) {
      const { length } = points
      run.tabulateShares(
        at(table),
        count,
        at(shares),
        value,
        at(points),
        at(weights),
        length,
        at(scratch),
      )
    },
    tabulateCounts: (table, count, counts, value, shapley) =>
      run.tabulateCounts(at(table), count, at(counts), value, at(shapley)),
  }
}

function at(array: { readonly byteOffset: number }): number {
  return array.byteOffset
}
