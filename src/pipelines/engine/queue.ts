// Runs in a process that stays: so many at once, others wait in a bounded queue, and what was broken
// off is put back into it.
import type { ChangeBy } from '../../access/index.ts'
import { pipelineErrors } from '../errors.ts'
import type { PipelineRun } from '../types.ts'
import { requestToGoOn } from './go-on.ts'
import type { HostPorts } from './host.ts'
import type { RunRequest } from './plan.ts'
import { BrokenOff } from './run-context.ts'
import { endUnable, newRun, runPipelineSteps } from './runner.ts'

const AT_ONCE = 2
const WAITING_MAX = 100

interface Waiting {
  readonly run: PipelineRun
  readonly request: RunRequest
}

interface Current {
  readonly abort: AbortController
  readonly ended: Promise<void>
}

export function createRunQueue(ports: HostPorts, runner: string) {
  const waiting: Waiting[] = []
  const current = new Map<string, Current>()
  let stopped = false

  function next(): void {
    if (stopped || current.size >= AT_ONCE) return
    const first = waiting.shift()
    if (first === undefined) return
    const { run, request } = first
    const abort = new AbortController()
    const ended = runPipelineSteps(run, request, ports, abort.signal)
      .then(() => {}, ports.onDefect)
      .finally(() => {
        current.delete(run.id)
        next()
      })
    current.set(run.id, { abort, ended })
    void endWhenCancelled(run.id)
    next()
  }

  async function endWhenCancelled(runId: string): Promise<void> {
    const found = await ports.store.cancellation(runId).catch(() => undefined)
    if (found === undefined) return
    current.get(runId)?.abort.abort(`Cancelled by ${found.identityName}: ${found.reason}`)
  }

  return {
    /** The id of a run that is on record. Errors: `pipeline_runs_full`, and those of what is asked. */
    async enqueue(request: RunRequest, by: ChangeBy): Promise<string> {
      if (waiting.length >= WAITING_MAX) {
        throw pipelineErrors.pipeline_runs_full(`${waiting.length} runs wait.`)
      }
      const run = newRun(request, ports)
      await ports.begin(run, by)
      waiting.push({ run, request })
      next()
      return run.id
    },
    /** Puts a recorded run back, on the pipeline as it is declared now; one of none is ended. */
    async goOn(run: PipelineRun): Promise<void> {
      const { engine } = run
      const known = current.has(run.id) || waiting.some((each) => each.run.id === run.id)
      if (engine === undefined || known) return
      const { directory } = ports
      const pipeline = ports.pipelines.find(({ compiled }) => compiled.name === run.pipeline)
      if (pipeline === undefined) {
        const problem = `The project declares no pipeline ${run.pipeline} any more. Declare it again and go on with --resume ${run.id}.`
        await endUnable(run, problem, null, ports)
        return
      }
      const request = requestToGoOn({ ...run, engine }, { directory, pipeline, runner })
      waiting.push({ run, request })
    },
    next,
    endWhenCancelled,
    /** Sees what people asked of runs that go on. */
    async look(): Promise<void> {
      for (const runId of current.keys()) await endWhenCancelled(runId)
    },
    async stop(reason: BrokenOff): Promise<void> {
      stopped = true
      waiting.length = 0
      for (const { abort } of current.values()) abort.abort(reason)
      await Promise.all([...current.values()].map(({ ended }) => ended))
    },
  }
}
