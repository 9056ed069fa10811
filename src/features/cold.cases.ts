// What every cold store must do, whatever keeps it.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isAssayError } from '../lib/errors.ts'
import type { ColdStore } from './cold.ts'

/** `open` opens an empty store each time, bounded so that little waits on its way to disk. */
export function coldStoreCases(name: string, open: () => ColdStore): void {
  describe(`cold store in ${name}`, () => {
    const withStore = async (act: (store: ColdStore) => void | Promise<void>): Promise<void> => {
      const store = open()
      try {
        await act(store)
      } finally {
        await store.close()
      }
    }

    test('what was put last is read at once, until it is removed', () =>
      withStore((store) => {
        expect(store.get('a')).toBeUndefined()
        store.put('a', bytesOf(1))
        store.put('a', bytesOf(2, 3))
        expect(store.get('a')).toEqual(bytesOf(2, 3))
        store.remove('a')
        expect(store.get('a')).toBeUndefined()
      }))

    test('the bytes are copied in and out, and lie where typed arrays can read them', () =>
      withStore(async (store) => {
        const bytes = bytesOf(1, 2, 3, 4, 5, 6, 7, 8)
        store.put('a', bytes.subarray(0))
        bytes.fill(0)
        const check = (): void => {
          const read = store.get('a')!
          expect(read).toEqual(bytesOf(1, 2, 3, 4, 5, 6, 7, 8))
          expect(read.byteOffset % 8).toBe(0)
          read.fill(9)
        }
        check()
        await store.mark(1)
        check()
        check()
      }))

    test('a value may have no bytes, or some millions', () =>
      withStore(async (store) => {
        const large = new Uint8Array(5_000_000).map((_, i) => i % 251)
        store.put('none', new Uint8Array(0))
        store.put('large', large)
        await store.mark(1)
        expect(store.get('none')).toEqual(new Uint8Array(0))
        expect(Buffer.compare(store.get('large')!, large)).toBe(0)
        expect(store.statistics()).toEqual({ entries: 2, bytes: 5_000_000 })
      }))

    test('no two keys are one, whatever characters they hold', () =>
      withStore(async (store) => {
        const keys = [
          '',
          '=',
          '#',
          '\0',
          '\0\0',
          'ä',
          'Ä',
          '\ud800',
          'x'.repeat(300),
          'x'.repeat(3000),
        ]
        keys.forEach((key, i) => store.put(key, bytesOf(i)))
        await store.mark(1)
        keys.forEach((key, i) => expect(store.get(key)).toEqual(bytesOf(i)))
      }))

    test('a mark that is not kept is refused, and so is one that does not rise', () =>
      withStore(async (store) => {
        await store.mark(3)
        await store.mark(5)
        await store.mark(9)
        const refused = (mark: number): void => {
          const error = expectThrown(() => store.returnTo(mark))
          expect(isAssayError(error, 'cold_store_mark_unknown')).toBe(true)
        }
        refused(3)
        refused(4)
        store.returnTo(5)
        refused(9)
        await expect(store.mark(5)).rejects.toThrow('The mark 5 does not rise above 5.')
        await expect(store.mark(5.5)).rejects.toThrow('The mark 5.5 does not rise above 5.')
        await store.mark(6)
        store.returnTo(0)
        refused(6)
        await store.mark(1)
      }))

    test('what expired first goes first, and what never expires stays', () =>
      withStore(async (store) => {
        store.put('late', bytesOf(1), 30)
        store.put('early', bytesOf(2), 10)
        store.put('never', bytesOf(3))
        await store.mark(1)
        store.put('middle', bytesOf(4), 20)
        expect(store.expire(10, 10)).toBe(0)
        expect(store.expire(31, 1)).toBe(1)
        expect(store.get('early')).toBeUndefined()
        expect(store.expire(31, 1)).toBe(1)
        expect(store.get('middle')).toBeUndefined()
        expect(store.get('late')).toEqual(bytesOf(1))
        expect(store.expire(31, 10)).toBe(1)
        expect(store.expire(Number.MAX_SAFE_INTEGER, 10)).toBe(0)
        expect(store.get('never')).toEqual(bytesOf(3))
      }))

    test('any sequence of calls does what a plain map with copies at each mark does', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyCall, { minLength: 1, maxLength: 80 }), (calls) =>
          withStore(async (store) => {
            const model = createColdModel()
            for (const call of calls) await compare(store, model, call)
            compareWhole(store, model)
          }),
        ),
        { numRuns: 150 },
      )
    })
  })
}

export type ColdCall =
  | { readonly call: 'put'; readonly key: string; readonly size: number; readonly life?: number }
  | { readonly call: 'get' | 'remove'; readonly key: string }
  | { readonly call: 'mark'; readonly rise: number }
  | { readonly call: 'returnTo'; readonly back: number }
  | { readonly call: 'expire'; readonly beforeUs: number; readonly limit: number }

