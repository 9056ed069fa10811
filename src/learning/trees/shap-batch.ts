/**
 * Exact SHAP values of many rows at once, in either game.
 *
 * What a leaf adds to the features of its path depends on the row only through the features that
 * the row loses on the way: whose edges it does not all take. A path of d features has 2ᵈ such
 * sets, so what each adds is tabulated once and then looked up for every row (the idea of
 * FastTreeSHAP v2, Yang 2021), one tree at a time, while its tables lie in the cache. The table of
 * the path-dependent game comes from the integral in `shap.ts`; that of the interventional game
 * from counting the background rows by the features that they lose. Lost features are found for
 * eight rows at a time, on values that are replaced by their rank among a feature's thresholds.
 *
 * A tree whose tables would cost more than its rows save is followed row by row instead.
 */
import { type Matrix, readRow } from '../../lib/matrix.ts'
import { type Forest, goesLeft } from './forest.ts'
import { gaussLegendre } from './quadrature.ts'
import { createWalk } from './shap.ts'
import {
  backgroundMargin,
  createBackgroundExplainer,
  shapleyWeights,
} from './shap-interventional.ts'
import {
  type Batch,
  BLOCK,
  chooseShapKernels,
  MISSING,
  PLACES_MAX,
  type ShapKernels,
} from './shap-kernels.ts'
import { describePaths, expectedMargin, nodesOf, type Paths } from './shap-paths.ts'

export type ForestExplanations = {
  readonly base: number
  /** Row after row, one number a feature. */
  readonly values: Float64Array
}

/** Rows, and values, that are explained with the same tables; more come in turns: 10 bytes a value. */
const CHUNK = 16_384
const CELLS = 8_000_000

/** Most numbers in the tables of a tree: 32 MB. */
const TABLE_MAX = 1 << 22

/**
 * The columns stand in the order of the forest's features, in the background too, which has rows.
 * Without a background the game is the path-dependent one. The values agree with those of the
 * explainers of one row but for rounding.
 */
export function explainForest(
  forest: Forest,
  x: Matrix,
  background?: Matrix,
  given?: ShapKernels,
): ForestExplanations {
  const paths = describePaths(forest)
  const ranked = rankThresholds(forest)
  const { tabled, walked } = planTables(forest, paths, ranked, x.rows, background?.rows)
  const values = new Float64Array(x.rows * forest.features)
  if (walked.length > 0) addByWalks(forest, paths, walked, x, background, values, given)
  const most = Math.max(BLOCK, Math.min(CHUNK, Math.floor(CELLS / forest.features)))
  for (let start = 0; tabled.length > 0 && start < x.rows; start += most) {
    const rows = Math.min(most, x.rows - start)
    addByTables(forest, paths, ranked, tabled, { x, start, rows, background }, values, given)
  }
  const base =
    background === undefined ? expectedMargin(forest) : backgroundMargin(forest, rowsOf(background))
  return { base, values }
}

/**
 * Which trees are worth their tables, by what the work took where it was measured, in nanoseconds:
 * a factor of a table, a number looked up, a node of a walk, and a walk of two rows.
 */
const COST = { table: 1, lookup: 0.4, node: 3, pair: 400 }

function planTables(
  forest: Forest,
  paths: Paths,
  ranked: readonly Float64Array[],
  rows: number,
  background: number | undefined,
): { readonly tabled: number[]; readonly walked: number[] } {
  const tabled: number[] = []
  const walked: number[] = []
  const points = Math.ceil(paths.mostFeatures / 2)
  const tooFine = ranked.some((thresholds) => thresholds.length >= MISSING)
  for (let tree = 0; tree < forest.roots.length; tree++) {
    const { from, to } = nodesOf(forest, tree)
    let most = 0
    let numbers = 0
    let tabulating = 0
    let looking = 0
    for (let leaf = from; leaf < to; leaf++) {
      const count = paths.distinct[leaf]
      if (forest.feature[leaf] >= 0) continue
      most = Math.max(most, count)
      const size = 2 ** count
      numbers += count * size
      const factors = background === undefined ? (count + 1) / 2 : Math.min(background, size) / 8
      tabulating += COST.table * count * size * factors
      looking += COST.lookup * count * rows
    }
    const walking =
      rows * (background === undefined ? COST.node * points * (to - from) : COST.pair * background)
    const fits = !tooFine && most <= PLACES_MAX && numbers <= TABLE_MAX
    if (fits && tabulating + looking < walking) tabled.push(tree)
    else walked.push(tree)
  }
  return { tabled, walked }
}

