import { may, type Identity } from '../../../access/index.ts'
import type { Standing } from '../../../governance/index.ts'
import { defineErrors, isAssayError } from '../../../lib/errors.ts'
import {
  originOf,
  type LabelledVersion,
  type ModelVersion,
  type RegisteredModel,
} from '../../../registry/index.ts'
import type { Deployment } from '../../../serving/index.ts'
import type {
  Model,
  ModelSummary,
  Permission,
  Verdict,
  Version,
  VersionSummary,
} from '../../contract/index.ts'
import type { Handlers } from '../handlers.ts'
import {
  identityView,
  metricView,
  ref,
  short,
  time,
  timeOrNull,
  verdict,
  versionRef,
} from '../present.ts'
import type { Rooms } from '../rooms.ts'
import { broughtView, namesOfRuns } from './brought-version.ts'
import type { ExperimentRooms } from './experiments-context.ts'
import { firstVersion } from './first-version.ts'
import { deletedModels, modelActs, modelPermissions, versionPermissions } from './model-acts.ts'
import { cardView } from './model-card.ts'
import { modelHistory } from './model-history.ts'

const errors = defineErrors({
  nothing_to_roll_back_to: {
    status: 409,
    title: 'There is nothing to roll back to',
    action: 'Deploy another approved version instead.',
  },
})

const yes: Permission = { allowed: true, reason: null }
const no = (reason: string): Permission => ({ allowed: false, reason })

export function modelViews(
  rooms: Rooms & Required<Pick<ExperimentRooms, 'models'>>,
): Pick<
  Handlers,
  | 'models'
  | 'model'
  | 'version'
  | 'giveApproval'
  | 'deploy'
  | 'rollBack'
  | 'setAlias'
  | keyof ReturnType<typeof modelActs>
