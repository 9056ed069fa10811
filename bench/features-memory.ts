// Memory under a declared limit: a generated stream whose state needs ten times the limit, most of
// its customers long gone and some of them coming back. What the process holds is looked at again
// and again; afterwards every vector is compared with that of a state without a limit.
import type { CompiledSource, Row } from '../src/data/index.ts'
import type { FeatureState } from '../src/features/index.ts'
import { createRandom } from '../src/lib/random.ts'
import { DAY_US, parseTimestamp, SECOND_US } from '../src/lib/time.ts'
import { bytesInUse, cpuSeconds, significant, spent } from './features-measure.ts'
import type { Figures } from './run.ts'

const TIMES_LARGER = 10
const LOOKS = 20
/** A stream shorter than every window, so that no event ever leaves the state. */
const DAYS = 25
/** Customers who pay at a time; each for a while, then others, and now and then an old one. */
const AROUND = 2000
const RETURNS = 0.02

/** Makes an empty state: within so many bytes of memory, or without a limit. */
export type MakeState = (limitBytes: number | null) => FeatureState

/** Runs the stream twice; `events` is its length. */
export async function measureMemory(
  source: CompiledSource,
  make: MakeState,
  events: number,
  say: (line: string) => void,
): Promise<Figures> {
  const hashes = new Int32Array(events)
  const whole = make(null)
  const unlimited = await spent(() =>
    play(source, whole, events, (at, hash) => {
      hashes[at] = hash
    }),
  )
  const { bytes, liveEvents } = whole.statistics()
  const limitBytes = Math.floor(bytes / TIMES_LARGER)
  say(`without a limit: ${liveEvents} events in ${bytes} bytes`)
  const limited = await measureLimited(source, make(limitBytes), hashes)
  say(`within ${limitBytes} bytes: at most ${limited.peakStated}`)
  return {
    memory_events: events,
    memory_unlimited_bytes: bytes,
    memory_limit_bytes: limitBytes,
    memory_peak_bytes: limited.peakStated,
    memory_peak_process_bytes: limited.peakProcess,
    memory_inside: Math.max(limited.peakStated, limited.peakProcess) <= limitBytes ? 'yes' : 'no',
    memory_wrong_vectors: limited.wrong,
    memory_unlimited_cpu_us: significant((unlimited.cpuS * 1e6) / events),
    memory_limited_cpu_us: significant((limited.cpuS * 1e6) / events),
  }
}

async function measureLimited(source: CompiledSource, state: FeatureState, hashes: Int32Array) {
  const events = hashes.length
  const every = Math.ceil(events / LOOKS)
  const before = bytesInUse()
  let [wrong, peakStated, peakProcess, lookingS] = [0, 0, 0, 0]
  const { cpuS } = await spent(() =>
    play(source, state, events, (at, hash) => {
      if (hash !== hashes[at]) wrong++
      if (at % every !== every - 1) return
      const beforeS = cpuSeconds()
      peakStated = Math.max(peakStated, state.statistics().bytes)
      peakProcess = Math.max(peakProcess, bytesInUse() - before)
      lookingS += cpuSeconds() - beforeS
    }),
  )
  return { wrong, peakStated, peakProcess, cpuS: cpuS - lookingS }
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
  const around = Array.from({ length: AROUND }, (_, i) => i)
  let customers = AROUND
  return (at) => {
    const place = random.int(AROUND)
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
