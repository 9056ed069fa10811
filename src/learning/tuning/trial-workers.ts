/**
 * Trials side by side, each on a thread of its own and single-threaded: on few processors that
 * wastes less than threads within a trial. The columns of the table are in memory that all
 * threads share; each keeps its own prepared folds.
 */
import { Worker } from 'node:worker_threads'
import { fail } from '../errors.ts'
import type { LearnerSpec } from '../model.ts'
import type { Table, TableColumn } from '../preparation/table.ts'
import {
  betterOf,
  type Figures,
  type Objective,
  type ObjectiveOptions,
  type ObjectiveWork,
} from './objective.ts'
import type { Attempt } from './tune.ts'

/** What a thread is asked, and what it answers. */
export type TrialRequest = { readonly learner: LearnerSpec; readonly budget: number }
export type TrialAnswer = { readonly done: ReturnType<Figures> } | { readonly failed: string }

export type ObjectiveInWorkers = Pick<Objective, 'better'> & {
  readonly evaluate: (attempt: Attempt) => Promise<ReturnType<Figures>>
  /** Ends the threads; trials that are under way fail. */
  readonly close: () => Promise<void>
}

const WORKERS_MAX = 64

/**
 * As `crossValidationObjective`, with the same figures, on so many threads; more trials than that
 * wait. The tuning's `batch` says how many are asked for at once. A thread that dies, of too
 * little memory for example, fails its trial, and another takes its place.
 */
export function objectiveInWorkers(options: ObjectiveOptions, workers: number): ObjectiveInWorkers {
  if (!Number.isInteger(workers) || workers < 1 || workers > WORKERS_MAX) {
    throw fail.tuning_invalid(`There can be 1 to ${WORKERS_MAX} workers, not ${workers}.`)
  }
  const { learner, ...work } = options
  const better = betterOf(work)
  const workerData: ObjectiveWork = { ...work, threads: 1, table: sharedTable(work.table) }
  const idle: Worker[] = []
  const waiting: (() => void)[] = []
  const all = new Set<Worker>()
  let closed = false

  function start(): Worker {
    const worker = new Worker(new URL('./trial-worker.ts', import.meta.url), { workerData })
    all.add(worker)
    worker.unref()
    return worker
  }

  async function freeWorker(): Promise<Worker> {
    for (;;) {
      if (closed) throw new Error('The tuning was closed.')
      const worker = idle.pop() ?? (all.size < workers ? start() : undefined)
      if (worker !== undefined) return worker
      await new Promise<void>((resolve) => {
        waiting.push(resolve)
      })
    }
  }

  async function ask(request: TrialRequest): Promise<ReturnType<Figures>> {
    const worker = await freeWorker()
    try {
      const answer = await answerOf(worker, request)
      idle.push(worker)
      if ('failed' in answer) throw new Error(answer.failed)
      return answer.done
    } catch (error) {
      if (!idle.includes(worker)) {
        all.delete(worker)
        void worker.terminate()
      }
      throw error
    } finally {
      waiting.shift()?.()
    }
  }

  return {
    better,
    evaluate: ({ setting, budget }) => ask({ learner: learner(setting), budget }),
    async close() {
      closed = true
      for (const resolve of waiting.splice(0)) resolve()
      await Promise.all([...all].map((worker) => worker.terminate()))
    },
  }
}

/** Rejects when the thread dies before it answers. */
function answerOf(worker: Worker, request: TrialRequest): Promise<TrialAnswer> {
  return new Promise((resolve, reject) => {
    const onMessage = (answer: TrialAnswer) => settle(() => resolve(answer))
    const onError = (error: Error) => settle(() => reject(error))
    const onExit = () => settle(() => reject(new Error('The thread of the trial ended.')))
    const settle = (then: () => void) => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit).unref()
      then()
    }
    // While a trial is under way, its thread keeps the process alive.
    worker.ref()
    worker.on('message', onMessage).on('error', onError).on('exit', onExit)
    worker.postMessage(request, [])
  })
}

/** The table with its columns in memory that threads can share. */
function sharedTable(table: Table): Table {
  return {
    ...table,
    columns: table.columns.map((column): TableColumn => {
      if (column.kind === 'number') {
        const values = new Float64Array(new SharedArrayBuffer(column.values.byteLength))
        values.set(column.values)
        return { ...column, values }
      }
      const codes = new Int32Array(new SharedArrayBuffer(column.codes.byteLength))
      codes.set(column.codes)
      return { ...column, codes }
    }),
  }
}
