// A declined customer calls: find the decision, say why, and allow until a time, in two steps.
import type { Identity } from '../../../access/index.ts'
import type {
  CompiledPolicy,
  CompiledRule,
  DecisionQuery,
  DecisionRow as KnownRow,
} from '../../../decisions/index.ts'
import { contentHash } from '../../../lib/hash.ts'
import { DAY_US, parseTimestamp } from '../../../lib/time.ts'
import type { AllowLists, AllowPreview, Calls } from '../../contract/index.ts'
import { onAir, type OnAir } from '../bank.ts'
import { serverErrors } from '../errors.ts'
import type { Call, Handlers } from '../handlers.ts'
import { plural, time, timeOrNull } from '../present.ts'
import type { Rooms } from '../rooms.ts'
import { filterOf, rowView } from './decisions.ts'

const FOUND_MAX = 50
/** Who needs longer needs a rule. */
const ALLOW_MAX_US = 90 * DAY_US
const REACH_US = 30 * DAY_US

interface DecisionKey {
  readonly policy: string
  readonly eventId: string
}

export function callViews(
  rooms: Rooms,
): Pick<Handlers, 'calls' | 'allowLists' | 'previewAllow' | 'confirmAllow'> {
  return {
    calls: ({ query }) => found(rooms, query),
    allowLists: ({ params }) => allowLists(rooms, params),
    previewAllow: ({ params, body, identity }) => preview(rooms, params, body, identity),
    async confirmAllow({ params, body, identity }) {
      const { list, column, value, until, token } = await preview(rooms, params, body, identity)
      if (token !== body.token) {
        throw serverErrors.allow_changed(`List ${list}, until ${until}.`)
      }
      const untilUs = timeOf(until)
      await rooms.policyDesk.changeList(
        { list, change: 'add', values: [value], untilUs },
        { actor: identity, reason: `${body.reason} (decision ${params.policy}/${params.eventId})` },
      )
      const sentence = `The ${column} of this decision is on “${list}” until ${until}.`
      return { sentence, until }
    },
  }
}

/** By any key as the customer has it, an event id, an amount, a time: all that are given must hold. */
async function found(rooms: Rooms, query: Call<'calls'>['query']): Promise<Calls> {
  const { value, amount, outcome = 'refused', ...range } = query
  const filter = await filterOf(rooms, {
    ...range,
    ...(amount !== undefined && { amountMin: amount, amountMax: amount }),
    ...(outcome === 'refused' && { outcome: 'decline,review' }),
    order: 'newest',
    limit: FOUND_MAX,
  })
  const rows =
    value === undefined ? await rowsOf(rooms, filter) : await byValue(rooms, filter, value)
  const newest = rows.toSorted((a, b) => b.eventTimeUs - a.eventTimeUs || b.sequence - a.sequence)
  const items = newest.slice(0, FOUND_MAX).map((row) => rowView(rooms, row))
  const what = outcome === 'refused' ? 'refused payment' : 'payment'
  const more = newest.length >= FOUND_MAX ? '; the newest are shown' : ''
  return { items, sentence: `${plural(items.length, what)} found${more}.` }
}

async function rowsOf(rooms: Rooms, filter: DecisionQuery): Promise<readonly KnownRow[]> {
  return (await rooms.decisions.query(filter)).rows
}

async function byValue(rooms: Rooms, filter: DecisionQuery, value: string): Promise<KnownRow[]> {
  const { sources = [], policies = [] } = rooms.project() ?? {}
  const columns = new Set(
    sources.flatMap(({ columns: all }) =>
      all.filter(({ kind }) => kind === 'key').map(({ name }) => name),
    ),
  )
  const byKey = await Promise.all(
    [...columns].map((column) => rowsOf(rooms, { ...filter, keys: { [column]: value } })),
  )
  const rows = new Map(byKey.flat().map((row) => [row.sequence, row]))
  if (rows.size > 0) return [...rows.values()]
  const byId = await Promise.all(
    policies.map(({ name }) => rooms.decisions.get(filter.namespace, name, value)),
  )
  return byId.filter((row) => row !== undefined)
}

/** An event's decision, the policy that is live for it now, and what its lists would be asked for. */
async function subject(rooms: Rooms, { policy: name, eventId }: DecisionKey) {
  const bank = await onAir(rooms)
  const { namespace } = bank
  const { record } = await rooms.decide.decision({ namespace, policy: name, eventId })
  const namespaces = await rooms.decide.namespaces()
  const live = namespaces
    .find((each) => each.namespace === namespace)
    ?.policies.find((each) => each.policy === name)
  if (live === undefined) {
    throw serverErrors.request_invalid(`policy: "${name}" decides nothing at the moment.`)
  }
  const { deployment } = live
  const { policy } = (await rooms.decide.deployment({ deployment })) as { policy: CompiledPolicy }
  return { bank, record, policy, lists: listsThatAllow(policy) }
}

