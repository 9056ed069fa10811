// SHAP values of a large forest on Adult: ours beside LightGBM's and the `shap` package's, of the very
// same trees, in one run. LightGBM trains them; without it ours does, and the peers' rows say "absent".
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import { monotonicUs } from '../src/lib/clock.ts'
import { type Matrix, readRow, selectRows } from '../src/lib/matrix.ts'
import {
  boostedTrees,
  type BoostedTreesModel,
  fit,
  type MatrixExplanation,
  MODEL_FORMAT,
  predictor,
  type Tree,
} from '../src/learning/index.ts'
import { bruteForceShapley, treeGame } from '../src/learning/shapley-oracle.cases.ts'
import { Latencies, significant, spent } from './features-measure.ts'
import type { BenchOptions, Figures } from './run.ts'

interface Adult {
  readonly x: Matrix
  readonly y: Float64Array
}

const BACKGROUND_ROWS = 100

/**
 * `--data FOLDER` of UCI Adult, `--trees 500`, `--depth 8`, `--rows 10000`, `--rounds 3` of ours,
 * `--peer-rows 10000`, `--python PATH`. All on one thread; times are of the processor.
 */
export async function run(options: BenchOptions, say: (line: string) => void): Promise<Figures> {
  const folder = options.data ?? join(import.meta.dirname, '../../shared/data/uci_adult')
  const { train, test } = readAdult(folder)
  const trees = Number(options.trees ?? 500)
  const depth = Number(options.depth ?? 8)
  const rows = selectRows(test.x, firstRows(Math.min(test.x.rows, Number(options.rows ?? 10_000))))
  const peerRows = Math.min(rows.rows, Number(options['peer-rows'] ?? rows.rows))
  const background = selectRows(train.x, firstRows(BACKGROUND_ROWS))
  const peers = await startPeers(train, rows, options.python)
  try {
    const trained = await peers.ask({ do: 'train', trees, depth })
    const model = trained === undefined ? fitOurs(train, trees, depth) : peers.model(train)
    say(`${model.trees.length} trees, trained by ${trained === undefined ? 'Assay' : 'LightGBM'}`)
    const ready = predictor(model)
    const rounds = Number(options.rounds ?? 3)
    const ours = await bestOf(rounds, () => ready.explainMatrix(rows))
    const against = await bestOf(rounds, () => ready.explainMatrix(rows, { background }))
    say(`ours: ${ours.s.toFixed(2)} s, against a background ${against.s.toFixed(2)} s`)
    const figures: Record<string, number | string> = {
      trees: model.trees.length,
      depth,
      leaves: model.trees.reduce((sum, tree) => sum + (tree.feature.length + 1) / 2, 0),
      rows: rows.rows,
      rows_per_s_core: significant(rows.rows / ours.s),
      interventional_rows_per_s_core: significant(rows.rows / against.s),
    }
    const requests = [
      ['lightgbm', { do: 'lightgbm', rows: peerRows }, ours],
      ['shap', { do: 'shap', rows: peerRows }, ours],
      [
        'shap_interventional',
        { do: 'shap-against', rows: Math.min(peerRows, 200), background: BACKGROUND_ROWS },
        against,
      ],
    ] as const
    for (const [name, request, own] of requests) {
      const answer = await peers.ask(request)
      if (answer === undefined) {
        figures[`${name}_rows_per_s_core`] = 'absent'
        continue
      }
      say(`${name}: ${answer.s.toFixed(2)} s for ${request.rows} rows`)
      const theirs = peers.values()
      figures[`${name}_rows_per_s_core`] = significant(request.rows / answer.s)
      figures[`ratio_vs_${name}`] = significant(answer.s / request.rows / (own.s / rows.rows), 3)
      figures[`difference_to_${name}_max`] = significant(difference(own.result, theirs))
    }
    return { ...figures, ...singleRow(train, test), ...checks(model, rows, ours.result, train) }
  } finally {
    peers.stop()
  }
}

/** Seconds of processor time, as the peers are measured: others may use the machine too. */
async function bestOf<T>(
  rounds: number,
  work: () => T,
): Promise<{ readonly s: number; readonly result: T }> {
  let best = await spent(work)
  for (let round = 1; round < rounds; round++) {
    const next = await spent(work)
    if (next.cpuS < best.cpuS) best = next
  }
  return { s: best.cpuS, result: best.result }
}

