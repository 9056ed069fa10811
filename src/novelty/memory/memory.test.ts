import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRandom, type Random } from '../../lib/random.ts'
import { NoveltyStream, type StreamEvent } from './stream.ts'
import type { MemorySettings } from './settings.ts'
import type { Finding, Verdict } from './types.ts'

/** Events of two numbers around a place, and a category. */
function around(x: number, y: number, kind: string, random: Random): readonly string[] {
  return [x, y].map((centre) => random.normal(centre, 1).toFixed(6)).concat(kind)
}

const usual = (random: Random) =>
  random.next() < 0.5 ? around(0, 0, 'a', random) : around(30, 0, 'b', random)

const at = (i: number, fields: readonly string[]): StreamEvent => ({
  timeUs: i * 1_000_000,
  entity: `e${i % 5}`,
  fields,
})

function learn(settings: Partial<MemorySettings> = {}): NoveltyStream {
  const random = createRandom(1)
  return NoveltyStream.learn(
    Array.from({ length: 400 }, (_, i) => at(i, usual(random))),
    { columns: ['x', 'y', 'kind'], parties: false, history: false, settings },
  )
}

const state = learn({ sleepRecords: 500 }).saved()

/** One that has learnt the usual, which takes its time and is therefore done once. */
function learnt(settings: Partial<MemorySettings> = {}): NoveltyStream {
  const { memory } = state
  return new NoveltyStream({
    ...state,
    memory: { ...memory, settings: { ...memory.settings, ...settings } },
  })
}

/** Plays fields in; returns findings that are not noise. */
function play(stream: NoveltyStream, rows: readonly (readonly string[])[], from = 400): Finding[] {
  return rows
    .flatMap((fields, i) => stream.observe(at(from + i, fields)).findings)
    .filter(({ verdict }) => verdict !== 'noise')
}

const many = (n: number, make: (i: number) => readonly string[]) =>
  Array.from({ length: n }, (_, i) => make(i))

const verdictsOf = (findings: readonly Finding[]): Verdict[] =>
  findings.map(({ verdict }) => verdict)

describe('the memory of patterns', () => {
  test('finds nothing new in what it has learnt', () => {
    const random = createRandom(7)
    expect(
      play(
        learnt(),
        many(1000, () => usual(random)),
      ),
    ).toEqual([])
  })

  test('tells a group far from everything as a novelty, with its evidence', () => {
    const random = createRandom(8)
    const stream = learnt()
    const findings = play(
      stream,
      many(40, () => around(0, 60, 'c', random)),
    )
    expect(verdictsOf(findings)[0]).toBe('novelty')
    const { evidence, why, entities } = findings[0]
    expect(evidence?.nearest).toMatchObject({ label: 'normal' })
    expect(evidence?.nearest?.distance).toBeGreaterThan(1)
    expect(evidence?.silhouette).toBeGreaterThan(0)
    expect(evidence?.differs.map(({ field }) => field)).toContain('y')
    expect(evidence?.examples[0].fields[2]).toBe('c')
    expect(why).toContain('no gradual path')
    expect(entities.length).toBeGreaterThan(1)
  })

  test('takes one strange record for noise', () => {
    const random = createRandom(9)
    const stream = learnt({ unknownRecords: 50 })
    const observed = [around(0, 90, 'c', random), ...many(200, () => usual(random))].flatMap(
      (fields, i) => stream.observe(at(400 + i, fields)).findings,
    )
    const told = observed.find(({ members }) => members[0] === 0)
    expect(told).toMatchObject({ verdict: 'noise', pattern: null, alerted: false })
    expect(observed.every(({ verdict }) => verdict === 'noise')).toBe(true)
  })

  test('tells what sleeps and returns as a recurrence, never as a novelty', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 40, max: 90 }), (seed, y) => {
        const random = createRandom(seed)
        const stream = learnt()
        const group = () => around(0, y, 'c', random)
        const first = play(stream, many(60, group))
        expect(verdictsOf(first)).toContain('novelty')
        play(
          stream,
          many(700, () => usual(random)),
          460,
        )
        const { pattern } = first[0]
        expect(stream.memory.pattern(pattern ?? '')?.state).toBe('asleep')
        const again = play(stream, many(60, group), 1160)
        expect(verdictsOf(again)[0]).toBe('recurrence')
        expect(verdictsOf(again)).not.toContain('novelty')
        expect(stream.memory.pattern(pattern ?? '')?.state).toBe('active')
      }),
      { numRuns: 15 },
    )
  })

  /** Half of the records are usual; a group among them moves up by one spread in `rows` records. */
  const moving = (n: number, rows: number, random: Random) =>
    many(n, (i) =>
      i % 2 === 1
        ? usual(random)
        : [random.normal(0, 1).toFixed(6), random.normal(i / rows, 0.3).toFixed(6), 'a'],
    )

  test.each([1, 2, 3, 4, 5, 6])('tells a group that moves step by step as a drift (%d)', (seed) => {
    const stream = learnt()
    const findings = play(stream, moving(3500, 700, createRandom(seed)))
    expect(verdictsOf(findings)).toContain('drift')
    expect(findings.at(-1)).toMatchObject({ verdict: 'drift', label: 'normal' })
    // Where a step was called a novelty, it was taken back when more of it had come.
    expect(stream.memory.patterns().map(({ id }) => id)).toEqual(['P1'])
    expect(findings.at(-1)?.evidence?.path.at(-1)?.moved).toBeGreaterThan(1)
  })

  test('is not led away by a slow poisoner: beyond a bound nothing is learnt as usual', () => {
    const stream = learnt({ driftMax: 3 })
    const findings = play(stream, moving(12_000, 400, createRandom(2)))
    expect(findings.some(({ why }) => why.includes('it is not learnt'))).toBe(true)
    const usualPatterns = stream.memory.patterns().filter((one) => one.usual)
    expect(usualPatterns.map(({ id }) => id)).toEqual(['P1'])
    expect(stream.observe(at(13_000, ['0', '25', 'a'])).score).toBeGreaterThan(3)
  })

  test('keeps its bounds under a flood of novelties, and counts what it forgets', () => {
    const random = createRandom(5)
    const settings = { clustersMax: 200, patternsMax: 20, unknownMax: 100, alertsMax: 3 }
    const stream = learnt(settings)
    let [alerted, findings, digested] = [0, 0, 0]
    for (let i = 0; i < 6000; i++) {
      const group = Math.floor(i / 12)
      const x = 100 + 37 * (group % 50)
      const observed = stream.observe(at(400 + i, around(x, 50 * group, `k${group % 9}`, random)))
      const told = observed.findings.filter(({ verdict }) => verdict !== 'noise')
      findings += told.length
      alerted += told.filter((one) => one.alerted).length
      for (const digest of stream.memory.digests()) digested += digest.findings
      const { patterns, clusters, unknown, frontier } = stream.sizes
      expect(patterns).toBeLessThanOrEqual(20)
      expect(clusters).toBeLessThanOrEqual(200)
      expect(unknown).toBeLessThanOrEqual(100)
      expect(frontier).toBeLessThanOrEqual(400)
    }
    const rest = stream.memory.finish()
    for (const digest of rest.digests) digested += digest.findings
    expect(alerted).toBeLessThanOrEqual(3 * 7)
    expect(alerted + digested).toBe(findings)
    expect(stream.memory.pattern('P1')).toBeDefined()
  })

  test('goes on after being saved and restored as if it had never stopped', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 1, max: 399 }),
        (seed, cut) => {
          const random = createRandom(seed)
          const rows = many(400, (i) =>
            i % 3 === 0 ? around(0, 50 + (i > 200 ? 40 : 0), 'c', random) : usual(random),
          )
          const whole = learnt({ sleepRecords: 60 })
          let parted = learnt({ sleepRecords: 60 })
          rows.forEach((fields, i) => {
            if (i === cut) {
              parted = new NoveltyStream(JSON.parse(JSON.stringify(parted.saved())))
            }
            expect(parted.observe(at(400 + i, fields))).toEqual(whole.observe(at(400 + i, fields)))
          })
          expect(parted.version()).toBe(whole.version())
        },
      ),
      { numRuns: 10 },
    )
  })
})

