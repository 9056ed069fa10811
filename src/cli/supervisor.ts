// `assay start` in one process that only watches: it starts the three roles, restarts one that
// fell, passes their progress on to the terminal, and stops them in order.
import { fork, type ChildProcess } from 'node:child_process'
import { setPriority } from 'node:os'
import { monotonicUs } from '../lib/clock.ts'

export type RoleName = 'decide' | 'keep' | 'work'

/** What a role tells its supervisor. */
export type RoleMessage =
  | { readonly type: 'ready'; readonly detail?: unknown }
  | { readonly type: 'fatal'; readonly message: string; readonly exitCode: number }
  | { readonly type: 'progress'; readonly detail: unknown }

export interface SupervisorOptions {
  /** The file to run as a role: `main.ts` in the source tree, `main.js` when installed. */
  readonly entry: string
  /** Configuration handed to every role when it starts, as JSON in its environment. */
  readonly config: () => object
  readonly onMessage: (role: RoleName, message: RoleMessage) => void
  readonly warn: (line: string) => void
}

export interface Supervisor {
  /**
   * Starts one role and resolves when it reports that it is ready, be it after a restart. Rejects
   * where the supervisor gives up before that.
   */
  start(role: RoleName): Promise<void>
  /** Asks each role to drain and stop; ends what is still there after ten seconds. */
  stop(): Promise<void>
  /** Resolves with an exit code when the server cannot go on. */
  readonly gaveUp: Promise<number>
}

/**
 * How one role is started; a process of this program, unless a test stands in for it. `crashes`: how often
 * within a minute it was ended by a fault of its own memory, as over a spoilt file.
 */
export type StartChild = (role: RoleName, crashes: number) => ChildProcess

/** Signals by which a process ends through no one's wish. */
const FAULTS = new Set(['SIGSEGV', 'SIGBUS', 'SIGABRT', 'SIGILL', 'SIGFPE', 'SIGTRAP'])

const ROLES_STOP_ORDER: readonly RoleName[] = ['work', 'decide', 'keep']
const RESTARTS_MAX = 5
const RESTART_WINDOW_MS = 60_000
const STOP_GRACE_MS = 10_000
/** Memory of the role that trains and imports is capped, so that it cannot starve the others. */
const OLD_SPACE_MB: Record<RoleName, number> = { decide: 4096, keep: 2048, work: 6144 }

/**
 * A role that cannot even start for a reason it knows (a port in use, a damaged home) ends the
 * server with that reason. One that falls later is started again, soon at first; after that `decide`
 * falling ends the server, because nothing would answer, while the others are tried again now and
 * then, because decisions are answered without them.
 */
