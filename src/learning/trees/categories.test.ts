import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromRows, type Matrix } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { boostedTrees, fit, predictor, rocAuc } from '../index.ts'
import { binMatrix } from './bins.ts'
import { flattenTrees, goesLeft } from './forest.ts'
import type { BoostedTreesModel, BoostedTreesParams } from './model.ts'
import { plainKernels } from './plain-kernels.ts'

type Data = { x: Matrix; y: Float64Array; categorical: string[] }

/** Codes of which each has its own chance, in no order; every tenth is missing. */
function drawCodes(seed: number, rows: number, codes: number): Data {
  const random = createRandom(seed)
  const chances = Array.from({ length: codes + 1 }, () => random.next() ** 2)
  const table = Array.from({ length: rows }, () => [
    random.next() < 0.1 ? NaN : random.int(codes),
    random.normal(0, 1),
  ])
  const y = Float64Array.from(table, ([code, b]) =>
    random.next() < 0.8 * chances[code === code ? code : codes] + (b > 1 ? 0.2 : 0) ? 1 : 0,
  )
  y.set([0, 1])
  return { x: fromRows(['code', 'b'], table), y, categorical: ['code'] }
}

const small: Partial<BoostedTreesParams> = {
  minChildWeight: 0,
  categories: { smooth: 0, l2: 0, groupRows: 0 },
}

const learn = (data: Data, declared: Partial<BoostedTreesParams> = {}) =>
  fit(boostedTrees({ trees: 20, depth: 4, ...declared }), data, { seed: 1 }) as BoostedTreesModel

