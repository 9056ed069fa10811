import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DAY_US, HOUR_US, MINUTE_US, SECOND_US } from '../../lib/time.ts'
import { hash53 } from './hashes.ts'
import { oracleResults } from './oracle.cases.ts'
import type { Visit } from './slot.ts'
import { restoredStream, savedStream } from './state.ts'
import { VisitorStream } from './stream.ts'
import type { VisitorOptions, VisitorResult } from './types.ts'

const T0 = Date.UTC(2026, 4, 17, 22, 50) * 1000

const options: VisitorOptions = {
  everyUs: 10 * MINUTE_US,
  windowUs: 30 * MINUTE_US,
  latenessUs: 20 * MINUTE_US,
  by: ['path', 'country'],
  top: 3,
  // Three requests a minute are more than a person makes: thirty in ten minutes.
  botRate: 3,
}

function visit(timeUs: number, who: number, also: Partial<Visit> = {}): Visit {
  return { timeUs, visitor: hash53(`v${who}`), isBot: false, isSuspect: false, keys: [], ...also }
}

const visits = fc.array(
  fc.record({
    at: fc.integer({ min: 0, max: 5 * 3600 }),
    who: fc.nat(12),
    path: fc.option(fc.constantFrom('/', '/a', '/b', '/c', '/d'), { nil: undefined }),
    country: fc.option(fc.constantFrom('CH', 'DE'), { nil: undefined }),
    kind: fc.constantFrom('person', 'person', 'person', 'person', 'bot', 'robots'),
    times: fc.constantFrom(1, 1, 1, 35),
  }),
  { maxLength: 60 },
)

function visitsOf(drawn: readonly Drawn[]): Visit[] {
  return drawn.flatMap(({ at, who, path, country, kind, times }) =>
    Array.from({ length: times }, () =>
      visit(T0 + at * SECOND_US, who, {
        keys: [path, country],
        isBot: kind === 'bot',
        isSuspect: kind === 'robots',
      }),
    ),
  )
}

interface Drawn {
  readonly at: number
  readonly who: number
  readonly path: string | undefined
  readonly country: string | undefined
  readonly kind: string
  readonly times: number
}

function run(stream: VisitorStream, input: readonly Visit[]): VisitorResult[] {
  const results = input.flatMap((each) => stream.add(each))
  return [...results, ...stream.end()]
}

/** As lines may come: each at most `latenessUs` behind the latest before it. */
function disturbed(input: readonly Visit[], latenessUs: number, by: readonly number[]): Visit[] {
  return input
    .map((each, i) => ({ each, at: each.timeUs + ((by[i % by.length] ?? 0) / 1000) * latenessUs }))
    .sort((a, b) => a.at - b.at)
    .map(({ each }) => each)
}

const shares = fc.array(fc.nat(1000), { minLength: 1, maxLength: 20 })

describe('visitors', () => {
  test('are those that sets would count, in every order within the lateness', () => {
    fc.assert(
      fc.property(visits, shares, (drawn, by) => {
        const input = visitsOf(drawn).sort((a, b) => a.timeUs - b.timeUs)
        const expected = oracleResults(input, options)
        expect(run(new VisitorStream(options), input)).toEqual(expected)
        const mixed = disturbed(input, options.latenessUs!, by)
        const stream = new VisitorStream(options)
        expect(run(stream, mixed)).toEqual(expected)
        expect(stream.times.late).toBe(0)
      }),
      { numRuns: 300 },
    )
  })

  test('are the same wherever a run is broken off and gone on with', () => {
    fc.assert(
      fc.property(visits, shares, fc.array(fc.nat(60), { maxLength: 4 }), (drawn, by, stops) => {
        const input = disturbed(visitsOf(drawn), options.latenessUs!, by)
        const whole = run(new VisitorStream(options), input)
        let stream = new VisitorStream(options)
        const results: VisitorResult[] = []
        input.forEach((each, i) => {
          if (stops.includes(i)) {
            stream = restoredStream(JSON.parse(JSON.stringify(savedStream(stream))))
          }
          results.push(...stream.add(each))
        })
        expect([...results, ...stream.end()]).toEqual(whole)
      }),
      { numRuns: 200 },
    )
  })

  test('of a history that is read in parts are those of the whole', () => {
    fc.assert(
      fc.property(visits, fc.array(fc.nat(2), { minLength: 1, maxLength: 9 }), (drawn, to) => {
        const input = visitsOf(drawn)
        const parts = [0, 1, 2].map(() => {
          const part = new VisitorStream(options)
          part.isHolding = true
          return part
        })
        input.forEach((each, i) => parts[to[i % to.length]].add(each))
        parts[0].absorb(parts[1])
        parts[0].absorb(parts[2])
        const whole = new VisitorStream(options)
        whole.isHolding = true
        expect(parts[0].end()).toEqual(run(whole, input))
      }),
      { numRuns: 200 },
    )
  })

  test('are told while a slot lasts, without touching it', () => {
    const stream = new VisitorStream({ everyUs: HOUR_US })
    for (let n = 0; n < 30; n++) stream.add(visit(T0 + n * SECOND_US, n % 7))
    expect(stream.provisional()).toMatchObject([
      { isFinal: false, visitors: { value: 7 }, hits: 30 },
    ])
    stream.add(visit(T0 + 40 * SECOND_US, 8))
    expect(stream.end()).toMatchObject([{ isFinal: true, visitors: { value: 8 }, hits: 31 }])
  })
})

