import { requireMay, requireReason, type Access, type ChangeBy } from '../access/index.ts'
import type { AuditLog } from '../audit/index.ts'
import type { Clock } from '../lib/clock.ts'
import { contentHash } from '../lib/hash.ts'
import type { Ids } from '../lib/ids.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import { registryErrors, type ModelVersion, type Registry } from '../registry/index.ts'
import { missingCardFields } from './card.ts'
import type { ModelCard } from './card-schema.ts'
import { governanceErrors } from './errors.ts'
import { runGate, type Champion } from './gate.ts'
import type { CompiledGatePolicy } from './policy.ts'
import type { GovernanceStore } from './ports.ts'
import { bindingOf, standingOf } from './standing.ts'
import { eventOf, obstacleTo, stepsTo } from './transitions.ts'
import type {
  Approval,
  Evidence,
  GateRun,
  GovernanceEvent,
  InventoryEntry,
  Standing,
  Verdict,
} from './types.ts'

/** What a project says of its model when it is applied. */
export interface Enrolment {
  readonly model: string
  readonly project: string
  readonly example: boolean
  readonly owner: string
  readonly purpose: string
  readonly tier: InventoryEntry['tier']
  readonly tierRationale: string
  readonly gate: CompiledGatePolicy
}

export interface VerdictRequest {
  readonly model: string
  readonly version: number
  readonly verdict: Verdict
  readonly reason: string
  /** The binding that the approver saw; if it changed meanwhile the verdict is refused. */
  readonly binds?: string | undefined
}

export interface CardView {
  readonly card: ModelCard
  readonly missing: readonly string[]
  readonly watermark?: string | undefined
}

/** The inventory, gates and approvals: what stands between a candidate and traffic. */
export interface Governance {
  /** Puts a model under governance, or updates its entry; a changed gate voids approvals. */
  enrol(enrolment: Enrolment, by: ChangeBy): Promise<InventoryEntry>
  inventory(): Promise<InventoryEntry[]>
  inventoryEntry(model: string): Promise<InventoryEntry | undefined>
  gate(hash: string): Promise<CompiledGatePolicy | undefined>
  /** Holds evidence against the model's gate, keeps both, and moves the version's status. */
  examine(evidence: Evidence, by: ChangeBy): Promise<GateRun>
  /** Newest first. */
  gateRuns(model: string, version?: number): Promise<GateRun[]>
  /** One identity approves or refuses a version whose gate holds. */
  giveVerdict(request: VerdictRequest, identityId: string): Promise<Standing>
  standing(model: string, version: number): Promise<Standing>
  /** Why an identity may not give a verdict now; undefined where it may. */
  verdictObstacle(model: string, version: number, identityId: string): Promise<string | undefined>
  card(model: string, version: number): Promise<CardView | undefined>
  /** What serving asks before a deployment; fails with `not_approved` and says what is missing. */
  requireApproved(model: string, version: number): Promise<{ binding: string; evidence: Evidence }>
  /** Whether exactly this version, gate and evidence had all approvals: what a roll-back asks. */
  wasApproved(model: string, version: number, binding: string): Promise<boolean>
}

export interface GovernanceDependencies {
  readonly store: GovernanceStore
  readonly registry: Pick<Registry, 'version' | 'versions' | 'liveHistory' | 'changeStatus'>
  readonly access: Pick<Access, 'identity'>
  readonly unit: UnitOfWork
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
  readonly ids: Ids
  readonly emit?: (event: GovernanceEvent) => void
}

