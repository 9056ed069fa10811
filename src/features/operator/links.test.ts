/** What finds equal and extreme values in rings, against a look at every entry. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRandom } from '../../lib/random.ts'
import { Dictionary } from './dictionary.ts'
import { Entries } from './entries.ts'
import { EntityRecords } from './entity-records.ts'
import { DistinctLinks, ExtremeLinks } from './links.ts'
import type { EntryField, LinkPlan } from './plan.ts'
import { RING_INTEGERS, Rings, TIME_WIDTH } from './rings.ts'

const FILTER = 1

interface PlainEntry {
  readonly code: number
  readonly flags: number
  readonly value: number
}

/** Fields of the entries: flags, the link's code, and a number. */
const FLAGS_AT = TIME_WIDTH
const LINK_AT = TIME_WIDTH + 1
const fields: readonly EntryField[] = [
  { holds: 'flags', index: 0, width: 1, at: FLAGS_AT },
  { holds: 'link', index: 0, width: 1, at: LINK_AT },
  { holds: 'double', index: 0, width: 2, at: TIME_WIDTH + 2 },
]

const distinctPlan: LinkPlan = {
  op: 'distinct',
  mask: FILTER,
  dictionary: 0,
  number: -1,
  at: LINK_AT,
  ever: false,
}

/** Rings of two entities with links of every kind, beside the plain lists that they stand for. */
class Linked {
  readonly dictionary = new Dictionary()
  readonly distinct: DistinctLinks
  readonly least: ExtremeLinks
  readonly most: ExtremeLinks
  readonly rings: Rings
  readonly plain: PlainEntry[][] = [[], []]
  /** By entity: codes that left its ring. */
  readonly left = [new Set<number>(), new Set<number>()]
  private readonly entries: Entries
  private readonly ever: boolean

  constructor(ever: boolean) {
    const records = new EntityRecords(RING_INTEGERS, 0)
    records.reserve(1)
    this.ever = ever
    this.rings = new Rings(
      records,
      fields.map(({ width }) => width),
    )
    this.entries = new Entries(this.rings, fields)
    for (const entity of [0, 1]) this.rings.begin(entity)
    this.distinct = new DistinctLinks({ ...distinctPlan, ever }, this.rings, this.dictionary)
    const extreme = (op: 'min' | 'max'): ExtremeLinks =>
      new ExtremeLinks(
        { op, mask: FILTER, dictionary: -1, number: 0, at: 0, ever: false },
        this.rings,
        this.entries,
      )
    this.least = extreme('min')
    this.most = extreme('max')
  }

  /** Puts an entry before the newest `late`. `key` is the text that its code stands for. */
  put(entity: number, key: string | undefined, flags: number, value: number, late: number): void {
    const { rings, distinct, plain } = this
    rings.select(entity)
    const position = Math.max(rings.first, rings.end - late)
    const code = this.dictionary.acquire(key)
    const equal = code < 0 ? -1 : distinct.lastBefore(entity, code, rings.end)
    const newest = position === rings.end
    const slot = rings.insert(entity, position, 0)
    this.entries.setFlags(slot, flags)
    this.entries.setNumber(slot, 0, value)
    if (newest) distinct.append(entity, code, flags, equal)
    else distinct.insert(entity, position, code, flags)
    for (const links of [this.least, this.most]) {
      if (newest) links.append(entity)
      else links.rebuild(entity)
    }
    plain[entity].splice(position - rings.first, 0, { code, flags, value })
    this.dictionary.release(code)
  }

  drop(entity: number): void {
    const { rings, distinct } = this
    const gone = this.plain[entity].shift()
    if (gone === undefined) return
    if (this.ever && gone.code > 0 && (gone.flags & FILTER) > 0) this.left[entity].add(gone.code)
    rings.select(entity)
    distinct.forget(entity)
    rings.drop(entity, 1)
    if (!distinct.isSettled(entity)) distinct.settle(entity)
    this.least.settle(entity)
    this.most.settle(entity)
  }

  clear(entity: number): void {
    this.rings.select(entity)
    for (const links of [this.distinct, this.least, this.most]) links.clear(entity)
    this.rings.clear(entity)
    this.rings.begin(entity)
    this.plain[entity] = []
    this.left[entity].clear()
  }

