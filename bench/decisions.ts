// Full decisions over HTTP, each answered once it is on disk: contract, features, rules, trees with
// reasons where an event is not allowed, journal with fsync. On the handbook's payments: those up to a
// day are the base, those after it are asked for in their order.
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { prepareDecisions, type DecisionsBank } from './decisions-bank.ts'
import { measureOverload } from './decisions-overload.ts'
import { canPin, startBank } from './decisions-server.ts'
import { measureStages } from './decisions-stages.ts'
import { significant } from './features-measure.ts'
import type { BenchOptions, Figures } from './run.ts'

const PARTS = ['speed', 'stages', 'overload'] as const

/**
 * `--only speed,stages,overload`, `--seconds` (8) of each load, `--keep FOLDER` for what is prepared
 * once and taken again, `--data FILE`.
 */
export async function run(
  options: BenchOptions = {},
  say: (line: string) => void = () => undefined,
): Promise<Figures> {
  const { keep, only = PARTS.join(), seconds = '8' } = options
  const wanted = new Set(only.split(','))
  const root = keep ?? mkdtempSync(join(tmpdir(), 'assay-bench-'))
  const before = loadavg()[0]
  try {
    const bank = await prepareDecisions(root, options, say)
    const { features, rules, trees, meanLeaves, trainedOn, baseEvents } = bank
    const fresh = () => prepareDecisions(root, options, say)
    const speed = wanted.has('speed') ? await measureSpeed(bank, Number(seconds), say) : {}
    const stages = wanted.has('stages')
      ? await measureStages(await fresh(), speed['cpu_us_per_decision'])
      : {}
    const overload =
      wanted.has('overload') && canPin
        ? await measureOverload(await fresh(), Number(seconds), say)
        : {}
    return {
      ...speed,
      ...stages,
      ...overload,
      features,
      rules,
      trees,
      mean_leaves: significant(meanLeaves),
      trained_on: trainedOn,
      base_events: baseEvents,
      cores: availableParallelism(),
      loadavg_before: before,
      loadavg_after: loadavg()[0],
    }
  } finally {
    if (keep === undefined) rmSync(root, { recursive: true, force: true })
  }
}

/** A thread that used more of its time worked; the others of a process of Node wait. */
const WORKING = 0.01

async function measureSpeed(
  bank: DecisionsBank,
  seconds: number,
  say: (line: string) => void,
): Promise<Record<string, number>> {
  const server = await startBank(bank)
  try {
    say(`As fast as 32 connections ask, for ${seconds} s …`)
    const cpuBefore = await server.cpuSeconds()
    const threadsBefore = server.threadSeconds()
    const closed = await server.drive({ rate: 0, seconds, connections: 32 })
    const cpuS = (await server.cpuSeconds()) - cpuBefore
    const threads = [...server.threadSeconds()]
      .map(([id, used]) => used - (threadsBefore.get(id) ?? 0))
      .filter((used) => used > seconds * WORKING)
    say(`${Math.round(closed.rps)}/s; 1,000/s in an open loop …`)
    const open = await server.drive({ rate: 1000, seconds: seconds * 2, connections: 256 })
    const { allow, all } = await outcomes(server.url)
    return {
      decisions_per_s: significant(closed.rps),
      closed_p50_ms: significant(closed.p50Ms, 3),
      closed_p99_ms: significant(closed.p99Ms, 3),
      cpu_us_per_decision: significant((cpuS * 1e6) / closed.answered),
      p50_ms: significant(open.p50Ms, 3),
      p99_ms: significant(open.p99Ms, 3),
      p999_ms: significant(open.p999Ms, 3),
      refused: open.refused,
      server_threads: threads.length,
      not_allowed: significant(1 - allow / all, 3),
    }
  } finally {
    await server.stop()
  }
}

async function outcomes(url: string): Promise<{ readonly allow: number; readonly all: number }> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const found = text.matchAll(/^assay_decisions_total\{outcome="(\w+)"\} (\d+)$/gm)
  const counts = new Map(Array.from(found, ([, outcome, count]) => [outcome, Number(count)]))
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0)
  return { allow: counts.get('allow') ?? 0, all }
}
