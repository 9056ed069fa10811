// The two servers that the tracking measurement talks to, each with a store of its own below one
// folder: ours as `start --ephemeral`, whose writes are those of any other home, and Python MLflow.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { get } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { monotonicUs } from '../src/lib/clock.ts'

export interface TrackingServer {
  readonly name: 'ours' | 'mlflow'
  readonly port: number
  /** From the start of the process until it answered. */
  readonly startedMs: number
  stop(): Promise<void>
}

const root = join(import.meta.dirname, '..')

/** The command that a person types, with the store in `folder`. */
export async function startOurs(folder: string): Promise<TrackingServer> {
  const port = await freePort()
  mkdirSync(folder, { recursive: true })
  const args = [join(root, 'bin/assay.js'), 'start', '--ephemeral', '--port', String(port)]
  return started('ours', port, () =>
    spawn(process.execPath, args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, TMPDIR: folder, TEMP: folder },
    }),
  )
}

/** MLflow's own server with one worker over SQLite; undefined where `python` has no MLflow. */
export async function startMlflow(
  folder: string,
  python: string,
): Promise<(TrackingServer & { readonly version: string }) | undefined> {
  const version = await output(python, ['-c', 'import mlflow; print(mlflow.__version__)'])
  if (version === undefined) return undefined
  const port = await freePort()
  mkdirSync(folder, { recursive: true })
  const store = ['--backend-store-uri', `sqlite:///${join(folder, 'mlflow.db')}`]
  const args = ['-m', 'mlflow', 'server', '--workers', '1', '--port', String(port), ...store]
  const server = await started('mlflow', port, () =>
    spawn(python, args, { stdio: 'ignore', cwd: folder, detached: true }),
  )
  return { ...server, version }
}

/** What a command prints; undefined where it fails. */
async function output(command: string, args: readonly string[]): Promise<string | undefined> {
  if (!existsSync(command)) return undefined
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return code === 0 ? text.trim() : undefined
}

const STARTS_WITHIN_US = 120e6

async function started(
  name: TrackingServer['name'],
  port: number,
  begin: () => ChildProcess,
): Promise<TrackingServer> {
  const startUs = monotonicUs()
  const child = begin()
  while (!(await isHealthy(port))) {
    if (child.exitCode !== null || monotonicUs() - startUs > STARTS_WITHIN_US) {
      throw new Error(`${name} did not start.`)
    }
    await wait(5)
  }
  return {
    name,
    port,
    startedMs: (monotonicUs() - startUs) / 1000,
    async stop() {
      const ended = once(child, 'exit')
      // MLflow's server is a group of processes: the command, its worker, and a runner of jobs.
      if (name === 'mlflow') process.kill(-child.pid!, 'SIGTERM')
      else child.kill('SIGTERM')
      await ended
    },
  }
}

function isHealthy(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = get({ port, host: '127.0.0.1', path: '/health' }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    asked.on('error', () => resolve(false))
  })
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
