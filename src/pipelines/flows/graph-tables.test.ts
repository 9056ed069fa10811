import { expect, test } from 'vitest'
import { systemActor } from '../../access/index.ts'
import {
  arrivalTime,
  createMemoryCatalog,
  createMemoryQuarantine,
  createMemorySnapshots,
  eventTime,
  id,
  ingestRecords,
  key,
  readDataset,
  source,
  type IngestPorts,
} from '../../data/index.ts'
import { compileGraphSnapshots, graphSnapshots } from '../../features/index.ts'
import { compileSource } from '../../data/index.ts'
import { manualClock } from '../../lib/clock.ts'
import { systemIds } from '../../lib/ids.ts'
import { formatTimestamp } from '../../lib/time.ts'
import { writeGraphTables } from './graph-tables.ts'
import { otherSnapshots } from './other-sources.ts'

const transfers = source('transfers', {
  columns: {
    id: id(),
    at: eventTime(),
    came_at: arrivalTime({ nullable: true }),
    sender: key('text'),
    receiver: key('text', { nullable: true }),
  },
})
const declared = {
  of: transfers,
  from: 'sender',
  to: 'receiver',
  window: '2d',
  every: '1d',
} as const
const network = graphSnapshots('network', {
  ...declared,
  vertices: ['degree', 'clustering'],
  graph: ['edges', 'density', 'assortativity'],
})

function projectOf(...graphs: (typeof network)[]) {
  const compiled = graphs.map((each) => compileGraphSnapshots(each))
  return {
    sources: [compileSource(transfers), ...compiled.flatMap(({ tables }) => tables)],
    graphs: compiled.map(({ snapshots }) => snapshots),
    featureSets: [],
  }
}

const by = { actor: systemActor, reason: 'test' }

/** Three transfers: the second came a day late, the third has no receiver and so is no edge. */
const rows = [
  ['a', '2026-01-01T10:00:00Z', null, 'ann', 'ben'],
  ['b', '2026-01-01T11:00:00Z', '2026-01-02T12:00:00Z', 'ann', 'cleo'],
  ['c', '2026-01-03T09:00:00Z', null, 'dora', null],
].map(([name, at, came_at, sender, receiver]) => ({ id: name, at, came_at, sender, receiver }))

async function bank(records: readonly unknown[] = rows) {
  const ports: IngestPorts = {
    snapshots: createMemorySnapshots(),
    catalog: createMemoryCatalog(),
    quarantine: createMemoryQuarantine(),
    clock: manualClock(0),
    ids: systemIds,
  }
  const add = (more: readonly unknown[], mode: 'replace' | 'append') =>
    ingestRecords(
      { name: 'test', records: more, source: compileSource(transfers), by, mode },
      ports,
    )
  if (records.length > 0) await add(records, 'replace')
  return { ports, add }
}

async function tableIn(name: string, columns: readonly string[], ports: IngestPorts) {
  const { frame, parts } = await readDataset(name, ports)
  const cell = (column: string, row: number) => {
    const value = frame.columns[column][row]
    if (column === 'as_of') return formatTimestamp(value as number).slice(0, 10)
    return typeof value === 'number' && Number.isNaN(value) ? null : value
  }
  const cells = Array.from({ length: frame.rows }, (_, row) =>
    columns.map((column) => cell(column, row)),
  )
  return { cells, parts }
}

test('the tables of a graph hold each date, as of what had arrived by then', async () => {
  const { ports } = await bank()
  const project = projectOf(network)
  expect(await writeGraphTables({ project, by }, ports)).toEqual([
    { graph: 'network', outcome: 'written', dates: 2, rows: 7 },
  ])
  const vertices = await tableIn('network-vertices', ['as_of', 'vertex', 'degree'], ports)
  expect(vertices.cells).toEqual([
    ['2026-01-02', 'ann', 1],
    ['2026-01-02', 'ben', 1],
    ['2026-01-03', 'ann', 2],
    ['2026-01-03', 'ben', 1],
    ['2026-01-03', 'cleo', 1],
  ])
  const graph = await tableIn('network-graph', ['as_of', 'edges', 'assortativity'], ports)
  expect(graph.cells).toEqual([
    ['2026-01-02', 1, null],
    ['2026-01-03', 2, -1],
  ])
  expect(vertices.parts[0].origin).toEqual({
    kind: 'generator',
    name: expect.stringMatching(/^graph network [0-9a-f]{12} of transfers [0-9a-f]{12}$/),
  })
})

test('tables are written again where the declaration or the events changed, and only then', async () => {
  const { ports, add } = await bank()
  const project = projectOf(network)
  const write = async (of = project) => (await writeGraphTables({ project: of, by }, ports))[0]
  await write()
  expect((await write()).outcome).toBe('current')
  await add([{ ...rows[0], id: 'd', at: '2026-01-04T00:00:00Z' }], 'append')
  expect(await write()).toMatchObject({ outcome: 'written', dates: 3 })
  const longer = graphSnapshots('network', { ...network.options, window: '30d' } as never)
  expect(await write(projectOf(longer as typeof network))).toMatchObject({ outcome: 'written' })
  const { cells } = await tableIn('network-graph', ['as_of', 'edges'], ports)
  expect(cells.at(-1)).toEqual(['2026-01-04', 2])
})

test('a graph of a source without events has no tables yet', async () => {
  const { ports } = await bank([])
  const project = projectOf(network)
  expect(await writeGraphTables({ project, by }, ports)).toEqual([
    { graph: 'network', outcome: 'empty', dates: 0, rows: 0 },
  ])
  expect(await ports.catalog.current('network-vertices')).toEqual([])
})

test('only the graphs that are named are written', async () => {
  const { ports } = await bank()
  const second = graphSnapshots('second', { ...declared, graph: ['edges'] })
  const project = projectOf(network, second as unknown as typeof network)
  const written = await writeGraphTables({ project, by, names: ['second'] }, ports)
  expect(written).toEqual([{ graph: 'second', outcome: 'written', dates: 2, rows: 2 }])
  expect(await ports.catalog.current('network-graph')).toEqual([])
})

test('a pipeline is not run again because it wrote the tables of its graphs', async () => {
  const { ports } = await bank()
  const project = projectOf(network)
  const before = await otherSnapshots(project, ports.catalog)
  await writeGraphTables({ project, by }, ports)
  expect(await otherSnapshots(project, ports.catalog)).toEqual(before)
})
