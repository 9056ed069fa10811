import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRandom } from '../random.ts'
import {
  BloomFilter,
  CountMin,
  HyperLogLog,
  Quantiles,
  ScalableBloomFilter,
  TopKeys,
  hashKey,
} from './index.ts'

interface Counted {
  merge(other: never): void
  toBytes(): Uint8Array
}
interface Kind<S extends Counted> {
  make(): S
  add(sketch: S, n: number): void
  read(bytes: Uint8Array): S
  /** Another one, that does not fit. */
  other(): S
}
const kind = <S extends Counted>(of: Kind<S>) => of as unknown as Kind<Counted>
const keyOf = (n: number) => `key ${n}`

/** Those whose memory says what was added, and not in which order. */
const orderFree: Record<string, Kind<Counted>> = {
  HyperLogLog: kind({
    make: () => new HyperLogLog(8),
    add: (sketch, n) => sketch.add(keyOf(n)),
    read: (bytes) => HyperLogLog.fromBytes(bytes),
    other: () => new HyperLogLog(9),
  }),
  BloomFilter: kind({
    make: () => BloomFilter.of({ capacity: 200 }),
    add: (sketch, n) => sketch.add(keyOf(n)),
    read: (bytes) => BloomFilter.fromBytes(bytes),
    other: () => BloomFilter.of({ capacity: 4000 }),
  }),
  CountMin: kind({
    make: () => new CountMin(64, 4),
    add: (sketch, n) => sketch.add(keyOf(n)),
    read: (bytes) => CountMin.fromBytes(bytes),
    other: () => new CountMin(65, 4),
  }),
}
const all: Record<string, Kind<Counted>> = {
  ...orderFree,
  TopKeys: kind({
    make: () => new TopKeys(10),
    add: (sketch, n) => sketch.add(keyOf(n)),
    read: (bytes) => TopKeys.fromBytes(bytes),
    other: () => new TopKeys(11),
  }),
  Quantiles: kind({
    make: () => new Quantiles(16),
    add: (sketch, n) => sketch.add(n),
    read: (bytes) => Quantiles.fromBytes(bytes),
    other: () => new Quantiles(17),
  }),
  ScalableBloomFilter: kind({
    make: () => new ScalableBloomFilter({ capacity: 16 }),
    add: (sketch, n) => sketch.add(keyOf(n)),
    read: (bytes) => ScalableBloomFilter.fromBytes(bytes),
    other: () => new ScalableBloomFilter(),
  }),
}
const numbers = fc.array(fc.nat(300), { maxLength: 400 })
const filled = (of: Kind<Counted>, values: readonly number[]) => {
  const sketch = of.make()
  for (const value of values) of.add(sketch, value)
  return sketch
}

describe.each(Object.entries(orderFree))('%s', (_, of) => {
  test('does not care in which order, nor where, anything was added', () => {
    fc.assert(
      fc.property(numbers, numbers, (left, right) => {
        const whole = filled(of, [...left, ...right]).toBytes()
        const merged = filled(of, right)
        merged.merge(filled(of, left) as never)
        expect(merged.toBytes()).toEqual(whole)
        expect(filled(of, [...right, ...left]).toBytes()).toEqual(whole)
      }),
    )
  })
})

describe.each(Object.entries(all))('%s', (_, of) => {
  test('comes back from its bytes, and goes on as if it had never left', () => {
    fc.assert(
      fc.property(numbers, numbers, (before, after) => {
        const steady = filled(of, before)
        // Of a `Buffer`, whose memory it shares with others.
        const back = of.read(Buffer.from(steady.toBytes()))
        for (const value of after) {
          of.add(steady, value)
          of.add(back, value)
        }
        expect(back.toBytes()).toEqual(steady.toBytes())
      }),
    )
  })

  test('refuses bytes that are cut off or are of another kind', () => {
    const bytes = filled(of, [1, 2, 3, 500, 600]).toBytes()
    expect(() => of.read(bytes.subarray(0, bytes.length - 1))).toThrow(
      /sketch|filter|level|count|block|register/,
    )
    expect(() => of.read(bytes.subarray(0, 6))).toThrow('no saved sketch')
    expect(() => of.read(Uint8Array.of(...Buffer.from('NONE'), ...bytes.subarray(4)))).toThrow(
      'no saved sketch',
    )
  })
})