function addByWalks(
  forest: Forest,
  paths: Paths,
  trees: readonly number[],
  x: Matrix,
  background: Matrix | undefined,
  values: Float64Array,
  kernels: ShapKernels | undefined,
): void {
  const explain =
    background === undefined
      ? createWalk(forest, kernels, paths)
      : pairsOnly(createBackgroundExplainer(forest, background))
  const width = forest.features
  const row = new Float64Array(width)
  // A few trees at a time, so that their tables are still at hand for the next row.
  for (let first = 0; first < trees.length; first += TREES_AT_A_TIME) {
    const some = trees.slice(first, first + TREES_AT_A_TIME)
    for (let i = 0; i < x.rows; i++) {
      const own = explain(readRow(x, i, row), some)
      for (let j = 0; j < width; j++) values[i * width + j] += own[j]
    }
  }
}

const TREES_AT_A_TIME = 4

function pairsOnly(explain: ReturnType<typeof createBackgroundExplainer>) {
  return (row: Float64Array, trees?: readonly number[]) => explain(row, trees).values
}

/** Part of the rows to explain. */
type Chunk = {
  readonly x: Matrix
  readonly start: number
  readonly rows: number
  readonly background: Matrix | undefined
}

function addByTables(
  forest: Forest,
  paths: Paths,
  ranked: readonly Float64Array[],
  trees: readonly number[],
  chunk: Chunk,
  into: Float64Array,
  given: ShapKernels | undefined,
): void {
  const { x, start, rows, background } = chunk
  // The background's rows lie before the others, so that one set of codes serves both.
  const ahead = Math.ceil((background?.rows ?? 0) / BLOCK) * BLOCK
  const layout = layOut(forest, paths, trees, ahead + Math.ceil(rows / 8) * 8)
  const kernels = given ?? chooseShapKernels(layout.bytes)
  const batch = prepareBatch(forest, paths, ranked, layout, kernels)
  encode(batch, ranked, x, start, rows, ahead)
  if (background !== undefined) encode(batch, ranked, background, 0, background.rows, 0)
  const { mark, add } = kernels.batch(batch)
  const tabulate =
    background === undefined
      ? tabulateByShares(forest, paths, batch, kernels)
      : tabulateByCounts(forest, paths, batch, kernels, background, layout, mark)

  for (const tree of trees) {
    const { from, to } = nodesOf(forest, tree)
    tabulate(from, to)
    for (let first = 0; first < rows; first += BLOCK) {
      const some = Math.min(BLOCK, rows - first)
      encodeCategories(forest, batch, layout, from, to, x, start + first, some, ahead + first)
      add(from, to, ahead + first, some)
    }
  }
  for (let j = 0; j < forest.features; j++) {
    const own = j * batch.column + ahead
    for (let i = 0; i < rows; i++) {
      into[(start + i) * forest.features + j] += batch.values[own + i]
    }
  }
}

/** Where everything lies in the memory of a batch. */
type Layout = {
  readonly column: number
  readonly codes: number
  readonly codesAt: Int32Array
  readonly pathAt: Int32Array
  readonly path: readonly number[]
  readonly tableAt: Int32Array
  readonly tableMost: number
  /** Where a leaf's counts of background rows begin. */
  readonly countsAt: Int32Array
  readonly countsMost: number
  readonly nodesMost: number
  readonly bytes: number
}

