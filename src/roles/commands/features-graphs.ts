// `assay features graphs`: the dated snapshots of a project's graphs, from what its home knows.
import { count, exitCodes, type FeaturesGraphsOptions, type Terminal } from '../../cli/index.ts'
import { remote } from '../../lib/rpc.ts'
import { writeGraphTables, type WorkRemote, type WrittenGraph } from '../../pipelines/index.ts'
import { homeAt } from '../../projects/index.ts'
import { liveEventsOf } from '../graph-tables.ts'
import { byCommand, runningServer, withMetadata } from './connection.ts'
import { ingestPortsOf } from './engines.ts'
import { commandErrors } from './errors.ts'
import { featuresIn } from './project.ts'

const by = byCommand('features graphs')

export async function featuresGraphs(
  options: FeaturesGraphsOptions,
  { out }: Terminal,
): Promise<number> {
  const project = await featuresIn(options.project)
  const known = (project.graphs ?? []).map(({ name }) => name)
  const names = options.graph === undefined ? undefined : [options.graph]
  if (known.length === 0) {
    throw commandErrors.option_invalid(`${options.project} declares no graphs.`)
  }
  if (options.graph !== undefined && !known.includes(options.graph)) {
    throw commandErrors.option_invalid(
      `The project declares no graph "${options.graph}"; it has ${known.join(', ')}.`,
    )
  }
  const home = homeAt(options.home)
  const written =
    runningServer(home) === undefined
      ? await withMetadata(options.home, (metadata, opened) => {
          const ports = ingestPortsOf(opened, metadata)
          const read = liveEventsOf(opened, ports)
          return writeGraphTables({ project, by, names, read }, ports)
        })
      : await remote<WorkRemote>(home.socket('work'), 'work').writeGraphs(names, by)
  for (const each of written) out.line(`${each.graph}: ${said(each)}`)
  return exitCodes.ok
}

function said({ outcome, dates, rows }: WrittenGraph): string {
  if (outcome === 'empty') return 'no date has passed since its first event; nothing to work out'
  if (outcome === 'current') return `${count(dates, 'date')}, up to date`
  return `${count(dates, 'date')} worked out, ${count(rows, 'row')} written`
}
