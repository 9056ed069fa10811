// MLflow's clients log to the experiment "0", named "Default", unless they set another. It is made
// when the first of them asks for anything, so that a bank without such clients never sees it.
import { systemActor } from '../../access/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import type { Tracking } from '../../tracking/index.ts'

const DEFAULT_ID = '0'
const made = new WeakMap<Tracking, Promise<void>>()

/** Once a process; a failure is told to whoever asked and tried again with the next request. */
export function ensureDefaultExperiment(tracking: Tracking): Promise<void> {
  const known = made.get(tracking)
  if (known !== undefined) return known
  const making = make(tracking).catch((error: unknown) => {
    made.delete(tracking)
    throw error
  })
  made.set(tracking, making)
  return making
}

async function make(tracking: Tracking): Promise<void> {
  if (await isThere(tracking.experiment(DEFAULT_ID))) return
  const by = { actor: systemActor, reason: 'MLflow clients log here unless they set an experiment' }
  const isTaken = await isThere(tracking.experimentByName('Default'))
  const name = isTaken ? 'Default of MLflow' : 'Default'
  await tracking.createExperiment({ id: DEFAULT_ID, name }, by)
}

async function isThere(experiment: Promise<unknown>): Promise<boolean> {
  try {
    await experiment
    return true
  } catch (error) {
    if (isAssayError(error, 'experiment_not_found')) return false
    throw error
  }
}