function layOut(forest: Forest, paths: Paths, trees: readonly number[], column: number): Layout {
  const size = forest.feature.length
  const codesAt = Int32Array.from(forest.feature, (feature) => Math.max(0, feature) * column)
  const pathAt = new Int32Array(size)
  const path: number[] = []
  const tableAt = new Int32Array(size)
  const countsAt = new Int32Array(size)
  const { sets } = forest
  let tableMost = 0
  let countsMost = 0
  let nodesMost = 0
  let partingMost = 0
  for (const tree of trees) {
    const { from, to } = nodesOf(forest, tree)
    let table = 0
    let counts = 0
    let parting = 0
    for (let node = from; node < to; node++) {
      if (sets !== undefined && sets.start[node] >= 0) {
        codesAt[node] = forest.features * column + parting++ * BLOCK
      }
      if (forest.feature[node] >= 0) continue
      const count = paths.distinct[node]
      pathAt[node] = path.length
      for (let above = node; paths.parent[above] >= 0; above = paths.parent[above]) {
        path[pathAt[node] + paths.place[above]] = paths.feature[above]
      }
      tableAt[node] = table
      countsAt[node] = counts
      table += count * 2 ** count
      counts += 2 ** count
    }
    tableMost = Math.max(tableMost, table)
    countsMost = Math.max(countsMost, counts)
    nodesMost = Math.max(nodesMost, to - from)
    partingMost = Math.max(partingMost, parting)
  }
  const codes = forest.features * column + partingMost * BLOCK
  const bytes =
    2 * codes +
    8 * forest.features * column +
    8 * (tableMost + countsMost) +
    2 * nodesMost * BLOCK +
    4 * path.length +
    40 * size
  return {
    column,
    codes,
    codesAt,
    pathAt,
    path,
    tableAt,
    tableMost,
    countsAt,
    countsMost,
    nodesMost,
    bytes,
  }
}

function prepareBatch(
  forest: Forest,
  paths: Paths,
  ranked: readonly Float64Array[],
  layout: Layout,
  kernels: ShapKernels,
): Batch {
  const whole = (from: ArrayLike<number>) => {
    const into = kernels.wholes(from.length)
    into.set(from)
    return into
  }
  const missingLeft = kernels.bytes(forest.missingLeft.length)
  missingLeft.set(forest.missingLeft)
  return {
    feature: whole(forest.feature),
    missingLeft,
    left: whole(forest.left),
    right: whole(forest.right),
    codesAt: whole(layout.codesAt),
    code: whole(rankOfNodes(forest, ranked)),
    place: whole(paths.place),
    distinct: whole(paths.distinct),
    pathAt: whole(layout.pathAt),
    path: whole(layout.path),
    tableAt: whole(layout.tableAt),
    table: kernels.numbers(layout.tableMost),
    codes: kernels.shorts(layout.codes),
    values: kernels.numbers(forest.features * layout.column),
    column: layout.column,
    lost: kernels.shorts(layout.nodesMost * BLOCK),
  }
}

/** The different thresholds of each feature, ascending. */
function rankThresholds(forest: Forest): Float64Array[] {
  const lists = Array.from({ length: forest.features }, () => new Set<number>())
  for (let node = 0; node < forest.feature.length; node++) {
    const split = forest.feature[node]
    if (split >= 0 && !partsCategories(forest, node)) lists[split].add(forest.threshold[node])
  }
  return lists.map((list) => Float64Array.from(list).sort())
}

/** A value goes left at a threshold if no more thresholds lie below it than below the threshold. */
function rankOfNodes(forest: Forest, ranked: readonly Float64Array[]): Int32Array {
  return forest.feature.map((split, node) =>
    split < 0 || partsCategories(forest, node) ? 0 : rankOf(forest.threshold[node], ranked[split]),
  )
}

function rankOf(value: number, ranked: Float64Array): number {
  let low = 0
  let high = ranked.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ranked[middle] < value) low = middle + 1
    else high = middle
  }
  return low
}

function partsCategories({ sets }: Forest, node: number): boolean {
  return sets !== undefined && sets.start[node] >= 0
}

function encode(
  batch: Batch,
  ranked: readonly Float64Array[],
  x: Matrix,
  start: number,
  rows: number,
  to: number,
): void {
  ranked.forEach((thresholds, feature) => {
    const own = feature * batch.column + to
    const column = x.columns[feature]
    for (let i = 0; i < rows; i++) {
      const value = column[start + i]
      batch.codes[own + i] = value === value ? rankOf(value, thresholds) : MISSING
    }
  })
}

