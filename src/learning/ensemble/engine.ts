/** Margins of an ensemble of trees, by the fastest walk, in the source engine's arithmetic. */
import { monotonicUs } from '../../lib/clock.ts'
import { createRandom } from '../../lib/random.ts'
import { type EnsembleForest } from './forest.ts'
import { fillViews } from './rows.ts'
import { createBranchlessWalk, createPointerWalk, type Walk } from './walks.ts'

export interface EnsembleEngine {
  /** How leaves are found; the margins do not depend on it. */
  readonly walk: Walk['name']
  /** Margins a row. */
  readonly size: number
  /** The margins of a row of features. */
  margins(row: Float64Array, into: Float64Array): void
  /** The margins of many rows, row after row; `columns` holds one list a feature. */
  marginsOfColumns(columns: readonly Float64Array[], rows: number, into: Float64Array): void
}

/** Rows that pass through a tree together: their views stay in the cache beside it. */
const BLOCK = 64

/**
 * Measures the walks on rows drawn around the thresholds, checks that they agree bit for bit on all
 * of them, and takes the faster. `walk` names one instead. The engine works in buffers of its own
 * and must not be re-entered.
 */
export function createEnsembleEngine(
  forest: EnsembleForest,
  walk: Walk['name'] | 'measured' = 'measured',
): EnsembleEngine {
  const pointer = engineOf(forest, createPointerWalk(forest))
  const branchless = createBranchlessWalk(forest)
  if (walk === 'pointer' || branchless === undefined) return pointer
  const other = engineOf(forest, branchless)
  if (walk === 'branchless') return other
  const golden = goldenRows(forest)
  const expected = marginsOf(pointer, golden)
  for (const engine of [pointer, other]) checkAgreement(engine, golden, expected)
  // Alternately, so that what else the machine does falls on both.
  let best = { engine: pointer, us: Infinity }
  for (let round = 0; round < ROUNDS; round++) {
    for (const engine of [pointer, other]) {
      const startUs = monotonicUs()
      marginsOf(engine, golden)
      const us = monotonicUs() - startUs
      if (us < best.us) best = { engine, us }
    }
  }
  return best.engine
}

const ROUNDS = 4

function engineOf(forest: EnsembleForest, walk: Walk): EnsembleEngine {
  const { views, roots, margins, base, baseAdded } = forest
  const width = views.feature.length
  const single = forest.arithmetic === 'float32'
  const add = single ? addSingle : addDouble
  const finish = single ? finishSingle : finishDouble
  const start = baseAdded === 'first' ? base : new Float64Array(margins)
  const row = new Float64Array(width)
  const leaves = new Int32Array(roots.length)
  const rowOf = new Float64Array(forest.features)
  const block = new Float64Array(BLOCK * width)
  const blockLeaves = new Int32Array(BLOCK)

  return {
    walk: walk.name,
    size: margins,
    margins(features, into) {
      fillViews(views, single, features, row)
      walk.row(row, leaves)
      for (let k = 0; k < margins; k++) into[k] = start[k]
      for (let tree = 0; tree < roots.length; tree++) add(forest, tree, leaves[tree], into, 0)
      finish(forest, into, 0)
    },
    marginsOfColumns(columns, rows, into) {
      for (let from = 0; from < rows; from += BLOCK) {
        const count = Math.min(BLOCK, rows - from)
        for (let i = 0; i < count; i++) {
          for (let j = 0; j < rowOf.length; j++) rowOf[j] = columns[j][from + i]
          fillViews(views, single, rowOf, block, i * width)
          for (let k = 0; k < margins; k++) into[(from + i) * margins + k] = start[k]
        }
        for (let tree = 0; tree < roots.length; tree++) {
          walk.block(tree, block, count, blockLeaves)
          for (let i = 0; i < count; i++) {
            add(forest, tree, blockLeaves[i], into, (from + i) * margins)
          }
        }
        for (let i = 0; i < count; i++) finish(forest, into, (from + i) * margins)
      }
    },
  }
}

function addSingle(
  { output, value, leafWidth }: EnsembleForest,
  tree: number,
  leaf: number,
  into: Float64Array,
  at: number,
): void {
  const to = output[tree]
  if (to >= 0) {
    into[at + to] = Math.fround(into[at + to] + value[leaf])
    return
  }
  for (let k = 0; k < leafWidth; k++) {
    into[at + k] = Math.fround(into[at + k] + value[leaf * leafWidth + k])
  }
}

function addDouble(
  { output, value, leafWidth }: EnsembleForest,
  tree: number,
  leaf: number,
  into: Float64Array,
  at: number,
): void {
  const to = output[tree]
  if (to >= 0) {
    into[at + to] += value[leaf]
    return
  }
  for (let k = 0; k < leafWidth; k++) into[at + k] += value[leaf * leafWidth + k]
}

function finishSingle(forest: EnsembleForest, into: Float64Array, at: number): void {
  const { base, baseAdded, divisor, margins } = forest
  for (let k = 0; k < margins; k++) {
    if (divisor !== 1) into[at + k] = Math.fround(into[at + k] / divisor)
    if (baseAdded === 'last') into[at + k] = Math.fround(into[at + k] + base[k])
  }
}

function finishDouble(forest: EnsembleForest, into: Float64Array, at: number): void {
  const { base, baseAdded, divisor, margins } = forest
  for (let k = 0; k < margins; k++) {
    if (divisor !== 1) into[at + k] /= divisor
    if (baseAdded === 'last') into[at + k] += base[k]
  }
}

type Golden = { readonly columns: readonly Float64Array[]; readonly rows: number }

const GOLDEN_ROWS = 256

/** Values on, just beside and far from the thresholds of each feature, and missing ones. */
function goldenRows(forest: EnsembleForest): Golden {
  const random = createRandom('golden rows')
  const thresholds: number[][] = Array.from({ length: forest.features }, () => [0])
  const step = Math.max(1, Math.floor(forest.left.length / 4096))
  for (let node = 0; node < forest.left.length; node += step) {
    if (forest.left[node] === node) continue
    thresholds[forest.views.feature[forest.view[node]]].push(forest.threshold[node])
  }
  const columns = thresholds.map((own) =>
    Float64Array.from({ length: GOLDEN_ROWS }, () => {
      const near = own[random.int(own.length)]
      switch (random.int(5)) {
        case 0:
          return NaN
        case 1:
          return near
        case 2:
          return near + Math.abs(near) * 2 ** -23
        default:
          return near + random.normal(0, 1) * (Math.abs(near) + 1)
      }
    }),
  )
  return { columns, rows: GOLDEN_ROWS }
}

/** Row by row: what a decision asks for. */
function marginsOf(engine: EnsembleEngine, { columns, rows }: Golden): Float64Array {
  const row = new Float64Array(columns.length)
  const size = engine.size
  const into = new Float64Array(size)
  const all = new Float64Array(rows * size)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < row.length; j++) row[j] = columns[j][i]
    engine.margins(row, into)
    all.set(into, i * size)
  }
  return all
}

/** The walks are two ways to the same leaves: if they differ, one of them has a defect. */
function checkAgreement(engine: EnsembleEngine, golden: Golden, expected: Float64Array): void {
  const single = marginsOf(engine, golden)
  const blocked = new Float64Array(expected.length)
  engine.marginsOfColumns(golden.columns, golden.rows, blocked)
  for (let i = 0; i < expected.length; i++) {
    if (!Object.is(single[i], expected[i]) || !Object.is(blocked[i], expected[i])) {
      throw new Error(`the ${engine.walk} walk gives another margin than the pointer walk`)
    }
  }
}
