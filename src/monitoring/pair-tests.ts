// Whether a challenger is better, tested on labelled events in the order in which their first labels came.
// All of them count from its first one on, each once: a test over the newest alone would begin anew with
// each of them, and its false alarms would add up.
import type { LabelledAnswer, Outcome } from '../decisions/index.ts'
import { createSignTest, type SequentialEvidence } from '../lib/sequential.ts'
import type { ChallengerTraffic } from '../serving/index.ts'

/** Two tests a challenger: fraud that it flags, and genuine payments that it flags. */
export interface PairTests {
  readonly recall: SequentialEvidence
  readonly disturbed: SequentialEvidence
}

/** Either test may say "yes" wrongly to one in forty challengers, both together to one in twenty. */
export const TEST_ALPHA = 0.05 / 2

/** Labelled answers of one side that wait for one of the other; more than these are left out. */
const WAITING_MAX = 1000

/**
 * Of a challenger in shadow, pairs are its answer and the champion's to the same event. Of a live one,
 * the k-th labelled event of each, as long as the side with more of them is not too far ahead; whether an
 * event is left out does not hang on what was answered to it, so the test stays exact.
 */
export function createPairTests({ name, mode }: Pick<ChallengerTraffic, 'name' | 'mode'>): {
  add(answer: LabelledAnswer): void
  tests(): PairTests
} {
  const recall = createPairs()
  const disturbed = createPairs()
  return {
    add({ decision, positive, shadow }) {
      const { challenger, unanswered, outcome } = decision
      const { both, one } = positive ? recall : disturbed
      const isChampions = challenger === null && unanswered.length === 0
      if (mode === 'shadow') {
        if (isChampions && shadow !== null) both(isFlagged(shadow), isFlagged(outcome))
      } else if (isChampions) one('champion', isFlagged(outcome))
      else if (challenger === name && !unanswered.includes(name)) {
        one('challenger', isFlagged(outcome))
      }
    },
    tests: () => ({ recall: recall.evidence(), disturbed: disturbed.evidence() }),
  }
}

const isFlagged = (outcome: Outcome) => outcome !== 'allow'

function createPairs() {
  const { add, evidence } = createSignTest()
  /** Of one side alone: with one of each there is a pair. */
  const waiting: boolean[] = []
  let side: 'champion' | 'challenger' = 'champion'
  function both(ours: boolean, theirs: boolean): void {
    add(ours === theirs ? 0 : ours ? 1 : -1)
  }
  return {
    both,
    evidence,
    one(of: 'champion' | 'challenger', flagged: boolean): void {
      if (waiting.length > 0 && side !== of) {
        const other = waiting.shift()!
        return of === 'challenger' ? both(flagged, other) : both(other, flagged)
      }
      side = of
      if (waiting.length < WAITING_MAX) waiting.push(flagged)
    },
  }
}
