// Who is tried beside a champion: proposed by one person, confirmed by another, ended by anybody who may.
// The order of the checks is that of the questions a person would ask.
import {
  requireMay,
  requireReason,
  type Access,
  type ChangeBy,
  type Identity,
} from '../access/index.ts'
import type { AuditLog } from '../audit/index.ts'
import type { AfterReviews, Governance } from '../governance/index.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { formatTimestamp } from '../lib/time.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import type { ModelVersion, Registry } from '../registry/index.ts'
import { championOf, type Deployments } from './deployments.ts'
import { servingErrors } from './errors.ts'
import { checkSpec } from './challenger-spec.ts'
import type { DeploymentStore } from './ports.ts'
import type {
  ChallengerSpec,
  ChallengerTraffic,
  Deployment,
  DeploymentAction,
  Proposal,
  Suspension,
} from './types.ts'

/**
 * Makes the document in which these challengers stand beside a deployment's champion, and returns its
 * hash; it refuses what would not decide (`deployment_invalid`, `rule_invalid`).
 */
export type Compose = (
  current: Deployment,
  challengers: readonly ChallengerTraffic[],
  sticky: string | undefined,
) => Promise<string>

export interface ChallengeRequest {
  readonly policy: string
  readonly challenger: ChallengerSpec
  /** The column by whose values traffic is divided. */
  readonly sticky: string
}

export interface Challengers {
  /**
   * Asks for a challenger; nothing changes until another person confirms. Errors: `challenger_invalid`,
   * `challenger_unready`, `policy_undeployed`, `proposal_by_script`, `forbidden`.
   */
  propose(request: ChallengeRequest, identityId: string, reason: string): Promise<Proposal>
  /** Asks that a suspended champion is asked again. Errors: `suspension_unchanged`, `proposal_waits`. */
  proposeResume(policy: string, identityId: string, reason: string): Promise<Proposal>
  /**
   * A second person says so too, and it is turned on. A new deployment for a challenger, undefined
   * for a model that is asked again. Errors: `proposal_missing`, `proposal_closed`, `proposal_outdated`,
   * `proposal_self`, `proposal_by_script`, those of `propose`, and what `compose` refuses.
   */
  confirm(
    id: string,
    identityId: string,
    reason: string,
    compose: Compose,
  ): Promise<Deployment | undefined>
  /**
   * Takes a proposal off the list; whoever may propose may do so. Errors: `proposal_missing`,
   * `proposal_closed`.
   */
  withdraw(id: string, identityId: string, reason: string): Promise<Proposal>
  /** Why an identity may not confirm a proposal; undefined where it may. */
  obstacle(proposal: Proposal, identityId: string): Promise<string | undefined>
  /** Newest first. */
  proposals(policy: string): Promise<Proposal[]>
  /**
   * Ends a challenger at once: one person (`end`), or a guard (`withdraw`). Errors: `challenger_unknown`,
   * `policy_undeployed`.
   */
  end(
    request: {
      readonly policy: string
      readonly name: string
      readonly action: 'end' | 'withdraw'
    },
    by: ChangeBy,
    compose: Compose,
  ): Promise<Deployment>
  /** A canary's next step. Errors: `challenger_unknown`; `challenger_invalid` after the last one. */
  advance(policy: string, name: string, by: ChangeBy, compose: Compose): Promise<Deployment>
  /**
   * The champion is not asked any more, at once; another person looks at it afterwards. Errors:
   * `suspension_unchanged`, `policy_undeployed`.
   */
  suspend(policy: string, by: ChangeBy): Promise<Suspension>
  /** Of every policy that ever had one. */
  suspensions(): Promise<Suspension[]>
}

export interface ChallengersDependencies {
  readonly store: DeploymentStore
  readonly deployments: Pick<Deployments, 'current' | 'changeBeside'>
  readonly registry: Pick<Registry, 'version'>
  readonly governance: Pick<Governance, 'standing' | 'inventoryEntry'>
  readonly access: Pick<Access, 'identity'>
  readonly afterReviews: Pick<AfterReviews, 'open'>
  readonly unit: UnitOfWork
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
  readonly ids: Ids
}

