import { contentHash } from '../lib/hash.ts'
import { versionHash, type ModelVersion } from '../registry/index.ts'
import { scriptWatermark } from './card.ts'
import type { Champion } from './gate.ts'
import type { CompiledGatePolicy } from './policy.ts'
import type { Approval, ApprovalView, GateRun, InventoryEntry, Standing } from './types.ts'

/** Everything that decides where a version stands. */
export interface StandingFacts {
  readonly version: ModelVersion
  readonly entry: InventoryEntry
  readonly gate: CompiledGatePolicy
  readonly run: GateRun | undefined
  readonly approvals: readonly Approval[]
  readonly champion: Champion | undefined
}

/**
 * What an approval binds: the hashes of version, gate and evidence. A change of any of them gives
 * another binding, and so voids every approval given before.
 */
export function bindingOf(parts: {
  readonly versionHash: string
  readonly gateHash: string
  readonly evidenceHash: string
}): string {
  const { versionHash: version, gateHash: gate, evidenceHash: evidence } = parts
  return contentHash({ version, gate, evidence })
}

/** Works out where a version stands. Pure; every hash is computed again from the content. */
export function standingOf(facts: StandingFacts): Standing {
  const { version, entry, gate, run, approvals } = facts
  const base = { model: version.model, version: version.version, required: gate.approvals }
  const stale = whyNotGated(facts)
  if (run === undefined || stale !== undefined) {
    const views = approvals.map((approval) => voided(approval, 'Its gate must be run again.'))
    const gated = run === undefined ? {} : { gate: run }
    return {
      ...base,
      state: 'not-gated',
      message: stale ?? '',
      given: 0,
      approvals: views,
      ...gated,
    }
  }
  const binding = bindingOf({
    versionHash: versionHash(version),
    gateHash: gate.version,
    evidenceHash: contentHash(run.evidence),
  })
  const views = approvals.map((approval) => viewOf(approval, approvals, binding, version, entry))
  const counting = views.filter((view) => view.counts)
  const refusal = counting.find((view) => view.verdict === 'refuse')
  const approving = counting.filter((view) => view.verdict === 'approve')
  const scripted = approving.some((view) => view.identityKind === 'script')
  const common = {
    ...base,
    given: approving.length,
    approvals: views,
    gate: run,
    binding,
    ...(scripted ? { watermark: scriptWatermark } : {}),
  }
  if (!run.passed) {
    const failed = run.checks.filter((check) => !check.passed).map((check) => check.message)
    return { ...common, state: 'gate-failed', message: `${gate.name}: ${failed.join(' ')}` }
  }
  if (refusal !== undefined) {
    const message = `Refused by ${refusal.identityName}: ${refusal.reason}`
    return { ...common, state: 'refused', message }
  }
  if (approving.length >= gate.approvals) {
    const names = approving.map((view) => view.identityName).join(' and ')
    return { ...common, state: 'approved', message: `Approved by ${names}.` }
  }
  const message = `${approving.length} of ${gate.approvals} approvals are given.`
  return { ...common, state: 'awaiting-approval', message }
}

/** Why the latest gate run does not speak for the version as it is now; undefined where it does. */
function whyNotGated({ version, entry, gate, run, champion }: StandingFacts): string | undefined {
  if (version.brought !== undefined) {
    return 'It was brought from elsewhere: its inputs are bound to no features, so no gate can hold; `assay models adopt` binds them.'
  }
  if (run === undefined) return 'Its gate was not run yet.'
  if (versionHash(version) !== version.hash || run.versionHash !== version.hash) {
    return 'The gate looked at another version record than the one that is kept.'
  }
  if (run.gateHash !== entry.gateHash || gate.version !== entry.gateHash) {
    return `The gate ${entry.gate} has changed since it was run; run it again.`
  }
  if (contentHash(run.evidence) !== run.evidenceHash) {
    return 'The kept evidence is not the evidence that the gate looked at; run it again.'
  }
  const compared = run.evidence.champion?.versionHash
  const isChampion = champion === undefined || champion.versionHash === version.hash
  if (run.passed && gate.champion !== null && !isChampion && compared !== champion.versionHash) {
    return `Version ${champion.version} is live now and the gate did not compare with it; run it again.`
  }
  return undefined
}

function viewOf(
  approval: Approval,
  all: readonly Approval[],
  binding: string,
  version: ModelVersion,
  entry: InventoryEntry,
): ApprovalView {
  if (approval.binds !== binding) {
    return voided(approval, 'The version, its gate or its evidence changed after it was given.')
  }
  if (
    approval.identityKind !== 'person' &&
    !(approval.identityKind === 'script' && entry.example)
  ) {
    return voided(approval, 'Only people approve; a script does so in an example project alone.')
  }
  if (isOwnWork(approval.identityId, version)) {
    return voided(approval, 'It came from one who trained or registered the version.')
  }
  const later = all.findLast((a) => a.identityId === approval.identityId && a.binds === binding)
  if (later !== undefined && later.id !== approval.id) {
    return voided(approval, 'A later verdict of the same identity replaced it.')
  }
  return { ...approval, counts: true }
}

/** Whether an identity trained or registered the version, and so may not judge it. */
export function isOwnWork(identityId: string, version: ModelVersion): boolean {
  return version.registeredBy === identityId || version.trainedBy.includes(identityId)
}

function voided(approval: Approval, voidBecause: string): ApprovalView {
  return { ...approval, counts: false, voidBecause }
}