  /** The code of each entry that counts; −1 for the others. */
  codes(entity: number): number[] {
    return this.plain[entity].map(({ code, flags }) => ((flags & FILTER) > 0 ? code : -1))
  }

  values(entity: number): number[] {
    return this.plain[entity]
      .filter(({ flags, value }) => (flags & FILTER) > 0 && !Number.isNaN(value))
      .map(({ value }) => value)
  }
}

/** Compares what the links say of the stretch [from, to) of an entity's ring. */
function compare(linked: Linked, entity: number, from: number, to: number, ever: boolean): void {
  const { rings, distinct } = linked
  rings.select(entity)
  const { first } = rings
  const codes = linked.codes(entity)
  for (let i = from; i < to; i += 1 + ((to - from) >> 4)) {
    const [before, after] = [codes.slice(from, i), codes.slice(i + 1, to)]
    const counts = codes[i] >= 0
    expect(distinct.codeAt(first + i)).toBe(codes[i])
    const isFirst = distinct.isFirst(entity, first + i, first + from)
    expect(isFirst).toBe(counts && !before.includes(codes[i]))
    expect(distinct.isLast(first + i, first + to)).toBe(counts && !after.includes(codes[i]))
    if (!counts) continue
    const last = codes.lastIndexOf(codes[i])
    expect(distinct.lastBefore(entity, codes[i], rings.end)).toBe(first + last)
    const earlier = codes.slice(0, i).lastIndexOf(codes[i])
    const remembered = ever && linked.left[entity].has(codes[i]) ? 0 : -1
    const expected = earlier < 0 ? remembered : first + earlier
    expect(distinct.lastBefore(entity, codes[i], first + i)).toBe(expected)
  }
}

function compareExtremes(linked: Linked, entity: number, from: number, to: number): void {
  const { rings, least, most, plain } = linked
  rings.select(entity)
  const inside = plain[entity]
    .slice(from, to)
    .filter(({ flags, value }) => (flags & FILTER) > 0 && !Number.isNaN(value))
    .map(({ value }) => value)
  const start = rings.first + from
  const end = rings.first + to
  expect(least.search(entity, start, end)).toBe(Math.min(...inside))
  expect(most.search(entity, start, end)).toBe(Math.max(...inside))
}

const shapes = fc.record({
  seed: fc.integer(),
  ever: fc.boolean(),
  /** Few keys make long chains of equal values, many make values that come once. */
  keys: fc.constantFrom(2, 40, 2000),
  /** Rising, falling and random values, with few or many ties. */
  trend: fc.constantFrom(-1, 0, 1),
  noise: fc.constantFrom(1, 5, 1000),
  /** Lengths between which the rings go to and fro; tables begin above 256 and end at 128. */
  lengths: fc.constantFrom([0, 20], [100, 300], [200, 270], [0, 700]),
})

describe('links of rings that grow and shrink, with late entries, filters and missing values', () => {
  test('find equal and extreme values as a look at every entry does', () => {
    fc.assert(
      fc.property(shapes, ({ seed, ever, keys, trend, noise, lengths: [low, high] }) => {
        const linked = new Linked(ever)
        const random = createRandom(seed)
        const rises = [true, true]
        for (let step = 0; step < 4000; step++) {
          const entity = random.int(2)
          const { length } = linked.plain[entity]
          if (length <= low) rises[entity] = true
          if (length >= high) rises[entity] = false
          if (random.next() < (rises[entity] ? 0.8 : 0.3)) {
            const key = random.int(10) === 0 ? undefined : `k${random.int(keys)}`
            const value = random.int(10) === 0 ? Number.NaN : trend * step + random.int(noise)
            const late = random.int(20) === 0 ? random.int(length + 1) : 0
            linked.put(entity, key, random.int(5) === 0 ? 0 : FILTER, value, late)
          } else linked.drop(entity)
          if (random.int(1000) === 0) linked.clear(entity)
          if (step % 25 > 0) continue
          const end = linked.plain[entity].length
          const from = random.int(end + 1)
          const to = random.int(2) === 0 ? end : from + random.int(end - from + 1)
          compare(linked, entity, from, to, ever)
          if (from < to) compareExtremes(linked, entity, from, to)
          if (end > 0) compareExtremes(linked, entity, 0, end)
        }
        for (const entity of [0, 1]) linked.clear(entity)
        expect(linked.dictionary.size).toBe(0)
      }),
      { numRuns: 40 },
    )
  })
})
