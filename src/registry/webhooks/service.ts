// Webhooks: who is told of changes, and the telling. What is to be told is kept in the transaction
// of the change itself, so a crash after it loses nothing; it is sent afterwards, at least once.
import { createHmac } from 'node:crypto'
import { requireReason, type ChangeBy } from '../../access/index.ts'
import type { AuditLog } from '../../audit/index.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { UnitOfWork } from '../../lib/unit-of-work.ts'
import { checkedUrl, hostOf, isLoopbackHost, type AddressPolicy } from './address.ts'
import { webhookErrors } from './errors.ts'
import { bodyOf, eventOf, exampleOf, webhookEvents, type Notice } from './notices.ts'
import type { WebhookStore } from './ports.ts'
import type { Seal } from './seal.ts'
import type {
  Delivery,
  DeliveryCounts,
  NewWebhook,
  SendOutcome,
  StoredWebhook,
  Webhook,
  WebhookEvent,
  WebhookSender,
  WebhookTest,
} from './types.ts'

export const webhookLimits = {
  webhooks: 100,
  /** Past it, what a webhook should have been told is kept as dead. */
  waitingEach: 10_000,
  /** Ended deliveries that stay to be looked at, of each webhook. */
  endedEach: 1000,
  bodyCharacters: 1024 * 1024,
  secretCharacters: 500,
  /** With `retryFirstUs` doubled each time: for about three quarters of an hour. */
  attempts: 10,
  retryFirstUs: 5_000_000,
  retryMostUs: 3_600_000_000,
} as const

/** Of one round: deliveries of each webhook that are looked at, and webhooks that are called at once. */
const ROUND_EACH = 50
const AT_ONCE = 8

export interface Webhooks {
  create(webhook: NewWebhook, by: ChangeBy): Promise<Webhook>
  /** Error: `webhook_not_found`. */
  webhook(id: string): Promise<Webhook>
  /** Newest first. */
  webhooks(): Promise<Webhook[]>
  change(id: string, change: Partial<NewWebhook>, by: ChangeBy): Promise<Webhook>
  remove(id: string, by: ChangeBy): Promise<void>
  /** Sends an example now, once. */
  test(id: string, event?: WebhookEvent): Promise<WebhookTest>
  deliveries(id: string, limit: number): Promise<Delivery[]>
  counts(id: string): Promise<DeliveryCounts>
  /** Keeps a notice for every webhook that wants it, in the running transaction. */
  notify(notice: Notice): Promise<void>
  /**
   * Sends what is due; resolves with how many attempts were made. Call it again and again. After a
   * signal nothing more is begun.
   */
  deliverDue(stopping?: AbortSignal): Promise<number>
}

export interface WebhookDependencies {
  readonly store: WebhookStore
  readonly unit: UnitOfWork
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
  readonly ids: Ids
  readonly seal: Seal
  readonly send: WebhookSender
  readonly policy: AddressPolicy
  /** Whether a model is a prompt: those go out under names of their own. */
  readonly isPrompt: (model: string) => Promise<boolean>
}

export function createWebhooks(dependencies: WebhookDependencies): Webhooks {
  return { ...kept(dependencies), ...told(dependencies) }
}

