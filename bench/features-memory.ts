// Memory under a declared limit: generated streams whose state needs ten times the limit. In the
// first most customers are long gone and some come back; in the second anyone may pay next, so that
// nearly every event brings back a customer and a terminal. What the process holds is looked at again
// and again, checkpoints are made as often as `decide` makes them, and every vector is compared with
// that of a state without a limit.
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLmdbColdStore } from '../src/adapters/lmdb/cold-store.ts'
import type { CompiledSource, Row } from '../src/data/index.ts'
import {
  createFeatureState,
  type CompiledFeatureSet,
  type FeatureState,
} from '../src/features/index.ts'
import { monotonicUs } from '../src/lib/clock.ts'
import { createRandom } from '../src/lib/random.ts'
import { DAY_US, parseTimestamp, SECOND_US } from '../src/lib/time.ts'
import { bytesInUse, cpuSeconds, significant, spent } from './features-measure.ts'
import type { Figures } from './run.ts'

const TIMES_LARGER = 10
const LOOKS = 20
/** Events between two checkpoints: as `decide` has it. */
const CHECKPOINT_EVERY = 20_000
/** A stream shorter than the longest window, so that no event ever leaves the state. */
const DAYS = 25
/** Payments of a customer, about. */
const PAYMENTS_EACH = 10

/** Who pays when. */
interface Habits {
  /** What the names of the figures begin with. */
  readonly name: string
  /** One customer pays at a time for so many events of the stream. */
  readonly eventsEach: number
  /** How often another takes a customer's place after a payment. */
  readonly leaves: number
  /** How often that is one of all those before, and not a new one. */
  readonly returns: number
  /** How much of the events asked for. */
  readonly share: number
}

const habits: readonly Habits[] = [
  // Those who pay at a time fit into the limit with their terminals; all there ever were do not.
  { name: 'memory', eventsEach: 5000, leaves: 1 / PAYMENTS_EACH, returns: 0.02, share: 1 },
  { name: 'memory_all_pay', eventsEach: PAYMENTS_EACH, leaves: 0, returns: 0, share: 0.25 },
]

type Say = (line: string) => void

/** Runs each stream twice, without a limit and within a tenth of what that took. */
export async function measureMemory(
  source: CompiledSource,
  set: CompiledFeatureSet,
  events: number,
  say: Say,
): Promise<Figures> {
  const figures: Record<string, number | string> = {}
  for (const each of habits) {
    const stream = { source, habits: each, events: Math.ceil(events * each.share) }
    Object.assign(figures, await measureStream(stream, set, say))
  }
  return figures
}

interface Stream {
  readonly source: CompiledSource
  readonly habits: Habits
  readonly events: number
}

async function measureStream(stream: Stream, set: CompiledFeatureSet, say: Say): Promise<Figures> {
  const { source, events } = stream
  const { name } = stream.habits
  const hashes = new Int32Array(events)
  let whole: FeatureState | undefined = createFeatureState([set], source)
  const unlimited = await spent(() =>
    play(stream, whole!, (at, hash) => {
      hashes[at] = hash
    }),
  )
  const { bytes, liveEvents } = whole.statistics()
  // What follows looks at the memory of the process.
  whole = undefined
  const limitBytes = Math.floor(bytes / TIMES_LARGER)
  say(`${name}: without a limit ${liveEvents} events in ${bytes} bytes`)
  const limited = await measureLimited(stream, set, limitBytes, hashes)
  say(`${name}: within ${limitBytes} bytes at most ${limited.peakStated}`)
  return {
    [`${name}_events`]: events,
    [`${name}_unlimited_bytes`]: bytes,
    [`${name}_limit_bytes`]: limitBytes,
    [`${name}_peak_bytes`]: limited.peakStated,
    [`${name}_peak_process_bytes`]: limited.peakProcess,
    [`${name}_inside`]: limited.peakStated <= limitBytes ? 'yes' : 'no',
    [`${name}_away`]: limited.away,
    [`${name}_disk_bytes`]: limited.diskBytes,
    [`${name}_wrong_vectors`]: limited.wrong,
    [`${name}_unlimited_cpu_us`]: significant((unlimited.cpuS * 1e6) / events),
    [`${name}_limited_cpu_us`]: significant((limited.cpuS * 1e6) / events),
    [`${name}_limited_wall_us`]: significant((limited.wallS * 1e6) / events),
    [`${name}_checkpoint_ms`]: significant(limited.checkpointMs),
  }
}

