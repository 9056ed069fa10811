import { expect, test, vi } from 'vitest'
import { createMemoryOnlineValues, featureErrors } from '../features/index.ts'
import { manualClock } from '../lib/clock.ts'
import { connectOnline } from './online-store.ts'

const set = {
  namespace: 'live',
  name: 'behaviour',
  version: 'a'.repeat(64),
  entity: ['customer'],
  features: ['count'],
  timeToLiveUs: null,
}

/** A server that is there or not, and what is said of it. */
function watched() {
  const server = { isThere: false }
  const said: string[] = []
  const memory = createMemoryOnlineValues(manualClock(0))
  const there = () => {
    if (!server.isThere) throw featureErrors.online_store_unavailable('Nothing listens.')
  }
  const connection = connectOnline({
    async open() {
      there()
      return {
        ...memory,
        async declare(one) {
          there()
          return memory.declare(one)
        },
      }
    },
    log: {
      info: (_: object, message: string) => said.push(message),
      error: (_: object, message: string) => said.push(message),
    } as unknown as Parameters<typeof connectOnline>[0]['log'],
    retryMs: 5,
  })
  return { server, said, connection }
}

const away = 'Online values cannot be written; decisions go on without them'
const back = 'Online values are written again'

test('a store that is away at the start is used as soon as it is there', async () => {
  const { server, said, connection } = watched()
  await expect(connection.declare(set)).rejects.toMatchObject({ code: 'online_store_unavailable' })
  server.isThere = true
  await vi.waitFor(() => connection.declare(set))
  expect(await connection.sets('live')).toEqual([set])
  expect(said).toEqual([away, back])
  await connection.close()
})

test('one line says that a store went away and one that it is back, however many calls fail', async () => {
  const { server, said, connection } = watched()
  server.isThere = true
  await vi.waitFor(() => connection.declare(set))
  said.length = 0
  server.isThere = false
  for (let call = 0; call < 3; call++) await expect(connection.declare(set)).rejects.toThrow()
  expect(said).toEqual([away])
  server.isThere = true
  await connection.declare(set)
  expect(said).toEqual([away, back])
  await connection.close()
})

test('a connection that was never made is closed without waiting for the store', async () => {
  const { connection } = watched()
  await connection.close()
  await expect(connection.declare(set)).rejects.toMatchObject({ code: 'online_store_unavailable' })
})