const fitting = Object.entries(all).filter(([name]) => name !== 'ScalableBloomFilter')
test.each(fitting)('%s refuses to be merged with what does not fit', (_, of) => {
  expect(() => of.make().merge(of.other() as never)).toThrow(/They|Precisions|k is/)
})

test('the hash is MurmurHash3 for x86 with 128 bits', () => {
  const words = (key: string) => {
    const { low, high } = hashKey(key, { low: 0, high: 0 })
    return [low, high]
  }
  expect(words('')).toEqual([0, 0])
  expect(words('a')).toEqual([2811532092, 1431744539])
  expect(words('hello, world')).toEqual([2334220380, 3115944478])
  expect(words('The quick brown fox jumps over the lazy dog')).toEqual([789939139, 3975031911])
  expect(words('grüße 🎉 aus Köln')).toEqual([2747341668, 2248018690])
  expect(words('0123456789abcdef0')).toEqual([529152085, 1620184070])
  expect(hashKey(17, { low: 0, high: 0 })).toEqual(hashKey('17', { low: 0, high: 0 }))
})

test('different keys are counted within the error that is told, from none to very many', () => {
  const sketch = new HyperLogLog(14)
  expect(sketch.estimate()).toBe(0)
  let added = 0
  for (const count of [1, 10, 100, 1000, 10_000, 100_000, 400_000]) {
    for (; added < count; added++) sketch.add(added)
    expect(Math.abs(sketch.estimate() / count - 1), `of ${count}`).toBeLessThan(3 * sketch.error)
  }
  expect(sketch.error).toBeCloseTo(0.0081, 4)
  expect(sketch.toBytes().length).toBeLessThan(12_400)
})

test('a filter forgets no key, and is wrong as seldom as it was asked to be', () => {
  for (const falsePositives of [0.05, 0.01, 0.001]) {
    const filter = BloomFilter.of({ capacity: 20_000, falsePositives })
    for (let n = 0; n < 20_000; n++) filter.add(`in ${n}`)
    let lost = 0
    for (let n = 0; n < 20_000; n++) if (!filter.has(`in ${n}`)) lost++
    expect(lost).toBe(0)
    let wrong = 0
    for (let n = 0; n < 100_000; n++) if (filter.has(`out ${n}`)) wrong++
    expect(wrong / 100_000).toBeLessThan(falsePositives * 1.2)
    expect(filter.falsePositives()).toBeCloseTo(wrong / 100_000, 2)
    expect(Math.abs(filter.estimate().keys / 20_000 - 1)).toBeLessThan(0.02)
  }
})

test.each([0.02, 0.5, 1, 2, 4])(
  'a filter with %d times its keys is off by no more than it says, and to neither side',
  (fill) => {
    const keys = 20_000 * fill
    const scores = Array.from({ length: 10 }, (_, run) => {
      const filter = BloomFilter.of({ capacity: 20_000 })
      for (let n = 0; n < keys; n++) filter.add(`${run} ${n}`)
      const { keys: estimate, error } = filter.estimate()
      return (estimate - keys) / (keys * error)
    })
    for (const score of scores) expect(Math.abs(score)).toBeLessThan(3.5)
    expect(Math.abs(scores.reduce((sum, score) => sum + score, 0) / 10)).toBeLessThan(1.2)
  },
)

test('a scalable filter keeps its share of wrong answers however many keys come', () => {
  const filter = new ScalableBloomFilter({ capacity: 100, falsePositives: 0.01 })
  for (let n = 0; n < 50_000; n++) filter.add(`in ${n}`)
  let lost = 0
  for (let n = 0; n < 50_000; n++) if (!filter.has(`in ${n}`)) lost++
  expect(lost).toBe(0)
  let wrong = 0
  for (let n = 0; n < 50_000; n++) if (filter.has(`out ${n}`)) wrong++
  expect(wrong / 50_000).toBeLessThan(0.012)
  expect(Math.abs(filter.estimate() / 50_000 - 1)).toBeLessThan(0.03)
  const both = new ScalableBloomFilter({ capacity: 100 })
  for (let n = 0; n < 300; n++) both.add(`own ${n}`)
  both.merge(filter)
  for (let n = 0; n < 50_000; n += 100) expect(both.has(`in ${n}`)).toBe(true)
  for (let n = 0; n < 300; n++) expect(both.has(`own ${n}`)).toBe(true)
  expect(both.add('one more')).toBe(true)
})

