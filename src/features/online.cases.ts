// What every store of online values must do, whatever keeps them.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { manualClock } from '../lib/clock.ts'
import type { EntityKey } from './entity-key.ts'
import { createMemoryOnlineValues } from './online-memory.ts'
import { allPages, answer, anyCall, codeOf, onlineEntity, onlineSet } from './online-calls.cases.ts'
import type { OnlineSet, OnlineValues } from './online.ts'

export interface OnlineStore {
  readonly values: OnlineValues
  /** Lets time pass, microseconds, for values that live for a while. */
  readonly wait: (us: number) => Promise<void>
  /** A second writer and reader of the same values; `values` again where there can be but one. */
  readonly other: OnlineValues
  readonly end: () => Promise<void>
}

const MS_US = 1000
export function onlineValuesCases(name: string, open: () => Promise<OnlineStore>): void {
  describe(`online values in ${name}`, () => {
    let store: OnlineStore
    beforeAll(async () => {
      store = await open()
    })
    afterAll(() => store.end())

    const declared = async (changes: Partial<OnlineSet> = {}): Promise<OnlineSet> => {
      const set = onlineSet(changes)
      await store.values.declare(set)
      return set
    }
    const readAll = (set: OnlineSet, ...keys: EntityKey[]) =>
      store.values.read(set, { keys, features: set.features })

    readingCases(() => store, declared)

    test('values come back bit for bit, −0 as 0 and NaN as missing', async () => {
      const set = await declared({ features: ['value'] })
      const doubles = fc.array(fc.double(), { minLength: 1, maxLength: 200 })
      let sequence = 0
      await fc.assert(
        fc.asyncProperty(doubles, async (values) => {
          sequence++
          const writes = values.map((value, i) => onlineEntity([i], [value], sequence))
          await store.values.write(set, writes)
          const readings = await readAll(set, ...writes.map(({ key }) => key))
          readings.forEach((reading, i) => {
            const value = values[i]
            const expected = Number.isNaN(value) ? null : value + 0
            if (reading.found === 'absent') throw new Error('The entity is absent.')
            expect(Object.is(reading.values[0], expected)).toBe(true)
          })
        }),
        { numRuns: 20 },
      )
    })

    test('no two keys are one, whatever characters they hold', async () => {
      const set = await declared({ entity: ['left', 'right'], features: ['value'] })
      const awkward = ['', ',', '%', '%2C', 'i:1', 't:', ':', '1', '{x}', '*', '\n', '\0', 'é', '€']
      const broken = ['\ud800', '\udfff', '\ufffd', '😀', '%ud800']
      const parts: (string | number)[] = [...awkward, ...broken, 1, -1, 2 ** 53 - 1]
      const keys = parts.flatMap((left) => parts.map((right) => [left, right]))
      await store.values.write(
        set,
        keys.map((key, i) => onlineEntity(key, [i])),
      )
      const readings = await readAll(set, ...keys)
      const values = readings.map((reading) => reading.found !== 'absent' && reading.values[0])
      expect(values).toEqual(keys.map((_, i) => i))
      const met = await allPages(store.values, set, 50)
      expect(met.map((key) => JSON.stringify(key)).sort()).toEqual(
        keys.map((key) => JSON.stringify(key)).sort(),
      )
    })

    test('it answers as the plain version does, whatever is called in whatever order', async () => {
      const model = createMemoryOnlineValues(manualClock(0))
      const sets = [onlineSet(), onlineSet({ entity: ['terminal_id'], features: ['a', 'b'] })]
      await fc.assert(
        fc.asyncProperty(fc.array(anyCall, { maxLength: 40 }), async (calls) => {
          for (const { on, act } of calls) {
            const set = sets[on]
            expect(await answer(act, store.values, set)).toEqual(await answer(act, model, set))
          }
        }),
        { numRuns: 40 },
      )
    })

    orderCases(() => store, declared)
    separationCases(() => store, declared)
    boundCases(() => store, declared)

    test('an entity that lives for a while is absent afterwards, and counts as new', async () => {
      const set = await declared({ timeToLiveUs: 600 * MS_US })
      await store.values.write(set, [onlineEntity([1], [1, 2, 3], 9)])
      const [before] = await readAll(set, [1])
      expect(before.found).toBe('fresh')
      await store.wait(900 * MS_US)
      expect(await readAll(set, [1])).toEqual([{ found: 'absent' }])
      expect(await allPages(store.values, set, 10)).toEqual([])
      const again = await store.values.write(set, [onlineEntity([1], [4, 5, 6], 2)])
      expect(again).toEqual({ written: 1, outdated: 0 })
    })

    test('a time to live that is declared anew holds from the next write on', async () => {
      const set = await declared()
      await store.values.write(set, [onlineEntity([1], [1, 2, 3]), onlineEntity([2], [1, 2, 3])])
      await store.other.read(set, { keys: [[1]], features: ['a'] })
      await store.values.declare({ ...set, timeToLiveUs: 300 * MS_US })
      await store.other.write(set, [onlineEntity([2], [1, 2, 3], 2)])
      await store.wait(600 * MS_US)
      const [lasting, passing] = await readAll(set, [1], [2])
      expect([lasting.found, passing.found]).toEqual(['fresh', 'absent'])
    })
  })
}

