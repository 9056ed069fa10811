/** A thread that works out the figures of trials, one at a time, until it is told to end. */
import { parentPort, workerData } from 'node:worker_threads'
import { createFigures, type ObjectiveWork } from './objective.ts'
import type { TrialAnswer, TrialRequest } from './trial-workers.ts'

const figures = createFigures(workerData as ObjectiveWork)

parentPort?.on('message', ({ learner, budget }: TrialRequest) => {
  parentPort?.postMessage(answer({ learner, budget }), [])
})

function answer({ learner, budget }: TrialRequest): TrialAnswer {
  try {
    return { done: figures(learner, budget) }
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) }
  }
}
