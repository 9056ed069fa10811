// Challengers in shadow: asked after the customer has the answer, on the same event and values, within
// bounds. What cannot be asked is counted and left out; nothing waits for it.
import type { Circumstances } from './engine.ts'
import type { Checked, Entered } from './deciding.ts'
import { appendRecord, nextSequence } from './namespace.ts'
import type { LiveDeployment, Namespace } from './namespace.ts'
import { fallbackDefaults } from './policy.ts'
import type { DecisionRecord, ShadowRecord } from './records.ts'
import type { Scorer } from './scorer.ts'

/** Questions to challengers in shadow, and what became of those that are over. */
export interface Shadows {
  readonly waiting: ShadowQuestion[]
  /** Of models outside of the process, asked and not answered yet. */
  underWay: number
  readonly counts: ShadowCounts
}

/** Questions since the start, by what became of them. */
export interface ShadowCounts {
  answered: number
  /** Asked in vain: recorded without a score. */
  unanswered: number
  /** Not asked because too many waited, or not recorded because nothing could be. */
  dropped: number
  /** Defects; each was told as a warning. */
  failed: number
}

export function createShadows(): Shadows {
  const counts = { answered: 0, unanswered: 0, dropped: 0, failed: 0 }
  return { waiting: [], underWay: 0, counts }
}

interface ShadowQuestion {
  readonly live: LiveDeployment
  readonly challenger: Scorer
  readonly checked: Checked
  readonly vector: Float64Array
  readonly circumstances: Circumstances
  readonly record: DecisionRecord
  readonly of: number
}

/** Questions that wait or are under way: a challenger that hangs takes no more memory than this. */
const OPEN_MAX = 1000
/** Asked in one turn of the event loop, so that decisions come between. */
const PER_TURN = 4

/** Puts the questions that a decision gives rise to into the queue. */
export function askShadows(
  namespace: Namespace,
  live: LiveDeployment,
  decided: {
    readonly checked: Checked
    readonly entered: Entered
    readonly circumstances: Circumstances
    readonly record: DecisionRecord
    readonly sequence: number
  },
): void {
  const { checked, entered, circumstances, record, sequence: of } = decided
  const { shadows } = namespace
  for (const challenger of live.engine.shadowsOf(checked.row)) {
    if (shadows.waiting.length + shadows.underWay >= OPEN_MAX) {
      shadows.counts.dropped++
      continue
    }
    const { vector } = entered
    shadows.waiting.push({ live, challenger, checked, vector, circumstances, record, of })
    if (shadows.waiting.length === 1) setImmediate(() => askSome(namespace))
  }
}

function askSome(namespace: Namespace): void {
  const { shadows } = namespace
  for (const question of shadows.waiting.splice(0, PER_TURN)) {
    // A pause may mean that the decision itself was never recorded.
    if (namespace.isClosing || namespace.pause !== undefined) shadows.counts.dropped++
    else void askOne(namespace, question)
  }
  if (shadows.waiting.length > 0) setImmediate(() => askSome(namespace))
}

async function askOne(
  namespace: Namespace,
  { live, challenger, checked, vector, circumstances, record, of }: ShadowQuestion,
): Promise<void> {
  const { shadows, options, outside } = namespace
  const { counts } = shadows
  const { policy } = live.document
  shadows.underWay++
  try {
    const answers = await outside.ask([challenger], vector, policy.fallback ?? fallbackDefaults)
    if (namespace.isClosing || namespace.pause !== undefined) {
      counts.dropped++
      return
    }
    const now = { ...circumstances, outside: answers }
    const answer = live.engine.shadow(challenger, checked.row, vector, now)
    const shadow: ShadowRecord = {
      type: 'shadow',
      policy: record.policy,
      eventId: record.eventId,
      of,
      deployment: live.deployment,
      ...answer,
      eventTimeUs: record.eventTimeUs,
      receivedAtUs: options.clock.nowUs(),
    }
    appendRecord(namespace, shadow, nextSequence(namespace)).durable.catch(() => {})
    if (answer.score === null) counts.unanswered++
    else counts.answered++
  } catch (error) {
    counts.failed++
    options.onWarning(`The challenger ${challenger.name} in shadow could not be asked.`, error)
  } finally {
    shadows.underWay--
  }
}
