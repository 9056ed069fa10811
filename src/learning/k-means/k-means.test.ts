import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromRows, type Matrix } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { fit, kMeans, type KMeansModel, nearestCluster, predictor } from '../index.ts'
import { inertiaOf, iterateLloyd } from './lloyd.ts'
import { nearestCentre, type Points } from './points.ts'
import { seedCentres } from './seeding.ts'

function pointsOf(seed: number, count: number, width: number): Points {
  const random = createRandom(seed)
  const values = Float64Array.from({ length: count * width }, (_, i) =>
    random.normal(4 * (Math.floor(i / width) % 3), 1),
  )
  return { count, width, values, weights: values.slice(0, count).map(() => random.uniform(0.5, 2)) }
}

/** Lloyd's iteration written down plainly: every distance, no bounds. */
function plainLloyd({ count, width, values, weights }: Points, start: Float64Array): Float64Array {
  let centres = Float64Array.from(start)
  for (let iteration = 0; iteration < 200; iteration++) {
    const sums = new Float64Array(centres.length)
    const totals = new Float64Array(centres.length / width)
    for (let i = 0; i < count; i++) {
      const { centre } = nearestCentre(values, i, centres, width)
      totals[centre] += weights[i]
      for (let j = 0; j < width; j++) sums[centre * width + j] += weights[i] * values[i * width + j]
    }
    const next = sums.map((sum, at) => sum / totals[Math.floor(at / width)])
    if (next.every((value, at) => value === centres[at])) return centres
    centres = next
  }
  return centres
}

/** Three groups of rows, far apart. */
function groups(rows: number, seed = 1): { x: Matrix; group: number[] } {
  const random = createRandom(seed)
  const group = Array.from({ length: rows }, (_, row) => row % 3)
  const table = group.map((g) => [
    random.normal([0, 10, 0][g], 1),
    1000 * random.normal([0, 0, 10][g], 1),
    random.next() < 0.05 ? NaN : random.normal(0, 1),
  ])
  return { x: fromRows(['a', 'b', 'c'], table), group }
}

const learn = (x: Matrix, declared: Parameters<typeof kMeans>[0], weights?: Float64Array) =>
  fit(kMeans(declared), weights ? { x, weights } : { x }, { seed: 2 }) as KMeansModel

const clustersOf = (model: KMeansModel, x: Matrix) => {
  const all = predictor(model).predictMatrix(x)
  const width = model.centres.length
  return Array.from({ length: x.rows }, (_, row) =>
    nearestCluster(all.subarray(row * width, (row + 1) * width)),
  )
}

/** Whether two lists part the rows in the same way, whatever the groups are called. */
function sameParts(a: readonly number[], b: readonly number[]): boolean {
  const pairs = new Set(a.map((own, row) => `${own}:${b[row]}`))
  return pairs.size === new Set(a).size && pairs.size === new Set(b).size
}

describe("Lloyd's iteration", () => {
  test('ends with bounds where it ends without', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 4 }),
        (seed, clusters, width) => {
          const points = pointsOf(seed, 150, width)
          const start = seedCentres(points, clusters, createRandom(seed))
          const found = iterateLloyd(points, start, { iterations: 200, tolerance: 0 })
          const expected = plainLloyd(points, start)
          found.centres.forEach((value, at) => expect(value).toBeCloseTo(expected[at], 9))
          expect(found.inertia).toBeCloseTo(inertiaOf(points, expected), 6)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('never makes the sum of squares larger', () => {
    const points = pointsOf(4, 400, 3)
    const start = seedCentres(points, 6, createRandom(4))
    const sums = [0, 1, 2, 3, 5, 8, 13].map(
      (iterations) => iterateLloyd(points, start, { iterations, tolerance: 0 }).inertia,
    )
    expect(sums).toEqual([...sums].sort((a, b) => b - a))
  })

  test('gives a centre that has lost all its rows the row furthest from its own', () => {
    const values = Float64Array.of(0, 1, 2, 3, 100)
    const points = { count: 5, width: 1, values, weights: new Float64Array(5).fill(1) }
    const start = Float64Array.of(1, 1000)
    const { centres } = iterateLloyd(points, start, { iterations: 50, tolerance: 0 })
    expect([...centres].sort((a, b) => a - b)).toEqual([1.5, 100])
  })

  test('leaves centres be where there are fewer different rows than centres', () => {
    const values = Float64Array.of(5, 5, 5, 5)
    const points = { count: 4, width: 1, values, weights: new Float64Array(4).fill(1) }
    const start = seedCentres(points, 3, createRandom(1))
    const found = iterateLloyd(points, start, { iterations: 50, tolerance: 0 })
    expect([...found.centres]).toEqual([5, 5, 5])
    expect(found.inertia).toBe(0)
  })
})

