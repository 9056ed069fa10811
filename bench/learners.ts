// Boosted trees on public tables: ours beside LightGBM, XGBoost and scikit-learn, on the same folds
// of the same matrices, categories as categories. `bench/peers/install.sh` installs the peers.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { selectRows, selectValues } from '../src/lib/matrix.ts'
import { createRandom } from '../src/lib/random.ts'
import { boostedTrees, fit, predictor, rocAuc } from '../src/learning/index.ts'
import { significant } from './features-measure.ts'
import { type LearnersTable, readTable, type SourceName, sources } from './learners-data.ts'
import type { BenchOptions, Figures } from './run.ts'

const peers = ['lightgbm', 'xgboost', 'sklearn'] as const
const FOLDS = 5

type Setting = 'default' | 'alike'

interface Task extends LearnersTable {
  /** The test fold of every row, repeat after repeat. */
  readonly folds: Uint8Array
  readonly repeats: number
  readonly setting: Setting
}

/**
 * `--data FOLDER` of the tables, `--sets uci_adult,…`, `--setting default` (each library's own
 * parameters) or `alike` (100 rounds at rate 0.1 with 31 leaves in each), `--repeats 5`,
 * `--only ours,lightgbm,…`, `--python PATH`.
 */
export async function run(options: BenchOptions, say: (line: string) => void): Promise<Figures> {
  const folder = options.data ?? join(import.meta.dirname, '../../shared/data')
  const wanted = (options.sets?.split(',') ?? Object.keys(sources)) as SourceName[]
  const only = options.only?.split(',') ?? ['ours', ...peers]
  const setting = (options.setting ?? 'default') as Setting
  const figures: Record<string, number | string> = { setting, folds: FOLDS }
  for (const name of wanted) {
    const table = readTable(folder, name)
    const repeats = Number(options.repeats ?? 5)
    const task: Task = { ...table, folds: drawFolds(table.y, repeats), repeats, setting }
    const aucs = await compare(task, only, options.python, (line) => say(`${name} ${line}`))
    Object.assign(figures, summarise(name, task, aucs))
  }
  return figures
}

/** The AUC of every fold by engine. */
async function compare(
  task: Task,
  only: readonly string[],
  python: string | undefined,
  say: (line: string) => void,
): Promise<Map<string, number[]>> {
  const theirs = startPeers(task, python)
  const aucs = new Map<string, number[]>()
  try {
    for (const engine of only) {
      const scores = engine === 'ours' ? scoreOurs(task) : await theirs.score(engine)
      if (scores === undefined) continue
      const own = aucOfFolds(task, scores)
      aucs.set(engine, own)
      say(`${engine}: AUC ${mean(own).toFixed(5)}`)
    }
  } finally {
    theirs.stop()
  }
  return aucs
}

/** Stratified: every fold has its share of either class. */
function drawFolds(y: Float64Array, repeats: number): Uint8Array {
  const folds = new Uint8Array(repeats * y.length)
  for (let repeat = 0; repeat < repeats; repeat++) {
    const random = createRandom(`folds ${repeat}`)
    for (const label of [0, 1]) {
      const rows = Array.from(y.keys()).filter((row) => y[row] === label)
      random.shuffle(rows).forEach((row, i) => (folds[repeat * y.length + row] = i % FOLDS))
    }
  }
  return folds
}

/** With `alike`, what is not named there keeps its default, as with the peers. */
const ours = {
  default: boostedTrees(),
  alike: boostedTrees({
    trees: 100,
    learningRate: 0.1,
    growth: 'leaf-wise',
    depth: 64,
    leaves: 31,
  }),
}

function scoreOurs({ x, y, categorical, folds, repeats, setting }: Task): Float64Array {
  const scores = new Float64Array(folds.length)
  const all = Array.from(y.keys())
  for (let repeat = 0; repeat < repeats; repeat++) {
    const own = folds.subarray(repeat * y.length, (repeat + 1) * y.length)
    for (let fold = 0; fold < FOLDS; fold++) {
      const train = all.filter((row) => own[row] !== fold)
      const test = all.filter((row) => own[row] === fold)
      const data = { x: selectRows(x, train), y: selectValues(y, train), categorical }
      const model = fit(ours[setting], data, { seed: 1 })
      const tested = predictor(model).scoreMatrix(selectRows(x, test))
      test.forEach((row, i) => (scores[repeat * y.length + row] = tested[i]!))
    }
  }
  return scores
}

