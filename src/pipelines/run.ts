// Runs the steps of a pipeline one after the other and keeps a record of each as it goes.
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { PipelineRun, PipelineRunStore, StepState } from './types.ts'

export interface Step {
  readonly name: string
  readonly title: string
  /**
   * Does the work. `report` shows an intermediate figure; what is returned is the final one.
   * Steps share what they find through the closure that declares them.
   */
  run(report: (figure: string) => void): Promise<string>
}

export interface RunPorts {
  readonly store: PipelineRunStore
  readonly clock: Clock
  readonly ids: Ids
  /** Told of every change of state, in order; must not throw. */
  readonly onProgress?: (run: PipelineRun) => void
}

/** A figure that changes faster than people read is stored at most this often. */
const REPORT_EVERY_US = 200_000

/** What a run is told apart by. */
export type NamedPipeline = Pick<PipelineRun, 'key' | 'actor' | 'about'> & { readonly name: string }

/** The record of a run that has not begun. */
export function waitingRun(
  { name, ...known }: NamedPipeline,
  steps: readonly Pick<Step, 'name' | 'title'>[],
  { clock, ids }: Pick<RunPorts, 'clock' | 'ids'>,
): PipelineRun {
  return {
    ...known,
    id: ids('pipe'),
    pipeline: name,
    status: 'running',
    startedAtUs: clock.nowUs(),
    endedAtUs: null,
    problem: null,
    steps: steps.map((step) => ({
      name: step.name,
      title: step.title,
      status: 'waiting',
      figure: '',
      startedAtUs: null,
      endedAtUs: null,
    })),
  }
}

/**
 * Runs the steps in order; the first that fails ends the run, whose record says where and why, and
 * its error is thrown on. Every record is stored before the next step begins.
 */
export async function runPipeline(
  pipeline: NamedPipeline,
  steps: readonly Step[],
  ports: RunPorts,
): Promise<PipelineRun> {
  const { clock, store } = ports
  let run = waitingRun(pipeline, steps, ports)
  const change = async (changes: Partial<PipelineRun>) => {
    run = { ...run, ...changes }
    ports.onProgress?.(run)
    await store.save(run)
  }
  const changeStep = (index: number, changes: Partial<StepState>) =>
    change({ steps: run.steps.map((step, i) => (i === index ? { ...step, ...changes } : step)) })

  await change({})
  for (const [index, step] of steps.entries()) {
    await changeStep(index, { status: 'running', startedAtUs: clock.nowUs() })
    const reports = throttled(clock, (text) => changeStep(index, { figure: text }))
    try {
      const figure = await step.run(reports.report)
      await reports.settled()
      await changeStep(index, { status: 'done', figure, endedAtUs: clock.nowUs() })
    } catch (error) {
      await reports.settled()
      const problem = error instanceof Error ? error.message : String(error)
      const failed = { status: 'failed', endedAtUs: clock.nowUs() } as const
      // Where the store is what failed, the run stays unended in it: `markInterrupted` finds it.
      await changeStep(index, { ...failed, figure: problem })
        .then(() => change({ ...failed, problem }))
        .catch(() => {})
      throw error
    }
  }
  await change({ status: 'done', endedAtUs: clock.nowUs() })
  return run
}

/** How many runs are looked at for one that never ended. */
const INTERRUPTED_AMONG = 50

/** Ends the records of runs whose process fell: they will never end by themselves. */
export async function markInterrupted(store: PipelineRunStore, clock: Clock): Promise<void> {
  for (const run of await store.list(INTERRUPTED_AMONG)) {
    // Runs of the engine are gone on with instead.
    if (run.status !== 'running' || run.engine !== undefined) continue
    await store.save({ ...run, status: 'interrupted', endedAtUs: clock.nowUs() })
  }
}

// Reports come from inside long loops: they are best effort and never hold the step up.
function throttled(clock: Clock, show: (figure: string) => Promise<void>) {
  let lastUs = -Infinity
  let pending: Promise<void> = Promise.resolve()
  const report = (figure: string) => {
    const nowUs = clock.nowUs()
    if (nowUs - lastUs < REPORT_EVERY_US) return
    lastUs = nowUs
    pending = pending.then(() => show(figure)).catch(() => {})
  }
  // The last report must not arrive after the step's own figure.
  return { report, settled: () => pending }
}
