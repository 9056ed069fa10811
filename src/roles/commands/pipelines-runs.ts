// `assay pipelines runs|explain|logs|cancel|approve`: what ran and why, and what people say to it.
import { readFile } from 'node:fs/promises'
import type { ChangeBy } from '../../access/index.ts'
import {
  exitCodes,
  printTable,
  type PipelinesAnswerOptions,
  type PipelinesLogsOptions,
  type PipelinesReadOptions,
  type PipelinesRunsOptions,
  type Terminal,
} from '../../cli/index.ts'
import { formatTimestamp } from '../../lib/time.ts'
import {
  changeSentence,
  openLogs,
  pipelineErrors,
  type PipelineRun,
} from '../../pipelines/index.ts'
import { pipelineFolders } from '../pipeline-folders.ts'
import { byCommand, withPipelines, type KeptPipelines } from './connection.ts'
import { commandErrors } from './errors.ts'
import { explained } from './pipelines-lines.ts'

const RUNS_MAX = 200

export async function pipelinesRuns(
  { home, pipeline, json }: PipelinesRunsOptions,
  { out }: Terminal,
): Promise<number> {
  const runs = await withPipelines(home, (kept) => kept.runs.list(RUNS_MAX, pipeline))
  if (json) out.line(JSON.stringify(runs))
  else {
    printTable(
      out,
      ['run', 'pipeline', 'about', 'state', 'started', 'why'],
      runs.map((run) => [
        run.id,
        run.pipeline,
        run.about ?? '',
        run.status,
        formatTimestamp(run.startedAtUs),
        run.engine?.why.words ?? '',
      ]),
    )
  }
  return exitCodes.ok
}

export async function pipelinesExplain(
  id: string,
  { home, json }: PipelinesReadOptions,
  { out }: Terminal,
): Promise<number> {
  return withPipelines(home, async (kept) => {
    const run = await runOf(kept, id)
    const steps = await kept.engine.steps(id)
    if (json) {
      out.line(JSON.stringify({ ...run, steps }))
      return exitCodes.ok
    }
    out.line(`${out.style('bold', run.pipeline)}  ${run.status}  ${run.engine?.why.words ?? ''}`)
    for (const change of run.engine?.changes ?? []) {
      out.line(`${formatTimestamp(change.atUs)}  ${changeSentence(change)}`)
    }
    if (run.problem !== null) out.line(run.problem)
    printTable(
      out,
      ['step', 'state', 'why'],
      steps.map((step) => [step.step, step.status, explained(step)]),
    )
    for (const { step, checks } of steps) {
      for (const { output, evidence } of checks) {
        for (const { passed, said } of evidence) {
          out.line(`${passed ? '✓' : '✗'} ${step}/${output}: ${said}`)
        }
      }
    }
    return exitCodes.ok
  })
}

export async function pipelinesLogs(
  id: string,
  step: string,
  { home, attempt }: PipelinesLogsOptions,
  { out }: Terminal,
): Promise<number> {
  return withPipelines(home, async (kept) => {
    await runOf(kept, id)
    const logs = openLogs(pipelineFolders(kept.home).logs)
    const known = await logs.attempts(id, step)
    const number = attempt === undefined ? (known.at(-1) ?? 0) : Number(attempt)
    if (!known.includes(number)) {
      throw pipelineErrors.pipeline_unknown(`${step} of ${id} has no log of such an attempt.`)
    }
    for (let from = 0; ;) {
      const part = await logs.read(id, step, number, from)
      out.raw(part.text)
      if (part.next >= part.bytes || part.next === from) return exitCodes.ok
      from = part.next
    }
  })
}

export async function pipelinesCancel(
  id: string,
  { home, reason }: PipelinesAnswerOptions,
  { out }: Terminal,
): Promise<number> {
  const by = { ...byCommand('pipelines cancel'), reason }
  await withPipelines(home, ({ desk }) =>
    id.startsWith('fill_') ? desk.cancelBackfill(id, by) : desk.cancel(id, by),
  )
  out.line(`${id} is told to end.`)
  return exitCodes.ok
}

export async function pipelinesApprove(
  id: string,
  step: string,
  options: PipelinesAnswerOptions,
  { out }: Terminal,
): Promise<number> {
  return withPipelines(options.home, async (kept) => {
    const by = await byKey(kept, options)
    const verdict = options.refuse === true ? 'refuse' : 'approve'
    await kept.desk.answer({ runId: id, step, verdict }, by)
    out.line(`${by.actor.name} ${verdict === 'approve' ? 'approved' : 'refused'} ${step} of ${id}.`)
    return exitCodes.ok
  })
}

/** Whoever holds the key; the machine's owner alone approves nothing. */
async function byKey(
  { access }: KeptPipelines,
  { keyFile, reason }: PipelinesAnswerOptions,
): Promise<ChangeBy> {
  const key = await readFile(keyFile ?? '', 'utf8').catch((error: Error) => {
    throw commandErrors.input_unreadable(`${keyFile}: ${error.message}`)
  })
  const actor = await access.authenticate({ bearer: key.trim() })
  if (actor === undefined) throw commandErrors.option_invalid(`${keyFile} holds no valid key.`)
  return { actor, reason }
}

async function runOf(kept: KeptPipelines, id: string): Promise<PipelineRun> {
  const run = await kept.runs.get(id)
  if (run !== undefined) return run
  throw pipelineErrors.pipeline_unknown(`There is no pipeline run ${id}.`)
}
