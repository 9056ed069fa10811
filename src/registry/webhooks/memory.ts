import type { Restorable } from '../../lib/unit-of-work.ts'
import type { WebhookStore } from './ports.ts'
import type { Delivery, StoredWebhook } from './types.ts'

export function createMemoryWebhookStore(): WebhookStore & Restorable {
  let webhooks = new Map<string, StoredWebhook>()
  let deliveries = new Map<string, Delivery>()
  const of = (webhookId: string) =>
    [...deliveries.values()].filter((each) => each.webhookId === webhookId)

  return {
    save() {
      const saved = [new Map(webhooks), new Map(deliveries)] as const
      return () => {
        ;[webhooks, deliveries] = saved
      }
    },
    async insert(webhook) {
      webhooks.set(webhook.id, webhook)
    },
    async replace(webhook) {
      webhooks.set(webhook.id, webhook)
    },
    async remove(id) {
      webhooks.delete(id)
      for (const delivery of of(id)) deliveries.delete(delivery.id)
    },
    webhook: async (id) => webhooks.get(id),
    webhooks: async () => [...webhooks.values()].reverse(),

    async enqueue(delivery) {
      deliveries.set(delivery.id, delivery)
    },
    due: async (webhookId, nowUs, limit) =>
      of(webhookId)
        .filter(({ state, nextAtUs }) => state === 'waiting' && nextAtUs <= nowUs)
        .slice(0, limit),
    async settle(delivery) {
      if (deliveries.has(delivery.id)) deliveries.set(delivery.id, delivery)
    },
    async counts(webhookId) {
      const counts = { waiting: 0, delivered: 0, dead: 0 }
      for (const { state } of of(webhookId)) counts[state] += 1
      return counts
    },
    deliveries: async (webhookId, limit) => of(webhookId).reverse().slice(0, limit),
    async trim(webhookId, keep) {
      const ended = of(webhookId).filter(({ state }) => state !== 'waiting')
      for (const delivery of ended.slice(0, Math.max(0, ended.length - keep))) {
        deliveries.delete(delivery.id)
      }
    },
  }
}
