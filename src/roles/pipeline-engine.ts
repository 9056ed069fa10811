// The engine of declared pipelines, put together for one project and one home: the same in `work` and
// in a command that runs without a server.
import { setTimeout as wait } from 'node:timers/promises'
import { duckdbSnapshots } from '../adapters/duckdb/index.ts'
import type { DatasetCatalog } from '../data/index.ts'
import { systemClock } from '../lib/clock.ts'
import { contentHash } from '../lib/hash.ts'
import { systemIds } from '../lib/ids.ts'
import { createRandom } from '../lib/random.ts'
import type { Remote } from '../lib/rpc.ts'
import {
  openLogs,
  openObjects,
  type DatasetVersions,
  type Environment,
  type PipelineEngineStore,
  type RunnerPorts,
} from '../pipelines/index.ts'
import type { Home } from '../projects/index.ts'
import { version } from './config.ts'
import { childAttempts } from './pipeline-attempts.ts'
import { pipelineFolders } from './pipeline-folders.ts'
import { variableSeal } from './pipeline-seal.ts'

/** What a step's key says of where it runs. */
function environmentOf(home: Home): Environment {
  return {
    assay: version,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    variable: (name) => process.env[name],
    seal: variableSeal(home),
  }
}

export function enginePorts({
  home,
  project,
  store,
  catalog,
}: {
  readonly home: Home
  /** Folder of the project. */
  readonly project: string
  readonly store: Omit<Remote<PipelineEngineStore>, 'answer' | 'cancel'>
  readonly catalog: Pick<Remote<DatasetCatalog>, 'current' | 'snapshot'>
}): RunnerPorts {
  const folders = pipelineFolders(home)
  return {
    store,
    objects: openObjects(folders.objects),
    attempts: childAttempts({ project, logs: openLogs(folders.logs), clock: systemClock }),
    datasets: datasetVersions(home, catalog),
    clock: systemClock,
    ids: systemIds,
    random: createRandom(systemIds('seed')),
    sleep: (ms, signal) => wait(ms, undefined, { signal }).catch(() => {}),
    scratch: folders.scratch,
    environment: environmentOf(home),
    digests: new Map(),
  }
}

/** Versions of data sets as the catalogue and the store of snapshots know them. */
function datasetVersions(
  home: Home,
  catalog: Pick<Remote<DatasetCatalog>, 'current' | 'snapshot'>,
): DatasetVersions {
  const snapshots = duckdbSnapshots({ directory: home.snapshots })
  return {
    async find(dataset, wanted) {
      const records =
        wanted === null ? await catalog.current(dataset) : [await catalog.snapshot(wanted)]
      const known = records.flatMap((record) => (record?.dataset === dataset ? [record.hash] : []))
      if (known.length === 0) return undefined
      const paths: string[] = []
      for (const hash of known) {
        const info = await snapshots.describe(hash)
        if (info === undefined) return undefined
        paths.push(...info.parts.flatMap(({ path }) => (path === null ? [] : [path])))
      }
      return { digest: known.length === 1 ? known[0] : contentHash(known), paths }
    },
  }
}
