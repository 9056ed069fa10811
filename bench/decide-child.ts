// Starts and kills the decide process from outside, as a supervisor or a power switch would.
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import * as http from 'node:http'
import { fileURLToPath } from 'node:url'
import { monotonicUs } from '../src/lib/clock.ts'
import { benchKey } from './decide-bank.ts'

const script = fileURLToPath(new URL('decide-process.ts', import.meta.url))

export interface DecideChild {
  readonly url: string
  /** From the start of the process to its first line: what a restart costs. */
  readonly startMs: number
  readonly recoveryMs: number
  readonly child: ChildProcess
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

export async function startChild(root: string, checkpointEvery = 20_000): Promise<DecideChild> {
  const begunUs = monotonicUs()
  const child = fork(script, [root, String(checkpointEvery)], {
    execArgv: ['--conditions=assay-source'],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const line = await new Promise<string>((resolve, reject) => {
    let text = ''
    child.stdout!.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.includes('\n')) resolve(text)
    })
    child.once('exit', (code) => reject(new Error(`The decide process ended with ${code}.`)))
  })
  const { url, recoveryMs } = JSON.parse(line) as { url: string; recoveryMs: number }
  return {
    url,
    recoveryMs,
    startMs: Math.round((monotonicUs() - begunUs) / 1000),
    child,
    async stop(signal) {
      child.kill(signal)
      await exited
    },
  }
}

export interface Answer {
  readonly status: number
  readonly body: string
  readonly replayed: boolean
}

/** A client with connections that stay open; `send` rejects when the process dies meanwhile. */
export function createClient(url: string, connections: number) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections })
  const { hostname, port } = new URL(url)
  const headers = { authorization: `Bearer ${benchKey}`, 'content-type': 'application/json' }
  return {
    send(path: string, body: string): Promise<Answer> {
      return new Promise((resolve, reject) => {
        const request = http.request({
          agent,
          hostname,
          port,
          path,
          method: 'POST',
          headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        })
        request.on('error', reject)
        request.on('response', (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => (text += chunk))
          response.on('error', reject)
          response.on('end', () => {
            if (!response.complete) reject(new Error('The answer was cut off.'))
            const replayed = response.headers['idempotent-replayed'] === 'true'
            resolve({ status: response.statusCode ?? 0, body: text, replayed })
          })
        })
        request.end(body)
      })
    },
    close: () => agent.destroy(),
  }
}
