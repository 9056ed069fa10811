// `assay pipelines list|show|run`: what a project declares, and running it here.
import {
  exitCodes,
  printTable,
  type PipelinesListOptions,
  type PipelinesRunOptions,
  type Terminal,
} from '../../cli/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import { remote } from '../../lib/rpc.ts'
import {
  allSteps,
  loadedPipeline,
  newRun,
  paramFromText,
  pipelineErrors,
  requestToGoOn,
  runPipelineSteps,
  stepsBefore,
  type CompiledPipeline,
  type CompiledStep,
  type LoadedPipeline,
  type PipelineRemote,
  type PipelineRun,
  type RunOptions,
  type RunRequest,
} from '../../pipelines/index.ts'
import { loadPipelines } from '../../projects/index.ts'
import { enginePorts } from '../pipeline-engine.ts'
import { cancelWatch, commandRunner } from '../pipeline-control.ts'
import { byCommand, requireServer, withPipelines, type KeptPipelines } from './connection.ts'
import { commandErrors } from './errors.ts'
import { runLines } from './pipelines-lines.ts'

export async function pipelinesList(
  { project, json }: PipelinesListOptions,
  { out }: Terminal,
): Promise<number> {
  const all = await pipelinesIn(project)
  const compiled = all.map((each) => each.compiled)
  if (json) out.line(JSON.stringify(compiled))
  else if (compiled.length === 0) out.line('The project declares no pipelines.')
  else {
    printTable(
      out,
      ['pipeline', 'steps', 'partitions', 'triggers', 'products'],
      compiled.map(({ name, steps, partitions, triggers, products }) => [
        name,
        String(steps.length),
        partitions === null ? '' : `by ${partitions.by}`,
        triggers.map((trigger) => inWords(trigger)).join(', '),
        Object.keys(products).join(', '),
      ]),
    )
  }
  return exitCodes.ok
}

export async function pipelinesShow(
  name: string,
  { project, json }: PipelinesListOptions,
  { out }: Terminal,
): Promise<number> {
  const { compiled } = await pipelineIn(project, name)
  if (json) {
    out.line(JSON.stringify(compiled))
    return exitCodes.ok
  }
  out.line(out.style('bold', compiled.title))
  if (compiled.description !== '') out.line(compiled.description)
  for (const [param, spec] of Object.entries(compiled.params)) {
    out.line(`  --param ${param}=${String(spec.default)}  ${spec.description}`.trimEnd())
  }
  for (const trigger of compiled.triggers) out.line(`  runs ${inWords(trigger)}`)
  out.line()
  printTable(
    out,
    ['step', 'after', 'reads', 'makes'],
    compiled.steps.map((step) => [
      step.name,
      stepsBefore(step).join(', '),
      reads(step),
      makes(step),
    ]),
  )
  return exitCodes.ok
}

/** Runs a pipeline, or says what would run; the exit code says whether it ended well. */
export async function pipelinesRun(
  name: string,
  options: PipelinesRunOptions,
  terminal: Terminal,
): Promise<number> {
  const loaded = await pipelineIn(options.project, name)
  return withPipelines(options.home, async (kept) => {
    if (options.dryRun) {
      const { printDryRun } = await import('./pipelines-dry-run.ts')
      return printDryRun(requestOf(loaded, options), kept, options, terminal)
    }
    if (options.detach) return detached(requestOf(loaded, options), kept, options, terminal, name)
    if (options.backfill !== undefined) {
      const { backfill } = await import('./pipelines-backfill.ts')
      return backfill(requestOf(loaded, options), kept, options, terminal)
    }
    const run = await runOne(requestOf(loaded, options), kept, options, terminal)
    if (options.json) terminal.out.line(JSON.stringify(run))
    return run.status === 'done' || run.status === 'waiting' ? exitCodes.ok : exitCodes.failed
  })
}

/** Hands the run to the server, which goes on with it whatever becomes of this command. */
async function detached(
  { params, partition, options: asked, why }: RunRequest,
  { home }: KeptPipelines,
  { home: named, backfill: range, json }: PipelinesRunOptions,
  { out }: Terminal,
  pipeline: string,
): Promise<number> {
  requireServer(named)
  const work = remote<PipelineRemote>(home.socket('work'), 'pipelines')
  const by = byCommand('pipelines run')
  const id =
    range === undefined
      ? await work.start({ pipeline, params, partition, options: asked, why }, by)
      : await work.startBackfill({ pipeline, params, ...rangeOf(range) }, by)
  out.line(json ? JSON.stringify({ id }) : `${id} is started.`)
  return exitCodes.ok
}

/** The ends of `FIRST..LAST`. Error: `pipeline_value_invalid`. */
export function rangeOf(text: string): { readonly from: string; readonly to: string } {
  const [, from, to] = /^(.+)\.\.(.+)$/.exec(text) ?? []
  if (from !== undefined) return { from, to }
  throw pipelineErrors.pipeline_value_invalid('Write a backfill as FIRST..LAST.')
}

