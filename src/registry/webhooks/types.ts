import type { WebhookEvent } from './notices.ts'

export type { WebhookEvent } from './notices.ts'
export type WebhookStatus = 'active' | 'disabled'

/** An address that is told of changes. Its secret is kept sealed and never shown. */
export interface Webhook {
  readonly id: string
  readonly name: string
  readonly url: string
  readonly description?: string | undefined
  readonly events: readonly WebhookEvent[]
  readonly status: WebhookStatus
  readonly createdAtUs: number
  readonly createdBy: string
  readonly updatedAtUs: number
  readonly hasSecret: boolean
}

export interface StoredWebhook extends Omit<Webhook, 'hasSecret'> {
  readonly sealedSecret?: string | undefined
}

export interface NewWebhook {
  readonly name: string
  readonly url: string
  readonly events: readonly WebhookEvent[]
  readonly description?: string | undefined
  readonly secret?: string | undefined
  readonly status?: WebhookStatus | undefined
}

export type DeliveryState = 'waiting' | 'delivered' | 'dead'

/** One telling of one change to one webhook. */
export interface Delivery {
  readonly id: string
  readonly webhookId: string
  readonly event: WebhookEvent
  /** The JSON that is sent, the same at every attempt. */
  readonly body: string
  readonly state: DeliveryState
  readonly attempts: number
  readonly createdAtUs: number
  /** When it is tried next; meaningless once it ended. */
  readonly nextAtUs: number
  readonly endedAtUs?: number | undefined
  readonly lastStatus?: number | undefined
  readonly lastError?: string | undefined
}

export type DeliveryCounts = Readonly<Record<DeliveryState, number>>

export interface WebhookTest {
  readonly success: boolean
  readonly status?: number | undefined
  readonly body?: string | undefined
  readonly error?: string | undefined
}

/** What becomes of an attempt: the receiver's answer, its body cut, or a failure to get one. */
export type SendOutcome =
  | { readonly status: number; readonly body: string }
  | { readonly error: string }

export interface WebhookRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Posts once: bounded in time and in what it reads, never following a redirect. Does not throw. */
export type WebhookSender = (request: WebhookRequest) => Promise<SendOutcome>
