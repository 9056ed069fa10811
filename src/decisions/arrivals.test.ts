import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createArrivals } from './arrivals.ts'
import type { DecisionRow } from './ports.ts'

/** A store to which decisions are added by number, and which counts how many it handed out. */
function counted() {
  const rows: DecisionRow[] = []
  let read = 0
  return {
    add: (n: number) => {
      for (let i = 0; i < n; i += 1) rows.push({ sequence: rows.length + 1 } as DecisionRow)
    },
    read: () => read,
    arrived: async ({ after = 0, limit }: { after?: number | undefined; limit: number }) => {
      const since = rows.slice(after)
      read += Math.min(limit, since.length)
      return { rows: since.slice(-limit), place: rows.length, isWhole: since.length <= limit }
    },
  }
}

test('what is at hand is the newest there is, however it came and whoever looked', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 3 })), {
        maxLength: 20,
      }),
      async (steps) => {
        const store = counted()
        const arrivals = createArrivals({ store, kept: 5 })
        let total = 0
        for (const [came, lookers] of steps) {
          store.add(came)
          total += came
          arrivals.moved()
          const looks = await Promise.all(Array.from({ length: lookers }, () => arrivals.look()))
          for (const { rows, isAll } of looks) {
            const first = Math.max(1, total - 4)
            expect(rows.map(({ sequence }) => sequence)).toEqual(
              Array.from({ length: total - first + 1 }, (_, i) => first + i),
            )
            expect(isAll).toBe(total <= 5)
          }
        }
        expect(store.read()).toBeLessThanOrEqual(total)
      },
    ),
  )
})

test('nothing is read while nobody looks, and once for all who do', async () => {
  const store = counted()
  const arrivals = createArrivals({ store })
  store.add(3)
  arrivals.moved()
  expect(store.read()).toBe(0)
  await Promise.all([arrivals.look(), arrivals.look(), arrivals.look()])
  expect(store.read()).toBe(3)
})

test('a failed reading is told, and the next one makes it good', async () => {
  const store = counted()
  let isAway = true
  const arrivals = createArrivals({
    store: {
      arrived: async (query) => {
        if (isAway) throw new Error('away')
        return store.arrived(query)
      },
    },
  })
  store.add(1)
  await expect(arrivals.look()).rejects.toThrow('away')
  isAway = false
  expect((await arrivals.look()).rows).toHaveLength(1)
})

test('who waits is woken by a move, by one that they missed, and by their signal', async () => {
  const arrivals = createArrivals({ store: counted() })
  const long = 3_600_000
  const never = new AbortController()
  const seen = arrivals.moves
  const waits = arrivals.wait(seen, long, never.signal)
  arrivals.moved()
  await waits
  await arrivals.wait(seen, long, never.signal)
  const ended = arrivals.wait(arrivals.moves, long, never.signal)
  never.abort()
  await ended
})
