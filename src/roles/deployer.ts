// From an approved version to the process that decides: the document is published as an immutable
// file, the deployment is recorded with its audit entry, and `decide` is told to switch.
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChangeBy } from '../access/index.ts'
import {
  createEngine,
  decisionErrors,
  directoryDeployments,
  draftDocument,
  fallbackDefaults,
  publishDeployment,
  readDeployment,
  withStated,
  type CompiledPolicy,
  type DecideRemote,
  type DeployedPolicy,
} from '../decisions/index.ts'
import { isAssayError } from '../lib/errors.ts'
import { contentHash } from '../lib/hash.ts'
import type { Remote } from '../lib/rpc.ts'
import { deploymentDocument } from '../pipelines/index.ts'
import type { CompiledProject } from '../projects/index.ts'
import type { Registry } from '../registry/index.ts'
import {
  championOf,
  type ChallengerTraffic,
  type Challengers,
  type Compose,
  type Deployment,
  type Deployments,
} from '../serving/index.ts'
import { rolesErrors } from './errors.ts'

export interface Deployer {
  deployVersion(model: string, version: number, by: ChangeBy): Promise<void>
  /** An approved policy with the present model, and beside it the challengers that there were. */
  deployPolicy(policy: CompiledPolicy, by: ChangeBy): Promise<void>
  /** Runs the rules of a draft beside what decides, or of none any more. */
  runShadow(
    policy: string,
    shadow: { readonly draft: string; readonly with: CompiledPolicy } | undefined,
    by: ChangeBy,
  ): Promise<void>
  rollBack(request: { policy: string; version?: number | undefined }, by: ChangeBy): Promise<void>
  /** Confirms what another person proposed, and turns it on. */
  confirmProposal(id: string, identityId: string, reason: string): Promise<void>
  endChallenger(
    request: { policy: string; name: string; action: 'end' | 'withdraw' },
    by: ChangeBy,
  ): Promise<void>
  /** A canary's next step. */
  advanceChallenger(policy: string, name: string, by: ChangeBy): Promise<void>
  /** From the next decision on the champion is not asked. */
  suspendModel(policy: string, by: ChangeBy): Promise<void>
  /** Brings every namespace that decides to what is deployed; safe to call at any time. */
  reconcile(): Promise<void>
}

export interface DeployerPorts {
  /** Folder of published documents. */
  readonly directory: string
  readonly project: () => CompiledProject | undefined
  readonly registry: Pick<Registry, 'version' | 'modelJson'>
  readonly serving: Deployments
  readonly challengers: Challengers
  readonly decide: Remote<DecideRemote>
  /** The policy that people approved as a draft and that is live; undefined where there is none. */
  readonly keptPolicy?: (policy: string) => Promise<CompiledPolicy | undefined>
  /** Resolves when `decide` has made ready what a document asks outside of it. */
  readonly modelsReady?: (document: DeployedPolicy) => Promise<void>
  /** File of the base checkpoint for the features of a published document. */
  readonly baseOf: (document: string) => Promise<string>
  /** Between two questions to a `decide` that cannot record now. */
  readonly pause?: (ms: number) => Promise<void>
}

/** For how long, and how often, `decide` is asked again while nothing can be recorded. */
const PAUSED_MS_MAX = 30_000
const PAUSED_LOOK_MS = 250

