// `assay start`: opens the home, supervises the roles, and tells the terminal what happens.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Access } from '../access/index.ts'
import { systemActor } from '../access/index.ts'
import {
  createStartLog,
  createStartScreen,
  createSupervisor,
  exitCodes,
  processTerminal,
  type RoleMessage,
  type RoleName,
  type StartOptions,
  type StartScreen,
} from '../cli/index.ts'
import { writeFileAtomic } from '../lib/files.ts'
import { remote } from '../lib/rpc.ts'
import type { PipelineRun } from '../pipelines/index.ts'
import {
  clearHome,
  homeAt,
  homeOwner,
  lockHome,
  openHome,
  serverFile,
  type Home,
} from '../projects/index.ts'
import { version, type RoleConfig } from './config.ts'
import { rolesErrors } from './errors.ts'

export async function start(options: StartOptions): Promise<number> {
  const directory = resolve(options.home)
  const terminal = processTerminal()
  const screen = (options.log === 'json' ? createStartLog : createStartScreen)(terminal, version)
  screen.opening(directory)
  if (options.fresh) clearUnlessRunning(directory)
  const home = await openHome(directory, version)
  const unlock = lockHome(home)
  const config: RoleConfig = {
    home: home.root,
    project: resolve(options.project),
    data: options.data === undefined ? null : resolve(options.data),
    port: options.port,
    host: options.host,
    replay: options.replay,
    log: options.log,
    page: fileURLToPath(new URL('../../dist-web', import.meta.url)),
  }
  const details = new Map<RoleName, unknown>()
  const supervisor = createSupervisor({
    entry: fileURLToPath(
      new URL(
        existsSync(new URL('../main.ts', import.meta.url)) ? '../main.ts' : '../main.js',
        import.meta.url,
      ),
    ),
    config,
    warn: (line) => screen.warn(line),
    onMessage: (role, message) => {
      if (message.type === 'ready') details.set(role, message.detail)
      if (message.type === 'fatal') screen.warn(message.message)
      if (message.type === 'progress') showProgress(message)
    },
  })
  const showProgress = (message: Extract<RoleMessage, { type: 'progress' }>) => {
    const { run, outcome } = message.detail as {
      run?: PipelineRun
      outcome?: { problem: string | null; skipped: boolean }
    }
    if (run !== undefined) screen.progress(run)
    if (outcome !== undefined) screen.done(outcome, urlOf(details))
  }
  const stopped = stopSignal()
  let code: number = exitCodes.ok
  try {
    await Promise.all([supervisor.start('keep'), supervisor.start('decide')])
    await welcome(home, details, screen)
    await supervisor.start('work')
    code = await Promise.race([stopped, supervisor.gaveUp])
  } catch {
    code = await supervisor.gaveUp // The role said why; its message is on the screen.
  }
  screen.stopping()
  await supervisor.stop()
  unlock()
  return code
}

function clearUnlessRunning(directory: string): void {
  const owner = homeOwner(homeAt(directory))
  if (owner !== undefined) {
    throw rolesErrors.server_running(
      `${directory} is used by process ${owner}; nothing was removed`,
    )
  }
  clearHome(directory)
}

async function welcome(
  home: Home,
  details: ReadonlyMap<RoleName, unknown>,
  screen: StartScreen,
): Promise<void> {
  const url = urlOf(details)
  const { firstKey } = (details.get('keep') ?? {}) as { firstKey?: string }
  await writeFileAtomic(serverFile(home), Buffer.from(JSON.stringify({ url, pid: process.pid })))
  const access = remote<Access>(home.socket('keep'), 'access')
  const link = await access.createSignInLink({
    actor: systemActor,
    reason: 'Printed by assay start',
  })
  screen.ready({ url, signInUrl: `${url}/sign-in?token=${link.token}`, firstKey })
}

function urlOf(details: ReadonlyMap<RoleName, unknown>): string {
  return ((details.get('decide') ?? {}) as { url?: string }).url ?? ''
}

/** Resolves with the exit code when a person or the system asks to stop. */
function stopSignal(): Promise<number> {
  return new Promise((stop) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => stop(exitCodes.ok))
    }
  })
}