export function createSupervisor(
  options: SupervisorOptions,
  startChild: StartChild = (role, crashes) => forkRole(role, options, crashes),
): Supervisor {
  const children = new Map<RoleName, ChildProcess>()
  const restarts = new Map<RoleName, number[]>()
  const crashes = new Map<RoleName, number[]>()
  const wasReady = new Set<RoleName>()
  const timers = new Set<ReturnType<typeof setTimeout>>()
  let stopping = false
  let giveUp: (code: number) => void
  const gaveUp = new Promise<number>((resolve) => {
    giveUp = resolve
  })

  const begin = (role: RoleName, onReady: () => void) => {
    const child = startChild(role, recentOf(crashes, role).length)
    children.set(role, child)
    if (role === 'work' && child.pid !== undefined) lowerPriority(child.pid)
    let fatal: { message: string; exitCode: number } | undefined
    child.on('message', (message: RoleMessage) => {
      if (message.type === 'fatal') fatal = message
      options.onMessage(role, message)
      if (message.type === 'ready') {
        wasReady.add(role)
        onReady()
      }
    })
    let isOver = false
    const over = (cause: string) => {
      if (isOver) return
      isOver = true
      if (FAULTS.has(cause)) noteFault(role)
      children.delete(role)
      if (stopping) return
      if (fatal && !wasReady.has(role)) return giveUp(fatal.exitCode)
      restart(role, cause, onReady)
    }
    child.on('error', (error) => over(error.message))
    child.on('exit', (code, signal) => over(signal ?? `code ${code}`))
  }

  const noteFault = (role: RoleName) => {
    crashes.set(role, [...recentOf(crashes, role), monotonicUs() / 1000])
  }

  const restart = (role: RoleName, cause: string, onReady: () => void) => {
    const recent = recentOf(restarts, role)
    restarts.set(role, [...recent, monotonicUs() / 1000])
    const isHopeless = recent.length >= RESTARTS_MAX
    if (isHopeless && (role === 'decide' || !wasReady.has(role))) {
      options.warn(`${role} fell ${RESTARTS_MAX + 1} times within a minute (${cause}); giving up`)
      return giveUp(1)
    }
    const delayMs = isHopeless ? RESTART_WINDOW_MS : 100 * 2 ** recent.length
    options.warn(`${role} stopped (${cause}); starting it again in ${delayMs} ms`)
    const timer = setTimeout(() => {
      timers.delete(timer)
      begin(role, onReady)
    }, delayMs)
    timers.add(timer)
  }

  const start = async (role: RoleName) => {
    const ready = new Promise<void>((resolve) => begin(role, resolve))
    const failed = gaveUp.then(() => {
      throw new Error(`${role} could not be started.`)
    })
    await Promise.race([ready, failed])
  }

  const stop = async () => {
    stopping = true
    for (const timer of timers) clearTimeout(timer)
    for (const role of ROLES_STOP_ORDER) {
      const child = children.get(role)
      if (child) await stopChild(child)
    }
  }
  return { start, stop, gaveUp }
}

/** The times within the last minute, in milliseconds. */
function recentOf(times: ReadonlyMap<RoleName, number[]>, role: RoleName): number[] {
  const now = monotonicUs() / 1000
  return (times.get(role) ?? []).filter((at) => now - at < RESTART_WINDOW_MS)
}

function forkRole(
  role: RoleName,
  { entry, config }: SupervisorOptions,
  crashes: number,
): ChildProcess {
  return fork(entry, ['role', role], {
    execArgv: [...process.execArgv, `--max-old-space-size=${OLD_SPACE_MB[role]}`],
    env: { ...process.env, ASSAY_ROLE_CONFIG: JSON.stringify({ ...config(), crashes }) },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'json',
  })
}

function stopChild(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    const grace = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS)
    child.once('exit', () => {
      clearTimeout(grace)
      resolve()
    })
    // A child that falls at this very moment has its channel closed already.
    if (child.connected) child.send({ type: 'stop' }, () => {})
    else child.kill('SIGTERM')
  })
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, 10)
  } catch {
    // Not every system lets a process lower another's priority; nothing depends on it.
  }
}

/** The other end: how a role, running as a child, talks with its supervisor. */
export function roleChannel(): {
  send(message: RoleMessage): void
  /** Calls back once, on the supervisor's word, on SIGTERM, or when the supervisor is gone. */
  onStop(stop: () => Promise<void>): void
} {
  // Ctrl-C reaches every process of the terminal at once; the order is the supervisor's to keep.
  process.on('SIGINT', () => {})
  return {
    send: (message) => {
      // A supervisor that was killed hears nothing; without a listener that would end the role loudly.
      if (process.connected) process.send?.(message, undefined, undefined, () => {})
    },
    onStop: (stop) => {
      let begun = false
      const once = () => {
        if (begun) return
        begun = true
        stop().then(
          () => process.exit(0),
          (error: unknown) => {
            process.stderr.write(`${String(error)}\n`)
            process.exit(1)
          },
        )
      }
      process.on('SIGTERM', once)
      process.on('disconnect', once)
      process.on('message', (message: { type?: string }) => {
        if (message.type === 'stop') once()
      })
      // A supervisor that was killed during this role's start is not heard of again.
      if (process.send !== undefined && !process.connected) once()
    },
  }
}