test('counts are never too low, and seldom too high by more than was said', () => {
  const sketch = CountMin.within(0.005, 0.01)
  const random = createRandom(7)
  const exact = new Map<string, number>()
  for (let n = 0; n < 50_000; n++) {
    const key = `k${Math.floor(random.next() ** 3 * 5000)}`
    sketch.add(key)
    exact.set(key, (exact.get(key) ?? 0) + 1)
  }
  let over = 0
  for (const [key, count] of exact) {
    expect(sketch.estimate(key)).toBeGreaterThanOrEqual(count)
    if (sketch.estimate(key) > count + 0.005 * sketch.total) over++
  }
  expect(over / exact.size).toBeLessThan(0.01)
})

test('what came often is among the top keys, with bounds that hold, also when merged', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(40)),
      fc.array(fc.nat(40)),
      fc.integer({ min: 1, max: 12 }),
      (a, b, capacity) => {
        const [left, right] = [new TopKeys(capacity), new TopKeys(capacity)]
        const exact = new Map<string, number>()
        for (const [values, sketch] of [
          [a, left],
          [b, right],
        ] as const) {
          for (const value of values) {
            const key = keyOf(value % 5 === 0 ? 0 : value)
            sketch.add(key)
            exact.set(key, (exact.get(key) ?? 0) + 1)
          }
        }
        left.merge(right)
        const top = left.top()
        expect(left.total).toBe(a.length + b.length)
        expect(top.length).toBeLessThanOrEqual(capacity)
        for (const { key, count, error } of top) {
          expect(count).toBeGreaterThanOrEqual(exact.get(key) ?? 0)
          expect(count - error).toBeLessThanOrEqual(exact.get(key) ?? 0)
          expect(error).toBeLessThanOrEqual((a.length + b.length) / capacity)
        }
        for (const [key, count] of exact) {
          if (count <= (a.length + b.length) / capacity) continue
          expect(top.map((each) => each.key)).toContain(key)
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('ranks are off by no more than was said, in one stream or in many that are merged', () => {
  const random = createRandom(3)
  const values = Array.from({ length: 40_000 }, () => random.next() ** 2 * 1000)
  const whole = new Quantiles(200)
  const parts = Array.from({ length: 8 }, (_, i) => new Quantiles(200, i + 2))
  values.forEach((value, i) => {
    whole.add(value)
    parts[i % 8].add(value)
  })
  for (const part of parts.slice(1)) parts[0].merge(part)
  const sorted = values.toSorted((a, b) => a - b)
  for (const sketch of [whole, parts[0]]) {
    expect(sketch.count).toBe(40_000)
    expect(sketch.size).toBeLessThan(800)
    for (const share of [0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1]) {
      const found = sketch.quantile(share)
      const rank = sorted.filter((value) => value <= found).length / 40_000
      expect(Math.abs(rank - share), `of ${share}`).toBeLessThan(0.0194)
      expect(Math.abs(sketch.rank(sorted[Math.floor(share * 39_999)]) - share)).toBeLessThan(0.0194)
    }
  }
  expect([new Quantiles().quantile(0.5), new Quantiles().rank(1)]).toEqual([Number.NaN, Number.NaN])
})

test('quantiles of few numbers are exact', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 60 }), (values) => {
      const sketch = new Quantiles(200)
      for (const value of values) sketch.add(value)
      const sorted = values.toSorted((a, b) => a - b)
      expect(sketch.quantile(0.5)).toBe(sorted[Math.ceil(values.length / 2) - 1])
      expect(sketch.quantile(1)).toBe(Math.max(...values))
    }),
  )
})
