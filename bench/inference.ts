// Scoring with boosted trees: our engine beside LightGBM, ONNX Runtime and XGBoost on the very same
// trees, on one thread, in turns. `bench/peers/install.sh` installs the peers; without them their
// rows say "absent".
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { type Matrix, readRow, selectRows } from '../src/lib/matrix.ts'
import { createEnsembleEngine } from '../src/learning/ensemble/engine.ts'
import { flattenEnsemble } from '../src/learning/ensemble/forest.ts'
import {
  boostedTrees,
  type BoostedTreesModel,
  fit,
  predictor,
  type TreeEnsembleModel,
} from '../src/learning/index.ts'
import { readModelFile, writeModelFile } from '../src/registry/index.ts'
import { cpuSeconds, significant } from './features-measure.ts'
import { lightgbmText } from './inference-model.ts'
import type { BenchOptions, Figures } from './run.ts'
import { drawTable, type Table } from './training-shapes.ts'

const peers = ['lightgbm', 'onnxruntime', 'xgboost'] as const

const walks = ['pointer', 'branchless'] as const

/** Microseconds of processor a row. */
interface Times {
  readonly single: number
  readonly batch: number
}

interface Peers {
  /** Undefined where the engine is not installed. */
  time(engine: string): Promise<Times | undefined>
  /** The margins of the rows as the engine gave them in the last call of `time`. */
  margins(): Float64Array
  stop(): void
}

/**
 * `--trees 200`, `--depth 6`, `--leaves N` (leaf-wise up to that depth), `--rows 10000`, `--rounds 3`,
 * `--python PATH`. The shortest time of the rounds counts.
 */
export async function run(options: BenchOptions, say: (line: string) => void): Promise<Figures> {
  const rows = Number(options.rows ?? 10_000)
  const table = drawTable('mixed-30', 'test')
  const model = train(table, options)
  const x = selectRows(
    matrixOf(table),
    Uint32Array.from({ length: rows }, (_, row) => row),
  )
  const text = lightgbmText(model)
  const imported = readModelFile(new TextEncoder().encode(text)) as TreeEnsembleModel
  const ours = predictor(imported)
  say(`${model.trees.length} trees of up to ${most(model)} leaves`)
  const theirs = await startPeers(model, text, table, rows, options.python)
  const found = new Map<string, Times>()
  const parity: Record<string, number> = {}
  try {
    for (let round = 0; round < Number(options.rounds ?? 3); round++) {
      note(found, 'ours', timeOurs(ours, x))
      for (const walk of walks) {
        note(found, walk, timeWalk(imported, walk, x))
      }
      for (const engine of peers) {
        const times = await theirs.time(engine)
        if (times === undefined) continue
        note(found, engine, times)
        parity[engine] = greatestDifference(ours, x, theirs.margins())
      }
    }
  } finally {
    theirs.stop()
  }
  return summarise(model, rows, found, parity)
}

export function train(table: Table, options: BenchOptions): BoostedTreesModel {
  const depth = Number(options.depth ?? 6)
  const leaves = options.leaves === undefined ? undefined : Number(options.leaves)
  const shape = leaves === undefined ? { depth } : { depth, leaves, growth: 'leaf-wise' as const }
  const spec = boostedTrees({ trees: Number(options.trees ?? 200), ...shape })
  const data = { x: matrixOf(table), y: Float64Array.from(table.labels) }
  const model = fit(spec, data, { seed: 1 })
  if (model.kind !== 'boosted-trees') throw new Error('another kind of model')
  return model
}

function most({ trees }: BoostedTreesModel): number {
  return trees.reduce((found, tree) => Math.max(found, (tree.feature.length + 1) / 2), 0)
}

export function matrixOf({ rows, features, values }: Table): Matrix {
  const columns = Array.from({ length: features }, (_, feature) => {
    const column = new Float64Array(rows)
    for (let row = 0, at = feature; row < rows; row++, at += features) column[row] = values[at]
    return column
  })
  return { names: columns.map((_, feature) => `f${feature}`), rows, columns }
}

function note(found: Map<string, Times>, engine: string, times: Times): void {
  const before = found.get(engine) ?? { single: Infinity, batch: Infinity }
  found.set(engine, {
    single: Math.min(before.single, times.single),
    batch: Math.min(before.batch, times.batch),
  })
}

