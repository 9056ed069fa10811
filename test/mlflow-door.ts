// MLflow's door over rooms in memory, for tests that need no more of a server.
import Fastify from 'fastify'
import { systemActor, type Identity } from '../src/access/index.ts'
import type { AuditRecord, NewAuditEntry } from '../src/audit/index.ts'
import { manualClock, type Clock } from '../src/lib/clock.ts'
import { createIds } from '../src/lib/ids.ts'
import { createMemoryUnitOfWork } from '../src/lib/unit-of-work.ts'
import {
  createMemoryRegistryStore,
  createMemoryWebhookStore,
  createRegistry,
  createSeal,
  createTrackingSources,
  createWebhooks,
  isPrompt,
  type WebhookRequest,
} from '../src/registry/index.ts'
import { refuseMlflow, registerMlflow, type MlflowRooms } from '../src/server/mlflow/index.ts'
import {
  createMemoryArtifactStore,
  createMemoryPartStore,
  createMemoryTrackingStore,
  createTracking,
} from '../src/tracking/index.ts'

export interface DoorOptions {
  /** Rooms of an earlier door, which a restart finds again. */
  readonly rooms?: MlflowRooms
  readonly clock?: Clock
  /** Who asks where a request names nobody; an administrator unless told. */
  readonly openTo?: Identity | undefined
  /** Keys and whose they are. */
  readonly keys?: Readonly<Record<string, Identity>>
}

export const anyone: Identity = {
  id: 'identity_anyone',
  name: 'Anyone',
  kind: 'person',
  roles: ['administrator'],
  createdAtUs: 0,
}

export async function openMlflowDoor(options: DoorOptions = {}) {
  const { clock = manualClock(1_700_000_000_000_000), keys = {} } = options
  const known = new Map(Object.entries(keys))
  const openTo = 'openTo' in options ? options.openTo : anyone
  const entries: NewAuditEntry[] = []
  const defects: unknown[] = []
  /** What webhooks would have sent. */
  const sent: WebhookRequest[] = []
  // The same ids in every test.
  let drawn = 0
  const random = (length: number) => new Uint8Array(length).fill(drawn++ & 0xff)
  const stores = {
    tracking: createMemoryTrackingStore(),
    registry: createMemoryRegistryStore(),
    webhooks: createMemoryWebhookStore(),
  }
  const artifacts = createMemoryArtifactStore()
  const common = {
    unit: createMemoryUnitOfWork(Object.values(stores)),
    audit: {
      append: async (entry: NewAuditEntry) => {
        entries.push(entry)
        return { ...entry, index: entries.length, id: 'x', atUs: 0 }
      },
    },
    clock,
    ids: createIds(clock, random),
    random,
  }
  const tracking = createTracking({
    ...common,
    store: stores.tracking,
    artifacts,
    parts: createMemoryPartStore(),
  })
  const policy = { allowPrivate: false }
  const webhooks = createWebhooks({
    ...common,
    store: stores.webhooks,
    policy,
    seal: createSeal(new Uint8Array(32), random),
    send: async (request) => {
      sent.push(request)
      return { status: 200, body: '' }
    },
    isPrompt: async (name) => {
      const model = await stores.registry.model(name)
      return model !== undefined && isPrompt(model)
    },
  })
  const registry = createRegistry({
    ...common,
    store: stores.registry,
    models: artifacts,
    sources: createTrackingSources(tracking),
    notify: webhooks.notify,
  })
  const audit: MlflowRooms['audit'] = {
    list: async ({ kind, object, action }) =>
      entries
        .filter((entry) => entry.object.kind === kind && entry.object.id === object)
        .filter((entry) => entry.action === action)
        .map((entry) => ({ entry }) as AuditRecord),
  }
  const rooms = options.rooms ?? { tracking, registry, webhooks, audit, clock }
  const onDefect = (error: unknown) => defects.push(error)
  const app = Fastify({
    routerOptions: { maxParamLength: 1000 },
    frameworkErrors: (error, request, reply) =>
      void refuseMlflow({ onDefect }, error, request, reply),
  })
  await registerMlflow(app, {
    access: {
      authenticate: async ({ bearer, session }) => known.get(bearer ?? session ?? ''),
    },
    rooms,
    openTo,
    onDefect,
  })
  await app.ready()
  return {
    app,
    rooms,
    tracking,
    registry,
    webhooks,
    sent,
    clock,
    entries,
    defects,
    by: { actor: systemActor, reason: 'A test' },
  }
}
