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
import { byCommand, requireServer } from './connection.ts'
import { commandErrors } from './errors.ts'

const NAMESPACE = 'live'
const SHOWN = 100

export async function actionsList(options: ActionsListOptions, { out }: Terminal): Promise<number> {
  const actions = deliveryOf(options.home)
  const figures = await actions.figures()
  const dead = await actions.dead(undefined, SHOWN)
  if (options.json) {
    out.line(JSON.stringify({ actions: figures, dead }))
    return exitCodes.ok
  }
  if (figures.length === 0) {
    out.line('No policy declares an action; see docs/guides/decisions.md.')
    return exitCodes.ok
  }
  printTable(
    out,
    ['policy', 'action', 'to', 'on', 'delivered', 'behind', 'dead', 'last error'],
    figures.map((each) => [
      each.policy,
      each.action,
      targetInWords(each.declared.to),
      conditionInWords(each.declared),
      count(each.delivered),
      each.behind === null ? 'unknown' : count(each.behind),
      count(each.dead),
      each.lastError ?? '',
    ]),
  )
  if (dead.length === 0) return exitCodes.ok
  out.line('')
  printTable(
    out,
    ['sequence', 'policy', 'action', 'event', 'attempts', 'at', 'error'],
    dead.map((each) => [
      String(each.sequence),
      each.policy,
      each.action,
      each.eventId,
      String(each.attempts),
      formatTimestamp(each.diedAtUs),
      each.redrive ? 'about to be delivered once more' : each.error,
    ]),
  )
  return exitCodes.ok
}

export async function actionsRedrive(
  policy: string,
  action: string,
  { home, reason, sequences }: RedriveOptions,
  { out }: Terminal,
): Promise<number> {
  const { actor } = byCommand('actions redrive')
  const of = { namespace: NAMESPACE, policy, action, sequences }
  const letters = await deliveryOf(home).redrive(of, { actor, reason })
  out.line(`${count(letters, 'decision')} will be delivered once more, with the same keys.`)
  return exitCodes.ok
}

export async function setAsideList(
  { home, topic, all, json }: SetAsideListOptions,
  { out }: Terminal,
): Promise<number> {
  const query = { namespace: NAMESPACE, topic, waiting: !all, limit: SHOWN }
  const messages = await deskOf(home).list(query)
  if (json) for (const each of messages) out.line(JSON.stringify(each))
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
        formatTimestamp(each.atUs),
        each.code,
        each.sentAtUs === null ? each.detail : 'decided on after all',
      ]),
    )
  }
  return exitCodes.ok
}

export async function setAsideResend(
  sequence: number,
  { home, policy, reason, body: file }: ResendOptions,
  { out }: Terminal,
): Promise<number> {
  const { actor } = byCommand('set-aside resend')
  const body = file === undefined ? undefined : await textOf(file)
  const request = { namespace: NAMESPACE, sequence, policy, body }
  const { answer } = await deskOf(home).resend(request, { actor, reason })
  out.line(answer)
  return exitCodes.ok
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