/** Explaining one row of a model as decisions use it. */
function singleRow(train: Adult, test: Adult): Figures {
  const model = predictor(fitOurs(train, 300, 6))
  const calls = 3000
  const latencies = new Latencies(calls)
  for (let call = -500; call < calls; call++) {
    const row = readRow(test.x, (call + 500) % test.x.rows)
    const startUs = monotonicUs()
    model.explain(row)
    if (call >= 0) latencies.add(monotonicUs() - startUs)
  }
  const [p50, p99] = latencies.quantiles(0.5, 0.99)
  return {
    single_trees: 300,
    single_depth: 6,
    single_us_p50: significant(p50, 3),
    single_us_p99: significant(p99, 3),
  }
}

/** How far sums are from margins, and values of a small model from the definition. */
function checks(
  model: BoostedTreesModel,
  rows: Matrix,
  { base, values }: MatrixExplanation,
  train: Adult,
): Figures {
  const ready = predictor(model)
  const width = rows.names.length
  let sums = 0
  for (let i = 0; i < rows.rows; i++) {
    const own = values.subarray(i * width, (i + 1) * width)
    const total = own.reduce((sum, value) => sum + value, base)
    sums = Math.max(sums, Math.abs(total - ready.margin(readRow(rows, i))))
  }
  const ten: Adult = {
    x: { ...train.x, names: train.x.names.slice(0, 10), columns: train.x.columns.slice(0, 10) },
    y: train.y,
  }
  const small = fitOurs(ten, 20, 6)
  const smallReady = predictor(small)
  const some = selectRows(ten.x, firstRows(20))
  const many = smallReady.explainMatrix(some).values
  const game = treeGame(small)
  let brute = 0
  for (let i = 0; i < some.rows; i++) {
    const wanted = bruteForceShapley(game, readRow(some, i))
    const one = smallReady.explain(readRow(some, i)).values
    wanted.forEach((value, j) => {
      brute = Math.max(brute, Math.abs(value - one[j]), Math.abs(value - many[10 * i + j]))
    })
  }
  return {
    sum_to_margin_error_max: significant(sums),
    brute_force_10_features_error_max: significant(brute),
  }
}

/** Theirs hold the base after the values of each row. */
function difference({ base, values, features }: MatrixExplanation, theirs: Float64Array): number {
  const width = features.length
  let most = 0
  for (let at = 0, row = 0; at < theirs.length; at += width + 1, row++) {
    for (let j = 0; j < width; j++) {
      most = Math.max(most, Math.abs(values[row * width + j] - theirs[at + j]))
    }
    most = Math.max(most, Math.abs(base - theirs[at + width]))
  }
  return most
}

function fitOurs({ x, y }: Adult, trees: number, depth: number): BoostedTreesModel {
  const model = fit(boostedTrees({ trees, depth }), { x, y }, { seed: 1 })
  if (model.kind !== 'boosted-trees') throw new Error('another kind of model was trained')
  return model
}

/** Categories become codes in the order of their names; what is missing is a category of its own. */
function readAdult(folder: string): { readonly train: Adult; readonly test: Adult } {
  const read = (name: string) =>
    gunzipSync(readFileSync(join(folder, name)))
      .toString('utf8')
      .split('\n')
      .map((line) => line.replace(/\.$/, '').split(', '))
      .filter((cells) => cells.length === 15)
  const parts = [read('adult.data.gz'), read('adult.test.gz')]
  const all = parts.flat()
  const columns = Array.from({ length: 14 }, (_, column) => {
    const cells = all.map((row) => row[column])
    const numbers = cells.map(Number)
    if (numbers.every(Number.isFinite)) return Float64Array.from(numbers)
    const codes = new Map([...new Set(cells)].toSorted().map((name, code) => [name, code]))
    return Float64Array.from(cells, (cell) => codes.get(cell)!)
  })
  const x: Matrix = { names: columns.map((_, j) => `f${j}`), rows: all.length, columns }
  const y = Float64Array.from(all, (row) => (row[14] === '>50K' ? 1 : 0))
  const border = parts[0].length
  const part = (from: number, to: number): Adult => ({
    x: selectRows(x, firstRows(to - from, from)),
    y: y.slice(from, to),
  })
  return { train: part(0, border), test: part(border, all.length) }
}