/** The lists that a rule with the outcome `allow` asks for, with those rules. */
function listsThatAllow(policy: CompiledPolicy) {
  return (policy.lists ?? []).flatMap((list) => {
    const rules = policy.rules.filter(
      ({ then, mode, when }) =>
        then === 'allow' && mode !== 'shadow' && asksFor(when).includes(list.name),
    )
    return rules.length === 0 ? [] : [{ ...list, rules }]
  })
}

function asksFor(when: string): string[] {
  return [...when.matchAll(/listed\(\s*(["'])(.*?)\1\s*\)/g)].map(([, , name]) => name)
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null
}

async function allowLists(rooms: Rooms, key: DecisionKey): Promise<AllowLists> {
  const { bank, record, lists } = await subject(rooms, key)
  return {
    lists: await Promise.all(
      lists.map(async ({ name, description, column }) => {
        const value = textOf(record.event[column])
        const entry = await entryOf(rooms, bank, name, value)
        return { list: name, description, column, value, listedUntil: timeOrNull(entry?.untilUs) }
      }),
    ),
    say: record.reasons.map(({ sentence }) => sentence),
  }
}

async function entryOf(rooms: Rooms, { namespace }: OnAir, list: string, value: string | null) {
  const entries = await rooms.policyDesk.entries(namespace, list)
  return entries.find((entry) => entry.value === value)
}

async function preview(
  rooms: Rooms,
  key: DecisionKey,
  wish: { readonly list: string; readonly until: string },
  identity: Identity,
): Promise<AllowPreview> {
  const { bank, record, policy, lists } = await subject(rooms, key)
  const list = lists.find(({ name }) => name === wish.list)
  if (list === undefined) {
    const known = lists.map(({ name }) => name).join(', ') || 'none'
    throw serverErrors.request_invalid(
      `list: no rule of policy "${policy.name}" allows what is on "${wish.list}"; lists that allow: ${known}.`,
    )
  }
  const value = textOf(record.event[list.column])
  if (value === null) {
    throw serverErrors.request_invalid(`list: the event has no ${list.column} to put on it.`)
  }
  const untilUs = timeOf(wish.until)
  if (untilUs <= bank.nowUs || untilUs > bank.nowUs + ALLOW_MAX_US) {
    throw serverErrors.request_invalid(
      `until: give a time after ${time(bank.nowUs)} and at most 90 days later.`,
    )
  }
  const known = await entryOf(rooms, bank, list.name, value)
  const until = time(untilUs)
  const effects = [
    ...effectsOf(policy, list.rules, list.column),
    known === undefined
      ? 'It ends by itself then, by the clock of the bank.'
      : `It is on the list already, ${known.untilUs === null ? 'for good' : `until ${time(known.untilUs)}`}; that end is replaced.`,
    'Everybody who reads the list or the audit log sees your name and reason; no message is sent.',
  ]
  const { column, name } = list
  const shown = { ...key, list: name, column, value, untilUs, effects, by: identity.id }
  const token = contentHash(shown)
  // Shown, and not part of what is confirmed: it moves with every payment.
  const past = await pastSentence(rooms, bank, column, value)
  return { list: name, column, value, until, effects: [past, ...effects], token }
}

/** What still refuses an event that is on the list: precedence as `judge` has it. */
function effectsOf(
  policy: CompiledPolicy,
  allowing: readonly CompiledRule[],
  column: string,
): string[] {
  const priority = Math.max(...allowing.map((rule) => rule.priority ?? 0))
  const stronger = policy.rules.filter(
    ({ then, mode, priority: of = 0 }) =>
      then !== undefined && then !== 'allow' && mode !== 'shadow' && of >= priority,
  )
  const typologies = priority > 0 ? [] : (policy.typologies ?? [])
  const names = [...stronger, ...typologies].map(({ name }) => name)
  return [
    `Every event with this ${column} is let through past the model’s score, not this one alone.`,
    names.length === 0
      ? 'No rule can still refuse it.'
      : `These can still refuse it: ${names.join(', ')}.`,
  ]
}

async function pastSentence(
  rooms: Rooms,
  { namespace, nowUs }: OnAir,
  column: string,
  value: string,
): Promise<string> {
  const of = { namespace, keys: { [column]: value }, fromUs: nowUs - REACH_US, untilUs: nowUs + 1 }
  const [all, refused, fraud] = await Promise.all([
    rooms.decisions.count(of),
    rooms.decisions.count({ ...of, outcomes: ['decline', 'review'] }),
    rooms.decisions.count({ ...of, label: 'positive' }),
  ])
  if (all === 0) return `Nothing is known of this ${column} in the last 30 days.`
  return `In the last 30 days: ${plural(all, 'payment')}, ${refused} refused or reviewed, ${fraud} confirmed as fraud.`
}

function timeOf(text: string): number {
  const us = parseTimestamp(text)
  if (us === undefined) throw serverErrors.request_invalid(`until: "${text}" is no time.`)
  return us
}
