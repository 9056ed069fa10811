// What systems outside are told of, in the form that MLflow's webhooks have (its
// webhooks/types.py), so that receivers written for them work.
import { promptTag } from '../types.ts'

/** What changed, as systems outside are told of it. Prompts are models that carry `promptTag`. */
export type Notice =
  | {
      readonly event: 'registered_model.created'
      readonly model: string
      readonly tags: Readonly<Record<string, string>>
      readonly description: string | null
    }
  | {
      readonly event: 'model_version.created'
      readonly model: string
      readonly version: number
      readonly source: string
      readonly runId: string | null
      readonly tags: Readonly<Record<string, string>>
      readonly description: string | null
    }
  | {
      readonly event: 'model_version_tag.set'
      readonly model: string
      readonly version: number
      readonly key: string
      readonly value: string
    }
  | {
      readonly event: 'model_version_tag.deleted'
      readonly model: string
      readonly version: number
      readonly key: string
    }
  | {
      readonly event: 'model_version_alias.created'
      readonly model: string
      readonly alias: string
      readonly version: number
    }
  | {
      readonly event: 'model_version_alias.deleted'
      readonly model: string
      readonly alias: string
    }
  | {
      readonly event: 'prompt_tag.set'
      readonly model: string
      readonly key: string
      readonly value: string
    }
  | { readonly event: 'prompt_tag.deleted'; readonly model: string; readonly key: string }

/** What a webhook may ask for. Changes to prompts go out under names of their own. */
export const webhookEvents = [
  'registered_model.created',
  'model_version.created',
  'model_version_tag.set',
  'model_version_tag.deleted',
  'model_version_alias.created',
  'model_version_alias.deleted',
  'prompt.created',
  'prompt_version.created',
  'prompt_tag.set',
  'prompt_tag.deleted',
  'prompt_version_tag.set',
  'prompt_version_tag.deleted',
  'prompt_alias.created',
  'prompt_alias.deleted',
] as const
export type WebhookEvent = (typeof webhookEvents)[number]

/** Names of the same changes where the model is a prompt. */
const ofPrompts: Partial<Record<Notice['event'], WebhookEvent>> = {
  'registered_model.created': 'prompt.created',
  'model_version.created': 'prompt_version.created',
  'model_version_tag.set': 'prompt_version_tag.set',
  'model_version_tag.deleted': 'prompt_version_tag.deleted',
  'model_version_alias.created': 'prompt_alias.created',
  'model_version_alias.deleted': 'prompt_alias.deleted',
}

export function eventOf(notice: Notice, prompt: boolean): WebhookEvent {
  return (prompt ? ofPrompts[notice.event] : undefined) ?? notice.event
}

/** The JSON that a receiver gets. */
export function bodyOf(event: WebhookEvent, notice: Notice, atUs: number): string {
  const [entity, action] = event.split('.')
  const timestamp = new Date(Math.floor(atUs / 1000)).toISOString()
  return JSON.stringify({ entity, action, timestamp, data: dataOf(event, notice) })
}

function dataOf(event: WebhookEvent, notice: Notice): object {
  const { event: _, model: name, ...data } = notice
  const version = 'version' in notice ? { version: String(notice.version) } : {}
  if (!('tags' in notice)) return { name, ...data, ...version }
  const { description } = notice
  switch (event) {
    case 'prompt.created':
      return { name, tags: withoutInternal(notice.tags), description }
    case 'prompt_version.created': {
      const template = notice.tags['mlflow.prompt.text'] ?? null
      return { name, ...version, template, tags: withoutInternal(notice.tags), description }
    }
    default: {
      if (!('source' in notice)) return { name, tags: notice.tags, description }
      const { source, runId: run_id, tags } = notice
      return { name, ...version, source, run_id, tags, description }
    }
  }
}

function withoutInternal(tags: Readonly<Record<string, string>>) {
  const internal = [promptTag, 'mlflow.prompt.text', '_mlflow_prompt_type']
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !internal.includes(key)))
}

/** A notice of the kind, to try a webhook with. */
export function exampleOf(event: WebhookEvent): Notice {
  const model = 'example_model'
  const written = { tags: { example_key: 'example_value' }, description: 'An example' }
  const tag = { key: 'example_key', value: 'example_value' }
  const source = 'models:/example_model/1'
  switch (event) {
    case 'registered_model.created':
    case 'prompt.created':
      return { event: 'registered_model.created', model, ...written }
    case 'model_version.created':
    case 'prompt_version.created': {
      const facts = { version: 1, source, runId: 'example_run' }
      return { event: 'model_version.created', model, ...facts, ...written }
    }
    case 'model_version_tag.set':
    case 'prompt_version_tag.set':
      return { event: 'model_version_tag.set', model, version: 1, ...tag }
    case 'model_version_tag.deleted':
    case 'prompt_version_tag.deleted':
      return { event: 'model_version_tag.deleted', model, version: 1, key: tag.key }
    case 'model_version_alias.created':
    case 'prompt_alias.created':
      return { event: 'model_version_alias.created', model, alias: 'example_alias', version: 1 }
    case 'model_version_alias.deleted':
    case 'prompt_alias.deleted':
      return { event: 'model_version_alias.deleted', model, alias: 'example_alias' }
    case 'prompt_tag.set':
      return { event, model, ...tag }
    case 'prompt_tag.deleted':
      return { event, model, key: tag.key }
  }
}
