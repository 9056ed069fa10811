import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { systemActor } from '../../access/index.ts'
import { manualClock } from '../../lib/clock.ts'
import { createMemoryUnitOfWork } from '../../lib/unit-of-work.ts'
import { createMemoryWebhookStore } from './memory.ts'
import type { Notice } from './notices.ts'
import { createSeal } from './seal.ts'
import { createWebhooks, webhookLimits } from './service.ts'
import type { NewWebhook, SendOutcome, WebhookRequest } from './types.ts'

const by = { actor: systemActor, reason: 'Test' }
const ticket: NewWebhook = {
  name: 'tickets',
  url: 'https://example.com/hook',
  events: ['model_version_alias.created'],
  secret: 'hush',
}
const notice: Notice = {
  event: 'model_version_alias.created',
  model: 'churn',
  alias: 'champion',
  version: 3,
}

function desk(
  answer: (request: WebhookRequest) => SendOutcome,
  store = createMemoryWebhookStore(),
) {
  const clock = manualClock(1_000_000_000)
  const sent: WebhookRequest[] = []
  const entries: unknown[] = []
  let next = 0
  const webhooks = createWebhooks({
    store,
    clock,
    policy: { allowPrivate: false },
    unit: createMemoryUnitOfWork([store]),
    audit: {
      append: async (entry) => {
        entries.push(entry)
        return undefined as never
      },
    },
    ids: (prefix) => `${prefix}_${next++}`,
    seal: createSeal(new Uint8Array(32).fill(7), (length) => new Uint8Array(length).fill(next++)),
    send: async (request) => {
      sent.push(request)
      return answer(request)
    },
    isPrompt: async (model) => model === 'ask',
  })
  return { webhooks, clock, sent, entries, store }
}

const ok = () => ({ status: 200, body: '' })

describe('a webhook', () => {
  test('is told what it asked for, signed over id, time and body', async () => {
    const { webhooks, sent } = desk(ok)
    await webhooks.create(ticket, by)
    await webhooks.notify(notice)
    await webhooks.notify({
      event: 'model_version_alias.deleted',
      model: 'churn',
      alias: 'champion',
    })
    expect(await webhooks.deliverDue()).toBe(1)
    const [{ url, headers, body }] = sent
    expect(url).toBe(ticket.url)
    expect(JSON.parse(body)).toEqual({
      entity: 'model_version_alias',
      action: 'created',
      timestamp: '1970-01-01T00:16:40.000Z',
      data: { name: 'churn', alias: 'champion', version: '3' },
    })
    const signed = `${headers['X-MLflow-Delivery-Id']}.1000.${body}`
    const expected = createHmac('sha256', 'hush').update(signed).digest('base64')
    expect(headers['X-MLflow-Signature']).toBe(`v1,${expected}`)
    expect(headers['X-MLflow-Timestamp']).toBe('1000')
    expect(await webhooks.deliverDue()).toBe(0)
  })

  test('never shows its secret, nor keeps it open, nor writes it to the audit log', async () => {
    const { webhooks, store, entries } = desk(ok)
    const created = await webhooks.create(ticket, by)
    const shown = [created, await webhooks.webhooks(), await store.webhooks(), entries]
    expect(JSON.stringify(shown)).not.toContain('hush')
    expect(created.hasSecret).toBe(true)
    const changed = await webhooks.change(created.id, { secret: '' }, by)
    expect(changed.hasSecret).toBe(false)
    expect(entries).toHaveLength(2)
  })

  test('hears of prompts under their own names', async () => {
    const { webhooks, sent } = desk(ok)
    await webhooks.create({ ...ticket, events: ['prompt_alias.created'] }, by)
    await webhooks.notify(notice)
    await webhooks.notify({ ...notice, model: 'ask' })
    expect(await webhooks.deliverDue()).toBe(1)
    expect(JSON.parse(sent[0].body)).toMatchObject({
      entity: 'prompt_alias',
      data: { name: 'ask' },
    })
  })

  test.each([
    ['no host', 'not a url'],
    ['plain http elsewhere', 'http://example.com/hook'],
    ['another scheme', 'ftp://example.com/hook'],
    ['a private address', 'https://10.1.2.3/hook'],
    ['the metadata service of a cloud', 'https://169.254.169.254/latest'],
    ['loopback written as one number', 'https://[::ffff:10.0.0.1]/'],
    ['credentials', 'https://me:secret@example.com/'],
  ])('cannot point to %s', async (_, url) => {
    const { webhooks } = desk(ok)
    const refused = expect.objectContaining({ code: 'webhook_invalid' })
    await expect(webhooks.create({ ...ticket, url }, by)).rejects.toEqual(refused)
  })

  test('answers a test with what the receiver said', async () => {
    const { webhooks } = desk(() => ({ status: 500, body: 'busy' }))
    const { id } = await webhooks.create(ticket, by)
    expect(await webhooks.test(id)).toEqual({ success: false, status: 500, body: 'busy' })
    expect(await webhooks.counts(id)).toEqual({ waiting: 0, delivered: 0, dead: 0 })
  })

  test('does not tell what a service of this machine answers', async () => {
    const { webhooks } = desk(() => ({ status: 200, body: 'inner secrets' }))
    for (const host of ['127.0.0.1:9', 'localhost', '[::1]']) {
      const { id } = await webhooks.create({ ...ticket, url: `http://${host}/` }, by)
      expect(await webhooks.test(id)).toEqual({ success: true, status: 200, body: '' })
    }
  })
})

