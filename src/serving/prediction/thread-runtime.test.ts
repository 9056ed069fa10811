import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel, Worker } from 'node:worker_threads'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { isAssayError } from '../../lib/errors.ts'
import { servingErrors } from '../errors.ts'
import { writeServedModel } from './document.ts'
import { createModelThreads, serveModelThread, type ModelThreads } from './thread-runtime.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-model-thread-'))
afterAll(() => rmSync(folder, { recursive: true }))

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
  const [, code] = /^refuses (.*)/.exec(hash) ?? []
  if (code === 'golden_mismatch') return done({ kind: 'refused', detail: 'as it says' })
  if (code !== undefined) return done({ kind: 'refused', detail: 'as it says', code })
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

describe('the side of the thread', () => {
  test.each([
    [servingErrors.remote_unavailable('It is away.'), 'remote_unavailable'],
    [servingErrors.inference_timeout('It is slow.'), 'inference_timeout'],
    [servingErrors.golden_mismatch('It is another.'), undefined],
    [new Error('A defect'), undefined],
  ])('tells %s by its code where that means the same outside', async (error, code) => {
    const file = join(folder, 'remote.json')
    const body = { kind: 'remote', url: 'https://models.example', model: 'graph' } as const
    const { hash, text } = writeServedModel({ format: 1, name: 'graph', version: '1', body })
    writeFileSync(file, text)
    const { port1, port2 } = new MessageChannel()
    serveModelThread(port1, async () => {
      throw error
    })
    const answered = new Promise((resolve) => {
      port2.on('message', (message: { kind: string }) => {
        if (message.kind === 'done') resolve(message)
      })
    })
    port2.postMessage({ id: 1, request: { act: 'open', file, hash, inputs: [] } })
    const detail = isAssayError(error) ? error.detail : String(error)
    expect(await answered).toEqual({
      kind: 'done',
      id: 1,
      answer: { kind: 'refused', detail, ...(code && { code }) },
    })
    port1.close()
    port2.close()
  })
})

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

  test.each(['remote_unavailable', 'inference_timeout', 'overloaded'])(
    'that say %s in their thread say so outside of it, and other refusals are failures',
    async (code) => {
      const named = open()
      const runtime = await named(`refuses ${code}`)
      await expect(runtime.predict([])).rejects.toMatchObject({ code, detail: 'as it says' })
      const other = await named('refuses golden_mismatch')
      await expect(other.predict([])).rejects.toMatchObject({ code: 'inference_failed' })
    },
  )

  test('opened twice are one, until both are closed', async () => {
    const named = open()
    const [first, second] = [await named('a'), await named('a')]
    expect(started).toBe(1)
    await first.close()
    expect(await second.predict([])).toHaveLength(1)
  })
})
