import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PolicyParts, RuleTest } from '../contract/index.ts'
import { createKeepApp, type KeepAppOptions } from './app.ts'

const read: { parts: PolicyParts; tests: RuleTest[] }[] = []
let app: Awaited<ReturnType<typeof createKeepApp>>

beforeAll(async () => {
  const identity = { id: 'i', name: 'Ada', kind: 'person', roles: ['administrator'] }
  app = await createKeepApp({
    access: { authenticate: async () => identity },
    handlers: {
      checkDraft: async ({ body }: { body: (typeof read)[number] }) => {
        read.push(body)
        return { mistakes: [], results: [], differences: [] }
      },
      sendLogLines: async ({ body }: { body: { lines: string[] } }) => ({
        sentence: body.lines.join(),
      }),
      setAside: async ({ query }: { query: object }) => ({ read: query }),
    },
    pageDirectory: '/nowhere',
    version: '0',
    onDefect: (error: unknown) => {
      throw error
    },
  } as unknown as KeepAppOptions)
})
afterAll(() => app.close())

const parts: PolicyParts = {
  description: '',
  rules: [],
  lists: [],
  typologies: [],
  thresholds: { review: 0.3, decline: 0.8 },
  fallback: null,
  reviewCapacityPerDay: null,
}
const example: RuleTest = {
  name: 'a',
  event: {},
  features: {},
  score: null,
  listed: [],
  expect: { outcome: 'allow' },
}

async function check(body: unknown): Promise<number> {
  const url = '/api/v1/policies/cards/check'
  const answer = await app.inject({ method: 'POST', url, payload: body as object })
  return answer.statusCode
}

test('what a body holds is read as it was sent: null, a number, and a text of digits', async () => {
  const value = fc.oneof(fc.integer(), fc.string(), fc.constantFrom('', '0', '7', '1.5', 'null'))
  const bodies = fc.record({
    reviewCapacityPerDay: fc.option(fc.nat()),
    score: fc.option(fc.constantFrom(0, 0.5, 1)),
    event: fc.dictionary(fc.constantFrom('amount', 'customer'), value, { noNullPrototype: true }),
  })
  await fc.assert(
    fc.asyncProperty(bodies, async ({ reviewCapacityPerDay, score, event }) => {
      const sent = {
        parts: { ...parts, reviewCapacityPerDay },
        tests: [{ ...example, score, event }],
      }
      expect(await check(sent)).toBe(200)
      expect(read.at(-1)).toEqual(sent)
    }),
  )
})

test('what fits none of the types, or is out of range, is refused as before', async () => {
  expect(await check({ parts: { ...parts, reviewCapacityPerDay: -1 }, tests: [] })).toBe(422)
  expect(await check({ parts: { ...parts, reviewCapacityPerDay: 'many' }, tests: [] })).toBe(422)
  expect(await check({ parts, tests: [{ ...example, event: { amount: {} } }] })).toBe(422)
})

test.each([
  { lines: 'a' },
  { lines: [1] },
  { lines: [null] },
  { lines: [true] },
  { lines: [['a']] },
  { lines: {} },
  { lines: [] },
  { lines: ['a'], line: 'b' },
])('lines that are no list of texts are refused, not made one: %j', async (payload) => {
  const url = '/api/v1/log-streams/site/lines'
  const taken = await app.inject({ method: 'POST', url, payload: { lines: ['a', '1'] } })
  expect(taken.json()).toEqual({ sentence: 'a,1' })
  const refused = await app.inject({ method: 'POST', url, payload })
  expect(refused.json()).toMatchObject({ status: 422, code: 'request_invalid' })
})

test('of an address, which holds text alone, numbers and yes or no are read as such', async () => {
  const ask = (query: string) => app.inject({ method: 'GET', url: `/api/v1/set-aside?${query}` })
  expect((await ask('limit=7&all=true')).json()).toMatchObject({ read: { limit: 7, all: true } })
  expect((await ask('all=false')).json()).toMatchObject({ read: { all: false } })
  for (const query of [
    'limit=',
    'limit=a',
    'limit=1.5',
    'limit=Infinity',
    'limit=1&limit=2',
    'all=yes',
  ]) {
    expect((await ask(query)).statusCode, query).toBe(422)
  }
})
