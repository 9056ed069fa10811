import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ln, log1p } from '../../lib/math.ts'
import { Calibration, type Figures } from './calibration.ts'
import { SequenceKnowledge, type KnowledgeState } from './knowledge.ts'
import { SequenceModel, type SequenceVerdict } from './model.ts'
import type { SequenceOptions } from './options.ts'

type Session = readonly string[]

const event = fc.constantFrom('a', 'b', 'c', 'd', 'login')
const session = fc.array(event, { minLength: 1, maxLength: 9 })
// From few different ones, so that some come more than once.
const sessions = fc
  .array(session, { minLength: 1, maxLength: 6 })
  .chain((few) => fc.array(fc.constantFrom(...few), { minLength: 1, maxLength: 14 }))
const asked = fc.array(fc.oneof(event, fc.constant('new')), { minLength: 1, maxLength: 12 })
const anyOptions = fc.record({
  budget: fc.constantFrom(0.01, 0.2, 0.5),
  locality: fc.constantFrom(1, 3, 20),
  whole: fc.boolean(),
})

const learnt = (list: readonly Session[], options: SequenceOptions = {}) => {
  const knowledge = new SequenceKnowledge(options)
  for (const each of list) knowledge.learn(each)
  return knowledge
}
const modelOf = (list: readonly Session[], options: SequenceOptions = {}) =>
  SequenceModel.of(learnt(list, options))

/** The three figures by definition: lists of sessions, no sums, no index. */
function naiveFigures(known: readonly Session[], own: Session, options: SequenceOptions): Figures {
  const { whole = true, locality = 20 } = options
  const marked = (list: Session) => (whole ? ['(begin)', ...list, '(end)'] : [...list])
  const gramsOf = (list: Session, n: number) =>
    marked(list).flatMap((_, at, all) =>
      at + 1 < n ? [] : [{ at, text: JSON.stringify(all.slice(at + 1 - n, at + 1)) }],
    )
  const unseen = [1, 2, 3].flatMap((n) => {
    const seen = new Set(known.flatMap((each) => gramsOf(each, n).map(({ text }) => text)))
    return gramsOf(own, n).filter(({ text }) => {
      const isMark = n === 1 && (text === '["(begin)"]' || text === '["(end)"]')
      return !isMark && !seen.has(text)
    })
  })
  const together = unseen.map(
    ({ at }) => unseen.filter((other) => other.at <= at && other.at > at - locality).length,
  )
  const lengths = known.map((each) => each.length)
  const beyond =
    known.length === 0
      ? 0
      : Math.max(0, ln(Math.min(...lengths) / own.length), ln(own.length / Math.max(...lengths)))
  const holding = (name: string) => known.filter((each) => each.includes(name)).length
  const weight = (name: string) => ln((1 + known.length) / (1 + holding(name))) + 1
  const times = (list: Session, name: string) => list.filter((each) => each === name).length
  const distances = (known.length === 0 ? [[]] : known).map((each) =>
    [...new Set([...own, ...each])]
      .map((name) => weight(name) * Math.abs(log1p(times(own, name)) - log1p(times(each, name))))
      .reduce((sum, part) => sum + part, 0),
  )
  const distance = Math.round(Math.min(...distances) * 1e6) / 1e6
  return { grams: Math.max(0, ...together), length: beyond, counts: distance }
}

function figuresOf({ evidence }: SequenceVerdict): Figures {
  const { length, counts } = evidence
  return {
    grams: evidence.unseenTogether,
    length:
      length === undefined
        ? 0
        : Math.max(ln(length.least / length.length), ln(length.length / length.most)),
    counts: counts?.distance ?? 0,
  }
}

describe('a verdict', () => {
  test('shows what a naive look at all sessions finds', () => {
    fc.assert(
      fc.property(sessions, asked, anyOptions, (known, own, options) => {
        const found = figuresOf(modelOf(known, options).judge(own))
        const expected = naiveFigures(known, own, options)
        expect(found.grams).toBe(expected.grams)
        expect(found.length).toBeCloseTo(expected.length, 9)
        expect(found.counts).toBeCloseTo(expected.counts, 9)
      }),
    )
  })

  test('has a score of 0 where nothing is new, as of each session that was learnt', () => {
    fc.assert(
      fc.property(sessions, asked, (known, own) => {
        const model = modelOf(known)
        for (const each of known) expect(model.judge(each)).toMatchObject({ score: 0, known: true })
        const verdict = model.judge(own)
        const { grams, length, counts } = figuresOf(verdict)
        if (grams === 0 && length === 0 && counts === 0) expect(verdict.score).toBe(0)
        else expect(verdict.score).toBeGreaterThanOrEqual(0)
      }),
    )
  })

  test('is the same whatever the order of the training sessions', () => {
    fc.assert(
      fc.property(sessions, asked, anyOptions, (known, own, options) => {
        const one = modelOf(known, options)
        const two = modelOf(known.toReversed(), options)
        expect(two.version).toBe(one.version)
        expect(two.judge(own)).toEqual(one.judge(own))
      }),
    )
  })

  test('of merged filters is that of one that learnt all', () => {
    fc.assert(
      fc.property(sessions, sessions, asked, (known, more, own) => {
        const merged = learnt(known)
        merged.merge(learnt(more))
        const one = SequenceModel.of(merged)
        const all = modelOf([...known, ...more])
        expect(one.version).toBe(all.version)
        expect(one.judge(own)).toEqual(all.judge(own))
      }),
    )
  })

  test('is the same after the filter was saved', () => {
    fc.assert(
      fc.property(sessions, asked, anyOptions, (known, own, options) => {
        const model = modelOf(known, options)
        const state = JSON.parse(JSON.stringify(model.toState())) as KnowledgeState
        const again = SequenceModel.fromState(state)
        expect(again.version).toBe(model.version)
        expect(again.judge(own)).toEqual(model.judge(own))
      }),
    )
  })

  test('knows all that was learnt also where the filters hold most of it', () => {
    fc.assert(
      fc.property(sessions, asked, (known, own) => {
        const model = modelOf(known, { charactersMax: 12, filteredKeys: 1000 })
        for (const each of known) expect(model.judge(each)).toMatchObject({ score: 0, known: true })
        const exact = modelOf(known).judge(own).evidence
        const evidence = model.judge(own).evidence
        expect(evidence.unseenTotal).toBeLessThanOrEqual(exact.unseenTotal)
      }),
    )
  })
})

