// `assay repair`: the bases of live state that a home has lost, put back from another copy or made again
// from the data that they were made of. A base counts only under the hash that the journal names.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { exitCodes, type HomeOptions, type Terminal } from '../../cli/index.ts'
import { installBase, mendBases, readJournalFacts, type KnownBase } from '../../decisions/index.ts'
import { AssayError } from '../../lib/errors.ts'
import { nodeFiles } from '../../lib/files.ts'
import { rebuildBase } from '../../pipelines/index.ts'
import { learnsAndDecides, type Home } from '../../projects/index.ts'
import type { Metadata } from '../metadata.ts'
import { existingHome, withMetadata } from './connection.ts'
import { snapshotsOf } from './engines.ts'

/** Ends with `notHeld` where a base could not be made again. Error: `home_locked`. */
export async function repair(options: HomeOptions, terminal: Terminal): Promise<number> {
  existingHome(options.home)
  return withMetadata(options.home, async (metadata, home) => {
    const { out } = terminal
    const bases = await mendBases(home.decide, {
      files: nodeFiles,
      bases: home.checkpoints,
      onWarning: (message) => out.line(message),
    })
    let isWhole = true
    for (const base of bases) {
      const problem = base.problem && (await madeAgain(base, metadata, home, terminal))
      isWhole &&= problem === null
      const mark = problem === null ? out.style('green', '✓') : out.style('red', '✗')
      out.line(`${mark} ${base.namespace}: base ${base.record.checkpoint.slice(0, 16)}`)
      if (base.problem !== null) out.line(`    ${base.problem}`)
      if (base.problem !== null) out.line(`    ${problem ?? 'It is made again, the same.'}`)
    }
    if (bases.length === 0) out.line('No namespace goes on from a base of history.')
    return isWhole ? exitCodes.ok : exitCodes.notHeld
  })
}

/** Null where the base is in its place; else why it is not. */
async function madeAgain(
  base: KnownBase,
  { catalog, projects }: Metadata,
  home: Home,
  { err }: Terminal,
): Promise<string | null> {
  const file = join(home.incoming, `base-${base.record.checkpoint}`)
  const ports = {
    catalog,
    snapshots: snapshotsOf(home),
    async *projectsBefore(atUs: number) {
      for (let beforeUs = atUs; ;) {
        const applied = await projects.at(beforeUs)
        if (applied === undefined) return
        if (learnsAndDecides(applied.project)) yield applied.project
        beforeUs = applied.appliedAtUs - 1
      }
    },
    readLive: (sources: Parameters<typeof readJournalFacts>[1], through: number) =>
      readJournalFacts(join(home.decide, 'live'), sources, nodeFiles, through),
  }
  const show = (rows: number, all: number) => {
    if (err.interactive) err.raw(`\r\u001b[K${err.style('dim', `… ${rows} of ${all} events`)}`)
  }
  try {
    await rebuildBase(base.record, file, ports, show)
    await installBase(base, file, nodeFiles)
    return null
  } catch (error) {
    if (error instanceof AssayError) return `${error.detail} ${error.action}`
    throw error
  } finally {
    if (err.interactive) err.raw('\r\u001b[K')
    await rm(file, { force: true })
  }
}
