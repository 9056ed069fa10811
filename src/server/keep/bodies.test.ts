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
