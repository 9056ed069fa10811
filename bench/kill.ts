// `kill -9` at random moments under load. After each restart every acknowledged decision must be
// there, once, with the very bytes of its answer.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DecideRemote } from '../src/decisions/index.ts'
import { createRandom } from '../src/lib/random.ts'
import { remote } from '../src/lib/rpc.ts'
import { prepareBank } from './decide-bank.ts'
import type { BenchBank } from './decide-bank.ts'
import type { BenchOptions } from './run.ts'
import { createClient, startChild } from './decide-child.ts'
import type { DecideChild } from './decide-child.ts'

export type KillResult = {
  readonly kills: number
  readonly acknowledged: number
  readonly lost: number
  readonly changed: number
  readonly duplicated: number
  readonly restart_ms_max: number
  readonly restart_ms_median: number
  /** Of a restart, what decide itself took to recover journal, index and state. */
  readonly recovery_ms_max: number
}

/** `--times` (50) kills while `--connections` (16) send, at moments that follow from `--seed` (1). */
export async function run(
  options: BenchOptions = {},
  say: (line: string) => void = () => undefined,
): Promise<KillResult> {
  const times = Number(options['times'] ?? 50)
  const connections = Number(options['connections'] ?? 16)
  const history = Number(options['history'] ?? 50_000)
  const seed = options['seed'] ?? '1'
  const random = createRandom(seed)
  const root = mkdtempSync(join(tmpdir(), 'assay-kill-'))
  const acknowledged = new Map<number, string>()
  const restarts: number[] = []
  let recoveryMs = 0
  let next = 0
  try {
    const bank = await prepareBank(root, history)
    // Checkpoints come often, so that kills fall into them too.
    let decide = await startChild(root, 500)
    await bank.install()
    for (let kill = 1; kill <= times; kill++) {
      const load = startLoad({ bank, decide, connections, acknowledged, take: () => next++ })
      await new Promise((resolve) => setTimeout(resolve, 50 + random.int(400)))
      await decide.stop('SIGKILL')
      await load
      decide = await startChild(root, 500)
      restarts.push(decide.startMs)
      recoveryMs = Math.max(recoveryMs, decide.recoveryMs)
      say(`kill ${kill}: ${acknowledged.size} acknowledged, up again in ${decide.startMs} ms`)
    }
    const verified = await verify(bank, decide, acknowledged)
    await decide.stop('SIGTERM')
    const sorted = restarts.toSorted((a, b) => a - b)
    return {
      kills: times,
      acknowledged: acknowledged.size,
      ...verified,
      restart_ms_max: sorted.at(-1) ?? 0,
      restart_ms_median: sorted[sorted.length >> 1] ?? 0,
      recovery_ms_max: recoveryMs,
    }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

interface Load {
  readonly bank: BenchBank
  readonly decide: DecideChild
  readonly connections: number
  readonly acknowledged: Map<number, string>
  take(): number
}

/** Runs until the process is gone; what was answered in full counts as acknowledged. */
async function startLoad({ bank, decide, connections, acknowledged, take }: Load): Promise<void> {
  const client = createClient(decide.url, connections)
  const strand = async () => {
    for (;;) {
      const n = take()
      try {
        const { status, body } = await client.send(pathOf(bank), JSON.stringify(bank.payment(n)))
        if (status !== 200) throw new Error(`${status} ${body}`)
        acknowledged.set(n, body)
      } catch {
        return
      }
    }
  }
  await Promise.all(Array.from({ length: connections }, strand))
  client.close()
}

function pathOf({ policy }: BenchBank): string {
  return `/api/v1/decisions/${policy}?namespace=bench`
}

/** Asks every acknowledged decision again, and counts what the journal holds. */
async function verify(bank: BenchBank, decide: DecideChild, acknowledged: Map<number, string>) {
  const client = createClient(decide.url, 16)
  let lost = 0
  let changed = 0
  for (const [n, body] of acknowledged) {
    const again = await client.send(pathOf(bank), JSON.stringify(bank.payment(n)))
    if (!again.replayed) lost++
    else if (again.body !== body) changed++
  }
  client.close()
  const journal = remote<DecideRemote>(bank.home.socket('decide'), 'decide')
  const seen = new Set<string>()
  let duplicated = 0
  for (let after = 0; ;) {
    const { records } = await journal.records({ namespace: 'bench', after, limit: 2000 })
    if (records.length === 0) break
    for (const record of records) {
      if (record.type !== 'decision') continue
      if (seen.has(record.eventId)) duplicated++
      seen.add(record.eventId)
    }
    after = records.at(-1)!.sequence
  }
  return { lost, changed, duplicated }
}
