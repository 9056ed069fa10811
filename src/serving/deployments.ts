import { requireReason, type ChangeBy } from '../access/index.ts'
import type { AuditLog } from '../audit/index.ts'
import type { AfterReviews, Governance } from '../governance/index.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import type { Registry } from '../registry/index.ts'
import { servingErrors } from './errors.ts'
import type { DeploymentStore } from './ports.ts'
import type {
  BesideChange,
  ChallengerTraffic,
  Deployment,
  DeploymentAction,
  DeploymentChanged,
  DeployRequest,
  RollbackRequest,
} from './types.ts'

/** What answers each decision policy, and what answered it before. */
export interface Deployments {
  /**
   * Puts an approved version behind a decision policy. Policy and thresholds must be those of the
   * evidence that was approved. Errors: `deployment_policy_unapproved`, `deployment_unchanged`, and those
   * of governance where the version is not approved.
   */
  deploy(request: DeployRequest, by: ChangeBy): Promise<Deployment>
  /** Brings back an earlier deployment exactly as it was approved then. Error: `rollback_impossible`. */
  rollback(request: RollbackRequest, by: ChangeBy): Promise<Deployment>
  /** Puts others beside the champion; `Challengers` and drafts say whether that may be. */
  changeBeside(change: BesideChange, by: ChangeBy): Promise<Deployment>
  /**
   * Runs a draft's rules beside the champion, which answer nothing, or none any more; undefined where
   * it is so already. `compose` makes the document. Error: `policy_undeployed`.
   */
  runShadow(
    policy: string,
    shadowed: Deployment['shadowed'],
    by: ChangeBy,
    compose: (current: Deployment) => Promise<string>,
  ): Promise<Deployment | undefined>
  /** The deployment that `rollback` would bring back; undefined where there is none. */
  rollbackTarget(request: RollbackRequest): Promise<Deployment | undefined>
  current(policy: string): Promise<Deployment | undefined>
  /** Newest first; of every policy when none is given. */
  history(policy?: string): Promise<Deployment[]>
  /** What answered a policy at an instant (µs UTC). */
  at(policy: string, atUs: number): Promise<Deployment | undefined>
}

export interface DeploymentsDependencies {
  readonly store: DeploymentStore
  readonly registry: Pick<Registry, 'version' | 'goLive' | 'endLive'>
  readonly governance: Pick<Governance, 'requireApproved' | 'wasApproved'>
  readonly unit: UnitOfWork
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
  readonly ids: Ids
  readonly emit?: (event: DeploymentChanged) => void
  /** A roll-back is done by one person at once, and looked at by another one afterwards. */
  readonly afterReviews?: Pick<AfterReviews, 'open'>
  /** Whether a decision policy that differs from the evidence's was approved by itself. */
  readonly isPolicyApproved?: (policy: string, hash: string) => Promise<boolean>
}

/** What answers a policy, without who put it there and when. */
export type DeploymentContent = Omit<
  Deployment,
  'id' | 'action' | 'actorId' | 'actorName' | 'reason' | 'fromUs' | 'toUs' | 'replacedId'
>

const auditActions: Readonly<Record<DeploymentAction, string>> = {
  deploy: 'serving.deployed',
  rollback: 'serving.rolled-back',
  challenge: 'serving.challenger-started',
  advance: 'serving.challenger-advanced',
  end: 'serving.challenger-ended',
  withdraw: 'serving.challenger-withdrawn',
  shadow: 'serving.draft-shadowed',
  unshadow: 'serving.draft-shadow-ended',
}

const movesChampion: Readonly<Record<DeploymentAction, boolean>> = {
  deploy: true,
  rollback: true,
  challenge: false,
  advance: false,
  end: false,
  withdraw: false,
  shadow: false,
  unshadow: false,
}

