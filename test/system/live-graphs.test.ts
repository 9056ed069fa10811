// A bank whose clock is the wall's works its graphs out when their dates come, and live features see
// them: here the date that had passed when it started.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { HOUR_US, formatTimestamp } from '../../src/lib/time.ts'
import { createClient, type Client } from './client.ts'
import { ownProject } from './own-project.ts'
import { eventually, run, startServer, temporaryDirectory, type TestServer } from './server.ts'

const declarations = `
const transfers = source('transfers', {
  columns: { id: id(), at: eventTime(), sender: key('integer'), receiver: key('integer') },
})
const network = graphSnapshots('network', {
  of: transfers, from: 'sender', to: 'receiver', window: '2d', every: '1h',
  vertices: ['degree'], graph: ['edges'],
})
const sides = featureSet('sides', payments, (tx) => {
  const customer = tx.lookup(network.vertices, { by: { vertex: 'customer_id' } })
  return [
    customer.value('degree').as('DEGREE'),
    customer.age().as('AGE'),
    tx.lookup(network.graph).value('edges').as('EDGES'),
  ]
})
const common = { features: [behaviour, sides], label: fraud }
`
const project = ownProject((text) =>
  text
    .replace('import {', 'import { graphSnapshots,')
    .replace(/^const common = .*$/m, declarations)
    .replace('sources: [payments]', 'sources: [payments, transfers], graphs: [network]')
    .replace('featureSets: [behaviour]', 'featureSets: [behaviour, sides]')
    .replace('      features: [behaviour],', '      features: [behaviour, sides],')
    .replace(/^ {2}replay: .*$/m, ''),
)

let server: TestServer
let client: Client

const hoursAgo = (hours: number) => formatTimestamp(systemClock.nowUs() - hours * HOUR_US)

beforeAll(async () => {
  const home = temporaryDirectory('live-graphs')
  const file = join(temporaryDirectory('files'), 'transfers.csv')
  // What happened in the hours before the start is known; nobody worked at the dates since.
  const rows = [`a,${hoursAgo(9)},1,2`, `b,${hoursAgo(8)},3,1`]
  writeFileSync(file, `id,at,sender,receiver\n${rows.join('\n')}\n`)
  const into = ['--source', 'transfers', '--home', home, '--project', project]
  const { code, err } = run(['ingest', file, ...into])
  if (code !== 0) throw new Error(err)
  server = await startServer({ home, project })
  client = createClient(server.url, server.key)
}, 180_000)

afterAll(async () => {
  const code = await server?.stop()
  if (code !== 0) throw new Error(`The server ended with ${String(code)}.`)
})

async function valuesOf(customer: number): Promise<Record<string, number | null>> {
  const answer = await client.ask('liveFeatures', {
    params: { set: 'sides' },
    body: { rows: [{ customer_id: customer }] },
  })
  return Object.fromEntries(
    answer.columns.map((name: string, at: number) => [name, answer.rows[0][at]]),
  )
}

test('the snapshot of the last date is there without anybody asking for it', async () => {
  await eventually('the last date is looked up', async () => {
    const known = await valuesOf(1).catch(() => ({ DEGREE: null, AGE: null, EDGES: null }))
    // History ends with the first date after the first transfer.
    return known.DEGREE === 2 && known.EDGES === 2 && known.AGE! < 3600
  })
  expect(await valuesOf(3)).toMatchObject({ DEGREE: 1, EDGES: 2 })
  expect(await valuesOf(4)).toMatchObject({ DEGREE: null, AGE: null, EDGES: 2 })
  const explained = await client.ask('explainFeature', {
    params: { set: 'sides', feature: 'DEGREE' },
    body: { values: { customer_id: 1 } },
  })
  expect(explained.windows).toMatchObject([
    { count: 1, events: [{ source: 'network-vertices', value: 2, decision: null, edge: null }] },
  ])
})

test('what came in is fed through the ordinary door, and audited like all that was', async () => {
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  expect(metrics).toMatch(
    /^assay_state_events\{namespace="live",source="network-vertices"\} [1-9]\d*$/m,
  )
  const history = await client.ask('featureHistory', {
    params: { set: 'sides' },
    body: { rows: [{ customer_id: 1, paid_at: hoursAgo(-0.1) }] },
    headers: { accept: 'application/json' },
  })
  expect(history.rows[0][history.columns.indexOf('DEGREE')]).toBe(2)
})
