// The ways by which actions of policies leave this machine, and the telling itself, which `keep` does.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createFolderLog, createLineAppender } from '../adapters/folder/index.ts'
import {
  createActionDelivery,
  directoryDeployments,
  type ActionDelivery,
  type ActionReceiver,
  type DecideRemote,
} from '../decisions/index.ts'
import type { Clock } from '../lib/clock.ts'
import { systemIds } from '../lib/ids.ts'
import { createRandom } from '../lib/random.ts'
import type { Remote } from '../lib/rpc.ts'
import type { Home } from '../projects/index.ts'
import { isDelivered, signatureOf, type WebhookSender } from '../registry/index.ts'
import { deploymentsDirectory } from '../server/decide/index.ts'
import { rolesErrors } from './errors.ts'
import type { Metadata } from './metadata.ts'

/** Topics in the home, until the bank has a log of its own: a folder each. */
export function topicsDirectory(home: Pick<Home, 'root'>): string {
  return join(home.root, 'topics')
}

/** Where the files of actions lie. */
export function toldDirectory(home: Pick<Home, 'root'>): string {
  return join(home.root, 'told')
}

export interface ReceiverOptions {
  readonly home: Pick<Home, 'root' | 'secrets'>
  readonly send: WebhookSender
  readonly clock: Clock
}

/** Webhooks by the rules of all webhooks; topics and files inside the home. */
export function createActionReceiver({ home, send, clock }: ReceiverOptions): ActionReceiver {
  const log = createFolderLog({ directory: topicsDirectory(home) })
  const appendLines = createLineAppender()
  return async (to, messages) => {
    if ('file' in to) {
      const lines = messages.map(({ body }) => Buffer.from(body))
      return appendLines(join(toldDirectory(home), to.file), lines)
    }
    if ('topic' in to) {
      const values = messages.map(({ key, body }) => ({ key, value: Buffer.from(body) }))
      return log.append(to.topic, values)
    }
    for (const { key, body } of messages) {
      const seconds = String(Math.floor(clock.nowUs() / 1_000_000))
      const secret = to.secret === undefined ? undefined : secretOf(home, to.secret)
      const outcome = await send({
        url: to.webhook,
        body,
        headers: {
          'content-type': 'application/json',
          'idempotency-key': key,
          'webhook-id': key,
          'webhook-timestamp': seconds,
          ...(secret !== undefined && {
            'webhook-signature': signatureOf(secret, `${key}.${seconds}.${body}`),
          }),
        },
      })
      if ('error' in outcome) throw rolesErrors.action_refused(outcome.error)
      if (isDelivered(outcome.status)) continue
      throw rolesErrors.action_refused(`It answered ${outcome.status}.`)
    }
  }
}

/** Read at every attempt: it can be put there, or changed, while the server runs. */
function secretOf({ secrets }: Pick<Home, 'secrets'>, name: string): string {
  const file = join(secrets, `action-${name}`)
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  throw rolesErrors.action_refused(`There is no secret to sign with: write it to ${file}.`)
}

export interface ActionsOptions {
  readonly home: Home
  readonly metadata: Pick<Metadata, 'stores' | 'audit' | 'clock' | 'sendWebhook'>
  readonly decide: Remote<DecideRemote>
  readonly onError: (error: unknown) => void
}

/** Who is told of decisions, over everything that `keep` has. */
export function openActions({ home, metadata, decide, onError }: ActionsOptions): ActionDelivery {
  const { stores, audit, clock, sendWebhook } = metadata
  const documents = directoryDeployments(deploymentsDirectory(home))
  return createActionDelivery({
    store: stores.actions,
    unit: stores.unit,
    audit,
    clock,
    decide,
    random: createRandom(systemIds('actions')),
    deployments: (namespace) => stores.decisions.deployments(namespace),
    actionsOf: async (deployment) => {
      const document = await documents.read(deployment)
      if (document !== undefined) return document.policy.actions ?? []
      throw rolesErrors.document_missing(`${deployment} is not published.`)
    },
    receive: createActionReceiver({ home, send: sendWebhook, clock }),
    onError,
  })
}