/** A checkpoint and a look at the memory are no part of what an event takes. */
async function measureLimited(
  stream: Stream,
  set: CompiledFeatureSet,
  maxBytes: number,
  hashes: Int32Array,
) {
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  const cold = openLmdbColdStore(folder)
  try {
    const state = createFeatureState([set], stream.source, [], { maxBytes, cold })
    const every = Math.ceil(stream.events / LOOKS)
    const before = bytesInUse()
    let [wrong, peakStated, peakProcess, asideCpuS, asideUs] = [0, 0, 0, 0, 0]
    let [checkpoints, checkpointsUs] = [0, 0]
    const { cpuS, wallS } = await spent(() =>
      play(stream, state, async (at, hash) => {
        if (hash !== hashes[at]) wrong++
        const look = at % every === every - 1
        const checkpoint = at % CHECKPOINT_EVERY === CHECKPOINT_EVERY - 1
        if (!look && !checkpoint) return
        const [beforeS, startUs] = [cpuSeconds(), monotonicUs()]
        if (look) {
          peakStated = Math.max(peakStated, state.statistics().bytes)
          peakProcess = Math.max(peakProcess, bytesInUse() - before)
        }
        if (checkpoint) {
          const markUs = monotonicUs()
          await state.checkpoint()
          checkpoints++
          checkpointsUs += monotonicUs() - markUs
        }
        asideCpuS += cpuSeconds() - beforeS
        asideUs += monotonicUs() - startUs
      }),
    )
    return {
      wrong,
      peakStated,
      peakProcess,
      cpuS: cpuS - asideCpuS,
      wallS: wallS - asideUs / 1e6,
      checkpointMs: checkpointsUs / 1e3 / checkpoints,
      away: state.away,
      diskBytes: statSync(join(folder, 'data.mdb')).size,
    }
  } finally {
    await cold.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function play(
  stream: Stream,
  state: FeatureState,
  see: (at: number, hash: number) => void | Promise<void>,
): Promise<void> {
  const vector = new Float64Array(state.names.length)
  const words = new Int32Array(vector.buffer)
  const next = payments(stream)
  for (let at = 0; at < stream.events; at++) {
    state.applyInto(next(at), at + 1, vector)
    await see(at, hashOf(words))
  }
}

/** FNV-1a over 32-bit words: two vectors that differ have one hash once in 2^32. */
function hashOf(words: Int32Array): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i], 0x01000193)
  return hash
}

/** The same payments for a seed, in order of time, in a row that is filled anew each time. */
function payments({ source, habits: { eventsEach, leaves, returns }, events }: Stream) {
  const random = createRandom('payments')
  const row: (number | string | undefined)[] = source.columns.map(() => undefined)
  const positionOf = (wanted: string): number =>
    source.columns.findIndex(({ name }) => name === wanted)
  const [id, time, customer] = [source.id, source.eventTime, 'customer_id'].map(positionOf)
  const [terminal, amount] = ['terminal_id', 'amount'].map(positionOf)
  const startUs = parseTimestamp('2025-01-01T00:00:00Z')!
  const paying = Math.ceil(events / eventsEach)
  const around = Array.from({ length: paying }, (_, i) => i)
  let customers = paying
  return (at: number): Row => {
    const place = random.int(paying)
    if (random.next() < leaves) {
      around[place] = random.next() < returns ? random.int(customers) : customers++
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
