// The role that decides: the port, the journal and live state.
import pino from 'pino'
import { openLmdbDecisionIndex } from '../adapters/lmdb/index.ts'
import { homeAt } from '../projects/index.ts'
import { startDecide as openDoor } from '../server/decide/index.ts'
import type { RoleConfig } from './config.ts'
import type { RunningRole } from './keep.ts'

export async function startDecide(
  config: RoleConfig,
  onFatal: (error: Error) => void,
): Promise<RunningRole> {
  const log = pino(
    { level: config.log === 'json' ? 'info' : 'error', base: { role: 'decide' } },
    pino.destination(config.log === 'json' ? 1 : 2),
  )
  const door = await openDoor({
    home: homeAt(config.home),
    host: config.host,
    port: config.port,
    openIndex: openLmdbDecisionIndex,
    log,
    onFatal,
  })
  return { detail: { url: door.url }, stop: () => door.close() }
}
