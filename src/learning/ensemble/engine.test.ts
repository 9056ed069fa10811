import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AssayError } from '../../lib/errors.ts'
import { fromRows } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { predictor } from '../predictor.ts'
import { createEnsembleEngine } from './engine.ts'
import { flattenEnsemble } from './forest.ts'
import type { TreeEnsembleModel } from './model.ts'
import {
  type EnsembleShape,
  marginsByDefinition,
  randomEnsemble,
  randomRow,
} from './oracle.cases.ts'

const shapes: fc.Arbitrary<EnsembleShape> = fc.record({
  arithmetic: fc.constantFrom('float32', 'float64'),
  margins: fc.integer({ min: 1, max: 3 }),
  trees: fc.integer({ min: 0, max: 11 }),
  depth: fc.integer({ min: 0, max: 7 }),
  features: fc.integer({ min: 1, max: 4 }),
  special: fc.boolean(),
  vectors: fc.boolean(),
})

describe('the engine of ensembles', () => {
  test.each(['pointer', 'branchless', 'branchless-stride', 'measured'] as const)(
    'gives the margins of the definition, bit for bit, by the %s walk',
    (walk) => {
      fc.assert(
        fc.property(shapes, fc.integer(), (shape, seed) => {
          const random = createRandom(seed)
          const model = randomEnsemble(random, shape)
          const engine = createEnsembleEngine(flattenEnsemble(model), walk)
          const rows = Array.from({ length: 70 }, () => randomRow(random, shape.features))
          const expected = rows.flatMap((row) => marginsByDefinition(model, row))
          const single = rows.flatMap((row) => {
            const into = new Float64Array(shape.margins)
            engine.margins(row, into)
            return [...into]
          })
          expect(single).toEqual(expected)
          const blocks = new Float64Array(expected.length)
          engine.marginsOfColumns(fromRows(model.features, rows).columns, rows.length, blocks)
          expect([...blocks]).toEqual(expected)
        }),
        { numRuns: walk === 'measured' ? 15 : 60 },
      )
    },
  )

  test('takes the pointer walk where nodes ask for categories', () => {
    const shape: EnsembleShape = {
      arithmetic: 'float64',
      margins: 1,
      trees: 9,
      depth: 4,
      features: 3,
      special: true,
      vectors: false,
    }
    const forest = flattenEnsemble(randomEnsemble(createRandom(3), shape))
    expect(forest.hasSpecial).toBe(true)
    expect(createEnsembleEngine(forest, 'branchless').walk).toBe('pointer')
  })
})

/** One split on the first feature: 1 at the left, 2 at the right. */
function stump(): TreeEnsembleModel {
  const model = randomEnsemble(createRandom(1), {
    arithmetic: 'float64',
    margins: 1,
    trees: 0,
    depth: 0,
    features: 2,
    special: false,
    vectors: false,
  })
  const tree = {
    output: 0,
    feature: [0, -1, -1],
    threshold: [0.5, 0, 0],
    decision: [0, 0, 0],
    left: [1, -1, -1],
    right: [2, -1, -1],
    value: [0, 1, 2],
  }
  return { ...model, base: [0], baseAdded: 'first', divisor: 1, trees: [tree] }
}

describe('a model from elsewhere', () => {
  test('scores rows and matrices, and refuses other shapes', () => {
    const model = predictor(stump())
    expect(model.margin(Float64Array.of(0.5, 0))).toBe(1)
    expect(model.margin(Float64Array.of(0.6, 0))).toBe(2)
    const x = fromRows(
      ['f1', 'f0'],
      [
        [9, 0.2],
        [9, NaN],
      ],
    )
    expect([...model.scoreMatrix(x)]).toEqual([1, 2])
    expect(() => model.margin(new Float64Array(1))).toThrow(AssayError)
    expect(() => model.scoreMatrix(fromRows(['f0'], [[1]]))).toThrow('feature "f1"')
    expect(() => model.explain(new Float64Array(2))).toThrow(AssayError)
  })

  test('is refused where its body is damaged, and says where', () => {
    const damage: [string, (model: any) => void][] = [
      ['how it adds up', (m) => (m.arithmetic = 'float16')],
      ['how it adds up', (m) => delete m.baseAdded],
      ['base', (m) => (m.base = [null])],
      ['divides by 0', (m) => (m.divisor = 0)],
      ['trees', (m) => (m.trees = {})],
      ['Tree 0 is empty', (m) => (m.trees[0] = null)],
      ['Tree 0 adds to margin 1', (m) => (m.trees[0].output = 1)],
      ['leaves of tree 0', (m) => (m.trees[0].value[2] = null)],
      ['Node 0 of tree 0', (m) => (m.trees[0].left[0] = 0)],
      ['Node 0 of tree 0', (m) => (m.trees[0].right[0] = 1)],
      ['Node 0 of tree 0', (m) => (m.trees[0].threshold[0] = null)],
      ['Node 0 of tree 0', (m) => (m.trees[0].feature[0] = 2)],
      ['Node 0 of tree 0', (m) => (m.trees[0].decision[0] = 64)],
      ['Node 0 of tree 0', (m) => (m.trees[0].decision[0] = 2)],
      ['no row reaches', (m) => (m.trees[0].feature[0] = -1)],
      ['ascending list', (m) => (m.trees[0].sets = [[3, 1]])],
      ['ascending', (m) => (m.trees[0].sets = [[2 ** 31]])],
      ['outputs', (m) => (m.outputs = [])],
      ['task', (m) => (m.task = 'magic')],
      ['activation', (m) => (m.activation = { kind: 'magic' })],
      ['steps', (m) => (m.steps = 3)],
      ['Step 0', (m) => (m.steps = [{ kind: 'impute', values: [1] }])],
      ['Step 0', (m) => (m.steps = [{ kind: 'magic' }])],
    ]
    for (const [reason, change] of damage) {
      const model = structuredClone(stump())
      change(model)
      expect(() => predictor(model), String(change)).toThrow(AssayError)
      expect(() => predictor(model), String(change)).toThrow(reason)
    }
  })
})
