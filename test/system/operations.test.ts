// One server from an empty home: everything that its address answers, held against the contract.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatTimestamp, parseTimestamp } from '../../src/lib/time.ts'
import { routes, type OperationName } from '../../src/server/contract/index.ts'
import { createClient, refusalOf, type Client, type Request } from './client.ts'
import { allDone, eventually, startServer, temporaryDirectory, type TestServer } from './server.ts'

let server: TestServer
let client: Client

beforeAll(async () => {
  server = await startServer({ home: temporaryDirectory('operations') })
  client = createClient(server.url, server.key)
  await server.printed(allDone)
}, 120_000)

afterAll(async () => {
  expect(await server?.stop()).toBe(0)
})

/** An event of the bank's present time that nobody else sends. */
async function payment(id: string, over: Record<string, unknown> = {}) {
  const { clock } = await client.ask('session')
  return {
    payment_id: id,
    paid_at: clock.now,
    customer_id: 596,
    terminal_id: 31,
    amount: '57.16',
    ...over,
  }
}
const decide = (body: unknown, headers?: Record<string, string>) =>
  client.send('decide', { params: { policy: 'tiny' }, body, ...(headers && { headers }) })

/** Asks until the read model has heard of what was just decided. */
const readModelHas = (eventId: string) =>
  eventually(`${eventId} is in the read model`, async () => {
    const page = await client.ask('decisions', { query: { text: eventId } })
    return page.items.find((row: { eventId: string }) => row.eventId === eventId)
  })

describe('a start from an empty home', () => {
  test('prints a line a stage, each with its figure, and ends with three things to try', () => {
    const out = server.out()
    expect(out.split('\n')[0]).toMatch(/^Assay \d+\.\d+\.\d+, everything is kept in /)
    expect(out).toMatch(/✓ Data\s+[\d,]+ rows, 6 in quarantine, snapshot [0-9a-f]{12}/)
    expect(out).toMatch(/✓ Features\s+5 features; live equals history: 0 differences in [\d,]+ /)
    expect(out).toMatch(/✓ Learning\s+trees average precision 0\.\d+ \[0\.\d+, 0\.\d+\]; logistic/)
    expect(out).toMatch(/✓ Gate\s+.* passed, approved by 2 scripts \(example\)/)
    expect(out).toMatch(/✓ Live\s+first live decision after \d+ s/)
    expect(out).toMatch(/Try next(\n {2}\S.*){3}/)
    expect(server.err()).toBe('')
  })
})

describe('a decision', () => {
  test('answers outcome, score, versions and timings, and again byte for byte', async () => {
    const body = await payment('once')
    const first = await decide(body)
    const text = await first.text()
    expect(first.status, text).toBe(200)
    const answer = JSON.parse(text)
    expect(answer).toMatchObject({ policy: 'tiny', eventId: 'once', namespace: 'live' })
    expect(['allow', 'review', 'decline']).toContain(answer.outcome)
    expect(answer.score).toBeGreaterThan(0)
    expect(answer.versions).toMatchObject({ modelName: 'tiny-fraud', modelNumber: 1 })
    expect(answer.timings).toMatchObject({ contractUs: expect.any(Number) })
    const again = await decide(body)
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(await again.text()).toBe(text)
    expect(await refusalOf(await decide({ ...body, amount: '57.17' }))).toBe(
      '409 event_id_conflict',
    )
  })

  test('gives its reasons with every outcome but allow', async () => {
    const review = await (await decide(await payment('large', { amount: '250.00' }))).json()
    expect(review).toMatchObject({ outcome: 'review', rules: ['large'] })
    expect(review.reasons[0]).toMatchObject({ kind: 'rule', sentence: 'The amount is large' })
    const decline = await (await decide(await payment('huge', { amount: '450.00' }))).json()
    expect(decline.outcome).toBe('decline')
    expect(decline.reasons.length).toBeGreaterThan(0)
  })

  test('of an allowed payment is explained on demand, the same each time', async () => {
    const body = await payment('small', { amount: '3.00' })
    const answer = await (await decide(body)).json()
    expect(answer).toMatchObject({ outcome: 'allow', reasons: [] })
    await readModelHas('small')
    const params = { policy: 'tiny', eventId: 'small' }
    expect((await client.ask('decision', { params })).explanation).toBeNull()
    const explained = await client.ask('decisionExplanation', { params })
    expect(await client.ask('decisionExplanation', { params })).toEqual(explained)
    const parts = [...explained.towards, ...explained.against].map((each) => each.contribution)
    const sum = parts.reduce((total, each) => total + each, explained.base + explained.others)
    expect(sum).toBeCloseTo(explained.margin, 9)
  })

  test('computed again is identical', async () => {
    const page = await client.ask('decisions', { query: { limit: 5 } })
    for (const { policy, eventId } of page.items) {
      const again = await client.ask('recomputeDecision', { params: { policy, eventId } })
      expect(again).toMatchObject({ identical: true, differences: [] })
      expect(again.compared).toBeGreaterThan(5)
    }
  })
})

