// `assay features materialize`: the current features of all entities into a store of online values.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openRedisOnlineValues } from '../../adapters/redis/index.ts'
import {
  count,
  exitCodes,
  type FeaturesMaterializeOptions,
  type Terminal,
} from '../../cli/index.ts'
import { readDataset, type CompiledSource, type Frame, type Row } from '../../data/index.ts'
import { directoryDeployments, rebuildLiveState } from '../../decisions/index.ts'
import {
  encodeEntityKey,
  entitiesOf,
  onlineKinds,
  publishOnline,
  restoreFeatureState,
  type CompiledFeatureSet,
  entityKinds,
  type EngineUse,
  type EntityKey,
  type OnlineKind,
} from '../../features/index.ts'
import { monotonicUs } from '../../lib/clock.ts'
import { isAssayError } from '../../lib/errors.ts'
import { nodeFiles } from '../../lib/files.ts'
import { deploymentsDirectory } from '../../server/decide/index.ts'
import { existingHome, withKept } from './connection.ts'
import { snapshotsOf } from './engines.ts'
import { commandErrors } from './errors.ts'
import { namespacesOf } from './features-audit.ts'
import { sayEngines } from './features-history.ts'

/** Reads journals and snapshots alone: a server goes on meanwhile, and its later facts win. */
export async function featuresMaterialize(
  options: FeaturesMaterializeOptions,
  { out }: Terminal,
): Promise<number> {
  const home = existingHome(options.home)
  const [namespace] = namespacesOf(home, options.namespace)
  const url = storeUrl(options)
  const live = new LiveEntities()
  const startedUs = monotonicUs()
  const { featureSets, source, others, snapshot } = await rebuildLiveState({
    directory: join(home.decide, namespace),
    files: nodeFiles,
    deployments: directoryDeployments(deploymentsDirectory(home)),
    onEvent: (row, of) => live.add(row, of),
  })
  const seconds = (monotonicUs() - startedUs) / 1e6
  const set = featureSets.findLast(({ name }) => name === options.set)
  if (set === undefined) {
    const names = featureSets.map(({ name }) => name).join(', ')
    throw commandErrors.option_invalid(
      `Live state computes no feature set "${options.set}"; it computes ${names}.`,
    )
  }
  const past = await withKept(options.home, ({ catalog, home: kept }) =>
    eventsOf(source, { catalog, snapshots: snapshotsOf(kept) }),
  )
  const state = restoreFeatureState(snapshot, featureSets, source, others)
  const store = await openRedisOnlineValues({ url })
  try {
    for (const kind of onlineKinds(set)) {
      const entities = live.with(source, past, kind)
      const report = await publishOnline({ store, namespace, state, set, source, kind, entities })
      out.line(
        `${kind.entity.join(' × ')}: ${count(kind.features.length, 'feature')} of ` +
          `${report.written === 1 ? '1 entity' : `${count(report.written)} entities`} written` +
          (report.outdated === 0 ? '' : `, ${count(report.outdated)} had later values`),
      )
    }
    for (const line of sayEngines([fromLiveState(set)], seconds)) out.line(line)
  } finally {
    await store.close()
  }
  return exitCodes.ok
}

/** No other engine is asked for these values, whatever it would take. */
function fromLiveState({ features }: CompiledFeatureSet): EngineUse {
  const reason =
    'Current values are those of live state, which the operator builds anew from journal and history.'
  return { engine: 'replay', features: features.length, reason }
}

/** Entities of live events, beside those of history. */
class LiveEntities {
  /** A row for each combination of keys: many events have the same. */
  private readonly rows = new Map<string, Row>()

  add(row: Row, { columns }: CompiledSource): void {
    const keys = columns.map(({ kind }, at) =>
      entityKinds.some((each) => each === kind) ? (row[at] ?? null) : 0,
    )
    this.rows.set(JSON.stringify(keys), row)
  }

  /** Every entity of a kind once: those of past events, then those that live events brought. */
  *with(source: CompiledSource, past: Frame | undefined, { entity }: OnlineKind) {
    const met = new Set<string>()
    const places = entity.map((key) => source.columns.findIndex(({ name }) => name === key))
    const isNew = (key: EntityKey) => {
      const name = encodeEntityKey(entity, key)
      return met.size < met.add(name).size
    }
    for (const key of past === undefined ? [] : entitiesOf(past, entity)) if (isNew(key)) yield key
    for (const row of this.rows.values()) {
      const key = places.map((place) => row[place])
      if (key.some((value) => value === undefined)) continue
      if (isNew(key as EntityKey)) yield key as EntityKey
    }
  }
}

async function eventsOf(
  source: CompiledSource,
  ports: Parameters<typeof readDataset>[1],
): Promise<Frame | undefined> {
  try {
    return (await readDataset(source.name, ports)).frame
  } catch (error) {
    if (isAssayError(error, 'dataset_not_found')) return undefined
    throw error
  }
}

function storeUrl({ to, passwordFile }: FeaturesMaterializeOptions): string {
  if (!/^rediss?:\/\/./.test(to) || !URL.canParse(to)) {
    throw commandErrors.option_invalid(`--to ${to} is no address such as redis://127.0.0.1:6379.`)
  }
  const url = new URL(to)
  if (passwordFile !== undefined) {
    try {
      url.password = encodeURIComponent(readFileSync(passwordFile, 'utf8').trim())
    } catch (cause) {
      const { message } = cause as Error
      throw commandErrors.input_unreadable(`${passwordFile}: ${message}`, { cause })
    }
  }
  return url.href
}
