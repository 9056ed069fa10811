// Features over HTTP and on the command line: history of entities, present values, and the audit of
// what was recorded.
import { describe, expect, onTestFinished, test } from 'vitest'
import { runningBank } from './bank.ts'
import { openRedisOnlineValues } from '../../src/adapters/redis/index.ts'
import { startTestServer } from '../../src/adapters/redis/server.cases.ts'
import { monotonicUs } from '../../src/lib/clock.ts'
import { formatTimestamp } from '../../src/lib/time.ts'
import { needs, toolPath } from '../tools.ts'
import { refusalOf } from './client.ts'
import { parquetTable } from './parquet.ts'
import { eventually, run } from './server.ts'

const bank = runningBank('features')
const client = bank.admin

const features = [
  'AMOUNT',
  'CUSTOMER_COUNT_1D',
  'CUSTOMER_COUNT_7D',
  'CUSTOMER_MEAN_7D',
  'TERMINAL_RISK_7D',
]
const behaviour = { params: { set: 'behaviour' } }
const rows = [
  { customer_id: 17, terminal_id: 20, paid_at: '2018-07-01T12:00:00Z', amount: '12.50' },
  { customer_id: 17, paid_at: '2018-06-20T00:00:00Z' },
  { customer_id: 999_999, terminal_id: 20, paid_at: '2018-07-01T12:00:00Z' },
]
const asJson = { accept: 'application/json' }

