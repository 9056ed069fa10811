import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromRows } from '../../lib/matrix.ts'
import { createRandom } from '../../lib/random.ts'
import { fit, oneClassSvm, type OneClassSvmModel, predictor } from '../index.ts'
import { drawFrequencies, readFourier } from './fourier.ts'

/** Rows on a ring, so that the middle is strange though it is the mean. */
function ring(rows: number, seed = 1) {
  const random = createRandom(seed)
  const table = Array.from({ length: rows }, () => {
    const angle = random.uniform(0, 2 * Math.PI)
    const radius = random.normal(5, 0.3)
    return [radius * Math.cos(angle), radius * Math.sin(angle)]
  })
  return { table, x: fromRows(['a', 'b'], table) }
}

const learn = (x: ReturnType<typeof ring>['x'], declared: Parameters<typeof oneClassSvm>[0]) =>
  fit(
    oneClassSvm({ steps: 4000, frequencies: 64, ...declared }),
    { x },
    { seed: 4 },
  ) as OneClassSvmModel

/** Row after row, the features of which the score is a weighted sum. */
function featuresOf(model: OneClassSvmModel, table: number[][]): Float64Array[] {
  const count = model.frequencies.length
  const frequencies = Float64Array.from(model.frequencies.flat())
  return table.map((row) => {
    const z = Float64Array.from(row, (value, j) => (value - model.means[j]) / model.scales[j])
    const features = new Float64Array(2 * count)
    readFourier(frequencies, count, z, features)
    return features.map((feature) => feature / Math.sqrt(count))
  })
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k]
  return sum
}

/** ν/2·‖w‖² − ν·ρ + mean of max(0, ρ − w·φ), ρ being the best for w. */
function objectiveOf(rows: Float64Array[], w: Float64Array, nu: number): number {
  const sums = rows.map((row) => dot(row, w)).sort((a, b) => a - b)
  const rho = sums[Math.floor(nu * sums.length)]
  const outside = sums.reduce((total, sum) => total + Math.max(0, rho - sum), 0)
  return (nu / 2) * dot(w, w) - nu * rho + outside / sums.length
}

/** The least objective by many full steps of plain subgradient descent. */
function plainMinimum(rows: Float64Array[], nu: number): number {
  let w = new Float64Array(rows[0].length)
  let best = Infinity
  for (let t = 1; t <= 1500; t++) {
    const sums = rows.map((row) => dot(row, w))
    const rho = [...sums].sort((a, b) => a - b)[Math.floor(nu * sums.length)]
    const step = 1 / (nu * (t + 10))
    const next = w.map((value) => (1 - step * nu) * value)
    rows.forEach((row, i) => {
      if (sums[i] > rho) return
      for (let k = 0; k < next.length; k++) next[k] += (step * row[k]) / rows.length
    })
    w = next
    if (t % 50 === 0) best = Math.min(best, objectiveOf(rows, w, nu))
  }
  return best
}

describe('random Fourier features', () => {
  test('have inner products that approximate the Gaussian kernel, and length 1', () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(0.05, 0.3, 1), (seed, gamma) => {
        const random = createRandom(seed)
        const count = 4000
        const frequencies = drawFrequencies(count, 3, gamma, random)
        const read = (z: Float64Array) => {
          const features = new Float64Array(2 * count)
          readFourier(frequencies, count, z, features)
          return features
        }
        const [a, b] = [0, 1].map(() => Float64Array.from({ length: 3 }, () => random.normal(0, 1)))
        const squared = a.reduce((sum, value, j) => sum + (value - b[j]) ** 2, 0)
        expect(dot(read(a), read(b)) / count).toBeCloseTo(Math.exp(-gamma * squared), 1)
        expect(dot(read(a), read(a)) / count).toBeCloseTo(1, 12)
      }),
      { numRuns: 30 },
    )
  })
})

describe('one-class SVM', () => {
  const { table, x } = ring(600)

  test('finds what lies off the ring strange, its middle included', () => {
    const scorer = predictor(learn(x, { nu: 0.1, gamma: 2, steps: 20_000 }))
    const on = scorer.score(Float64Array.of(5, 0))
    expect(on).toBeLessThan(0)
    for (const off of [
      [0, 0],
      [9, 9],
      [-2, 1],
      [1e9, 0],
      [Number.MAX_VALUE, -1],
    ]) {
      expect(scorer.score(Float64Array.from(off)), String(off)).toBeGreaterThan(0)
    }
  })

  test.each([0.02, 0.1, 0.5])('leaves the share nu = %f of its rows outside', (nu) => {
    const scores = predictor(learn(x, { nu })).scoreMatrix(x)
    const outside = scores.filter((score) => score > 0).length / scores.length
    expect(Math.abs(outside - nu)).toBeLessThanOrEqual(1 / 600 + 1e-12)
  })

  test.each([0.1, 0.5])('comes near the least of its objective for nu = %f', (nu) => {
    const model = learn(x, { nu, frequencies: 24, steps: 60_000 })
    const rows = featuresOf(model, table)
    const count = model.frequencies.length
    const w = Float64Array.from([...model.cosines, ...model.sines], (v) => v * Math.sqrt(count))
    const least = plainMinimum(rows, nu)
    const own = objectiveOf(rows, w, nu)
    expect(least).toBeLessThan(0)
    expect(own).toBeLessThan(least + 0.03 * Math.abs(least))
  })

  test('scales its kernel by how much the features vary', () => {
    const constant = {
      ...x,
      names: ['a', 'b', 'c'],
      columns: [...x.columns, new Float64Array(600)],
    }
    const model = learn(constant, { gamma: 'scale', steps: 1 })
    const told = learn(constant, { gamma: 0.5, steps: 1 })
    model.frequencies.flat().forEach((frequency, at) => {
      expect(frequency).toBeCloseTo(told.frequencies.flat()[at], 12)
    })
  })

  test('is refused with the parameter that is wrong', () => {
    expect(() => oneClassSvm({ nu: 0 })).toThrow('"nu"')
    expect(() => oneClassSvm({ gamma: -1 })).toThrow('"gamma"')
    expect(() => oneClassSvm({ frequencies: 1e5 })).toThrow('"frequencies"')
    expect(() => oneClassSvm({ steps: 0 })).toThrow('"steps"')
    const names = Array.from({ length: 600 }, (_, j) => `f${j}`)
    const wide = fromRows(names, [names.map((_, j) => j), names.map((_, j) => -j)])
    expect(() => learn(wide, { frequencies: 8192 })).toThrow('lower "frequencies"')
  })
})
