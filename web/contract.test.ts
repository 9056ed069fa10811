// The fixture bank speaks the contract: what the page is developed against is what the server sends.
import { Value } from '@sinclair/typebox/value'
import { FormatRegistry, TypeRegistry } from '@sinclair/typebox'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { objectAddress, routes, type Route } from '../src/server/contract/index.ts'
import { fileId } from './fixtures/learn-file.ts'
import { createFixtureServer } from './fixtures/server.ts'

// `OneOf` is an enum of JSON Schema, which TypeBox itself calls unsafe.
TypeRegistry.Set<{ enum: unknown[] }>('Unsafe', (schema, value) => schema.enum.includes(value))
FormatRegistry.Set('date-time', (value) => !Number.isNaN(Date.parse(value)))

const params: Record<string, string> = {
  policy: 'card-fraud',
  eventId: '1754200',
  caseId: '',
  dataset: 'transactions',
  set: 'handbook',
  feature: 'TX_AMOUNT',
  runId: 'run_01k4tree',
  model: 'card-fraud',
  version: '1',
  index: '3',
  pipelineRunId: 'pipe_01k4main',
  fileId,
  learningId: 'pipe_01k4learn',
}

describe.each(['full', 'empty'] as const)('the fixture bank, %s', (scenario) => {
  const { server } = createFixtureServer({ page: '.', scenario, rows: 3_000 })
  let base = ''
  beforeAll(async () => {
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const cases = (await (await fetch(`${base}/api/v1/cases`)).json()) as {
      items: { id: string }[]
    }
    params.caseId = cases.items[0]?.id ?? 'none'
  })
  afterAll(() => {
    server.close()
  })

  const readable = routes.filter((route) => route.method === 'GET')
  test.each(readable.map((route): [string, Route] => [route.name, route]))(
    '%s answers in its schema',
    async (_name, route) => {
      const path = route.path.replace(/:(\w+)/g, (_, key: string) => params[key] ?? '')
      const response = await fetch(`${base}${path}?q=card&ids=run_01k4tree,run_01k4logi`)
      if (scenario === 'empty' && response.status === 404) return
      expect(response.status).toBe(200)
      const body = (await response.json()) as unknown
      const wrong = [...Value.Errors(route.response, body)].slice(0, 5)
      expect(wrong.map((one) => `${one.path}: ${one.message}`)).toEqual([])
    },
  )
})

test('every operation has one method and path of its own', () => {
  const seen = routes.map((route) => `${route.method} ${route.path}`)
  expect(new Set(seen).size).toBe(seen.length)
})

test('an object has one address, whatever its id holds', () => {
  expect(objectAddress({ kind: 'decision', id: 'card-fraud/a b/c' })).toBe(
    '/decisions/card-fraud/a%20b%2Fc',
  )
  expect(objectAddress({ kind: 'version', id: 'card-fraud/2' })).toBe('/models/card-fraud/2')
  expect(objectAddress({ kind: 'snapshot', id: 'transactions/abc' })).toBe(
    '/data/transactions?snapshot=abc',
  )
})
