// A backfill of 42 columns (count, sum and std over seven windows of customer and terminal), by us
// and by DuckDB's SQL, from memory to memory, in turns; and every value of one against the other.
import { duckdbHistoryEngine } from '../src/adapters/duckdb/index.ts'
import {
  createChosenEngine,
  createReplayEngine,
  createSweepEngine,
  type CompiledFeatureSet,
} from '../src/features/index.ts'
import { answerSql, compareAnswer, dialects, withEvents } from './features-duckdb.ts'
import { significant, spent, type Spent } from './features-measure.ts'
import type { Stream } from './features-stream.ts'
import type { Figures } from './run.ts'

const LIMITS = { memory: '8GB', threads: 2 }

/** What a project's backfill goes through, and the ways between which it chooses. */
const engines = {
  backfill: createChosenEngine({ sweep: createSweepEngine(), sql: duckdbHistoryEngine(LIMITS) }),
  sweep: createSweepEngine(),
  replay: createReplayEngine(),
  sql: duckdbHistoryEngine(LIMITS),
}

/** The best of `rounds` of each; of the peer's ways to write the SQL, the fastest counts. */
export async function measureBackfill(
  stream: Stream,
  set: CompiledFeatureSet,
  rounds: number,
  say: (line: string) => void,
): Promise<Figures> {
  const { source, frame } = stream
  return await withEvents(stream, LIMITS.threads, async (connection) => {
    const times = new BestTimes(say)
    let [compared, mismatches] = [0, 0]
    for (let round = 0; round < rounds; round++) {
      for (const dialect of dialects) {
        times.add(`duckdb_${dialect}`, await spent(() => connection.run(answerSql(dialect))))
      }
      for (const [name, engine] of Object.entries(engines)) {
        const ours = await spent(() => engine.history({ sets: [set], source, frame }))
        times.add(name, ours)
        if (round > 0 || name === 'sql') continue
        const comparison = await compareAnswer(connection, ours.result)
        compared += comparison.compared
        mismatches += comparison.mismatches
      }
    }
    const ours = times.best('backfill')
    const peer = times.best(...dialects.map((dialect) => `duckdb_${dialect}`))
    return {
      backfill_events: frame.rows,
      backfill_columns: set.features.length,
      backfill_s: significant(ours.wallS),
      backfill_cpu_s: significant(ours.cpuS),
      duckdb_sql_s: significant(peer.wallS),
      duckdb_sql_cpu_s: significant(peer.cpuS),
      backfill_ratio: significant(ours.wallS / peer.wallS),
      backfill_cpu_ratio: significant(ours.cpuS / peer.cpuS),
      backfill_sweep_s: significant(times.best('sweep').wallS),
      backfill_replay_s: significant(times.best('replay').wallS),
      backfill_sql_s: significant(times.best('sql').wallS),
      duckdb_frames_s: significant(times.best('duckdb_frames').wallS),
      compared,
      mismatches,
    }
  })
}

class BestTimes {
  private readonly times = new Map<string, Spent>()
  private readonly say: (line: string) => void

  constructor(say: (line: string) => void) {
    this.say = say
  }

  add(name: string, { wallS, cpuS }: Spent): void {
    this.say(`${name}: ${wallS.toFixed(2)} s, of the processor ${cpuS.toFixed(2)} s`)
    const known = this.times.get(name)
    if (known === undefined || wallS < known.wallS) this.times.set(name, { wallS, cpuS })
  }

  /** The shortest of all rounds of these. */
  best(...names: readonly string[]): Spent {
    return names.map((name) => this.times.get(name)!).reduce((a, b) => (b.wallS < a.wallS ? b : a))
  }
}
