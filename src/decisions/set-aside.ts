// Messages of streams on which nothing could be decided: kept for people, who mend them and send them
// once more. They follow from the journal's `consumed` records.
import { requireReason, type ChangeBy } from '../access/index.ts'
import type { AuditLog } from '../audit/index.ts'
import { parseStrictJson } from '../lib/canonical-json.ts'
import type { Clock } from '../lib/clock.ts'
import { formatTimestamp } from '../lib/time.ts'
import type { Restorable, UnitOfWork } from '../lib/unit-of-work.ts'
import { decisionErrors } from './errors.ts'
import type { ProjectionBatch, ProjectionSink } from './ports.ts'
import type { DecideRemote } from './remote.ts'

export interface SetAsideMessage {
  readonly namespace: string
  readonly sequence: number
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly code: string
  readonly detail: string
  /** As text, as much of it as the journal keeps. */
  readonly body: string
  readonly atUs: number
  /** When it was decided on after all, and by whom it was sent; null while it waits. */
  readonly sentAtUs: number | null
  readonly sentBy: string | null
}

/** Of these messages the newest are listed; the journal keeps all. */
export const SET_ASIDE_LISTED = 100_000

export interface SetAsideStore {
  position(namespace: string): Promise<number>
  /** Adds messages and moves the position in one step; lists `SET_ASIDE_LISTED` at most. */
  add(namespace: string, messages: readonly SetAsideMessage[], through: number): Promise<void>
  message(namespace: string, sequence: number): Promise<SetAsideMessage | undefined>
  /** Newest first; `waiting` leaves out what was sent once more. */
  list(query: {
    readonly namespace: string
    readonly topic?: string | undefined
    readonly waiting?: boolean | undefined
    readonly before?: number | undefined
    readonly limit: number
  }): Promise<SetAsideMessage[]>
  waiting(namespace: string): Promise<number>
  markSent(namespace: string, sequence: number, sentAtUs: number, sentBy: string): Promise<void>
}

export function createMemorySetAside(): SetAsideStore & Restorable {
  const positions = new Map<string, number>()
  let messages: SetAsideMessage[] = []
  return {
    save() {
      const saved = messages
      return () => {
        messages = saved
      }
    },
    position: async (namespace) => positions.get(namespace) ?? 0,
    async add(namespace, added, through) {
      messages = [...messages, ...added].slice(-SET_ASIDE_LISTED)
      positions.set(namespace, through)
    },
    message: async (namespace, sequence) =>
      messages.find((each) => each.namespace === namespace && each.sequence === sequence),
    list: async ({ namespace, topic, waiting, before = Infinity, limit }) =>
      messages
        .filter((each) => each.namespace === namespace && each.sequence < before)
        .filter((each) => topic === undefined || each.topic === topic)
        .filter((each) => waiting !== true || each.sentAtUs === null)
        .toSorted((a, b) => b.sequence - a.sequence)
        .slice(0, limit),
    waiting: async (namespace) =>
      messages.filter((each) => each.namespace === namespace && each.sentAtUs === null).length,
    async markSent(namespace, sequence, sentAtUs, sentBy) {
      messages = messages.map((each) =>
        each.namespace === namespace && each.sequence === sequence
          ? { ...each, sentAtUs, sentBy }
          : each,
      )
    },
  }
}

/** Takes what was set aside out of the journal. */
export function createSetAsideSink(store: SetAsideStore): ProjectionSink {
  return {
    position: (namespace) => store.position(namespace),
    async apply({ namespace, records, through }: ProjectionBatch) {
      const known = await store.position(namespace)
      const messages = records.flatMap((record): SetAsideMessage[] => {
        if (record.type !== 'consumed' || record.why !== 'refused') return []
        const { sequence, origin, code = '', detail = '', body = '', receivedAtUs } = record
        const { topic, partition, offset } = origin
        if (sequence <= known) return []
        const place = { namespace, sequence, topic, partition, offset }
        const refusal = { code, detail, body, atUs: receivedAtUs }
        return [{ ...place, ...refusal, sentAtUs: null, sentBy: null }]
      })
      await store.add(namespace, messages, through)
    },
  }
}

export interface SetAsideDesk {
  list: SetAsideStore['list']
  waiting: SetAsideStore['waiting']
  /**
   * Has a message decided on once more, as it came or as somebody mended it, and answers with the
   * decision's answer. A message is sent once: a second order, or one meanwhile, is refused. Errors:
   * `message_not_found`, `message_sent`, and those of the decision.
   */
  resend(
    request: {
      readonly namespace: string
      readonly sequence: number
      readonly policy: string
      readonly body?: string | undefined
    },
    by: ChangeBy,
  ): Promise<{ readonly answer: string }>
}

export interface SetAsideOptions {
  readonly store: SetAsideStore
  readonly decide: Pick<DecideRemote, 'decideMany'>
  readonly unit: UnitOfWork
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
}

const BODY_BYTES_MAX = 1024 * 1024

export function createSetAsideDesk(options: SetAsideOptions): SetAsideDesk {
  const { store, decide, unit, audit, clock } = options
  const underWay = new Set<string>()
  return {
    list: (query) => store.list(query),
    waiting: (namespace) => store.waiting(namespace),
    async resend(request, by) {
      const reason = requireReason(by)
      const place = `${request.sequence} ${request.namespace}`
      if (underWay.has(place)) {
        throw decisionErrors.message_sent(`Record ${request.sequence} is being sent right now.`)
      }
      underWay.add(place)
      try {
        return await sendOnce(request, by, reason)
      } finally {
        underWay.delete(place)
      }
    },
  }

  async function sendOnce(
    { namespace, sequence, policy, body }: Parameters<SetAsideDesk['resend']>[0],
    by: ChangeBy,
    reason: string,
  ): Promise<{ readonly answer: string }> {
    const message = await store.message(namespace, sequence)
    if (message === undefined) {
      throw decisionErrors.message_not_found(`No message was set aside with record ${sequence}.`)
    }
    if (message.sentAtUs !== null) {
      const at = formatTimestamp(message.sentAtUs)
      throw decisionErrors.message_sent(`${message.sentBy} sent record ${sequence} at ${at}.`)
    }
    const text = Buffer.from(body ?? message.body)
    const event = parseStrictJson(text, { maxBytes: BODY_BYTES_MAX })
    // Should this end before it is marked, a repeat is harmless: it gets the first answer.
    const [answered] = await decide.decideMany({ namespace, policy, events: [event] })
    if (!answered.ok) {
      const { code, detail } = answered.problem
      throw decisionErrors.message_refused(`It was refused again (${code}): ${detail}`)
    }
    await unit.transaction(async () => {
      await store.markSent(namespace, sequence, clock.nowUs(), by.actor.id)
      await audit.append({
        actor: by.actor.id,
        action: 'decisions.message-resent',
        object: {
          kind: 'stream-message',
          id: `${message.topic}/${message.partition}/${message.offset}`,
        },
        reason,
        details: { namespace, sequence, policy, mended: body !== undefined },
      })
    })
    return { answer: answered.body }
  }
}
