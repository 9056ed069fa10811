// Keeps the tests of running challengers in memory and adds what was labelled since the last look: a look
// costs what is new, however long the challenger runs. A start counts them again, in slices.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ChallengerReads } from '../decisions/index.ts'
import { documentsOf, type ChallengerTraffic, type Deployments } from '../serving/index.ts'
import { createPairTests, type PairTests } from './pair-tests.ts'

export interface ChallengerTestsPorts {
  readonly serving: Pick<Deployments, 'history'>
  readonly decisions: Pick<ChallengerReads, 'labelledUnder' | 'lastLabelled'>
}

export interface ChallengerTests {
  /** Over all labels that have come for a challenger of a policy in a namespace. */
  of(policy: string, challenger: ChallengerTraffic, namespace: string): Promise<PairTests>
}

/** Labels that are read in one turn. */
const SLICE = 5000
/** Challengers whose tests are kept: of every policy all that may run at a time, and the last ones. */
const KEPT_MAX = 64

export function createChallengerTests({
  serving,
  decisions,
}: ChallengerTestsPorts): ChallengerTests {
  const kept = new Map<string, ReturnType<typeof begin>>()

  async function goOn(
    running: ReturnType<typeof begin>,
    policy: string,
    challenger: ChallengerTraffic,
    namespace: string,
  ): Promise<void> {
    // What is labelled later may be of a document that is not known yet.
    const last = await decisions.lastLabelled()
    const deployments = documentsOf(await serving.history(policy), challenger)
    const { name } = challenger
    while (running.after < last) {
      const { after } = running
      const through = Math.min(after + SLICE, last)
      const query = { namespace, deployments, challenger: name, after, through }
      for (const answer of await decisions.labelledUnder(query)) running.pairs.add(answer)
      running.after = through
      await nextTurn()
    }
  }

  return {
    async of(policy, challenger, namespace) {
      const { name, fromUs } = challenger
      const key = JSON.stringify([policy, name, fromUs, namespace])
      const running = kept.get(key) ?? begin(challenger)
      kept.delete(key)
      kept.set(key, running)
      const [oldest] = kept.keys()
      if (kept.size > KEPT_MAX) kept.delete(oldest)
      const turn = running.turn.then(() => goOn(running, policy, challenger, namespace))
      running.turn = turn.catch(() => {})
      await turn
      return running.pairs.tests()
    },
  }
}

function begin(challenger: ChallengerTraffic) {
  const turn: Promise<unknown> = Promise.resolve()
  return { pairs: createPairTests(challenger), after: 0, turn }
}
