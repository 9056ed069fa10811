// Memory under a declared limit: a generated stream whose state needs ten times the limit, most of
// its customers long gone and some of them coming back. What the process holds is looked at again
// and again; afterwards every vector is compared with that of a state without a limit.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLmdbColdStore } from '../src/adapters/lmdb/cold-store.ts'
import type { CompiledSource, Row } from '../src/data/index.ts'
import {
  createFeatureState,
  type CompiledFeatureSet,
  type ColdStore,
  type FeatureState,
} from '../src/features/index.ts'
import { createRandom } from '../src/lib/random.ts'
import { DAY_US, parseTimestamp, SECOND_US } from '../src/lib/time.ts'
import { bytesInUse, cpuSeconds, significant, spent } from './features-measure.ts'
import type { Figures } from './run.ts'

const TIMES_LARGER = 10
const LOOKS = 20
/** A stream shorter than every window, so that no event ever leaves the state. */
const DAYS = 25
/**
 * Customers who pay at a time: one for so many events. Each pays for a while, then others, and now and
 * then an old one. They and their terminals fit into the limit; all there ever were do not.
 */
const EVENTS_A_CUSTOMER_AROUND = 5000
const RETURNS = 0.02

/** Runs the stream twice, without a limit and within a tenth of what that took. */
export async function measureMemory(
  source: CompiledSource,
  set: CompiledFeatureSet,
  events: number,
  say: (line: string) => void,
): Promise<Figures> {
  const hashes = new Int32Array(events)
  let whole: FeatureState | undefined = createFeatureState([set], source)
  const unlimited = await spent(() =>
    play(source, whole!, events, (at, hash) => {
      hashes[at] = hash
    }),
  )
  const { bytes, liveEvents } = whole.statistics()
  // What follows looks at the memory of the process.
  whole = undefined
  const limitBytes = Math.floor(bytes / TIMES_LARGER)
  say(`without a limit: ${liveEvents} events in ${bytes} bytes`)
  const limited = await withColdStore((cold) =>
    measureLimited(
      source,
      createFeatureState([set], source, [], { maxBytes: limitBytes, cold }),
      hashes,
    ),
  )
  say(`within ${limitBytes} bytes: at most ${limited.peakStated}`)
  return {
    memory_events: events,
    memory_unlimited_bytes: bytes,
    memory_limit_bytes: limitBytes,
    memory_peak_bytes: limited.peakStated,
    memory_peak_process_bytes: limited.peakProcess,
    memory_inside: limited.peakStated <= limitBytes ? 'yes' : 'no',
    memory_away: limited.away,
    memory_wrong_vectors: limited.wrong,
    memory_unlimited_cpu_us: significant((unlimited.cpuS * 1e6) / events),
    memory_limited_cpu_us: significant((limited.cpuS * 1e6) / events),
    memory_limited_wall_us: significant((limited.wallS * 1e6) / events),
  }
}

async function withColdStore<T>(work: (cold: ColdStore) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  const cold = openLmdbColdStore(folder)
  try {
    return await work(cold)
  } finally {
    await cold.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measureLimited(source: CompiledSource, state: FeatureState, hashes: Int32Array) {
  const events = hashes.length
  const every = Math.ceil(events / LOOKS)
  const before = bytesInUse()
  let [wrong, peakStated, peakProcess, lookingS] = [0, 0, 0, 0]
  const { cpuS, wallS } = await spent(() =>
    play(source, state, events, (at, hash) => {
      if (hash !== hashes[at]) wrong++
      if (at % every !== every - 1) return
      const beforeS = cpuSeconds()
      peakStated = Math.max(peakStated, state.statistics().bytes)
      peakProcess = Math.max(peakProcess, bytesInUse() - before)
      lookingS += cpuSeconds() - beforeS
    }),
  )
  return { wrong, peakStated, peakProcess, cpuS: cpuS - lookingS, wallS, away: state.away }
}

function play(
  source: CompiledSource,
  state: FeatureState,
  events: number,
  see: (at: number, hash: number) => void,
): void {
  const vector = new Float64Array(state.names.length)
  const words = new Int32Array(vector.buffer)
  const next = payments(source, events)
  for (let at = 0; at < events; at++) {
    state.applyInto(next(at), at + 1, vector)
    see(at, hashOf(words))
  }
}

/** FNV-1a over 32-bit words: two vectors that differ have one hash once in 2^32. */
function hashOf(words: Int32Array): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i], 0x01000193)
  return hash
}

/** The same payments for a seed, in order of time, in a row that is filled anew each time. */
function payments(source: CompiledSource, events: number): (at: number) => Row {
  const random = createRandom('payments')
  const row: (number | string | undefined)[] = source.columns.map(() => undefined)
  const positionOf = (wanted: string): number =>
    source.columns.findIndex(({ name }) => name === wanted)
  const [id, time, customer] = [source.id, source.eventTime, 'customer_id'].map(positionOf)
  const [terminal, amount] = ['terminal_id', 'amount'].map(positionOf)
  const startUs = parseTimestamp('2025-01-01T00:00:00Z')!
  const paying = Math.ceil(events / EVENTS_A_CUSTOMER_AROUND)
  const around = Array.from({ length: paying }, (_, i) => i)
  let customers = paying
  return (at) => {
    const place = random.int(paying)
    // About ten payments each, then a new customer or one of all those before takes the place.
    if (random.next() < 0.1) {
      around[place] = random.next() < RETURNS ? random.int(customers) : customers++
    }
    row[id] = at
    row[time] = startUs + Math.floor(((at / events) * DAYS * DAY_US) / SECOND_US) * SECOND_US
    row[customer] = around[place]
    // A terminal sees the customers of its neighbourhood.
    row[terminal] = around[place] >> 2
    row[amount] = 100 + random.int(100_000)
    return row
  }
}
