import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRandom } from '../../lib/random.ts'
import { choiceDensity, numberDensity } from './parzen.ts'
import {
  checkSetting,
  checkSpace,
  drawAtRandom,
  drawSetting,
  type NumberParameter,
  type Space,
} from './space.ts'

const space: Space = [
  { name: 'kind', kind: 'choice', options: ['a', 'b', null] },
  { name: 'width', kind: 'uniform', from: -2, to: 3, when: { parameter: 'kind', is: ['a'] } },
  { name: 'rate', kind: 'log-uniform', from: 1e-4, to: 10 },
  { name: 'count', kind: 'integer', from: -1, to: 4 },
  {
    name: 'size',
    kind: 'log-integer',
    from: 1,
    to: 1000,
    when: { parameter: 'kind', is: ['b', null] },
  },
]

const numbers: readonly NumberParameter[] = [
  { name: 'x', kind: 'uniform', from: -2, to: 3 },
  { name: 'x', kind: 'log-uniform', from: 1e-4, to: 10 },
  { name: 'x', kind: 'integer', from: -3, to: 12 },
  { name: 'x', kind: 'log-integer', from: 1, to: 200 },
]

describe('a space', () => {
  test('gives settings that it accepts, with the parameters that apply', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = createRandom(seed)
        const setting = drawSetting(space, (parameter) => drawAtRandom(parameter, random))
        checkSetting(space, setting)
        expect('width' in setting).toBe(setting.kind === 'a')
        expect('size' in setting).toBe(setting.kind !== 'a')
      }),
    )
  })

  test('draws whole numbers alike, ends included', () => {
    const random = createRandom('whole')
    const counts = new Map<unknown, number>()
    for (let i = 0; i < 6000; i++) {
      const value = drawAtRandom(space[3], random)
      counts.set(value, (counts.get(value) ?? 0) + 1)
    }
    expect([...counts.keys()].toSorted((a, b) => Number(a) - Number(b))).toEqual([
      -1, 0, 1, 2, 3, 4,
    ])
    // 1000 each; four standard deviations are about 115.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(115)
  })

  test('is refused where nothing can be drawn from it', () => {
    const wrong: [string, Space][] = [
      ['1 to 100 parameters', []],
      ['does so twice', [space[0], space[0]]],
      ['range of "x"', [{ name: 'x', kind: 'uniform', from: 2, to: 1 }]],
      ['range of "x"', [{ name: 'x', kind: 'log-uniform', from: 0, to: 1 }]],
      ['range of "x"', [{ name: 'x', kind: 'integer', from: 0.5, to: 1 }]],
      ['range of "x"', [{ name: 'x', kind: 'log-integer', from: 0, to: 9 }]],
      ['range of "x"', [{ name: 'x', kind: 'choice', options: [] }]],
      ['range of "x"', [{ name: 'x', kind: 'choice', options: [1, 1] }]],
      ['range of "x"', [{ name: 'x', kind: 'choice', options: [NaN] }]],
      [
        'range of "x"',
        [{ name: 'x', kind: 'oracle', from: 0, to: 1 } as unknown as NumberParameter],
      ],
      ['no earlier choice', [space[1], space[0]]],
    ]
    for (const [message, bad] of wrong) expect(() => checkSpace(bad), message).toThrow(message)
    checkSpace(space)
  })

  test('refuses settings that it cannot give', () => {
    const good = { kind: 'a', width: 0, rate: 1, count: 2 }
    checkSetting(space, good)
    expect(() => checkSetting(space, { ...good, rate: 11 })).toThrow('"rate" as 11')
    expect(() => checkSetting(space, { ...good, count: 1.5 })).toThrow('"count"')
    expect(() => checkSetting(space, { ...good, size: 3 })).toThrow('"size"')
    expect(() => checkSetting(space, { ...good, other: 3 })).toThrow('"other"')
    expect(() => checkSetting(space, { kind: 'a', rate: 1, count: 2 })).toThrow('"width"')
  })
})

describe('a Parzen density', () => {
  const observed = (parameter: NumberParameter, seed: number) => {
    const random = createRandom(seed)
    return Array.from({ length: random.int(12) }, () => drawAtRandom(parameter, random) as number)
  }

  test.each(numbers)('over $kind numbers adds up to 1', (parameter) => {
    for (let seed = 0; seed < 5; seed++) {
      const density = numberDensity(parameter, observed(parameter, seed), 1)
      const { kind, from, to } = parameter
      let total = 0
      if (kind === 'integer' || kind === 'log-integer') {
        for (let value = from; value <= to; value++) total += Math.exp(density.logOf(value))
      } else {
        const log = kind === 'log-uniform'
        const [low, high] = log ? [Math.log(from), Math.log(to)] : [from, to]
        const step = (high - low) / 4000
        for (let place = low + step / 2; place < high; place += step) {
          total += step * Math.exp(density.logOf(log ? Math.exp(place) : place))
        }
      }
      expect(Math.abs(total - 1)).toBeLessThan(1e-4)
    }
  })

  test.each(numbers)('over $kind numbers draws what it says', (parameter) => {
    const density = numberDensity(parameter, observed(parameter, 3), 1)
    const random = createRandom('draw')
    const draws = Array.from({ length: 4000 }, () => density.draw(random) as number)
    const { from, to, kind } = parameter
    expect(draws.every((value) => value >= from && value <= to)).toBe(true)
    if (kind !== 'integer' && kind !== 'log-integer') return
    for (let value = from; value <= Math.min(to, 12); value++) {
      const share = Math.exp(density.logOf(value))
      const drawn = draws.filter((own) => own === value).length / 4000
      expect(Math.abs(drawn - share)).toBeLessThan(
        5 * Math.sqrt((share * (1 - share)) / 4000) + 1e-3,
      )
    }
  })

  test('is highest where observations lie', () => {
    const density = numberDensity(numbers[0], [1, 1.05, 1.1, 0.95], 1)
    expect(density.logOf(1)).toBeGreaterThan(density.logOf(-1) + 1)
  })

  test('over options counts them, none being impossible', () => {
    const parameter = { name: 'x', kind: 'choice', options: ['a', 'b', 'c'] } as const
    const density = choiceDensity(parameter, ['a', 'a', 'b'], 1)
    expect(Math.exp(density.logOf('a'))).toBeCloseTo(3 / 6, 12)
    expect(Math.exp(density.logOf('c'))).toBeCloseTo(1 / 6, 12)
    const random = createRandom('choice')
    const draws = Array.from({ length: 3000 }, () => density.draw(random))
    expect(draws.filter((value) => value === 'a').length / 3000).toBeCloseTo(0.5, 1)
  })

  test('of one possible value is that value', () => {
    const density = numberDensity({ name: 'x', kind: 'uniform', from: 2, to: 2 }, [2, 2], 1)
    expect(density.draw(createRandom(1))).toBe(2)
    expect(density.logOf(2)).toBe(0)
  })
})
