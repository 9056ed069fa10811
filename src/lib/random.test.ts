import { describe, expect, test } from 'vitest'
import { createRandom } from './random.ts'
import { mean, standardDeviation } from './statistics.ts'

const draw = (n: number, next: () => number) => Float64Array.from({ length: n }, next)

describe('a random stream', () => {
  test('gives the same numbers for the same seed, always', () => {
    const random = createRandom(7)
    const first = [random.int(1000), random.next(), random.normal(0, 1), random.poisson(40)]
    const again = createRandom(7)
    expect([again.int(1000), again.next(), again.normal(0, 1), again.poisson(40)]).toEqual(first)
    expect(first).toMatchInlineSnapshot(`
      [
        591,
        0.1413306361179113,
        0.22537205900327226,
        41,
      ]
    `)
  })

  test('differs between seeds, and between a number and its text', () => {
    const starts = [1, 2, '1', '2', 'a', ''].map((seed) => createRandom(seed).next())
    expect(new Set(starts).size).toBe(starts.length)
  })

  test('forks by label, whatever was drawn before', () => {
    const used = createRandom('seed')
    for (let i = 0; i < 10; i++) used.next()
    const fork = createRandom('seed').fork('rows')
    expect(used.fork('rows').next()).toBe(fork.next())
    expect(used.fork('columns').next()).not.toBe(used.fork('rows').next())
  })

  test('has the moments of its distributions', () => {
    const random = createRandom(1)
    const uniform = draw(50_000, () => random.uniform(2, 4))
    expect(mean(uniform)).toBeCloseTo(3, 1)
    expect(standardDeviation(uniform)).toBeCloseTo(2 / Math.sqrt(12), 1)
    const normal = draw(50_000, () => random.normal(10, 2))
    expect(mean(normal)).toBeCloseTo(10, 1)
    expect(standardDeviation(normal)).toBeCloseTo(2, 1)
    for (const rate of [0.3, 4, 50]) {
      const counts = draw(50_000, () => random.poisson(rate))
      expect(Math.abs(mean(counts) - rate)).toBeLessThan(5 * Math.sqrt(rate / 50_000))
      expect(Math.abs(standardDeviation(counts) / Math.sqrt(rate) - 1)).toBeLessThan(0.03)
    }
  })

  test('draws whole numbers evenly and shuffles without loss', () => {
    const random = createRandom(3)
    const counts = new Float64Array(7)
    for (let i = 0; i < 70_000; i++) counts[random.int(7)]++
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500)
    const list = Array.from({ length: 100 }, (_, i) => i)
    const shuffled = random.shuffle([...list])
    expect(shuffled).not.toEqual(list)
    expect([...shuffled].sort((a, b) => a - b)).toEqual(list)
  })
})
