// Features over several sources, from files to live decisions: payments, customers (a table of whom
// rows replace one another), logins, and dated snapshots of the graph that the payments make.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient, type Client } from './client.ts'
import { ownProject } from './own-project.ts'
import {
  allDone,
  eventually,
  run,
  startServer,
  temporaryDirectory,
  type TestServer,
} from './server.ts'

let server: TestServer
let client: Client

const declarations = `
const customers = source('customers', {
  columns: {
    row_id: id(),
    valid_from: eventTime(),
    customer_id: key('integer'),
    credit: money('EUR'),
  },
  late: '60d',
})
const logins = source('logins', {
  columns: { login_id: id(), at: eventTime(), user_id: key('integer') },
  late: '1d',
})
const visits = graphSnapshots('visits', {
  of: payments, from: 'customer_id', to: 'terminal_id', apart: true, window: '7d', every: '1d',
  vertices: ['degree', 'pageRank'], graph: ['giantShare', 'density'],
})
const sides = featureSet('sides', payments, (tx) => [
  tx.lookup(visits.vertices, { by: { terminal_id: 'terminal_id' } }).value('degree').as('VISITORS_7D'),
  tx.lookup(visits.vertices, { by: { customer_id: 'customer_id' } }).value('pageRank').as('RANK_7D'),
  tx.lookup(visits.graph).value('giantShare').as('GIANT_7D'),
  tx.graph({ from: 'customer_id', to: 'terminal_id', amount: 'amount', apart: true })
    .within('30d').from.amounts('out').sum().as('SPENT_30D'),
  tx.other(logins, { by: { user_id: 'customer_id' } }).count().over('1d').as('LOGINS_1D'),
  tx.lookup(customers, { by: { customer_id: 'customer_id' } }).value('credit').as('CREDIT'),
])
const common = { features: [behaviour, sides], label: fraud }
`

const project = ownProject((text) =>
  text
    .replace(/^const common = .*$/m, declarations)
    .replace('import {', 'import { graphSnapshots,')
    .replace('sources: [payments]', 'sources: [payments, customers, logins], graphs: [visits]')
    .replace('featureSets: [behaviour]', 'featureSets: [behaviour, sides]')
    .replace('      features: [behaviour],', '      features: [behaviour, sides],'),
)

const everyone = Array.from({ length: 200 }, (_, customer) => customer)
const customerRows = everyone.flatMap((customer) => [
  `${customer}-1,2018-05-01 00:00:00,${customer},100.00`,
  // In the days that are played as live traffic.
  `${customer}-2,2018-07-11 01:00:00,${customer},${customer}.00`,
])
const loginRows = everyone.flatMap((customer) =>
  Array.from({ length: 54 }, (_, day) => {
    const at = new Date(Date.UTC(2018, 5, 1 + day, customer % 24, customer % 60))
    return `${customer}-${day},${at.toISOString()},${customer}`
  }),
)

beforeAll(async () => {
  const home = temporaryDirectory('others')
  const files = temporaryDirectory('files')
  const into = ['--home', home, '--project', project]
  const give = (name: string, header: string, rows: readonly string[]) => {
    const file = join(files, `${name}.csv`)
    writeFileSync(file, `${header}\n${rows.join('\n')}\n`)
    const { code, err } = run(['ingest', file, '--source', name, ...into])
    expect(err).toBe('')
    expect(code).toBe(0)
  }
  give('customers', 'row_id,valid_from,customer_id,credit', customerRows)
  give('logins', 'login_id,at,user_id', loginRows)
  server = await startServer({ home, project })
  client = createClient(server.url, server.key)
  await server.printed(allDone)
}, 180_000)

afterAll(async () => {
  const code = await server?.stop()
  if (code !== 0) throw new Error(`The server ended with ${String(code)}.`)
})

const sides = { params: { set: 'sides' } }

