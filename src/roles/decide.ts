// The role that decides: the port, the journal and live state.
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { createFolderLog } from '../adapters/folder/index.ts'
import {
  openLmdbDecisionIndex,
  openMendedColdStore,
  type Suspicion,
} from '../adapters/lmdb/index.ts'
import { openRedisOnlineValues } from '../adapters/redis/index.ts'
import { localAddress } from '../lib/rpc.ts'
import { homeAt, lockRole, type Home } from '../projects/index.ts'
import { startDecide as openDoor } from '../server/decide/index.ts'
import { createModelThreads, createPublishedHost } from '../serving/index.ts'
import { topicsDirectory } from './actions.ts'
import { version, type RoleConfig } from './config.ts'
import { rolesErrors } from './errors.ts'
import type { RunningRole } from './keep.ts'
import { roleLog } from './log.ts'
import { connectOnline } from './online-store.ts'
import { outsideModels } from './outside-models.ts'

/** Between two looks at the catalogue of served models. */
const LOOK_MS = 1000
/** How long a start waits for models that decisions ask for. */
const MODELS_MS_MAX = 2000

export async function startDecide(
  config: RoleConfig,
  onFatal: (error: Error) => void,
): Promise<RunningRole> {
  const home = homeAt(config.home)
  const release = await lockRole(home, 'decide', sleep)
  await refuseNeighbour(home)
  const log = roleLog('decide', config)
  const { online: url } = config
  const online =
    url === null
      ? undefined
      : connectOnline({ open: (onTrouble) => openRedisOnlineValues({ url, onTrouble }), log })
  const mend = {
    suspicion: suspicionAfter(config.crashes ?? 0),
    onDamaged: (message: string) => log.warn({}, message),
  }
  const models = createPublishedHost({
    published: home.published,
    threads: createModelThreads({
      start: () => new Worker(new URL('./model-thread.ts', import.meta.url)),
    }),
    onTrouble: (error, model) =>
      log.warn({ error: String(error), ...model }, 'A model is not ready'),
  })
  const looking = setInterval(() => void models.refresh(), LOOK_MS)
  // The first customers should not meet the fallback for want of a model that is being loaded.
  await Promise.race([models.decisive(), sleep(MODELS_MS_MAX, undefined, { ref: false })])
  const door = await openDoor({
    home,
    host: config.host,
    port: config.port,
    openIndex: (directory) => openLmdbDecisionIndex(directory, mend),
    stateMemory:
      config.stateMemoryBytes === null
        ? undefined
        : {
            maxBytes: config.stateMemoryBytes,
            openCold: (directory) => openMendedColdStore(directory, mend),
          },
    online,
    inference: { models, version, grpcPort: config.grpcPort ?? undefined },
    modelReady: models.ready,
    outsideModels: outsideModels(models),
    streams: {
      log: createFolderLog({ directory: topicsDirectory(home) }),
      policies: Object.entries(config.consume ?? {}).map(([topic, policy]) => ({ topic, policy })),
    },
    log,
    onFatal,
  })
  return {
    detail: { url: door.url },
    stop: () => {
      clearInterval(looking)
      return door
        .close()
        .finally(() => models.close())
        .finally(() => online?.close())
        .finally(release)
    },
  }
}

/** What lies in LMDB follows from the journal: a second fault is enough to make all of it anew. */
function suspicionAfter(crashes: number): Suspicion {
  if (crashes === 0) return 'none'
  return crashes === 1 ? 'looked-over' : 'spoilt'
}

/**
 * A container that shares the directory hides its processes from this one, but not its socket; it
 * must be asked before the journal is opened, which has one writer. Error: `server_running`.
 */
function refuseNeighbour(home: Home): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(localAddress(home.socket('decide')))
    socket.once('connect', () => {
      socket.destroy()
      reject(rolesErrors.server_running(`${home.root} is used by a server elsewhere.`))
    })
    socket.once('error', () => resolve())
  })
}
