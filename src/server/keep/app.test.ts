import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createKeepApp, type KeepAppOptions } from './app.ts'

const pageDirectory = mkdtempSync(join(tmpdir(), 'assay-page-'))
const defects: unknown[] = []
let app: Awaited<ReturnType<typeof createKeepApp>>

beforeAll(async () => {
  writeFileSync(join(pageDirectory, 'index.html'), '<!doctype html>')
  // Nobody signs in here, so no view is ever asked.
  const nobody = { authenticate: async () => undefined, signIn: () => Promise.reject(new Error()) }
  app = await createKeepApp({
    access: nobody,
    handlers: {},
    pageDirectory,
    version: '0',
    onDefect: (error: unknown) => defects.push(error),
  } as unknown as KeepAppOptions)
})

afterAll(async () => {
  await app.close()
  rmSync(pageDirectory, { recursive: true })
})

async function signIn(payload: string, headers: Record<string, string> = {}): Promise<string> {
  const type = { 'content-type': 'application/json', ...headers }
  return codeOf(
    await app.inject({ method: 'POST', url: '/api/v1/session', payload, headers: type }),
  )
}

function codeOf(answer: { statusCode: number; headers: object; body: string }): string {
  expect(answer.headers).toMatchObject({
    'content-type': expect.stringMatching(/^application\/problem\+json/),
  })
  const { code, action } = JSON.parse(answer.body) as { code: string; action: string }
  expect(action).not.toBe('')
  return `${answer.statusCode} ${code}`
}

test('bad bodies get one clear answer each, as at the door of decisions', async () => {
  expect(await signIn('{')).toBe('400 json_invalid')
  expect(await signIn('{"key":"a","key":"b"}')).toBe('400 json_invalid')
  expect(await signIn('['.repeat(10_000))).toBe('400 json_too_deep')
  expect(await signIn('{}')).toBe('422 request_invalid')
  expect(await signIn('{}', { 'content-type': 'text/plain' })).toBe('415 media_type_unsupported')
  expect(await signIn('{}', { 'content-encoding': 'gzip' })).toBe('415 media_type_unsupported')
  expect(await signIn(' '.repeat(5 * 1024 * 1024))).toBe('413 body_too_large')
  expect(defects).toEqual([])
})

test('odd addresses are nowhere, and their answers say so', async () => {
  const get = async (url: string) => codeOf(await app.inject({ method: 'GET', url }))
  expect(await get('/%zz')).toBe('400 request_unreadable')
  expect(await get('/%00')).toBe('404 not_found')
  expect(await get(`/api/v1/runs/${'x'.repeat(2000)}`)).toMatch(/^40[04] /)
  expect(await get('/api/v1/runs')).toBe('401 not_signed_in')
  expect(defects).toEqual([])
})

test('a query parameter that an address does not have is refused with those that it has', async () => {
  const ada = { id: 'ada', name: 'Ada', kind: 'person', roles: ['analyst'], createdAtUs: 0 }
  const asked: unknown[] = []
  const open = await createKeepApp({
    access: { authenticate: async () => ada },
    handlers: {
      audit: async ({ query }: { query: unknown }) => (asked.push(query), { items: [] }),
      overview: async () => ({}),
    },
    pageDirectory,
    version: '0',
    onDefect: (error: unknown) => defects.push(error),
  } as unknown as KeepAppOptions)
  onTestFinished(() => open.close())
  const get = (url: string) => open.inject({ method: 'GET', url })
  const refused = await get('/api/v1/audit?sort=newest&actor=ada')
  expect(codeOf(refused)).toBe('422 request_invalid')
  expect(JSON.parse(refused.body)).toMatchObject({
    detail: expect.stringMatching(
      /^There is no query parameter "sort" at this address; it takes actor, action, .*limit/,
    ),
  })
  expect(asked).toEqual([])
  expect((await get('/api/v1/audit?actor=ada')).statusCode).toBe(200)
  expect(asked).toMatchObject([{ actor: 'ada' }])
  expect(defects).toEqual([])
})
