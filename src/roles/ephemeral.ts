// `assay start --ephemeral`: an empty store in one process, for tests and for trying out. What it
// takes is on disk as in any other home, until the server stops; then the home is removed.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemActor } from '../access/index.ts'
import {
  createStartLog,
  createStartScreen,
  exitCodes,
  processTerminal,
  type StartOptions,
} from '../cli/index.ts'
import type { Clock } from '../lib/clock.ts'
import { sha256Hex } from '../lib/hash.ts'
import { homeAt, homeOwner, lockHome, openHome } from '../projects/index.ts'
import { openLoopbackDoor, refuseReachable } from '../server/decide/index.ts'
import { version } from './config.ts'
import { openKeep } from './keep.ts'
import { roleLog } from './log.ts'
import { stopSignal } from './start.ts'

export async function startEphemeral(
  options: Pick<StartOptions, 'host' | 'port' | 'log'>,
): Promise<number> {
  const { host, port, log } = options
  refuseReachable(host)
  const stopped = stopSignal()
  const screen = (log === 'json' ? createStartLog : createStartScreen)(
    processTerminal(),
    version,
    '',
  )
  const directory = mkdtempSync(join(tmpdir(), homesPrefix()))
  // Also where a defect ends the process.
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  const home = await openHome(directory, version)
  lockHome(home)
  const { app, metadata } = await openKeep({
    home,
    log: roleLog('keep', { log }),
    page: fileURLToPath(new URL('../../dist-web', import.meta.url)),
    // There is no `work` here. DuckDB is loaded when it is first asked for, for the sake of the start.
    parquet: async (names, rows) => {
      const { writeParquet } = await import('../adapters/duckdb/index.ts')
      return writeParquet(names, rows, { memory: '256MB', threads: 1 })
    },
    openTo: ({ access }) =>
      access.createIdentity(
        {
          name: 'Anyone on this machine',
          kind: 'person',
          roles: ['administrator', 'approver', 'analyst'],
        },
        { actor: systemActor, reason: 'An ephemeral start asks nobody who they are' },
      ),
  })
  const door = await openLoopbackDoor((request, response) => app.routing(request, response), {
    host,
    port,
  })
  screen.ephemeral(door.url)
  // Who waits for the start comes first.
  setTimeout(tidyUp, TIDY_AFTER_MS, metadata.clock).unref()
  await stopped
  screen.stopping()
  door.close()
  await app.close()
  await metadata.close()
  return exitCodes.ok
}

const TIDY_AFTER_MS = 2000

function tidyUp(clock: Clock): void {
  // For the next start: one that is killed would not leave what it compiled.
  flushCompileCache()
  sweep(clock)
}

/** Machines that share a temporary folder do not see whether each other's processes are alive. */
function homesPrefix(): string {
  return `assay-ephemeral-${sha256Hex(hostname()).slice(0, 8)}-`
}

const BEGINS_WITHIN_MS = 60_000

/** Removes the homes of earlier ephemeral starts that were killed. */
function sweep({ nowUs }: Clock): void {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(homesPrefix())) continue
    const directory = join(tmpdir(), name)
    try {
      const home = homeAt(directory)
      // One that just begins has no owner yet.
      const isYoung = nowUs() / 1000 - statSync(directory).mtimeMs < BEGINS_WITHIN_MS
      if (isYoung || homeOwner(home) !== undefined) continue
      rmSync(directory, { recursive: true, force: true })
    } catch {
      // Another user's, or just removed by another start.
    }
  }
}
