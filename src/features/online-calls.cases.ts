// Sets, entities and calls that the cases and the tests of stores of online values are made of.
import fc from 'fast-check'
import { isAssayError } from '../lib/errors.ts'
import type { EntityKey } from './entity-key.ts'
import type { OnlineAddress, OnlineEntity, OnlineSet, OnlineValues } from './online.ts'

let made = 0

/** A set that no other case uses: features a, b, c of a customer. */
export function onlineSet(changes: Partial<OnlineSet> = {}): OnlineSet {
  made++
  return {
    namespace: 'live',
    name: 'behaviour',
    version: made.toString(16).padStart(16, '0').padEnd(64, 'a'),
    entity: ['customer_id'],
    features: ['a', 'b', 'c'],
    timeToLiveUs: null,
    ...changes,
  }
}

/** The values of one entity; `at` is both its sequence and, in seconds, its event time. */
export function onlineEntity(
  key: EntityKey,
  values: readonly number[],
  at = 1,
  asOfUs = at * 1_000_000,
): OnlineEntity {
  return { key, values, sequence: at, asOfUs }
}

/** The code of the error that a call ends with; undefined where it ends without. */
export async function codeOf(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call
    return undefined
  } catch (error) {
    if (isAssayError(error)) return error.code
    throw error
  }
}

const anyEntity = fc.record({
  key: fc.constantFrom(1, 2, '1', 'x'),
  value: fc.constantFrom(0, 1.5, Number.NaN, Infinity),
  sequence: fc.integer({ min: 0, max: 4 }),
  asOfUs: fc.integer({ min: -2, max: 2 }),
})

/** Calls on one of two sets, few enough keys and sequences that they meet. */
export const anyCall = fc.record({
  on: fc.constantFrom(0, 1),
  act: fc.oneof(
    { weight: 2, arbitrary: fc.constant({ kind: 'declare' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'retire' as const }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('read' as const),
        freshFromUs: fc.integer({ min: -2, max: 2 }),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('write' as const),
        entities: fc.array(anyEntity, { maxLength: 5 }),
      }),
    },
  ),
})

/** What a call returns, or the code of its error. */
export async function answer(
  act: (typeof anyCall extends fc.Arbitrary<infer Call> ? Call : never)['act'],
  values: OnlineValues,
  set: OnlineSet,
): Promise<unknown> {
  try {
    switch (act.kind) {
      case 'declare':
        return await values.declare(set)
      case 'retire':
        return await values.retire(set)
      case 'read': {
        const keys = [[1], [2], ['1'], ['x']]
        return await values.read(set, {
          keys,
          features: set.features,
          freshFromUs: act.freshFromUs,
        })
      }
      case 'write':
        return await values.write(
          set,
          act.entities.map(({ key, value, ...order }) => {
            return { key: [key], values: set.features.map(() => value), ...order }
          }),
        )
    }
  } catch (error) {
    if (isAssayError(error)) return error.code
    throw error
  }
}

/** Every entity that the pages name, once. */
export async function allPages(
  values: OnlineValues,
  address: OnlineAddress,
  limit: number,
): Promise<EntityKey[]> {
  const met = new Map<string, EntityKey>()
  let after: string | null = null
  do {
    const page: Awaited<ReturnType<OnlineValues['scan']>> = await values.scan(address, {
      after,
      limit,
    })
    for (const key of page.keys) met.set(JSON.stringify(key), key)
    after = page.next
  } while (after !== null)
  return [...met.values()]
}
