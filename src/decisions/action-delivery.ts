// Delivers what policies tell of their decisions. Each action has a cursor over the journal, so what
// is still to be told is the journal itself: nothing is queued, and nothing is lost when a process
// falls. A cursor moves after the delivery, so a fall in between delivers again, with the same key.
import { requireReason, type ChangeBy } from '../access/index.ts'
import type { AuditLog } from '../audit/index.ts'
import type { Clock } from '../lib/clock.ts'
import { isAssayError } from '../lib/errors.ts'
import type { Random } from '../lib/random.ts'
import { formatTimestamp } from '../lib/time.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import type { ActionCursor, ActionKey, ActionStore, DeadLetter } from './action-store.ts'
import { applies, type ActionTarget, type CompiledAction } from './actions.ts'
import { decisionErrors } from './errors.ts'
import type { DeploymentRow } from './ports.ts'
import type { DecideRemote } from './remote.ts'
import type { DecisionRecord, Sequenced } from './records.ts'

/** What a receiver gets; `body` is the same bytes at every attempt, and `key` is in it. */
export interface ActionMessage {
  readonly key: string
  readonly body: string
}

/** Resolves when the receiver has them all; rejects with a sentence of what went wrong. */
export type ActionReceiver = (to: ActionTarget, messages: readonly ActionMessage[]) => Promise<void>

export interface ActionDeliveryOptions {
  readonly store: ActionStore
  readonly decide: Pick<DecideRemote, 'records' | 'namespaces'>
  readonly deployments: (namespace: string) => Promise<readonly DeploymentRow[]>
  /** What a published deployment declares; rejects where it cannot be read. */
  readonly actionsOf: (deployment: string) => Promise<readonly CompiledAction[]>
  readonly receive: ActionReceiver
  readonly unit: UnitOfWork
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
  readonly random: Random
  /** Told of what failed for other reasons than the receiver; it is tried again. */
  readonly onError?: (error: unknown) => void
}

export interface ActionFigures extends ActionCursor {
  readonly dead: number
  /** Records of the journal that it has not looked at yet; null while decide is away. */
  readonly behind: number | null
  /** When the oldest of these was received; null where there is none, or while decide is away. */
  readonly behindSinceUs: number | null
}

export interface ActionDelivery {
  /**
   * Begins what is due, each action by itself, and does not wait for it: `ended` does. What is on its
   * way is not begun twice. Call it again and again; after a signal nothing more is begun.
   */
  begin(stopping?: AbortSignal): Promise<{ readonly ended: Promise<unknown> }>
  figures(): Promise<ActionFigures[]>
  dead(of: ActionKey | undefined, limit: number, afterSequence?: number): Promise<DeadLetter[]>
  /** What the receiver of a dead letter would get; null where the journal does not have it any more. */
  messageOf(letter: DeadLetter): Promise<ActionMessage | null>
  /**
   * Has dead letters delivered once more, all of an action or some; says how many.
   * Error: `action_not_found`.
   */
  redrive(
    request: ActionKey & { readonly sequences?: readonly number[] | undefined },
    by: ChangeBy,
  ): Promise<number>
}

export const deliveryLimits = {
  /** With `pauseFirstUs` doubled each time: for about eight minutes. */
  attempts: 10,
  pauseFirstUs: 1_000_000,
  pauseMostUs: 300_000_000,
  /** Records that an action looks at in one round. */
  page: 200,
  /** Dead letters of an action; from there on it waits until some are delivered or more wanted. */
  dead: 10_000,
  redriven: 20,
  errorCharacters: 500,
} as const

/** Replays have namespaces of their own; nobody outside is told of them. */
const NAMESPACE = 'live'

