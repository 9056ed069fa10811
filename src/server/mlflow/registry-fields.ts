// Request fields and answers that models, versions and webhooks share.
import {
  stages,
  type LabelledVersion,
  type RegisteredModel,
  type Stage,
} from '../../registry/index.ts'
import { encodeTags, toMs } from './encode.ts'
import { list, record, some, text, type TextRule } from './endpoint.ts'
import { invalidSentence, missing, mlflowErrors } from './errors.ts'
import { atMost, entityKey, every } from './text-rules.ts'

const modelName: TextRule = (value, path) => {
  if (value.trim() === '') return missing(path).detail
  if (/[/:]/.test(value)) {
    return `Invalid model name '${value.slice(0, 300)}'. Names cannot contain '/' or ':'.`
  }
  if (value === '.' || value.startsWith('..')) {
    const resolves =
      'Names may be treated as files in certain cases, and must not resolve to other names' +
      ` when treated as such. This name would resolve to '${value.slice(0, 300)}'`
    return invalidSentence(path, value, resolves)
  }
  return undefined
}

const aliasName: TextRule = (value) =>
  /^[\p{L}\p{N}_-]*$/u.test(value)
    ? undefined
    : `Invalid alias name: '${value.slice(0, 300)}'. Names may only contain alphanumerics, underscores (_), and dashes (-).`

export const theName = text({ required: true, rule: every(modelName, atMost(250, 'name')) })
export const theVersion = text({ required: true })
export const theAlias = text({
  required: true,
  rule: every(aliasName, atMost(255, 'Registered model alias name')),
})
export const registryTagKey = text({ required: true, rule: every(entityKey, atMost(250, 'key')) })
export const registryTagValue = text({ rule: atMost(100_000, 'value') })
export const registryTags = list(record({ key: registryTagKey, value: registryTagValue }))

/** Versions are sent as texts. */
export function numberOf(version: string): number {
  const number = /^\s*[+-]?\d{1,15}\s*$/.test(version) ? Number(version) : Number.NaN
  if (Number.isNaN(number)) {
    throw mlflowErrors.mlflow_request_invalid(
      `Parameter 'version' must be an integer, got '${version.slice(0, 100)}'.`,
    )
  }
  return number
}

const stageNames: Readonly<Record<Stage, string>> = {
  none: 'None',
  staging: 'Staging',
  production: 'Production',
  archived: 'Archived',
}

export function stageOf(name: string): Stage {
  const stage = stages.find((each) => each === name.toLowerCase())
  if (stage !== undefined) return stage
  throw mlflowErrors.mlflow_request_invalid(
    `Invalid Model Version stage: ${name.slice(0, 300)}. Value must be one of ${Object.values(stageNames).join(', ')}.`,
  )
}

export function encodeModel(
  model: RegisteredModel,
  latest: readonly LabelledVersion[],
  aliases: Readonly<Record<string, number>>,
) {
  return {
    name: model.name,
    creation_timestamp: toMs(model.createdAtUs),
    last_updated_timestamp: toMs(model.updatedAtUs),
    description: model.description || undefined,
    latest_versions: some(latest.map(encodeVersion)),
    tags: encodeTags(model.tags),
    aliases: some(
      Object.entries(aliases).map(([alias, version]) => ({ alias, version: String(version) })),
    ),
  }
}

export function encodeVersion({ version, labels, aliases }: LabelledVersion) {
  return {
    name: version.model,
    version: String(version.version),
    creation_timestamp: toMs(version.registeredAtUs),
    last_updated_timestamp: toMs(labels.updatedAtUs),
    current_stage: stageNames[labels.stage],
    description: labels.description,
    source: sourceUriOf(version),
    run_id: version.build.runId,
    status: 'READY',
    tags: encodeTags(labels.tags),
    run_link: version.brought?.runLink ?? '',
    aliases: some(aliases),
  }
}

/** What Assay built lies with its run, as a file of our own format. */
export function sourceUriOf({ brought, build }: LabelledVersion['version']): string {
  return brought?.source ?? `runs:/${build.runId}/model.json`
}
