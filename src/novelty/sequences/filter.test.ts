import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { manualClock } from '../../lib/clock.ts'
import {
  SequenceFilter,
  type FilterOptions,
  type FilterState,
  type SequenceEvent,
} from './filter.ts'
import { SequenceKnowledge } from './knowledge.ts'
import { SequenceModel } from './model.ts'

const knowledge = new SequenceKnowledge({ budget: 0.1 })
for (let i = 0; i < 30; i++) {
  knowledge.learn(['open', 'read', 'close'])
  knowledge.learn(['open', 'close'])
}
const model = SequenceModel.of(knowledge)
const filterWith = (options: FilterOptions) => new SequenceFilter(() => model, options)

const byEnd = { by: 'end', events: ['close'] } as const
const at = (entity: string, event: string, atUs: number, id?: string): SequenceEvent => ({
  entity,
  event,
  atUs,
  id,
})

describe('a window', () => {
  test('ends with an event that ends sessions, and its verdict has its evidence', () => {
    const filter = filterWith({ windows: byEnd })
    expect(filter.add(at('ann', 'open', 1))).toEqual([])
    expect(filter.add(at('bob', 'open', 2))).toEqual([])
    expect(filter.add(at('bob', 'erase', 3))).toEqual([])
    expect(filter.add(at('ann', 'close', 4))).toMatchObject([
      { entity: 'ann', known: true, score: 0, closedBy: 'end', fromUs: 1, throughUs: 4 },
    ])
    const [verdict] = filter.add(at('bob', 'close', 5))
    expect(verdict).toMatchObject({ entity: 'bob', known: false, version: model.version })
    expect(verdict.events).toEqual(['open', 'erase', 'close'])
    expect(verdict.evidence.unseen[0]).toEqual({ place: 1, events: ['erase'] })
    expect(filter.counts).toMatchObject({ events: 5, windows: 2, unknown: 1 })
  })

  test('ends where it is said to, and is then whole', () => {
    const filter = filterWith({ windows: { by: 'end', events: [] } })
    filter.add(at('ann', 'open', 1))
    expect(filter.soFar('ann')).toMatchObject({ known: true, score: 0 })
    const [verdict] = filter.end('ann')
    expect(verdict.score).toBeGreaterThan(0)
    expect(filter.end('ann')).toEqual([])
    expect(filter.end('nobody')).toEqual([])
    expect(filter.soFar('ann')).toBeUndefined()
  })

  test('ends after a gap, by the next event or as time goes on', () => {
    const filter = filterWith({ windows: { by: 'gap', gapUs: 10 } })
    filter.add(at('ann', 'open', 1))
    filter.add(at('ann', 'close', 11))
    expect(filter.add(at('ann', 'open', 22))).toMatchObject([{ closedBy: 'gap', throughUs: 11 }])
    expect(filter.advance(32)).toEqual([])
    expect(filter.advance(33)).toMatchObject([{ closedBy: 'gap', events: ['open'] }])
    // It belongs to the window that was just judged.
    expect(filter.add(at('ann', 'close', 30))).toEqual([])
    expect(filter.counts.late).toBe(1)
  })

  test('ends after so many events', () => {
    const filter = filterWith({ windows: { by: 'count', events: 2 } })
    expect(filter.add(at('ann', 'open', 1))).toEqual([])
    expect(filter.add(at('ann', 'close', 2))).toMatchObject([{ closedBy: 'count', known: true }])
  })

  test('that grows too long is judged as it is, and goes on', () => {
    const filter = filterWith({ windows: byEnd, windowEventsMax: 2 })
    filter.add(at('ann', 'open', 1))
    expect(filter.add(at('ann', 'read', 2))).toMatchObject([{ closedBy: 'full', score: 0 }])
    expect(filter.soFar('ann')).toBeUndefined()
    expect(filter.add(at('ann', 'close', 3))).toMatchObject([
      { closedBy: 'end', events: ['close'], fromUs: 3, score: 0 },
    ])
  })

  test('that is open at the end is judged as one that is cut', () => {
    const filter = filterWith({ windows: byEnd })
    filter.add(at('ann', 'open', 1))
    expect(filter.flush()).toMatchObject([{ closedBy: 'flushed', score: 0 }])
    expect(filter.flush()).toEqual([])
  })
})

describe('events', () => {
  test('that come late are put into their place, or counted where it is gone', () => {
    const filter = filterWith({ windows: byEnd, lateUs: 5 })
    filter.add(at('ann', 'open', 1))
    filter.add(at('ann', 'close', 4))
    expect(filter.add(at('ann', 'read', 2))).toEqual([])
    const [verdict] = filter.advance(9)
    expect(verdict.events).toEqual(['open', 'read', 'close'])
    filter.add(at('ann', 'read', 3))
    expect(filter.counts).toMatchObject({ late: 1, windows: 1, unknown: 0 })
  })

  test('that come twice count once, as long as their id is remembered', () => {
    const filter = filterWith({ windows: { by: 'end', events: [] }, idsMax: 2 })
    for (const id of ['1', '1', '2', '3', '1']) filter.add(at('ann', 'read', 1, id))
    expect(filter.counts).toMatchObject({ events: 5, duplicates: 1 })
    expect(filter.end('ann')[0].events).toHaveLength(4)
  })

  test('of a wrong clock are left out and counted', () => {
    const clock = manualClock(100)
    const filter = filterWith({ windows: byEnd, clock, aheadUs: 10 })
    filter.add(at('ann', 'open', 111))
    filter.add(at('ann', 'open', 110))
    expect(filter.counts).toMatchObject({ ahead: 1, late: 0 })
    expect(filter.end('ann')[0].events).toHaveLength(1)
  })

  test.each([
    [at('', 'open', 1), /0 characters/],
    [at('ann', 'two words', 1), /no event id/],
    [at('ann', 'open', 1.5), /whole microseconds/],
    [at('ann', 'open', 1, 'x'.repeat(2000)), /2000 characters/],
  ])('that are none are refused, and not counted: %#', (bad, message) => {
    const filter = filterWith({ windows: byEnd })
    expect(() => filter.add(bad)).toThrow(message)
    expect(filter.counts.events).toBe(0)
  })
})

