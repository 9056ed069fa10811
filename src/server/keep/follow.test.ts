import { createServer, request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { on } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import { createKeepApp, type KeepAppOptions } from './app.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** A source of answers that the test moves on, and the app over it. */
async function opened() {
  const state = { count: 3, mays: true, moves: 0, asked: [] as unknown[], defects: [] as unknown[] }
  const wakers = new Set<() => void>()
  const moved = () => {
    state.moves += 1
    for (const wake of wakers) wake()
  }
  const arrivals = {
    get moves() {
      return state.moves
    },
    wait: (seen: number, mostMs: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        // The pause between two answers is no part of what is tested.
        if (mostMs < 1000 || state.moves > seen || signal.aborted) return resolve()
        wakers.add(resolve)
        signal.addEventListener('abort', () => resolve())
      }),
  }
  const identity = { id: 'i', name: 'Ada', kind: 'person', roles: ['reader'] }
  const app = await createKeepApp({
    access: { authenticate: async () => (state.mays ? identity : undefined) },
    handlers: {
      liveDecisions: async ({ query }: { query: { after?: string } }) => {
        state.asked.push(query.after)
        return { place: `live:${state.count}` }
      },
    },
    pageDirectory: '/nowhere',
    version: '0',
    arrivals,
    onDefect: (error: unknown) => state.defects.push(error),
  } as unknown as KeepAppOptions)
  await app.ready()
  const server = createServer((incoming, response) => app.routing(incoming, response))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  closing.push(async () => {
    server.closeAllConnections()
    server.close()
    await app.close()
  })
  const { port } = server.address() as AddressInfo
  const follow = (query = '', headers: Record<string, string> = {}) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      request({
        port,
        path: `/api/v1/decisions/live${query}`,
        headers: { accept: 'text/event-stream', ...headers },
      })
        .on('response', resolve)
        .on('error', reject)
        .end()
    })
  return { app, state, moved, follow, port }
}

/** The events of a stream, one after the other. */
async function* eventsOf(response: IncomingMessage): AsyncGenerator<{ id: string; data: unknown }> {
  let text = ''
  for await (const [chunk] of on(response, 'data', { close: ['end', 'close'] })) {
    text += String(chunk)
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const lines = text.slice(0, end).split('\n')
      text = text.slice(end + 2)
      const field = (name: string) =>
        lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? ''
      yield { id: field('id'), data: JSON.parse(field('data')) }
    }
  }
}

test('an answer follows each move, from the place of the one before on', async () => {
  const { state, moved, follow } = await opened()
  const response = await follow('?after=live:1')
  expect(response.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
  })
  const events = eventsOf(response)
  expect((await events.next()).value).toEqual({ id: 'live:3', data: { place: 'live:3' } })
  state.count = 7
  moved()
  expect((await events.next()).value).toMatchObject({ id: 'live:7' })
  state.count = 8
  moved()
  expect((await events.next()).value).toMatchObject({ id: 'live:8' })
  expect(state.asked).toEqual(['live:1', 'live:3', 'live:7'])
})

test('whoever comes back names what they had, in the header of their browser or in the query', async () => {
  const { state, follow } = await opened()
  const response = await follow('', { 'last-event-id': 'live:2' })
  await eventsOf(response).next()
  expect(state.asked).toEqual(['live:2'])
})

test('without a wish for events it is one answer', async () => {
  const { follow } = await opened()
  const response = await follow('?after=live:1', { accept: 'application/json' })
  expect(response.headers['content-type']).toMatch(/^application\/json/)
  response.resume()
})

test('who may not look any more is told nothing more', async () => {
  const { state, moved, follow } = await opened()
  const response = await follow()
  const events = eventsOf(response)
  await events.next()
  state.mays = false
  moved()
  expect((await events.next()).done).toBe(true)
  expect(state.defects).toEqual([])
})

test('a server that stops ends the streams', async () => {
  const { app, follow } = await opened()
  const events = eventsOf(await follow())
  await events.next()
  const [last] = await Promise.all([events.next(), app.close()])
  expect(last.done).toBe(true)
})

test('so many may watch at once; another is told to come back, until one has gone', async () => {
  const { follow, moved } = await opened()
  const all = await Promise.all(Array.from({ length: 200 }, () => follow()))
  const refused = await follow()
  expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '5'])
  refused.resume()
  all[0].destroy()
  moved()
  // The place is free once the server has seen that the line is gone.
  await expect
    .poll(async () => {
      const again = await follow()
      again.destroy()
      return again.statusCode
    })
    .toBe(200)
  for (const each of all) each.destroy()
})
