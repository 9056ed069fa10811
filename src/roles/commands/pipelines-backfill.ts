// `assay pipelines run --backfill A..B`: partitions one after another, those that are done left out.
import { exitCodes, type PipelinesRunOptions, type Terminal } from '../../cli/index.ts'
import { runBackfill, type RunRequest } from '../../pipelines/index.ts'
import { enginePorts } from '../pipeline-engine.ts'
import { byCommand, type KeptPipelines } from './connection.ts'
import { rangeOf } from './pipelines.ts'

export async function backfill(
  request: RunRequest,
  kept: KeptPipelines,
  options: PipelinesRunOptions,
  { out, err }: Terminal,
): Promise<number> {
  const { from, to } = rangeOf(options.backfill ?? '')
  const ports = enginePorts({
    home: kept.home,
    project: request.directory,
    store: kept.engine,
    catalog: kept.catalog,
  })
  const interrupted = new AbortController()
  const stop = () => interrupted.abort('Interrupted at the terminal')
  process.once('SIGINT', stop)
  try {
    const counts = await runBackfill(
      { ...request, from, to },
      {
        ...ports,
        begin: (run) => kept.desk.begin(run, byCommand('pipelines run --backfill')),
        onPartition: ({ key, status, done, total }) =>
          err.line(`${String(done).padStart(String(total).length)}/${total}  ${key}  ${status}`),
      },
      interrupted.signal,
    )
    if (options.json) out.line(JSON.stringify(counts))
    else out.line(`${counts.done} done, ${counts.known} were done before, ${counts.failed} failed`)
    return counts.failed === 0 && counts.left === 0 ? exitCodes.ok : exitCodes.failed
  } finally {
    process.removeListener('SIGINT', stop)
  }
}
