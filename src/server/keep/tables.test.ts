import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createKeepApp, type KeepAppOptions } from './app.ts'
import { FileAnswer, type Call } from './handlers.ts'

let app: Awaited<ReturnType<typeof createKeepApp>>
const calls: Call<'featureHistory'>[] = []
const ada = { id: 'i1', name: 'Ada', kind: 'person', roles: ['analyst'] }
const json = { set: 's', rows: [] }

beforeAll(async () => {
  app = await createKeepApp({
    access: { authenticate: async () => ada },
    handlers: {
      featureHistory: async (call: Call<'featureHistory'>) => {
        calls.push(call)
        if (call.table?.as === 'json') return json
        return new FileAnswer('application/vnd.apache.parquet', Buffer.from('PAR1'), {
          'assay-order': 'as-decided',
        })
      },
    },
    pageDirectory: '/nowhere',
    version: '0',
    onDefect: (error: unknown) => {
      throw error
    },
  } as unknown as KeepAppOptions)
})
beforeEach(() => void calls.splice(0))
afterAll(() => app.close())

const post = (type: string, payload: string | Buffer, headers: Record<string, string> = {}) =>
  app.inject({
    method: 'POST',
    url: '/api/v1/features/velocity/history',
    payload,
    headers: { 'content-type': type, ...headers },
  })
const codeOf = (answer: { statusCode: number; body: string }) =>
  `${answer.statusCode} ${(JSON.parse(answer.body) as { code: string }).code}`

test('rows come as JSON as they are, and the answer is a Parquet file unless JSON is asked for', async () => {
  const rows = [{ customer_id: 5, at: '2026-01-01T00:00:00Z', amount: '7.00', shop: null }]
  const file = await post('application/json', JSON.stringify({ rows }))
  expect(file.statusCode).toBe(200)
  expect(file.headers).toMatchObject({
    'content-type': 'application/vnd.apache.parquet',
    'assay-order': 'as-decided',
  })
  expect(file.body).toBe('PAR1')
  // No number was turned into text on the way, and no text into a number.
  expect(calls[0]).toMatchObject({ params: { set: 'velocity' }, body: { rows } })
  expect(calls[0].table?.body).toBeUndefined()
  const answer = await post('application/json', JSON.stringify({ rows }), {
    accept: 'application/json',
  })
  expect(answer.json()).toEqual(json)
})

test.each([
  ['text/csv; charset=utf-8', 'csv'],
  ['application/vnd.apache.parquet', 'parquet'],
  ['application/octet-stream', 'parquet'],
])('a body of type %s is passed on as %s', async (type, form) => {
  const bytes = Buffer.from([0x61, 0xff, 0x00, 0x0a])
  expect((await post(type, bytes)).statusCode).toBe(200)
  expect(calls[0].table?.body?.form).toBe(form)
  expect(Buffer.from(calls[0].table!.body!.bytes)).toEqual(bytes)
})

test('a value that is none of those allowed is refused with the ones that are', async () => {
  const rows = [{ customer_id: 5, at: '2026-01-01T00:00:00Z' }]
  const answer = await app.inject({
    method: 'POST',
    url: '/api/v1/features/velocity/history?order=decided',
    payload: { rows },
  })
  expect(codeOf(answer)).toBe('422 request_invalid')
  expect(answer.json()).toMatchObject({
    detail: expect.stringMatching(/: as-decided, as-corrected$/) as string,
  })
})

test('what is no table is refused with what would be taken', async () => {
  expect(codeOf(await post('text/plain', 'a,b'))).toBe('415 media_type_unsupported')
  expect(codeOf(await post('application/json', '{"rows":[]}'))).toBe('422 request_invalid')
  expect(codeOf(await post('application/json', '{"rows":[1]}'))).toBe('422 request_invalid')
  expect(codeOf(await post('text/csv', Buffer.alloc(17 * 1024 * 1024, 'a')))).toBe(
    '413 body_too_large',
  )
  const elsewhere = await app.inject({
    method: 'POST',
    url: '/api/v1/features/velocity/live',
    payload: 'a,b',
    headers: { 'content-type': 'text/csv' },
  })
  expect(codeOf(elsewhere)).toBe('415 media_type_unsupported')
  expect(calls).toEqual([])
})