type Declared = (changes?: Partial<OnlineSet>) => Promise<OnlineSet>

function readingCases(store: () => OnlineStore, declared: Declared): void {
  test('absent, stale, missing and zero are four things', async () => {
    const { values } = store()
    const set = await declared()
    await values.write(set, [
      onlineEntity(['x'], [0, Number.NaN, 1.5], 20),
      onlineEntity(['y'], [0, 0, 0], 10),
    ])
    const readings = await values.read(set, {
      keys: [['x'], ['y'], ['z']],
      features: ['c', 'a', 'b'],
      freshFromUs: 20_000_000,
    })
    expect(readings).toEqual([
      { found: 'fresh', asOfUs: 20_000_000, sequence: 20, values: [1.5, 0, null] },
      { found: 'stale', asOfUs: 10_000_000, sequence: 10, values: [0, 0, 0] },
      { found: 'absent' },
    ])
  })

  test('the chosen features come in the asked order, a key as often as it is asked for', async () => {
    const { values } = store()
    const set = await declared()
    await values.write(set, [onlineEntity([1], [1, 2, 3])])
    const request = { keys: [[1], [2], [1]], features: ['b'] }
    const readings = await values.read(set, request)
    expect(readings.map((reading) => reading.found !== 'absent' && reading.values)).toEqual([
      [2],
      false,
      [2],
    ])
    expect(await values.read(set, { keys: [], features: ['b'] })).toEqual([])
    const none = await values.read(set, { keys: [[1]], features: [] })
    expect(none).toEqual([{ found: 'fresh', asOfUs: 1_000_000, sequence: 1, values: [] }])
  })

  test('the integer 1 is not the text "1"', async () => {
    const { values } = store()
    const set = await declared()
    await values.write(set, [onlineEntity([1], [1, 1, 1])])
    const readings = await values.read(set, { keys: [['1'], [1]], features: ['a'] })
    expect(readings.map(({ found }) => found)).toEqual(['absent', 'fresh'])
  })
}