export function createGovernance(dependencies: GovernanceDependencies): Governance {
  const { store, registry, access, unit, audit, clock, ids, emit } = dependencies

  async function entryOrFail(model: string): Promise<InventoryEntry> {
    const entry = await store.inventoryEntry(model)
    if (entry === undefined) {
      throw governanceErrors.not_in_inventory(`The inventory has no model ${model}.`)
    }
    return entry
  }

  async function gateOrFail(entry: InventoryEntry): Promise<CompiledGatePolicy> {
    const gate = await store.gate(entry.gateHash)
    if (gate === undefined) {
      throw governanceErrors.not_in_inventory(`The gate ${entry.gate} of ${entry.model} is gone.`)
    }
    return gate
  }

  /** The live version of the model, the one that answers the given policy where one is given. */
  async function championOf(model: string, policy?: string): Promise<Champion | undefined> {
    const live = (await registry.liveHistory(model)).filter((p) => p.toUs === undefined)
    const period = live.find((p) => p.policy === policy) ?? live.at(-1)
    if (period === undefined) return undefined
    const { version, hash } = await registry.version(model, period.version)
    return { version, versionHash: hash }
  }

  async function standingNow(version: ModelVersion): Promise<Standing> {
    const entry = await entryOrFail(version.model)
    const run = await store.latestGateRun(version.model, version.version)
    return standingOf({
      version,
      entry,
      gate: await gateOrFail(entry),
      run,
      approvals: await store.approvals(version.model, version.version),
      champion: await championOf(version.model, run?.evidence.decisionPolicy?.name),
    })
  }

  /** Moves the version's status to where it stands now, and tells the other rooms. */
  async function settle(before: Standing, version: ModelVersion, by: ChangeBy): Promise<Standing> {
    const after = await standingNow(version)
    const wasLive = (await registry.liveHistory(version.model)).some(
      (period) => period.version === version.version,
    )
    const steps = stepsTo(version.status, after.state, wasLive)
    const why = { ...by, reason: after.message }
    for (const step of steps) {
      await registry.changeStatus(version.model, version.version, step, why)
    }
    const event = eventOf(before.state, after)
    if (event !== undefined) unit.afterCommit(() => emit?.(event))
    return after
  }

  const governance: Governance = {
    async enrol(enrolment, by) {
      const reason = requireReason(by)
      return unit.transaction(async () => {
        const { gate, ...described } = enrolment
        const known = await store.inventoryEntry(enrolment.model)
        if (known !== undefined && !known.example && enrolment.example) {
          throw governanceErrors.example_flag_fixed(
            `${enrolment.model} belongs to ${known.project}, which is not an example.`,
          )
        }
        const entry: InventoryEntry = {
          ...described,
          gate: gate.name,
          gateHash: gate.version,
          updatedAtUs: clock.nowUs(),
        }
        if (known !== undefined && sameEntry(known, entry)) return known
        const versions = known === undefined ? [] : await registry.versions(enrolment.model)
        const before = await Promise.all(versions.map(standingNow))
        await store.putGate(gate)
        await store.putInventory(entry)
        await audit.append({
          actor: by.actor.id,
          action: known === undefined ? 'governance.enrolled' : 'governance.inventory-changed',
          object: { kind: 'model', id: entry.model },
          reason,
          details: {
            project: entry.project,
            example: entry.example,
            gate: gate.name,
            gateHash: gate.version,
            gateHashBefore: known?.gateHash ?? null,
          },
        })
        for (const [i, version] of versions.entries()) await settle(before[i], version, by)
        return entry
      })
    },

    inventory: () => store.inventory(),
    inventoryEntry: (model) => store.inventoryEntry(model),
    gate: (hash) => store.gate(hash),

    async examine(evidence, by) {
      const reason = requireReason(by)
      checkFigures(evidence)
      return unit.transaction(async () => {
        const { model, version: number } = evidence
        const version = await registry.version(model, number)
        if (evidence.versionHash !== version.hash) {
          throw governanceErrors.evidence_mismatch(
            `The evidence names ${evidence.versionHash}, but ${model} version ${number} is ` +
              `${version.hash}.`,
          )
        }
        if (version.brought !== undefined) {
          throw registryErrors.version_brought(
            `${model} version ${number} was brought from ${version.brought.source}; its inputs are bound to no features.`,
          )
        }
        const before = await standingNow(version)
        const gate = await gateOrFail(await entryOrFail(model))
        const champion = await championOf(model, evidence.decisionPolicy?.name)
        const run: GateRun = {
          ...runGate(gate, evidence, champion),
          id: ids('gaterun'),
          model,
          version: number,
          versionHash: version.hash,
          evidence,
          ranAtUs: clock.nowUs(),
          ranBy: by.actor.id,
        }
        await store.insertGateRun(run)
        await audit.append({
          actor: by.actor.id,
          action: run.passed ? 'governance.gate-passed' : 'governance.gate-refused',
          object: { kind: 'model-version', id: `${model}/${number}` },
          reason,
          details: {
            gate: run.gate,
            gateHash: run.gateHash,
            version: run.versionHash,
            evidenceHash: run.evidenceHash,
            failed: run.checks.filter((check) => !check.passed).map((check) => check.name),
          },
        })
        await settle(before, version, by)
        return run
      })
    },

    gateRuns: (model, version) => store.gateRuns(model, version),

    async giveVerdict(request, identityId) {
      const { model, version: number, verdict } = request
      return unit.transaction(async () => {
        const object = { kind: 'model-version', id: `${model}/${number}` }
        const identity = requireMay(await access.identity(identityId), 'approve', object)
        const by = { actor: identity, reason: request.reason }
        const reason = requireReason(by)
        const version = await registry.version(model, number)
        const before = await standingNow(version)
        const entry = await entryOrFail(model)
        const obstacle = obstacleTo(verdict, before, version, entry, identity)
        if (obstacle !== undefined) throw obstacle
        if (request.binds !== undefined && request.binds !== before.binding) {
          throw governanceErrors.approval_outdated(
            `${model} version ${number}, its gate or its evidence changed since it was read.`,
          )
        }
        const approval: Approval = {
          id: ids('approval'),
          model,
          version: number,
          verdict,
          reason,
          identityId,
          identityName: identity.name,
          identityKind: identity.kind,
          atUs: clock.nowUs(),
          binds: before.binding ?? '',
        }
        await store.insertApproval(approval)
        await audit.append({
          actor: identityId,
          action: verdict === 'approve' ? 'governance.approved' : 'governance.refused',
          object,
          reason,
          details: {
            binds: approval.binds,
            version: version.hash,
            gateHash: entry.gateHash,
            evidenceHash: before.gate?.evidenceHash,
            by: identity.kind,
          },
        })
        return settle(before, version, by)
      })
    },

    async standing(model, version) {
      return standingNow(await registry.version(model, version))
    },

    async verdictObstacle(model, number, identityId) {
      const identity = await access.identity(identityId)
      const version = await registry.version(model, number)
      const standing = await standingNow(version)
      if (identity === undefined || !identity.roles.includes('approver')) {
        return 'Only an approver may give a verdict.'
      }
      const entry = await entryOrFail(model)
      return obstacleTo('approve', standing, version, entry, identity)?.detail
    },

    async card(model, number) {
      const run = await store.latestGateRun(model, number)
      if (run === undefined) return undefined
      const { card } = run.evidence
      const { watermark } = await standingNow(await registry.version(model, number))
      return { card, missing: missingCardFields(card), ...(watermark ? { watermark } : {}) }
    },

    async requireApproved(model, number) {
      const standing = await governance.standing(model, number)
      const { state, binding, gate } = standing
      if (state !== 'approved' || binding === undefined || gate === undefined) {
        throw governanceErrors.not_approved(
          `${model} version ${number} is not approved: ${standing.message}`,
        )
      }
      return { binding, evidence: gate.evidence }
    },

    async wasApproved(model, number, binding) {
      const given = (await store.approvals(model, number)).filter((a) => a.binds === binding)
      if (given.some((approval) => approval.verdict === 'refuse')) return false
      const runs = await store.gateRuns(model, number)
      const run = runs.find((r) => bindingOf(r) === binding && r.passed)
      const gate = run === undefined ? undefined : await store.gate(run.gateHash)
      if (gate === undefined) return false
      return new Set(given.map((approval) => approval.identityId)).size >= gate.approvals
    },
  }
  return governance
}

/** A figure that is not finite has no canonical form, so nothing could bind it. */
function checkFigures({ metrics, champion }: Evidence): void {
  const { candidate, difference, low, high } = champion ?? {}
  const figures = [candidate, champion?.champion, difference, low, high]
  for (const metric of Object.values(metrics)) {
    figures.push(metric.value, metric.low, metric.high, metric.n)
  }
  if (!figures.every((figure) => figure === undefined || Number.isFinite(figure))) {
    throw governanceErrors.evidence_invalid('A metric or its interval is NaN or infinite.')
  }
}

/** Whether applying a project again changes nothing that the inventory keeps. */
function sameEntry(a: InventoryEntry, b: InventoryEntry): boolean {
  return contentHash({ ...a, updatedAtUs: 0 }) === contentHash({ ...b, updatedAtUs: 0 })
}