describe('very many visitors', () => {
  const many = { everyUs: DAY_US, by: ['path'], top: 5, dayVisitors: 200_000, botRate: 1000 }
  /** Some 100,000 visitors; one page in a hundred thousand has a tenth of them. */
  const input = Array.from({ length: 150_000 }, (_, n) =>
    visit(T0 + (n % 3000) * SECOND_US, (n * 7919) % 100_003, {
      keys: [n % 10 === 0 ? '/home' : n % 25 === 0 ? '/news' : `/attack/${n}`],
    }),
  )
  const exact = new Set(input.map(({ visitor }) => visitor)).size

  test('are counted within the band that is told, in bounded memory', () => {
    const stream = new VisitorStream(many)
    for (const each of input) stream.add(each)
    const saved = JSON.stringify(savedStream(stream)).length
    expect(saved).toBeLessThan(3_000_000)
    const results = stream.end()
    expect(results.length).toBe(1)
    const [{ visitors, firstSeen, by }] = results
    expect(within(visitors, exact)).toBe(true)
    expect(Math.abs(visitors.value / exact - 1)).toBeLessThan(0.01)
    expect(within(firstSeen, exact)).toBe(true)
    expect(by[0].top.slice(0, 2).map(({ key }) => key)).toEqual(['/home', '/news'])
    const home = new Set(
      input.filter(({ keys }) => keys[0] === '/home').map(({ visitor }) => visitor),
    )
    expect(within(by[0].top[0].visitors, home.size)).toBe(true)
  })

  test('are the same state in any order, split anywhere', () => {
    const [forward, backward, left, right] = [0, 1, 2, 3].map(() => {
      const stream = new VisitorStream(many)
      stream.isHolding = true
      return stream
    })
    input.forEach((each, i) => {
      forward.add(each)
      backward.add(input[input.length - 1 - i])
      ;(i % 3 === 0 ? left : right).add(each)
    })
    left.absorb(right)
    const state = savedStream(forward)
    expect(savedStream(backward)).toEqual(state)
    expect(savedStream(left)).toEqual(state)
  })
})

function within({ low, high }: { low: number; high: number }, value: number): boolean {
  return value >= low && value <= high
}

describe('clocks that are wrong', () => {
  const minute = { everyUs: MINUTE_US, latenessUs: 2 * MINUTE_US, jumpUs: HOUR_US }
  const steady = Array.from({ length: 60 }, (_, n) => visit(T0 + n * 10 * SECOND_US, n % 5))

  test('one line from the future makes no other late, and is counted at its time', () => {
    const plain = run(new VisitorStream(minute), steady)
    const future = visit(T0 + 400 * DAY_US, 99)
    for (const at of [0, 3, 30, 60]) {
      const stream = new VisitorStream(minute)
      const results = run(stream, steady.toSpliced(at, 0, future))
      expect(results.slice(0, -1)).toEqual(plain)
      expect(results.at(-1)!.visitors.value).toBe(1)
      expect(stream.times.late).toBe(0)
    }
  })

  test('lines that are too late are counted apart', () => {
    const stream = new VisitorStream(minute)
    const results = run(stream, [...steady, visit(T0, 77)])
    expect(stream.times.late).toBe(1)
    expect(results.reduce((sum, { hits }) => sum + hits, 0)).toBe(60)
  })

  test('a log that was silent for long goes on', () => {
    const later = steady.map((each) => ({ ...each, timeUs: each.timeUs + 3 * DAY_US }))
    const stream = new VisitorStream(minute)
    const results = run(stream, [...steady, ...later])
    expect(results.reduce((sum, { hits }) => sum + hits, 0)).toBe(120)
    expect(stream.times.late).toBe(0)
  })

  test('times all over the centuries take no more memory than so much', () => {
    const stream = new VisitorStream({ ...minute, by: ['path'] })
    const wild = Array.from({ length: 10_000 }, (_, n) =>
      visit(T0 + (n % 2) * n * DAY_US, n, { keys: [`/${n}`] }),
    )
    const results = [...steady, ...wild].flatMap((each) => stream.add(each))
    expect(stream.open.size).toBeLessThan(2100)
    results.push(...stream.end())
    const { late, unplaced } = stream.times
    expect(results.reduce((sum, { hits }) => sum + hits, 0) + late + unplaced).toBe(10_060)
  })

  test('lines of a wrong clock do not take the room of good ones', () => {
    const stream = new VisitorStream(minute)
    const wild = Array.from({ length: 5000 }, (_, n) => visit(T0 + (n + 1) * DAY_US, n))
    const results = steady.flatMap((each) => stream.add(each))
    for (const [n, each] of wild.entries()) {
      results.push(...stream.add(each))
      if (n % 10 === 0) results.push(...stream.add(visit(T0 + (600 + n) * SECOND_US, n)))
    }
    results.push(...stream.end())
    const good = results.filter(({ from }) => from < T0 + DAY_US - HOUR_US)
    expect(good.reduce((sum, { hits }) => sum + hits, 0)).toBe(560)
    expect(results.reduce((sum, { hits }) => sum + hits, 0) + stream.times.unplaced).toBe(5560)
  })
})