> {
  const { registry, governance, serving, access } = rooms
  const people = async () => new Map((await access.identities()).map((each) => [each.id, each]))
  type People = Awaited<ReturnType<typeof people>>

  /** A model that no project enrolled has no gate, and so no version of it can be approved. */
  async function standingOf({ model, version, brought }: ModelVersion): Promise<Standing> {
    try {
      return await governance.standing(model, version)
    } catch (error) {
      if (!isAssayError(error, 'not_in_inventory')) throw error
      const message =
        brought === undefined
          ? 'No project put this model under governance, so no gate can hold.'
          : 'It was brought from elsewhere: its inputs are bound to no features, so it cannot go live; `assay models adopt` binds them.'
      const nobody = { required: 0, given: 0, approvals: [] }
      return { model, version, ...nobody, state: 'not-gated', message }
    }
  }

  async function obstacleTo({ model, version }: ModelVersion, identity: Identity) {
    try {
      return await governance.verdictObstacle(model, version, identity.id)
    } catch (error) {
      if (!isAssayError(error, 'not_in_inventory')) throw error
      return 'No project put this model under governance.'
    }
  }

  async function summaryOf(
    { version, labels, aliases }: LabelledVersion,
    known: People,
    runs: ReadonlyMap<string, string> = new Map(),
  ): Promise<VersionSummary> {
    const standing = await standingOf(version)
    return {
      origin: originOf(version),
      aliases: [...aliases],
      stage: labels.stage,
      description: labels.description ?? '',
      model: version.model,
      version: version.version,
      hash: version.hash,
      name: version.build.declaration,
      learner: version.kind,
      status: version.status,
      statusSentence: standing.message,
      createdAt: time(version.registeredAtUs),
      registeredBy: identityView(known.get(version.registeredBy), version.registeredBy),
      run:
        version.build.runId === ''
          ? null
          : ref(
              'run',
              version.build.runId,
              runs.get(version.build.runId) ?? version.build.declaration,
            ),
      metrics: Object.entries(version.metrics).map(([name, metric]) => metricView(name, metric)),
      verdict: standingVerdict(version, standing),
    }
  }

  async function modelSummary(model: RegisteredModel, known: People): Promise<ModelSummary> {
    const { name } = model
    const [counts, live, latest, entry] = await Promise.all([
      registry.statusCounts(name),
      firstVersion(registry, { model: name, status: 'live' }),
      firstVersion(registry, { model: name }),
      governance.inventoryEntry(name),
    ])
    const liveSummary = live && (await summaryOf(live, known))
    return {
      name,
      title: name,
      purpose: entry?.purpose ?? model.description ?? '',
      owner: entry?.owner ?? '',
      versions: Object.values(counts).reduce((sum, n) => sum + n, 0),
      live: liveSummary ?? null,
      latest: latest === undefined ? null : await summaryOf(latest, known),
      verdict: liveSummary
        ? verdict('ok', `Version ${liveSummary.version} is live.`)
        : verdict('no-data', 'No version is live.'),
    }
  }

  async function modelView(name: string, identity: Identity): Promise<Model> {
    const known = await people()
    // A deleted one is shown as such, so that it can be restored.
    const model =
      (await registry.allModels()).find((each) => each.name === name) ??
      (await registry.model(name))
    const all = await registry.allLabelled(model.name, 'with')
    const versions = all.filter(({ labels }) => labels.deletedAtUs === undefined)
    const runs = await namesOfRuns(rooms, versions)
    const deployments = (await serving.history()).filter((each) => each.model === name)
    const policies = [...new Set(deployments.map(({ policy }) => policy))]
    const target =
      policies[0] === undefined ? undefined : await serving.rollbackTarget({ policy: policies[0] })
    return {
      ...(await modelSummary(model, known)),
      items: await Promise.all(versions.map((version) => summaryOf(version, known, runs))),
      deployments: deployments.map((each) => deploymentView(each, deployments, known)),
      policies: policies.map((policy) => ref('policy', policy)),
      rollback:
        target === undefined ? no('No earlier deployment was approved.') : mayDeploy(identity),
      rollbackTo: target === undefined ? null : versionRef(target.model, target.version),
      history: await modelHistory(rooms, model.name, known),
      aliasing: may(identity, 'track') ? yes : no('Your role only reads.'),
      deletedAt: timeOrNull(model.deletedAtUs),
      deleted: all.flatMap(({ version, labels: { deletedAtUs } }) =>
        deletedAtUs === undefined
          ? []
          : {
              version: version.version,
              learner: version.kind,
              deletedAt: time(deletedAtUs),
              restore: versionPermissions(
                version,
                { version: true, model: model.deletedAtUs !== undefined },
                identity,
              ).restore,
            },
      ),
      may: await modelPermissions(
        rooms,
        model,
        versions.map(({ version }) => version),
        identity,
      ),
    }
  }

  async function versionView(model: string, number: number, identity: Identity): Promise<Version> {
    const known = await people()
    const labelled = (await registry.allLabelled(model, 'with')).find(
      (each) => each.version.version === number,
    )
    // A version that is not there is refused in the registry's words.
    const version = labelled?.version ?? (await registry.version(model, number))
    const { labels, aliases } = labelled ?? (await registry.labelled(model, number))
    const { brought } = version
    const [standing, card, json, deployments, obstacle, broughtSaid] = await Promise.all([
      standingOf(version),
      governance.card(model, number),
      brought === undefined ? registry.modelJson(model, number) : undefined,
      serving.history(),
      obstacleTo(version, identity),
      broughtView(rooms, rooms.models, version),
    ])
    const ofModel = deployments.filter((each) => each.model === model)
    const isDeleted = {
      version: labels.deletedAtUs !== undefined,
      model: (await registry.allModels()).some(
        ({ name, deletedAtUs }) => name === model && deletedAtUs !== undefined,
      ),
    }
    const verdictAllowed = obstacle === undefined ? yes : no(obstacle)
    return {
      ...(await summaryOf({ version, labels, aliases }, known)),
      bytes: json === undefined ? null : Buffer.byteLength(json),
      format: brought?.format ?? 'assay-model/1',
      source: brought?.source ?? null,
      tags: Object.entries(labels.tags).map(([name, value]) => ({ name, value })),
      deletedAt: timeOrNull(labels.deletedAtUs),
      trainedBy: identityView(
        known.get(version.trainedBy[0] ?? ''),
        version.trainedBy[0] ?? 'system',
      ),
      card: cardView(card?.card, card?.watermark),
      gate: gateView(standing),
      approvals: approvalsView(standing),
      lineage: lineageView(version),
      brought: broughtSaid,
      deployments: ofModel
        .filter((each) => each.version === number)
        .map((each) => deploymentView(each, ofModel, known)),
      may: {
        approve: verdictAllowed,
        refuse: verdictAllowed,
        deploy:
          version.status === 'approved'
            ? mayDeploy(identity)
            : no(version.status === 'live' ? 'It is live already.' : standing.message),
        ...versionPermissions(version, isDeleted, identity),
      },
    }
  }

  return {
    async models({ identity }) {
      const known = await people()
      const models = await registry.models()
      return {
        items: await Promise.all(models.map((model) => modelSummary(model, known))),
        deleted: await deletedModels(rooms, identity),
      }
    },
    ...modelActs(rooms),
    model: ({ params, identity }) => modelView(params.model, identity),
    version: ({ params, identity }) => versionView(params.model, params.version, identity),
    async giveApproval({ params, body, identity }) {
      const { model, version } = params
      const { decision, reason, binds } = body
      await governance.giveVerdict(
        { model, version, verdict: decision, reason, binds },
        identity.id,
      )
      return versionView(model, version, identity)
    },
    async deploy({ params, body, identity }) {
      await rooms.deployVersion(params.model, params.version, {
        actor: identity,
        reason: body.reason,
      })
      return modelView(params.model, identity)
    },
    async setAlias({ params, body, identity }) {
      const { model, alias } = params
      const by = { actor: identity, reason: body.reason }
      if (body.version === null) await registry.deleteAlias(model, alias, by)
      else await registry.setAlias(model, alias, body.version, by)
      return modelView(model, identity)
    },
    async rollBack({ params, body, identity }) {
      const history = await serving.history()
      const policy = history.find((each) => each.model === params.model)?.policy
      if (policy === undefined) {
        throw errors.nothing_to_roll_back_to(`${params.model} never answered a policy.`)
      }
      await rooms.rollBack({ policy, version: body.to }, { actor: identity, reason: body.reason })
      return modelView(params.model, identity)
    },
  }
}

