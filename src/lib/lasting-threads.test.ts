import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test } from 'vitest'
import { type LastingThreads, startLastingThreads } from './lasting-threads.ts'

/** Doubles numbers; hangs at 13, falls at 66, refuses 7, waits elsewhere with 100 until 5 comes; is never ready where it is told so. */
const code = `
const { parentPort, workerData } = require('node:worker_threads')
const away = []
parentPort.on('message', ({ id, request: n }) => {
  if (n === 100) {
    away.push(id)
    return parentPort.postMessage({ kind: 'away', id })
  }
  if (n === 5) for (const each of away.splice(0)) parentPort.postMessage({ kind: 'done', id: each, answer: 200 })
  if (n === 13) for (;;) {}
  if (n === 66) process.exit(1)
  if (n === 7) parentPort.postMessage({ kind: 'failed', id, reason: 'seven' })
  else parentPort.postMessage({ kind: 'done', id, answer: 2 * n })
})
parentPort.postMessage(workerData === 'bad' ? { kind: 'refused', reason: 'bad data' } : { kind: 'ready' })
`

let threads: LastingThreads<number, number> | undefined
afterEach(() => threads?.close())

async function started(data = 'good', runMsMax = 300, queueMax = 4) {
  threads = await startLastingThreads<number, number>({
    start: () => new Worker(code, { eval: true, workerData: data }),
    queueMax,
    runMsMax,
    fail: {
      refused: (reason) => new Error(`refused: ${reason}`),
      failed: (reason) => new Error(`failed: ${reason}`),
      timedOut: (reason) => new Error(`timed out: ${reason}`),
    },
  })
  return threads
}

describe('lasting threads', () => {
  test('answer in turn, and say what a request failed of', async () => {
    const { run } = await started()
    const all = await Promise.allSettled([run(1), run(7), run(2)])
    expect(all).toMatchObject([
      { value: 2 },
      { reason: { message: 'failed: seven' } },
      { value: 4 },
    ])
  })

  test('end a thread that hangs, and answer those that waited by another', async () => {
    const { run } = await started()
    const all = await Promise.allSettled([run(13), run(1), run(2)])
    expect(all).toMatchObject([
      { reason: { message: 'timed out: It took more than 300 ms.' } },
      { value: 2 },
      { value: 4 },
    ])
    expect(await run(21)).toBe(42)
  })

  test('answer others while one waits for somebody else', async () => {
    const { run } = await started('good', 20_000)
    const away = [run(100), run(100)]
    expect(await run(1)).toBe(2)
    expect(await run(5)).toBe(10)
    expect(await Promise.all(away)).toEqual([200, 200])
  })

  test('give up one that waits for somebody else too long, and nothing beside it', async () => {
    const { run } = await started()
    const away = run(100)
    const [lost, other] = await Promise.allSettled([away, run(1)])
    expect(lost).toMatchObject({ reason: { message: 'timed out: It took more than 300 ms.' } })
    expect(other).toMatchObject({ value: 2 })
    // The thread is the one of before: it still has what is away.
    expect(await run(5)).toBe(10)
  })

  test('lose what is away with a thread that falls', async () => {
    const { run } = await started('good', 20_000)
    const all = await Promise.allSettled([run(100), run(66)])
    expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(await run(3)).toBe(6)
  })

  test('replace a thread that fell', async () => {
    const { run } = await started()
    await expect(run(66)).rejects.toThrow('failed: The thread has ended.')
    expect(await run(3)).toBe(6)
  })

  test('end where one thread after another falls', async () => {
    const { run, ended } = await started()
    for (let i = 0; i < 5; i++) await expect(run(66)).rejects.toThrow()
    await expect(run(1)).rejects.toThrow('fell 5 times')
    expect((await ended).message).toContain('fell 5 times')
  })

  test('shed what is more than may wait, and refuse after the end', async () => {
    const { run, close } = await started('good', 5000, 2)
    const settled = await Promise.allSettled([1, 2, 3, 4, 5].map((n) => run(n)))
    expect(settled.map(({ status }) => status)).toEqual([
      ...Array.from({ length: 3 }, () => 'fulfilled'),
      ...Array.from({ length: 2 }, () => 'rejected'),
    ])
    await close()
    await expect(run(1)).rejects.toThrow('closed')
  })

  test('say why they could not begin', async () => {
    await expect(started('bad')).rejects.toThrow('refused: bad data')
  })
})