function kept({ store, unit, audit, clock, ids, seal, send, policy }: WebhookDependencies) {
  async function storedOrFail(id: string): Promise<StoredWebhook> {
    const found = await store.webhook(id)
    if (found === undefined) {
      throw webhookErrors.webhook_not_found(`Webhook with ID ${id.slice(0, 100)} not found.`)
    }
    return found
  }

  async function recorded(action: string, webhook: StoredWebhook, by: ChangeBy): Promise<void> {
    const { name, url, events, status } = webhook
    const hasSecret = webhook.sealedSecret !== undefined
    await audit.append({
      actor: by.actor.id,
      action: `registry.webhook-${action}`,
      object: { kind: 'webhook', id: webhook.id },
      reason: requireReason(by),
      details: { name, url, events, status, hasSecret },
    })
  }

  return {
    create: (input, by) =>
      unit.transaction(async () => {
        check(input, policy)
        const { name, url, description, secret, status = 'active' } = input
        if ((await store.webhooks()).length >= webhookLimits.webhooks) {
          throw webhookErrors.webhooks_full(`${webhookLimits.webhooks} webhooks are kept already.`)
        }
        const now = clock.nowUs()
        const webhook: StoredWebhook = {
          id: ids('webhook'),
          name,
          url,
          status,
          createdBy: by.actor.id,
          events: [...new Set(input.events)],
          createdAtUs: now,
          updatedAtUs: now,
          ...(description !== undefined && { description }),
          ...(secret !== undefined && secret !== '' && { sealedSecret: seal.close(secret) }),
        }
        await store.insert(webhook)
        await recorded('created', webhook, by)
        return shown(webhook)
      }),
    webhook: async (id) => shown(await storedOrFail(id)),
    webhooks: async () => (await store.webhooks()).map(shown),
    change: (id, change, by) =>
      unit.transaction(async () => {
        const before = await storedOrFail(id)
        const { secret, ...rest } = change
        const given = Object.entries(rest).filter(([, value]) => value !== undefined)
        const { sealedSecret, ...changed }: StoredWebhook = {
          ...before,
          ...(Object.fromEntries(given) as Partial<StoredWebhook>),
          updatedAtUs: clock.nowUs(),
        }
        check({ ...changed, secret }, policy)
        // An empty secret takes it away.
        const sealed = secret === undefined ? sealedSecret : secret && seal.close(secret)
        const webhook = { ...changed, ...(sealed && { sealedSecret: sealed }) }
        await store.replace(webhook)
        await recorded('changed', webhook, by)
        return shown(webhook)
      }),
    remove: (id, by) =>
      unit.transaction(async () => {
        const webhook = await storedOrFail(id)
        await store.remove(id)
        await recorded('deleted', webhook, by)
      }),
    async test(id, event) {
      const webhook = await storedOrFail(id)
      const asked = event ?? webhook.events[0]
      const body = bodyOf(asked, exampleOf(asked), clock.nowUs())
      const outcome = await post(webhook, { id: ids('delivery'), body }, { send, seal, clock })
      if ('error' in outcome) return { success: false, error: outcome.error }
      // What listens on this machine speaks to itself: its words are not for whoever keeps webhooks.
      const isOwn = isLoopbackHost(hostOf(new URL(webhook.url))) && !policy.allowPrivate
      return {
        success: isDelivered(outcome.status),
        ...outcome,
        ...(isOwn && { body: '' }),
      }
    },
    async deliveries(id, limit) {
      await storedOrFail(id)
      return store.deliveries(id, limit)
    },
    async counts(id) {
      await storedOrFail(id)
      return store.counts(id)
    },
  } satisfies Partial<Webhooks>
}

function told({ store, clock, ids, seal, send, isPrompt }: WebhookDependencies) {
  /** One attempt; false where the webhook should be left alone for the rest of the round. */
  async function attempt(webhook: StoredWebhook, delivery: Delivery): Promise<boolean> {
    const outcome = await post(webhook, delivery, { send, seal, clock })
    const attempts = delivery.attempts + 1
    const now = clock.nowUs()
    const { lastError: _, lastStatus: __, ...before } = delivery
    const tried = {
      ...before,
      attempts,
      ...('error' in outcome
        ? { lastError: outcome.error.slice(0, 500) }
        : { lastStatus: outcome.status }),
    }
    if ('status' in outcome && isDelivered(outcome.status)) {
      await store.settle({ ...tried, state: 'delivered', endedAtUs: now })
      return true
    }
    const ended =
      attempts >= webhookLimits.attempts || ('status' in outcome && outcome.status === 410)
    await store.settle(
      ended
        ? { ...tried, state: 'dead', endedAtUs: now }
        : { ...tried, nextAtUs: now + pauseUs(attempts) },
    )
    return false
  }

  async function deliverTo(
    deliveries: readonly Delivery[],
    stopping: AbortSignal | undefined,
  ): Promise<number> {
    const [{ webhookId }] = deliveries
    let attempts = 0
    for (const delivery of deliveries) {
      // It may have been changed or removed since the round began.
      const webhook = await store.webhook(webhookId)
      if (webhook?.status !== 'active' || stopping?.aborted === true) break
      attempts += 1
      if (!(await attempt(webhook, delivery))) break
    }
    await store.trim(webhookId, webhookLimits.endedEach)
    return attempts
  }

  return {
    async notify(notice) {
      const webhooks = (await store.webhooks()).filter(({ status }) => status === 'active')
      if (webhooks.length === 0) return
      const event = eventOf(notice, await isPrompt(notice.model))
      const now = clock.nowUs()
      const body = bodyOf(event, notice, now)
      for (const { id: webhookId, events } of webhooks) {
        if (!events.includes(event)) continue
        const delivery: Delivery = {
          id: ids('delivery'),
          webhookId,
          event,
          body,
          state: 'waiting',
          attempts: 0,
          createdAtUs: now,
          nextAtUs: now,
        }
        const { waiting } = await store.counts(webhookId)
        const why =
          body.length > webhookLimits.bodyCharacters
            ? 'It is too long to be sent.'
            : waiting >= webhookLimits.waitingEach
              ? `${waiting} others were waiting.`
              : undefined
        await store.enqueue(
          why === undefined
            ? delivery
            : { ...delivery, body: '', state: 'dead', endedAtUs: now, lastError: why },
        )
      }
    },
    async deliverDue(stopping) {
      const now = clock.nowUs()
      const active = (await store.webhooks()).filter(({ status }) => status === 'active')
      let attempts = 0
      // Few at once, so that many slow receivers take neither memory nor sockets; and each by itself,
      // so that what waits for one that is dead does not stand before what waits for others.
      const next = async (): Promise<void> => {
        for (let webhook = active.shift(); webhook !== undefined; webhook = active.shift()) {
          const due = await store.due(webhook.id, now, ROUND_EACH)
          if (due.length === 0) continue
          const made = await deliverTo(due, stopping)
          attempts += made
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, next))
      return attempts
    },
  } satisfies Partial<Webhooks>
}

