import { expect, test } from 'vitest'
import type { Frame } from '../src/data/index.ts'
import { history } from '../src/features/index.ts'
import { createRandom } from '../src/lib/random.ts'
import { HOUR_US, parseTimestamp, SECOND_US } from '../src/lib/time.ts'
import { answerSql, compareAnswer, dialects, withEvents } from './features-duckdb.ts'
import { transfersOf } from './features-graph.ts'
import { Latencies } from './features-measure.ts'
import { allFigures, handbookSource, windowFeatures, type Stream } from './features-stream.ts'
import { run } from './features.ts'

test('the live measurement declares 84 features with names of their own', () => {
  const names = windowFeatures(allFigures).features.map(({ name }) => name)
  expect(new Set(names).size).toBe(84)
  expect(names).toContain('TERMINAL_DISTINCT_30D')
})

test('both ways to write the peer’s SQL give the operator’s values, ties in time included', async () => {
  const stream = smallStream(3000)
  const { source, frame } = stream
  const matrix = history({ sets: [windowFeatures(['count', 'sum', 'std'])], source, frame })
  await withEvents(stream, 1, async (connection) => {
    for (const dialect of dialects) {
      await connection.run(answerSql(dialect))
      const found = await compareAnswer(connection, matrix)
      expect(found).toEqual({ compared: 3000 * 42, mismatches: 0 })
      const [column] = matrix.columns
      column[1234]++
      expect((await compareAnswer(connection, matrix)).mismatches).toBe(1)
      column[1234]--
    }
  })
})

test('a quantile of latencies is a latency that a call had', () => {
  const latencies = new Latencies(10)
  for (const us of [5, 1, 4, 2, 3]) latencies.add(us)
  expect(latencies.quantiles(0, 0.5, 0.8, 0.99, 1)).toEqual([1, 3, 4, 5, 5])
})

test('transfers come in order of time, the same for every run', () => {
  const { from, to, timesUs } = transfersOf(2000)
  expect(timesUs).toEqual(timesUs.toSorted())
  expect(Math.min(...from, ...to)).toBeGreaterThan(0)
  expect(transfersOf(2000).to).toEqual(to)
})

test('a part that there is not is answered with those that there are', async () => {
  const said: string[] = []
  expect(await run({ only: 'live,nothing' }, (line) => said.push(line))).toEqual({})
  expect(said.join()).toContain('nothing; there are live, ')
})

/** Payments of few customers at few terminals, several of them in one second now and then. */
function smallStream(rows: number): Stream {
  const random = createRandom('small stream')
  const draw = (n: number) => Float64Array.from({ length: rows }, () => random.int(n))
  const steps = Float64Array.from({ length: rows }, () => random.int(3) * random.int(4000))
  let timeUs = parseTimestamp('2018-04-01T00:00:00Z')!
  const frame: Frame = {
    rows,
    columns: {
      transaction_id: Float64Array.from({ length: rows }, (_, row) => row),
      datetime: steps.map((step) => (timeUs += step * SECOND_US)),
      customer_id: draw(7),
      terminal_id: draw(11),
      amount: draw(50_000),
    },
  }
  const arrivals = frame.columns['datetime'] as Float64Array
  const none = {
    labels: 'fraud',
    eventIds: frame.columns['transaction_id'],
    values: new Float64Array(rows),
    arrivalsUs: arrivals.map((time) => time + HOUR_US),
  }
  return { source: handbookSource, frame, labelsFrame: { rows: 0, columns: {} }, labels: none }
}