/** Of the nodes that part categories, one code a row: 0 goes left. */
function encodeCategories(
  forest: Forest,
  batch: Batch,
  layout: Layout,
  from: number,
  to: number,
  x: Matrix,
  start: number,
  rows: number,
  at: number,
): void {
  if (forest.sets === undefined) return
  for (let node = from; node < to; node++) {
    if (!partsCategories(forest, node)) continue
    const column = x.columns[forest.feature[node]]
    const own = layout.codesAt[node]
    // The kernels add the block's place, which the codes of this block alone do not have.
    batch.codesAt[node] = own - at
    for (let i = 0; i < rows; i++) {
      const value = column[start + i]
      const code = goesLeft(forest, node, value) ? 0 : 1
      batch.codes[own + i] = value === value ? code : MISSING
    }
  }
}

function tabulateByShares(
  forest: Forest,
  paths: Paths,
  batch: Batch,
  kernels: ShapKernels,
): (from: number, to: number) => void {
  const rules = Array.from({ length: Math.ceil(PLACES_MAX / 2) + 1 }, (_, count) => {
    const { points, weights } = gaussLegendre(Math.max(1, count))
    const hold = (list: Float64Array) => {
      const into = kernels.numbers(list.length)
      into.set(list)
      return into
    }
    return { points: hold(points), weights: hold(weights) }
  })
  const scratch = kernels.numbers(2 ** Math.min(PLACES_MAX, paths.mostFeatures))
  const shares = kernels.numbers(PLACES_MAX)
  return (from, to) => {
    for (let leaf = from; leaf < to; leaf++) {
      if (forest.feature[leaf] >= 0) continue
      const count = paths.distinct[leaf]
      // From the leaf up: the first edge of a feature that is met holds the product of all.
      let seen = 0
      for (let node = leaf; paths.parent[node] >= 0; node = paths.parent[node]) {
        const bit = 1 << paths.place[node]
        if ((seen & bit) === 0) shares[paths.place[node]] = paths.share[node]
        seen |= bit
      }
      const { points, weights } = rules[Math.ceil(count / 2)]
      const table = batch.table.subarray(batch.tableAt[leaf])
      kernels.tabulateShares(table, count, shares, forest.value[leaf], points, weights, scratch)
    }
  }
}

function tabulateByCounts(
  forest: Forest,
  paths: Paths,
  batch: Batch,
  kernels: ShapKernels,
  background: Matrix,
  layout: Layout,
  mark: (from: number, to: number, start: number, rows: number) => void,
): (from: number, to: number) => void {
  const counts = kernels.numbers(layout.countsMost)
  const shapley = kernels.numbers((PLACES_MAX + 1) ** 2)
  shapley.set(shapleyWeights(PLACES_MAX))
  const share = 1 / background.rows
  return (from, to) => {
    counts.fill(0)
    for (let first = 0; first < background.rows; first += BLOCK) {
      const rows = Math.min(BLOCK, background.rows - first)
      encodeCategories(forest, batch, layout, from, to, background, first, rows, first)
      mark(from, to, first, rows)
      for (let leaf = from; leaf < to; leaf++) {
        if (forest.feature[leaf] >= 0) continue
        const masks = (leaf - from) * BLOCK
        const own = layout.countsAt[leaf]
        for (let i = 0; i < rows; i++) counts[own + batch.lost[masks + i]] += share
      }
    }
    for (let leaf = from; leaf < to; leaf++) {
      if (forest.feature[leaf] >= 0) continue
      const table = batch.table.subarray(batch.tableAt[leaf])
      const own = counts.subarray(layout.countsAt[leaf])
      kernels.tabulateCounts(table, paths.distinct[leaf], own, forest.value[leaf], shapley)
    }
  }
}

function rowsOf(x: Matrix): Float64Array[] {
  return Array.from({ length: x.rows }, (_, i) => readRow(x, i))
}