function firstRows(count: number, from = 0): number[] {
  return Array.from({ length: count }, (_, row) => from + row)
}

interface Peers {
  /** Undefined where the peer is not installed. */
  ask(request: object): Promise<{ readonly s: number } | undefined>
  /** What LightGBM trained. */
  model(train: Adult): BoostedTreesModel
  /** The values of the last request. */
  values(): Float64Array
  stop(): void
}

async function startPeers(train: Adult, rows: Matrix, python?: string): Promise<Peers> {
  const interpreter = python ?? join(import.meta.dirname, '.venv/bin/python')
  if (!existsSync(interpreter)) return absentPeers
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  writeFileSync(join(folder, 'train.f64'), rowMajor(train.x))
  writeFileSync(join(folder, 'train.y'), train.y)
  writeFileSync(join(folder, 'test.f64'), rowMajor(rows))
  const script = join(import.meta.dirname, 'peers/shap_values.py')
  const env = { ...process.env, OMP_NUM_THREADS: '1', TQDM_DISABLE: '1' }
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(
    interpreter,
    [script, folder],
    { stdio: ['pipe', 'pipe', 'inherit'], env },
  )
  const lines = createInterface({ input: child.stdout })
  const features = train.x.names.length
  return {
    async ask(request) {
      child.stdin.write(`${JSON.stringify({ features, ...request })}\n`)
      const [line] = (await once(lines, 'line')) as [string]
      const answer = JSON.parse(line) as { s: number } | { absent: true }
      return 'absent' in answer ? undefined : answer
    },
    model: ({ x, y }) => fromDump(readFileSync(join(folder, 'model.json'), 'utf8'), x, y),
    values() {
      const bytes = readFileSync(join(folder, 'values.f64'))
      return new Float64Array(new Uint8Array(bytes).buffer)
    },
    stop() {
      child.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const absentPeers: Peers = {
  ask: async () => undefined,
  model: () => {
    throw new Error('there is no peer that trained a model')
  },
  values: () => new Float64Array(0),
  stop: () => {},
}

function rowMajor(x: Matrix): Float64Array {
  const width = x.columns.length
  const values = new Float64Array(x.rows * width)
  for (let i = 0; i < x.rows; i++) readRow(x, i, values.subarray(i * width, (i + 1) * width))
  return values
}

interface DumpedNode {
  readonly split_feature?: number
  readonly threshold: number
  readonly left_child: DumpedNode
  readonly right_child: DumpedNode
  readonly internal_count: number
  readonly leaf_value: number
  readonly leaf_count: number
}

/** Without missing values and categories the splits of LightGBM are ours: ≤ goes left. */
function fromDump(text: string, x: Matrix, y: Float64Array): BoostedTreesModel {
  const dump = JSON.parse(text) as { tree_info: { tree_structure: DumpedNode }[] }
  const trees = dump.tree_info.map((info) => treeOf(info.tree_structure))
  return {
    format: MODEL_FORMAT,
    kind: 'boosted-trees',
    features: x.names,
    seed: 0,
    training: {
      rows: x.rows,
      positives: y.reduce((sum, label) => sum + label, 0),
      iterations: trees.length,
      loss: 0,
    },
    params: boostedTrees({ trees: trees.length }).params,
    base: 0,
    trees,
  }
}

function treeOf(root: DumpedNode): Tree {
  const nodes: DumpedNode[] = []
  const left: number[] = []
  const right: number[] = []
  const add = (node: DumpedNode): number => {
    const at = nodes.push(node) - 1
    left[at] = 0
    right[at] = 0
    if (node.split_feature !== undefined) {
      left[at] = add(node.left_child)
      right[at] = add(node.right_child)
    }
    return at
  }
  add(root)
  const leaf = (node: DumpedNode) => node.split_feature === undefined
  return {
    feature: nodes.map((node) => node.split_feature ?? -1),
    threshold: nodes.map((node) => (leaf(node) ? 0 : node.threshold)),
    missingLeft: nodes.map(() => 0),
    left,
    right,
    value: nodes.map((node) => (leaf(node) ? node.leaf_value : 0)),
    cover: nodes.map((node) => (leaf(node) ? node.leaf_count : node.internal_count)),
  }
}