export function createDeployer(ports: DeployerPorts): Deployer {
  const { directory, project, registry, serving, challengers, decide, pause = sleep } = ports
  const documents = directoryDeployments(directory)

  /** Challengers, and rules in shadow, beside a champion's document. */
  async function beside(
    champion: string,
    traffic: readonly ChallengerTraffic[],
    sticky: string | undefined,
    policy: CompiledPolicy | undefined,
  ): Promise<string> {
    const base = await readDeployment(documents, champion)
    if (traffic.length === 0 && policy === undefined) return champion
    const challengers = await Promise.all(
      traffic.map(async (each) => ({
        name: each.name,
        ...withStated(base.policy, await scoredBy(each.model, each.version)),
        traffic:
          each.mode === 'shadow'
            ? { mode: each.mode, share: each.share }
            : { mode: each.mode, share: each.share, ...(each.when && { when: each.when }) },
      })),
    )
    return publish({
      ...base,
      ...(policy && { policy }),
      ...(challengers.length > 0 && { challengers, ...(sticky && { sticky }) }),
    })
  }

  const compose: Compose = async (current, traffic, sticky) => {
    const { shadowed, document } = current
    const policy = shadowed && (await readDeployment(documents, document)).policy
    return beside(championOf(current), traffic, sticky, policy)
  }

  async function scoredBy(model: string, number: number) {
    const { modelHash: version, thresholds } = await registry.version(model, number)
    const body = JSON.parse(await registry.modelJson(model, number))
    return {
      model: { name: model, number, version, body },
      thresholds: { decline: thresholds['decline'], review: thresholds['review'] },
    }
  }

  /** The champion that a new one leaves behind, where it can answer for the new document's features. */
  async function lastGoodFor(document: DeployedPolicy): Promise<Deployment['lastGood']> {
    const current = await serving.current(document.policy.name)
    const { name, number } = document.model
    if (current === undefined) return undefined
    const before =
      current.model === name && current.version === number
        ? current.lastGood
        : { model: current.model, version: current.version }
    if (before === undefined) return undefined
    const { status } = await registry.version(before.model, before.version)
    if (status === 'refused' || status === 'retired') return undefined
    const { features } = (await scoredBy(before.model, before.version)).model.body
    const known = new Set(featureNames(document))
    return (features as string[]).every((feature) => known.has(feature)) ? before : undefined
  }

  /** A policy may declare that no version before answers for its model. */
  async function withLastGood(document: DeployedPolicy) {
    const { policy } = document
    const isAsked = (policy.fallback ?? fallbackDefaults).lastGood
    const lastGood = isAsked ? await lastGoodFor(document) : undefined
    const { lastGood: _, ...alone } = document
    if (lastGood === undefined) return { document: alone, lastGood }
    const scored = withStated(policy, await scoredBy(lastGood.model, lastGood.version))
    return { document: { ...alone, lastGood: scored }, lastGood }
  }

  /** A policy that people approved stays when the project brings its next model. */
  async function keptIn(declared: DeployedPolicy): Promise<DeployedPolicy> {
    const { name, source, featureSets } = declared.policy
    const kept = await ports.keptPolicy?.(name)
    if (kept === undefined) return declared
    const isSame = (one: unknown, other: unknown) => contentHash(one) === contentHash(other)
    if (!isSame(kept.source, source) || !isSame(kept.featureSets, featureSets)) {
      throw decisionErrors.policy_kept(
        `Policy "${name}" is live as people approved it, over other features than the project declares now.`,
      )
    }
    return draftDocument(declared, kept)
  }

  /** What would not decide is refused here, before anything is recorded. */
  async function publish(document: DeployedPolicy): Promise<string> {
    createEngine(document, featureNames(document))
    await ports.modelsReady?.(document)
    return publishDeployment(directory, document)
  }

  /** To every namespace; what cannot be told now is told again by `reconcile`. */
  async function tellSuspensions(): Promise<void> {
    const suspensions = await challengers.suspensions()
    if (suspensions.length === 0) return
    for (const { namespace, policies } of await decide.namespaces()) {
      for (const { policy, suspended, actorId: actor, reason } of suspensions) {
        if (!policies.some((each) => each.policy === policy)) continue
        const now = await decide.controls({ namespace, policy })
        if ((now.suspended !== null) === suspended) continue
        const change = suspended ? 'suspend' : 'resume'
        await decide.changeModel({ namespace, policy, change, actor, reason })
      }
    }
  }

  /**
   * Tells `decide`, and again while a base is being loaded or the disk is full. What is recorded here and
   * was not told in time is told by `reconcile`. Error: `decisions_paused` after half a minute.
   */
  async function onceItRecords(tell: () => Promise<void>): Promise<void> {
    for (let waitedMs = 0; ; waitedMs += PAUSED_LOOK_MS) {
      try {
        return await tell()
      } catch (error) {
        if (!isAssayError(error, 'decisions_paused') || waitedMs >= PAUSED_MS_MAX) throw error
        await pause(PAUSED_LOOK_MS)
      }
    }
  }

  const bring = (deployment: Deployment) => onceItRecords(() => switchTo(deployment))

  async function switchTo(deployment: Deployment): Promise<void> {
    for (const { namespace, base, policies } of await decide.namespaces()) {
      const current = policies.find(({ policy }) => policy === deployment.policy)
      if (base === null || current?.deployment === deployment.document) continue
      await switchNamespace(namespace, deployment)
    }
  }

  async function switchNamespace(namespace: string, deployment: Deployment): Promise<void> {
    const { policy, document, actorId: actor, reason } = deployment
    const request = { namespace, deployment: document, actor, reason }
    try {
      await decide.switchDeployment(request)
    } catch (error) {
      if (!isAssayError(error, 'state_missing')) throw error
      // Its features are new here: it starts from the state in which history ends for them.
      const path = await ports.baseOf(document)
      await decide.loadBase({ namespace, path, supersedes: [policy] })
      await decide.switchDeployment(request)
    }
  }

  return {
    async deployVersion(model, number, by) {
      const applied = project()
      if (applied === undefined) throw rolesErrors.project_missing('No project was applied yet.')
      const version = await registry.version(model, number)
      const { document, lastGood } = await withLastGood(
        await keptIn(deploymentDocument(applied, version, await registry.modelJson(model, number))),
      )
      const deployment = await serving.deploy(
        {
          policy: document.policy.name,
          policyHash: document.policy.version,
          document: await publish(document),
          model,
          version: number,
          lastGood,
        },
        by,
      )
      await bring(deployment)
    },
    async deployPolicy(policy, by) {
      const current = await serving.current(policy.name)
      if (current === undefined) {
        throw decisionErrors.policy_not_found(`Policy "${policy.name}" is not live.`)
      }
      const { model, version } = current
      const champion = await readDeployment(documents, championOf(current))
      const { document: decides, lastGood } = await withLastGood(
        draftDocument(champion, policy, await scoredBy(model, version)),
      )
      const document = await publish(decides)
      const request = { policy: policy.name, policyHash: policy.version, model, version, lastGood }
      const keepChallengers = ({ challengers: kept = [], sticky }: Deployment) =>
        beside(document, kept, sticky, undefined)
      try {
        await bring(await serving.deploy({ ...request, document, keepChallengers }, by))
      } catch (error) {
        if (!isAssayError(error, 'deployment_unchanged')) throw error
      }
    },
    async runShadow(policy, shadow, by) {
      const shadowed = shadow && { draft: shadow.draft, policyHash: shadow.with.version }
      const deployment = await serving.runShadow(policy, shadowed, by, (current) =>
        beside(championOf(current), current.challengers ?? [], current.sticky, shadow?.with),
      )
      if (deployment !== undefined) await bring(deployment)
    },
    async rollBack(request, by) {
      await bring(await serving.rollback(request, by))
    },
    async confirmProposal(id, identityId, reason) {
      const deployment = await challengers.confirm(id, identityId, reason, compose)
      if (deployment !== undefined) await bring(deployment)
      else await onceItRecords(tellSuspensions)
    },
    async endChallenger(request, by) {
      await bring(await challengers.end(request, by, compose))
    },
    async advanceChallenger(policy, name, by) {
      await bring(await challengers.advance(policy, name, by, compose))
    },
    async suspendModel(policy, by) {
      await challengers.suspend(policy, by)
      await onceItRecords(tellSuspensions)
    },
    async reconcile() {
      const history = await serving.history()
      for (const deployment of history.filter(({ toUs }) => toUs === undefined)) {
        try {
          await switchTo(deployment)
        } catch (error) {
          // `decide` is restarting; the next look finds it again.
          if (!isAssayError(error, 'peer_unavailable')) throw error
        }
      }
      try {
        await tellSuspensions()
      } catch (error) {
        if (!isAssayError(error, 'peer_unavailable')) throw error
      }
    },
  }
}

/** The features that live state computes for a document. */
function featureNames({ featureSets }: DeployedPolicy): string[] {
  return featureSets.flatMap(({ features }) => features.map(({ name }) => name))
}