/** As a decision asks (checks, margin, probability), and as a batch does. */
function timeOurs(ours: ReturnType<typeof predictor>, x: Matrix): Times {
  const rows = rowsOf(x)
  const single = timed(x.rows, () => {
    for (const row of rows) ours.score(row)
  })
  return { single, batch: timed(x.rows, () => ours.scoreMatrix(x)) }
}

/** The margins alone, by one walk; the pointer walk stands in where the other one cannot be. */
function timeWalk(model: TreeEnsembleModel, walk: (typeof walks)[number], x: Matrix): Times {
  const engine = createEnsembleEngine(flattenEnsemble(model), walk)
  const rows = rowsOf(x)
  const into = new Float64Array(1)
  const all = new Float64Array(x.rows)
  const single = timed(x.rows, () => {
    for (const row of rows) engine.margins(row, into)
  })
  return { single, batch: timed(x.rows, () => engine.marginsOfColumns(x.columns, x.rows, all)) }
}

function rowsOf(x: Matrix): Float64Array[] {
  return Array.from({ length: x.rows }, (_, row) => readRow(x, row))
}

/** Microseconds of processor a row, once warm: steadier than the clock on a machine that works. */
function timed(rows: number, work: () => void): number {
  work()
  const beforeS = cpuSeconds()
  work()
  return ((cpuSeconds() - beforeS) * 1e6) / rows
}

/** Greatest difference of margins, relative to the greater of 1 and the margin. */
function greatestDifference(
  ours: ReturnType<typeof predictor>,
  x: Matrix,
  margins: Float64Array,
): number {
  const row = new Float64Array(x.columns.length)
  return margins.reduce((greatest, margin, index) => {
    const own = ours.margin(readRow(x, index, row))
    return Math.max(greatest, Math.abs(own - margin) / Math.max(1, Math.abs(margin)))
  }, 0)
}

function summarise(
  model: BoostedTreesModel,
  rows: number,
  found: ReadonlyMap<string, Times>,
  parity: Readonly<Record<string, number>>,
): Figures {
  const figures: Record<string, number | string> = {
    trees: model.trees.length,
    leaves: most(model),
    features: model.features.length,
    rows,
  }
  const ours = found.get('ours')!
  for (const engine of ['ours', ...walks, ...peers]) {
    const times = found.get(engine)
    figures[`${engine}_single_us`] = times === undefined ? 'absent' : significant(times.single)
    figures[`${engine}_batch_us`] = times === undefined ? 'absent' : significant(times.batch)
  }
  for (const engine of peers) {
    const times = found.get(engine)
    if (times === undefined) continue
    figures[`ratio_vs_${engine}_single`] = significant(times.single / ours.single, 3)
    figures[`ratio_vs_${engine}_batch`] = significant(times.batch / ours.batch, 3)
    figures[`difference_to_${engine}`] = significant(parity[engine], 3)
  }
  return figures
}

async function startPeers(
  model: BoostedTreesModel,
  text: string,
  table: Table,
  rows: number,
  python?: string,
): Promise<Peers> {
  const interpreter = python ?? join(import.meta.dirname, '.venv/bin/python')
  if (!existsSync(interpreter)) {
    return { time: async () => undefined, margins: () => new Float64Array(0), stop: () => {} }
  }
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  writeFileSync(join(folder, 'model.txt'), text)
  writeFileSync(join(folder, 'model.json'), writeModelFile(model, 'xgboost-json'))
  writeFileSync(join(folder, 'model.onnx'), writeModelFile(model, 'onnx'))
  writeFileSync(join(folder, 'rows.f32'), table.values.subarray(0, rows * table.features))
  const script = join(import.meta.dirname, 'peers/inference.py')
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(
    interpreter,
    [script, folder, String(table.features)],
    { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, OMP_NUM_THREADS: '1' } },
  )
  const lines = createInterface({ input: child.stdout })
  return {
    async time(engine) {
      child.stdin.write(`${JSON.stringify({ engine })}\n`)
      const [line] = (await once(lines, 'line')) as [string]
      const answer = JSON.parse(line) as Times | { absent: true }
      return 'absent' in answer ? undefined : answer
    },
    margins() {
      const bytes = readFileSync(join(folder, 'margins.f64'))
      return new Float64Array(new Uint8Array(bytes).buffer)
    },
    stop() {
      child.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