export function createActionDelivery(options: ActionDeliveryOptions): ActionDelivery {
  const { store, unit, audit } = options
  /** Of those on their way: a slow one is not begun twice, and holds no other one up. */
  const busy = new Set<string>()
  /** Sequence of the newest deployment whose actions are known. */
  let seen = 0

  async function deliver(
    cursor: ActionCursor,
    last: number,
    stopping: AbortSignal | undefined,
  ): Promise<void> {
    const name = `${cursor.policy}/${cursor.action}`
    if (busy.has(name)) return
    busy.add(name)
    try {
      await redeliver(options, cursor, stopping)
      await advance(options, cursor, last, stopping)
    } catch (error) {
      if (!isAssayError(error, 'peer_unavailable')) options.onError?.(error)
    } finally {
      busy.delete(name)
    }
  }

  async function lastSequence(): Promise<number> {
    const namespaces = await options.decide.namespaces()
    return namespaces.find(({ namespace }) => namespace === NAMESPACE)?.lastSequence ?? 0
  }

  /** Of the first record after a cursor. */
  async function receivedAfter({ namespace, through }: ActionCursor): Promise<number | null> {
    const asked = options.decide.records({ namespace, after: through, limit: 1 })
    return asked.then(
      ({ records }) => records[0]?.receivedAtUs ?? null,
      () => null,
    )
  }

  return {
    async begin(stopping) {
      const last = await lastSequence()
      seen = await discover(options, seen)
      const begun = (await store.cursors()).map((cursor) => deliver(cursor, last, stopping))
      return { ended: Promise.all(begun) }
    },
    async figures() {
      const last = await lastSequence().catch(() => null)
      const cursors = await store.cursors()
      return Promise.all(
        cursors.map(async (cursor) => {
          const behind = last === null ? null : Math.max(0, last - cursor.through)
          return {
            ...cursor,
            dead: await store.deadCount(cursor),
            behind,
            behindSinceUs: behind === null || behind === 0 ? null : await receivedAfter(cursor),
          }
        }),
      )
    },
    async messageOf(letter) {
      const decision = await decisionOf(options, letter)
      return decision === undefined ? null : actionMessage(letter.action, decision)
    },
    dead: (of, limit, afterSequence) => store.dead({ of, limit, afterSequence }),
    async redrive({ sequences, ...of }, by) {
      const reason = requireReason(by)
      const known = (await store.cursors()).some(
        (each) =>
          each.namespace === of.namespace && each.policy === of.policy && each.action === of.action,
      )
      if (!known) {
        throw decisionErrors.action_not_found(`Policy "${of.policy}" has no action "${of.action}".`)
      }
      return unit.transaction(async () => {
        const count = await store.askRedrive(of, sequences)
        await audit.append({
          actor: by.actor.id,
          action: 'decisions.action-redriven',
          object: { kind: 'action', id: `${of.policy}/${of.action}` },
          reason,
          details: {
            namespace: of.namespace,
            letters: count,
            sequences: sequences?.join() ?? 'all',
          },
        })
        return count
      })
    },
  }
}

/** Tells the store of every action that deployments after `seen` declare; returns how far it came. */
async function discover(options: ActionDeliveryOptions, seen: number): Promise<number> {
  const rows = (await options.deployments(NAMESPACE)).filter(({ sequence }) => sequence > seen)
  let through = seen
  for (const { policy, sequence, deployment } of rows.toSorted((a, b) => a.sequence - b.sequence)) {
    for (const declared of await declaredBy(options, deployment)) {
      const of = { namespace: NAMESPACE, policy, action: declared.name }
      await options.store.declare(of, declared, sequence)
    }
    through = sequence
  }
  return through
}

/** What a deployment declares. One that cannot be read stops whoever asks: nothing may be passed over. */
async function declaredBy(
  { store, actionsOf }: Pick<ActionDeliveryOptions, 'store' | 'actionsOf'>,
  deployment: string,
): Promise<readonly CompiledAction[]> {
  const known = await store.actionsOf(deployment)
  if (known !== undefined) return known
  const actions = await actionsOf(deployment)
  await store.keepActions(deployment, actions)
  return actions
}

type Decision = Sequenced<DecisionRecord>

/** Delivers to one action what it has not seen, until all was, or one could not be delivered. */
async function advance(
  options: ActionDeliveryOptions,
  from: ActionCursor,
  last: number,
  stopping: AbortSignal | undefined,
): Promise<void> {
  const { store, clock } = options
  let cursor = from
  while (cursor.through < last && cursor.nextAtUs <= clock.nowUs()) {
    if (isOver(stopping)) return
    if ((await store.deadCount(cursor)) >= deliveryLimits.dead) return
    const { namespace, through } = cursor
    const { records } = await options.decide.records({
      namespace,
      after: through,
      limit: deliveryLimits.page,
    })
    const end = records.at(-1)?.sequence
    if (end === undefined) return
    for (const batch of batchesOf(cursor, await wantedOf(options, cursor, records))) {
      if (isOver(stopping)) return
      const error = await attempt(options, cursor, batch)
      if (error !== undefined) return failed(options, cursor, batch[0], error)
      cursor = passed(cursor, batch)
      await store.move(cursor)
    }
    if (cursor.through < end) {
      cursor = { ...cursor, through: end }
      await store.move(cursor)
    }
  }
}

function isOver(stopping: AbortSignal | undefined): boolean {
  return stopping?.aborted === true
}

/** The decisions that an action applies to, as the deployment that decided declared it. */
async function wantedOf(
  options: ActionDeliveryOptions,
  { policy, action }: ActionCursor,
  records: readonly Sequenced[],
): Promise<Decision[]> {
  const wanted: Decision[] = []
  for (const record of records) {
    if (record.type !== 'decision' || record.policy !== policy) continue
    const actions = await declaredBy(options, record.versions.deployment)
    const declared = actions.find(({ name }) => name === action)
    if (declared !== undefined && applies(declared, record)) wanted.push(record)
  }
  return wanted
}

