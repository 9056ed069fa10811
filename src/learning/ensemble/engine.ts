/** Margins of an ensemble of trees, by the fastest walk, in the source engine's arithmetic. */
import { monotonicUs } from '../../lib/clock.ts'
import { createRandom } from '../../lib/random.ts'
import { type EnsembleForest } from './forest.ts'
import { createRowReader } from './rows.ts'
import { createSums } from './sums.ts'
import { type Walk, walksOf } from './walks.ts'

export interface EnsembleEngine {
  /** How leaves of single rows are found; the margins do not depend on it. */
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
 * of them, and takes the fastest: one for single rows, one for many. `walk` names one instead. The
 * engine works in buffers of its own and must not be re-entered.
 */
export function createEnsembleEngine(
  forest: EnsembleForest,
  walk: Walk['name'] | 'measured' = 'measured',
): EnsembleEngine {
  const walks = walksOf(forest)
  const named = walks.find(({ name }) => name === walk)
  if (named !== undefined) return engineOf(forest, named, named)
  const [pointer] = walks
  if (walk !== 'measured' || walks.length === 1) return engineOf(forest, pointer, pointer)
  const golden = goldenRows(forest)
  const engines = walks.map((own) => engineOf(forest, own, own))
  const all = new Float64Array(golden.rows * forest.margins)
  const expected = marginsOf(engines[0], golden, new Float64Array(all.length))
  for (const engine of engines) checkAgreement(engine, golden, expected)
  const single = fastest(walks, (index) => marginsOf(engines[index], golden, all))
  const many = fastest(walks, (index) => {
    engines[index].marginsOfColumns(golden.columns, golden.rows, all)
  })
  return engineOf(forest, single, many)
}

const ROUNDS = 4

/** In turns, so that what else the machine does falls on all. */
function fastest(walks: readonly Walk[], run: (index: number) => void): Walk {
  const shortest = walks.map(() => Infinity)
  for (let round = 0; round < ROUNDS; round++) {
    for (let index = 0; index < walks.length; index++) {
      const startUs = monotonicUs()
      run(index)
      shortest[index] = Math.min(shortest[index], monotonicUs() - startUs)
    }
  }
  return walks[shortest.indexOf(Math.min(...shortest))]
}

function engineOf(forest: EnsembleForest, walk: Walk, many: Walk): EnsembleEngine {
  const { views, roots, margins } = forest
  const sums = createSums(forest)
  const width = views.feature.length
  const reader = createRowReader(views, forest.arithmetic)
  const row = new Float64Array(width)
  const leaves = new Int32Array(roots.length)
  const block = new Float64Array(BLOCK * width)
  const blockLeaves = new Int32Array(BLOCK)

  return {
    walk: walk.name,
    size: margins,
    margins(given, into) {
      reader.row(given, row)
      walk.row(row, leaves)
      sums.row(leaves, into)
    },
    marginsOfColumns(columns, rows, into) {
      for (let from = 0; from < rows; from += BLOCK) {
        const count = Math.min(BLOCK, rows - from)
        const at = from * margins
        reader.block(columns, from, count, block)
        sums.begin(into, at, count)
        for (let tree = 0; tree < roots.length; tree++) {
          many.block(tree, block, count, blockLeaves)
          sums.add(tree, blockLeaves, into, at, count)
        }
        sums.finish(into, at, count)
      }
    },
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
function marginsOf(engine: EnsembleEngine, golden: Golden, into: Float64Array): Float64Array {
  const row = new Float64Array(golden.columns.length)
  const own = new Float64Array(engine.size)
  for (let i = 0; i < golden.rows; i++) {
    for (let j = 0; j < row.length; j++) row[j] = golden.columns[j][i]
    engine.margins(row, own)
    into.set(own, i * engine.size)
  }
  return into
}

/** The walks are two ways to the same leaves: if they differ, one of them has a defect. */
function checkAgreement(engine: EnsembleEngine, golden: Golden, expected: Float64Array): void {
  const single = marginsOf(engine, golden, new Float64Array(expected.length))
  const blocked = new Float64Array(expected.length)
  engine.marginsOfColumns(golden.columns, golden.rows, blocked)
  for (let i = 0; i < expected.length; i++) {
    if (!Object.is(single[i], expected[i]) || !Object.is(blocked[i], expected[i])) {
      throw new Error(`the ${engine.walk} walk gives another margin than the pointer walk`)
    }
  }
}