async function feed(source: string, row: object) {
  const response = await fetch(`${server.url}/api/v1/events/${source}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${server.key}` },
    body: JSON.stringify(row),
  })
  expect(response.status).toBe(200)
  return await response.text()
}

async function now(customer: number) {
  const answer = await client.ask('liveFeatures', {
    ...sides,
    body: { rows: [{ customer_id: customer }] },
  })
  return Object.fromEntries(
    answer.columns.map((name: string, i: number) => [name, answer.rows[0][i]]),
  ) as Record<string, number | null>
}

describe('features over several sources', () => {
  test('are the same in history and live, of every value of the skew check and the audit', async () => {
    expect(server.out()).toMatch(/live equals history: 0 differences in [\d,]+ values/)
    await eventually('the customers of the second day are known', async () => {
      return (await now(150)).CREDIT === 150
    })
    const found = await client.ask('auditFeatures', { ...sides, body: {} })
    expect(found).toMatchObject({ holds: true, mismatches: 0, unplaced: 0 })
    expect(found.events).toBeGreaterThan(0)
  })

  test('know in history what held at the time', async () => {
    const rows = [
      { customer_id: 150, paid_at: '2018-04-30T00:00:00Z' },
      { customer_id: 150, paid_at: '2018-07-01T12:00:00Z' },
      { customer_id: 150, paid_at: '2018-07-11T12:00:00Z' },
    ]
    const answer = await client.ask('featureHistory', {
      ...sides,
      body: { rows },
      headers: { accept: 'application/json' },
    })
    const column = (name: string) => {
      const at = answer.columns.indexOf(name)
      return answer.rows.map((row: unknown[]) => row[at])
    }
    expect(column('CREDIT')).toEqual([null, 100, 150])
    expect(column('LOGINS_1D')).toEqual([0, 1, 1])
  })

  test('look snapshots of graphs up as of their dates, in history and live', async () => {
    const clockNow = async () => (await client.ask('session')).clock.now as string
    const names = ['VISITORS_7D', 'RANK_7D', 'GIANT_7D']
    const before = await clockNow()
    const live = await client.ask('liveFeatures', {
      ...sides,
      body: { rows: [{ customer_id: 150, terminal_id: 20 }] },
    })
    // The bank's clock goes on meanwhile, and may pass a date: the rows of each are on the tape.
    const times = ['2018-06-01T12:00:00Z', '2018-07-05T12:00:00Z', before, await clockNow()]
    const rows = times.map((paid_at) => ({ customer_id: 150, terminal_id: 20, paid_at }))
    const answer = await client.ask('featureHistory', {
      ...sides,
      body: { rows },
      headers: { accept: 'application/json' },
    })
    const [first, later, ...around] = answer.rows.map((row: unknown[]) =>
      names.map((name) => row[answer.columns.indexOf(name)]),
    )
    expect(first).toEqual([null, null, null])
    for (const value of later) expect(value).toBeGreaterThan(0)
    expect(around).toContainEqual(names.map((name) => live.rows[0][live.columns.indexOf(name)]))
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    expect(metrics).toMatch(
      /^assay_state_events\{namespace="live",source="visits-vertices"\} \d+$/m,
    )
    const { code, out } = run(['features', 'graphs', '--home', server.home, '--project', project])
    expect(out).toMatch(/^visits: \d\d dates(, up to date| worked out, [\d,]+ rows written)$/m)
    expect(code).toBe(0)
  })

  test('are counted by how they came about, by the bank’s clock', async () => {
    const of = (feature: string) =>
      client.ask('featurePresence', { params: { set: 'sides', feature } })
    const credit = await of('CREDIT')
    expect(credit.events).toBeGreaterThan(0)
    expect(credit.sentence).toContain('of payments by the bank’s clock')
    expect(credit.kinds.map(({ kind }: { kind: string }) => kind)).not.toContain('stale')
    const count = (kind: string): number =>
      credit.kinds.find((each: { kind: string }) => each.kind === kind).share.count
    expect(count('value') + count('zero') + count('missing') + count('absent')).toBe(credit.events)
    // Every customer has a row from before the first payment on.
    expect(count('absent')).toBe(0)
    const logins = await of('LOGINS_1D')
    expect(logins.kinds.map(({ kind }: { kind: string }) => kind)).toEqual([
      'value',
      'zero',
      'missing',
    ])
    expect(
      await client.refusal('featurePresence', { params: { set: 'sides', feature: 'NONE' } }),
    ).toBe('404 feature_not_found')
  })

  test('are explained by the events, rows and edges behind them, of whichever source', async () => {
    const explain = async (feature: string) => {
      const answer = await client.ask('explainFeature', {
        params: { set: 'sides', feature },
        body: { values: { customer_id: 150, terminal_id: 20 } },
      })
      expect(answer.windows).toHaveLength(1)
      return answer.windows[0]
    }
    const logins = await explain('LOGINS_1D')
    expect(logins.events).toHaveLength(logins.count)
    for (const event of logins.events) {
      expect(event).toMatchObject({ source: 'logins', decision: null, edge: null })
    }
    const credit = await explain('CREDIT')
    expect(credit.events).toMatchObject([{ source: 'customers', value: credit.value }])
    const spent = await explain('SPENT_30D')
    expect(spent.count).toBeGreaterThan(0)
    const sum = spent.events.reduce(
      (total: number, { value }: { value: number }) => total + value,
      0,
    )
    if (spent.count <= 100) expect(sum).toBeCloseTo(spent.value, 6)
    for (const { source, edge } of spent.events) {
      expect(source).toBe('payments')
      expect(edge).toEqual({ from: '150', to: expect.stringMatching(/^\d+$/) })
    }
  })

  test('are what a file is scored with', () => {
    const file = join(temporaryDirectory('scored'), 'payments.csv')
    writeFileSync(
      file,
      'TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT\n' +
        'new,2018-07-12 12:00:00,150,20,25.00\n',
    )
    const { code, out, err } = run(['score', file, '--home', server.home, '--project', project])
    expect(err).toMatch(/1 row scored by tiny-fraud version/)
    expect(out).toMatch(
      /^TRANSACTION_ID,score,outcome,reasons\nnew,0\.\d+,(allow|review|decline),.*\n$/,
    )
    expect(code).toBe(0)
  })

  test('take what comes in at the door, and keep it when decide is killed', async () => {
    // A command was waited for, and connections that the server closed meanwhile are let go of.
    await new Promise((resolve) => setTimeout(resolve, 50))
    const { clock } = await client.ask('session')
    const row = { row_id: 'x', valid_from: clock.now, customer_id: 7, credit: '1234.00' }
    expect(await feed('customers', row)).toContain('"accepted"')
    expect(await feed('customers', row)).toContain('"duplicate"')
    const old = { login_id: 'x', at: '2018-06-01T00:00:00Z', user_id: 7 }
    expect(await feed('logins', old)).toContain('"event_too_late"')
    expect((await now(7)).CREDIT).toBe(1234)
    // The bank's clock goes on meanwhile: the row was taken in at some time before this one.
    const after = (await client.ask('session')).clock.now as string
    const later = new Date(Date.parse(after) + 60_000).toISOString()
    const answer = await client.ask('featureHistory', {
      ...sides,
      body: { rows: [{ customer_id: 7, paid_at: later }] },
      headers: { accept: 'application/json' },
    })
    expect(answer.rows[0][answer.columns.indexOf('CREDIT')]).toBe(1234)
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    expect(metrics).toMatch(/^assay_state_events\{namespace="live",source="customers"\} \d+$/m)
    process.kill(server.roleProcess('decide')!, 'SIGKILL')
    await eventually('decide is back', async () => {
      return (await now(7).catch(() => ({ CREDIT: 0 }))).CREDIT === 1234
    })
    const { code, out } = run(['features', 'audit', '--home', server.home])
    expect(out).toMatch(/every value is the same/)
    expect(code).toBe(0)
  })
})
