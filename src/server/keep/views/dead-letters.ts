import type { DeadLetter as KeptLetter } from '../../../decisions/index.ts'
import { isAssayError } from '../../../lib/errors.ts'
import type { DeadLetter, QueryOf } from '../../contract/index.ts'
import { serverErrors } from '../errors.ts'
import { time } from '../present.ts'
import type { Rooms } from '../rooms.ts'

type Actions = Pick<Rooms['actions'], 'figures' | 'dead' | 'messageOf'>
type Query = QueryOf<'deadLetters'>

const PAGE = 100
/** Letters read at a time; an action has ten thousand at most. */
const READ = 500

/** Action by action, each oldest first. */
export async function deadLettersOf(actions: Actions, query: Query) {
  const { policy, action, text, cursor, limit = PAGE } = query
  const asked = (await actions.figures()).filter(
    (each) =>
      each.dead > 0 &&
      (policy === undefined || each.policy === policy) &&
      (action === undefined || each.action === action),
  )
  const wanted = text?.toLowerCase()
  const after = cursor === undefined ? undefined : readCursor(cursor)
  const page: KeptLetter[] = []
  let total = 0
  let isAfter = after === undefined
  for (const of of asked) {
    for await (const letter of lettersOf(actions, of)) {
      const said = `${letter.eventId}\n${letter.error}`.toLowerCase()
      if (wanted !== undefined && !said.includes(wanted)) continue
      total += 1
      isAfter ||= comesAfter(letter, after!)
      if (isAfter && page.length <= limit) page.push(letter)
    }
  }
  const shown = page.slice(0, limit)
  const last = shown.at(-1)
  return {
    items: await Promise.all(shown.map((letter) => letterView(actions, letter))),
    next: page.length > limit && last !== undefined ? cursorOf(last) : null,
    total,
  }
}

async function* lettersOf(actions: Actions, of: Parameters<Actions['dead']>[0]) {
  for (let after = 0; ;) {
    const letters = await actions.dead(of, READ, after)
    yield* letters
    if (letters.length < READ) return
    after = letters.at(-1)!.sequence
  }
}

const cursorOf = ({ policy, action, sequence }: KeptLetter) =>
  JSON.stringify([policy, action, sequence])

function readCursor(text: string): Pick<KeptLetter, 'policy' | 'action' | 'sequence'> {
  const [, policy, action, sequence] = /^\["([^"]+)","([^"]+)",(\d+)\]$/.exec(text) ?? []
  if (policy !== undefined) return { policy, action, sequence: Number(sequence) }
  throw serverErrors.request_invalid(`cursor: "${text}" is not the \`next\` of a page.`)
}

/** In the order in which actions and their letters are told, whether or not that one still is. */
function comesAfter(letter: KeptLetter, of: ReturnType<typeof readCursor>): boolean {
  const here = [letter.policy, letter.action]
  const there = [of.policy, of.action]
  const at = here.findIndex((part, i) => part !== there[i])
  return at < 0 ? letter.sequence > of.sequence : here[at] > there[at]
}

async function letterView(actions: Actions, letter: KeptLetter): Promise<DeadLetter> {
  const { policy, action, sequence, eventId, attempts, error, diedAtUs, redrive } = letter
  const message = await actions.messageOf(letter).catch((failure: unknown) => {
    if (isAssayError(failure)) return null
    throw failure
  })
  return {
    policy,
    action,
    sequence,
    eventId,
    attempts,
    error,
    at: time(diedAtUs),
    redriving: redrive,
    body: message?.body ?? null,
  }
}
