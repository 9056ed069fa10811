// Features over three sources, from files to live decisions: payments, customers (a table of whom
// rows replace one another) and logins.
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
const sides = featureSet('sides', payments, (tx) => [
  tx.other(logins, { by: { user_id: 'customer_id' } }).count().over('1d').as('LOGINS_1D'),
  tx.lookup(customers, { by: { customer_id: 'customer_id' } }).value('credit').as('CREDIT'),
])
const common = { features: [behaviour, sides], label: fraud }
`

const project = ownProject((text) =>
  text
    .replace(/^const common = .*$/m, declarations)
    .replace('sources: [payments]', 'sources: [payments, customers, logins]')
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
