// Boosted trees from a raw float32 matrix to the model, binning included: ours beside LightGBM,
// XGBoost and scikit-learn, in turns, so that what else the machine does falls on all alike.
// `bench/peers/install.sh` installs the peers; without them their rows say "absent".
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { monotonicUs } from '../src/lib/clock.ts'
import type { Matrix } from '../src/lib/matrix.ts'
import { boostedTrees, fit, predictor, rocAuc } from '../src/learning/index.ts'
import { significant } from './features-measure.ts'
import type { BenchOptions, Figures } from './run.ts'
import { drawTable, type Shape, type ShapeName, shapes, type Table } from './training-shapes.ts'

const peers = ['lightgbm', 'xgboost', 'sklearn'] as const

interface Trained {
  readonly s: number
  readonly auc: number
}

interface Task {
  readonly train: Table
  readonly test: Table
  readonly trees: number
  readonly depth: number
  /** Features that hold codes of categories. */
  readonly categorical: readonly number[]
}

/**
 * `--shape mixed-30` (or wide, tall, rare, codes), `--trees 200`, `--depth 6`, `--rounds 3`, `--threads 1`,
 * `--only ours,lightgbm,…`, `--python PATH`. The shortest time of the rounds counts.
 */
export async function run(options: BenchOptions, say: (line: string) => void): Promise<Figures> {
  const shape = (options.shape ?? 'mixed-30') as ShapeName
  if (!(shape in shapes))
    throw new RangeError(`--shape is one of ${Object.keys(shapes).join(', ')}`)
  const rounds = Number(options.rounds ?? 3)
  const threads = Number(options.threads ?? 1)
  const only = options.only?.split(',') ?? ['ours', ...peers]
  const task: Task = {
    train: drawTable(shape, 'train'),
    test: drawTable(shape, 'test'),
    trees: Number(options.trees ?? 200),
    depth: Number(options.depth ?? 6),
    categorical: [...((shapes[shape] as Shape).codes ?? []).keys()],
  }
  const theirs = await startPeers(task, options.python)
  const found = new Map<string, Trained[]>()
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const engine of only) {
        const trained =
          engine === 'ours' ? trainOurs(task, threads) : await theirs.train(engine, threads)
        if (trained === undefined) continue
        say(`round ${round} ${engine}: ${trained.s.toFixed(2)} s, AUC ${trained.auc.toFixed(5)}`)
        found.set(engine, [...(found.get(engine) ?? []), trained])
      }
    }
  } finally {
    theirs.stop()
  }
  const figures = summarise(shape, task, threads, only, found)
  // The raw table is part of it; the peers run in a process of their own.
  return { ...figures, memory_max_bytes: process.resourceUsage().maxRSS * 1024 }
}

function summarise(
  shape: ShapeName,
  { train, trees, depth }: Task,
  threads: number,
  only: readonly string[],
  found: ReadonlyMap<string, readonly Trained[]>,
): Figures {
  const figures: Record<string, number | string> = {
    shape,
    rows: train.rows,
    features: train.features,
    trees,
    depth,
    threads,
  }
  const shortest = (engine: string) => Math.min(...(found.get(engine) ?? []).map(({ s }) => s))
  for (const engine of only) {
    const own = found.get(engine)
    figures[`${engine}_s`] = own === undefined ? 'absent' : significant(shortest(engine))
    if (own !== undefined) figures[`${engine}_auc`] = significant(own[0].auc, 6)
  }
  for (const engine of only.filter((name) => name !== 'ours' && found.has(name))) {
    figures[`ratio_vs_${engine}_${threads}t`] = significant(shortest(engine) / shortest('ours'), 3)
  }
  return figures
}

function trainOurs({ train, test, trees, depth, categorical }: Task, threads: number): Trained {
  const spec = boostedTrees({ trees, depth, bins: 255 })
  const startUs = monotonicUs()
  const y = Float64Array.from(train.labels)
  const x = matrixOf(train)
  const codes = categorical.map((feature) => x.names[feature])
  const model = fit(spec, { x, y, categorical: codes }, { seed: 1, threads })
  const s = (monotonicUs() - startUs) / 1e6
  const scores = predictor(model).scoreMatrix(matrixOf(test))
  return { s, auc: rocAuc(Float64Array.from(test.labels), scores) }
}

function matrixOf({ rows, features, values }: Table): Matrix {
  const columns = Array.from({ length: features }, (_, feature) => {
    const column = new Float64Array(rows)
    for (let row = 0, at = feature; row < rows; row++, at += features) column[row] = values[at]!
    return column
  })
  return { names: columns.map((_, feature) => `f${feature}`), rows, columns }
}

interface Peers {
  /** Undefined where the engine is not installed. */
  train(engine: string, threads: number): Promise<Trained | undefined>
  stop(): void
}

async function startPeers(task: Task, python?: string): Promise<Peers> {
  const { train, test, trees, depth, categorical } = task
  const interpreter = python ?? join(import.meta.dirname, '.venv/bin/python')
  if (!existsSync(interpreter)) return { train: async () => undefined, stop: () => {} }
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  writeFileSync(join(folder, 'train.f32'), train.values)
  writeFileSync(join(folder, 'train.y'), train.labels)
  writeFileSync(join(folder, 'test.f32'), test.values)
  const script = join(import.meta.dirname, 'peers/training.py')
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(
    interpreter,
    [script, folder],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const lines = createInterface({ input: child.stdout })
  const labels = Float64Array.from(test.labels)
  return {
    async train(engine, threads) {
      const request = { engine, threads, trees, depth, features: train.features, categorical }
      child.stdin.write(`${JSON.stringify(request)}\n`)
      const [line] = (await once(lines, 'line')) as [string]
      const answer = JSON.parse(line) as { s: number } | { absent: true }
      if ('absent' in answer) return undefined
      const bytes = readFileSync(join(folder, 'scores.f64'))
      const scores = new Float64Array(new Uint8Array(bytes).buffer)
      return { s: answer.s, auc: rocAuc(labels, scores) }
    },
    stop() {
      child.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
