// Runs the real command line, as a person would, and makes small projects for it to work on.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { repositoryRoot } from '../source-text.ts'

const launcher = join(repositoryRoot, 'bin', 'assay.js')

export interface Ended {
  readonly code: number | null
  /** What ended it, where it did not end itself. */
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

/** Runs a command to its end; nothing of the surrounding environment's ASSAY_ options gets in. */
export function assay(
  directory: string,
  args: readonly string[],
  input = '',
  env: NodeJS.ProcessEnv = {},
): Ended {
  const run = spawnSync(process.execPath, [launcher, ...args], {
    cwd: directory,
    env: { ...plainEnvironment(), ...env },
    input,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  return { code: run.status, signal: run.signal, out: run.stdout, err: run.stderr }
}

/**
 * What ends a command with kill -9 right after the n-th time that something under the progress of a
 * batch got its name. Needs a folder for a file of its own.
 */
export function killedAt(folder: string, place: number): NodeJS.ProcessEnv {
  const file = join(folder, 'kill.mjs')
  writeFileSync(
    file,
    `import { promises } from 'node:fs'
    import { syncBuiltinESMExports } from 'node:module'
    const { rename } = promises
    let left = ${place}
    promises.rename = async (from, to) => {
      await rename(from, to)
      const isOfParts = /assay-progress.[^/\\\\]+$/.test(from)
      if (isOfParts && --left === 0) process.kill(process.pid, 'SIGKILL')
    }
    syncBuiltinESMExports()`,
  )
  return { NODE_OPTIONS: `--import=${pathToFileURL(file).href}` }
}

export interface Server {
  readonly url: string
  /** All that it printed so far. */
  output(): string
  stop(): Promise<number | null>
}

/** Starts a server and resolves once a line matches, which says that it is as far as wanted. */
export async function startServer(
  directory: string,
  args: readonly string[],
  until: RegExp,
): Promise<Server> {
  const child = spawn(process.execPath, [launcher, 'start', '--port', '0', ...args], {
    cwd: directory,
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  await new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      text += chunk.toString()
      if (until.test(text)) resolve()
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('exit', () => reject(new Error(`The server ended:\n${text}`)))
  })
  const url = /http:\/\/[\d.]+:\d+/.exec(text)?.[0] ?? ''
  return { url, output: () => text, stop: () => stop(child, ended) }
}

async function stop(child: ChildProcess, ended: Promise<number | null>): Promise<number | null> {
  child.kill('SIGTERM')
  return ended
}

function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(ASSAY_|VITEST|NODE_OPTIONS|FORCE_COLOR)/.test(name),
  )
  return Object.fromEntries(kept)
}

/** What a test's project differs in from the template: replacements in its files. */
export type Edits = Readonly<Record<string, readonly (readonly [string, string])[]>>

/** A project from the template, small enough for a test: 120 customers instead of 600. */
export function makeProject(folder: string, name: string, edits: Edits = {}): string {
  const made = assay(folder, ['init', name])
  if (made.code !== 0) throw new Error(made.err)
  const directory = join(folder, name)
  edit(join(directory, 'data.ts'), [['CUSTOMERS = 600', 'CUSTOMERS = 120']])
  for (const [file, replacements] of Object.entries(edits))
    edit(join(directory, file), replacements)
  mkdirSync(join(directory, 'node_modules'))
  symlinkSync(repositoryRoot, join(directory, 'node_modules', 'assay'), 'junction')
  return directory
}

/** Replaces text in a file; what is not there any more fails, so that no edit is lost silently. */
function edit(file: string, replacements: readonly (readonly [string, string])[]): void {
  let text = readFileSync(file, 'utf8')
  for (const [from, to] of replacements) {
    if (!text.includes(from)) throw new Error(`${file} does not say ${from}`)
    text = text.replace(from, to)
  }
  writeFileSync(file, text)
}
