import type { Delivery, DeliveryCounts, StoredWebhook } from './types.ts'

/** Webhooks and what is still to be told to them. */
export interface WebhookStore {
  insert(webhook: StoredWebhook): Promise<void>
  replace(webhook: StoredWebhook): Promise<void>
  /** With its deliveries. */
  remove(id: string): Promise<void>
  webhook(id: string): Promise<StoredWebhook | undefined>
  /** Newest first. */
  webhooks(): Promise<StoredWebhook[]>

  enqueue(delivery: Delivery): Promise<void>
  /** Waiting for a webhook and due by an instant, oldest first. */
  due(webhookId: string, nowUs: number, limit: number): Promise<Delivery[]>
  /** Keeps how an attempt ended. Nothing happens where the delivery was removed meanwhile. */
  settle(delivery: Delivery): Promise<void>
  counts(webhookId: string): Promise<DeliveryCounts>
  /** Newest first. */
  deliveries(webhookId: string, limit: number): Promise<Delivery[]>
  /** Removes all ended deliveries of a webhook but its newest ones. */
  trim(webhookId: string, keep: number): Promise<void>
}