describe('categories', () => {
  test('are told apart better than as numbers of no meaning', () => {
    const [data, fresh] = [drawCodes(1, 3000, 40), drawCodes(1, 6000, 40)]
    const auc = (categorical: string[]) => {
      const model = learn({ ...data, categorical }, { trees: 10, depth: 3 })
      return rocAuc(fresh.y, predictor(model).scoreMatrix(fresh.x))
    }
    expect(auc(['code'])).toBeGreaterThan(auc([]) + 0.02)
  })

  test('are parted as well as any two groups of them could be', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 5, max: 8 }), (seed, codes) => {
        const data = drawCodes(seed, 120, codes)
        const x = { ...data.x, names: ['code'], columns: [data.x.columns[0]] }
        const declared = { trees: 1, depth: 1, l2: 0, gamma: 0, ...small }
        const model = learn(
          { ...data, x },
          { ...declared, categories: { ...small.categories, oneHot: 0, most: 300 } },
        )
        expect(gainOf(model, x, data.y)).toBeCloseTo(bestGain(x, data.y, codes), 9)
      }),
      { numRuns: 40 },
    )
  })

  test('score as they were trained, sampled rows and missing values included', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.constantFrom(3, 60, 900),
        fc.constantFrom(0.5, 1),
        (seed, codes, rowSample) => {
          const data = drawCodes(seed, 500, codes)
          const model = learn(data, { ...small, rowSample })
          const scores = predictor(model).scoreMatrix(data.x)
          const loss = scores.reduce(
            (sum, p, row) => sum - Math.log(data.y[row] === 1 ? p : 1 - p),
            0,
          )
          expect(loss / 500).toBeCloseTo(model.training.loss, 10)
          const back = JSON.parse(JSON.stringify(model)) as BoostedTreesModel
          expect(predictor(back).scoreMatrix(data.x)).toEqual(scores)
        },
      ),
      { numRuns: 20 },
    )
  })

  test('that were never seen, and odd numbers, go right', () => {
    const data = drawCodes(3, 800, 30)
    const model = learn(data, small)
    const forest = flattenTrees(model)
    let seen = 0
    model.trees[0].categories?.forEach((codes, node) => {
      if (codes === null) return
      seen++
      for (const code of codes) expect(goesLeft(forest, node, code)).toBe(true)
      for (const code of [30, 31, 1e6, 2 ** 31, -1, 0.5, 1e300]) {
        expect(goesLeft(forest, node, code)).toBe(false)
      }
    })
    expect(seen).toBeGreaterThan(0)
  })

  test('of large codes are found like small ones', () => {
    const data = drawCodes(4, 600, 20)
    const large = data.x.columns[0].map((code) => 2 ** 30 + 7919 * code)
    const moved = { ...data, x: { ...data.x, columns: [large, data.x.columns[1]] } }
    const [a, b] = [learn(data, small), learn(moved, small)]
    expect(predictor(b).scoreMatrix(moved.x)).toEqual(predictor(a).scoreMatrix(data.x))
  })

  test('have a bin each while there are bins, the rare ones share the last', () => {
    const codes = [5, 5, 5, 9, 9, 2, 2, 7, NaN]
    const x = fromRows(
      ['a'],
      codes.map((code) => [code]),
    )
    const binned = binMatrix(x, 4, plainKernels(), ['a'])
    expect(binned.codes[0]).toEqual(Float64Array.of(5, 2, 9))
    expect([...binned.byColumn]).toEqual([0, 0, 0, 2, 2, 1, 1, 3, 4])
  })

  test('that are rarer share bins with those of a like gradient, or the last', () => {
    const codes = [5, 5, 5, 5, 9, 9, 9, 2, 2, 3, 3, 4, 4, 8]
    const x = fromRows(
      ['a'],
      codes.map((code) => [code]),
    )
    const slope: Record<number, number> = { 2: 1, 3: -1, 4: 1 }
    const pairs = Float64Array.from(codes.flatMap((code) => [slope[code] ?? 0, 1]))
    const binned = binMatrix(x, 5, plainKernels(), ['a'], { pairs, smooth: 2 })
    expect(binned.codes[0]).toEqual(Float64Array.of(5, 9, 3, 2, 4))
    expect(binned.codeBins[0]).toEqual(Uint8Array.of(0, 1, 2, 3, 3))
    expect([...binned.byColumn]).toEqual([0, 0, 0, 0, 1, 1, 1, 3, 3, 2, 2, 3, 3, 4])
  })

  test('are told apart where there are more of them than bins', () => {
    const [data, fresh] = [drawCodes(1, 60_000, 1500), drawCodes(1, 90_000, 1500)]
    const later = { ...fresh, y: fresh.y.subarray(60_000) }
    const columns = fresh.x.columns.map((column) => column.subarray(60_000))
    const auc = (bins: number) => {
      const scorer = predictor(learn(data, { trees: 30, depth: 3, bins }))
      return rocAuc(later.y, scorer.scoreMatrix({ ...fresh.x, rows: 30_000, columns }))
    }
    expect(auc(255)).toBeGreaterThan(0.7)
    expect(auc(12)).toBeGreaterThan(0.6)
  })

  test('are refused where there are millions of them', () => {
    const column = Float64Array.from({ length: 1_000_001 }, (_, row) => row)
    const x = { names: ['id'], rows: column.length, columns: [column] }
    const y = column.map((code) => code % 2)
    expect(() => learn({ x, y, categorical: ['id'] })).toThrow('more than 1000000 categories')
  })

  test('cannot be monotone', () => {
    const data = drawCodes(5, 100, 5)
    expect(() => learn(data, { monotone: { code: 1 } })).toThrow('no order')
  })

  test('of a damaged model are refused', () => {
    const model = learn(drawCodes(6, 400, 30), small)
    const inner = model.trees[0].categories?.findIndex((codes) => codes !== null) ?? -1
    const leaf = model.trees[0].feature.indexOf(-1)
    const damage: ((lists: any[]) => void)[] = [
      (lists) => lists.pop(),
      (lists) => (lists[inner] = [2, 1]),
      (lists) => (lists[inner] = [1, 1]),
      (lists) => (lists[inner] = [-1]),
      (lists) => (lists[inner] = [2 ** 31]),
      (lists) => (lists[inner] = ['1']),
      (lists) => (lists[inner] = 'all'),
      (lists) => (lists[leaf] = [1]),
    ]
    for (const change of damage) {
      const copy = JSON.parse(JSON.stringify(model))
      change(copy.trees[0].categories)
      expect(() => predictor(copy), String(change)).toThrow(/damaged|differ/)
    }
  })
})

/** What the root of a model's only tree gains: derivatives of the base margin, no penalties. */
function gainOf(model: BoostedTreesModel, x: Matrix, y: Float64Array): number {
  const forest = flattenTrees(model)
  if (forest.feature[0] < 0) return 0
  return gain(y, (row) => goesLeft(forest, 0, x.columns[0][row]))
}

/** The best of all ways to part the categories, missing being one of them. */
function bestGain(x: Matrix, y: Float64Array, codes: number): number {
  let best = 0
  for (let set = 1; set < 2 ** (codes + 1) - 1; set++) {
    best = Math.max(
      best,
      gain(y, (row) => {
        const code = x.columns[0][row]
        return ((set >> (code === code ? code : codes)) & 1) === 1
      }),
    )
  }
  return best
}

function gain(y: Float64Array, isLeft: (row: number) => boolean): number {
  const p = y.reduce((sum, label) => sum + label, 0) / y.length
  const sums = { left: [0, 0], right: [0, 0] }
  y.forEach((label, row) => {
    const side = isLeft(row) ? sums.left : sums.right
    side[0] += p - label
    side[1] += p * (1 - p)
  })
  const worth = ([g, h]: number[]) => (h === 0 ? 0 : (g * g) / h)
  return 0.5 * (worth(sums.left) + worth(sums.right))
}
