// What the parts of the registry's service share.
import { requireReason, type ChangeBy } from '../access/index.ts'
import type { AuditLog } from '../audit/index.ts'
import type { Clock } from '../lib/clock.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import { registryErrors } from './errors.ts'
import type { RegistryStore } from './ports.ts'
import type { LabelledVersion, RegisteredModel, RegistryEvent } from './types.ts'
import type { Notice } from './webhooks/notices.ts'

export interface RegistryContext {
  readonly store: RegistryStore
  readonly unit: UnitOfWork
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
  readonly emit?: ((event: RegistryEvent) => void) | undefined
  /** Keeps what other systems are told, in the transaction of the change itself. */
  readonly notify?: ((notice: Notice) => Promise<void>) | undefined
}

/** A model that is there and was not deleted. Error: `model_not_found`. */
export async function modelOrFail(store: RegistryStore, name: string): Promise<RegisteredModel> {
  const model = await store.model(name)
  if (model === undefined || model.deletedAtUs !== undefined) {
    throw notFound(name)
  }
  return model
}

/** A version that is there and was not deleted. Error: `version_not_found`. */
export async function presentOrFail(
  store: RegistryStore,
  model: string,
  version: number,
): Promise<LabelledVersion> {
  const found = await store.labelled(model, version)
  if (found === undefined || found.labels.deletedAtUs !== undefined) {
    throw versionNotFound(model, version)
  }
  return found
}

// In the words of MLflow's server, whose clients look for them.
export function notFound(model: string) {
  return registryErrors.model_not_found(`Registered Model with name=${model} not found`)
}

export function versionNotFound(model: string, version: number) {
  return registryErrors.version_not_found(
    `Model Version (name=${model}, version=${version}) not found`,
  )
}

/** Appends the audit entry of a change to a model, or to one version of it. */
export async function record(
  { audit }: Pick<RegistryContext, 'audit'>,
  action: string,
  object: { readonly model: string; readonly version?: number },
  by: ChangeBy,
  details: Record<string, unknown>,
): Promise<void> {
  const { model, version } = object
  await audit.append({
    actor: by.actor.id,
    action: `registry.${action}`,
    object:
      version === undefined
        ? { kind: 'model', id: model }
        : { kind: 'model-version', id: `${model}/${version}` },
    reason: requireReason(by),
    details,
  })
}

/** Bounds of what people write on models and versions: characters. */
export const labelLimits = {
  modelName: 250,
  alias: 255,
  tagKey: 250,
  tagValue: 100_000,
  description: 100_000,
} as const

/** Error: `model_label_invalid`. */
export function checkTags(tags: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(tags)) {
    if (key.trim() === '' || key.length > labelLimits.tagKey) {
      throw registryErrors.model_label_invalid(
        `A tag's key of ${key.length} characters is not one of 1 to ${labelLimits.tagKey}.`,
      )
    }
    if (value.length > labelLimits.tagValue) {
      throw registryErrors.model_label_invalid(
        `The value of tag ${key} has ${value.length} characters, more than ${labelLimits.tagValue}.`,
      )
    }
    checkWhole('A tag', key)
    checkWhole(`The value of tag ${key}`, value)
  }
}

/** What no store keeps as it is. Error: `model_label_invalid`. */
export function checkWhole(what: string, text: string | undefined): void {
  if (text === undefined || (text.isWellFormed() && !text.includes('\0'))) return
  throw registryErrors.model_label_invalid(
    `${what} has a NUL or half of a character, which no store keeps as it is.`,
  )
}

/** Error: `model_label_invalid`. */
export function checkDescription(description: string | undefined): void {
  if (description !== undefined && description.length > labelLimits.description) {
    throw registryErrors.model_label_invalid(
      `The description has ${description.length} characters, more than ${labelLimits.description}.`,
    )
  }
  checkWhole('The description', description)
}

/** Error: `model_name_invalid`. */
export function checkModelName(name: string): void {
  // A name is used as a part of paths and addresses.
  const isPath = name === '.' || name.startsWith('..') || /[/:\0]/.test(name)
  const isLong = name.length > labelLimits.modelName
  if (name.trim() === '' || isLong || isPath || !name.isWellFormed()) {
    throw registryErrors.model_name_invalid(`"${name.slice(0, 300)}" is no name of a model.`)
  }
}
