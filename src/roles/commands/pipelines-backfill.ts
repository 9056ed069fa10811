// `assay pipelines run --backfill A..B`: partitions one after another, those that are done left out; and
// `assay pipelines backfills`, those that were asked for.
import {
  exitCodes,
  printTable,
  type PipelinesRunOptions,
  type PipelinesRunsOptions,
  type Terminal,
} from '../../cli/index.ts'
import { formatTimestamp } from '../../lib/time.ts'
import {
  endedBackfill,
  keysBetween,
  newBackfill,
  runBackfill,
  type BackfillState,
  type RunRequest,
} from '../../pipelines/index.ts'
import { cancelWatch, commandRunner } from '../pipeline-control.ts'
import { enginePorts } from '../pipeline-engine.ts'
import { byCommand, withPipelines, type KeptPipelines } from './connection.ts'
import { rangeOf } from './pipelines.ts'

const LISTED = 200

export async function backfill(
  request: RunRequest,
  kept: KeptPipelines,
  options: PipelinesRunOptions,
  { out, err }: Terminal,
): Promise<number> {
  const ports = enginePorts({
    home: kept.home,
    project: request.directory,
    store: kept.engine,
    catalog: kept.catalog,
  })
  const { params, actor, pipeline } = request
  const asked = { pipeline: pipeline.compiled.name, params, ...rangeOf(options.backfill ?? '') }
  keysBetween({ ...asked, pipeline }, ports.clock.nowUs())
  const begun = newBackfill(asked, { ...ports, actor, runner: commandRunner })
  const { id, from, to } = begun
  const by = byCommand('pipelines run --backfill')
  await kept.desk.beginBackfill(begun, by)
  const watch = cancelWatch(id, kept.engine)
  const interrupt = () => watch.abort.abort('Interrupted at the terminal')
  process.once('SIGINT', interrupt)
  try {
    const counts = await runBackfill(
      { ...request, backfill: id, from, to },
      {
        ...ports,
        begin: (run) => kept.desk.begin(run, by),
        onPartition: ({ key, status, done, total }) =>
          err.line(`${String(done).padStart(String(total).length)}/${total}  ${key}  ${status}`),
      },
      watch.signal,
    )
    const { clock } = ports
    await kept.desk.endBackfill(endedBackfill(begun, { counts, signal: watch.signal, clock }))
    if (options.json) out.line(JSON.stringify({ id, ...counts }))
    else out.line(`${counts.done} done, ${counts.known} were done before, ${counts.failed} failed`)
    return counts.failed === 0 && counts.left === 0 ? exitCodes.ok : exitCodes.failed
  } finally {
    watch.stop()
    process.removeListener('SIGINT', interrupt)
  }
}

export async function pipelinesBackfills(
  { home, pipeline, json }: PipelinesRunsOptions,
  { out }: Terminal,
): Promise<number> {
  const states = await withPipelines(home, (kept) => kept.engine.backfills(LISTED, pipeline))
  if (json) out.line(JSON.stringify(states))
  else {
    printTable(
      out,
      ['backfill', 'pipeline', 'from', 'to', 'state', 'started', 'came to'],
      states.map((state) => [
        state.id,
        state.pipeline,
        state.from,
        state.to,
        state.state,
        formatTimestamp(state.startedAtUs),
        cameTo(state),
      ]),
    )
  }
  return exitCodes.ok
}

function cameTo({ counts, progress, problem }: BackfillState): string {
  if (counts === null) return problem ?? `${progress.done} of ${progress.total}`
  return `${counts.done} done, ${counts.failed} failed, ${counts.left} not reached`
}