function mayDeploy(identity: Identity): Permission {
  return identity.roles.includes('administrator')
    ? yes
    : no('Only an administrator sends traffic to a version.')
}

function standingVerdict(version: ModelVersion, standing: Standing): Verdict {
  if (version.status === 'live') return verdict('ok', 'It answers traffic.')
  switch (standing.state) {
    case 'approved':
      return verdict('ok', standing.message)
    case 'awaiting-approval':
      return verdict('warning', standing.message)
    case 'gate-failed':
    case 'refused':
      return verdict('alert', standing.message)
    case 'not-gated':
      return verdict('no-data', standing.message)
  }
}

function deploymentView(
  deployment: Deployment,
  all: readonly Deployment[],
  known: ReadonlyMap<string, Identity>,
): Model['deployments'][number] {
  const before = all.find(({ id }) => id === deployment.replacedId)
  return {
    at: time(deployment.fromUs),
    action: deployment.action,
    from: before === undefined ? null : versionRef(before.model, before.version),
    to: versionRef(deployment.model, deployment.version),
    by: identityView(known.get(deployment.actorId), deployment.actorId),
    reason: deployment.reason,
  }
}

function gateView({ gate }: Standing): Version['gate'] {
  if (gate === undefined) return null
  const failed = gate.checks.filter((check) => !check.passed)
  return {
    gate: ref('gate', gate.gate),
    gateVersion: gate.gateHash,
    passed: gate.passed,
    evaluatedAt: time(gate.ranAtUs),
    checks: gate.checks.map((check) => ({ ...check })),
    evidenceHash: gate.evidenceHash,
    sentence: gate.passed
      ? `All ${gate.checks.length} checks of ${gate.gate} hold.`
      : `${gate.gate} refused it: ${failed.map(({ message }) => message).join(' ')}`,
  }
}

function approvalsView(standing: Standing): Version['approvals'] {
  return {
    required: standing.required,
    given: standing.approvals.map((approval) => ({
      by: { id: approval.identityId, name: approval.identityName, kind: approval.identityKind },
      decision: approval.verdict,
      reason: approval.reason,
      at: time(approval.atUs),
      binds: approval.binds,
      valid: approval.counts,
      note: approval.voidBecause ?? null,
    })),
    binds: standing.binding ?? '',
    verdict: verdict(
      standing.state === 'approved'
        ? 'ok'
        : standing.state === 'awaiting-approval'
          ? 'warning'
          : 'no-data',
      standing.message,
    ),
  }
}

function lineageView(version: ModelVersion): Version['lineage'] {
  const { build } = version
  return [
    ...Object.entries(build.snapshots).map(([dataset, hash]) => ({
      title: 'Data snapshot',
      text: `${dataset} ${short(hash)}`,
      target: ref('snapshot', `${dataset}/${hash}`, dataset),
    })),
    ...build.featureSets.map((set) => ({
      title: 'Feature set',
      text: `${set.name} ${short(set.version)}`,
      target: ref('feature-set', set.name),
    })),
    ...(build.runId === ''
      ? []
      : [{ title: 'Run', text: build.runId, target: ref('run', build.runId) }]),
    ...[
      { title: 'Label', text: build.label },
      { title: 'Code revision', text: build.codeRevision },
      { title: 'Environment', text: build.environment ?? '' },
      { title: 'Seed', text: String(build.seed) },
      { title: 'Source', text: version.brought?.source ?? '' },
      { title: 'Registered as', text: version.registeredAs ?? '' },
      { title: 'Model', text: `sha256 ${version.modelHash}` },
    ]
      .filter(({ text }) => text !== '')
      .map((each) => ({ ...each, target: null })),
  ]
}
