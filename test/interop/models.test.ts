// Models of XGBoost and LightGBM read here, and ours read by XGBoost and ONNX Runtime.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { fromRows } from '../../src/lib/matrix.ts'
import { createRandom } from '../../src/lib/random.ts'
import {
  boostedTrees,
  fit,
  type ImportedModel,
  logisticRegression,
  predictor,
  type TrainedModel,
} from '../../src/learning/index.ts'
import { readModelFile, writeModelFile } from '../../src/registry/index.ts'
import { repositoryRoot } from '../source-text.ts'
import { needs, toolPath } from '../tools.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-models-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Table = (number | null)[][]
const rowsOf = (table: Table) => table.map((row) => Float64Array.from(row, (value) => value ?? NaN))

function peers(...args: string[]): void {
  const script = join(repositoryRoot, 'bench/peers/random_models.py')
  const env = { ...process.env, OMP_NUM_THREADS: '1' }
  execFileSync(toolPath('tree-libraries'), [script, ...args], { env, stdio: 'pipe' })
}

/** The outputs of the model without its activation. */
function margins(model: ImportedModel, rows: readonly Float64Array[]): number[][] {
  const bare = { ...model, task: 'regression', activation: { kind: 'identity' } } as ImportedModel
  const ready = predictor(bare)
  return rows.map((row) => [...ready.predict(row)])
}

test.skipIf(!needs('tree-libraries'))(
  'random models have the margins of XGBoost bit for bit, and of LightGBM to 1e-12',
  { timeout: 120_000 },
  () => {
    peers('make', folder, '0', '12')
    const made = JSON.parse(readFileSync(join(folder, 'models.json'), 'utf8')) as {
      engine: string
      files: string[]
      params: string
      rows: Table
      margins: number[][]
    }[]
    for (const { engine, files, params, rows, margins: wanted } of made) {
      for (const file of files) {
        const model = readModelFile(readFileSync(join(folder, file)))
        const found = margins(model, rowsOf(rows))
        if (engine === 'xgboost') expect(found, params).toEqual(wanted)
        found.flat().forEach((value, index) => {
          const own = wanted.flat()[index]
          expect(Math.abs(value - own), params).toBeLessThanOrEqual(1e-12 * Math.abs(own))
        })
      }
    }
  },
)

/** float32 values with missing ones and, last, codes of categories. */
function drawRows(count: number, label: string): number[][] {
  const random = createRandom(label)
  return Array.from({ length: count }, () =>
    [
      random.normal(0, 1),
      random.uniform(0, 10),
      random.next() < 0.2 ? NaN : random.normal(5, 2),
      random.int(14),
    ].map(Math.fround),
  )
}

function ourModels(): Record<string, TrainedModel> {
  const table = drawRows(400, 'training')
  const x = fromRows(['a', 'b', 'c', 'code'], table)
  const signal = table.map(
    ([a, b, c, code]) => 2 * a + (b > 6 ? 1 : -1) + (c > 5 ? 1 : 0) + (code % 3),
  )
  const y = (label: (s: number) => number) => Float64Array.from(signal, label)
  const two = { x, y: y((s) => (s > 1 ? 1 : 0)) }
  const shape = { trees: 12, depth: 5 }
  const seed = { seed: 1 }
  return {
    binary: fit(boostedTrees(shape), two, seed),
    categories: fit(
      boostedTrees({ ...shape, categories: { groupRows: 5 } }),
      { ...two, categorical: ['code'] },
      seed,
    ),
    classes: fit(
      boostedTrees({ ...shape, objective: 'softmax' }),
      { x, y: y((s) => (s > 2 ? 2 : s > 0 ? 1 : 0)), classes: ['low', 'middle', 'high'] },
      seed,
    ),
    counts: fit(
      boostedTrees({ ...shape, objective: 'poisson' }),
      { x, y: y((s) => Math.floor(Math.abs(s))) },
      seed,
    ),
    linear: fit(logisticRegression(), two, seed),
  }
}

test.skipIf(!needs('tree-libraries'))(
  'what is written has in XGBoost the very margins that it has here, in ONNX Runtime those of float32',
  { timeout: 120_000 },
  () => {
    const asked = drawRows(100, 'asked')
    const files: string[] = []
    for (const [name, model] of Object.entries(ourModels())) {
      for (const format of ['xgboost-json', 'onnx'] as const) {
        if (name === (format === 'onnx' ? 'categories' : 'linear')) continue
        const file = `${name}.${format === 'onnx' ? 'onnx' : 'json'}`
        writeFileSync(join(folder, file), writeModelFile(model, format))
        files.push(file)
      }
    }
    writeFileSync(join(folder, 'written.json'), JSON.stringify({ rows: asked, files }))
    peers('read', folder)
    const answers = JSON.parse(readFileSync(join(folder, 'answers.json'), 'utf8')) as Record<
      string,
      number[][]
    >
    const rows = asked.map((row) => Float64Array.from(row))
    for (const file of files) {
      const found = margins(readModelFile(readFileSync(join(folder, file))), rows)
      if (file.endsWith('.json')) expect(found, file).toEqual(answers[file])
      found.flat().forEach((value, index) => {
        expect(Math.abs(value - answers[file].flat()[index]), file).toBeLessThan(5e-6)
      })
    }
  },
)