/** Posts go one by one; messages and lines together, until one fails: then it is found alone. */
function batchesOf({ declared, attempts }: ActionCursor, decisions: Decision[]): Decision[][] {
  if ('webhook' in declared.to || attempts > 0) return decisions.map((each) => [each])
  return decisions.length === 0 ? [] : [decisions]
}

/** What went wrong; undefined where it was delivered. */
async function attempt(
  { receive }: ActionDeliveryOptions,
  { declared, action }: ActionCursor,
  decisions: readonly Decision[],
): Promise<string | undefined> {
  try {
    await receive(
      declared.to,
      decisions.map((decision) => actionMessage(action, decision)),
    )
    return undefined
  } catch (error) {
    const said = isAssayError(error) ? error.detail : (error as Error).message
    return said.slice(0, deliveryLimits.errorCharacters)
  }
}

function passed(cursor: ActionCursor, batch: readonly Decision[]): ActionCursor {
  const through = batch.at(-1)!.sequence
  const delivered = cursor.delivered + batch.length
  return { ...cursor, through, delivered, attempts: 0, nextAtUs: 0, lastError: null }
}

/** Waits for another attempt, or sets the decision aside after the last one. */
async function failed(
  { store, clock, random }: ActionDeliveryOptions,
  cursor: ActionCursor,
  decision: Decision,
  error: string,
): Promise<void> {
  const nowUs = clock.nowUs()
  const attempts = cursor.attempts + 1
  if (attempts < deliveryLimits.attempts) {
    const nextAtUs = nowUs + pauseUs(attempts, random)
    return store.move({ ...cursor, attempts, nextAtUs, lastError: error })
  }
  const { namespace, policy, action } = cursor
  const { sequence, eventId } = decision
  const of = { namespace, policy, action, sequence, eventId }
  const letter = { ...of, attempts, error, diedAtUs: nowUs, redrive: false }
  const on = { through: sequence, attempts: 0, nextAtUs: 0, lastError: error }
  await store.move({ ...cursor, ...on }, letter)
}

/** Doubling, and spread over the upper half so that many do not come at once. */
function pauseUs(attempts: number, random: Random): number {
  const { pauseFirstUs, pauseMostUs } = deliveryLimits
  const most = Math.min(pauseMostUs, pauseFirstUs * 2 ** (attempts - 1))
  return Math.round(random.uniform(most / 2, most))
}

async function decisionOf(
  { decide }: Pick<ActionDeliveryOptions, 'decide'>,
  { namespace, sequence }: DeadLetter,
): Promise<Decision | undefined> {
  const { records } = await decide.records({ namespace, after: sequence - 1, limit: 1 })
  const [record] = records
  return record?.type === 'decision' && record.sequence === sequence ? record : undefined
}

/** One more attempt at each dead letter that somebody asked for. */
async function redeliver(
  options: ActionDeliveryOptions,
  cursor: ActionCursor,
  stopping: AbortSignal | undefined,
): Promise<void> {
  const { store, clock } = options
  const { namespace, policy, action } = cursor
  const of = { namespace, policy, action }
  const letters = await store.dead({ of, redrive: true, limit: deliveryLimits.redriven })
  for (const letter of letters) {
    if (isOver(stopping)) return
    const decision = await decisionOf(options, letter)
    const error =
      decision === undefined
        ? 'Its decision is not in the journal any more.'
        : await attempt(options, cursor, [decision])
    if (error === undefined) await store.removeDead(letter)
    else {
      const attempts = letter.attempts + 1
      const diedAtUs = clock.nowUs()
      await store.saveDead({ ...letter, attempts, error, diedAtUs, redrive: false })
    }
  }
}

/**
 * What is told of a decision. It follows from the record alone, so every attempt sends the same; the
 * key names namespace, sequence and action, and no two deliveries share it.
 */
export function actionMessage(action: string, decision: Decision): ActionMessage {
  const { namespace, sequence, policy, eventId, outcome, score, rules, reasons, shown } = decision
  const key = `${namespace}/${sequence}/${policy}/${action}`
  const { deployment, policy: policyVersion, modelName, modelNumber } = decision.versions
  const body = JSON.stringify({
    key,
    action,
    namespace,
    sequence,
    policy,
    eventId,
    outcome,
    score,
    rules,
    reasons: reasons.map(({ sentence }) => sentence),
    keys: shown.keys,
    amountMinor: shown.amountMinor,
    currency: shown.currency,
    eventTime: formatTimestamp(decision.eventTimeUs),
    decidedAt: formatTimestamp(decision.receivedAtUs),
    versions: { deployment, policy: policyVersion, modelName, modelNumber },
  })
  return { key, body }
}