describe('memory', () => {
  test('keeps so many entities; the quietest leaves with a verdict', () => {
    const filter = filterWith({ windows: byEnd, entitiesMax: 2 })
    filter.add(at('ann', 'open', 1))
    filter.add(at('bob', 'open', 2))
    filter.add(at('ann', 'read', 3))
    const [verdict] = filter.add(at('cas', 'open', 4))
    expect(verdict).toMatchObject({ entity: 'bob', closedBy: 'left', events: ['open'] })
    expect(filter.counts.left).toBe(1)
    expect(filter.soFar('ann')).toBeDefined()
  })

  test('keeps so many events of all together', () => {
    const filter = filterWith({ windows: byEnd, heldMax: 3 })
    for (let i = 0; i < 3; i++) filter.add(at('ann', 'read', i))
    const [verdict] = filter.add(at('bob', 'open', 9))
    expect(verdict).toMatchObject({ entity: 'ann', closedBy: 'left' })
    expect(verdict.events).toHaveLength(3)
  })

  test('does not grow while events wait for late ones', () => {
    const filter = filterWith({ windows: byEnd, lateUs: 1e9, windowEventsMax: 3 })
    for (let i = 0; i < 5; i++) filter.add(at('ann', 'read', i))
    expect(filter.counts.hurried).toBe(2)
    const events = filter.flush().flatMap((window) => window.events)
    expect(events).toHaveLength(5)
  })
})

const someEvents = fc.array(
  fc.record({
    entity: fc.constantFrom('ann', 'bob', 'cas'),
    event: fc.constantFrom('open', 'read', 'close', 'erase'),
    delayUs: fc.integer({ min: 0, max: 50 }),
  }),
  { maxLength: 40, size: 'max' },
)
const rules = fc.constantFrom<FilterOptions['windows']>(
  byEnd,
  { by: 'gap', gapUs: 25 },
  { by: 'count', events: 3 },
)

describe('whatever comes', () => {
  test('events that are late within bounds, and twice, give the same windows as in order', () => {
    fc.assert(
      fc.property(someEvents, rules, (list, windows) => {
        const events = list.map(({ entity, event, delayUs }, i) => {
          const atUs = 10 * i
          return { ...at(entity, event, atUs, `${i}`), arrivesUs: atUs + delayUs }
        })
        const inOrder = filterWith({ windows })
        const expected = [...events.flatMap((each) => inOrder.add(each)), ...inOrder.flush()]
        const shuffled = events.toSorted((a, b) => a.arrivesUs - b.arrivesUs)
        const filter = filterWith({ windows, lateUs: 50 })
        const found = [
          ...shuffled.flatMap((each) => [...filter.add(each), ...filter.add(each)]),
          ...filter.flush(),
        ]
        const key = (each: { entity: string; fromUs: number }) => `${each.entity} ${each.fromUs}`
        const sorted = (all: typeof found) => all.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
        expect(sorted(found)).toEqual(sorted(expected))
        expect(filter.counts).toMatchObject({ late: 0, duplicates: events.length })
      }),
    )
  })

  test('every event is judged once, or counted as left out', () => {
    fc.assert(
      fc.property(someEvents, rules, fc.nat(30), (list, windows, lateUs) => {
        const filter = filterWith({ windows, lateUs, entitiesMax: 2, windowEventsMax: 4 })
        const found = list.flatMap(({ entity, event, delayUs }, i) =>
          filter.add(at(entity, event, 10 * i - delayUs)),
        )
        const judged = [...found, ...filter.flush()].flatMap((window) => window.events).length
        const { events, late } = filter.counts
        expect(judged + late).toBe(events)
      }),
    )
  })

  test('a filter that was saved and restored goes on as if nothing had been', () => {
    fc.assert(
      fc.property(someEvents, rules, fc.nat(40), (list, windows, cut) => {
        const options = { windows, lateUs: 20, entitiesMax: 2 }
        const events = list.map(({ entity, event, delayUs }, i) =>
          at(entity, event, 10 * i - delayUs, `${i % 30}`),
        )
        const whole = filterWith(options)
        let broken = filterWith(options)
        for (const [i, each] of events.entries()) {
          if (i === cut) {
            const state = JSON.parse(JSON.stringify(broken.toState())) as FilterState
            broken = filterWith(options)
            broken.restore(state)
          }
          expect(broken.add(each)).toEqual(whole.add(each))
        }
        expect(broken.flush()).toEqual(whole.flush())
        expect(broken.counts).toEqual(whole.counts)
      }),
    )
  })
})

test('a state of other windows, or none at all, is not taken up', () => {
  const state = filterWith({ windows: byEnd }).toState()
  const filter = filterWith({ windows: { by: 'gap', gapUs: 5 } })
  expect(() => filter.restore(state)).toThrow(/other windows/)
  expect(() => filter.restore({} as FilterState)).toThrow(/assay-sequence-filter/)
})

test.each([
  { windows: { by: 'gap', gapUs: 0 } },
  { windows: { by: 'count', events: 0 } },
  { windows: byEnd, lateUs: -1 },
  { windows: byEnd, entitiesMax: 0 },
] as FilterOptions[])('the settings %j are refused', (options) => {
  expect(() => filterWith(options)).toThrow(/whole number/)
})