function orderCases(store: () => OnlineStore, declared: Declared): void {
  test('what follows from earlier facts never replaces what follows from later ones', async () => {
    const { values } = store()
    const set = await declared()
    await values.write(set, [onlineEntity([1], [5, 5, 5], 5)])
    const report = await values.write(set, [
      onlineEntity([1], [4, 4, 4], 4, 99_000_000),
      onlineEntity([2], [4, 4, 4], 4),
    ])
    expect(report).toEqual({ written: 1, outdated: 1 })
    const [reading] = await values.read(set, { keys: [[1]], features: ['a'] })
    expect(reading).toMatchObject({ sequence: 5, values: [5] })
  })

  test('of one sequence the later event time holds, and a write may be repeated', async () => {
    const { values } = store()
    const set = await declared()
    const first = onlineEntity([1], [1, 1, 1], 5, 50)
    await values.write(set, [first])
    expect(await values.write(set, [first])).toEqual({ written: 1, outdated: 0 })
    await values.write(set, [onlineEntity([1], [2, 2, 2], 5, 60)])
    expect(await values.write(set, [first])).toEqual({ written: 0, outdated: 1 })
    // A late event: later in sequence, though of an earlier time.
    await values.write(set, [onlineEntity([1], [3, 3, 3], 6, -40)])
    const [reading] = await values.read(set, { keys: [[1]], features: ['a'] })
    expect(reading).toMatchObject({ asOfUs: -40, sequence: 6, values: [3] })
  })

  test('of several writes of one entity in a batch the newest holds, wherever it stands', async () => {
    const { values } = store()
    const set = await declared()
    const report = await values.write(set, [
      onlineEntity([1], [1, 1, 1], 1),
      onlineEntity([1], [3, 3, 3], 3),
      onlineEntity([1], [2, 2, 2], 2),
    ])
    expect(report).toEqual({ written: 2, outdated: 1 })
    const [reading] = await values.read(set, { keys: [[1]], features: ['a'] })
    expect(reading).toMatchObject({ sequence: 3, values: [3] })
  })

  test('writers that race leave the newest values whole, in any order of calls', async () => {
    const { values, other } = store()
    const set = await declared({ features: ['a', 'b'] })
    const keys = Array.from({ length: 5 }, (_, i) => i)
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(
          Array.from({ length: 20 }, (_, i) => i),
          { minLength: 20 },
        ),
        fc.integer({ min: 1, max: 1_000_000 }),
        async (order, round) => {
          await Promise.all(
            order.map((at) => {
              const sequence = round * 100 + at
              const own = keys.map((key) => onlineEntity([key], [at, -at], sequence))
              return (at % 2 === 0 ? values : other).write(set, own)
            }),
          )
          const readings = await values.read(set, {
            keys: keys.map((key) => [key]),
            features: ['a', 'b'],
          })
          for (const reading of readings) expect(reading).toMatchObject({ values: [19, -19 + 0] })
        },
      ),
      { numRuns: 10 },
    )
  })
}

function separationCases(store: () => OnlineStore, declared: Declared): void {
  test('versions, namespaces and kinds of entity stand beside each other', async () => {
    const { values } = store()
    const live = await declared()
    const replay = await declared({ ...live, namespace: 'replay-1' })
    const changed = await declared({ features: ['a'] })
    const terminal = await declared({ ...live, entity: ['terminal_id'] })
    const pair = await declared({ ...live, entity: ['customer_id', 'terminal_id'] })
    const sets = [live, replay, changed, terminal]
    for (const [i, set] of sets.entries()) {
      await values.write(set, [
        onlineEntity(
          [1],
          set.features.map(() => i),
        ),
      ])
    }
    await values.write(pair, [onlineEntity([1, 1], [9, 9, 9])])
    for (const [i, set] of sets.entries()) {
      const [reading] = await values.read(set, { keys: [[1]], features: ['a'] })
      expect(reading).toMatchObject({ found: 'fresh', values: [i] })
    }
    expect(await values.sets('replay-1')).toEqual([replay])
    const listed = await values.sets('live')
    for (const set of [live, changed, terminal, pair]) expect(listed).toContainEqual(set)

    expect(await values.retire(live)).toBe(1)
    expect(await codeOf(values.read(live, { keys: [[1]], features: ['a'] }))).toBe(
      'online_set_unknown',
    )
    for (const set of [replay, changed, terminal]) {
      const [reading] = await values.read(set, { keys: [[1]], features: ['a'] })
      expect(reading.found).toBe('fresh')
    }
    expect(await allPages(values, pair, 10)).toEqual([[1, 1]])
  })

  test('a set that was retired is not written again by a writer that did not know', async () => {
    const { values, other } = store()
    const set = await declared()
    await other.write(set, [onlineEntity([1], [1, 2, 3])])
    expect(await values.retire(set)).toBe(1)
    expect(await codeOf(other.write(set, [onlineEntity([1], [1, 2, 3])]))).toBe(
      'online_set_unknown',
    )
    expect(await values.retire(set)).toBe(0)
    await values.declare(set)
    expect(await values.read(set, { keys: [[1]], features: ['a'] })).toEqual([{ found: 'absent' }])
  })

  test('a reader that knew a set learns that it was retired', async () => {
    const { values, other } = store()
    const set = await declared()
    await other.read(set, { keys: [[1]], features: ['a'] })
    await values.retire(set)
    const code = await codeOf(other.read(set, { keys: [[1]], features: ['a'] }))
    expect(code).toBe('online_set_unknown')
  })

  test('a version cannot be declared with other features', async () => {
    const { values } = store()
    const set = await declared()
    await values.declare(set)
    expect(await codeOf(values.declare({ ...set, features: ['a', 'b'] }))).toBe(
      'online_set_conflict',
    )
  })

  test('two versions that begin alike are not taken for one', async () => {
    const { values } = store()
    const set = await declared()
    const alike = { ...set, version: set.version.slice(0, 63) + 'b' }
    const read = values.read(alike, { keys: [[1]], features: ['a'] })
    expect(await codeOf(read)).toBe('online_set_unknown')
  })
}

