import type { Delivery, DeliveryState, Webhook } from '../../../registry/index.ts'
import type { WebhookState } from '../../contract/index.ts'
import type { Handlers } from '../handlers.ts'
import { time, verdict } from '../present.ts'
import type { Rooms } from '../rooms.ts'

/** How many deliveries of each are shown. */
const SHOWN = 20

export function webhookViews({ webhooks }: Pick<Rooms, 'webhooks'>): Pick<Handlers, 'webhooks'> {
  return {
    async webhooks() {
      const all = await webhooks.webhooks()
      const states = all.map(async (webhook) =>
        stateOf(
          webhook,
          await webhooks.counts(webhook.id),
          await webhooks.deliveries(webhook.id, SHOWN),
        ),
      )
      return { items: await Promise.all(states) }
    },
  }
}

function stateOf(
  { id, name, url, events, status, hasSecret }: Webhook,
  counts: Readonly<Record<DeliveryState, number>>,
  deliveries: readonly Delivery[],
): WebhookState {
  return {
    id,
    name,
    url,
    events: [...events],
    active: status === 'active',
    hasSecret,
    ...counts,
    verdict: verdictOf(status, counts, deliveries),
    deliveries: deliveries.map((each) => ({
      id: each.id,
      event: each.event,
      state: each.state,
      attempts: each.attempts,
      at: time(each.createdAtUs),
      nextAt: each.state === 'waiting' ? time(each.nextAtUs) : null,
      answer: each.lastError ?? (each.lastStatus === undefined ? '' : String(each.lastStatus)),
    })),
  }
}

function verdictOf(
  status: Webhook['status'],
  { waiting, dead }: Readonly<Record<DeliveryState, number>>,
  deliveries: readonly Delivery[],
): WebhookState['verdict'] {
  if (status === 'disabled') return verdict('no-data', 'It is disabled; what waits is kept.')
  const isFailing = deliveries.some(({ state, attempts }) => state === 'waiting' && attempts > 0)
  if (isFailing) {
    return verdict('warning', `It does not answer as it should; ${waiting} waiting.`)
  }
  if (dead > 0) return verdict('warning', `${dead} could not be delivered and were given up.`)
  return verdict('ok', 'What happened was delivered, or is about to be.')
}
