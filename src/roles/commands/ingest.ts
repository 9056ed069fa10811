// `assay ingest`: files into the home's datasets, through the running server where there is one.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { count, exitCodes, type IngestOptions, type Terminal } from '../../cli/index.ts'
import { remote } from '../../lib/rpc.ts'
import type { IngestSummary, WorkRemote } from '../../pipelines/index.ts'
import { homeAt, type Home } from '../../projects/index.ts'
import { ingestInto } from '../ingestion.ts'
import { byCommand, runningServer, withMetadata } from './connection.ts'
import { ingestPortsOf } from './engines.ts'
import { commandErrors } from './errors.ts'
import { featuresIn } from './project.ts'

/** Refused rows are no failure: they are kept in quarantine, to be corrected and sent again. */
export async function ingest(
  files: readonly string[],
  options: IngestOptions,
  terminal: Terminal,
): Promise<number> {
  const missing = files.find((file) => !existsSync(file))
  if (missing !== undefined) throw commandErrors.input_unreadable(`There is no file ${missing}.`)
  const home = homeAt(options.home)
  // Of several files the first takes the place of what was there, the others are added.
  const take = (file: string) => ({
    path: resolve(file),
    source: options.source,
    replace: options.replace && file === files[0],
  })
  if (runningServer(home) !== undefined) {
    const work = remote<WorkRemote>(home.socket('work'), 'work')
    for (const file of files) {
      report(terminal, file, await work.ingest(take(file), byCommand('ingest')))
    }
    return exitCodes.ok
  }
  const compiled = await featuresIn(options.project)
  await withMetadata(options.home, async (metadata, opened: Home) => {
    const ports = ingestPortsOf(opened, metadata)
    for (const file of files) {
      const { snapshot, quarantine, ...rest } = await ingestInto(
        compiled,
        take(file),
        byCommand('ingest'),
        ports,
      )
      report(terminal, file, { ...rest, snapshot: snapshot.hash, byRule: quarantine.byRule })
    }
  })
  return exitCodes.ok
}

function report({ out, err }: Terminal, file: string, summary: IngestSummary): void {
  const { dataset, read, accepted, quarantined, snapshot, byRule } = summary
  const named = snapshot === null ? '' : `, snapshot ${snapshot.slice(0, 12)}`
  out.line(
    `${file}: ${count(read, 'row')} read, ${count(accepted)} accepted into ${dataset}, ` +
      `${count(quarantined)} in quarantine${named}`,
  )
  if (quarantined === 0) return
  for (const { column, rule, rows } of byRule) {
    err.line(`  ${count(rows)} × ${column === null ? '' : `${column}: `}${rule}`)
  }
  err.line('  Look at them on the page, under Data, correct them there and send them again.')
}
