// Experiment tracking over HTTP: ours beside Python MLflow (its own server, one worker, SQLite), with
// the same client, in turns, so that what else the machine does falls on both alike. Ours is as
// durable as in production: every answered write is on disk. `bench/peers/install.sh` installs
// MLflow, or `--python` names an interpreter that has it; without it the ratios are null.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { significant } from './features-measure.ts'
import type { BenchOptions, Figures } from './run.ts'
import { measureLargeStore } from './tracking-large.ts'
import {
  inParallel,
  median,
  metricsAt,
  ratePerS,
  timesMs,
  trackingClient,
  type TrackingClient,
} from './tracking-client.ts'
import { startMlflow, startOurs, type TrackingServer } from './tracking-servers.ts'

const CLIENTS = 20

/** One server and what is there to measure it on. */
interface Engine {
  readonly server: TrackingServer
  readonly client: TrackingClient
  /** The runs that clients log to. */
  readonly runs: readonly string[]
  readonly writes: string
  readonly searched: string
}

/** Each figure once a round. `…_per_s` are rates, `…_ms` medians of the round. */
type Round = Readonly<Record<(typeof measured)[number], number>>

const measured = [
  'create_run_ms',
  'log_batch_10_per_s',
  'log_batch_1000_ms',
  'log_batch_20_clients_per_s',
  'search_100_ms',
  'search_1000_ms',
] as const

/**
 * `--rounds 3`, `--runs 1200` (in the store that is searched), `--large-runs 100000` and
 * `--large-metrics 1000000` (of the large store, which ours alone is asked for; no runs leave it out),
 * `--python PATH`. Medians of the rounds.
 */
export async function run(options: BenchOptions, say: (line: string) => void): Promise<Figures> {
  const rounds = Number(options.rounds ?? 3)
  const runs = Number(options.runs ?? 1200)
  const large = {
    runs: Number(options['large-runs'] ?? 100_000),
    metrics: Number(options['large-metrics'] ?? 1_000_000),
  }
  const python = options.python ?? join(import.meta.dirname, '.venv/bin/python')
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  const figures: Record<string, number | string | null> = { rounds, searched_runs: runs }
  const servers: TrackingServer[] = []
  try {
    const ours = await startOurs(join(folder, 'ours'))
    servers.push(ours)
    const mlflow = await startMlflow(join(folder, 'mlflow'), python)
    if (mlflow !== undefined) servers.push(mlflow)
    figures.mlflow_version = mlflow?.version ?? 'absent'
    for (const { name, startedMs } of servers) figures[`${name}_start_ms`] = significant(startedMs)
    const found = await measureInTurns(servers, rounds, runs, say)
    Object.assign(figures, summary(found))
    for (const server of servers.splice(0)) await server.stop()
    if (large.runs > 0) {
      Object.assign(figures, await measureLargeStore(join(folder, 'large'), large, say))
    }
    return figures
  } finally {
    for (const server of servers) await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measureInTurns(
  servers: readonly TrackingServer[],
  rounds: number,
  runs: number,
  say: (line: string) => void,
): Promise<ReadonlyMap<string, Round[]>> {
  const engines: Engine[] = []
  for (const server of servers) {
    engines.push(await prepare(server, runs))
    say(`${server.name}: ${runs} runs are there`)
  }
  const found = new Map<string, Round[]>(servers.map(({ name }) => [name, []]))
  for (let round = 1; round <= rounds; round++) {
    for (const engine of engines) {
      const figures = await measure(engine, round, say)
      found.get(engine.server.name)!.push(figures)
      const told = Object.entries(figures).map(([name, value]) => `${name} ${significant(value)}`)
      say(`round ${round} ${engine.server.name}: ${told.join(', ')}`)
    }
  }
  for (const { client } of engines) client.close()
  return found
}

/** An experiment of runs with 10 metrics, 5 params and 4 tags each, and one to write to. */
async function prepare(server: TrackingServer, runs: number): Promise<Engine> {
  const client = trackingClient(server.port)
  const searched = await client.createExperiment('searched')
  await inParallel(runs, 4, async (i) => {
    const run = await client.createRun(searched, `run ${i}`)
    await client.logBatch(run, {
      metrics: metricsAt(i, 10),
      params: Array.from({ length: 5 }, (_, k) => ({ key: `param_${k}`, value: `${i + k}` })),
      tags: Array.from({ length: 4 }, (_, k) => ({ key: `tag_${k}`, value: `${i % (k + 2)}` })),
    })
  })
  const writes = await client.createExperiment('written')
  const written: string[] = []
  for (let i = 0; i < CLIENTS; i++) written.push(await client.createRun(writes, `client ${i}`))
  return { server, client, runs: written, writes, searched }
}

async function measure(
  { server, client, runs, writes, searched }: Engine,
  round: number,
  say: (line: string) => void,
): Promise<Round> {
  const step = round * 1_000_000
  const log = (run: string, i: number, count: number) =>
    client.logBatch(run, { metrics: metricsAt(step + i, count) })
  const search = (limit: number) =>
    client.fetch('POST', '/api/2.0/mlflow/runs/search', {
      experiment_ids: [searched],
      max_results: limit,
    })
  const create = await timesMs(50, (i) => client.createRun(writes, `new ${round} ${i}`))
  const small = await timesMs(100, (i) => log(runs[0], i, 10))
  const large = await timesMs(10, (i) => log(runs[1], i, 1000))
  return {
    create_run_ms: median(create),
    log_batch_10_per_s: 1000 / (small.reduce((sum, ms) => sum + ms, 0) / small.length),
    log_batch_1000_ms: median(large),
    log_batch_20_clients_per_s: await ratePerS(
      CLIENTS,
      5000,
      (of, i) => log(runs[of], i, 10),
      (error) => {
        // MLflow's pool of connections gives up under so many clients; ours must answer each.
        if (server.name !== 'mlflow') throw error
        say(`round ${round} mlflow refused: ${String(error).slice(0, 120)}`)
      },
    ),
    search_100_ms: median(await timesMs(10, () => search(100))),
    search_1000_ms: median(await timesMs(5, () => search(1000))),
  }
}

/** Ours by the bare name, theirs with `mlflow_`; a ratio above 1 says that ours is faster. */
function summary(found: ReadonlyMap<string, readonly Round[]>): Figures {
  const figures: Record<string, number | null> = {}
  const middle = (engine: string, name: (typeof measured)[number]) => {
    const rounds = found.get(engine)
    return rounds === undefined ? undefined : median(rounds.map((round) => round[name]))
  }
  for (const name of measured) figures[name] = significant(middle('ours', name)!)
  for (const name of measured) {
    const theirs = middle('mlflow', name)
    figures[`mlflow_${name}`] = theirs === undefined ? null : significant(theirs)
  }
  for (const name of measured) {
    const [ours, theirs] = [middle('ours', name)!, middle('mlflow', name)]
    const ratio = name.endsWith('_per_s') ? ours / theirs! : theirs! / ours
    const called = `ratio_${name.replace(/_(per_s|ms)$/, '')}`
    figures[called] = theirs === undefined ? null : significant(ratio, 3)
  }
  return figures
}
