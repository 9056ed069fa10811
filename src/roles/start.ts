// `assay start`: opens the home, supervises the roles, and tells the terminal what happens.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Access } from '../access/index.ts'
import { systemActor } from '../access/index.ts'
import {
  createStartLog,
  createStartScreen,
  createSupervisor,
  exitCodes,
  printError,
  processTerminal,
  type RoleMessage,
  type RoleName,
  type StartOptions,
  type StartOutcome,
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
  orHomeFull,
  serverFile,
  type Home,
} from '../projects/index.ts'
import { usualHousekeeping, version, type RoleConfig } from './config.ts'
import { rolesErrors } from './errors.ts'
import { createFirstWords } from './first-words.ts'

export async function start(options: StartOptions): Promise<number> {
  const directory = resolve(options.home)
  const stopped = stopSignal()
  const terminal = processTerminal()
  const screen = (options.log === 'json' ? createStartLog : createStartScreen)(
    terminal,
    version,
    options.home,
  )
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
    stateMemoryBytes: options.stateMemory ?? null,
    online: options.online ?? null,
    ...(options.consume && { consume: options.consume }),
    grpcPort: options.grpcPort ?? null,
    housekeeping: {
      hour: options.housekeepingHour,
      keepDeleted: options.keepDeleted ?? usualHousekeeping.keepDeleted,
      keepResults: options.keepResults ?? usualHousekeeping.keepResults,
      keepUnnamed: options.keepUnnamed ?? usualHousekeeping.keepUnnamed,
      keepDecisions: options.keepDecisions ?? usualHousekeeping.keepDecisions,
    },
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
    // A port that was free once is asked for again, so that the address stays the same.
    config: () => ({ ...config, port: portOf(details) ?? config.port }),
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
      outcome?: StartOutcome
    }
    if (run !== undefined) screen.progress(run)
    if (outcome !== undefined) screen.done(outcome, urlOf(details))
  }
  let isStopping = false
  const words = createFirstWords(() => welcome(home, urlOf(details), screen))
  const started = (async () => {
    await Promise.all([supervisor.start('keep'), supervisor.start('decide')])
    await words.say()
    await supervisor.start('work')
  })()
  // Where a role gave up, its own words are on the screen and its code is the one to end with.
  const ended = started.then(
    () => supervisor.gaveUp,
    async (error: unknown) => {
      const code = await Promise.race([supervisor.gaveUp, Promise.resolve()])
      // A start that was stopped half-way fails too, and nobody needs to hear of it.
      return code ?? (isStopping ? exitCodes.ok : printError(orHomeFull(home, error), terminal))
    },
  )
  const code = await Promise.race([stopped, ended])
  isStopping = true
  screen.stopping()
  // A first key that was made is shown: nobody could ever see it again.
  const said = words.end()
  await Promise.race([said, pause(WORDS_MS_MAX, undefined, { ref: false })])
  await supervisor.stop()
  // Whoever was asked for it has answered before it ended, or never will.
  await said
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

/** How long a stop waits for the first words of a start before it ends what they wait for. */
const WORDS_MS_MAX = 2000

/** The first start makes the administrator here, where the key is shown in the same breath. */
async function welcome(home: Home, url: string, screen: StartScreen): Promise<void> {
  await writeFileAtomic(serverFile(home), Buffer.from(JSON.stringify({ url, pid: process.pid })))
  const access = remote<Access>(home.socket('admin'), 'access')
  const first = await access.firstStart()
  const link = await access.createSignInLink({
    actor: systemActor,
    reason: 'Printed by assay start',
  })
  screen.ready({ url, signInUrl: `${url}/sign-in?token=${link.token}`, firstKey: first?.key })
}

function urlOf(details: ReadonlyMap<RoleName, unknown>): string {
  return ((details.get('decide') ?? {}) as { url?: string }).url ?? ''
}

function portOf(details: ReadonlyMap<RoleName, unknown>): number | undefined {
  const url = urlOf(details)
  return url === '' ? undefined : Number(new URL(url).port)
}

/** Resolves with the exit code when a person or the system asks to stop. */
export function stopSignal(): Promise<number> {
  return new Promise((stop) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => stop(exitCodes.ok))
    }
  })
}
