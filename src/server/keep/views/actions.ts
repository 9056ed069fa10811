import {
  conditionInWords,
  targetInWords,
  type ActionFigures,
  type SetAsideMessage as KnownMessage,
} from '../../../decisions/index.ts'
import type { ActionState, SetAsideMessage } from '../../contract/index.ts'
import { serverErrors } from '../errors.ts'
import type { Handlers } from '../handlers.ts'
import { identityView, plural, time, timeOrNull, verdict } from '../present.ts'
import type { Rooms } from '../rooms.ts'
import { deadLettersOf } from './dead-letters.ts'

const PAGE = 100
const NAMESPACE = 'live'

export function actionViews({
  actions,
  setAside,
  access,
}: Pick<Rooms, 'actions' | 'setAside' | 'access'>): Pick<
  Handlers,
  'actions' | 'deadLetters' | 'redriveAction' | 'setAside' | 'resendMessage'
> {
  return {
    async actions() {
      return { items: (await actions.figures()).map(stateOf) }
    },
    deadLetters: ({ query }) => deadLettersOf(actions, query),
    async redriveAction({ params, body: { reason, sequences }, identity }) {
      const of = { namespace: NAMESPACE, ...params, sequences }
      return { letters: await actions.redrive(of, { actor: identity, reason }) }
    },
    async setAside({ query: { topic, all, cursor, limit = PAGE } }) {
      const [messages, waiting, identities] = await Promise.all([
        setAside.list({
          namespace: NAMESPACE,
          topic,
          waiting: all !== true,
          before: cursor === undefined ? undefined : readCursor(cursor),
          limit: limit + 1,
        }),
        setAside.waiting(NAMESPACE),
        access.identities(),
      ])
      const known = new Map(identities.map((each) => [each.id, each]))
      const shown = messages.slice(0, limit)
      return {
        items: shown.map((each) => messageView(each, known)),
        waiting,
        next: messages.length > shown.length ? String(shown.at(-1)?.sequence) : null,
      }
    },
    async resendMessage({ params, body: { policy, reason, body }, identity }) {
      const request = { namespace: NAMESPACE, ...params, policy, body }
      return setAside.resend(request, { actor: identity, reason })
    },
  }
}

/** The sequence of the last message of the page before. */
function readCursor(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw serverErrors.request_invalid(`cursor: "${text}" is not the \`next\` of a page.`)
}

function stateOf(figures: ActionFigures): ActionState {
  const { policy, action, declared, delivered, behind, attempts, nextAtUs, lastError } = figures
  return {
    policy,
    action,
    to: targetInWords(declared.to),
    on: conditionInWords(declared),
    delivered,
    behind,
    behindSince: timeOrNull(figures.behindSinceUs),
    attempts,
    nextAt: timeOrNull(attempts === 0 ? null : nextAtUs),
    lastError,
    dead: figures.dead,
    verdict: verdictOf(figures),
  }
}

function verdictOf({ attempts, dead, lastError, behind }: ActionFigures): ActionState['verdict'] {
  if (attempts > 0) {
    return verdict('warning', `It is not taken: ${lastError ?? ''} It is tried again.`)
  }
  if (dead > 0) {
    return verdict('warning', `${plural(dead, 'decision')} could not be delivered; none is lost.`)
  }
  if (behind === null) return verdict('no-data', 'Decisions are not answered at the moment.')
  return verdict('ok', 'What was decided was delivered, or is about to be.')
}

function messageView(
  message: KnownMessage,
  known: ReadonlyMap<string, Parameters<typeof identityView>[0]>,
): SetAsideMessage {
  const { sequence, topic, partition, offset, code, detail, body, sentBy } = message
  return {
    sequence,
    topic,
    partition,
    offset,
    code,
    detail,
    body,
    at: time(message.atUs),
    sentAt: timeOrNull(message.sentAtUs),
    sentBy: sentBy === null ? null : identityView(known.get(sentBy), sentBy),
  }
}
