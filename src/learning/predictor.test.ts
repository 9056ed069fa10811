import { expect, test } from 'vitest'
import { fit } from './fit.ts'
import { linearRegression } from './learners.ts'
import type { TrainedModel } from './model.ts'
import { predictor } from './predictor.ts'

const x = { names: ['a'], rows: 4, columns: [Float64Array.of(1, 2, 3, 4)] }
const model = fit(linearRegression({ l2: 1 }), { x, y: Float64Array.of(1, 2, 3, 5) }, { seed: 1 })

test('finite numbers never come out as none: a model whose numbers are too large is refused', () => {
  const damaged = { ...model, coefficients: [1e308], scales: [1e-300] } as unknown as TrainedModel
  const ready = predictor(damaged)
  const row = Float64Array.of(9)
  for (const ask of [
    () => ready.margin(row),
    () => ready.score(row),
    () => ready.predict(row),
    () => ready.predictMatrix(x),
    () => ready.explain(row),
  ]) {
    expect(ask).toThrow('too large')
  }
  expect(predictor(model).predict(row).every(Number.isFinite)).toBe(true)
})
