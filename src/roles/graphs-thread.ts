// Works live graphs out in a thread of its own: a date of a large graph takes minutes of a core, and
// the other calls to `work` are answered meanwhile.
import { Worker } from 'node:worker_threads'
import type { LiveProject } from './graph-tables.ts'

/** What the thread is given; plain data. */
export interface GraphsTask {
  /** Root of the home directory. */
  readonly home: string
  readonly project: LiveProject
}

/** What the thread tells: a graph that was not worked out, and why. */
export interface GraphProblem {
  readonly graph: string
  readonly problem: string
}

export interface GraphsThread {
  stop(): Promise<void>
}

/** Of the thread; events themselves are held outside of this heap. */
const HEAP_MB = 4096
/** A thread that fell, for want of memory perhaps, begins again after so long. */
const AGAIN_MS = 60_000

/** Keeps the graphs of a project live until it is stopped. */
export function startGraphsThread(
  task: GraphsTask,
  onProblem: (graph: string, problem: unknown) => void,
): GraphsThread {
  let timer: ReturnType<typeof setTimeout> | undefined
  let worker: Worker | undefined
  let stopped = false
  const begin = () => {
    worker = new Worker(new URL('./graphs-worker.ts', import.meta.url), {
      workerData: task,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    })
    worker.on('message', ({ graph, problem }: GraphProblem) => onProblem(graph, problem))
    worker.on('error', (error) => onProblem('', error))
    worker.on('exit', () => {
      if (!stopped) timer = setTimeout(begin, AGAIN_MS).unref()
    })
  }
  begin()
  return {
    async stop() {
      stopped = true
      clearTimeout(timer)
      // Nothing is half done that would not be done again.
      await worker?.terminate()
    },
  }
}
