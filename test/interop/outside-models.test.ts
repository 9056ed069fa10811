// Models of scikit-learn that only ONNX Runtime computes, beside what scikit-learn itself says.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { isOnnxRuntimeInstalled, openOnnxModel } from '../../src/adapters/onnx/index.ts'
import { fromRows } from '../../src/lib/matrix.ts'
import { repositoryRoot } from '../source-text.ts'
import { needs, toolPath } from '../tools.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-outside-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Made {
  readonly rows: number[][]
  readonly expected: number[][]
  readonly classes: readonly string[] | null
}

test.skipIf(!needs('sklearn-onnx') || !isOnnxRuntimeInstalled())(
  'a classifier gives the chances of its classes, as a map or as a table, and a regression its value',
  { timeout: 120_000 },
  async () => {
    const script = join(repositoryRoot, 'bench/peers/outside_models.py')
    execFileSync(toolPath('sklearn-onnx'), [script, folder], { stdio: 'pipe' })
    const files = readdirSync(folder).filter((name) => name.endsWith('.onnx'))
    expect(files.length).toBeGreaterThan(30)
    for (const file of files) {
      const text = readFileSync(join(folder, file.replace('.onnx', '.json')), 'utf8')
      const { rows, expected, classes } = JSON.parse(text) as Made
      const model = await openOnnxModel(new Uint8Array(readFileSync(join(folder, file))), {})
      const task = classes === null ? 'regression' : classes.length === 2 ? 'binary' : 'multiclass'
      expect(model.task, file).toBe(task)
      // The name of a class is in the maps, and in a table's graph only sometimes.
      if (file.endsWith('-three-maps.onnx')) expect(model.outputs).toEqual(classes)
      const found = await model.predictMatrix(fromRows(model.features, rows))
      const wanted = expected.flatMap((row) => row.slice(-model.outputs.length))
      expect(found).toHaveLength(wanted.length)
      wanted.forEach((value, i) => expect(found[i], file).toBeCloseTo(value, 5))
      await model.close()
    }
  },
)