function aucOfFolds({ y, folds }: Task, scores: Float64Array): number[] {
  const aucs: number[] = []
  for (let start = 0; start < folds.length; start += y.length) {
    for (let fold = 0; fold < FOLDS; fold++) {
      const rows = Array.from(y.keys()).filter((row) => folds[start + row] === fold)
      const own = Float64Array.from(rows, (row) => scores[start + row])
      aucs.push(rocAuc(selectValues(y, rows), own))
    }
  }
  return aucs
}

function summarise(name: SourceName, { y }: Task, aucs: ReadonlyMap<string, number[]>): Figures {
  const figures: Record<string, number | string> = { [`${name}_rows`]: y.length }
  for (const engine of ['ours', ...peers]) {
    const own = aucs.get(engine)
    figures[`${name}_${engine}_auc`] = own === undefined ? 'absent' : significant(mean(own), 5)
  }
  const own = aucs.get('ours')
  const present = peers.filter((engine) => aucs.has(engine))
  if (own === undefined || present.length === 0) return figures
  const best = present.reduce((a, b) => (mean(aucs.get(b)!) > mean(aucs.get(a)!) ? b : a))
  const { difference, low, high } = pairedInterval(own, aucs.get(best)!)
  figures[`${name}_best_peer`] = best
  figures[`${name}_difference`] = significant(difference, 3)
  figures[`${name}_difference_low`] = significant(low, 3)
  figures[`${name}_difference_high`] = significant(high, 3)
  return figures
}

/** Student's t for 95 % by degrees of freedom: 25 or 5 folds. */
const T95: Readonly<Record<number, number>> = {
  24: 2.0639,
  19: 2.093,
  14: 2.1448,
  9: 2.2622,
  4: 2.7764,
}

/**
 * 95 % interval of the mean difference over folds, by the resampled t of Nadeau and Bengio (2003):
 * the training sets of folds overlap, so the variance of the mean is larger by test ÷ training rows.
 */
function pairedInterval(a: readonly number[], b: readonly number[]) {
  const differences = a.map((value, i) => value - b[i])
  const n = differences.length
  const difference = mean(differences)
  const variance = differences.reduce((sum, d) => sum + (d - difference) ** 2, 0) / (n - 1)
  const half = T95[n - 1] * Math.sqrt((1 / n + 1 / (FOLDS - 1)) * variance)
  return { difference, low: difference - half, high: difference + half }
}

function mean(list: readonly number[]): number {
  return list.reduce((sum, value) => sum + value, 0) / list.length
}

interface Peers {
  /** Undefined where the engine is not installed. */
  score(engine: string): Promise<Float64Array | undefined>
  stop(): void
}

function startPeers({ x, y, categorical, folds, repeats, setting }: Task, python?: string): Peers {
  const interpreter = python ?? join(import.meta.dirname, '.venv/bin/python')
  if (!existsSync(interpreter)) return { score: async () => undefined, stop: () => {} }
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  const features = x.columns.length
  const values = new Float64Array(x.rows * features)
  x.columns.forEach((column, feature) => {
    for (let row = 0; row < x.rows; row++) values[row * features + feature] = column[row]!
  })
  writeFileSync(join(folder, 'x.f64'), values)
  writeFileSync(join(folder, 'y.f64'), y)
  writeFileSync(join(folder, 'folds.u8'), folds)
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(
    interpreter,
    [join(import.meta.dirname, 'peers/learners.py'), folder],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const lines = createInterface({ input: child.stdout })
  const request = {
    setting,
    rows: x.rows,
    features,
    categorical: categorical.map((name) => x.names.indexOf(name)),
    repeats,
    folds: FOLDS,
    threads: 1,
  }
  return {
    async score(engine) {
      child.stdin.write(`${JSON.stringify({ ...request, engine })}\n`)
      const [line] = (await once(lines, 'line')) as [string]
      if ('absent' in (JSON.parse(line) as object)) return undefined
      return new Float64Array(new Uint8Array(readFileSync(join(folder, 'scores.f64'))).buffer)
    },
    stop() {
      child.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
