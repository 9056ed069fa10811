// Learning from files that people bring: one after the other, each in a thread of its own, so that
// the replay and the answers of `work` go on meanwhile.
import { Worker } from 'node:worker_threads'
import { systemActor, type ChangeBy } from '../access/index.ts'
import type { Clock } from '../lib/clock.ts'
import { AssayError, type ErrorDefinition } from '../lib/errors.ts'
import { contentHash } from '../lib/hash.ts'
import type { Ids } from '../lib/ids.ts'
import type { Remote } from '../lib/rpc.ts'
import {
  learnFileSteps,
  pipelineErrors,
  waitingRun,
  type FileDescription,
  type LearningRemote,
  type LearningRequest,
  type PipelineRun,
  type PipelineRunStore,
} from '../pipelines/index.ts'
import type { Tracking } from '../tracking/index.ts'
import type { LearnAnswer, LearnTask } from './learn-worker.ts'

export interface LearningPorts {
  readonly home: string
  readonly pipelines: Remote<PipelineRunStore>
  readonly tracking: Pick<Remote<Tracking>, 'runs' | 'endRun'>
  readonly clock: Clock
  readonly ids: Ids
  readonly codeRevision: () => string
  readonly environment: () => string
  /** Told of what a thread died of. */
  readonly onDefect: (error: unknown) => void
}

export interface Learning {
  readonly remote: LearningRemote
  /** Ends the records of runs that an earlier process left; to be called before anything begins. */
  markFallen(): Promise<void>
  stop(): Promise<void>
}

/** What waits, beside the one that is being learnt. */
const WAITING_MAX = 8
/** Of one thread; rows themselves are held outside of this heap. */
const HEAP_MB = 4096
const FALLEN_AMONG = 50
/** Comparisons that are remembered. */
const COMPARED_MAX = 50

interface Waiting {
  readonly run: PipelineRun
  readonly request: LearningRequest
  readonly by: ChangeBy
}

interface Current extends Waiting {
  readonly worker: Worker
  /** Resolves when its record is complete. */
  settled: Promise<void>
  /** Who stopped it. */
  cancelled?: ChangeBy
}

export function createLearning(ports: LearningPorts): Learning {
  const { clock, home, pipelines } = ports
  const waiting: Waiting[] = []
  let current: Current | undefined
  const compared = new Map<string, ReturnType<LearningRemote['pairs']>>()
  let describing: Promise<unknown> = Promise.resolve()
  let stopped = false
  /** Asked for, and not in the queue yet. */
  let arriving = 0

  function next(): void {
    const first = stopped || current !== undefined ? undefined : waiting.shift()
    if (first === undefined) return
    const { run, request, by } = first
    const code = { codeRevision: ports.codeRevision(), environment: ports.environment() }
    const { worker, answered } = inThread({ kind: 'learn', home, run, request, by, ...code })
    const begun: Current = { ...first, worker, settled: Promise.resolve() }
    current = begun
    // A refusal stands in the record already; what a thread dies of does not.
    begun.settled = answered
      .then(
        () => {},
        (error: unknown) => ended(begun, error),
      )
      .catch(ports.onDefect)
      .finally(() => {
        current = undefined
        next()
      })
  }

  async function ended({ run, cancelled }: Current, error: unknown): Promise<void> {
    if (stopped || (error instanceof AssayError && cancelled === undefined)) return
    if (cancelled === undefined) ports.onDefect(error)
    const why =
      cancelled === undefined
        ? 'The thread that learnt it ended: there may be too little memory for a file of this size.'
        : `Stopped by ${cancelled.actor.name}.`
    await endRecord((await pipelines.get(run.id)) ?? run, why)
    for (const tracked of await ports.tracking.runs()) {
      if (tracked.tags['pipeline_run'] !== run.id || tracked.status !== 'running') continue
      await ports.tracking.endRun(
        tracked.id,
        'failed',
        cancelled ?? { actor: systemActor, reason: why },
      )
    }
  }

  async function endRecord(run: PipelineRun, problem: string): Promise<void> {
    if (run.status !== 'running') return
    const endedAtUs = clock.nowUs()
    await pipelines.save({
      ...run,
      status: 'failed',
      endedAtUs,
      problem,
      steps: run.steps.map((step) =>
        step.status === 'running' ? { ...step, status: 'failed', endedAtUs } : step,
      ),
    })
  }

  const pendingIds = () => [
    ...(current ? [current.run.id] : []),
    ...waiting.map(({ run }) => run.id),
  ]

  const remote: LearningRemote = {
    describe(file) {
      // One at a time: a table is held in memory whole.
      const description = describing.then(
        () => inThread({ kind: 'describe', home, file }).answered as Promise<FileDescription>,
      )
      describing = description.catch(() => {})
      return description
    },
    pairs(runIds) {
      const key = runIds.join()
      const known = compared.get(key)
      if (known !== undefined) return known
      // Runs that have ended never change, and neither does what they come to.
      const answer = inThread({ kind: 'pairs', home, runIds }).answered as ReturnType<
        LearningRemote['pairs']
      >
      if (compared.size === COMPARED_MAX) compared.delete(compared.keys().next().value!)
      compared.set(key, answer)
      answer.catch(() => compared.delete(key))
      return answer
    },
    async start(request, by) {
      if (waiting.length + arriving >= WAITING_MAX) {
        throw pipelineErrors.learning_full(`${waiting.length} files wait to be learnt from.`)
      }
      const { file, question } = request
      const run = waitingRun(
        {
          name: 'learn-file',
          key: contentHash(['learn-file', JSON.stringify(request)]),
          actor: by.actor.id,
          about: `${question.target} from ${file.name}`,
        },
        learnFileSteps,
        ports,
      )
      // Its record is there before its turn can come.
      arriving++
      await pipelines.save(run).finally(() => arriving--)
      waiting.push({ run, request, by })
      next()
      return run.id
    },
    async cancel(id, by) {
      if (current?.run.id === id) {
        current.cancelled = by
        const { settled, worker } = current
        await worker.terminate()
        await settled
        return true
      }
      const place = waiting.findIndex(({ run }) => run.id === id)
      if (place < 0) return false
      const [{ run }] = waiting.splice(place, 1)
      await endRecord(run, `Stopped by ${by.actor.name}.`)
      return true
    },
    pending: async () => pendingIds(),
  }

  return {
    remote,
    async markFallen() {
      for (const run of await pipelines.list(FALLEN_AMONG, 'learn-file')) {
        if (run.status !== 'running' || pendingIds().includes(run.id)) continue
        await pipelines.save({ ...run, status: 'interrupted', endedAtUs: clock.nowUs() })
      }
    },
    async stop() {
      stopped = true
      waiting.length = 0
      await current?.worker.terminate()
    },
  }
}

/** Runs a task in a thread of its own; rejects with its refusal, or with what it died of. */
function inThread(task: LearnTask): {
  readonly worker: Worker
  readonly answered: Promise<unknown>
} {
  const worker = new Worker(new URL('./learn-worker.ts', import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  })
  const answered = new Promise<unknown>((resolve, reject) => {
    worker.once('message', (answer: LearnAnswer) => {
      if (answer.refusal === undefined) resolve(answer.value)
      else reject(refusalOf(answer.refusal))
      // A table that was held in memory is let go of at once.
      void worker.terminate()
    })
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`The thread ended with ${code}.`)))
  })
  return { worker, answered }
}

function refusalOf({
  code,
  detail,
  ...definition
}: ErrorDefinition & { readonly code: string; readonly detail: string }): AssayError {
  return new AssayError(code, definition, detail)
}