describe('the history of entities', () => {
  test('has a row of features for each entity and time, in the order of the request', async () => {
    const answer = await client.ask('featureHistory', {
      ...behaviour,
      body: { rows },
      headers: asJson,
    })
    // The request's amount is the feature AMOUNT, which stands for it.
    expect(answer.columns).toEqual(['paid_at', 'customer_id', 'terminal_id', ...features])
    expect(answer).toMatchObject({ set: 'behaviour', order: 'as-decided' })
    expect(answer.facts.events).toBeGreaterThan(1000)
    expect(answer.facts.assumed).toBe(answer.facts.events)
    expect(answer.snapshots).not.toEqual([])
    expect(answer.engines).toMatchObject([{ engine: 'replay', features: features.length }])
    const [here, bare, nobody] = answer.rows
    expect(here.slice(0, 4)).toEqual(['2018-07-01T12:00:00Z', 17, 20, 12.5])
    expect(here[6]).toBeGreaterThan(0)
    // Without a terminal and an amount what follows from them is missing; nobody has counts of zero.
    expect([bare[2], bare[3], bare[7]]).toEqual([null, null, null])
    expect(nobody.slice(4, 7)).toEqual([0, 0, null])
  })

  test('comes as Parquet unless JSON is asked for, and takes CSV and Parquet as well', async () => {
    const file = await client.send('featureHistory', { ...behaviour, body: { rows } })
    expect(file.headers.get('content-type')).toBe('application/vnd.apache.parquet')
    expect(file.headers.get('assay-order')).toBe('as-decided')
    expect(file.headers.get('assay-engines')).toBe(`replay=${features.length}`)
    expect(file.headers.get('assay-engines-why')).toMatch(/^Rows as of given times are read from/)
    const bytes = Buffer.from(await file.clone().arrayBuffer())
    expect(await parquetTable(file)).toEqual({
      names: ['paid_at', 'customer_id', 'terminal_id', ...features],
      rows: 3,
    })
    const csv = `CUSTOMER_ID,TERMINAL_ID,TX_DATETIME,TX_AMOUNT
17,20,2018-07-01 12:00:00,12.50
17,,2018-06-20 00:00:00,
999999,20,2018-07-01 12:00:00,
`
    const post = async (type: string, body: string | Uint8Array) => {
      const response = await fetch(`${bank.server.url}/api/v1/features/behaviour/history`, {
        method: 'POST',
        headers: { 'content-type': type, authorization: `Bearer ${bank.server.key}`, ...asJson },
        body: body as string,
      })
      expect(response.status).toBe(200)
      return ((await response.json()) as { rows: unknown }).rows
    }
    const fromJson = await client.ask('featureHistory', {
      ...behaviour,
      body: { rows },
      headers: asJson,
    })
    expect(await post('text/csv', csv)).toEqual(fromJson.rows)
    // A table with features cannot be asked about: its columns are not the source's.
    const again = await fetch(`${bank.server.url}/api/v1/features/behaviour/history`, {
      method: 'POST',
      headers: {
        'content-type': 'application/octet-stream',
        authorization: `Bearer ${bank.server.key}`,
      },
      body: bytes,
    })
    expect(await refusalOf(again)).toBe('422 header_mismatch')
  })

  test('of named events is as they had it, with the label that they have in the end', async () => {
    const named = [{ payment_id: '42' }, { payment_id: '43' }]
    const answer = await client.ask('featureHistory', {
      ...behaviour,
      body: { rows: named },
      query: { order: 'as-corrected' },
      headers: asJson,
    })
    expect(answer.columns).toEqual(['payment_id', ...features, 'fraud'])
    expect(answer.order).toBe('as-corrected')
    for (const row of answer.rows) {
      expect(row[1]).toBeGreaterThan(0)
      expect(row[2]).toBeGreaterThanOrEqual(1)
      expect([0, 1]).toContain(row[6])
    }
  })

  test('goes on with what was decided live, from the moment at which it came', async () => {
    const { clock } = await client.ask('session')
    const payment = {
      payment_id: 'live-1',
      paid_at: clock.now,
      customer_id: 123_456,
      terminal_id: 20,
      amount: '7.00',
    }
    const decided = await client.send('decide', { params: { policy: 'tiny' }, body: payment })
    expect(decided.status).toBe(200)
    const day = (days: number) =>
      new Date(Date.parse(clock.now as string) + days * 86_400_000).toISOString()
    const asked = [{ payment_id: 'live-1' }, { customer_id: 123_456, paid_at: day(1.5) }]
    const answer = await client.ask('featureHistory', {
      ...behaviour,
      body: { rows: asked },
      headers: asJson,
    })
    const count = answer.columns.indexOf('CUSTOMER_COUNT_7D')
    expect(answer.rows.map((row: unknown[]) => row[count])).toEqual([1, 1])
    expect(answer.facts.assumed).toBeLessThan(answer.facts.events)
  })

  test('is worked out while decisions are answered', async ({ annotate }) => {
    const { clock } = await client.ask('session')
    const many = Array.from({ length: 1000 }, (_, i) => ({ ...rows[i % 2], customer_id: i % 200 }))
    let running = true
    const history = (async () => {
      for (let asked = 0; asked < 5; asked++) {
        const answer = await client.send('featureHistory', { ...behaviour, body: { rows: many } })
        expect(answer.status).toBe(200)
        await answer.arrayBuffer()
      }
    })().finally(() => (running = false))
    const tookMs: number[] = []
    for (let n = 0; running; n++) {
      const fromUs = monotonicUs()
      const payment = { customer_id: n, terminal_id: 20, amount: '7.00', paid_at: clock.now }
      const body = { ...payment, payment_id: `meanwhile-${n}` }
      const decided = await client.send('decide', { params: { policy: 'tiny' }, body })
      expect(decided.status).toBe(200)
      await decided.arrayBuffer()
      tookMs.push((monotonicUs() - fromUs) / 1000)
    }
    await history
    tookMs.sort((a, b) => a - b)
    expect(tookMs.length).toBeGreaterThan(20)
    const p99Ms = tookMs[Math.floor(0.99 * (tookMs.length - 1))]
    await annotate(`p99 of ${tookMs.length} decisions meanwhile: ${p99Ms.toFixed(1)} ms`)
    expect(p99Ms).toBeLessThan(1000)
  })

  test.each([
    ['an unknown set', 'none', rows, '404 feature_set_unknown'],
    ['an unknown column', 'behaviour', [{ client: 1 }], '422 entity_rows_invalid'],
    ['no time', 'behaviour', [{ customer_id: 1 }], '422 training_row_timeless'],
    ['a time that is none', 'behaviour', [{ paid_at: 'soon' }], '422 entity_rows_invalid'],
    ['an unknown event', 'behaviour', [{ payment_id: 'x' }], '422 training_event_unknown'],
  ])('with %s is refused', async (_, set, body, refusal) => {
    const request = { params: { set }, body: { rows: body } }
    expect(await client.refusal('featureHistory', request)).toBe(refusal)
  })
})

