// The home directory: everything that one Assay keeps, in one place with a known format.
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { AssayError, isAssayError } from '../lib/errors.ts'
import { fileErrorCode, writeFileAtomic } from '../lib/files.ts'
import { contentHash } from '../lib/hash.ts'
import { projectErrors } from './errors.ts'

/** Raised with every change that an older version could not read; migrations go forward only. */
export const HOME_FORMAT = 1

/** The three long-running processes (docs/decisions/0004-three-processes.md). */
export type Role = 'decide' | 'keep' | 'work'

/**
 * Local sockets: one a role for calls between them, `page`, to which the front door passes requests,
 * and `admin`, for commands typed on the machine.
 */
export type SocketName = Role | 'page' | 'admin'

export interface Home {
  readonly root: string
  readonly database: string
  readonly snapshots: string
  readonly artifacts: string
  readonly models: string
  readonly incoming: string
  readonly logStreams: string
  readonly checkpoints: string
  readonly decide: string
  readonly published: string
  readonly secrets: string
  socket(name: SocketName): string
}

/** The paths inside a home directory; touches nothing on disk. */
export function homeAt(directory: string): Home {
  const root = resolve(directory)
  return {
    root,
    database: join(root, 'keep', 'assay.sqlite'),
    snapshots: join(root, 'snapshots'),
    artifacts: join(root, 'artifacts'),
    models: join(root, 'models'),
    incoming: join(root, 'incoming'),
    logStreams: join(root, 'log-streams'),
    checkpoints: join(root, 'checkpoints'),
    decide: join(root, 'decide'),
    published: join(root, 'published'),
    secrets: join(root, 'secrets'),
    socket: (name) => socketPath(root, name),
  }
}

/**
 * Makes the home directory where there is none, checks its format where there is one.
 * Errors: `home_newer`, `home_invalid`, `home_unwritable`, `home_full`.
 */
