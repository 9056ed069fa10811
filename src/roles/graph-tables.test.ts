import { expect, test } from 'vitest'
import { compileSource, eventTime, id, key, source, type Frame } from '../data/index.ts'
import { decisionErrors, type RowAnswer } from '../decisions/index.ts'
import {
  compileFeatureSet,
  compileGraphSnapshots,
  featureSet,
  graphSnapshots,
} from '../features/index.ts'
import { DAY_US, HOUR_US, parseTimestamp } from '../lib/time.ts'
import { keepGraphsLive, type LiveGraphsPorts } from './graph-tables.ts'

const transfers = source('transfers', {
  columns: { id: id(), at: eventTime(), sender: key('integer'), receiver: key('integer') },
})
const network = graphSnapshots('network', {
  of: transfers,
  from: 'sender',
  to: 'receiver',
  window: '1d',
  every: '1d',
  vertices: ['degree'],
  graph: ['edges'],
})
const { snapshots, tables } = compileGraphSnapshots(network)
const set = compileFeatureSet(
  featureSet('looked', transfers, (tx) => [
    tx
      .lookup(network.vertices, { by: { vertex: 'sender' } })
      .value('degree')
      .as('DEGREE'),
    tx.lookup(network.graph).value('edges').as('EDGES'),
  ]),
)
const project = {
  sources: [compileSource(transfers), ...tables],
  graphs: [snapshots],
  featureSets: [set],
}
const startUs = parseTimestamp('2026-01-01T00:00:00Z')!

function frameOf(of: (typeof tables)[number], rows: readonly (readonly number[])[]): Frame {
  const columns = of.columns.map(({ name, kind }, at) => {
    if (kind === 'id') return [name, rows.map((_, row) => `${row}`)] as const
    return [name, Float64Array.from(rows, (row) => row[at] ?? NaN)] as const
  })
  return { rows: rows.length, columns: Object.fromEntries(columns) }
}

/** A bank whose clock moves an hour with each look, until the end. */
function bank(ends: number, failing = 0) {
  const events = frameOf(project.sources[0], [
    [0, startUs + HOUR_US, 1, 2],
    [1, startUs + 30 * HOUR_US, 2, 3],
  ])
  const fed: unknown[] = []
  const problems: unknown[] = []
  let hour = 0
  let refused = failing
  let end = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const ports: LiveGraphsPorts = {
    read: async (of) => {
      // What was fed is what the journal knows.
      const dates = fed.flatMap((row) => {
        const { source: to, as_of: date } = row as { source: string; as_of: string }
        return to === of.name ? [[0, parseTimestamp(date)!]] : []
      })
      const frame = of.name === 'transfers' ? events : frameOf(of, dates)
      return { events: { source: of, frame }, parts: [], version: '' }
    },
    decide: {
      ingest: async ({ source: to, rows }) => {
        if (refused-- > 0) throw new Error('peer_unavailable')
        fed.push(...rows.map((row) => ({ source: to, ...(row as object) })))
        return rows.map((): RowAnswer => ({
          status: 'accepted',
          eventId: 'x',
          sequence: 1,
          late: false,
        }))
      },
    },
    nowUs: () => startUs + hour * HOUR_US,
    sleep: async () => {
      hour++
      if (hour > ends) end()
      await new Promise((resolve) => setImmediate(resolve))
    },
    onProblem: (_, problem) => problems.push(problem),
  }
  return { ports, fed, problems, ended }
}

const row = (of: string, day: number, rest: object) => ({
  source: of,
  as_of: `2026-01-0${day}T00:00:00Z`,
  row_id: expect.stringContaining(`2026-01-0${day}`),
  ...rest,
})

test('a running bank is fed the rows of each date once, when the date comes', async () => {
  const { ports, fed, problems, ended } = bank(60)
  const running = keepGraphsLive(project, ports)
  await ended
  await running.stop()
  expect(problems).toEqual([])
  expect(fed).toEqual([
    row('network-graph', 1, { edges: 0 }),
    row('network-vertices', 2, { vertex: 1, degree: 1 }),
    row('network-vertices', 2, { vertex: 2, degree: 1 }),
    row('network-graph', 2, { edges: 1 }),
    row('network-vertices', 3, { vertex: 2, degree: 1 }),
    row('network-vertices', 3, { vertex: 3, degree: 1 }),
    row('network-vertices', 3, { vertex: 1 }),
    row('network-graph', 3, { edges: 1 }),
  ])
})

test('what could not be fed is fed at the next look', async () => {
  const { ports, fed, problems, ended } = bank(3, 2)
  const running = keepGraphsLive(project, ports)
  await ended
  await running.stop()
  expect(problems).toHaveLength(2)
  expect(fed).toEqual([row('network-graph', 1, { edges: 0 })])
})

test('nothing is worked out while live state knows no table of the graph', async () => {
  const { ports, fed, problems, ended } = bank(3)
  let reads = 0
  const running = keepGraphsLive(project, {
    ...ports,
    read: (of) => {
      reads++
      return ports.read(of)
    },
    decide: {
      ingest: async ({ source: to }) => {
        throw decisionErrors.source_not_found(`"${to}" is not declared here.`)
      },
    },
  })
  await ended
  await running.stop()
  expect([reads, fed, problems]).toEqual([0, [], []])
})

test('who left while nobody worked is told of at the next date', async () => {
  const { ports, fed, ended } = bank(24)
  const running = keepGraphsLive(project, ports)
  await ended
  await running.stop()
  const later = { ...ports, nowUs: () => startUs + 5 * DAY_US, ...once() }
  const again = keepGraphsLive(project, later)
  await later.ended
  await again.stop()
  expect(fed.slice(-3)).toEqual([
    row('network-vertices', 6, { vertex: 1 }),
    row('network-vertices', 6, { vertex: 2 }),
    row('network-graph', 6, { edges: 0 }),
  ])
})

/** Ends at the second look. */
function once() {
  let end = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const sleep = async () => {
    end()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { sleep, ended }
}
