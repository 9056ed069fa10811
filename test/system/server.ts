// A whole server for a test: the launcher as a person starts it, what it prints, and its processes.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, onTestFinished } from 'vitest'
import { monotonicUs } from '../../src/lib/clock.ts'
import { repositoryRoot } from '../source-text.ts'

export const tinyProject = join(repositoryRoot, 'test', 'projects', 'tiny')

/** Long enough for a machine that does ten other things; no test waits for it when all is well. */
const PATIENCE_MS = 90_000

export type RoleName = 'decide' | 'keep' | 'work'

export interface ServerOptions {
  readonly home: string
  readonly project?: string
  readonly args?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Name no option on the command line: everything comes from the environment. */
  readonly bare?: boolean
}

export interface TestServer {
  readonly home: string
  readonly pid: number
  /** The address that the terminal showed. Resolves once it did. */
  readonly url: string
  /** The administrator's key of a first start; later starts print none. */
  readonly key: string | undefined
  /** The one-time link. */
  readonly link: string | undefined
  /** Everything that was printed so far. */
  readonly out: () => string
  readonly err: () => string
  /** Resolves with the first match of a pattern in what is printed; fails where the server ends. */
  printed(pattern: RegExp): Promise<RegExpExecArray>
  /** The process of a role now; undefined while it is down. */
  roleProcess(role: RoleName): number | undefined
  /** Ends with a signal and resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
  /** Resolves with the exit code when the server ends by itself. */
  readonly ended: Promise<number | null>
}

/** An empty directory that goes when the test file ends. */
export function temporaryDirectory(name: string): string {
  const directory = mkdtempSync(join(tmpdir(), `assay-${name}-`))
  directories.push(directory)
  return directory
}

/** Runs the launcher; what it does is seen through the result. */
export function launch(options: ServerOptions): Omit<TestServer, 'url' | 'key' | 'link'> {
  const child = spawn(process.execPath, [launcher, ...startArguments(options)], {
    cwd: repositoryRoot,
    env: { ...ownEnvironment(), ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const texts = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => (texts.out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (texts.err += chunk.toString()))
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => resolve(code))
  })
  endWithFile(child)
  const described = () => `--- stdout\n${texts.out}\n--- stderr\n${texts.err}`
  return {
    home: options.home,
    pid: child.pid!,
    out: () => texts.out,
    err: () => texts.err,
    ended,
    async printed(pattern) {
      const found = () => pattern.exec(texts.out) ?? pattern.exec(texts.err)
      await eventually(`the server prints ${pattern}`, found, () => {
        if (child.exitCode !== null && !found()) {
          throw new Error(`The server ended with ${child.exitCode}.\n${described()}`)
        }
        return described()
      })
      return found()!
    },
    roleProcess: (role) => roleProcess(child.pid!, role),
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      return ended
    },
  }
}

/** Starts a server and waits until its page can be opened; the pipeline may still be running. */
export async function startServer(options: ServerOptions): Promise<TestServer> {
  const server = launch(options)
  const [, url] = await server.printed(/^Page\s+(\S+)/m)
  const [, link] = await server.printed(/^Sign in\s+(\S+)/m)
  // An empty line ends what is shown of a start, with the key of a first one before it.
  await server.printed(/^Sign in[^]*?\n\n/m)
  const key = /^Key\s+(ak_\S+)/m.exec(server.out())?.[1]
  return { ...server, url: url, link, key }
}

/** The line that ends every start whose pipeline ended well. */
export const allDone = /Ctrl-C stops/

/** Asks until there is an answer that is neither undefined, null nor false; bad answers throw. */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  describe: () => string = () => '',
): Promise<Exclude<T, undefined | null | false>> {
  const untilUs = monotonicUs() + PATIENCE_MS * 1000
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== null && found !== false)
      return found as Exclude<T, undefined | null | false>
    const state = describe()
    if (monotonicUs() > untilUs) throw new Error(`Waited in vain until ${what}.\n${state}`)
    await new Promise((wake) => setTimeout(wake, 50))
  }
}

/** Runs a command to its end. */
export function run(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [launcher, ...args], {
    cwd: repositoryRoot,
    env: { ...ownEnvironment(), ...environment },
    encoding: 'utf8',
    timeout: PATIENCE_MS,
  })
  return { code: status, out: stdout, err: stderr }
}

const launcher = join(repositoryRoot, 'bin', 'assay.js')

function startArguments({ home, project, args = [], bare }: ServerOptions): string[] {
  if (bare) return ['start', ...args]
  return ['start', '--home', home, '--project', project ?? tinyProject, '--port', '0', ...args]
}

/** The environment without what would change what is tested. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(ASSAY_|NODE_OPTIONS$)/.test(name))
  return { ...Object.fromEntries(kept), NO_COLOR: '1' }
}

const running = new Set<ChildProcess>()
const directories: string[] = []

// A test that failed or ran out of time may have left a server behind.
afterAll(async () => {
  for (const child of running) {
    const gone = once(child, 'close')
    child.kill('SIGKILL') // Its roles hear that it is gone, and end.
    await gone
  }
  for (const directory of directories) rmSync(directory, { recursive: true, force: true })
})

function endWithFile(child: ChildProcess): void {
  running.add(child)
  child.once('close', () => running.delete(child))
}

/** Ends a server with the test that started it, also when the test fails. */
export function endsWithTest<S extends { stop(signal?: NodeJS.Signals): Promise<unknown> }>(
  server: S,
): S {
  onTestFinished(async () => {
    await server.stop()
  })
  return server
}

function roleProcess(supervisor: number, role: RoleName): number | undefined {
  return processes().find(
    ({ parent, command }) => parent === supervisor && command.endsWith(`role ${role}`),
  )?.pid
}

interface ListedProcess {
  readonly pid: number
  readonly parent: number
  readonly command: string
}

function processes(): ListedProcess[] {
  if (process.platform !== 'linux') return processesByPs()
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        return [{ pid: Number(name), parent: Number(parent), command }]
      } catch {
        return [] // It ended while the list was read.
      }
    })
}

function processesByPs(): ListedProcess[] {
  const { stdout } = spawnSync('ps', ['-axo', 'pid=,ppid=,args='], { encoding: 'utf8' })
  return stdout.split('\n').flatMap((line) => {
    const [, pid, parent, command] = /^\s*(\d+)\s+(\d+)\s+(.*?)\s*$/.exec(line) ?? []
    return command === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }]
  })
}
