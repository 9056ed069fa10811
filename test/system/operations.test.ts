// One server from an empty home: everything that its address answers, held against the contract.
import { describe, expect, test } from 'vitest'
import { runningBank } from './bank.ts'
import { routes, type OperationName } from '../../src/server/contract/index.ts'
import { accessCases } from './access.cases.ts'
import { createClient, refusalOf, type Request } from './client.ts'
import { parseCsv } from '../csv.ts'
import { parquetTable } from './parquet.ts'
import { firstCase, requestsOfDecisions } from './requests-of-decisions.ts'
import { requestsOfRuns } from './requests-of-runs.ts'
import { eventually, run } from './server.ts'

const bank = runningBank('operations')
const client = bank.admin

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
const answered = async (body: unknown): Promise<Record<string, unknown>> => {
  const response = await decide(body)
  const text = await response.text()
  expect(response.status, text).toBe(200)
  return JSON.parse(text) as Record<string, unknown>
}

/** Asks until the read model has heard of what was just decided. */
const readModelHas = (eventId: string) =>
  eventually(`${eventId} is in the read model`, async () => {
    const page = await client.ask('decisions', { query: { text: eventId } })
    return page.items.find((row: { eventId: string }) => row.eventId === eventId)
  })

describe('a start from an empty home', () => {
  test('prints a line a stage, each with its figure, and ends with three things to try', () => {
    const out = bank.server.out()
    expect(out.split('\n')[0]).toMatch(/^Assay \d+\.\d+\.\d+, everything is kept in /)
    expect(out).toMatch(/✓ Data\s+[\d,]+ rows, 6 in quarantine, snapshot [0-9a-f]{12}/)
    expect(out).toMatch(/✓ Features\s+5 features; live equals history: 0 differences in [\d,]+ /)
    expect(out).toMatch(/✓ Learning\s+trees average precision 0\.\d+ \[0\.\d+, 0\.\d+\]; logistic/)
    expect(out).toMatch(/✓ Gate\s+.* passed, approved by 2 scripts \(example\)/)
    expect(out).toMatch(/✓ Live\s+first live decision after \d+ s/)
    expect(out).toMatch(/Try next(\n {2}\S.*){3}/)
    expect(bank.server.err()).toBe('')
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
    const watched = await answered(await payment('watched', { terminal_id: 999, amount: '9.00' }))
    expect(watched).toMatchObject({ outcome: 'review', rules: ['watched-terminal'] })
    const [strongest] = watched['reasons'] as object[]
    expect(strongest).toMatchObject({ kind: 'rule', sentence: 'The terminal is being watched' })
    const huge = await answered(await payment('huge', { amount: '450.00' }))
    expect(huge).toMatchObject({ outcome: 'decline' })
    expect(huge['reasons']).not.toEqual([])
  })

  test('of an allowed payment is explained on demand, the same each time', async () => {
    const body = await payment('small', { amount: '3.00' })
    const answer = await answered(body)
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

describe('events and labels', () => {
  test('are fed without deciding, with an answer a row, and a label finds its decision', async () => {
    await answered(await payment('to-be-labelled'))
    // The bank's clock moves on, and the same event is the same to the second.
    const once = await payment('fed')
    const rows = [once, await payment('wrong', { amount: '-1' }), once]
    const fed = await client.ask('sendEvents', { params: { source: 'payments' }, body: rows })
    expect(fed).toMatchObject({ accepted: 1, duplicates: 1, refused: 1 })
    const label = { event_id: 'to-be-labelled', value: 'fraud' }
    const lines = [JSON.stringify(label), '{"event_id":', JSON.stringify(label)].join('\n')
    const labelled = await client.ask('sendEvents', {
      params: { source: 'fraud' },
      body: lines,
      headers: { 'content-type': 'application/x-ndjson' },
    })
    expect(labelled).toMatchObject({ accepted: 1, duplicates: 1, refused: 1 })
    await eventually('the label is there', async () => {
      const params = { policy: 'tiny', eventId: 'to-be-labelled' }
      const response = await client.send('decision', { params })
      return response.ok && ((await response.json()) as { label: string | null }).label === 'fraud'
    })
  })
})

/** Brings a table that can be learnt from, and returns the name that it is given. */
async function broughtFile(): Promise<string> {
  const rows = Array.from({ length: 40 }, (_, row) => `${row % 7},${row % 3},${row % 2}`)
  const response = await fetch(`${bank.server.url}/api/v1/learning/files?name=small.csv`, {
    method: 'POST',
    headers: { authorization: `Bearer ${bank.server.key}`, 'content-type': 'text/csv' },
    body: `a,b,left\n${rows.join('\n')}\n`,
  })
  return ((await response.json()) as { id: string }).id
}

describe('every operation of the contract', () => {
  test('that reads answers in the shape of its schema', async () => {
    await readModelHas('watched')
    const [{ items: decisions }, caseId, { items: runs }, { items: entries }, pipelines] =
      await Promise.all([
        client.ask('decisions'),
        firstCase(client),
        client.ask('runs'),
        client.ask('audit'),
        client.ask('pipelines'),
      ])
    const { policy, eventId } = decisions[0]
    const fileId = await broughtFile()
    const { id: learningId } = await client.ask('startLearning', {
      body: { file: fileId, target: 'left' },
    })
    const [first, second] = runs.map(({ id }: { id: string }) => id)
    const requests: Partial<Record<OperationName, readonly Request[]>> = {
      overview: [{}, { query: { last: '24h' } }, { query: { from: '2018-07-12T00:00:00Z' } }],
      search: [{ query: { q: 'amount' } }, { query: { q: eventId } }, { query: { q: 'tiny' } }],
      decisions: [
        { query: { outcome: 'review,decline', order: 'score', limit: 3 } },
        { query: { label: 'none', last: '7d', amountMin: '10.00', amountMax: '20.5' } },
        { query: { rule: 'watched-terminal', order: 'amount' } },
        { query: { customer: decisions[0].customer, order: 'oldest' } },
      ],
      decision: [
        { params: { policy, eventId } },
        { params: { policy: 'tiny', eventId: 'watched' } },
      ],
      endpoint: [{ params: { policy: 'tiny' } }],
      ...requestsOfDecisions(caseId, { policy, eventId }),
      dataset: [{ params: { dataset: 'payments' } }, { params: { dataset: 'fraud' } }],
      datasetVersions: [
        { params: { dataset: 'payments' } },
        { params: { dataset: 'fraud' }, query: { limit: 1 } },
      ],
      datasetDifference: [
        { params: { dataset: 'payments' }, query: { before: '1', after: 'latest' } },
        { params: { dataset: 'fraud' }, query: { before: '1', after: '1', profile: 'yes' } },
      ],
      quarantine: [{}, { query: { status: 'all', column: 'amount' } }, { query: { limit: 2 } }],
      feature: [
        { params: { set: 'behaviour', feature: 'AMOUNT' } },
        { params: { set: 'behaviour', feature: 'TERMINAL_RISK_7D' } },
      ],
      featurePresence: [{ params: { set: 'behaviour', feature: 'TERMINAL_RISK_7D' } }],
      ...requestsOfRuns(first, second),
      model: [{ params: { model: 'tiny-fraud' } }],
      version: [
        { params: { model: 'tiny-fraud', version: 1 } },
        { params: { model: 'tiny-fraud', version: 2 } },
      ],
      versionDifference: [
        { params: { model: 'tiny-fraud' }, query: { from: 1, to: 2 } },
        { params: { model: 'tiny-fraud' }, query: { from: 1, to: 1 } },
      ],
      champions: [
        { params: { model: 'tiny-fraud' } },
        { params: { model: 'tiny-fraud' }, query: { at: '2018-08-15T12:00:00Z' } },
      ],
      storage: [{}],
      monitoring: [{}, { query: { last: '6h' } }, { query: { last: 'all' } }],
      audit: [
        { query: { limit: 3 } },
        { query: { kind: 'identity' } },
        { query: { text: 'sign' } },
      ],
      auditEntry: [{ params: { index: entries[0].index } }, { params: { index: 0 } }],
      pipelines: [{}, { query: { pipeline: 'learn', limit: 1 } }],
      pipeline: [{ params: { pipelineRunId: pipelines.items[0].id } }],
      // This project declares no pipelines; test/system/pipelines.test.ts asks one that does.
      pipelineStep: [],
      pipelineStepLog: [],
      backfills: [{ params: { pipeline: 'none' } }],
      pipelinePartitions: [{ params: { pipeline: 'none' } }],
      pipelineProducts: [{ params: { pipeline: 'none' } }],
      lineage: [
        { query: { kind: 'version', id: 'tiny-fraud/1' } },
        { query: { kind: 'run', id: first, direction: 'up' } },
        { query: { kind: 'decision', id: `${policy}/${eventId}`, direction: 'up' } },
        { query: { kind: 'file', id: 'nothing' } },
      ],
      learningFile: [{ params: { fileId } }],
      learning: [{ params: { learningId } }],
      policyWork: [{ params: { policy } }],
      backtests: [{ params: { policy } }],
      // A list, a draft, a back-test and log streams have tests of their own; this project declares none.
      visitors: [],
      logTemplates: [],
      listEntries: [],
      draft: [],
      backtestResult: [],
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
      listEntries: { list: 'none' },
      case: { caseId: 'none' },
      dataset: { dataset: 'none' },
      datasetVersions: { dataset: 'none' },
      feature: { set: 'behaviour', feature: 'NONE' },
      run: { runId: 'none' },
      runMetrics: { runId: 'none' },
      runFiles: { runId: 'none' },
      deleteExperiment: { experimentId: 'none' },
      deleteView: { viewId: 'none' },
      model: { model: 'none' },
      version: { model: 'tiny-fraud', version: 99 },
      auditEntry: { index: 99_999 },
      pipeline: { pipelineRunId: 'none' },
      pipelineStep: { pipelineRunId: 'none', step: 'none' },
      learningFile: { fileId: 'none' },
      learning: { learningId: 'none' },
      visitors: { stream: 'none' },
      logTemplates: { stream: 'none' },
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
      ['decisions', { query: { from: '2018-02-03T00:00:00Z', to: '2018-02-02T00:00:00Z' } }],
      ['decisions', { query: { amountMin: 'ten' } }],
      ['decisions', { query: { outcome: 'perhaps' } }],
      ['quarantine', { query: { cursor: 'nonsense' } }],
      ['datasetDifference', { params: { dataset: 'payments' }, query: { before: '1' } }],
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

describe('features', () => {
  test('are filtered and sorted, and an export holds just those', async () => {
    const query = { entity: 'customer_id', sort: 'name', descending: 'yes' }
    const { items, total, choices } = await client.ask('features', { query })
    const names = items.map(({ name }: { name: string }) => name)
    expect(names).toEqual(['CUSTOMER_MEAN_7D', 'CUSTOMER_COUNT_7D', 'CUSTOMER_COUNT_1D'])
    expect(total).toBe(5)
    expect(choices.entity).toContainEqual({ value: 'customer_id', title: 'customer_id', count: 3 })
    const exported = await client.send('features', { query: { ...query, format: 'csv' } })
    const [, ...rows] = parseCsv(await exported.text())
    expect(rows.map(([name]) => name)).toEqual(names)
  })

  test('show the declaration as written, what it rests on and what rests on it', async () => {
    const params = { set: 'behaviour', feature: 'TERMINAL_RISK_7D' }
    const { written, lineage, owner, reason, freshness } = await client.ask('feature', { params })
    expect(written).toMatchObject({ file: 'project.ts' })
    expect(written.parts.at(-1).text).toContain(".as('TERMINAL_RISK_7D')")
    expect(lineage.sources.map((step: { target: { id: string } }) => step.target.id)).toEqual([
      'payments',
      'fraud',
    ])
    expect(lineage.models).toHaveLength(2)
    expect(lineage.policies).toMatchObject([{ target: { id: 'tiny' } }])
    expect(owner).not.toBe('')
    expect(reason.sentence).not.toContain('{')
    expect(freshness.newestEventAt).not.toBeNull()
  })

  test('give the present value of an entity with its events and their decisions', async () => {
    await readModelHas('watched')
    const params = { set: 'behaviour', feature: 'CUSTOMER_MEAN_7D' }
    const body = { values: { customer_id: 596 } }
    const explained = await client.ask('explainFeature', { params, body })
    const [window] = explained.windows
    expect(window.value).toBe(explained.value)
    const watched = window.events.find(({ id }: { id: string }) => id === 'watched')
    expect(watched).toMatchObject({ decision: { kind: 'decision', id: 'tiny/watched' } })
    const wrong = { values: { customer_id: 'none' } }
    expect(await client.refusal('explainFeature', { params, body: wrong })).toBe(
      '422 entity_invalid',
    )
    const early = { ...body, at: '2018-01-01T00:00:00Z' }
    expect(await client.refusal('explainFeature', { params, body: early })).toBe(
      '422 entity_invalid',
    )
  })
})

describe('lists', () => {
  test('are exported whole, as CSV and as Parquet, also where they are empty', async () => {
    const lists = routes.filter((route) => route.exports && route.params === undefined)
    expect(lists.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['decisions', 'cases', 'quarantine', 'runs', 'audit']),
    )
    for (const { name, query } of lists) {
      const { items, total = items.length } = await client.ask(name)
      const text = await (await client.send(name, { query: { format: 'csv' } })).text()
      const [names, ...rows] = parseCsv(text)
      expect(rows.length, name).toBeGreaterThanOrEqual(total)
      for (const row of rows) expect(row.length, name).toBe(names.length)
      const parquet = await parquetTable(await client.send(name, { query: { format: 'parquet' } }))
      expect(parquet.names, name).toEqual(names)
      expect(parquet.rows, name).toBeGreaterThanOrEqual(total)
      if (!('text' in query!.properties)) continue
      const none = { text: 'nothing says this' }
      const empty = await client.send(name, { query: { ...none, format: 'parquet' } })
      expect(await parquetTable(empty), name).toEqual({ names, rows: 0 })
      const emptyCsv = await client.send(name, { query: { ...none, format: 'csv' } })
      expect(parseCsv(await emptyCsv.text()), name).toEqual([names])
    }
  })

  test('are paged without gaps or repetitions', async () => {
    const whole = await client.ask('quarantine')
    expect(whole.total).toBe(6)
    const paged: unknown[] = []
    for (let cursor: string | null = '0'; cursor !== null;) {
      const page = await client.ask('quarantine', { query: { limit: 4, cursor } })
      expect(page.total).toBe(6)
      paged.push(...page.items)
      cursor = page.next
    }
    expect(paged).toEqual(whole.items)
    const narrowed = await client.ask('quarantine', { query: { column: 'amount', limit: 1 } })
    expect(narrowed).toMatchObject({ items: [{ column: 'amount' }], total: 2 })
    const filtered = await client.ask('audit', { query: { kind: 'identity', limit: 2 } })
    expect(filtered.total).toBeGreaterThan(2)
    expect(filtered.total).toBeLessThan((await client.ask('audit')).total)
  })
})

describe('quarantine', () => {
  test('says row, column, rule and value, and takes a mended row', async () => {
    const { items } = await client.ask('quarantine')
    const typo = items.find((row: { value: string }) => row.value === '1O2.50')
    expect(typo).toMatchObject({ dataset: 'payments', column: 'amount', status: 'open' })
    expect(typo.fields).toContainEqual({ name: 'TRANSACTION_ID', value: '900004' })
    const before = await client.ask('dataset', { params: { dataset: 'payments' } })
    const fields = Object.fromEntries(
      typo.fields.map(({ name, value }: { name: string; value: string }) => [name, value]),
    )
    const still = await client.ask('resubmit', {
      body: { rows: [{ id: typo.id, fields }], reason: 'Sent again as it was' },
    })
    expect(still).toMatchObject({ accepted: 0, refused: [{ id: typo.id, column: 'amount' }] })
    const mended = await client.ask('resubmit', {
      body: {
        rows: [{ id: typo.id, fields: { ...fields, TX_AMOUNT: '102.50' } }],
        reason: 'The letter O was meant as a zero',
      },
    })
    expect(mended).toMatchObject({ accepted: 1, refused: [] })
    const after = await client.ask('dataset', { params: { dataset: 'payments' } })
    expect(after.rows).toBe(before.rows + 1)
    expect(after.quarantined).toBe(5)
    expect(after.latest.hash).toBe(mended.snapshot)
    const resubmitted = await client.ask('quarantine', { query: { status: 'resubmitted' } })
    expect(resubmitted.items).toMatchObject([{ id: typo.id, status: 'resubmitted' }])
  })
})

describe('access', () => {
  accessCases(() => ({ server: bank.server, client, payment }))
})

describe('operating', () => {
  test('health and metrics are open to who watches, and tell no secrets', async () => {
    const nobody = createClient(bank.server.url, undefined)
    expect(await (await nobody.get('/health/live')).json()).toEqual({ status: 'live' })
    expect(await (await nobody.get('/health/ready')).json()).toMatchObject({ status: 'ready' })
    const metrics = await (await nobody.get('/metrics')).text()
    expect(metrics).toMatch(/^assay_decisions_total\{outcome="allow"\} [1-9]/m)
    expect(metrics).toMatch(/^assay_decision_duration_seconds_count [1-9]/m)
    expect(metrics).not.toMatch(/ak_|link_|session_/)
  })

  test('the page is served at every address, with a policy for scripts', async () => {
    const page = await client.get('/decisions/tiny/once', { accept: 'text/html' })
    if (page.status === 404) return // The page was not built in this checkout.
    expect(page.headers.get('content-type')).toMatch(/^text\/html/)
    expect(page.headers.get('content-security-policy')).toMatch(/default-src 'self'/)
    expect(page.headers.get('x-content-type-options')).toBe('nosniff')
  })

  test('the audit log verifies, in the server and from the command line', async () => {
    const verified = await client.ask('verifyAudit')
    expect(verified.verdict).toMatchObject({ status: 'ok' })
    const command = run(['audit', 'verify', '--home', bank.server.home])
    expect(command.code, command.err).toBe(0)
  })
})
