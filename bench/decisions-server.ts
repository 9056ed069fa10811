// The decide process and the load on it, each on the cores that it is given.
import { spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { startChild } from './decide-child.ts'
import type { DecisionsBank } from './decisions-bank.ts'
import type { LoadRequest, LoadResult } from './serving-load.ts'

export type Pace = Pick<LoadRequest, 'rate' | 'seconds' | 'connections'>

export interface BankServer {
  readonly url: string
  /** Asks for the next live events; none is asked for twice. */
  drive(pace: Pace): Promise<LoadResult>
  /** Processor seconds of the process so far. */
  cpuSeconds(): Promise<number>
  memoryMb(): number
  /** Processor seconds of each thread so far, by its id. */
  threadSeconds(): ReadonlyMap<string, number>
  stop(): Promise<void>
}

const WARM_UP_S = 2
const taskset = 'taskset'

/** Starts a decide process with the bank's base in state, and warms it up. `cores` pins both. */
export async function startBank(
  bank: DecisionsBank,
  cores?: { readonly server: number; readonly load: number },
  deployment?: string,
): Promise<BankServer> {
  const decide = await startChild(bank.home.root)
  const { pid = 0 } = decide.child
  if (cores !== undefined && !pin(pid, cores.server)) throw new Error('taskset is not there')
  await bank.install(deployment)
  const status = (name: string) => {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1])
  }
  let from = 0
  const server: BankServer = {
    url: decide.url,
    async drive(pace) {
      const file = { path: bank.requests, from }
      const { hostname: host, port } = new URL(decide.url)
      const request = {
        door: 'rest',
        host,
        port: Number(port),
        requests: [],
        file,
        ...pace,
        seed: 1,
      }
      const result = await load(request as LoadRequest, cores?.load)
      from += result.asked
      if (result.failed > 0) throw new Error(`${result.failed} requests failed`)
      return result
    },
    async cpuSeconds() {
      const text = await (await fetch(`${decide.url}/metrics`)).text()
      return Number(/^process_cpu_seconds_total (\S+)$/m.exec(text)?.[1])
    },
    memoryMb: () => Math.round(status('VmRSS') / 1024),
    threadSeconds: () => threadSeconds(pid),
    stop: () => decide.stop('SIGTERM'),
  }
  await server.drive({ rate: 0, seconds: WARM_UP_S, connections: 32 })
  return server
}

/** Clock ticks of Linux in /proc are hundredths of a second on all its platforms. */
const TICKS_A_SECOND = 100

function threadSeconds(pid: number): ReadonlyMap<string, number> {
  const ids = readdirSync(`/proc/${pid}/task`)
  return new Map(
    ids.map((id) => {
      const text = readFileSync(`/proc/${pid}/task/${id}/stat`, 'utf8')
      // The name before it, in brackets, may have spaces: fields 14 and 15 are user and system time.
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
      return [id, (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND]
    }),
  )
}

export const canPin = availableParallelism() > 1 && spawnSync(taskset, ['--version']).status === 0

function pin(pid: number, core: number): boolean {
  return canPin && spawnSync(taskset, ['-a', '-cp', String(core), String(pid)]).status === 0
}

function load(request: LoadRequest, core: number | undefined): Promise<LoadResult> {
  const script = fileURLToPath(new URL('./serving-load.ts', import.meta.url))
  const args = ['--conditions=assay-source', script, JSON.stringify(request)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  if (core !== undefined) pin(child.pid!, core)
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout.on('data', (part: Buffer) => {
      text += part.toString()
    })
    child.on('close', (code) =>
      code === 0 ? resolve(JSON.parse(text) as LoadResult) : reject(new Error('the load failed')),
    )
  })
}