describe('delivery', () => {
  test('is tried again with growing pauses, the same body under the same id', async () => {
    let isAway = true
    const { webhooks, clock, sent } = desk(() => (isAway ? { error: 'ECONNREFUSED' } : ok()))
    const { id } = await webhooks.create(ticket, by)
    await webhooks.notify(notice)
    expect(await webhooks.deliverDue()).toBe(1)
    expect(await webhooks.deliverDue()).toBe(0)
    clock.advance(webhookLimits.retryFirstUs)
    expect(await webhooks.deliverDue()).toBe(1)
    clock.advance(webhookLimits.retryFirstUs)
    expect(await webhooks.deliverDue()).toBe(0)
    isAway = false
    clock.advance(webhookLimits.retryFirstUs)
    expect(await webhooks.deliverDue()).toBe(1)
    expect(new Set(sent.map(({ body }) => body)).size).toBe(1)
    expect(new Set(sent.map(({ headers }) => headers['X-MLflow-Delivery-Id'])).size).toBe(1)
    expect(await webhooks.counts(id)).toEqual({ waiting: 0, delivered: 1, dead: 0 })
    expect(await webhooks.deliveries(id, 1)).toMatchObject([{ attempts: 3, lastStatus: 200 }])
  })

  test('is given up after so many attempts, and shows why', async () => {
    const { webhooks, clock } = desk(() => ({ status: 503, body: '' }))
    const { id } = await webhooks.create(ticket, by)
    await webhooks.notify(notice)
    for (let i = 0; i < webhookLimits.attempts + 3; i++) {
      await webhooks.deliverDue()
      clock.advance(webhookLimits.retryMostUs)
    }
    expect(await webhooks.deliveries(id, 5)).toMatchObject([
      { state: 'dead', attempts: webhookLimits.attempts, lastStatus: 503 },
    ])
  })

  test('does not keep asking a receiver that is away within one round', async () => {
    const { webhooks, sent } = desk(() => ({ error: 'away' }))
    await webhooks.create(ticket, by)
    for (let i = 0; i < 20; i++) await webhooks.notify(notice)
    expect(await webhooks.deliverDue()).toBe(1)
    expect(sent).toHaveLength(1)
  })

  test('is not held up by how much waits for a receiver that is away', async () => {
    const away = 'https://away.example/hook'
    const { webhooks, sent } = desk(({ url }) => (url === away ? { error: 'away' } : ok()))
    const { id } = await webhooks.create({ ...ticket, url: away }, by)
    for (let i = 0; i < 300; i++) await webhooks.notify(notice)
    await webhooks.create({ ...ticket, name: 'second' }, by)
    await webhooks.notify(notice)
    expect(await webhooks.deliverDue()).toBe(2)
    expect(new Set(sent.map(({ url }) => url))).toEqual(new Set([away, ticket.url]))
    expect(await webhooks.counts(id)).toMatchObject({ waiting: 301 })
  })

  test('of more than may wait is kept as dead', async () => {
    const { webhooks, store } = desk(ok)
    const { id } = await webhooks.create(ticket, by)
    store.counts = async () => ({ waiting: webhookLimits.waitingEach, delivered: 0, dead: 0 })
    await webhooks.notify(notice)
    expect(await webhooks.deliveries(id, 1)).toMatchObject([{ state: 'dead', attempts: 0 }])
  })

  test('is not held up by a secret that cannot be opened', async () => {
    const { webhooks, store, sent } = desk(ok)
    const { id } = await webhooks.create(ticket, by)
    await store.replace({ ...(await store.webhook(id))!, sealedSecret: '1.AAAA' })
    await webhooks.notify(notice)
    expect(await webhooks.deliverDue()).toBe(1)
    expect(sent).toEqual([])
    expect(await webhooks.deliveries(id, 1)).toMatchObject([{ state: 'waiting', attempts: 1 }])
  })

  test('waits while its webhook is disabled', async () => {
    const { webhooks, sent } = desk(ok)
    const { id } = await webhooks.create(ticket, by)
    await webhooks.notify(notice)
    await webhooks.change(id, { status: 'disabled' }, by)
    await webhooks.notify(notice)
    expect(await webhooks.deliverDue()).toBe(0)
    await webhooks.change(id, { status: 'active' }, by)
    expect(await webhooks.deliverDue()).toBe(1)
    expect(sent).toHaveLength(1)
  })

  test('happens again where the process ended before it was noted: at least once', async () => {
    const store = createMemoryWebhookStore()
    const settle = store.settle
    const first = desk(ok, store)
    await first.webhooks.create(ticket, by)
    await first.webhooks.notify(notice)
    store.settle = async () => {
      throw new Error('The process is gone.')
    }
    await expect(first.webhooks.deliverDue()).rejects.toThrow('gone')
    store.settle = settle
    const second = desk(ok, store)
    expect(await second.webhooks.deliverDue()).toBe(1)
    const idOf = ({ headers }: WebhookRequest) => headers['X-MLflow-Delivery-Id']
    expect(idOf(second.sent[0])).toBe(idOf(first.sent[0]))
  })
})
