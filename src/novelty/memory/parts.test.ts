import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRandom } from '../../lib/random.ts'
import { Adwin } from './adwin.ts'
import { encoderOf, learnEncoding } from './encoding.ts'
import { EntityStatistics } from './entity-statistics.ts'
import { cover, hangingTogether } from './grouping.ts'
import { distanceOf, type Nearest, Points } from './points.ts'
import { rankCorrelation } from './rank-correlation.ts'

const point = (width: number) =>
  fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: width, maxLength: width })

describe('the nearest point', () => {
  test('is that of a plain search, in every group, prepared or not', () => {
    const points = fc.array(fc.tuple(point(11), fc.integer({ min: 0, max: 3 })), {
      minLength: 1,
      maxLength: 40,
    })
    fc.assert(
      fc.property(points, point(11), fc.boolean(), (rows, query, prepared) => {
        const index = new Points(11)
        rows.slice(0, 20).forEach(([row]) => index.add(row))
        if (prepared) index.prepare()
        rows.slice(20).forEach(([row]) => index.add(row))
        const near: Nearest[] = [0, 1, 2].map(() => ({ row: -1, distance: Infinity }))
        const groups = Uint8Array.from(rows, ([, group]) => group)
        index.nearest(Float64Array.from(query), groups, near)
        near.forEach((best, group) => {
          const own = rows.filter(([, one]) => one === group).map(([row]) => distanceOf(row, query))
          expect(best.distance).toBeCloseTo(Math.min(Infinity, ...own), 9)
        })
      }),
    )
  })
})

describe('grouping', () => {
  test('leaves no point further from its centre than the radius', () => {
    fc.assert(
      fc.property(fc.array(point(3), { minLength: 1, maxLength: 50 }), (rows) => {
        const points = rows.map((row) => Float64Array.from(row))
        const covered = cover(points, 2, 50)
        for (const one of points) {
          const near = Math.min(...(covered?.centres ?? []).map((c) => distanceOf(c, one)))
          expect(near).toBeLessThanOrEqual(2)
        }
        expect(covered?.counts.reduce((a, b) => a + b, 0)).toBe(points.length)
      }),
    )
  })

  test('finds what hangs together and leaves what stands alone', () => {
    const line = Array.from({ length: 20 }, (_, i) => Float64Array.of(i * 0.5))
    const points = [...line, Float64Array.of(100)]
    expect(hangingTogether(points, 3, 0.6, 3, 100)).toEqual(line.map((_, i) => i))
    expect(hangingTogether(points, 20, 0.6, 2, 100)).toEqual([])
    expect(hangingTogether(points, 3, 0.6, 3, 5).length).toBeLessThan(10)
  })
})

describe('ADWIN', () => {
  test('tells a change of the mean, and none where there is none', () => {
    const random = createRandom(3)
    const still = new Adwin()
    let cuts = 0
    for (let i = 0; i < 5000; i++) if (still.add(random.next()) !== undefined) cuts++
    expect(cuts).toBeLessThanOrEqual(2)
    const moved = new Adwin()
    let shift
    for (let i = 0; i < 2000; i++) shift = moved.add(random.next() + (i < 1000 ? 0 : 1)) ?? shift
    expect(shift?.after).toBeGreaterThan(shift?.before ?? 9)
    expect(moved.mean).toBeGreaterThan(1.3)
  })

  test('goes on from what it saved', () => {
    const random = createRandom(4)
    const values = Array.from({ length: 600 }, (_, i) => random.next() + (i < 300 ? 0 : 2))
    const whole = new Adwin()
    let parted = new Adwin()
    values.forEach((value, i) => {
      if (i === 250) parted = new Adwin(undefined, JSON.parse(JSON.stringify(parted.saved())))
      expect(parted.add(value)).toEqual(whole.add(value))
    })
  })
})

test('the rank correlation is 1 of what rises, −1 of what falls, and shares ties', () => {
  expect(rankCorrelation([1, 2, 3, 4], [2, 9, 11, 50])).toBe(1)
  expect(rankCorrelation([1, 2, 3, 4], [9, 5, 3, 1])).toBe(-1)
  expect(rankCorrelation([1, 2, 3, 4], [7, 7, 7, 7])).toBe(0)
  expect(rankCorrelation([1, 2], [1, 2])).toBe(0)
})

describe('the encoding', () => {
  test('knows numbers from categories and leaves names out', () => {
    const rows = Array.from({ length: 100 }, (_, i) => [
      String(i % 7),
      i % 2 ? 'in' : 'out',
      `id-${i}`,
    ])
    const { columns, left } = learnEncoding(['n', 'way', 'id'], rows)
    expect(columns.map(({ kind }) => kind)).toEqual(['number', 'category'])
    expect(left).toEqual(['id'])
  })

  test('writes finite bounded numbers of whatever comes', () => {
    const rows = Array.from({ length: 60 }, (_, i) => [String(i * i), `k${i % 4}`])
    const encoder = encoderOf(learnEncoding(['n', 'k'], rows))
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const into = new Float64Array(encoder.width)
        encoder.write([a, b], into)
        expect(into.every((value) => Number.isFinite(value) && Math.abs(value) <= 12)).toBe(true)
      }),
    )
  })
})

describe('the statistics of entities', () => {
  const settings = { halfLifeUs: 60e6, entitiesMax: 50, pairsMax: 80 }
  const event = fc.record({
    entity: fc.constantFrom('a', 'b', 'c'),
    kind: fc.constantFrom('x', 'y', 'z'),
    step: fc.integer({ min: 0, max: 90 }),
  })

  test('of independent entities do not depend on how their events are mixed', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const timed = events.map((one, i) => ({
          entity: one.entity,
          categories: [one.kind],
          timeUs: i * 10e6,
        }))
        const mixed = new EntityStatistics(settings)
        const told = timed.map((one) => [one.entity, mixed.add(one)] as const)
        for (const entity of ['a', 'b', 'c']) {
          const alone = new EntityStatistics(settings)
          const own = timed.filter((one) => one.entity === entity)
          expect(told.filter(([id]) => id === entity).map(([, figures]) => figures)).toEqual(
            own.map((one) => alone.add(one)),
          )
        }
      }),
    )
  })

  test('count parties on both sides, and decay', () => {
    const graph = new EntityStatistics(settings)
    const add = (entity: string, party: string, timeUs: number) =>
      graph.add({ entity, party, timeUs, categories: [] }).slice(3)
    expect(add('a', 'p', 0)).toEqual([1, 1, 1])
    expect(add('a', 'q', 0)).toEqual([2, 1, 1])
    expect(add('b', 'p', 0)).toEqual([1, 2, 1])
    expect(add('a', 'p', 60e6)).toEqual([1, 1, 1.5])
  })

  test('stay within their bounds and go on from what was saved', () => {
    const random = createRandom(2)
    let [one, other] = [new EntityStatistics(settings), new EntityStatistics(settings)]
    for (let i = 0; i < 1000; i++) {
      const given = {
        entity: `e${random.int(200)}`,
        party: `p${random.int(200)}`,
        timeUs: i * 1e6,
        categories: [`k${random.int(100)}`],
      }
      if (i === 500)
        other = new EntityStatistics(settings, JSON.parse(JSON.stringify(other.saved())))
      expect(other.add(given)).toEqual(one.add(given))
    }
    expect(one.sizes).toEqual({ entities: 50, parties: 50, pairs: 80 })
  })
})
