// Webhooks: /mlflow/webhooks…. Who may manage access may point the server at other systems.
import { pagingErrors } from '../../lib/paging.ts'
import {
  webhookEvents,
  type Webhook,
  type WebhookEvent,
  type WebhookStatus,
} from '../../registry/index.ts'
import { toMs } from './encode.ts'
import {
  defineEndpoint,
  list,
  oneOf,
  record,
  some,
  text,
  whole,
  type Endpoint,
  type RequestOf,
} from './endpoint.ts'
import { mlflowErrors } from './errors.ts'

const entities = [
  'ENTITY_UNSPECIFIED',
  'REGISTERED_MODEL',
  'MODEL_VERSION',
  'MODEL_VERSION_TAG',
  'MODEL_VERSION_ALIAS',
  'PROMPT',
  'PROMPT_VERSION',
  'PROMPT_TAG',
  'PROMPT_VERSION_TAG',
  'PROMPT_ALIAS',
  'BUDGET_POLICY',
] as const
const actions = ['ACTION_UNSPECIFIED', 'CREATED', 'UPDATED', 'DELETED', 'SET', 'EXCEEDED'] as const

const theWebhook = text({ required: true })
const event = record({
  entity: oneOf(entities, { required: true }, 0),
  action: oneOf(actions, { required: true }, 0),
})
const status = oneOf(['ACTIVE', 'DISABLED'])

/** How many events one webhook may name; there are fewer. */
const EVENTS_MAX = 50

export const webhookEndpoints: readonly Endpoint[] = [
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/webhooks',
    action: 'manage-access',
    fields: {
      name: text({ required: true }),
      url: text({ required: true }),
      events: list(event, { required: true, itemsMax: EVENTS_MAX }),
      description: text(),
      secret: text(),
      status,
    },
    handle: async ({ request, rooms, by }) => {
      const { name, url, events, description, secret } = request
      const webhook = await rooms.webhooks.create(
        {
          name,
          url,
          events: events.map(eventOf),
          status: statusOf(request.status),
          description: description || undefined,
          secret: secret || undefined,
        },
        by,
      )
      return { webhook: encoded(webhook) }
    },
  }),
  defineEndpoint({
    method: 'GET',
    path: '/mlflow/webhooks',
    action: 'manage-access',
    fields: { max_results: whole({ min: 1, max: 1000, fallback: 100 }), page_token: text() },
    handle: async ({ request, rooms }) => {
      // There are few, and none is made between two others: a page may go by the last one's id.
      const all = await rooms.webhooks.webhooks()
      const { page_token: token, max_results: limit } = request
      const from = token ? all.findIndex(({ id }) => id === token) + 1 : 0
      if (token && from === 0) {
        throw pagingErrors.page_token_invalid(`No webhook has the id ${token.slice(0, 100)}.`)
      }
      const page = all.slice(from, from + limit)
      return {
        webhooks: some(page.map(encoded)),
        next_page_token: all.length > from + limit ? page.at(-1)?.id : undefined,
      }
    },
  }),
  defineEndpoint({
    method: 'GET',
    path: '/mlflow/webhooks/:webhook_id',
    action: 'manage-access',
    fields: { webhook_id: theWebhook },
    handle: async ({ request, rooms }) => ({
      webhook: encoded(await rooms.webhooks.webhook(request.webhook_id)),
    }),
  }),
  defineEndpoint({
    method: 'PATCH',
    path: '/mlflow/webhooks/:webhook_id',
    action: 'manage-access',
    fields: {
      webhook_id: theWebhook,
      name: text(),
      url: text(),
      events: list(event, { itemsMax: EVENTS_MAX }),
      description: text(),
      secret: text(),
      status,
    },
    handle: async ({ request, rooms, by }) => {
      const { webhook_id: id, name, url, events, description, secret } = request
      const change = {
        ...(name && { name }),
        ...(url && { url }),
        ...(events.length > 0 && { events: events.map(eventOf) }),
        description,
        secret,
        status: statusOf(request.status),
      }
      return { webhook: encoded(await rooms.webhooks.change(id, change, by)) }
    },
  }),
  defineEndpoint({
    method: 'DELETE',
    path: '/mlflow/webhooks/:webhook_id',
    action: 'manage-access',
    fields: { webhook_id: theWebhook },
    handle: async ({ request, rooms, by }) => {
      await rooms.webhooks.remove(request.webhook_id, by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/webhooks/:webhook_id/test',
    action: 'manage-access',
    fields: { webhook_id: theWebhook, event },
    handle: async ({ request, rooms }) => {
      const asked = request.event && eventOf(request.event)
      const {
        success,
        status: code,
        body,
        error,
      } = await rooms.webhooks.test(request.webhook_id, asked)
      const result = { success, response_status: code, response_body: body, error_message: error }
      return { result }
    },
  }),
]

function eventOf({ entity, action }: RequestOf<(typeof event)['fields']>): WebhookEvent {
  const name = `${entity}.${action}`.toLowerCase()
  const known = webhookEvents.find((each) => each === name)
  if (known !== undefined) return known
  throw mlflowErrors.mlflow_request_invalid(
    `There is no event ${name}; there are ${webhookEvents.join(', ')}.`,
  )
}

function statusOf(name: 'ACTIVE' | 'DISABLED' | undefined): WebhookStatus | undefined {
  return name === undefined ? undefined : name === 'ACTIVE' ? 'active' : 'disabled'
}

function encoded({ id, name, url, description, events, status: state, ...times }: Webhook) {
  return {
    webhook_id: id,
    name,
    description,
    url,
    events: events.map((each) => {
      const [entity, action] = each.toUpperCase().split('.')
      return { entity, action }
    }),
    status: state.toUpperCase(),
    creation_timestamp: toMs(times.createdAtUs),
    last_updated_timestamp: toMs(times.updatedAtUs),
  }
}
