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
  ChallengersChange,
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
   * evidence that was approved.
   */
  deploy(request: DeployRequest, by: ChangeBy): Promise<Deployment>
  /** Brings back an earlier deployment exactly as it was approved then. */
  rollback(request: RollbackRequest, by: ChangeBy): Promise<Deployment>
  /** Puts other challengers beside the champion; `Challengers` says whether that may be. */
  changeChallengers(change: ChallengersChange, by: ChangeBy): Promise<Deployment>
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
}

const movesChampion: Readonly<Record<DeploymentAction, boolean>> = {
  deploy: true,
  rollback: true,
  challenge: false,
  advance: false,
  end: false,
  withdraw: false,
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
      },
    })
    const closed = previous === undefined ? {} : { previous: { ...previous, toUs: nowUs } }
    unit.afterCommit(() => emit?.({ type: 'serving.deployment-changed', deployment, ...closed }))
    return deployment
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
        return replace({ ...next, ...(lastGood && { lastGood }) }, 'deploy', previous, by)
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

    changeChallengers: ({ current, document, challengers, sticky, action }, by) =>
      unit.transaction(() => {
        const champion = championContent(current)
        const next =
          challengers.length === 0
            ? champion
            : { ...champion, challengers, sticky, base: championOf(current) }
        return replace({ ...next, document }, action, current, by)
      }),

    async rollbackTarget({ policy, version }) {
      const current = await store.current(policy)
      const history = await store.history(policy)
      const candidates =
        version === undefined
          ? beforeTheLiveOne(history, current)
          : history.filter((d) => d.version === version)
      for (const earlier of candidates) {
        if (earlier.toUs === undefined || earlier.base !== undefined) continue
        if (current !== undefined && earlier.document === championOf(current)) continue
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

/** The champion by itself, in a document that holds no challengers. */
function championContent(deployment: Deployment): DeploymentContent {
  const { policy, policyHash, model, version, modelHash, thresholds, binding } = deployment
  const { document, lastGood } = deployment
  const champion = { policy, policyHash, document, model, version, modelHash, thresholds, binding }
  return { ...champion, ...(lastGood !== undefined && { lastGood }) }
}

/** The document of the champion without challengers. */
export function championOf({ base, document }: Deployment): string {
  return base ?? document
}

/**
 * What was deployed before the live champion first was. Rolling back twice therefore goes back
 * twice, and never forward to the version that the first roll-back left.
 */
function beforeTheLiveOne(history: readonly Deployment[], live: Deployment | undefined) {
  const deployed = history.findIndex(
    (d) => d.action === 'deploy' && live !== undefined && d.document === championOf(live),
  )
  return history.slice(deployed + 1)
}