describe('every operation of the contract', () => {
  test('that reads answers in the shape of its schema', async () => {
    await readModelHas('large')
    const [{ items: decisions }, { items: cases }, { items: runs }, { items: entries }, pipelines] =
      await Promise.all([
        client.ask('decisions'),
        client.ask('cases'),
        client.ask('runs'),
        client.ask('audit'),
        client.ask('pipelines'),
      ])
    const { policy, eventId } = decisions[0]
    const [first, second] = runs.map(({ id }: { id: string }) => id)
    const requests: Partial<Record<OperationName, readonly Request[]>> = {
      overview: [{}, { query: { last: '24h' } }, { query: { from: '2018-07-12T00:00:00Z' } }],
      search: [{ query: { q: 'amount' } }, { query: { q: eventId } }, { query: { q: 'tiny' } }],
      decisions: [
        { query: { outcome: 'review,decline', order: 'score', limit: 3 } },
        { query: { label: 'none', last: '7d', amountMin: '10.00', amountMax: '20.5' } },
        { query: { rule: 'large', order: 'amount' } },
        { query: { customer: decisions[0].customer, order: 'oldest' } },
      ],
      decision: [{ params: { policy, eventId } }, { params: { policy: 'tiny', eventId: 'large' } }],
      decisionExplanation: [{ params: { policy, eventId } }],
      policy: [{ params: { policy: 'tiny' } }],
      cases: [{ query: { status: 'all', order: 'newest' } }, { query: { status: 'closed' } }],
      case: [{ params: { caseId: cases[0].id } }],
      dataset: [{ params: { dataset: 'payments' } }, { params: { dataset: 'fraud' } }],
      quarantine: [{}, { query: { status: 'all', column: 'amount' } }, { query: { limit: 2 } }],
      feature: [
        { params: { set: 'behaviour', feature: 'AMOUNT' } },
        { params: { set: 'behaviour', feature: 'TERMINAL_RISK_7D' } },
      ],
      runs: [{ query: { status: 'finished', text: 'trees' } }],
      run: [{ params: { runId: first } }],
      compareRuns: [{ query: { ids: `${first},${second}` } }],
      model: [{ params: { model: 'tiny-fraud' } }],
      version: [
        { params: { model: 'tiny-fraud', version: 1 } },
        { params: { model: 'tiny-fraud', version: 2 } },
      ],
      monitoring: [{}, { query: { last: '6h' } }, { query: { last: 'all' } }],
      audit: [{ query: { limit: 3 } }, { query: { kind: 'identity' } }, { query: { text: 'sign' } }],
      auditEntry: [{ params: { index: entries[0].index } }, { params: { index: 0 } }],
      pipeline: [{ params: { pipelineRunId: pipelines.items[0].id } }],
    }
    const reading = routes.filter(({ method, by }) => method === 'GET' && by === undefined)
    expect(reading.length).toBeGreaterThan(25)
    for (const { name } of reading) {
      for (const request of requests[name] ?? [{}]) await client.ask(name, request)
    }
  })

  test('that does not know what is asked for says so', async () => {
    const unknown: Partial<Record<OperationName, Record<string, string | number>>> = {
      decision: { policy: 'tiny', eventId: 'nobody' },
      decisionExplanation: { policy: 'none', eventId: 'nobody' },
      recomputeDecision: { policy: 'tiny', eventId: '../../etc' },
      policy: { policy: 'none' },
      case: { caseId: 'none' },
      dataset: { dataset: 'none' },
      feature: { set: 'behaviour', feature: 'NONE' },
      run: { runId: 'none' },
      model: { model: 'none' },
      version: { model: 'tiny-fraud', version: 99 },
      auditEntry: { index: 99_999 },
      pipeline: { pipelineRunId: 'none' },
    }
    for (const [name, params] of Object.entries(unknown)) {
      expect(await client.refusal(name as OperationName, { params }), name).toMatch(/^404 /)
    }
    expect(await refusalOf(await client.get('/api/v1/nothing'))).toBe('404 not_found')
  })

  test('refuses what does not have the form of its schema, and never fails', async () => {
    const refused: [OperationName, Request][] = [
      ['decisions', { query: { limit: 0 } }],
      ['decisions', { query: { limit: 100_000 } }],
      ['decisions', { query: { order: 'sideways' } }],
      ['decisions', { query: { from: 'yesterday' } }],
      ['decisions', { query: { from: '2018-02-31T00:00:00Z' } }],
      ['decisions', { query: { cursor: 'nonsense' } }],
      ['decisions', { query: { amountMin: 'ten' } }],
      ['decisions', { query: { outcome: 'perhaps' } }],
      ['cases', { query: { cursor: '%00' } }],
      ['quarantine', { query: { cursor: 'nonsense' } }],
      ['audit', { query: { cursor: 'nonsense' } }],
      ['auditEntry', { params: { index: -1 } }],
      ['auditEntry', { params: { index: 'first' } }],
      ['version', { params: { model: 'tiny-fraud', version: 'latest' } }],
      ['compareRuns', { query: { ids: 'one' } }],
      ['overview', { query: { last: '1y' } }],
      ['commandReplay', { body: { action: 'rewind' } }],
      ['commandReplay', { body: { action: 'speed', speed: '1e9' } }],
      ['commandReplay', { body: '{"action":', headers: { 'content-type': 'application/json' } }],
      ['giveVerdict', { params: { caseId: 'x' }, body: { verdict: 'maybe' } }],
      ['bulkVerdict', { body: { caseIds: [], verdict: 'fraud' } }],
      ['resubmit', { body: { rows: [], reason: 'none' } }],
      ['resubmit', { body: { rows: [{ id: 'q', fields: {} }], reason: '' } }],
      ['rollBack', { params: { model: 'tiny-fraud' }, body: { to: 'first', reason: 'because' } }],
      ['giveApproval', { params: { model: 'tiny-fraud', version: 1 }, body: { decision: 'yes' } }],
    ]
    for (const [name, request] of refused) {
      expect(await client.refusal(name, request), `${name} ${JSON.stringify(request)}`).toMatch(
        /^4(00|04|22) /,
      )
    }
  })

  test('is in the OpenAPI document', async () => {
    const response = await client.get('/api/v1/openapi.json')
    const document = (await response.json()) as {
      openapi: string
      paths: Record<string, Record<string, { operationId: string; parameters: object[] }>>
    }
    expect(document.openapi).toBe('3.1.0')
    const described = Object.values(document.paths).flatMap((path) => Object.values(path))
    expect(described.map(({ operationId }) => operationId).sort()).toEqual(
      routes.map(({ name }) => name).sort(),
    )
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const part of path.matchAll(/\{(\w+)\}/g)) {
        for (const { parameters } of Object.values(operations)) {
          expect(parameters).toContainEqual(
            expect.objectContaining({ name: part[1], in: 'path', required: true }),
          )
        }
      }
    }
  })
})
