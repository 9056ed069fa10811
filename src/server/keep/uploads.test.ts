import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createKeepApp, type KeepAppOptions } from './app.ts'
import type { Call } from './handlers.ts'

let app: Awaited<ReturnType<typeof createKeepApp>>
let roles = ['analyst']
let first: (chunk: string) => void
const calls: Call<'uploadLearningFile'>[] = []

beforeAll(async () => {
  app = await createKeepApp({
    access: { authenticate: async () => ({ id: 'i1', name: 'Ada', kind: 'person', roles }) },
    handlers: {
      uploadLearningFile: async (call: Call<'uploadLearningFile'>) => {
        calls.push(call)
        let bytes = 0
        for await (const chunk of call.upload!.stream) {
          if (bytes === 0) first(String(chunk))
          bytes += (chunk as Buffer).length
        }
        return { bytes }
      },
      startLearning: async () => ({ id: 'pipe_1' }),
    },
    pageDirectory: '/nowhere',
    version: '0',
    onDefect: (error: unknown) => {
      throw error
    },
  } as unknown as KeepAppOptions)
  await app.listen({ port: 0, host: '127.0.0.1' })
})
beforeEach(() => {
  roles = ['analyst']
  first = () => {}
  calls.splice(0)
})
afterAll(() => app.close())

const url = '/api/v1/learning/files?name=adult.csv'
const post = (type: string, payload: string | Buffer, headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url, payload, headers: { 'content-type': type, ...headers } })
const codeOf = (answer: { statusCode: number; body: string }) =>
  `${answer.statusCode} ${(JSON.parse(answer.body) as { code: string }).code}`

test('a file is handed on as it comes, before the rest of it was sent', async () => {
  const seen = new Promise<string>((resolve) => (first = resolve))
  const { port } = app.server.address() as AddressInfo
  const answered = new Promise<string>((resolve, reject) => {
    const sending = httpRequest(
      {
        port,
        host: '127.0.0.1',
        path: url,
        method: 'POST',
        headers: { 'content-type': 'text/csv' },
      },
      (response) => {
        response.setEncoding('utf8')
        response.on('data', (text: string) => resolve(text))
      },
    )
    sending.on('error', reject)
    sending.write('a,b\n')
    // The rest waits until the beginning has arrived at the handler.
    void seen.then(() => sending.end('1,2\n'))
  })
  expect(await seen).toBe('a,b\n')
  expect(JSON.parse(await answered)).toEqual({ bytes: 8 })
  expect(calls[0]).toMatchObject({ query: { name: 'adult.csv' }, upload: { bytes: undefined } })
})

test('it may be larger than any other body', async () => {
  const large = Buffer.alloc(20 * 1024 * 1024, 'a')
  const answer = await post('application/octet-stream', large)
  expect(answer.json()).toEqual({ bytes: large.length })
  expect(calls[0].upload?.bytes).toBe(large.length)
})

test('readers may look at what was learnt, and neither bring a file nor begin', async () => {
  roles = ['reader']
  expect(codeOf(await post('text/csv', 'a\n1\n'))).toBe('403 forbidden')
  const start = await app.inject({
    method: 'POST',
    url: '/api/v1/learning',
    payload: {},
    headers: { 'content-type': 'application/json' },
  })
  expect(codeOf(start)).toBe('403 forbidden')
  expect(calls).toEqual([])
})

test('bodies of other types, other sites and files without a name are refused', async () => {
  expect(codeOf(await post('application/json', '{}'))).toBe('415 media_type_unsupported')
  const foreign = { cookie: 'assay_session=s', origin: 'http://elsewhere' }
  expect(codeOf(await post('text/csv', 'a', foreign))).toBe('403 origin_refused')
  const nameless = await app.inject({
    method: 'POST',
    url: '/api/v1/learning/files',
    payload: 'a',
    headers: { 'content-type': 'text/csv' },
  })
  expect(codeOf(nameless)).toBe('422 request_invalid')
})

test('what is asked of a file has a form', async () => {
  const start = (payload: object) =>
    app.inject({
      method: 'POST',
      url: '/api/v1/learning',
      payload,
      headers: { 'content-type': 'application/json' },
    })
  const file = 'a'.repeat(64)
  expect((await start({ file, target: 'y' })).json()).toEqual({ id: 'pipe_1' })
  for (const bad of [{ file: '../x', target: 'y' }, { file }, { file, target: 'y', other: 1 }]) {
    expect(codeOf(await start(bad))).toBe('422 request_invalid')
  }
})
