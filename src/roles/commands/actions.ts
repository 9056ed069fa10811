// `assay actions` and `assay set-aside`: what was told of decisions, and what could not be decided on.
import { readFile } from 'node:fs/promises'
import {
  count,
  exitCodes,
  printTable,
  type ActionsListOptions,
  type RedriveOptions,
  type ResendOptions,
  type SetAsideListOptions,
  type Terminal,
} from '../../cli/index.ts'
import {
  conditionInWords,
  targetInWords,
  type ActionDelivery,
  type SetAsideDesk,
} from '../../decisions/index.ts'
import { remote } from '../../lib/rpc.ts'
import { formatTimestamp } from '../../lib/time.ts'
import type { ActionState, DeadLetter } from '../../server/contract/index.ts'
import { askAs, type ServerOfPerson } from './api.ts'
import { byCommand, requireServer } from './connection.ts'
import { commandErrors } from './errors.ts'

const NAMESPACE = 'live'
const SHOWN = 100

export async function actionsList(options: ActionsListOptions, { out }: Terminal): Promise<number> {
  const known = isAsPerson(options) ? await actionsOverApi(options) : await actionsOfHome(options)
  if (options.json) {
    out.line(JSON.stringify(known.json))
    return exitCodes.ok
  }
  if (known.actions.length === 0) {
    out.line('No policy declares an action; see docs/guides/decisions.md.')
    return exitCodes.ok
  }
  printTable(
    out,
    ['policy', 'action', 'to', 'on', 'delivered', 'behind', 'dead', 'last error'],
    known.actions.map((each) => [
      each.policy,
      each.action,
      each.to,
      each.on,
      count(each.delivered),
      each.behind === null ? 'unknown' : count(each.behind),
      count(each.dead),
      each.lastError ?? '',
    ]),
  )
  if (known.dead.length === 0) return exitCodes.ok
  out.line('')
  printTable(
    out,
    ['sequence', 'policy', 'action', 'event', 'attempts', 'at', 'error'],
    known.dead.map((each) => [
      String(each.sequence),
      each.policy,
      each.action,
      each.eventId,
      String(each.attempts),
      each.at,
      each.redriving ? 'about to be delivered once more' : each.error,
    ]),
  )
  return exitCodes.ok
}

interface ActionsKnown {
  readonly actions: readonly Pick<
    ActionState,
    'policy' | 'action' | 'to' | 'on' | 'delivered' | 'behind' | 'dead' | 'lastError'
  >[]
  readonly dead: readonly Omit<DeadLetter, 'body'>[]
  readonly json: object
}

async function actionsOverApi(options: ServerOfPerson): Promise<ActionsKnown> {
  const ask = await askAs(options)
  const { items: actions } = await ask('actions')
  const { items: dead } = await ask('deadLetters', { query: { limit: SHOWN } })
  return { actions, dead, json: { actions, dead } }
}

async function actionsOfHome({ home }: ServerOfPerson): Promise<ActionsKnown> {
  const delivery = deliveryOf(home)
  const figures = await delivery.figures()
  const dead = await delivery.dead(undefined, SHOWN)
  return {
    actions: figures.map((each) => ({
      ...each,
      to: targetInWords(each.declared.to),
      on: conditionInWords(each.declared),
    })),
    dead: dead.map((each) => ({
      ...each,
      at: formatTimestamp(each.diedAtUs),
      redriving: each.redrive,
    })),
    json: { actions: figures, dead },
  }
}

export async function actionsRedrive(
  policy: string,
  action: string,
  options: RedriveOptions,
  { out }: Terminal,
): Promise<number> {
  const { home, reason, sequences } = options
  const letters = isAsPerson(options)
    ? await redriveOverApi({ policy, action }, options)
    : await deliveryOf(home).redrive(
        { namespace: NAMESPACE, policy, action, sequences },
        { actor: byCommand('actions redrive').actor, reason },
      )
  out.line(`${count(letters, 'decision')} will be delivered once more, with the same keys.`)
  return exitCodes.ok
}

async function redriveOverApi(
  params: { readonly policy: string; readonly action: string },
  { reason, sequences, ...options }: RedriveOptions,
): Promise<number> {
  const ask = await askAs(options)
  const body = { reason, ...(sequences && { sequences: [...sequences] }) }
  return (await ask('redriveAction', { params, body })).letters
}

export async function setAsideList(
  options: SetAsideListOptions,
  { out }: Terminal,
): Promise<number> {
  const { home, topic, all, json } = options
  const messages = isAsPerson(options)
    ? await setAsideOverApi(options)
    : (await deskOf(home).list({ namespace: NAMESPACE, topic, waiting: !all, limit: SHOWN })).map(
        (each) => ({
          ...each,
          at: formatTimestamp(each.atUs),
          isSent: each.sentAtUs !== null,
          json: each as object,
        }),
      )
  if (json) for (const each of messages) out.line(JSON.stringify(each.json))
  else if (messages.length === 0) out.line('No message is set aside.')
  else {
    printTable(
      out,
      ['sequence', 'topic', 'partition', 'offset', 'at', 'code', 'why'],
      messages.map((each) => [
        String(each.sequence),
        each.topic,
        String(each.partition),
        String(each.offset),
        each.at,
        each.code,
        each.isSent ? 'decided on after all' : each.detail,
      ]),
    )
  }
  return exitCodes.ok
}

async function setAsideOverApi({ topic, all, ...options }: SetAsideListOptions) {
  const ask = await askAs(options)
  const query = { limit: SHOWN, ...(all && { all }), ...(topic !== undefined && { topic }) }
  const { items } = await ask('setAside', { query })
  return items.map((each) => ({ ...each, isSent: each.sentAt !== null, json: each as object }))
}

export async function setAsideResend(
  sequence: number,
  options: ResendOptions,
  { out }: Terminal,
): Promise<number> {
  const { home, policy, reason, body: file } = options
  const body = file === undefined ? undefined : await textOf(file)
  if (isAsPerson(options)) {
    const ask = await askAs(options)
    const mended = { policy, reason, ...(body !== undefined && { body }) }
    out.line((await ask('resendMessage', { params: { sequence }, body: mended })).answer)
    return exitCodes.ok
  }
  const { actor } = byCommand('set-aside resend')
  const request = { namespace: NAMESPACE, sequence, policy, body }
  const { answer } = await deskOf(home).resend(request, { actor, reason })
  out.line(answer)
  return exitCodes.ok
}

/** Whether the server is asked over its API, by a key; else the home's own socket, which takes no key. */
function isAsPerson({ keyFile, url }: ServerOfPerson): boolean {
  return keyFile !== undefined || url !== undefined
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw commandErrors.option_invalid(`--body: ${(cause as Error).message}`, { cause })
  }
}

function deliveryOf(directory: string) {
  const { home } = requireServer(directory)
  return remote<Pick<ActionDelivery, 'figures' | 'dead' | 'redrive'>>(
    home.socket('admin'),
    'actions',
  )
}

function deskOf(directory: string) {
  const { home } = requireServer(directory)
  return remote<SetAsideDesk>(home.socket('admin'), 'setAside')
}
