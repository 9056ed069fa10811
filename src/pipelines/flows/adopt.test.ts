import { beforeEach, describe, expect, test } from 'vitest'
import {
  bank,
  bankProject,
  by,
  paymentsTable,
  where,
  type Bank,
} from '../../../test/trained-bank.ts'
import { isAssayError } from '../../lib/errors.ts'
import { adoptOn, type AdoptRequest } from './adopt.ts'
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