export function createDeployments(dependencies: DeploymentsDependencies): Deployments {
  const { store, registry, governance, unit, audit, clock, ids, emit } = dependencies
  const { afterReviews, isPolicyApproved } = dependencies

  /** Ends what is live, starts what comes, and moves the registry, in the running transaction. */
  async function replace(
    next: DeploymentContent,
    action: DeploymentAction,
    previous: Deployment | undefined,
    by: ChangeBy,
  ): Promise<Deployment> {
    const reason = requireReason(by)
    const nowUs = clock.nowUs()
    if (previous !== undefined) await store.close(previous.id, nowUs)
    if (movesChampion[action]) {
      if (previous !== undefined && previous.model !== next.model) {
        await registry.endLive(previous.model, next.policy, by)
      }
      await registry.goLive(next.model, next.version, next.policy, by)
    }
    const deployment: Deployment = {
      ...next,
      id: ids('deployment'),
      action,
      actorId: by.actor.id,
      actorName: by.actor.name,
      reason,
      fromUs: nowUs,
      ...(previous === undefined ? {} : { replacedId: previous.id }),
    }
    await store.insert(deployment)
    await audit.append({
      actor: by.actor.id,
      action: auditActions[action],
      object: { kind: 'policy', id: next.policy },
      reason,
      details: {
        deployment: deployment.id,
        model: next.model,
        version: next.version,
        modelHash: next.modelHash,
        policyHash: next.policyHash,
        document: next.document,
        binding: next.binding,
        replaced: previous?.id ?? null,
        ...(next.challengers && {
          challengers: next.challengers.map(({ name, model, version, mode, share }) => {
            return { name, model, version, mode, share }
          }),
        }),
        ...(next.shadowed && { shadowed: { ...next.shadowed } }),
      },
    })
    if (movesChampion[action]) await auditLeft(previous, deployment)
    const closed = previous === undefined ? {} : { previous: { ...previous, toUs: nowUs } }
    unit.afterCommit(() => emit?.({ type: 'serving.deployment-changed', deployment, ...closed }))
    return deployment
  }

  /** Challengers were measured against the champion that goes; that they end with it is said of each. */
  async function auditLeft(previous: Deployment | undefined, next: Deployment): Promise<void> {
    const { actorId: actor, policy, id: deployment } = next
    for (const { name, model, version } of leftBehind(previous, next)) {
      await audit.append({
        actor,
        action: 'serving.challenger-ended',
        object: { kind: 'policy', id: policy },
        reason: `${next.model} version ${next.version} took the champion's place: ${next.reason}`,
        details: { deployment, name, model, version },
      })
    }
  }

  const deployments: Deployments = {
    deploy: (request, by) =>
      unit.transaction(async () => {
        const { policy, policyHash, document, model, version, lastGood } = request
        const { binding, evidence } = await governance.requireApproved(model, version)
        const approved = evidence.decisionPolicy
        const isOurs =
          approved?.name === policy &&
          (approved.hash === policyHash || (await isPolicyApproved?.(policy, policyHash)) === true)
        if (approved === undefined || !isOurs) {
          throw servingErrors.deployment_policy_unapproved(
            approved === undefined
              ? `${model} version ${version} was approved without a decision policy.`
              : `${model} version ${version} was approved for ${approved.name} ` +
                  `${approved.hash.slice(0, 12)}, not for ${policy} ${policyHash.slice(0, 12)}.`,
          )
        }
        const previous = await store.current(policy)
        if (previous !== undefined && championOf(previous) === document) {
          throw servingErrors.deployment_unchanged(`${policy} is answered by exactly this already.`)
        }
        const { modelHash } = await registry.version(model, version)
        const { thresholds } = approved
        const next = {
          policy,
          policyHash,
          document,
          model,
          version,
          modelHash,
          thresholds,
          binding,
        }
        const champion = { ...next, ...(lastGood && { lastGood }) }
        const { keepChallengers } = request
        const { challengers, sticky } = previous ?? {}
        if (previous === undefined || challengers === undefined || keepChallengers === undefined) {
          return replace(champion, 'deploy', previous, by)
        }
        const beside = { challengers, sticky, base: document }
        const all = { ...champion, ...beside, document: await keepChallengers(previous) }
        return replace(all, 'deploy', previous, by)
      }),

    rollback: (request, by) =>
      unit.transaction(async () => {
        const target = await deployments.rollbackTarget(request)
        if (target === undefined) {
          const wanted = request.version === undefined ? '' : ` by version ${request.version}`
          throw servingErrors.rollback_impossible(
            `No approved deployment before the live one answered ${request.policy}${wanted}.`,
          )
        }
        const current = await store.current(target.policy)
        const what =
          `${target.policy} went back from ${current?.model} version ${current?.version} ` +
          `to ${target.model} version ${target.version}.`
        const object = { kind: 'policy', id: target.policy }
        await afterReviews?.open({ act: 'rolled-back', what, object }, by)
        return replace(championContent(target), 'rollback', current, by)
      }),

    changeBeside: ({ current, document, challengers, sticky, shadowed, action }, by) =>
      unit.transaction(() => {
        const next: DeploymentContent = {
          ...championContent(current),
          ...(challengers.length > 0 && { challengers, sticky }),
          ...(shadowed && { shadowed }),
          ...((challengers.length > 0 || shadowed) && { base: championOf(current) }),
          document,
        }
        return replace(next, action, current, by)
      }),

    runShadow: (policy, shadowed, by, compose) =>
      unit.transaction(async () => {
        const current = await store.current(policy)
        if (current === undefined) {
          throw servingErrors.policy_undeployed(`No deployment answers ${policy}.`)
        }
        const { draft, policyHash } = current.shadowed ?? {}
        if (draft === shadowed?.draft && policyHash === shadowed?.policyHash) return undefined
        const { challengers = [], sticky } = current
        const document = await compose(current)
        const action = shadowed === undefined ? 'unshadow' : 'shadow'
        const change = { current, document, challengers, sticky, shadowed, action } as const
        return deployments.changeBeside(change, by)
      }),

    async rollbackTarget({ policy, version }) {
      const current = await store.current(policy)
      const history = await store.history(policy)
      const candidates =
        version === undefined
          ? beforeTheLiveOne(history, current)
          : history.filter((d) => d.version === version)
      for (const earlier of candidates) {
        if (earlier.toUs === undefined) continue
        if (current !== undefined && championOf(earlier) === championOf(current)) continue
        const { status } = await registry.version(earlier.model, earlier.version)
        if (status === 'refused' || status === 'retired') continue
        if (await governance.wasApproved(earlier.model, earlier.version, earlier.binding)) {
          return earlier
        }
      }
      return undefined
    },

    current: (policy) => store.current(policy),
    history: (policy) => store.history(policy),
    at: (policy, atUs) => store.at(policy, atUs),
  }
  return deployments
}