async function runOne(
  request: RunRequest,
  kept: KeptPipelines,
  { json, resume }: PipelinesRunOptions,
  terminal: Terminal,
): Promise<PipelineRun> {
  const { out } = terminal
  const ports = enginePorts({
    home: kept.home,
    project: request.directory,
    store: kept.engine,
    catalog: kept.catalog,
  })
  const known = resume === undefined ? undefined : await brokenOff(resume, request, kept)
  const run = known ?? newRun(request, ports)
  if (known === undefined) await kept.desk.begin(run, byCommand('pipelines run'))
  const asked = known === undefined ? request : requestToGoOn(known, request)
  const lines = runLines(json ? terminal.err : out, known?.engine.changes?.length)
  const watch = cancelWatch(run.id, kept.engine)
  const interrupt = () => watch.abort.abort('Interrupted at the terminal')
  process.once('SIGINT', interrupt)
  try {
    const ended = await runPipelineSteps(run, asked, { ...ports, onProgress: lines }, watch.signal)
    if (!json) {
      out.line()
      out.line(`${out.style('bold', ended.status)}  ${ended.id}`)
      if (ended.problem !== null) out.line(ended.problem)
      if (ended.status === 'waiting') {
        out.line(`Approve it, then: assay pipelines run ${ended.pipeline} --resume ${ended.id}`)
      }
    }
    return ended
  } finally {
    watch.stop()
    process.removeListener('SIGINT', interrupt)
  }
}

/** A run that another process began and did not end. */
async function brokenOff(id: string, request: RunRequest, kept: KeptPipelines) {
  const run = await kept.runs.get(id)
  const engine = run?.engine
  if (
    run === undefined ||
    engine === undefined ||
    run.pipeline !== request.pipeline.compiled.name
  ) {
    throw pipelineErrors.pipeline_unknown(
      `There is no run ${id} of ${request.pipeline.compiled.name}.`,
    )
  }
  if (run.status === 'done' || run.status === 'cancelled') {
    throw pipelineErrors.pipeline_run_ended(`${id} has ended: ${run.status}.`)
  }
  // Without a server nothing runs but this command; what a server had begun may be gone on with here.
  if (run.status === 'running' && kept.server) {
    const who = engine.runner === 'work' ? 'the server' : `another ${engine.runner}`
    throw pipelineErrors.pipeline_run_running(`${id} is run by ${who}.`)
  }
  return { ...run, engine }
}

function requestOf(loaded: Loaded, options: PipelinesRunOptions): RunRequest {
  const { compiled } = loaded
  const params = Object.fromEntries(
    Object.entries(options.param ?? {}).map(([param, text]) => [
      param,
      paramFromText(compiled, param, text),
    ]),
  )
  const asked: RunOptions = {
    ...allSteps,
    from: options.from ?? null,
    only: options.only?.split(',').map((step) => step.trim()) ?? null,
    noCache: !options.cache,
  }
  const { actor } = byCommand('pipelines run')
  return {
    directory: loaded.directory,
    pipeline: loaded,
    params,
    partition: options.partition ?? null,
    options: asked,
    why: { kind: 'person', words: 'Started with `assay pipelines run`' },
    actor: actor.id,
    backfill: null,
    runner: commandRunner,
  }
}

export interface Loaded extends LoadedPipeline {
  readonly directory: string
}

/** The pipelines of a project, with the files of their steps. */
export async function pipelinesIn(project: string): Promise<readonly Loaded[]> {
  try {
    const { directory, pipelines } = await loadPipelines(project)
    return pipelines.map((each) => ({ ...loadedPipeline(each), directory }))
  } catch (error) {
    if (isAssayError(error)) throw error
    throw commandErrors.option_invalid(`The project in ${project}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

export async function pipelineIn(project: string, name: string): Promise<Loaded> {
  const all = await pipelinesIn(project)
  const found = all.find(({ compiled }) => compiled.name === name)
  if (found !== undefined) return found
  const known = all.map(({ compiled }) => compiled.name).join(', ') || 'none'
  throw pipelineErrors.pipeline_unknown(`${project} declares no pipeline "${name}": ${known}.`)
}

function inWords(trigger: CompiledPipeline['triggers'][number]): string {
  switch (trigger.on) {
    case 'cron':
      return `at ${trigger.pattern} (${trigger.timeZone})`
    case 'data':
      return `when ${trigger.dataset} has new data`
    case 'model':
      return `when ${trigger.model} has a new version`
    case 'freshness':
      return `when older than ${trigger.said}`
  }
}

function reads({ inputs }: CompiledStep): string {
  return Object.values(inputs)
    .map((input) => {
      switch (input.from) {
        case 'step':
          return `${input.step}/${input.output}`
        case 'product':
          return `product ${input.pipeline}/${input.output}`
        case 'dataset':
          return `data set ${input.dataset}`
        case 'value':
          return 'a value'
        case 'file':
        case 'folder':
          return input.path
      }
    })
    .join(', ')
}

function makes(step: CompiledStep): string {
  if (step.kind === 'approval') return 'an approval'
  return Object.entries(step.outputs)
    .map(([output, { kind }]) => `${output} (${kind})`)
    .join(', ')
}