describe('the threshold', () => {
  test('is that of sessions judged by a filter that learnt all others', () => {
    fc.assert(
      fc.property(sessions, anyOptions, (known, options) => {
        const figures = known.map((own, i) => naiveFigures(known.toSpliced(i, 1), own, options))
        const naive = new Calibration(figures, known.length, 1).threshold(options.budget)
        const model = modelOf(known, options)
        expect(model.threshold).toBeCloseTo(naive.threshold, 9)
        expect(model.supported).toBe(naive.supported)
      }),
    )
  })
})

describe('the evidence', () => {
  const normal = Array.from({ length: 20 }, () => ['open', 'read', 'read', 'close'])
  const model = modelOf([...normal, ['open', 'read', 'close']], { budget: 0.1 })

  test('names the n-grams that were never seen, and where', () => {
    const { evidence, known } = model.judge(['open', 'read', 'erase', 'close'])
    expect(known).toBe(false)
    expect(evidence.unseenTotal).toBe(6)
    expect(evidence.unseen[0]).toEqual({ place: 2, events: ['erase'] })
    expect(evidence.unseen[1]).toEqual({ place: 2, events: ['read', 'erase'] })
    expect(evidence.unseen.at(-1)).toEqual({ place: 4, events: ['erase', 'close', '(end)'] })
  })

  test('says which counts differ from the nearest known ones', () => {
    const { counts } = model.judge(['open', 'read', 'read', 'read', 'close']).evidence
    expect(counts?.differs).toEqual([{ event: 'read', count: 3, nearest: 2 }])
  })

  test('says how long known sessions are where one is longer or shorter', () => {
    expect(model.judge(['open', 'close']).evidence.length).toEqual({ length: 2, least: 3, most: 4 })
    expect(model.judge(normal[0]).evidence.length).toBeUndefined()
  })

  test('of a session that still goes on does not miss what may come', () => {
    const verdict = model.judge(['open', 'read'], { ends: false })
    expect(verdict).toMatchObject({ score: 0, known: true })
    expect(model.judge(['open', 'read']).score).toBeGreaterThan(0)
    expect(model.judge(['read', 'close'], { begins: false })).toMatchObject({ score: 0 })
  })
})

describe('bad input', () => {
  const knowledge = learnt([['a', 'b']])

  test.each([
    ['an empty session', [], /has no event/],
    ['an empty id', ['a', ''], /empty id/],
    ['an id with a space', ['a b'], /no event id/],
    ['an id with a control character', ['a\u0002'], /no event id/],
    ['half a surrogate pair', ['\ud800'], /no event id/],
    ['an endless id', ['x'.repeat(300)], /300 characters/],
    ['an endless session', Array.from({ length: 100_001 }, () => 'a'), /100001 events/],
  ])('%s is refused, and nothing of it learnt', (_, bad, message) => {
    const before = knowledge.toState()
    expect(() => knowledge.learn(bad)).toThrow(message)
    expect(knowledge.toState()).toEqual(before)
    expect(() => SequenceModel.of(knowledge).judge(bad)).toThrow(message)
  })

  test('values in the place of event ids are refused before they fill the memory', () => {
    const wide = new SequenceKnowledge()
    const values = (from: number) => Array.from({ length: 50_000 }, (_, i) => `${from + i}`)
    wide.learn(values(0))
    expect(() => wide.learn(values(50_000))).toThrow(/different event ids/)
    expect(wide.sessions).toBe(1)
  })

  test('a filter that learnt nothing judges nothing', () => {
    expect(() => SequenceModel.of(new SequenceKnowledge())).toThrow(/No session was learnt/)
  })

  test('what is no saved filter is refused', () => {
    const damaged = { ...knowledge.toState(), format: 'other' } as unknown as KnowledgeState
    expect(() => SequenceModel.fromState(damaged)).toThrow(/assay-sequences/)
  })

  test.each([{ budget: 0 }, { budget: 1 }, { locality: 0 }, { charactersMax: 0.5 }])(
    'the setting %j is refused',
    (options) => {
      expect(() => new SequenceKnowledge(options)).toThrow(/budget|locality|charactersMax/)
    },
  )

  test('filters with different options are not merged', () => {
    const other = learnt([['a']], { locality: 3 })
    expect(() => other.merge(knowledge)).toThrow(/same options/)
  })
})
