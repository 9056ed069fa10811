import { beforeEach, describe, expect, test } from 'vitest'
import {
  bank,
  bankProject,
  by,
  paymentsTable,
  where,
  type Bank,
} from '../../../test/trained-bank.ts'
import type { OutsideModel } from '../../decisions/index.ts'
import { predictor } from '../../learning/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import { sha256Hex } from '../../lib/hash.ts'
import type { Matrix } from '../../lib/matrix.ts'
import { servingErrors } from '../../serving/index.ts'
import { type AdoptableOutside, adoptOn, type AdoptRequest } from './adopt.ts'
import { deploymentDocument } from './promote.ts'
import { fitDeclared } from './train.ts'

const table = paymentsTable({ seed: 5 })
const project = bankProject()
const [trees] = project.models
let home: Bank

beforeEach(() => {
  home = bank()
})

const brought = { model: 'boost', version: 2, hash: 'f'.repeat(64), trainedBy: ['python'] }
const { model } = fitDeclared(trees, project, table, () => undefined)
const adopt = (over: Partial<AdoptRequest> = {}) =>
  adoptOn(table, { project, brought, model, names: {}, ...over }, { ...home, ...where, by })

const chances = (x: Matrix) => predictor(model).scoreMatrix(x)

/** The same model as another process would compute it. */
function outside(): AdoptableOutside {
  return {
    kind: 'outside',
    inputs: model.features.map((name) => ({ name, datatype: 'FP32', shape: [-1, 1] })),
    score: async (x) => chances(x),
    async document(golden) {
      const text = `${golden.rows} rows`
      return { text, hash: sha256Hex(text) }
    },
  }
}

describe('a model that was brought', () => {
  test('becomes a version of the project’s model, measured and held against its gate', async () => {
    const { version, gate } = await adopt()
    expect(version).toMatchObject({
      model: 'card-fraud',
      build: { declaration: 'boost-2', learner: { kind: 'brought', model: 'boost', version: 2 } },
    })
    expect(version.trainedBy).toContain('python')
    expect(gate.passed).toBe(true)
    const document = deploymentDocument(
      project,
      version,
      await home.registry.modelJson('card-fraud', version.version),
    )
    expect(document.model.body).toMatchObject({ features: model.features })
    const run = await home.tracking.run(version.build.runId)
    expect(run.params).toMatchObject({ brought_from: 'boost@2' })
  })

  test('measures as the same model does that was trained here', async () => {
    const own = await adopt({ model })
    const names = Object.fromEntries(model.features.map((name, i) => [`f${i}`, name]))
    const renamed = { ...model, features: model.features.map((_, i) => `f${i}`) }
    home = bank()
    const other = await adopt({ model: renamed, names })
    expect(other.version.metrics).toEqual(own.version.metrics)
    expect(other.version.modelHash).toBe(own.version.modelHash)
  })

  test('that is computed elsewhere measures as it does here, and keeps the document that serves it', async () => {
    const own = await adopt({ model })
    home = bank()
    const other = await adopt({ model: outside() })
    expect(other.version.metrics).toEqual(own.version.metrics)
    expect(other.version.thresholds).toEqual(own.version.thresholds)
    expect(other.version.kind).toBe('outside')
    const { model: name, version } = other.version
    const json = await home.registry.modelJson(name, version)
    const { features } = model
    expect(JSON.parse(json)).toEqual({ kind: 'outside', features, served: sha256Hex('32 rows') })
    const file = await home.tracking.artifact(other.version.build.runId, 'served-model.json')
    expect([file.sha256, Buffer.from(file.bytes).toString()]).toEqual([
      sha256Hex('32 rows'),
      '32 rows',
    ])
    const document = deploymentDocument(project, other.version, json)
    expect(document.model.body).toEqual(JSON.parse(json))
  })

  test('that is computed elsewhere is compared with as the champion', async () => {
    const ports = { ...home, ...where, by }
    const champion = await adoptOn(table, { project, brought, model: outside(), names: {} }, ports)
    const { model: name, version } = champion.version
    await home.registry.changeStatus(name, version, 'approved', by)
    await home.registry.goLive(name, version, 'card', by)
    const next = { project, brought: { ...brought, version: 3 }, model, names: {} }
    await expect(adoptOn(table, next, ports)).rejects.toMatchObject({
      code: 'outside_model_unasked',
    })
    const scoreOutside = async (_: OutsideModel, x: Matrix) => chances(x)
    const { gate } = await adoptOn(table, next, { ...ports, scoreOutside })
    expect(gate.evidence.champion).toMatchObject({ version, difference: 0 })
  })

  test('that has no chance for some row is refused, and the usual cause is named', async () => {
    const refusing = {
      ...outside(),
      score: async () => {
        throw servingErrors.inference_failed('It answered NaN for row 3.')
      },
    }
    await expect(adopt({ model: refusing })).rejects.toMatchObject({
      code: 'adopted_unmeasured',
      detail: /^It answered NaN for row 3\. CUSTOMER_COUNT_1D is missing in 1 of \d+ rows\.$/,
    })
  })

  test('whose inputs no feature answers is refused, and every one is named', async () => {
    const features = ['AMUNT', 'customer_count_1d', ...model.features.slice(2)]
    const refused = await adopt({
      model: { ...model, features },
      names: { other: 'AMOUNT' },
    }).catch((error: unknown) => error)
    expect(isAssayError(refused, 'inputs_unbound')).toBe(true)
    expect((refused as Error & { detail: string }).detail).toContain('"AMUNT"')
    expect((refused as Error & { detail: string }).detail).toContain('is written otherwise')
    expect((refused as Error & { detail: string }).detail).toContain('no input "other"')
  })
})
