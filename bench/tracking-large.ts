// Ours alone with a store that MLflow's users give up on: many runs in one experiment, and one run
// with a million values of a metric. What the page asks for is what is timed.
import { significant } from './features-measure.ts'
import type { Figures } from './run.ts'
import {
  curveFrom,
  inParallel,
  median,
  metricsAt,
  timesMs,
  trackingClient,
} from './tracking-client.ts'
import { startOurs } from './tracking-servers.ts'

const HANDS = 32

export async function measureLargeStore(
  folder: string,
  { runs, metrics }: { readonly runs: number; readonly metrics: number },
  say: (line: string) => void,
): Promise<Figures> {
  const server = await startOurs(folder)
  const client = trackingClient(server.port)
  try {
    const experiment = await client.createExperiment('large')
    await inParallel(runs, HANDS, async (i) => {
      const run = await client.createRun(experiment, `run ${i}`)
      await client.logBatch(run, {
        metrics: metricsAt(i, 3),
        params: [{ key: 'depth', value: `${i % 12}` }],
        tags: [{ key: 'team', value: `team ${i % 7}` }],
      })
      if (i % 20_000 === 0) say(`${i} of ${runs} runs`)
    })
    const long = await client.createRun(experiment, 'a long run')
    for (let step = 0; step < metrics; step += 1000) {
      await client.logBatch(long, { metrics: curveFrom(step, 1000) })
    }
    say(`${metrics} metrics of one run`)
    const page = (query: object) =>
      `/api/v1/runs?${new URLSearchParams({ experiment, limit: '100', ...query }).toString()}`
    const asked = {
      runs_page: page({ columns: 'metrics.*,params.*,tags.*' }),
      runs_page_by_metric: page({ columns: 'metrics.*', order: 'metrics.metric_0 desc' }),
      runs_page_filtered: page({
        columns: 'metrics.*',
        filter: "metrics.metric_0 > 5000 AND params.depth = '7'",
      }),
      run_curve: `/api/v1/runs/curves?${new URLSearchParams({ ids: long, metric: 'loss' }).toString()}`,
    }
    const figures: Record<string, number> = { large_runs: runs, large_metrics: metrics }
    for (const [name, path] of Object.entries(asked)) {
      const times = await timesMs(10, () => client.fetch('GET', path))
      // The first finds nothing in memory: it is what a person who opens the page waits for.
      figures[`large_${name}_first_ms`] = significant(times[0])
      figures[`large_${name}_ms`] = significant(median(times))
      figures[`large_${name}_bytes`] = await client.fetch('GET', path)
    }
    return figures
  } finally {
    client.close()
    await server.stop()
  }
}
