import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test } from 'vitest'
import { type LastingThreads, startLastingThreads } from './lasting-threads.ts'

/** Doubles numbers; hangs at 13, falls at 66, refuses 7; is never ready where it is told so. */
const code = `
const { parentPort, workerData } = require('node:worker_threads')
parentPort.on('message', (n) => {
  if (n === 13) for (;;) {}
  if (n === 66) process.exit(1)
  if (n === 7) parentPort.postMessage({ kind: 'failed', reason: 'seven' })
  else parentPort.postMessage({ kind: 'done', answer: 2 * n })
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

  test('replace a thread that fell', async () => {
    const { run } = await started()
    await expect(run(66)).rejects.toThrow('failed: The thread has ended.')
    expect(await run(3)).toBe(6)
  })

  test('end where one thread after another falls', async () => {
    const { run, isEnded } = await started()
    expect(isEnded()).toBe(false)
    for (let i = 0; i < 5; i++) await expect(run(66)).rejects.toThrow()
    await expect(run(1)).rejects.toThrow('fell 5 times')
    expect(isEnded()).toBe(true)
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
