// Models that another thread or server computes. Each is asked with a deadline; one that keeps failing
// is not asked for a while, so that customers do not wait for it one by one.
import type { DeployedModel } from './deployed.ts'
import type { CompiledFallback } from './policy.ts'
import { answersInside, modelRow } from './scorer.ts'
import type { OutsideAnswers, Scorer } from './scorer.ts'

/** What asks such models: a pool of threads, or a client of a server. */
export interface OutsideModels {
  /**
   * The chance of the positive class for one row, in the order of the model's features; NaN is a
   * missing value. Rejects with an error that says why there is none. `signal` is aborted when nobody
   * waits any more.
   */
  score(model: DeployedModel, row: Float64Array, signal: AbortSignal): Promise<number>
}

export const noOutsideModels: OutsideModels = {
  score: async () => {
    throw new Error('This process has nothing that could ask it')
  },
}

export interface OutsideDesk {
  /**
   * Asks the models of a ladder in turn, until one answers; those inside the process are looked at
   * alone. No longer than the deadline for each, whatever the model does.
   */
  ask(
    ladder: readonly Scorer[],
    vector: Float64Array,
    fallback: CompiledFallback,
  ): Promise<OutsideAnswers>
}

interface Breaker {
  failures: number
  openUntilUs: number
}

/** `nowUs` must never go back. */
export function createOutsideDesk(models: OutsideModels, nowUs: () => number): OutsideDesk {
  const breakers = new Map<string, Breaker>()

  async function askOne(
    { model }: Scorer,
    row: Float64Array,
    { deadlineMs, failures, pauseS }: CompiledFallback,
  ): Promise<number | string> {
    const breaker = breakers.get(model.version) ?? { failures: 0, openUntilUs: -Infinity }
    breakers.set(model.version, breaker)
    if (nowUs() < breaker.openUntilUs) {
      return `It failed ${breaker.failures} times in a row and is not asked for ${pauseS} s`
    }
    const answer = await withDeadline((signal) => models.score(model, row, signal), deadlineMs)
    if (typeof answer === 'number') {
      breaker.failures = 0
      return answer
    }
    breaker.failures++
    if (breaker.failures >= failures) breaker.openUntilUs = nowUs() + pauseS * 1_000_000
    return answer
  }

  return {
    async ask(ladder, vector, fallback) {
      const answers = new Map<string, number | string>()
      for (const scorer of ladder) {
        if (scorer.predictor !== undefined) {
          if (answersInside(scorer, vector)) break
          continue
        }
        const answer = await askOne(scorer, modelRow(scorer, vector), fallback)
        answers.set(scorer.model.version, answer)
        if (typeof answer === 'number') break
      }
      return answers
    },
  }
}

async function withDeadline(
  ask: (signal: AbortSignal) => Promise<number>,
  deadlineMs: number,
): Promise<number | string> {
  const abort = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => {
      resolve(`It did not answer within ${deadlineMs} ms`)
      abort.abort()
    }, deadlineMs)
  })
  try {
    const answer = await Promise.race([ask(abort.signal), late])
    return typeof answer === 'string' || Number.isFinite(answer) ? answer : 'It answered no number'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    clearTimeout(timer)
  }
}
