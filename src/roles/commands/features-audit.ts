// `assay features audit`: whether recorded live features are what history gives, bit for bit.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { count, exitCodes, type FeaturesAuditOptions, type Terminal } from '../../cli/index.ts'
import {
  auditFeatures,
  directoryDeployments,
  type FeatureAudit,
  type FeatureMismatch,
} from '../../decisions/index.ts'
import { nodeFiles } from '../../lib/files.ts'
import { deploymentsDirectory } from '../../server/decide/index.ts'
import type { Home } from '../../projects/index.ts'
import { existingHome } from './connection.ts'
import { periodOf } from './days.ts'
import { commandErrors } from './errors.ts'

const SHOWN_MAX = 10_000

/** Reads the journals alone, so that a server may go on writing them. Ends with `notHeld` on any. */
export async function featuresAudit(
  options: FeaturesAuditOptions,
  terminal: Terminal,
): Promise<number> {
  const home = existingHome(options.home)
  const period = periodOf(options, 'UTC')
  let holds = true
  for (const namespace of namespacesOf(home, options.namespace)) {
    const found = await auditFeatures({
      directory: join(home.decide, namespace),
      files: nodeFiles,
      deployments: directoryDeployments(deploymentsDirectory(home)),
      shownMax: SHOWN_MAX,
      ...period,
    })
    report(terminal, namespace, found)
    if (found.mismatches > 0) holds = false
  }
  return holds ? exitCodes.ok : exitCodes.notHeld
}

/** Namespaces with a journal in the home; the wanted one must be among them. */
export function namespacesOf(home: Home, wanted: string | undefined): string[] {
  const found = existsSync(home.decide)
    ? readdirSync(home.decide).filter((name) => existsSync(join(home.decide, name, 'journal')))
    : []
  if (wanted === undefined) {
    if (found.length > 0) return found.toSorted()
    throw commandErrors.policy_not_live(`Nothing was ever decided in ${home.root}.`)
  }
  if (found.includes(wanted)) return [wanted]
  throw commandErrors.option_invalid(
    `There is no namespace "${wanted}"; there are: ${found.toSorted().join(', ') || 'none'}.`,
  )
}

function report({ out, err }: Terminal, namespace: string, found: FeatureAudit): void {
  const { events, compared, mismatches, shown, unplaced } = found
  const of = `${count(compared, 'value')} of ${count(events, 'event')}`
  if (mismatches > 0) {
    for (const mismatch of shown) out.line(mismatchLine(namespace, mismatch))
    err.line(
      `${err.style('red', 'not equal')}: ${namespace}: ${count(mismatches)} of ${of} differ.`,
    )
    if (mismatches > shown.length) err.line(`  the first ${count(shown.length)} are shown`)
  } else if (compared === 0) {
    out.line(`${namespace}: nothing was recorded in that period`)
  } else {
    out.line(`${out.style('green', 'equal')}: ${namespace}: every value is the same, ${of}`)
  }
  if (unplaced === 0) return
  err.line(
    err.style('yellow', `${namespace}: ${count(unplaced, 'record')} could not be compared:`) +
      ' the state in which they were made is not on disk.',
  )
}

function mismatchLine(namespace: string, mismatch: FeatureMismatch): string {
  const { eventId, sequence, policy, feature, recorded, recomputed } = mismatch
  const by = policy === null ? '' : `, policy ${policy}`
  return (
    `${namespace}: event ${eventId} (sequence ${sequence}${by}): ${feature} was ` +
    `${recorded ?? 'missing'}, history gives ${recomputed ?? 'missing'}`
  )
}
