// A server that keeps online values up: what it decides on is in a real Redis a moment later, and
// nothing stops when that server does.
import { expect, onTestFinished, test } from 'vitest'
import { openRedisOnlineValues } from '../../src/adapters/redis/index.ts'
import { startTestServer } from '../../src/adapters/redis/server.cases.ts'
import { formatTimestamp } from '../../src/lib/time.ts'
import { needs, toolPath } from '../tools.ts'
import { createClient } from './client.ts'
import { allDone, endsWithTest, eventually, startServer, temporaryDirectory } from './server.ts'

test.skipIf(!needs('redis'))(
  'a server with --online keeps the values of decided entities up, and decides without the store',
  async () => {
    const redis = await startTestServer(toolPath('redis'))
    onTestFinished(() => redis.end())
    const args = ['--no-replay', '--online', redis.url]
    const server = endsWithTest(await startServer({ home: temporaryDirectory('online'), args }))
    await server.printed(allDone)
    const client = createClient(server.url, server.key)
    const decide = async (id: string) => {
      const { clock } = await client.ask('session')
      const body = {
        payment_id: id,
        paid_at: clock.now,
        customer_id: 17,
        terminal_id: 2,
        amount: '12.30',
      }
      const answer = await client.send('decide', { params: { policy: 'tiny' }, body })
      expect(answer.status, await answer.text()).toBe(200)
    }
    const names = ['CUSTOMER_COUNT_7D', 'CUSTOMER_MEAN_7D']
    /** What another program finds, over a connection of its own. */
    const customer = async () => {
      const store = await openRedisOnlineValues({ url: redis.url })
      try {
        const set = (await store.sets('live')).find(({ entity }) => entity[0] === 'customer_id')
        if (set === undefined) return undefined
        const [reading] = await store.read(set, { keys: [[17]], features: names })
        return reading.found === 'absent' ? undefined : reading
      } finally {
        await store.close()
      }
    }
    const counted = (count: number) =>
      eventually(`${count} payments are counted`, async () => {
        const reading = await customer()
        return reading?.values[0] === count && reading
      })

    /** What live state says itself. */
    const live = async (at: string) => {
      const body = { rows: [{ customer_id: 17 }], at, namespace: 'live' }
      const { rows } = await client.ask('liveFeatures', { params: { set: 'behaviour' }, body })
      return rows[0].slice(2, 4) as number[]
    }

    const { clock } = await client.ask('session')
    const [past] = await live(clock.now)
    await decide('online-1')
    await decide('online-2')
    const known = await counted(past + 2)
    expect(await live(formatTimestamp(known.asOfUs))).toEqual(known.values)
    expect(await (await client.get('/metrics')).text()).toMatch(
      /^assay_online_written_total\{namespace="live"\} [1-9]/m,
    )

    await redis.kill()
    await decide('online-3')
    await server.printed(/Online values cannot be written; decisions go on without them/)
    await decide('online-4')
    await redis.start()
    await counted(past + 4)
  },
  180_000,
)
