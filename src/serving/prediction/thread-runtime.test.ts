import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test } from 'vitest'
import { createModelThreads, type ModelThreads } from './thread-runtime.ts'

/** A thread whose models do as their names say; it tells how many requests it has had. */
const code = `
const { parentPort } = require('node:worker_threads')
let had = 0
parentPort.on('message', ({ id, request: { act, hash } }) => {
  had++
  const done = (answer) => parentPort.postMessage({ kind: 'done', id, answer })
  if (act === 'close') return done({ kind: 'closed' })
  if (act === 'open' && hash === 'hangs') for (;;) {}
  if (act === 'open' && hash === 'refuses') return done({ kind: 'refused', detail: 'no such file' })
  if (act === 'open') return done({ kind: 'opened', platform: hash, signature: { inputs: [], outputs: [] } })
  if (hash === 'falls') process.exit(1)
  done({ kind: 'predicted', outputs: [{ name: 'had', datatype: 'FP64', shape: [1], data: Float64Array.of(had) }] })
})
parentPort.postMessage({ kind: 'ready' })
`

let threads: ModelThreads | undefined
let started = 0
afterEach(async () => {
  await threads?.close()
})

function open(options: { readonly threadsMax?: number; readonly runMsMax?: number } = {}) {
  started = 0
  threads = createModelThreads({
    start: () => {
      started++
      return new Worker(code, { eval: true })
    },
    ...options,
  })
  return (hash: string) => threads!.open({ file: `${hash}.json`, hash })
}

describe('models in threads', () => {
  test('do not wait for one that hangs while it is loaded', async () => {
    const named = open({ runMsMax: 60_000 })
    const hanging = Promise.allSettled([named('hangs')])
    const runtime = await named('answers')
    expect(runtime.platform).toBe('answers')
    expect(await runtime.predict([])).toHaveLength(1)
    await threads!.close()
    expect(await hanging).toMatchObject([{ status: 'rejected', reason: { message: /closed/ } }])
  })

  test('end where their thread falls again and again, and begin anew when they are opened again', async () => {
    const named = open()
    const falling = await named('falls')
    const other = await named('answers')
    for (let n = 0; n < 5; n++) await expect(falling.predict([])).rejects.toThrow()
    expect((await falling.ended!).message).toContain('fell 5 times')
    expect(await other.predict([])).toHaveLength(1)
    const again = await named('falls')
    expect(again.platform).toBe('falls')
  })

  test('share threads where there are more of them', async () => {
    const named = open({ threadsMax: 2 })
    const all = await Promise.all(['a', 'b', 'c'].map(named))
    expect(all.map(({ platform }) => platform)).toEqual(['a', 'b', 'c'])
    expect(started).toBe(2)
  })

  test('leave their thread to the others that are there, and end it with the last', async () => {
    const named = open({ threadsMax: 1 })
    const [first, second] = [await named('a'), await named('b')]
    await first.close()
    expect(await second.predict([])).toHaveLength(1)
    await second.close()
    await named('c')
    expect(started).toBe(2)
  })

  test('that are refused leave nothing behind', async () => {
    const named = open({ threadsMax: 1 })
    await expect(named('refuses')).rejects.toThrow('no such file')
    expect((await named('answers')).platform).toBe('answers')
    expect(started).toBe(2)
  })

  test('opened twice are one, until both are closed', async () => {
    const named = open()
    const [first, second] = [await named('a'), await named('a')]
    expect(started).toBe(1)
    await first.close()
    expect(await second.predict([])).toHaveLength(1)
  })
})
