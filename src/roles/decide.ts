// The role that decides: the port, the journal and live state.
import { rmSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { openLmdbColdStore, openLmdbDecisionIndex } from '../adapters/lmdb/index.ts'
import { openRedisOnlineValues } from '../adapters/redis/index.ts'
import type { ColdStore } from '../features/index.ts'
import { isAssayError } from '../lib/errors.ts'
import { localAddress } from '../lib/rpc.ts'
import { homeAt, lockRole, type Home } from '../projects/index.ts'
import { startDecide as openDoor } from '../server/decide/index.ts'
import type { RoleConfig } from './config.ts'
import { rolesErrors } from './errors.ts'
import type { RunningRole } from './keep.ts'
import { roleLog } from './log.ts'
import { connectOnline } from './online-store.ts'

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
  const door = await openDoor({
    home,
    host: config.host,
    port: config.port,
    openIndex: openLmdbDecisionIndex,
    stateMemory:
      config.stateMemoryBytes === null
        ? undefined
        : {
            maxBytes: config.stateMemoryBytes,
            openCold,
          },
    online,
    log,
    onFatal,
  })
  return {
    detail: { url: door.url },
    stop: () =>
      door
        .close()
        .finally(() => online?.close())
        .finally(release),
  }
}

/** What lies there follows from the journal, so a damaged store is made anew. */
function openCold(directory: string): ColdStore {
  try {
    return openLmdbColdStore(directory)
  } catch (error) {
    if (!isAssayError(error, 'cold_store_damaged')) throw error
    rmSync(directory, { recursive: true, force: true })
    return openLmdbColdStore(directory)
  }
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
