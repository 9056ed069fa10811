// `assay housekeeping`: what is due goes at once, through the server that runs on the home, or directly.
import {
  count,
  exitCodes,
  printTable,
  type HousekeepingOptions,
  type Terminal,
} from '../../cli/index.ts'
import { systemClock } from '../../lib/clock.ts'
import { remote } from '../../lib/rpc.ts'
import { usualHousekeeping } from '../config.ts'
import {
  housekeepingOfKeep,
  housekeepingOfWork,
  type Housekeeping,
  type HousekeepingRules,
  type SweptPart,
} from '../housekeeping.ts'
import { type ServedSweep, sweepServedModels } from '../served-sweep.ts'
import { byCommand, existingHome, runningServer, withMetadata } from './connection.ts'
import { snapshotsOf } from './engines.ts'

/** A first one of an old home may have much to do. */
const TIMEOUT_MS = 6 * 3_600_000

type Request = Parameters<Housekeeping['run']>[0]

export async function housekeeping(
  options: HousekeepingOptions,
  { out, err }: Terminal,
): Promise<number> {
  const { dryRun, json } = options
  const swept = await sweep(options, { dryRun, rules: rulesOf(options) })
  if (json) out.line(JSON.stringify({ dryRun, parts: swept }))
  else {
    printTable(
      out,
      ['what', dryRun ? 'would go' : 'removed', 'why'],
      swept.map(({ part, counts, why }) => [part, countsText(counts), why]),
    )
  }
  const failed = swept.filter(({ problem }) => problem !== null)
  for (const { part, problem } of failed) err.line(`${part}: ${problem}`)
  return failed.length === 0 ? exitCodes.ok : exitCodes.failed
}

function rulesOf(options: HousekeepingOptions): Partial<HousekeepingRules> {
  const { keepDeleted, keepResults, keepUnnamed, keepDecisions } = options
  return {
    ...(keepDeleted !== undefined && { keepDeleted }),
    ...(keepResults !== undefined && { keepResults }),
    ...(keepUnnamed !== undefined && { keepUnnamed }),
    ...(keepDecisions !== undefined && { keepDecisions }),
  }
}

async function sweep({ home: directory }: HousekeepingOptions, request: Request) {
  const { reason } = byCommand('housekeeping')
  const home = existingHome(directory)
  const runAll = async (keep: Pick<Housekeeping, 'run'>, work: Pick<Housekeeping, 'run'>) => [
    ...(await keep.run(request, reason)),
    ...(await work.run(request, reason)),
  ]
  if (runningServer(home) !== undefined) {
    const of = (socket: 'admin' | 'work') =>
      remote<Housekeeping>(home.socket(socket), 'housekeeping', { timeoutMs: TIMEOUT_MS })
    return runAll(of('admin'), of('work'))
  }
  return withMetadata(directory, (metadata, opened): Promise<SweptPart[]> => {
    const { hour: _, ...rules } = usualHousekeeping
    const options = { rules, clock: systemClock }
    const ofWork = { ...metadata, home: opened, snapshots: snapshotsOf(opened) }
    const served = {
      sweep: (options: ServedSweep) => sweepServedModels(opened.published, options),
    }
    const ofKeep = housekeepingOfKeep({ ...metadata, served }, options)
    return runAll(ofKeep, housekeepingOfWork(ofWork, options))
  })
}

const titles: Readonly<Record<string, readonly [string, string]>> = {
  modelFiles: ['model file', 'model files'],
  servedModels: ['document of a served model', 'documents of served models'],
  loggedModels: ['logged model', 'logged models'],
  kept: ['stays', 'stay'],
  found: ['more found, to go later', 'more found, to go later'],
  scratch: ['scratch folder', 'scratch folders'],
}

function countsText(counts: SweptPart['counts']): string {
  const parts = Object.entries(counts).flatMap(([what, number]) => {
    if (number === 0) return []
    const [one, many] = titles[what] ?? [what.replace(/s$/, ''), what]
    return [`${count(number)} ${number === 1 ? one : many}`]
  })
  return parts.join(', ') || 'nothing'
}
