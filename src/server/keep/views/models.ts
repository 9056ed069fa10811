import type { Identity } from '../../../access/index.ts'
import { missingCardFields, type ModelCard, type Standing } from '../../../governance/index.ts'
import { defineErrors } from '../../../lib/errors.ts'
import type { ModelVersion } from '../../../registry/index.ts'
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
  metricTitles,
  metricView,
  ref,
  short,
  time,
  verdict,
  versionRef,
} from '../present.ts'
import type { Rooms } from '../rooms.ts'

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
  rooms: Rooms,
): Pick<Handlers, 'models' | 'model' | 'version' | 'giveApproval' | 'deploy' | 'rollBack'> {
  const { registry, governance, serving, access } = rooms
  const people = async () => new Map((await access.identities()).map((each) => [each.id, each]))
  type People = Awaited<ReturnType<typeof people>>

  async function summaryOf(version: ModelVersion, known: People): Promise<VersionSummary> {
    const standing = await governance.standing(version.model, version.version)
    return {
      model: version.model,
      version: version.version,
      hash: version.hash,
      name: version.build.declaration,
      learner: version.kind,
      status: version.status,
      statusSentence: standing.message,
      createdAt: time(version.registeredAtUs),
      registeredBy: identityView(known.get(version.registeredBy), version.registeredBy),
      run: ref('run', version.build.runId, version.build.declaration),
      metrics: Object.entries(version.metrics).map(([name, metric]) => metricView(name, metric)),
      verdict: standingVerdict(version, standing),
    }
  }

  async function modelSummary(name: string, known: People): Promise<ModelSummary> {
    const [versions, entry] = await Promise.all([
      registry.versions(name),
      governance.inventoryEntry(name),
    ])
    const live = versions.find(({ status }) => status === 'live')
    const [latest] = versions
    const liveSummary = live && (await summaryOf(live, known))
    return {
      name,
      title: name,
      purpose: entry?.purpose ?? '',
      owner: entry?.owner ?? '',
      versions: versions.length,
      live: liveSummary ?? null,
      latest: latest === undefined ? null : await summaryOf(latest, known),
      verdict: liveSummary
        ? verdict('ok', `Version ${liveSummary.version} is live.`)
        : verdict('no-data', 'No version is live.'),
    }
  }

  async function modelView(name: string, identity: Identity): Promise<Model> {
    const known = await people()
    const model = await registry.model(name)
    const versions = await registry.versions(model.name)
    const deployments = (await serving.history()).filter((each) => each.model === name)
    const policies = [...new Set(deployments.map(({ policy }) => policy))]
    const target =
      policies[0] === undefined ? undefined : await serving.rollbackTarget({ policy: policies[0] })
    return {
      ...(await modelSummary(name, known)),
      items: await Promise.all(versions.map((version) => summaryOf(version, known))),
      deployments: deployments.map((each) => deploymentView(each, deployments, known)),
      policies: policies.map((policy) => ref('policy', policy)),
      rollback:
        target === undefined ? no('No earlier deployment was approved.') : mayDeploy(identity),
      rollbackTo: target === undefined ? null : versionRef(target.model, target.version),
    }
  }

  async function versionView(model: string, number: number, identity: Identity): Promise<Version> {
    const known = await people()
    const version = await registry.version(model, number)
    const [standing, card, json, deployments, obstacle] = await Promise.all([
      governance.standing(model, number),
      governance.card(model, number),
      registry.modelJson(model, number),
      serving.history(),
      governance.verdictObstacle(model, number, identity.id),
    ])
    const ofModel = deployments.filter((each) => each.model === model)
    const verdictAllowed = obstacle === undefined ? yes : no(obstacle)
    return {
      ...(await summaryOf(version, known)),
      bytes: Buffer.byteLength(json),
      format: 'assay-model/1',
      trainedBy: identityView(
        known.get(version.trainedBy[0] ?? ''),
        version.trainedBy[0] ?? 'system',
      ),
      card: cardView(card?.card, card?.watermark),
      gate: gateView(standing),
      approvals: approvalsView(standing),
      lineage: lineageView(version),
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
      },
    }
  }

  return {
    async models() {
      const known = await people()
      const models = await registry.models()
      return { items: await Promise.all(models.map(({ name }) => modelSummary(name, known))) }
    },
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
    { title: 'Run', text: build.runId, target: ref('run', build.runId) },
    { title: 'Label', text: build.label, target: null },
    { title: 'Code revision', text: build.codeRevision, target: null },
    { title: 'Seed', text: String(build.seed), target: null },
    { title: 'Model', text: `sha256 ${version.modelHash}`, target: null },
  ]
}

/** Sections of a card in reading order, each field with the paths that "complete" asks for. */
function cardView(card: ModelCard | undefined, watermark: string | undefined): Version['card'] {
  if (card === undefined) return { complete: false, watermark: watermark ?? null, sections: [] }
  const missing = new Set(missingCardFields(card))
  const entry = (name: string, path: string, texts: readonly string[]) => ({
    name,
    text: texts.filter((text) => text !== '').join('\n'),
    missing: missing.has(path),
  })
  const { model_details: details, model_parameters: parameters, considerations } = card
  const described = (list: readonly { readonly description: string }[]) =>
    list.map((each) => each.description)
  return {
    complete: missing.size === 0,
    watermark: watermark ?? null,
    sections: [
      {
        title: 'Model details',
        entries: [
          entry('Name', 'model_details.name', [details.name]),
          entry('Overview', 'model_details.overview', [details.overview]),
          entry(
            'Owners',
            'model_details.owners',
            details.owners.map(({ name }) => name),
          ),
          entry('Version', 'model_details.version', [details.version.name]),
          entry('Date', 'model_details.version.date', [details.version.date]),
          entry('Documentation', 'model_details.documentation', [details.documentation]),
        ],
      },
      {
        title: 'Parameters',
        entries: [
          entry('Architecture', 'model_parameters.model_architecture', [
            parameters.model_architecture,
          ]),
          entry(
            'Data',
            'model_parameters.data',
            parameters.data.map(({ name, description }) => `${name}: ${description}`),
          ),
          entry(
            'Input',
            'model_parameters.input_format_map',
            parameters.input_format_map.map(({ key, value }) => `${key}: ${value}`),
          ),
          entry('Output', 'model_parameters.output_format', [
            parameters.output_format,
            ...parameters.output_format_map.map(({ key, value }) => `${key}: ${value}`),
          ]),
        ],
      },
      {
        title: 'Quantitative analysis',
        entries: card.quantitative_analysis.performance_metrics.map((metric) =>
          entry(
            metricTitles[metric.type] ?? metric.type,
            'quantitative_analysis.performance_metrics',
            [
              metric.confidence_interval === undefined
                ? round(metric.value)
                : `${round(metric.value)} (${round(metric.confidence_interval.lower_bound)} to ${round(metric.confidence_interval.upper_bound)})`,
            ],
          ),
        ),
      },
      {
        title: 'Considerations',
        entries: [
          entry('Users', 'considerations.users', described(considerations.users)),
          entry('Use cases', 'considerations.use_cases', described(considerations.use_cases)),
          entry('Limitations', 'considerations.limitations', described(considerations.limitations)),
          entry('Trade-offs', 'considerations.tradeoffs', described(considerations.tradeoffs)),
          entry(
            'Ethical considerations',
            'considerations.ethical_considerations',
            considerations.ethical_considerations.map(
              ({ name, mitigation_strategy: by }) => `${name} ${by}`,
            ),
          ),
        ],
      },
    ],
  }
}

const round = (text: string): string => Number(text).toFixed(3)
