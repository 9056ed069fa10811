import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRandom } from '../../lib/random.ts'
import { Entries } from './entries.ts'
import { EntityRecords } from './entity-records.ts'
import type { EntryField } from './plan.ts'
import { RING_INTEGERS, Rings, TIME_WIDTH } from './rings.ts'

const fields: readonly EntryField[] = [
  { holds: 'flags', index: 0, width: 1, at: TIME_WIDTH },
  { holds: 'double', index: 0, width: 2, at: TIME_WIDTH + 1 },
  { holds: 'integer', index: 1, width: 1, at: TIME_WIDTH + 3 },
  { holds: 'code', index: 0, width: 1, at: TIME_WIDTH + 4 },
  { holds: 'event', index: 0, width: 1, at: TIME_WIDTH + 5 },
]

function ringsOf(entities: number): { rings: Rings; entries: Entries; records: EntityRecords } {
  const records = new EntityRecords(RING_INTEGERS, 1)
  const rings = new Rings(
    records,
    fields.map(({ width }) => width),
  )
  records.reserve(entities - 1)
  for (let entity = 0; entity < entities; entity++) rings.begin(entity)
  return { rings, entries: new Entries(rings, fields), records }
}

/** Everything that an entry of the ring at a position holds, the time first. */
function entryAt(rings: Rings, entries: Entries, position: number): number[] {
  const slot = rings.slot(position)
  const numbers = [entries.number(slot, 0), entries.number(slot, 1)]
  return [
    rings.time(position),
    entries.flags(slot),
    ...numbers,
    entries.code(slot, 0),
    entries.event(slot),
  ]
}

function contents(rings: Rings, entries: Entries, entity: number): number[][] {
  rings.select(entity)
  const { first, end } = rings
  return Array.from({ length: end - first }, (_, i) => entryAt(rings, entries, first + i))
}

describe('rings', () => {
  test('hold what is put in anywhere, through growing, shrinking, packing and lowering', () => {
    const shapes = fc.record({
      seed: fc.integer(),
      entities: fc.constantFrom(1, 3, 40),
      lowered: fc.boolean(),
    })
    fc.assert(
      fc.property(shapes, ({ seed, entities, lowered }) => {
        const { rings, entries } = ringsOf(entities)
        if (lowered) rings.positionMax = 50
        const plain: number[][][] = Array.from({ length: entities }, () => [])
        const random = createRandom(seed)
        for (let step = 0; step < 3000; step++) {
          const entity = random.int(entities)
          const own = plain[entity]
          // Rings fill for a while and empty for a while, so that pieces of all sizes come and go.
          const filling = step % 1000 < 500
          if (own.length > 0 && random.next() < (filling ? 0.2 : 0.5)) {
            const gone = 1 + random.int(Math.min(own.length, filling ? 1 : 5))
            rings.drop(entity, gone)
            own.splice(0, gone)
          } else {
            const at = own.length - (random.int(4) === 0 ? random.int(own.length + 1) : 0)
            const before = own[at - 1]?.[0] ?? -1000
            const measured = random.int(5) === 0 ? Number.NaN : step / 3
            const whole = random.int(5) === 0 ? Number.NaN : -step
            const entry = [before + random.int(2), step % 7, measured, whole, step % 11, step]
            rings.select(entity)
            const slot = rings.insert(entity, rings.first + at, entry[0])
            entries.setFlags(slot, entry[1])
            entries.setNumber(slot, 0, entry[2])
            entries.setNumber(slot, 1, entry[3])
            entries.setCode(slot, 0, entry[4])
            entries.setEvent(slot, entry[5])
            own.splice(at, 0, entry)
            const { excess } = rings
            if (excess > 0) rings.lower(entity, excess)
            if (lowered && rings.end - rings.first < 40) expect(rings.end).toBeLessThanOrEqual(50)
          }
          if (random.int(500) === 0) {
            rings.clear(entity)
            rings.begin(entity)
            plain[entity] = []
          }
          expect(rings.length(entity)).toBe(plain[entity].length)
        }
        plain.forEach((own, entity) => expect(contents(rings, entries, entity)).toEqual(own))
      }),
      { numRuns: 30 },
    )
  })

  test('find the first entry after a time, among ties too', () => {
    const times = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 40 })
    fc.assert(
      fc.property(times, fc.integer({ min: -1, max: 21 }), fc.nat(10), (all, timeUs, dropped) => {
        const { rings } = ringsOf(1)
        const rising = all.toSorted((a, b) => a - b)
        rings.select(0)
        for (const time of rising) rings.insert(0, rings.end, time)
        const gone = Math.min(dropped, rising.length)
        if (gone > 0) rings.drop(0, gone)
        const left = rising.slice(gone)
        const after = left.findIndex((time) => time > timeUs)
        expect(rings.positionAfter(timeUs) - rings.first).toBe(after < 0 ? left.length : after)
      }),
    )
  })

  test('use memory again: many rings that come and go take what the live ones need', () => {
    const { rings } = ringsOf(1000)
    let settled = 0
    for (let round = 0; round < 50; round++) {
      for (let entity = 0; entity < 1000; entity++) {
        if (rings.length(entity) > 0) rings.drop(entity, rings.length(entity))
        // Every entity has a long ring now and then, and most have short ones.
        const length = (entity + round * 7) % 50 === 0 ? 100 : 1 + ((entity * 31 + round) % 6)
        rings.select(entity)
        for (let i = 0; i < length; i++) rings.insert(entity, rings.end, i)
      }
      if (round === 5) settled = rings.bytes()
    }
    expect(rings.bytes()).toBeLessThan(settled * 1.3)
  })

  test('say by how much their positions should be lowered, and keep their entries', () => {
    const { rings, entries } = ringsOf(1)
    rings.positionMax = 100
    for (let step = 0; step < 90; step++) {
      rings.select(0)
      rings.insert(0, rings.end, step)
      if (step >= 10) rings.drop(0, 1)
      expect(rings.excess).toBe(0)
    }
    for (let step = 90; step < 99; step++) rings.insert(0, rings.end, step)
    expect([rings.first, rings.end, rings.excess]).toEqual([81, 100, 80])
    const before = contents(rings, entries, 0)
    rings.lower(0, rings.excess)
    expect([rings.first, rings.end, rings.excess]).toEqual([1, 20, 0])
    expect(contents(rings, entries, 0)).toEqual(before)
  })

  test('refuse to grow beyond what 32-bit places reach, and keep what they have', () => {
    const { rings, entries } = ringsOf(2)
    rings.integersMax = 1500
    const fill = (entity: number): void => {
      for (let step = 0; step < 1000; step++) {
        rings.select(entity)
        rings.insert(entity, rings.end, step)
      }
    }
    expect(() => fill(0)).toThrow(/give live state a limit of memory/)
    expect(rings.bytes()).toBeLessThanOrEqual(1500 * 4)
    const times = contents(rings, entries, 0).map(([timeUs]) => timeUs)
    expect(times.length).toBeGreaterThan(50)
    expect(times).toEqual(times.map((_, step) => step))
  })
})