/** As many proposals of a policy are listed. */
const PROPOSALS_MAX = 50

export function createChallengers(dependencies: ChallengersDependencies): Challengers {
  const { store, deployments, registry, governance, access } = dependencies
  const { afterReviews, unit, audit, clock, ids } = dependencies

  async function currentOf(policy: string): Promise<Deployment> {
    const current = await deployments.current(policy)
    if (current !== undefined) return current
    throw servingErrors.policy_undeployed(`No deployment answers ${policy}.`)
  }

  /** Error: `challenger_unready` where the version may not take part in this mode. */
  async function requireReady({ model, version, mode }: ChallengerSpec): Promise<ModelVersion> {
    const found = await registry.version(model, version)
    const standing = await governance.standing(model, version)
    const isApproved = standing.state === 'approved'
    const isShadowable = standing.gate?.passed === true && standing.state !== 'refused'
    if (mode === 'live' ? !isApproved : !isShadowable) {
      throw servingErrors.challenger_unready(
        `${model} version ${version} cannot take ${mode} traffic: ${standing.message}`,
      )
    }
    return found
  }

  async function requireNew(spec: ChallengerSpec, current: Deployment): Promise<void> {
    checkSpec(spec, current.challengers ?? [])
    if (spec.model === current.model && spec.version === current.version) {
      throw servingErrors.challenger_invalid(`Version ${spec.version} is the champion itself.`)
    }
    await requireReady(spec)
  }

  async function add(
    proposal: Omit<Extract<Proposal, { kind: 'challenge' }>, keyof Common> | { kind: 'resume' },
    policy: string,
    identityId: string,
    why: string,
  ): Promise<Proposal> {
    const object = { kind: 'policy', id: policy }
    const identity = requireMay(await access.identity(identityId), 'deploy', object)
    const reason = requireReason({ actor: identity, reason: why })
    const current = await currentOf(policy)
    await requirePerson(identity, proposal.kind === 'resume' ? current : proposal.challenger)
    const whole: Proposal = {
      ...proposal,
      id: ids('proposal'),
      policy,
      against: championOf(current),
      proposedBy: identityId,
      proposedByName: identity.name,
      reason,
      atUs: clock.nowUs(),
      state: 'open',
    }
    await store.putProposal(whole)
    await audit.append({
      actor: identityId,
      action:
        whole.kind === 'challenge' ? 'serving.challenger-proposed' : 'serving.resume-proposed',
      object,
      reason,
      details: { proposal: whole.id, ...(whole.kind === 'challenge' && { ...whole.challenger }) },
    })
    return whole
  }

  async function openProposal(id: string): Promise<Proposal> {
    const proposal = await store.proposal(id)
    if (proposal === undefined) throw servingErrors.proposal_missing(`There is no proposal ${id}.`)
    if (proposal.state === 'open') return proposal
    const { identityName, reason } = proposal.closed ?? {}
    throw servingErrors.proposal_closed(`It was ${proposal.state} by ${identityName}: ${reason}`)
  }

  async function requireSecond(proposal: Proposal, identityId: string) {
    const identity = requireMay(await access.identity(identityId), 'approve', {
      kind: 'policy',
      id: proposal.policy,
    })
    if (identityId === proposal.proposedBy) {
      throw servingErrors.proposal_self(`${identity.name} proposed it.`)
    }
    const { model, version } =
      proposal.kind === 'challenge' ? proposal.challenger : await currentOf(proposal.policy)
    const { trainedBy, registeredBy } = await registry.version(model, version)
    if (trainedBy.includes(identityId) || registeredBy === identityId) {
      throw servingErrors.proposal_self(
        `${identity.name} trained or registered ${model} version ${version}.`,
      )
    }
    await requirePerson(identity, { model })
    return identity
  }

  async function requirePerson({ name, kind }: Identity, { model }: Pick<Deployment, 'model'>) {
    if (kind === 'person' || (await governance.inventoryEntry(model))?.example === true) return
    throw servingErrors.proposal_by_script(`${name} is a ${kind}.`)
  }

  async function change(
    current: Deployment,
    challengers: readonly ChallengerTraffic[],
    action: Exclude<DeploymentAction, 'deploy' | 'rollback'>,
    by: ChangeBy,
    compose: Compose,
    sticky = current.sticky,
  ): Promise<Deployment> {
    const document = await compose(current, challengers, sticky)
    const { shadowed } = current
    const beside = { current, document, challengers, sticky, shadowed, action }
    return deployments.changeBeside(beside, by)
  }

  async function start(
    { challenger, sticky }: Extract<Proposal, { kind: 'challenge' }>,
    current: Deployment,
    by: ChangeBy,
    compose: Compose,
  ): Promise<Deployment> {
    await requireNew(challenger, current)
    const { modelHash, thresholds } = await requireReady(challenger)
    const nowUs = clock.nowUs()
    const { steps } = challenger
    const traffic: ChallengerTraffic = {
      ...challenger,
      modelHash,
      thresholds,
      fromUs: nowUs,
      ...(steps?.[0] && { share: steps[0].share, step: 0, stepFromUs: nowUs }),
    }
    const all = [...(current.challengers ?? []), traffic]
    return change(current, all, 'challenge', by, compose, current.sticky ?? sticky)
  }

  async function openResumes(policy: string): Promise<Proposal[]> {
    const known = await store.proposals(policy, PROPOSALS_MAX)
    return known.filter(({ kind, state }) => kind === 'resume' && state === 'open')
  }

  async function setSuspension(policy: string, suspended: boolean, by: ChangeBy) {
    const reason = requireReason(by)
    const known = (await store.suspensions()).find((each) => each.policy === policy)
    if ((known?.suspended ?? false) === suspended) {
      const state = suspended ? 'suspended' : 'asked'
      throw servingErrors.suspension_unchanged(`The model of ${policy} is ${state} already.`)
    }
    for (const waits of await openResumes(policy)) await close(waits, 'withdrawn', by)
    const { id: actorId, name: actorName } = by.actor
    const suspension = { policy, suspended, actorId, actorName, reason, atUs: clock.nowUs() }
    await store.putSuspension(suspension)
    await audit.append({
      actor: actorId,
      action: suspended ? 'serving.model-suspended' : 'serving.model-resumed',
      object: { kind: 'policy', id: policy },
      reason,
      details: {},
    })
    return suspension
  }

  const challengers: Challengers = {
    propose: ({ policy, challenger, sticky }, identityId, reason) =>
      unit.transaction(async () => {
        await requireNew(challenger, await currentOf(policy))
        return add({ kind: 'challenge', challenger, sticky }, policy, identityId, reason)
      }),
    proposeResume: (policy, identityId, reason) =>
      unit.transaction(async () => {
        const known = (await store.suspensions()).find((each) => each.policy === policy)
        if (known?.suspended !== true) {
          throw servingErrors.suspension_unchanged(`The model of ${policy} is not suspended.`)
        }
        const [waits] = await openResumes(policy)
        if (waits !== undefined) {
          throw servingErrors.proposal_waits(`${waits.proposedByName} proposed it: ${waits.id}.`)
        }
        return add({ kind: 'resume' }, policy, identityId, reason)
      }),
    confirm: (id, identityId, reason, compose) =>
      unit.transaction(async () => {
        const proposal = await openProposal(id)
        const identity = await requireSecond(proposal, identityId)
        const by = { actor: identity, reason }
        const { policy } = proposal
        const current = await currentOf(policy)
        if (championOf(current) !== proposal.against) {
          throw servingErrors.proposal_outdated(
            `${current.model} version ${current.version} decides by another document since ${formatTimestamp(current.fromUs)}.`,
          )
        }
        await close(proposal, 'confirmed', by)
        if (proposal.kind === 'challenge') return start(proposal, current, by, compose)
        await setSuspension(policy, false, by)
        return undefined
      }),
    withdraw: (id, identityId, reason) =>
      unit.transaction(async () => {
        const proposal = await openProposal(id)
        const object = { kind: 'policy', id: proposal.policy }
        const identity = requireMay(await access.identity(identityId), 'deploy', object)
        const by = { actor: identity, reason }
        const closed = await close(proposal, 'withdrawn', by)
        await audit.append({
          actor: identityId,
          action: 'serving.proposal-withdrawn',
          object,
          reason: requireReason(by),
          details: { proposal: id },
        })
        return closed
      }),
    async obstacle(proposal, identityId) {
      try {
        await requireSecond(proposal, identityId)
        return undefined
      } catch (error) {
        return (error as { detail?: string }).detail ?? String(error)
      }
    },
    proposals: (policy) => store.proposals(policy, PROPOSALS_MAX),
    end: ({ policy, name, action }, by, compose) =>
      unit.transaction(async () => {
        const current = await currentOf(policy)
        const found = challengerOf(current, name)
        const rest = (current.challengers ?? []).filter((each) => each !== found)
        if (action === 'end') {
          const what = `The challenger ${name} of ${policy} (${found.model} version ${found.version}) was ended.`
          const object = { kind: 'policy', id: policy }
          await afterReviews.open({ act: 'challenger-ended', what, object }, by)
        }
        return change(current, rest, action, by, compose)
      }),
    advance: (policy, name, by, compose) =>
      unit.transaction(async () => {
        const current = await currentOf(policy)
        const { steps = [], step, ...rest } = challengerOf(current, name)
        const next = step === undefined ? undefined : steps[step + 1]
        if (next === undefined) {
          throw servingErrors.challenger_invalid(`${name} has no further step to go to.`)
        }
        const { share } = next
        const moved = { ...rest, steps, share, step: step! + 1, stepFromUs: clock.nowUs() }
        const all = current.challengers!.map((each) => (each.name === name ? moved : each))
        return change(current, all, 'advance', by, compose)
      }),
    suspend: (policy, by) =>
      unit.transaction(async () => {
        const { model, version } = await currentOf(policy)
        const suspension = await setSuspension(policy, true, by)
        const what = `${model} version ${version} is not asked any more for ${policy}.`
        const object = { kind: 'policy', id: policy }
        await afterReviews.open({ act: 'model-suspended', what, object }, by)
        return suspension
      }),
    suspensions: () => store.suspensions(),
  }
  return challengers

  async function close(proposal: Proposal, state: 'confirmed' | 'withdrawn', by: ChangeBy) {
    const { id: identityId, name: identityName } = by.actor
    const reason = requireReason(by)
    const closed = { identityId, identityName, reason, atUs: clock.nowUs() }
    const whole: Proposal = { ...proposal, state, closed }
    await store.putProposal(whole)
    return whole
  }
}

type Common = Pick<
  Proposal,
  | 'id'
  | 'policy'
  | 'against'
  | 'proposedBy'
  | 'proposedByName'
  | 'reason'
  | 'atUs'
  | 'state'
  | 'closed'
>

function challengerOf({ policy, challengers = [] }: Deployment, name: string): ChallengerTraffic {
  const found = challengers.find((each) => each.name === name)
  if (found !== undefined) return found
  const known = challengers.map((each) => each.name).join(', ') || 'none'
  throw servingErrors.challenger_unknown(
    `${name} does not challenge the champion of ${policy}; there are: ${known}.`,
  )
}

/** The documents in which a challenger has taken part since it began, or on one of its steps. */
export function documentsOf(
  history: readonly Deployment[],
  { name, fromUs }: ChallengerTraffic,
  step?: number,
): string[] {
  const isIn = (each: ChallengerTraffic) =>
    each.name === name && each.fromUs === fromUs && (step === undefined || each.step === step)
  const found = history.filter(({ challengers }) => challengers?.some(isIn))
  return [...new Set(found.map(({ document }) => document))]
}