function boundCases(store: () => OnlineStore, declared: Declared): void {
  test('what does not fit a set is refused with its own error', async () => {
    const { values } = store()
    const set = await declared()
    const read = (request: Parameters<OnlineValues['read']>[1]) => codeOf(values.read(set, request))
    expect(await read({ keys: [[1, 2]], features: ['a'] })).toBe('online_key_invalid')
    expect(await read({ keys: [[0.5]], features: ['a'] })).toBe('online_key_invalid')
    expect(await read({ keys: [['x'.repeat(5000)]], features: ['a'] })).toBe('online_key_invalid')
    expect(await read({ keys: [[1]], features: ['d'] })).toBe('feature_unknown')
    const many = Array.from({ length: 10_001 }, (_, i) => [i])
    expect(await read({ keys: many, features: ['a'] })).toBe('online_batch_too_large')
    const writes = many.map((key) => onlineEntity(key, [1, 2, 3]))
    expect(await codeOf(values.write(set, writes))).toBe('online_batch_too_large')
    expect(await codeOf(values.scan(set, { after: null, limit: 0 }))).toBe('online_batch_too_large')
    await expect(values.write(set, [onlineEntity([1], [1])])).rejects.toThrow('3 features')
    expect(await allPages(values, set, 10)).toEqual([])
  })

  test('a declaration that no store could keep is refused', async () => {
    const { values } = store()
    const wrong: Partial<OnlineSet>[] = [
      { namespace: 'a:b' },
      { version: 'abc' },
      { entity: [] },
      { entity: ['a+b'] },
      { features: [] },
      { features: ['@sequence'] },
      { features: ['a', 'a'] },
      { timeToLiveUs: 0 },
      { name: '' },
    ]
    for (const changes of wrong) {
      expect(await codeOf(values.declare(onlineSet(changes)))).toBe('online_set_invalid')
    }
  })

  test('a set that was never declared is unknown', async () => {
    const { values } = store()
    const set = onlineSet()
    const request = { keys: [[1]], features: ['a'] }
    expect(await codeOf(values.read(set, request))).toBe('online_set_unknown')
    expect(await codeOf(values.write(set, []))).toBe('online_set_unknown')
    expect(await codeOf(values.scan(set, { after: null, limit: 1 }))).toBe('online_set_unknown')
  })

  test('pages together hold every entity', async () => {
    const { values } = store()
    const set = await declared()
    const keys = Array.from({ length: 2_500 }, (_, i) => [i])
    await values.write(
      set,
      keys.map((key) => onlineEntity(key, [1, 2, 3])),
    )
    const met = await allPages(values, set, 100)
    expect(met.map(([key]) => Number(key)).sort((a, b) => a - b)).toEqual(keys.map(([key]) => key))
  })
}