export async function openHome(directory: string, version: string): Promise<Home> {
  const home = homeAt(directory)
  const formatFile = join(home.root, 'format.json')
  try {
    mkdirSync(home.root, { recursive: true, mode: 0o700 })
    if (existsSync(formatFile)) checkFormat(home.root, readFileSync(formatFile, 'utf8'))
    else if (foreignEntries(home.root).length > 0) {
      throw projectErrors.home_invalid(
        `${home.root} holds other files and no format.json, so nothing was touched`,
      )
    }
    // First of all: a start that was interrupted here must find a home, not a folder of somebody's.
    if (!existsSync(formatFile)) {
      await writeFileAtomic(
        formatFile,
        Buffer.from(`${JSON.stringify({ format: HOME_FORMAT, createdBy: `assay ${version}` })}\n`),
      )
    }
    for (const folder of [
      'keep',
      'snapshots',
      'artifacts',
      'models',
      'incoming',
      'checkpoints',
      'decide',
      'published',
      'run',
    ]) {
      mkdirSync(join(home.root, folder), { recursive: true })
    }
    mkdirSync(home.secrets, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw asUnwritable(home, error)
  }
  return home
}

/** What stands in a folder without a format; one that was being written is ours. */
function foreignEntries(root: string): string[] {
  return readdirSync(root).filter((name) => !/^format\.json\.[0-9a-f]+\.tmp$/.test(name))
}

const UNWRITABLE = new Set(['EACCES', 'EROFS', 'EPERM', 'ENOTDIR', 'EEXIST'])

function asUnwritable(home: Home, error: unknown): unknown {
  if (!UNWRITABLE.has(fileErrorCode(error) ?? '')) return orHomeFull(home, error)
  return projectErrors.home_unwritable(`${home.root}: ${(error as Error).message}`)
}

const FULL = new Set(['ENOSPC', 'EDQUOT'])
/** What SQLite says of a disk without room (https://sqlite.org/rescode.html#full). */
const SQLITE_FULL = 13
/** With less room than this a start cannot succeed, whatever it is that says so. */
const ROOM_BYTES_MIN = 64 * 1024

/**
 * `home_full` for a failure that comes of a disk without room, else the failure itself. A library may
 * call it a file that it could not open, so the disk is asked too.
 */
export function orHomeFull({ root }: Pick<Home, 'root'>, error: unknown): unknown {
  if (error instanceof AssayError && (error.status < 500 || error.code === 'home_full'))
    return error
  const { errcode, message } = error as { errcode?: number; message?: string }
  const code = fileErrorCode(error)
  if (code === undefined) return error
  const isSaid = FULL.has(code) || errcode === SQLITE_FULL
  if (!isSaid && roomBytes(root) >= ROOM_BYTES_MIN) return error
  return projectErrors.home_full(`There is no room for ${root} (${message}).`, { cause: error })
}

function roomBytes(directory: string): number {
  try {
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize
  } catch {
    return Infinity
  }
}

function checkFormat(root: string, text: string): void {
  let format: unknown
  try {
    format = (JSON.parse(text) as { format?: unknown }).format
  } catch {
    throw projectErrors.home_invalid(`${root}/format.json is not JSON`)
  }
  if (typeof format !== 'number' || !Number.isInteger(format) || format < 1) {
    throw projectErrors.home_invalid(`${root}/format.json names no format`)
  }
  if (format > HOME_FORMAT) {
    throw projectErrors.home_newer(
      `${root} has format ${format}; this version reads formats up to ${HOME_FORMAT}`,
    )
  }
}

/**
 * Takes the home for this process and returns how to let go of it.
 * A lock whose process is gone is taken over. Errors: `home_locked`, `home_unwritable`, `home_full`.
 */
export function lockHome(home: Home): () => void {
  return takeLock(home, join(home.root, 'run', 'lock'))
}

const PREDECESSOR_LEAVES_MS = 15_000
const LOOK_EVERY_MS = 50

/**
 * Takes a role of the home for this process: its files have one writer. One whose supervisor was
 * killed is still finishing what it began, so its successor waits for it. Error: `home_locked`.
 */
export async function lockRole(
  home: Home,
  role: Role,
  sleep: (ms: number) => Promise<void>,
): Promise<() => void> {
  for (let waitedMs = 0; ; waitedMs += LOOK_EVERY_MS) {
    try {
      return takeLock(home, join(home.root, 'run', `${role}.lock`))
    } catch (error) {
      if (!isAssayError(error, 'home_locked') || waitedMs >= PREDECESSOR_LEAVES_MS) throw error
      await sleep(LOOK_EVERY_MS)
    }
  }
}

function takeLock(home: Home, lock: string): () => void {
  const own = `${lock}-${process.pid}`
  try {
    writeFileSync(own, markText({ pid: process.pid, began: beganAt(process.pid) }))
    while (!placed(own, lock)) {
      const owner = livingOwner(lock)
      if (owner !== undefined) {
        throw projectErrors.home_locked(`${home.root} is used by process ${owner}`)
      }
      setAside(lock, `${own}-stale`)
    }
    return () => {
      rmSync(lock, { force: true })
    }
  } catch (error) {
    throw asUnwritable(home, error)
  } finally {
    rmSync(own, { force: true })
  }
}

/** Puts the lock in place with its content in one step, so that nobody ever reads half of one. */
function placed(own: string, lock: string): boolean {
  try {
    linkSync(own, lock)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Removes a lock whose process is gone; one that somebody took just now is put back. */
function setAside(lock: string, aside: string): void {
  try {
    renameSync(lock, aside)
    if (livingOwner(aside) !== undefined) placed(aside, lock)
    rmSync(aside, { force: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/** The process that holds the home, if one does. */
export function homeOwner(home: Home): number | undefined {
  return livingOwner(join(home.root, 'run', 'lock'))
}

function livingOwner(lock: string): number | undefined {
  const owner = readLockOwner(lock)
  return owner !== undefined && isAlive(owner) ? owner.pid : undefined
}

/** A process; where the system tells, with the moment it began, because numbers are used again. */
interface ProcessMark {
  readonly pid: number
  readonly began: string | undefined
}

const markText = ({ pid, began }: ProcessMark): string =>
  began === undefined ? String(pid) : `${pid} ${began}`

function readLockOwner(lock: string): ProcessMark | undefined {
  try {
    const [, pid, began] = /^(\d+)(?: (\d+))?$/.exec(readFileSync(lock, 'utf8').trim()) ?? []
    return pid === undefined ? undefined : { pid: Number(pid), began }
  } catch {
    return undefined
  }
}

/**
 * When a process began, in ticks since the machine did: the 22nd field of its `stat` (proc(5)).
 * Undefined for one that ended and was not buried yet.
 */
function beganAt(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is a name in brackets, which may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

function isAlive({ pid, began }: ProcessMark): boolean {
  if (pid === process.pid) return false // A recycled number: this very process is no older owner.
  if (began !== undefined && existsSync('/proc/self')) return beganAt(pid) === began
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Removes everything inside a home directory, the `--fresh` start; refuses a folder that is no home. */
export function clearHome(directory: string): void {
  const root = resolve(directory)
  if (!existsSync(root)) return
  if (!statSync(root).isDirectory()) throw projectErrors.home_invalid(`${root} is not a directory`)
  const entries = readdirSync(root)
  if (!entries.includes('format.json') && foreignEntries(root).length > 0) {
    throw projectErrors.home_invalid(
      `${root} holds other files and no format.json, so nothing was removed`,
    )
  }
  // The format goes last: what was cleared by half is still known as a home.
  const ordered = entries.toSorted(
    (a, b) => Number(a === 'format.json') - Number(b === 'format.json'),
  )
  for (const entry of ordered) rmSync(join(root, entry), { recursive: true, force: true })
}

// `lib/rpc.ts` shortens the path where it is too long for a socket, and makes it a pipe on Windows.
function socketPath(root: string, name: SocketName): string {
  return join(root, 'run', `${name}.sock`)
}

/**
 * Where the live state lies in which history ends, for a policy's feature sets in these versions. A
 * deployment whose features are new to the live state starts from there.
 */
export function basePath(home: Home, featureSets: readonly { readonly version: string }[]): string {
  const key = contentHash(featureSets.map(({ version }) => version))
  return join(home.checkpoints, `base-${key.slice(0, 16)}.checkpoint`)
}

/** Where a running server says at which address it answers. */
export const serverFile = (home: Home): string => join(home.root, 'run', 'server.json')
