import { expect, test } from 'vitest'
import { fromRows, readRow } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { fit } from '../fit.ts'
import { boostedTrees } from '../learners.ts'
import { predictor } from '../predictor.ts'
import { createEnsembleEngine } from './engine.ts'
import { flattenEnsemble } from './forest.ts'
import { bodyOfTrees } from './own-trees.ts'

test('our own trees have the same margins by the engine, bit for bit, categories included', () => {
  const random = createRandom('own trees')
  const rows = Array.from({ length: 300 }, () => [
    random.normal(0, 1),
    random.next() < 0.2 ? NaN : random.uniform(0, 10),
    random.int(9),
  ])
  const x = fromRows(['a', 'b', 'code'], rows)
  const y = Float64Array.from(rows, ([a, , code]) => (a + 3 * (code % 3) > 3 ? 1 : 0))
  for (const categorical of [[], ['code']]) {
    const spec = boostedTrees({ trees: 9, depth: 5, categories: { groupRows: 5 } })
    const model = fit(spec, { x, y, categorical }, { seed: 1 })
    if (model.kind !== 'boosted-trees') throw new Error('another kind of model')
    const forest = flattenEnsemble(bodyOfTrees(model.features, [model.base], model.trees))
    expect(forest.hasSpecial).toBe(categorical.length > 0)
    const engine = createEnsembleEngine(forest)
    const own = predictor(model)
    const into = new Float64Array(1)
    for (let i = 0; i < x.rows; i++) {
      const row = readRow(x, i)
      if (i % 7 === 0) row[2] = [NaN, 1.5, -1, 1e12][i % 4]
      engine.margins(row, into)
      expect(into[0]).toBe(own.margin(row))
    }
  }
})
