// Questions about live state that decide nothing: they take turns with decisions, and are few.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { generalErrors } from '../lib/errors.ts'

/** A question of the most rows takes some 20 ms: whoever waits longest waits for about half a second. */
const WAITING_MAX = 24

/** Runs `answer` in a turn of its own. Error: `overloaded`, with when to come back. */
export type QuestionQueue = <T>(answer: () => T) => Promise<T>

/**
 * One question a turn of the event loop, in the order in which they came, so that decisions come
 * between any two; beyond `waitingMax` they are refused. An answer is of one state, not of several.
 */
export function createQuestionQueue(waitingMax = WAITING_MAX): QuestionQueue {
  let waiting = 0
  let last: Promise<unknown> = Promise.resolve()
  return async (answer) => {
    if (waiting === waitingMax) {
      throw generalErrors.overloaded(`${waiting} questions about live values are waiting.`, {
        extra: { retryAfter: 1 },
      })
    }
    waiting++
    const turn = last.then(() => nextTurn())
    last = turn
    try {
      await turn
      return answer()
    } finally {
      waiting--
    }
  }
}
