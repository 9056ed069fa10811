// The ports that commands without a server bring to the rooms, with their engines bounded.
import { join } from 'node:path'
import {
  duckdbHistoryEngine,
  duckdbParquetRows,
  duckdbSnapshots,
} from '../../adapters/duckdb/index.ts'
import type { IngestPorts } from '../../data/index.ts'
import { acceptedEvents } from '../../decisions/index.ts'
import { createChosenEngine, createSweepEngine, type ChosenEngine } from '../../features/index.ts'
import { systemClock } from '../../lib/clock.ts'
import { nodeFiles } from '../../lib/files.ts'
import { systemIds } from '../../lib/ids.ts'
import type { Home } from '../../projects/index.ts'
import type { Metadata } from '../metadata.ts'

const LIMITS = { memory: '2GB', threads: 2 }

export function snapshotsOf(home: Home): IngestPorts['snapshots'] {
  return duckdbSnapshots({ directory: home.snapshots, ...LIMITS })
}

/** Values of past events, by whichever engine is fastest; where the state counts, history is replayed. */
export function historyEngine(): ChosenEngine {
  return createChosenEngine({ sweep: createSweepEngine(), sql: duckdbHistoryEngine(LIMITS) })
}

export function ingestPortsOf(
  home: Home,
  { catalog, quarantine }: Pick<Metadata, 'catalog' | 'quarantine'>,
): IngestPorts {
  return {
    snapshots: snapshotsOf(home),
    catalog,
    quarantine,
    parquet: duckdbParquetRows(LIMITS),
    accepted: (source) => acceptedEvents(join(home.decide, 'live'), source, nodeFiles),
    clock: systemClock,
    ids: systemIds,
  }
}
