// The rooms that the handbook's measurement goes through, with their stores in memory.
import { systemActor, type ChangeBy } from '../src/access/index.ts'
import {
  createAuditLog,
  createCheckpointSigner,
  createMemoryAuditStore,
  generateSigningKey,
} from '../src/audit/index.ts'
import {
  createMemoryCatalog,
  createMemoryQuarantine,
  createMemorySnapshots,
  type IngestPorts,
} from '../src/data/index.ts'
import { systemClock } from '../src/lib/clock.ts'
import { systemIds, systemRandomBytes } from '../src/lib/ids.ts'
import { createMemoryUnitOfWork } from '../src/lib/unit-of-work.ts'
import {
  createMemoryArtifactStore,
  createMemoryPartStore,
  createMemoryTrackingStore,
  createTracking,
  type Tracking,
} from '../src/tracking/index.ts'

export interface Bank {
  readonly ingest: IngestPorts
  readonly tracking: Tracking
  readonly by: ChangeBy
}

export async function bankInMemory(): Promise<Bank> {
  const clock = systemClock
  const ids = systemIds
  const store = createMemoryTrackingStore()
  const entries = createMemoryAuditStore()
  const unit = createMemoryUnitOfWork([store, entries])
  const signer = createCheckpointSigner(generateSigningKey(), 'bench')
  const audit = await createAuditLog(entries, { clock, ids, signer, unit })
  const artifacts = createMemoryArtifactStore()
  return {
    ingest: {
      snapshots: createMemorySnapshots(),
      catalog: createMemoryCatalog(),
      quarantine: createMemoryQuarantine(),
      clock,
      ids,
    },
    tracking: createTracking({
      store,
      artifacts,
      parts: createMemoryPartStore(),
      unit,
      audit,
      clock,
      ids,
      random: systemRandomBytes,
    }),
    by: { actor: systemActor, reason: 'A measurement' },
  }
}
