import type { Kysely } from 'kysely'
import type {
  Delivery,
  DeliveryState,
  StoredWebhook,
  WebhookEvent,
  WebhookStatus,
  WebhookStore,
} from '../../registry/index.ts'
import type { SqliteDatabase } from './database.ts'
import type { RoomMigrations } from './migrations.ts'
import { fromJson, toJson, withoutNulls } from './values.ts'

export const webhookMigrations: RoomMigrations = {
  room: 'registry-webhooks',
  migrations: [
    {
      version: 1,
      sql: `
        CREATE TABLE registry_webhooks (
          sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
          url TEXT NOT NULL, description TEXT, events TEXT NOT NULL, status TEXT NOT NULL,
          sealedSecret TEXT, createdAtUs INTEGER NOT NULL, createdBy TEXT NOT NULL,
          updatedAtUs INTEGER NOT NULL) STRICT;
        CREATE TABLE registry_webhook_deliveries (
          sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
          webhookId TEXT NOT NULL REFERENCES registry_webhooks (id), event TEXT NOT NULL,
          body TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
          createdAtUs INTEGER NOT NULL, nextAtUs INTEGER NOT NULL, endedAtUs INTEGER,
          lastStatus INTEGER, lastError TEXT) STRICT;
        CREATE INDEX registry_webhook_deliveries_waiting
          ON registry_webhook_deliveries (sequence) WHERE state = 'waiting';
        CREATE INDEX registry_webhook_deliveries_of
          ON registry_webhook_deliveries (webhookId, state, sequence);`,
    },
  ],
}

interface WebhookRow {
  sequence: number | undefined
  id: string
  name: string
  url: string
  description: string | null
  events: string
  status: string
  sealedSecret: string | null
  createdAtUs: number
  createdBy: string
  updatedAtUs: number
}

interface DeliveryRow {
  sequence: number | undefined
  id: string
  webhookId: string
  event: string
  body: string
  state: string
  attempts: number
  createdAtUs: number
  nextAtUs: number
  endedAtUs: number | null
  lastStatus: number | null
  lastError: string | null
}

interface Tables {
  registry_webhooks: WebhookRow
  registry_webhook_deliveries: DeliveryRow
}

export function createSqliteWebhookStore(database: SqliteDatabase): WebhookStore {
  const read = () => database.reader<Tables>()
  const write = (work: (db: Kysely<Tables>) => Promise<unknown>): Promise<void> =>
    database.write<Tables, void>(async (db) => {
      await work(db)
    })
  const deliveries = () => read().selectFrom('registry_webhook_deliveries')

  return {
    async insert(webhook) {
      const row = { ...rowOf(webhook), sequence: undefined }
      await write((db) => db.insertInto('registry_webhooks').values(row).execute())
    },
    async replace(webhook) {
      await write((db) =>
        db
          .updateTable('registry_webhooks')
          .set(rowOf(webhook))
          .where('id', '=', webhook.id)
          .execute(),
      )
    },
    async remove(id) {
      await write(async (db) => {
        await db.deleteFrom('registry_webhook_deliveries').where('webhookId', '=', id).execute()
        await db.deleteFrom('registry_webhooks').where('id', '=', id).execute()
      })
    },
    async webhook(id) {
      const row = await read()
        .selectFrom('registry_webhooks')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst()
      return row && webhookOf(row)
    },
    async webhooks() {
      const rows = await read()
        .selectFrom('registry_webhooks')
        .selectAll()
        .orderBy('sequence', 'desc')
        .execute()
      return rows.map(webhookOf)
    },

    async enqueue(delivery) {
      const row = { ...deliveryRow(delivery), sequence: undefined }
      await write((db) => db.insertInto('registry_webhook_deliveries').values(row).execute())
    },
    async due(webhookId, nowUs, limit) {
      const rows = await deliveries()
        .selectAll()
        .where('webhookId', '=', webhookId)
        .where('state', '=', 'waiting')
        .where('nextAtUs', '<=', nowUs)
        .orderBy('sequence')
        .limit(limit)
        .execute()
      return rows.map(deliveryOf)
    },
    async settle(delivery) {
      await write((db) =>
        db
          .updateTable('registry_webhook_deliveries')
          .set(deliveryRow(delivery))
          .where('id', '=', delivery.id)
          .execute(),
      )
    },
    async counts(webhookId) {
      const rows = await deliveries()
        .select(({ fn }) => ['state', fn.countAll<number>().as('count')])
        .where('webhookId', '=', webhookId)
        .groupBy('state')
        .execute()
      const counts = Object.fromEntries(rows.map(({ state, count }) => [state, count]))
      return { waiting: 0, delivered: 0, dead: 0, ...counts }
    },
    async deliveries(webhookId, limit) {
      const rows = await deliveries()
        .selectAll()
        .where('webhookId', '=', webhookId)
        .orderBy('sequence', 'desc')
        .limit(limit)
        .execute()
      return rows.map(deliveryOf)
    },
    async trim(webhookId, keep) {
      const oldestKept = await deliveries()
        .select('sequence')
        .where('webhookId', '=', webhookId)
        .where('state', '!=', 'waiting')
        .orderBy('sequence', 'desc')
        .limit(1)
        .offset(keep)
        .executeTakeFirst()
      if (oldestKept?.sequence === undefined) return
      const { sequence } = oldestKept
      await write((db) =>
        db
          .deleteFrom('registry_webhook_deliveries')
          .where('webhookId', '=', webhookId)
          .where('state', '!=', 'waiting')
          .where('sequence', '<=', sequence)
          .execute(),
      )
    },
  }
}

function rowOf(webhook: StoredWebhook): Omit<WebhookRow, 'sequence'> {
  const { description = null, sealedSecret = null, events, ...rest } = webhook
  return { ...rest, description, sealedSecret, events: toJson(events) }
}

function webhookOf({ sequence: _, events, status, ...row }: WebhookRow): StoredWebhook {
  return {
    ...withoutNulls(row),
    events: fromJson<WebhookEvent[]>(events),
    status: status as WebhookStatus,
  }
}

function deliveryRow(delivery: Delivery): Omit<DeliveryRow, 'sequence'> {
  const { endedAtUs = null, lastStatus = null, lastError = null, ...rest } = delivery
  return { ...rest, endedAtUs, lastStatus, lastError }
}

function deliveryOf({ sequence: _, event, state, ...row }: DeliveryRow): Delivery {
  return { ...withoutNulls(row), event: event as WebhookEvent, state: state as DeliveryState }
}
