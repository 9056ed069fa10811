/** The service over in-memory stores, with a clock that is set and an audit log that is looked at. */
import { randomBytes } from 'node:crypto'
import { systemActor } from '../access/index.ts'
import type { NewAuditEntry } from '../audit/index.ts'
import { manualClock } from '../lib/clock.ts'
import { createIds } from '../lib/ids.ts'
import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import {
  createMemoryArtifactStore,
  createMemoryPartStore,
  createMemoryTrackingStore,
  createTracking,
} from './index.ts'

export const by = { actor: systemActor, reason: 'A test' }

/** An audit log that only collects what it is given. */
export function collectEntries() {
  const entries: NewAuditEntry[] = []
  const audit = {
    append: async (entry: NewAuditEntry) => {
      entries.push(entry)
      return { ...entry, index: 0, id: 'x', atUs: 0 }
    },
  }
  return { entries, audit }
}

/** `kept`: ids of runs and logged models that something outside refers to. */
export async function openRun(kept: readonly string[] = []) {
  const store = createMemoryTrackingStore()
  const unit = createMemoryUnitOfWork([store])
  const clock = manualClock(1_000_000)
  const { entries, audit } = collectEntries()
  const ids = createIds(clock, randomBytes)
  const artifacts = createMemoryArtifactStore()
  const tracking = createTracking({
    store,
    artifacts,
    parts: createMemoryPartStore(),
    unit,
    audit,
    clock,
    ids,
    random: randomBytes,
    isKept: async (id) => kept.includes(id),
  })
  const experiment = await tracking.ensureExperiment('card-fraud', by)
  const run = await tracking.startRun({ experimentId: experiment.id, name: 'trees' }, by)
  const actions = () => entries.map(({ action }) => action.replace('tracking.', ''))
  return { tracking, experiment, run, entries, actions, clock, store, artifacts }
}
