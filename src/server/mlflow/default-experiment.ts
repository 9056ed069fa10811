// MLflow's clients log to the experiment "0", named "Default", unless they set another. It is made
// when the first of them asks for anything, so that a bank without such clients never sees it; once
// only, because where it was purged somebody wanted to be without it. The audit log knows.
import { systemActor } from '../../access/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import type { Tracking } from '../../tracking/index.ts'
import type { MlflowRooms } from './rooms.ts'

type Rooms = Pick<MlflowRooms, 'tracking' | 'audit'>

const DEFAULT_ID = '0'
const checked = new WeakMap<Tracking, Promise<void>>()

/** Looked up once a process; a failure is told to whoever asked and tried again with the next request. */
export function ensureDefaultExperiment(rooms: Rooms): Promise<void> {
  const { tracking } = rooms
  const known = checked.get(tracking)
  if (known !== undefined) return known
  const checking = makeOnce(rooms).catch((error: unknown) => {
    checked.delete(tracking)
    throw error
  })
  checked.set(tracking, checking)
  return checking
}

async function makeOnce({ tracking, audit }: Rooms): Promise<void> {
  if (await isThere(tracking.experiment(DEFAULT_ID))) return
  const ofIt = { kind: 'experiment', object: DEFAULT_ID, action: 'tracking.experiment-created' }
  if ((await audit.list({ ...ofIt, limit: 1 })).length > 0) return
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
