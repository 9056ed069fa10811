// Many partitions of one pipeline: a run each, a few at a time, those that are done left out. Begun
// again it goes on with what is left, because each partition's state is on disk.
import { pipelineErrors } from '../errors.ts'
import type { PipelineRun } from '../types.ts'
import { partitionKeys } from './partitions.ts'
import type { RunRequest } from './plan.ts'
import type { BackfillCounts, BackfillState, PartitionRow, StartBackfill } from './records.ts'
import { BrokenOff, type RunnerPorts } from './run-context.ts'
import { newRun, runPipelineSteps } from './runner.ts'

export interface BackfillRequest extends Omit<RunRequest, 'partition'> {
  /** First and last key, both included. */
  readonly from: string
  readonly to: string
  /** Partitions at once; default 2. */
  readonly parallel?: number
  /** Run those again that are done. */
  readonly again?: boolean
}

export interface BackfillPorts extends RunnerPorts {
  /** Records a run before it begins. */
  readonly begin: (run: PipelineRun) => Promise<void>
  readonly onPartition?: (progress: BackfillProgress) => void
}

export interface BackfillProgress {
  readonly key: string
  readonly status: PipelineRun['status']
  readonly done: number
  readonly total: number
}

const PARALLEL = 2
const PARALLEL_MAX = 16
/** Partitions whose state is looked up together. */
const LOOKED_UP = 1000

/**
 * Runs partitions in the order of their keys. One that fails does not stop the others. Errors:
 * `pipeline_value_invalid` where a key is none of the pipeline's.
 */
export async function runBackfill(
  request: BackfillRequest,
  ports: BackfillPorts,
  signal: AbortSignal,
): Promise<BackfillCounts> {
  const keys = keysBetween(request, ports.clock.nowUs())
  let [done, failed, known, reached, ended] = [0, 0, 0, 0, 0]
  const pending = keysToRun(request, keys, ports, () => known++)
  const backfill = request.backfill ?? ports.ids('fill')

  async function next(): Promise<void> {
    for await (const key of pending) {
      if (signal.aborted) return
      reached++
      const why = { kind: 'backfill', words: `Backfill ${backfill}` } as const
      const asked: RunRequest = { ...request, partition: key, backfill, why }
      const run = newRun(asked, ports)
      await ports.begin(run)
      const { status } = await runPipelineSteps(run, asked, ports, signal)
      // Left as it is stored, to be gone on with.
      if (signal.reason instanceof BrokenOff) return
      if (status === 'done') done++
      else if (status === 'failed') failed++
      ended++
      ports.onPartition?.({ key, status, done: known + ended, total: keys.length })
    }
  }

  const parallel = Math.min(PARALLEL_MAX, Math.max(1, request.parallel ?? PARALLEL))
  await Promise.all(Array.from({ length: parallel }, () => next()))
  const total = keys.length
  return { total, done, failed, known, left: total - known - reached }
}

/** The record of a backfill that is about to begin. */
export function newBackfill(
  { pipeline, params, from, to }: StartBackfill,
  {
    ids,
    clock,
    actor,
    runner,
  }: Pick<RunnerPorts, 'ids' | 'clock'> & Required<Pick<BackfillState, 'actor' | 'runner'>>,
): BackfillState {
  return {
    pipeline,
    params,
    from,
    to,
    id: ids('fill'),
    state: 'running',
    actor,
    runner,
    startedAtUs: clock.nowUs(),
    endedAtUs: null,
    counts: null,
    progress: { done: 0, total: 0 },
    problem: null,
  }
}

/** The same one when it has run to its end, or was stopped by the signal. */
export function endedBackfill(
  state: BackfillState,
  {
    counts,
    signal,
    clock,
  }: Pick<RunnerPorts, 'clock'> & {
    readonly counts: BackfillCounts
    readonly signal: AbortSignal
  },
): BackfillState {
  const problem = signal.aborted ? String(signal.reason) : null
  const ended = problem !== null ? 'cancelled' : counts.failed > 0 ? 'failed' : 'done'
  return { ...state, state: ended, counts, endedAtUs: clock.nowUs(), problem }
}

/** Shared by all that take from it; a pull at a time. */
function keysToRun(
  { pipeline, again }: BackfillRequest,
  keys: readonly string[],
  { store }: Pick<RunnerPorts, 'store'>,
  onKnown: () => void,
): AsyncIterable<string> {
  let place = 0
  let rows = new Map<string, PartitionRow>()
  let looked = 0
  let last: Promise<unknown> = Promise.resolve()
  async function take(): Promise<IteratorResult<string>> {
    for (;;) {
      if (place >= keys.length) return { done: true, value: undefined }
      if (place >= looked) {
        const some = keys.slice(place, place + LOOKED_UP)
        const found = await store.partitions(pipeline.compiled.name, {
          keys: some,
          limit: LOOKED_UP,
        })
        rows = new Map(found.map((row) => [row.key, row]))
        looked = place + some.length
      }
      const key = keys[place++]
      if (again !== true && rows.get(key)?.status === 'done') onKnown()
      else return { done: false, value: key }
    }
  }
  return {
    [Symbol.asyncIterator]: () => ({
      next() {
        const taken = last.then(take)
        last = taken.catch(() => {})
        return taken
      },
    }),
  }
}

/** Keys of the pipeline from one to another. Error: `pipeline_value_invalid` where there is no such key. */
export function keysBetween(
  { pipeline, from, to }: Pick<BackfillRequest, 'pipeline' | 'from' | 'to'>,
  nowUs: number,
): string[] {
  const { name, partitions } = pipeline.compiled
  if (partitions === null) {
    throw pipelineErrors.pipeline_value_invalid(`${name} has no partitions.`)
  }
  const keys = partitionKeys(partitions, nowUs)
  const [first, last] = [from, to].map((key) => {
    const place = keys.placeOf(key)
    if (place !== undefined) return place
    const range = keys.count === 0 ? 'none yet' : `${keys.at(0)} to ${keys.at(keys.count - 1)}`
    throw pipelineErrors.pipeline_value_invalid(`${name} has no partition "${key}": ${range}.`)
  })
  if (last < first) throw pipelineErrors.pipeline_value_invalid(`${to} lies before ${from}.`)
  return Array.from({ length: last - first + 1 }, (_, i) => keys.at(first + i))
}