/** The champion by itself, in a document that holds nobody beside it. */
function championContent(deployment: Deployment): DeploymentContent {
  const { policy, policyHash, model, version, modelHash, thresholds, binding } = deployment
  const { lastGood } = deployment
  const document = championOf(deployment)
  const champion = { policy, policyHash, document, model, version, modelHash, thresholds, binding }
  return { ...champion, ...(lastGood !== undefined && { lastGood }) }
}

/** The challengers of a deployment that the one after it does not have. */
export function leftBehind(
  before: Deployment | undefined,
  after: Deployment,
): readonly ChallengerTraffic[] {
  const stays = ({ name, fromUs }: ChallengerTraffic) =>
    after.challengers?.some((each) => each.name === name && each.fromUs === fromUs) === true
  return (before?.challengers ?? []).filter((each) => !stays(each))
}

/** The document of the champion with nobody beside it. */
export function championOf({ base, document }: Deployment): string {
  return base ?? document
}

/**
 * What was deployed before the live champion first was. Rolling back twice therefore goes back
 * twice, and never forward to the version that the first roll-back left.
 */
function beforeTheLiveOne(history: readonly Deployment[], live: Deployment | undefined) {
  const deployed = history.findIndex(
    (d) => d.action === 'deploy' && live !== undefined && championOf(d) === championOf(live),
  )
  return history.slice(deployed + 1)
}
