// What was never seen before: sessions of HDFS's log by stage 1, and NSL-KDD as a stream by stage 2.
import { measureSessions } from './novelty-sessions.ts'
import { measureStreams } from './novelty-streams.ts'
import type { BenchOptions, Figures } from './run.ts'

/**
 * `--data FOLDER` that holds `hdfs_deeplog` and `nsl_kdd`, `--seeds 5` splits of the sessions, `--budget 0.001` of
 * false alarms, `--only sessions` or `--only streams`.
 */
export async function run(options: BenchOptions, say: (line: string) => void): Promise<Figures> {
  return {
    ...(options.only === 'streams' ? {} : await measureSessions(options, say)),
    ...(options.only === 'sessions' ? {} : measureStreams(options, say)),
  }
}
