import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromRows, readRow } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { dataOf } from '../estimator.cases.ts'
import { fit } from '../fit.ts'
import {
  boostedTrees,
  linearRegression,
  logisticRegression,
  multinomialRegression,
} from '../learners.ts'
import { predictor } from '../predictor.ts'
import { fitSparse } from './fit-sparse.ts'
import { readSparseRow, toSparse } from './sparse.ts'

test('a sparse matrix holds the rows of the dense one', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const random = createRandom(seed)
      const rows = Array.from({ length: 1 + random.int(9) }, () =>
        Array.from({ length: 5 }, () => [0, 0, NaN, random.normal(0, 1)][random.int(4)]),
      )
      const dense = fromRows(['a', 'b', 'c', 'd', 'e'], rows)
      const sparse = toSparse(dense)
      rows.forEach((_, i) => expect(readSparseRow(sparse, i)).toEqual(readRow(dense, i)))
      expect(sparse.values.includes(0)).toBe(false)
    }),
    { numRuns: 50 },
  )
})

describe('learning from sparse rows', () => {
  const specs = [
    logisticRegression(),
    logisticRegression({ l1Ratio: 0.5, classWeights: [1, 2] }),
    logisticRegression({ solver: 'newton' }),
    logisticRegression({ solver: 'saga', tolerance: 1e-11, maxIterations: 5000 }),
    multinomialRegression({ l1Ratio: 0.2 }),
    linearRegression({ l2: 0.1 }),
    linearRegression({ l1: 0.1, l2: 0.1 }),
  ] as const

  test.each(specs)('gives the model of the same dense rows: %j', (spec) => {
    const task = {
      'logistic-regression': 'binary',
      'multinomial-regression': 'multiclass',
    } as const
    const data = dataOf(spec.kind === 'linear-regression' ? 'regression' : task[spec.kind], 300)
    const labelled = { ...data, y: data.y ?? new Float64Array(), x: toSparse(data.x) }
    const sparse = predictor(fitSparse(spec, labelled, { seed: 2 })).predictMatrix(data.x)
    const dense = predictor(fit(spec, data, { seed: 2 })).predictMatrix(data.x)
    sparse.forEach((value, i) => expect(Math.abs(value - dense[i])).toBeLessThan(1e-6))
  })

  test('takes many features of which a row has few, by SAGA', () => {
    // Words: the first hundred of 20,000 tell the class.
    const random = createRandom(6)
    const rows = 600
    const words = Array.from({ length: rows }, () =>
      [...new Set(Array.from({ length: 12 }, (_, k) => random.int(k < 2 ? 100 : 20_000)))].sort(
        (a, b) => a - b,
      ),
    )
    const y = Float64Array.from(words, ([first]) => first % 2)
    const starts = Uint32Array.of(0, ...words.map(() => 0))
    words.forEach((list, i) => (starts[i + 1] = starts[i] + list.length))
    const x = {
      names: Array.from({ length: 20_000 }, (_, j) => `w${j}`),
      rows,
      starts,
      columns: Uint32Array.from(words.flat()),
      values: new Float64Array(starts[rows]).fill(1),
    }
    const spec = logisticRegression({ solver: 'saga', c: 1, tolerance: 1e-3, maxIterations: 50 })
    const scorer = predictor(fitSparse(spec, { x, y }, { seed: 1 }))
    const row = new Float64Array(20_000)
    const right = y.filter((label, i) => {
      return scorer.score(readSparseRow(x, i, row)) > 0.5 === (label === 1)
    })
    expect(right.length).toBeGreaterThan(0.95 * rows)
  })

  test('refuses a matrix that breaks its layout, and other learners', () => {
    const x = toSparse(
      fromRows(
        ['a', 'b'],
        [
          [1, 2],
          [0, 3],
        ],
      ),
    )
    const y = Float64Array.of(0, 1)
    const spec = logisticRegression()
    const learn = (change: Partial<typeof x>, labels = y) =>
      fitSparse(spec, { x: { ...x, ...change }, y: labels }, { seed: 1 })
    expect(() => learn({ starts: Uint32Array.of(0, 2) })).toThrow('2 starts')
    expect(() => learn({ starts: Uint32Array.of(0, 4, 3) })).toThrow('column')
    expect(() => learn({ columns: Uint32Array.of(1, 0, 1) })).toThrow('column 0 after column 1')
    expect(() => learn({ columns: Uint32Array.of(0, 2, 1) })).toThrow('lie below 2')
    expect(() => learn({ values: Float64Array.of(1, Infinity, 1) })).toThrow('"b" is infinite')
    expect(() => learn({ names: ['a', 'a'] })).toThrow('occurs twice')
    expect(() => learn({}, y.subarray(1))).toThrow('1 labels')
    expect(() => fitSparse(boostedTrees() as never, { x, y }, { seed: 1 })).toThrow(
      'no sparse rows',
    )
  })
})
