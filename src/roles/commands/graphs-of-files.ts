// The tables of graphs that a command computes features with, worked out from the events of its files.
import {
  createMemoryCatalog,
  createMemoryQuarantine,
  createMemorySnapshots,
  type IngestPorts,
} from '../../data/index.ts'
import type { SourceEvents } from '../../features/index.ts'
import { systemClock } from '../../lib/clock.ts'
import { systemIds } from '../../lib/ids.ts'
import { graphTables, readEvents, writeGraphTables } from '../../pipelines/index.ts'
import type { LoadedFeatures } from '../../projects/index.ts'
import { byCommand } from './connection.ts'

/**
 * The events of further sources, with the tables of graphs that were given no file: those are worked
 * out from the events at hand, and pass their contracts as everywhere.
 */
export async function withGraphTables(
  project: LoadedFeatures,
  own: SourceEvents,
  others: readonly SourceEvents[],
): Promise<SourceEvents[]> {
  const given = [own, ...others].filter(({ frame }) => frame.rows > 0)
  const known = new Map(given.map((events) => [events.source.name, events]))
  const missing = new Set(
    others.map(({ source }) => source.name).filter((name) => !known.has(name)),
  )
  const names = (project.graphs ?? [])
    .filter((graph) =>
      Object.values(graphTables(project, graph)).some(({ name }) => missing.has(name)),
    )
    .map(({ name }) => name)
  const ports: IngestPorts = {
    snapshots: createMemorySnapshots(),
    catalog: createMemoryCatalog(),
    quarantine: createMemoryQuarantine(),
    clock: systemClock,
    ids: systemIds,
  }
  const read: Parameters<typeof writeGraphTables>[0]['read'] = async ({ name }) => {
    const events = known.get(name)
    return events && { events, parts: [], version: '' }
  }
  await writeGraphTables({ project, names, by: byCommand('features history'), read }, ports)
  return Promise.all(
    others.map(async (other) => {
      if (!missing.has(other.source.name)) return other
      return (await readEvents(other.source, ports))?.events ?? other
    }),
  )
}