describe('present values', () => {
  test('are those of the live state, as of its clock', async () => {
    const answer = await client.ask('liveFeatures', {
      ...behaviour,
      body: { rows: [{ customer_id: 17, terminal_id: 20 }, { customer_id: 17 }] },
    })
    expect(answer.columns).toEqual(features)
    expect(answer.version).toBe(answer.declared)
    expect(answer.rows[0].slice(0, 4)).toEqual(answer.rows[1].slice(0, 4))
    expect(answer.rows[1][4]).toBeNull()
    expect(answer.newestEvent).not.toBeNull()
  })

  test('of another namespace, set or column are refused', async () => {
    const ask = (body: object, set = 'behaviour') =>
      client.refusal('liveFeatures', { params: { set }, body })
    const one = { rows: [{ customer_id: 1 }] }
    expect(await ask({ ...one, namespace: '../live' })).toBe('404 namespace_not_found')
    expect(await ask(one, 'none')).toBe('404 feature_set_not_live')
    expect(await ask({ rows: [{ client: 1 }] })).toBe('422 entity_invalid')
    expect(await ask({ ...one, at: 'now' })).toBe('422 request_invalid')
  })
})

describe('the audit of recorded features', () => {
  test('finds every live vector again, bit for bit, over HTTP and on the command line', async () => {
    await eventually('something was decided', async () => {
      const { items } = await client.ask('decisions')
      return items.length > 3
    })
    const found = await client.ask('auditFeatures', { ...behaviour, body: {} })
    expect(found).toMatchObject({ holds: true, mismatches: 0, unplaced: 0, shown: [] })
    expect(found.compared).toBe(found.events * features.length)
    expect(found.events).toBeGreaterThan(3)
    expect(found.sentence).toMatch(/^0 differences in [\d,]+ values of [\d,]+ events\.$/)
    const { code, out, err } = run(['features', 'audit', '--home', bank.server.home])
    expect(err).toBe('')
    expect(out).toMatch(/every value is the same/)
    expect(code).toBe(0)
  })

  test('of a period without events says so', async () => {
    const body = { from: '2001-01-01T00:00:00Z', to: '2001-01-02T00:00:00Z' }
    const found = await client.ask('auditFeatures', { ...behaviour, body })
    expect(found).toMatchObject({ events: 0, sentence: 'Nothing was recorded in that period.' })
  })
})

describe('materialize', () => {
  test.skipIf(!needs('redis'))(
    'writes what the live state knows of every entity to a store that others read',
    async () => {
      const redis = await startTestServer(toolPath('redis'))
      onTestFinished(() => redis.end())
      const to = ['--set', 'behaviour', '--to', redis.url]
      const { code, out, err } = run(['features', 'materialize', '--home', bank.server.home, ...to])
      expect(err).toBe('')
      expect(code).toBe(0)
      expect(out).toMatch(/^customer_id: 3 features of [\d,]+ entities written$/m)
      expect(out).toMatch(/^terminal_id: 1 feature of [\d,]+ entities written$/m)
      const store = await openRedisOnlineValues({ url: redis.url })
      onTestFinished(() => store.close())
      const set = (await store.sets('live')).find(({ entity }) => entity[0] === 'customer_id')!
      const names = ['CUSTOMER_COUNT_7D', 'CUSTOMER_MEAN_7D']
      const [known, unknown] = await store.read(set, { keys: [[17], [999_999]], features: names })
      expect(unknown).toEqual({ found: 'absent' })
      if (known.found === 'absent') throw new Error('Customer 17 is absent.')
      // As of the same time the live state says the same.
      const live = await client.ask('liveFeatures', {
        ...behaviour,
        body: { rows: [{ customer_id: 17 }], at: formatTimestamp(known.asOfUs), namespace: 'live' },
      })
      expect(live.rows[0].slice(2, 4)).toEqual(known.values)
    },
  )

  test('names what is wrong with an address or a set', () => {
    const materialize = (set: string, to: string) =>
      run(['features', 'materialize', '--home', bank.server.home, '--set', set, '--to', to])
    const wrong = materialize('behaviour', 'localhost')
    expect(wrong.code).toBe(2)
    expect(wrong.err).toContain('--to localhost is no address such as redis://')
    expect(materialize('none', 'redis://127.0.0.1:1').err).toContain('it computes behaviour')
  })
})
