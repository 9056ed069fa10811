// The laws of models (`estimator.test.ts`) that apply to those that were not learnt here.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AssayError } from '../../lib/errors.ts'
import { readRow, selectColumns } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { dataOf, FEATURES } from '../estimator.cases.ts'
import { MODEL_FORMAT } from '../model.ts'
import { predictor } from '../predictor.ts'
import type { ImportedHead, ImportedModel } from './model.ts'
import { randomEnsemble } from './oracle.cases.ts'

const { x } = dataOf('binary', 200)
const width = FEATURES.length

function ensemble(arithmetic: 'float32' | 'float64', special: boolean): ImportedModel {
  const shape = { arithmetic, margins: 3, trees: 12, depth: 5, features: width, special }
  const model = randomEnsemble(createRandom('laws'), { ...shape, vectors: false })
  const outputs = ['low', 'middle', 'high']
  const activation = { kind: 'softmax' } as const
  return { ...model, features: FEATURES, task: 'multiclass', outputs, activation }
}

const head: ImportedHead & { kind: 'linear-map' } = {
  format: MODEL_FORMAT,
  kind: 'linear-map',
  features: FEATURES,
  task: 'binary',
  outputs: ['score'],
  source: { engine: 'onnx', version: '', objective: '' },
  steps: [
    { kind: 'impute', values: [0, 5, 5, 1, 7, 0] },
    { kind: 'scale', offsets: [0, 5, 5, 1, 7, 0], scales: [1, 0.5, 0.25, 1, 1, 1] },
    { kind: 'normalize', norm: 'l2' },
  ],
  activation: { kind: 'sigmoid', slope: 1 },
  arithmetic: 'float32',
}

const models: Record<string, ImportedModel> = {
  'an ensemble in float32': ensemble('float32', false),
  'an ensemble with categories': ensemble('float64', true),
  'an ensemble behind steps': { ...ensemble('float32', false), steps: head.steps },
  'a linear map': {
    ...head,
    intercepts: [0.5],
    coefficients: [[1, -1, 0.5, 0.25, 0, 0]],
    skipsMissing: false,
  },
  'a linear map that skips what is missing': {
    ...head,
    steps: [],
    intercepts: [0.5],
    coefficients: [[1, -1, 0.5, 0.25, 0, 0]],
    skipsMissing: true,
  },
}

describe.each(Object.entries(models))('%s', (_, model) => {
  const ready = predictor(model)

  test('survives a round trip through JSON exactly', () => {
    const back = predictor(JSON.parse(JSON.stringify(model)) as ImportedModel)
    expect(back.predictMatrix(x)).toEqual(ready.predictMatrix(x))
  })

  test('scores a row as it scores a matrix, whatever the order of its columns', () => {
    const all = ready.predictMatrix(x)
    const turned = selectColumns(x, [...FEATURES].reverse())
    expect(ready.predictMatrix(turned)).toEqual(all)
    const outputs = ready.outputs.length
    expect(ready.predict(readRow(x, 3))).toEqual(all.slice(3 * outputs, 4 * outputs))
  })

  test('scores rows with any value missing, into chances', () => {
    const all = ready.predictMatrix(x)
    expect(all.every((chance) => chance >= 0 && chance <= 1)).toBe(true)
    for (let j = 0; j < width; j++) {
      const row = readRow(x, 0)
      row[j] = NaN
      expect(ready.predict(row).every((chance) => chance >= 0 && chance <= 1)).toBe(true)
    }
  })

  test('refuses rows and matrices of another shape, and has no explanations', () => {
    expect(() => ready.predict(new Float64Array(width - 1))).toThrow('takes 6 features')
    expect(() => ready.predictMatrix(selectColumns(x, ['a', 'b']))).toThrow('feature "c"')
    expect(() => ready.explain(readRow(x, 0))).toThrow(AssayError)
  })

  test('leaves the rows that it scores as they are', () => {
    const row = readRow(x, 1)
    const before = [...row]
    ready.predict(row)
    expect([...row]).toEqual(before)
  })
})

/** Puts something else in one place of a JSON value, found by numbers. */
function damage(value: any, path: readonly number[], instead: unknown): void {
  let at = value
  for (const step of path) {
    const keys = Object.keys(at)
    const key = keys[step % keys.length]
    const inside = at[key]
    if (typeof inside !== 'object' || inside === null || Object.keys(inside).length === 0) {
      at[key] = instead
      return
    }
    if (step % 5 === 0) {
      at[key] = instead
      return
    }
    at = inside
  }
}

test.each(Object.entries(models))('%s, damaged anywhere, is scored or refused', (_, model) => {
  const values = fc.constantFrom(null, -1, 1.5, 1e308, 2 ** 31, 'x', 'xyz', [], {}, true, [null])
  const path = fc.array(fc.nat(1000), { minLength: 6, maxLength: 6 })
  fc.assert(
    fc.property(path, values, (steps, instead) => {
      const copy = JSON.parse(JSON.stringify(model)) as ImportedModel
      damage(copy, steps, instead)
      try {
        const ready = predictor(copy)
        ready.predict(new Float64Array(ready.features.length))
      } catch (error) {
        if (!(error instanceof AssayError)) throw error
      }
    }),
    { numRuns: 150 },
  )
})

test('a sum of shares of chances is one', () => {
  for (const kind of ['softmax', 'sigmoid-share'] as const) {
    const chances = predictor({ ...ensemble('float32', false), activation: { kind } })
    const [low, middle, high] = chances.predict(readRow(x, 0))
    expect(low + middle + high).toBeCloseTo(1, 12)
  }
})

test('numbers come out of margins as their objective has it', () => {
  const { steps: _, ...rest } = head
  const linear = { ...rest, steps: [], intercepts: [-2], skipsMissing: true }
  const coefficients = [new Array<number>(width).fill(0)]
  const value = (activation: ImportedHead['activation']) =>
    predictor({ ...linear, task: 'regression', coefficients, activation }).score(readRow(x, 0))
  expect(value({ kind: 'identity' })).toBe(-2)
  expect(value({ kind: 'exp' })).toBeCloseTo(Math.exp(-2), 14)
  expect(value({ kind: 'softplus' })).toBeCloseTo(Math.log1p(Math.exp(-2)), 14)
  expect(value({ kind: 'signed-square' })).toBe(-4)
  expect(value({ kind: 'sigmoid', slope: 2 })).toBeCloseTo(1 / (1 + Math.exp(4)), 14)
})
