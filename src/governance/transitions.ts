import type { Identity } from '../access/index.ts'
import type { AssayError } from '../lib/errors.ts'
import type { ModelVersion, VersionStatus } from '../registry/index.ts'
import { governanceErrors } from './errors.ts'
import { isOwnWork } from './standing.ts'
import type { GovernanceEvent, InventoryEntry, Standing, StandingState, Verdict } from './types.ts'

/** Why an identity may not give this verdict now; undefined where it may. */
export function obstacleTo(
  verdict: Verdict,
  standing: Standing,
  version: ModelVersion,
  entry: InventoryEntry,
  identity: Identity,
): AssayError | undefined {
  const name = `${version.model} version ${version.version}`
  if (identity.kind === 'system' || (identity.kind === 'script' && !entry.example)) {
    return governanceErrors.approval_by_script(
      `${identity.name} is not a person, and ${entry.project} is not an example project.`,
    )
  }
  if (isOwnWork(identity.id, version)) {
    return governanceErrors.approval_self(`${identity.name} trained or registered ${name}.`)
  }
  const own = standing.approvals.find((a) => a.counts && a.identityId === identity.id)
  if (own?.verdict === verdict) {
    return governanceErrors.approval_twice(
      `${identity.name} has already given this verdict on ${name}.`,
    )
  }
  const awaited =
    standing.state === 'awaiting-approval' ||
    (standing.state === 'approved' && verdict === 'refuse')
  if (!awaited || version.status === 'retired') {
    return governanceErrors.approval_not_awaited(
      `${name} is ${version.status}. ${standing.message}`,
    )
  }
  return undefined
}

const statusOf: Readonly<Record<StandingState, Exclude<VersionStatus, 'live' | 'retired'>>> = {
  'not-gated': 'candidate',
  'gate-failed': 'refused',
  'awaiting-approval': 'candidate',
  approved: 'approved',
  refused: 'refused',
}

/**
 * The steps that bring a version's status to where it stands. What is live stays live until a
 * deployment ends it. What was live before keeps `approved`, so that a roll-back finds it, unless
 * it was refused since.
 */
export function stepsTo(
  status: VersionStatus,
  state: StandingState,
  wasLive: boolean,
): Exclude<VersionStatus, 'live' | 'retired'>[] {
  const target = statusOf[state]
  if (status === 'live' || status === 'retired' || status === target) return []
  if (wasLive && status === 'approved' && target === 'candidate') return []
  if (status === 'refused' && target === 'approved') return ['candidate', 'approved']
  return [target]
}

/** What the other rooms are told when a version stands elsewhere than before. */
export function eventOf(before: StandingState, after: Standing): GovernanceEvent | undefined {
  const { model, version, state } = after
  if (state === before) return undefined
  switch (state) {
    case 'approved':
      return { type: 'governance.version-approved', model, version }
    case 'gate-failed':
      return { type: 'governance.version-refused', model, version, by: 'gate' }
    case 'refused':
      return { type: 'governance.version-refused', model, version, by: 'person' }
    case 'not-gated':
    case 'awaiting-approval':
      return before === 'approved'
        ? { type: 'governance.approvals-voided', model, version }
        : undefined
  }
}
