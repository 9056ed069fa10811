// The operator as it serves live traffic: one thread, an event after the other, values of every
// feature for each. Throughput and latencies are taken in passes of their own, because reading the
// clock twice an event is not free.
import { createFeatureState, type CompiledFeatureSet } from '../src/features/index.ts'
import type { FeatureState } from '../src/features/index.ts'
import { monotonicUs } from '../src/lib/clock.ts'
import { createRandom } from '../src/lib/random.ts'
import { bytesInUse, Latencies, significant, spent } from './features-measure.ts'
import { rowReader, timesOf, type Stream } from './features-stream.ts'
import type { Figures } from './run.ts'

const LOOKUPS = 100_000

/** Figures of the whole stream through one set of features; names end in `suffix`. */
export async function measureLive(
  stream: Stream,
  set: CompiledFeatureSet,
  suffix: string,
  say: (line: string) => void,
): Promise<Figures> {
  const { rows } = stream.frame
  const before = bytesInUse()
  const state = createFeatureState([set], stream.source)
  const pass = await spent(() => play(stream, state))
  const { liveEvents, bytes } = state.statistics()
  const processBytes = bytesInUse() - before
  const cpuUs = (pass.cpuS * 1e6) / rows
  say(`${set.features.length} features: ${Math.round(rows / pass.wallS)} events/s`)
  const lookups = lookUp(stream, state)
  const latencies = playTimed(stream, createFeatureState([set], stream.source))
  const [p50, p99, p999, most] = latencies.quantiles(0.5, 0.99, 0.999, 1)
  return {
    [`live_events_per_s_core${suffix}`]: Math.round(rows / pass.cpuS),
    [`live_events_per_s${suffix}`]: Math.round(rows / pass.wallS),
    [`live_cpu_us${suffix}`]: significant(cpuUs),
    [`p50_us${suffix}`]: significant(p50),
    [`p99_us${suffix}`]: significant(p99),
    [`p999_us${suffix}`]: significant(p999),
    [`max_us${suffix}`]: significant(most),
    [`live_events${suffix}`]: liveEvents,
    [`bytes_per_live_event${suffix}`]: significant(processBytes / liveEvents),
    [`bytes_per_live_event_stated${suffix}`]: significant(bytes / liveEvents),
    ...lookupFigures(lookups, suffix),
  }
}

function play(stream: Stream, state: FeatureState): void {
  const read = rowReader(stream)
  const vector = new Float64Array(state.names.length)
  for (let at = 0; at < stream.frame.rows; at++) state.applyInto(read(at), at + 1, vector)
}

function playTimed(stream: Stream, state: FeatureState): Latencies {
  const read = rowReader(stream)
  const { rows } = stream.frame
  const vector = new Float64Array(state.names.length)
  const latencies = new Latencies(rows)
  for (let at = 0; at < rows; at++) {
    const row = read(at)
    const startUs = monotonicUs()
    state.applyInto(row, at + 1, vector)
    latencies.add(monotonicUs() - startUs)
  }
  return latencies
}

/** The values of a random customer and a random terminal as of the newest event, which is no event. */
function lookUp(stream: Stream, state: FeatureState): Latencies {
  const { source, frame } = stream
  const random = createRandom('lookups')
  const read = rowReader(stream)
  const newestUs = timesOf(stream)[frame.rows - 1]
  const positions = ['customer_id', 'terminal_id', source.eventTime].map((wanted) =>
    source.columns.findIndex(({ name }) => name === wanted),
  )
  const [customer, terminal, time] = positions
  const latencies = new Latencies(LOOKUPS)
  for (let i = 0; i < LOOKUPS; i++) {
    const row: (number | string | undefined)[] = source.columns.map(() => undefined)
    row[customer] = read(random.int(frame.rows))[customer]
    row[terminal] = read(random.int(frame.rows))[terminal]
    row[time] = newestUs
    const startUs = monotonicUs()
    state.valuesAt(row)
    latencies.add(monotonicUs() - startUs)
  }
  return latencies
}

function lookupFigures(lookups: Latencies, suffix: string): Figures {
  const [p50, p99, p999] = lookups.quantiles(0.5, 0.99, 0.999)
  return {
    [`lookup_p50_us${suffix}`]: significant(p50),
    [`lookup_p99_us${suffix}`]: significant(p99),
    [`lookup_p999_us${suffix}`]: significant(p999),
  }
}