/** As the Standard Webhooks specification has it: any 2xx, and nothing else. */
export function isDelivered(status: number): boolean {
  return status >= 200 && status < 300
}

function pauseUs(attempts: number): number {
  return Math.min(webhookLimits.retryMostUs, webhookLimits.retryFirstUs * 2 ** (attempts - 1))
}

/** MLflow's headers; the signature is over `id.seconds.body` and anew at every attempt. */
async function post(
  { url, sealedSecret }: StoredWebhook,
  { id, body }: Pick<Delivery, 'id' | 'body'>,
  { send, seal, clock }: Pick<WebhookDependencies, 'send' | 'seal' | 'clock'>,
): Promise<SendOutcome> {
  const seconds = String(Math.floor(clock.nowUs() / 1_000_000))
  let secret: string | undefined
  try {
    secret = sealedSecret === undefined ? undefined : seal.open(sealedSecret)
  } catch {
    // The home was restored without its secrets: others must not wait for this one.
    return { error: 'Its secret cannot be opened with this home’s key; set it again.' }
  }
  return send({
    url,
    body,
    headers: {
      'content-type': 'application/json',
      'X-MLflow-Delivery-Id': id,
      'X-MLflow-Timestamp': seconds,
      ...(secret !== undefined && {
        'X-MLflow-Signature': signatureOf(secret, `${id}.${seconds}.${body}`),
      }),
    },
  })
}

/** `v1,` and the base64 of an HMAC-SHA256. */
export function signatureOf(secret: string, signed: string): string {
  return `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`
}

function shown({ sealedSecret, ...webhook }: StoredWebhook): Webhook {
  return { ...webhook, hasSecret: sealedSecret !== undefined }
}

function check(webhook: NewWebhook, policy: AddressPolicy): void {
  const { name, url, events, secret = '', description = '' } = webhook
  if (!/^(?=.{1,63}$)[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/i.test(name)) {
    throw webhookErrors.webhook_invalid(
      `Webhook name '${name.slice(0, 100)}' is invalid. It must start and end with a letter or digit, be at most 63 characters long, and contain only letters, digits, dots (.), underscores (_), and hyphens (-).`,
    )
  }
  checkedUrl(url, policy)
  if (events.length === 0 || !events.every((event) => webhookEvents.includes(event))) {
    throw webhookErrors.webhook_invalid(`It names no event, or one that is none: ${events.join()}.`)
  }
  if (secret.length > webhookLimits.secretCharacters || description.length > 5000) {
    throw webhookErrors.webhook_invalid('The secret or the description is too long.')
  }
  if (![url, secret, description].every((text) => text.isWellFormed() && !text.includes('\0'))) {
    throw webhookErrors.webhook_invalid('A text has a NUL or half of a character.')
  }
}
