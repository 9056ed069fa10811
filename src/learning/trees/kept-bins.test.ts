import { describe, expect, test } from 'vitest'
import { fromRows } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { fit } from '../fit.ts'
import { boostedTrees, randomForest } from '../learners.ts'
import type { BinStore } from './kept-bins.ts'

const random = createRandom('kept bins')
const rows = Array.from({ length: 400 }, () => [
  random.next() < 0.1 ? NaN : random.normal(0, 1),
  random.int(7),
])
const x = fromRows(['a', 'b'], rows)
const y = Float64Array.from(rows, ([a, b]) => (random.normal(a || 0, 1) + b > 3 ? 1 : 0))
const data = { x, y, categorical: ['b'] }

describe('bins that are kept', () => {
  test.each([boostedTrees({ trees: 5 }), randomForest({ trees: 5 })])(
    'change no byte of a model (%o)',
    (spec) => {
      const bins: BinStore = new WeakMap()
      const models = [undefined, bins, bins].map((store) =>
        JSON.stringify(fit(spec, data, { seed: 1, ...(store && { bins: store }) })),
      )
      expect(models[1]).toBe(models[0])
      expect(models[2]).toBe(models[0])
      expect(bins.has(x)).toBe(true)
    },
  )

  test('are those of the number of bins and the categories that are asked for', () => {
    const bins: BinStore = new WeakMap()
    for (const [own, categorical] of [
      [255, ['b']],
      [16, ['b']],
      [16, []],
    ] as const) {
      const spec = boostedTrees({ trees: 5, bins: own })
      const kept = fit(spec, { x, y, categorical }, { seed: 1, bins })
      expect(kept).toEqual(fit(spec, { x, y, categorical }, { seed: 1 }))
    }
  })
})
