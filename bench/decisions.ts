// Decisions over HTTP, each answered once it is on disk: a closed loop of connections against the
// decide process alone, with the example's features, rules and trees of its size.
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { monotonicUs } from '../src/lib/clock.ts'
import { quantileOfSorted } from '../src/lib/statistics.ts'
import { prepareBank } from './decide-bank.ts'
import type { BenchOptions } from './run.ts'
import { createClient, startChild } from './decide-child.ts'

export type DecisionsResult = {
  readonly decisions_per_s: number
  readonly p50_ms: number
  readonly p99_ms: number
  /** Of the decide process alone. */
  readonly cpu_us_per_decision: number
  readonly cores: number
  readonly connections: number
  readonly decisions: number
  /** Events in live state before the first decision. */
  readonly history: number
}

/** Decisions before the clock starts, so that the code is compiled and the state is warm. */
const WARM_UP = 4000

/**
 * `--connections` (32) each send the next event when the last was answered, for `--seconds` (10),
 * on top of `--history` (200000) events in live state.
 */
export async function run(
  options: BenchOptions = {},
  say: (line: string) => void = () => undefined,
): Promise<DecisionsResult> {
  const connections = Number(options['connections'] ?? 32)
  const seconds = Number(options['seconds'] ?? 10)
  const history = Number(options['history'] ?? 200_000)
  const root = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  try {
    say(`Preparing ${history} payments of history and a model …`)
    const bank = await prepareBank(root, history)
    const decide = await startChild(root)
    await bank.install()
    say(`Live state is loaded; ${WARM_UP} decisions to warm up …`)
    const client = createClient(decide.url, connections)
    const path = `/api/v1/decisions/${bank.policy}?namespace=bench`
    let next = 0
    const one = async (): Promise<void> => {
      const { status, body } = await client.send(path, JSON.stringify(bank.payment(next++)))
      if (status !== 200) throw new Error(`A decision was answered with ${status}: ${body}`)
    }
    await loop(connections, () => next < WARM_UP, one)
    say(`Measuring for ${seconds} s with ${connections} connections …`)
    const cpuBefore = await cpuSeconds(decide.url)
    const latencies: number[] = []
    const begunUs = monotonicUs()
    const untilUs = begunUs + seconds * 1e6
    await loop(
      connections,
      () => monotonicUs() < untilUs,
      async () => {
        const sentUs = monotonicUs()
        await one()
        latencies.push(monotonicUs() - sentUs)
      },
    )
    const tookS = (monotonicUs() - begunUs) / 1e6
    const cpu = (await cpuSeconds(decide.url)) - cpuBefore
    client.close()
    await decide.stop('SIGTERM')
    const sorted = latencies.sort((a, b) => a - b)
    return {
      decisions_per_s: Math.round(sorted.length / tookS),
      p50_ms: round(quantileOfSorted(sorted, 0.5) / 1000),
      p99_ms: round(quantileOfSorted(sorted, 0.99) / 1000),
      cpu_us_per_decision: Math.round((cpu * 1e6) / sorted.length),
      cores: availableParallelism(),
      connections,
      decisions: sorted.length,
      history,
    }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

async function loop(
  width: number,
  goesOn: () => boolean,
  work: () => Promise<void>,
): Promise<void> {
  const strand = async () => {
    while (goesOn()) await work()
  }
  await Promise.all(Array.from({ length: width }, strand))
}

async function cpuSeconds(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^process_cpu_seconds_total (\S+)$/m.exec(text)?.[1])
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