describe('k-means', () => {
  test('finds groups that lie apart, whatever the units, by all rows and by batches', () => {
    const { x, group } = groups(900)
    for (const declared of [{}, { batchRows: 100 }]) {
      const model = learn(x, { clusters: 3, ...declared })
      expect(sameParts(clustersOf(model, x), group), JSON.stringify(declared)).toBe(true)
    }
    const raw = learn(x, { clusters: 3, standardise: false })
    expect(sameParts(clustersOf(raw, x), group)).toBe(false)
  })

  test('says how far each centre is, and by its loss how far the nearest on average', () => {
    const { x } = groups(300)
    const model = learn(x, { clusters: 4 })
    const all = predictor(model).predictMatrix(x)
    let sum = 0
    for (let row = 0; row < x.rows; row++) {
      const own = all.subarray(4 * row, 4 * row + 4)
      sum += own[nearestCluster(own)] ** 2
    }
    expect(sum / x.rows).toBeCloseTo(model.training.loss, 10)
    expect(predictor(model).outputs).toEqual(['cluster-0', 'cluster-1', 'cluster-2', 'cluster-3'])
    const centre = Float64Array.from(
      model.centres[1],
      (z, j) => model.means[j] + z * model.scales[j],
    )
    expect(predictor(model).predict(centre)[1]).toBeCloseTo(0, 9)
  })

  test('counts a missing value as the mean', () => {
    const { x } = groups(300)
    const model = learn(x, { clusters: 3 })
    const scorer = predictor(model)
    const lacking = scorer.predict(Float64Array.of(1, 2, NaN))
    expect(lacking).toEqual(scorer.predict(Float64Array.of(1, 2, model.means[2])))
  })

  test('draws centres towards heavy rows', () => {
    const x = fromRows(['a'], [[0], [1], [10]])
    const weights = Float64Array.of(1, 3, 1)
    const model = learn(x, { clusters: 2, standardise: false }, weights)
    const centres = model.centres.map(([z]) => model.means[0] + z).sort((a, b) => a - b)
    expect(centres[0]).toBeCloseTo(0.75, 12)
    expect(centres[1]).toBeCloseTo(10, 12)
  })

  test('loses little by batches', () => {
    const { x } = groups(3000)
    const whole = learn(x, { clusters: 5 }).training.loss
    expect(learn(x, { clusters: 5, batchRows: 200 }).training.loss).toBeLessThan(1.15 * whole)
  })

  test('keeps the best of its starts', () => {
    const { x } = groups(400)
    const losses = [1, 3, 10].map((starts) => learn(x, { clusters: 7, starts }).training.loss)
    expect(losses).toEqual([...losses].sort((a, b) => b - a))
  })

  test('is refused with the parameter or the data that is wrong', () => {
    expect(() => kMeans({ clusters: 0 })).toThrow('"clusters"')
    expect(() => kMeans({ batchRows: 0.5 })).toThrow('"batchRows"')
    expect(() => kMeans({ tolerance: -1 })).toThrow('"tolerance"')
    expect(() => learn(groups(5).x, { clusters: 6 })).toThrow('5 rows cannot make 6 clusters')
  })
})
