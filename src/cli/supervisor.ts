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
  /** Configuration handed to every role, as JSON in its environment. */
  readonly config: object
  readonly onMessage: (role: RoleName, message: RoleMessage) => void
  readonly warn: (line: string) => void
}

export interface Supervisor {
  /** Starts one role and resolves when it reports that it is ready. */
  start(role: RoleName): Promise<void>
  /** Asks each role to drain and stop; ends what is still there after ten seconds. */
  stop(): Promise<void>
  /** Resolves with an exit code when a role cannot be kept alive. */
  readonly gaveUp: Promise<number>
}

const ROLES_STOP_ORDER: readonly RoleName[] = ['work', 'decide', 'keep']
const RESTARTS_MAX = 5
const RESTART_WINDOW_MS = 60_000
const STOP_GRACE_MS = 10_000
/** Memory of the role that trains and imports is capped, so that it cannot starve the others. */
const OLD_SPACE_MB: Record<RoleName, number> = { decide: 4096, keep: 2048, work: 6144 }

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const children = new Map<RoleName, ChildProcess>()
  const restarts = new Map<RoleName, number[]>()
  let stopping = false
  let giveUp: (code: number) => void
  const gaveUp = new Promise<number>((resolve) => {
    giveUp = resolve
  })

  const start = (role: RoleName) =>
    new Promise<void>((resolve, reject) => {
      const child = fork(options.entry, ['role', role], {
        execArgv: [...process.execArgv, `--max-old-space-size=${OLD_SPACE_MB[role]}`],
        env: { ...process.env, ASSAY_ROLE_CONFIG: JSON.stringify(options.config) },
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        serialization: 'json',
      })
      children.set(role, child)
      if (role === 'work' && child.pid !== undefined) lowerPriority(child.pid)
      let fatal: { message: string; exitCode: number } | undefined
      child.on('message', (message: RoleMessage) => {
        if (message.type === 'ready') resolve()
        if (message.type === 'fatal') fatal = message
        options.onMessage(role, message)
      })
      child.on('error', reject)
      child.on('exit', (code, signal) => {
        children.delete(role)
        reject(new Error(fatal?.message ?? `${role} stopped (${signal ?? code})`))
        if (stopping) return
        if (fatal) return giveUp(fatal.exitCode)
        restart(role, signal ?? `code ${code}`)
      })
    })

  const restart = (role: RoleName, cause: string) => {
    const now = monotonicUs() / 1000
    const recent = (restarts.get(role) ?? []).filter((at) => now - at < RESTART_WINDOW_MS)
    restarts.set(role, [...recent, now])
    if (recent.length >= RESTARTS_MAX) {
      options.warn(`${role} fell ${RESTARTS_MAX + 1} times within a minute (${cause}); giving up`)
      return giveUp(1)
    }
    const delayMs = 100 * 2 ** recent.length
    options.warn(`${role} stopped (${cause}); starting it again in ${delayMs} ms`)
    setTimeout(() => {
      if (!stopping) start(role).catch(() => {}) // Its exit is handled by the listener above.
    }, delayMs)
  }

  const stop = async () => {
    stopping = true
    for (const role of ROLES_STOP_ORDER) {
      const child = children.get(role)
      if (child) await stopChild(child)
    }
  }
  return { start, stop, gaveUp }
}

function stopChild(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    const grace = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS)
    child.once('exit', () => {
      clearTimeout(grace)
      resolve()
    })
    if (child.connected) child.send({ type: 'stop' })
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
  return {
    send: (message) => {
      if (process.connected) process.send?.(message)
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
      // Ctrl-C reaches every process of the terminal at once; the order is the supervisor's to keep.
      process.on('SIGINT', () => {})
      process.on('SIGTERM', once)
      process.on('disconnect', once)
      process.on('message', (message: { type?: string }) => {
        if (message.type === 'stop') once()
      })
    },
  }
}