describe('what a person says', () => {
  const by = { actor: 'ada', reason: 'looked at it', atUs: 1 }

  function withNovelty() {
    const random = createRandom(6)
    const stream = learnt()
    const [found] = play(
      stream,
      many(30, () => around(0, 60, 'c', random)),
    )
    return { stream, pattern: found.pattern ?? '', group: () => around(0, 60, 'c', random) }
  }

  test('makes a pattern usual: its records are no longer strange', () => {
    const { stream, pattern, group } = withNovelty()
    expect(stream.observe(at(500, group())).score).toBeGreaterThan(1)
    stream.memory.take({ ...by, pattern, says: 'usual', label: 'new product' })
    expect(stream.observe(at(501, group())).score).toBeLessThanOrEqual(1.5)
    expect(stream.memory.pattern(pattern)).toMatchObject({ usual: true, label: 'new product' })
  })

  test('keeps a threat as news, under its name', () => {
    const { stream, pattern, group } = withNovelty()
    stream.memory.take({ ...by, pattern, says: 'threat', label: 'scan' })
    expect(stream.observe(at(500, group()))).toMatchObject({ verdict: 'known', pattern })
    expect(stream.memory.pattern(pattern)).toMatchObject({ usual: false, confirmed: true })
  })

  test('joins a pattern to another, and forgets noise', () => {
    const joined = withNovelty()
    joined.stream.memory.take({ ...by, pattern: joined.pattern, says: 'same', as: 'P1' })
    expect(joined.stream.observe(at(500, joined.group())).pattern).toBe('P1')
    const forgotten = withNovelty()
    forgotten.stream.memory.take({ ...by, pattern: forgotten.pattern, says: 'noise' })
    expect(forgotten.stream.observe(at(500, forgotten.group())).verdict).toBe('unknown')
  })

  test('is refused about a pattern that is not there', () => {
    const { stream } = withNovelty()
    expect(() => stream.memory.take({ ...by, pattern: 'P99', says: 'usual' })).toThrow('P99')
  })
})

describe('settings and training', () => {
  test('are refused with what is wrong', () => {
    expect(() => learn({ outside: 0 })).toThrow('"outside"')
    expect(() => learn({ clusterMin: 1.5 })).toThrow('"clusterMin"')
    const few = Array.from({ length: 10 }, (_, i) => at(i, ['1', '2', 'a']))
    expect(() => NoveltyStream.learn(few, { columns: ['x', 'y', 'kind'], parties: false })).toThrow(
      'at least 50',
    )
    expect(() => new NoveltyStream({ format: 'other' } as never)).toThrow('format')
  })
})
