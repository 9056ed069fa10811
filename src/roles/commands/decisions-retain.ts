// `assay decisions retain`: how far back the records of decisions are kept, and holds on them.
import { join, resolve } from 'node:path'
import {
  count,
  exitCodes,
  printTable,
  type DecisionsHoldOptions,
  type DecisionsRetainOptions,
  type HomeOptions,
  type Terminal,
} from '../../cli/index.ts'
import { systemActor } from '../../access/index.ts'
import { remote, type Remote } from '../../lib/rpc.ts'
import { formatTimestamp } from '../../lib/time.ts'
import type { JournalRetention, RetentionPlan } from '../journal-retention.ts'
import { requireServer } from './connection.ts'
import { periodOf } from './days.ts'
import { exportDays } from './decisions-export.ts'
import { commandErrors } from './errors.ts'

/** Reading some hundred segments takes a while. */
const TIMEOUT_MS = 6 * 3_600_000
/** Before anything was received, and after all that will be: 1970 and the year 2255. */
const EVER_US = [0, Number.MAX_SAFE_INTEGER] as const

export async function decisionsRetain(
  options: DecisionsRetainOptions,
  { out, err }: Terminal,
): Promise<number> {
  const { exportTo, withoutExport, dryRun, json, reason } = options
  if (!dryRun && exportTo === undefined && !withoutExport) {
    throw commandErrors.option_invalid('Say --export-to DIRECTORY, --without-export or --dry-run.')
  }
  if (!dryRun && reason === undefined) throw commandErrors.option_invalid('Say why with --reason.')
  const { home } = requireServer(options.home)
  const retention = retentionOf(options)
  const { fromUs: beforeUs } = periodOf({ from: options.before }, 'UTC')
  const plan = await retention.plan(beforeUs)
  if (dryRun) {
    if (json) out.line(JSON.stringify({ dryRun, ...plan }))
    else sayPlan(plan, { out, err })
    return exitCodes.ok
  }
  if (exportTo !== undefined && plan.segments > 0) {
    const period = { fromUs: -Infinity, toUs: beforeUs }
    const { written } = await exportDays(join(home.decide, 'live'), period, exportTo)
    if (!json) out.line(`Exported ${count(written.length, 'file')} to ${exportTo}.`)
  }
  const request = {
    beforeUs,
    first: plan.first,
    exportedTo: exportTo === undefined ? null : resolve(exportTo),
  }
  const gone = await retention.remove(request, { actor: systemActor, reason: reason! })
  if (json) out.line(JSON.stringify({ dryRun, ...gone, kept: plan.kept }))
  else {
    out.line(
      `${count(gone.decisions, 'record')} of decisions in ${count(gone.segments, 'segment')} are removed; the journal is ${megabytes(gone.bytes)} smaller.`,
    )
    sayKept(plan, { out, err })
  }
  return exitCodes.ok
}

export async function decisionsHolds(
  options: HomeOptions & { readonly json: boolean },
  { out }: Terminal,
): Promise<number> {
  const holds = await retentionOf(options).holds()
  if (options.json) out.line(JSON.stringify({ holds }))
  else if (holds.length === 0) out.line('No hold stands.')
  else {
    printTable(
      out,
      ['hold', 'from', 'to', 'by', 'since', 'why'],
      holds.map(({ name, fromUs, toUs, actor, receivedAtUs, reason }) => [
        name,
        fromUs === EVER_US[0] ? 'the beginning' : formatTimestamp(fromUs),
        toUs === EVER_US[1] ? 'for all to come' : formatTimestamp(toUs),
        actor,
        formatTimestamp(receivedAtUs),
        reason,
      ]),
    )
  }
  return exitCodes.ok
}

export async function decisionsHold(
  name: string,
  options: DecisionsHoldOptions,
  { out }: Terminal,
): Promise<number> {
  const { from, to, reason } = options
  const period = periodOf({ ...(from && { from }), ...(to && { to }) }, 'UTC')
  const fromUs = Math.max(period.fromUs, EVER_US[0])
  const toUs = Math.min(period.toUs, EVER_US[1])
  const by = { actor: systemActor, reason }
  await retentionOf(options).changeHold({ name, change: 'place', fromUs, toUs }, by)
  out.line(`The hold "${name}" stands: nothing that was received in its period is removed.`)
  return exitCodes.ok
}

export async function decisionsRelease(
  name: string,
  options: DecisionsHoldOptions,
  { out }: Terminal,
): Promise<number> {
  const by = { actor: systemActor, reason: options.reason }
  await retentionOf(options).changeHold({ name, change: 'release' }, by)
  out.line(`The hold "${name}" is released.`)
  return exitCodes.ok
}

function retentionOf(options: HomeOptions): Remote<JournalRetention> {
  const { home } = requireServer(options.home)
  return remote<JournalRetention>(home.socket('admin'), 'retention', { timeoutMs: TIMEOUT_MS })
}

function sayPlan(plan: RetentionPlan, { out, err }: Pick<Terminal, 'out' | 'err'>): void {
  const { decisions, segments, bytes } = plan
  if (segments === 0) out.line('Nothing would go.')
  else {
    out.line(
      `${count(decisions, 'record')} of decisions would go, in ${count(segments, 'segment')} of ${megabytes(bytes)}. Their events and keys stay.`,
    )
  }
  sayKept(plan, { out, err })
}

function sayKept({ kept }: RetentionPlan, { out }: Pick<Terminal, 'out' | 'err'>): void {
  for (const { why, decisions, segments } of kept) {
    out.line(
      `${count(decisions, 'record')} in ${count(segments, 'segment')} that old are kept: ${why}.`,
    )
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}