export const COLD_KEYS = ['a', 'b', 'c', 'd', 'e', 'ä', '\0', '#'.repeat(400)]
const anyKey = fc.constantFrom(...COLD_KEYS)
const anyPut: fc.Arbitrary<ColdCall> = fc.record(
  {
    call: fc.constant('put' as const),
    key: anyKey,
    size: fc.constantFrom(0, 1, 7, 100, 3000, 20_000),
    life: fc.integer({ min: -3, max: 20 }),
  },
  { requiredKeys: ['call', 'key', 'size'] },
)
const anyCall: fc.Arbitrary<ColdCall> = fc.oneof(
  { weight: 8, arbitrary: anyPut },
  { weight: 3, arbitrary: fc.record({ call: fc.constant('remove' as const), key: anyKey }) },
  { weight: 4, arbitrary: fc.record({ call: fc.constant('get' as const), key: anyKey }) },
  {
    weight: 3,
    arbitrary: fc.record({
      call: fc.constant('mark' as const),
      rise: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      call: fc.constant('returnTo' as const),
      back: fc.integer({ min: 0, max: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      call: fc.constant('expire' as const),
      beforeUs: fc.integer({ min: -3, max: 25 }),
      limit: fc.integer({ min: 0, max: 5 }),
    }),
  },
)

type Lying = ReadonlyMap<string, { readonly bytes: Uint8Array; readonly expiresUs: number }>

/** What lies in the store now, and what lay there at each mark that was ever made. */
interface ColdModel {
  live: Lying
  marks: { readonly mark: number; readonly live: Lying }[]
  /** How many of the newest marks can be returned to. */
  kept: number
  puts: number
}

function createColdModel(): ColdModel {
  return { live: new Map(), marks: [], kept: 0, puts: 0 }
}

async function compare(store: ColdStore, model: ColdModel, call: ColdCall): Promise<void> {
  const live = new Map(model.live)
  switch (call.call) {
    case 'put': {
      const bytes = new Uint8Array(call.size).fill(model.puts++)
      const expiresUs = call.life ?? Infinity
      store.put(call.key, bytes, call.life)
      live.set(call.key, { bytes, expiresUs })
      break
    }
    case 'get':
      expect(store.get(call.key)).toEqual(live.get(call.key)?.bytes)
      break
    case 'remove':
      store.remove(call.key)
      live.delete(call.key)
      break
    case 'mark': {
      const mark = (model.marks.at(-1)?.mark ?? 0) + call.rise
      await store.mark(mark)
      model.marks.push({ mark, live: model.live })
      model.kept = Math.min(2, model.kept + 1)
      break
    }
    case 'returnTo':
      returnBoth(store, model, call.back)
      return
    case 'expire':
      expireBoth(store, live, call.beforeUs, call.limit)
      break
    default:
      call satisfies never
  }
  model.live = live
}

/** Goes back by so many marks; before the first lies the empty store. */
function returnBoth(store: ColdStore, model: ColdModel, back: number): void {
  const at = model.marks.length - 1 - back
  const { mark, live } = model.marks[at] ?? { mark: 0, live: new Map() }
  if (mark === 0 || back < model.kept) {
    store.returnTo(mark)
    model.live = live
    model.marks = model.marks.slice(0, at + 1)
    model.kept = mark === 0 ? 0 : model.kept - back
  } else {
    const error = expectThrown(() => store.returnTo(mark))
    expect(isAssayError(error, 'cold_store_mark_unknown')).toBe(true)
  }
  compareWhole(store, model)
}

function expireBoth(
  store: ColdStore,
  live: Map<string, { readonly expiresUs: number }>,
  beforeUs: number,
  limit: number,
): void {
  const due = [...live].filter(([, { expiresUs }]) => expiresUs < beforeUs)
  const times = due.map(([, { expiresUs }]) => expiresUs).toSorted((a, b) => a - b)
  const gone = times.slice(0, limit)
  expect(store.expire(beforeUs, limit)).toBe(gone.length)
  // Which of those with one expiry went is the store's choice.
  const left = due.filter(([key]) => store.get(key) !== undefined)
  const kept = left.map(([, { expiresUs }]) => expiresUs).toSorted((a, b) => a - b)
  expect(kept).toEqual(times.slice(gone.length))
  for (const [key] of due) if (store.get(key) === undefined) live.delete(key)
}

function compareWhole(store: ColdStore, { live }: ColdModel): void {
  for (const key of COLD_KEYS) expect(store.get(key)).toEqual(live.get(key)?.bytes)
  const bytes = [...live.values()].reduce((sum, entry) => sum + entry.bytes.length, 0)
  expect(store.statistics()).toEqual({ entries: live.size, bytes })
}

function bytesOf(...values: number[]): Uint8Array {
  return new Uint8Array(values)
}

function expectThrown(act: () => void): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  throw new Error('Nothing was thrown.')
}
