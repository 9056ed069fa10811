// Entries of lists that expired long ago are taken off, by an order like any other, and no earlier.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NewAuditEntry } from '../audit/index.ts'
import { manualClock } from '../lib/clock.ts'
import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import { DAY_US } from '../lib/time.ts'
import { decisionErrors } from './errors.ts'
import type { CompiledPolicy } from './policy.ts'
import { createPolicyDesk } from './policy-desk.ts'
import { createMemoryPolicyStore } from './policy-memory.ts'

/** When each entry ends, in days by the clock of its namespace; null for never. */
type Held = Readonly<Record<string, readonly (readonly [string, number | null])[]>>

const policy = (lists: readonly string[]) =>
  ({
    name: 'card',
    lists: lists.map((name) => ({ name, column: 'card_id', description: '' })),
  }) as unknown as CompiledPolicy

/** A desk over namespaces, each with its clock in days and with what its list holds. */
async function sweptOf(
  held: Held,
  clocks: Readonly<Record<string, number | null>>,
  lists = ['blocked'],
) {
  const store = createMemoryPolicyStore()
  const entries: NewAuditEntry[] = []
  const told: { readonly list: string; readonly values: readonly string[] }[] = []
  let away = false
  let made = 0
  const desk = createPolicyDesk({
    store,
    unit: createMemoryUnitOfWork([store]),
    audit: { append: async (entry: NewAuditEntry) => void entries.push(entry) as never },
    clock: manualClock(1_000_000),
    ids: (prefix) => `${prefix}_${String((made += 1)).padStart(4, '0')}`,
    decide: {
      namespaces: async () =>
        Object.entries(clocks).map(([namespace, days]) => ({
          namespace,
          nowUs: days === null ? null : days * DAY_US,
          policies: [{ policy: 'card' }],
        })) as never,
      listEntries: async ({ namespace }) =>
        (held[namespace] ?? []).map(([value, days]) => ({
          value,
          untilUs: days === null ? null : days * DAY_US,
        })) as never,
      changeList: async (change) => {
        if (away) throw decisionErrors.draining('away')
        // Each namespace is told; what is taken off is the same for all.
        if (change.namespace === Object.keys(clocks)[0]) told.push(change)
        return { sequence: told.length }
      },
      changeRule: async () => ({ sequence: 0 }),
      controls: async () => ({ paused: [], suspended: null }),
    },
    livePolicies: async () => [policy(lists)],
  })
  return { desk, told, entries, leave: (gone: boolean) => (away = gone) }
}

test('what expired more than thirty days ago is taken off, with the system as who did it', async () => {
  const held = {
    live: [
      ['old', 10],
      ['late', 71],
      ['valid', 200],
      ['forever', null],
    ],
  } as const
  const { desk, told, entries } = await sweptOf(held, { live: 100 })
  expect(await desk.sweep()).toBe(1)
  expect(told).toMatchObject([{ list: 'blocked', change: 'remove', values: ['old'] }])
  expect(entries).toMatchObject([
    { action: 'decisions.list-change-ordered', reason: 'They expired thirty days ago' },
  ])
})

test('an entry that is thirty days old to the microsecond stays until the next look', async () => {
  const { desk, told } = await sweptOf({ live: [['a', 70]] }, { live: 100 })
  expect(await desk.sweep()).toBe(0)
  expect(told).toEqual([])
})

test('a value stays while any namespace may still ask for it, each by its own clock', async () => {
  const held = {
    live: [
      ['a', 10],
      ['b', 10],
    ],
    replay: [['a', 90]],
  } as const
  const { desk, told } = await sweptOf(held, { live: 100, replay: 100 })
  expect(await desk.sweep()).toBe(1)
  expect(told).toMatchObject([{ values: ['b'] }])
})

test('in a replay that has not begun nothing has expired', async () => {
  const { desk } = await sweptOf({ replay: [['a', 10]] }, { replay: null })
  expect(await desk.sweep()).toBe(0)
})

test('what decides may be away: the order is kept, and told when it is back', async () => {
  const { desk, told, leave } = await sweptOf({ live: [['a', 10]] }, { live: 100 })
  leave(true)
  expect(await desk.sweep()).toBe(1)
  expect(told).toEqual([])
  leave(false)
  await desk.tellDue()
  expect(told).toMatchObject([{ values: ['a'] }])
})

test('an end that is over by every clock of the events is refused, and nothing is ordered', async () => {
  const { desk, entries } = await sweptOf({}, { live: 100, replay: 40 })
  const by = { actor: { id: 'ada', name: 'Ada', kind: 'person' as const }, reason: 'Stolen' }
  const put = (days: number) =>
    desk.changeList({ list: 'blocked', change: 'add', values: ['a'], untilUs: days * DAY_US }, by)
  await expect(put(41)).resolves.toMatchObject({ state: 'told' })
  await expect(put(40)).rejects.toMatchObject({ code: 'list_values_invalid', status: 422 })
  expect(entries).toHaveLength(1)
})

test('a list that there is not is told with those that there are, unless something is left on it', async () => {
  const { desk } = await sweptOf({ live: [] }, { live: 100 }, ['blocked', 'trusted'])
  expect(await desk.entries('live', 'blocked')).toEqual([])
  await expect(desk.entries('live', 'NOPE')).rejects.toMatchObject({
    code: 'list_unknown',
    detail: 'No live policy declares a list "NOPE"; there are: blocked, trusted.',
  })
  const { desk: left } = await sweptOf({ live: [['a', null]] }, { live: 100 }, [])
  expect(await left.entries('live', 'was-declared')).toHaveLength(1)
})

test('a value with a character that nobody sees is refused by its place', async () => {
  const { desk, entries } = await sweptOf({}, { live: 100 })
  const by = { actor: { id: 'ada', name: 'Ada', kind: 'person' as const }, reason: 'Stolen' }
  const values = ['4711', '47\u000012']
  await expect(
    desk.changeList({ list: 'blocked', change: 'add', values, untilUs: null }, by),
  ).rejects.toMatchObject({
    code: 'list_values_invalid',
    detail: 'Value 2, "47\\u000012", has a control character.',
  })
  expect(entries).toEqual([])
})

test('exactly the values are swept of which no entry is valid or younger than thirty days', async () => {
  const days = fc.option(fc.integer({ min: 0, max: 150 }))
  const entries = fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), days), {
    selector: ([value]) => value,
  })
  await fc.assert(
    fc.asyncProperty(entries, entries, async (live, replay) => {
      const { desk, told } = await sweptOf({ live, replay }, { live: 100, replay: 40 })
      await desk.sweep()
      const isOver = (until: number | null, now: number) => until !== null && until + 30 < now
      const all = [...new Set([...live, ...replay].map(([value]) => value))]
      const expected = all.filter(
        (value) =>
          live.every(([each, until]) => each !== value || isOver(until, 100)) &&
          replay.every(([each, until]) => each !== value || isOver(until, 40)),
      )
      expect(told.flatMap(({ values }) => values).toSorted()).toEqual(expected.toSorted())
    }),
    { numRuns: 60 },
  )
})
