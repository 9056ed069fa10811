// Prediction at the doors: our edge process over REST and gRPC beside MLServer and FastAPI with
// LightGBM, on the very same trees. Every server has one core, the load generator another; they are
// measured in turns. Peers are taken from the Python environment that `--python` names.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { monotonicUs } from '../src/lib/clock.ts'
import { readRow } from '../src/lib/matrix.ts'
import { significant } from './features-measure.ts'
import { matrixOf, train } from './inference.ts'
import { lightgbmText } from './inference-model.ts'
import type { BenchOptions, Figures } from './run.ts'
import { grpcMessage, type LoadRequest, type LoadResult } from './serving-load.ts'
import { drawTable } from './training-shapes.ts'

const HOST = '127.0.0.1'
const ROWS = 64
const FIRST_PORT = 28_080

interface Target {
  readonly name: string
  readonly door: LoadRequest['door']
  readonly port: number
  readonly process: ChildProcess
  readonly requests: readonly string[]
}

interface Found {
  readonly rps: number
  readonly cpuUs: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/**
 * `--trees 200`, `--depth 6`, `--seconds 5`, `--rounds 2`, `--connections 32`, `--python PATH`. Each
 * round asks every server as fast as it answers (rps, and processor time a request), then open-loop at
 * half of that rate (latencies). The best of the rounds counts.
 */
export async function run(options: BenchOptions, say: (line: string) => void): Promise<Figures> {
  const table = drawTable('mixed-30', 'test')
  const x = matrixOf(table)
  const model = train(table, options)
  const rows = Array.from({ length: ROWS }, (_, row) => [...readRow(x, row)])
  const folder = mkdtempSync(join(tmpdir(), 'assay-serving-'))
  const found = new Map<string, Found>()
  const targets: Target[] = []
  try {
    writeFileSync(join(folder, 'model.json'), JSON.stringify(model))
    writeFileSync(join(folder, 'model.txt'), lightgbmText(model))
    targets.push(...(await startOurs(folder, rows)), ...(await startPeers(folder, rows, options)))
    for (let round = 0; round < Number(options.rounds ?? 2); round++) {
      for (const target of targets) {
        const now = await measure(target, options, round + 1)
        const before = found.get(target.name)
        found.set(target.name, before === undefined ? now : better(before, now))
        say(`${target.name}: ${Math.round(now.rps)}/s, ${now.cpuUs.toFixed(1)} µs`)
      }
    }
  } finally {
    for (const { process: server } of targets) server.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  return summarise(found)
}

async function measure(target: Target, options: BenchOptions, seed: number): Promise<Found> {
  const seconds = Number(options.seconds ?? 5)
  const connections = Number(options.connections ?? 32)
  await drive(target, { rate: 0, seconds: 1, connections, seed })
  const before = cpuSeconds(target.process.pid!)
  const full = await drive(target, { rate: 0, seconds, connections, seed })
  const cpuUs = ((cpuSeconds(target.process.pid!) - before) * 1e6) / full.answered
  const paced = await drive(target, { rate: full.rps / 2, seconds, connections, seed })
  if (full.failed + paced.failed > 0) {
    throw new Error(`${target.name}: ${full.failed + paced.failed} requests failed`)
  }
  return { rps: full.rps, cpuUs, p50Ms: paced.p50Ms, p99Ms: paced.p99Ms }
}

function better(a: Found, b: Found): Found {
  return {
    rps: Math.max(a.rps, b.rps),
    cpuUs: Math.min(a.cpuUs, b.cpuUs),
    p50Ms: Math.min(a.p50Ms, b.p50Ms),
    p99Ms: Math.min(a.p99Ms, b.p99Ms),
  }
}

function summarise(found: ReadonlyMap<string, Found>): Figures {
  const figures: Record<string, number | string> = {}
  const ours = found.get('rest')!
  for (const name of ['rest', 'grpc', 'mlserver', 'fastapi']) {
    const of = found.get(name)
    const prefix = name === 'rest' ? '' : `${name}_`
    figures[`${prefix}rps`] = of === undefined ? 'absent' : significant(of.rps)
    figures[`${prefix}p50_ms`] = of === undefined ? 'absent' : significant(of.p50Ms, 3)
    figures[`${prefix}p99_ms`] = of === undefined ? 'absent' : significant(of.p99Ms, 3)
    figures[`${prefix}cpu_us_per_request`] = of === undefined ? 'absent' : significant(of.cpuUs, 3)
  }
  for (const name of ['mlserver', 'fastapi']) {
    const of = found.get(name)
    if (of === undefined) continue
    figures[`ratio_rps_vs_${name}`] = significant(ours.rps / of.rps, 3)
    figures[`ratio_cpu_vs_${name}`] = significant(of.cpuUs / ours.cpuUs, 3)
  }
  return figures
}

/** The edge process, as a person starts it. */
async function startOurs(folder: string, rows: readonly number[][]): Promise<Target[]> {
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
  const child = pinned(0, process.execPath, [
    '--conditions=assay-source',
    main,
    'serve',
    join(folder, 'model.json'),
    '--model-name=bench',
    `--port=${FIRST_PORT}`,
    `--grpc-port=${FIRST_PORT + 1}`,
  ])
  await answers(child, FIRST_PORT, '/v2/health/ready')
  const messages = rows.map((row) =>
    grpcMessage({
      model_name: 'bench',
      inputs: [{ name: 'input', datatype: 'FP64', shape: [1, row.length] }],
      raw_input_contents: [Buffer.from(Float64Array.from(row).buffer)],
    }).toString('base64'),
  )
  const rest = { name: 'rest', door: 'rest', port: FIRST_PORT, process: child } as const
  return [
    { ...rest, requests: rows.map((row) => inferRequest('/v2/models/bench/infer', row)) },
    { ...rest, name: 'grpc', door: 'grpc', port: FIRST_PORT + 1, requests: messages },
  ]
}

/** What of the peers is installed. */
async function startPeers(
  folder: string,
  rows: readonly number[][],
  { python }: BenchOptions,
): Promise<Target[]> {
  const has = (module: string) =>
    python !== undefined && spawnSync(python, ['-c', `import ${module}`]).status === 0
  const targets: Target[] = []
  if (has('mlserver, mlserver_lightgbm')) {
    const port = FIRST_PORT + 10
    const child = startMlserver(folder, python!, port)
    await answers(child, port, '/v2/models/bench/ready')
    const requests = rows.map((row) => inferRequest('/v2/models/bench/infer', row))
    targets.push({ name: 'mlserver', door: 'rest', port, process: child, requests })
  }
  if (has('fastapi, uvicorn, lightgbm')) {
    const port = FIRST_PORT + 20
    const script = join(import.meta.dirname, 'peers/serving_fastapi.py')
    const child = pinned(0, python!, [script, join(folder, 'model.txt'), String(port)])
    await answers(child, port, '/health')
    const requests = rows.map((row) => inferRequest('/predict', row))
    targets.push({ name: 'fastapi', door: 'rest', port, process: child, requests })
  }
  return targets
}

function startMlserver(folder: string, python: string, port: number): ChildProcess {
  const models = join(folder, 'mlserver')
  mkdirSync(models)
  const settings = {
    host: HOST,
    http_port: port,
    grpc_port: port + 1,
    metrics_endpoint: null,
    debug: false,
    // In the server's own process: a worker beside it costs more (and has one core only anyway).
    parallel_workers: 0,
  }
  writeFileSync(join(models, 'settings.json'), JSON.stringify(settings))
  const implementation = 'mlserver_lightgbm.LightGBMModel'
  // It takes boosters by the name that they have, not by what they hold.
  writeFileSync(join(models, 'model.bst'), readFileSync(join(folder, 'model.txt')))
  const settingsOfModel = { name: 'bench', implementation, parameters: { uri: './model.bst' } }
  writeFileSync(join(models, 'model-settings.json'), JSON.stringify(settingsOfModel))
  return pinned(0, join(dirname(python), 'mlserver'), ['start', models])
}

function inferRequest(path: string, row: readonly number[]): string {
  const body = JSON.stringify({
    inputs: [{ name: 'input', shape: [1, row.length], datatype: 'FP64', data: row.map(plain) }],
  })
  const head = [
    `POST ${path} HTTP/1.1`,
    `host: ${HOST}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`).toString('base64')
}

/** Missing values have no word in JSON that all of the servers take. */
const plain = (value: number) => (Number.isFinite(value) ? value : 0)

/** Runs on one core where the system can do that. */
function pinned(core: number, command: string, args: readonly string[]): ChildProcess {
  const [program, ...rest] = onCore(core, [command, ...args])
  return spawn(program, rest, {
    stdio: ['ignore', 'ignore', 'ignore'],
    env: { ...process.env, OMP_NUM_THREADS: '1' },
  })
}

const pin = 'taskset'

function onCore(core: number, command: readonly string[]): readonly string[] {
  const canPin = availableParallelism() > 1 && spawnSync(pin, ['--version']).status === 0
  return canPin ? [pin, '-c', String(core), ...command] : command
}

async function answers(child: ChildProcess, port: number, path: string): Promise<void> {
  const untilUs = monotonicUs() + 60e6
  for (;;) {
    const response = await fetch(`http://${HOST}:${port}${path}`).catch(() => undefined)
    if (response?.ok === true) return
    if (child.exitCode !== null || monotonicUs() > untilUs) {
      throw new Error(`the server on port ${port} does not answer`)
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

type Pace = Pick<LoadRequest, 'rate' | 'seconds' | 'connections' | 'seed'>

function drive({ door, port, requests }: Target, pace: Pace): Promise<LoadResult> {
  const load: LoadRequest = { door, host: HOST, port, requests, ...pace }
  const script = fileURLToPath(new URL('./serving-load.ts', import.meta.url))
  const run = [process.execPath, '--conditions=assay-source', script, JSON.stringify(load)]
  const [program, ...rest] = onCore(1, run)
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] })
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout.on('data', (part: Buffer) => (text += part.toString()))
    child.on('close', (code) =>
      code === 0 ? resolve(JSON.parse(text) as LoadResult) : reject(new Error('the load failed')),
    )
  })
}

const TICKS_A_SECOND = 100

/** Processor time of a process and of those that it started; Linux alone tells it. */
function cpuSeconds(pid: number): number {
  const all = new Map<number, { readonly parent: number; readonly ticks: number }>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const ticks = Number(fields[11]) + Number(fields[12])
      all.set(Number(name), { parent: Number(fields[1]), ticks })
    } catch {
      // It ended while the list was read.
    }
  }
  const isOwn = (id: number): boolean => id === pid || (id > 1 && isOwn(all.get(id)?.parent ?? 0))
  let ticks = 0
  for (const [id, each] of all) if (isOwn(id)) ticks += each.ticks
  return ticks / TICKS_A_SECOND
}
