/**
 * Threads that stay and answer one request after another, with a queue that has an end. A thread that
 * takes longer than it may, or falls, is ended and another takes its place; only the request that it
 * worked on is lost. Threads that keep falling end the whole.
 *
 * A thread posts `{ kind: 'ready' }` once, or `{ kind: 'refused', reason }`; then, for each request it
 * is sent, `{ kind: 'done', answer }` or `{ kind: 'failed', reason }`.
 */
import type { Transferable, Worker } from 'node:worker_threads'
import { generalErrors } from './errors.ts'

export interface LastingThreads<Request, Answer> {
  /** Error: `overloaded` where too many wait, and what the options make of failures. */
  run(request: Request, transfer?: readonly Transferable[]): Promise<Answer>
  /** Whether they were closed, or fell too often: nothing is answered any more. */
  isEnded(): boolean
  /** Refuses those that wait. */
  close(): Promise<void>
}

export type ThreadMessage<Answer> =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'done'; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly reason: string }

export interface LastingThreadsOptions {
  readonly start: () => Worker
  /** Absent: 1. */
  readonly threads?: number
  /** Requests that may wait beyond those that are worked on. */
  readonly queueMax: number
  /** How long one request may take. */
  readonly runMsMax: number
  /** The errors of whoever uses the threads. */
  readonly fail: {
    /** A thread could not begin; `cause` where it fell before it said why. */
    refused(reason: string, cause?: Error): Error
    failed(reason: string): Error
    timedOut(reason: string): Error
  }
}

type Waiting<Request, Answer> = {
  readonly request: Request
  readonly transfer: readonly Transferable[]
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

interface Thread<Request, Answer> {
  readonly worker: Worker
  ready: boolean
  busy: Waiting<Request, Answer> | undefined
  timer?: NodeJS.Timeout
}

/** Threads that fell one after another without an answer between. */
const FALLS_MAX = 5

/** Resolves once every thread is ready. Throws what `fail.refused` makes where one is not. */
export async function startLastingThreads<Request, Answer>(
  options: LastingThreadsOptions,
): Promise<LastingThreads<Request, Answer>> {
  const { fail, queueMax, runMsMax } = options
  const queue: Waiting<Request, Answer>[] = []
  const threads = new Set<Thread<Request, Answer>>()
  let ended: Error | undefined
  let falls = 0

  function end(error: Error): void {
    ended ??= error
    for (const thread of threads) {
      clearTimeout(thread.timer)
      thread.busy?.reject(ended)
      thread.busy = undefined
    }
    for (const waiting of queue.splice(0)) waiting.reject(ended)
  }

  async function close(error: Error): Promise<void> {
    end(error)
    await Promise.all([...threads].map(({ worker }) => worker.terminate()))
  }

  function give(thread: Thread<Request, Answer>): void {
    const next = queue.shift()
    thread.busy = next
    if (next === undefined) return thread.worker.unref()
    thread.worker.ref()
    thread.timer = setTimeout(() => {
      fall(thread, fail.timedOut(`It took more than ${runMsMax} ms.`))
    }, runMsMax)
    thread.worker.postMessage(next.request, next.transfer)
  }

  function finish(thread: Thread<Request, Answer>, message: ThreadMessage<Answer>): void {
    const waiting = thread.busy
    clearTimeout(thread.timer)
    falls = 0
    if (message.kind === 'done') waiting?.resolve(message.answer)
    if (message.kind === 'failed') waiting?.reject(fail.failed(message.reason))
    give(thread)
  }

  /** Ends a thread that hangs or fell, and starts another in its place. */
  function fall(thread: Thread<Request, Answer>, error: Error): void {
    if (!threads.delete(thread)) return
    clearTimeout(thread.timer)
    thread.busy?.reject(error)
    thread.busy = undefined
    void thread.worker.terminate()
    if (ended !== undefined) return
    if (++falls >= FALLS_MAX) {
      void close(fail.failed(`Its threads fell ${falls} times one after another.`))
    } else {
      start().catch((cause: Error) => void close(cause))
    }
  }

  async function start(): Promise<void> {
    const worker = options.start()
    const thread: Thread<Request, Answer> = { worker, ready: false, busy: undefined }
    threads.add(thread)
    await new Promise<void>((resolve, reject) => {
      worker.on('error', (cause: unknown) => {
        const error = cause instanceof Error ? cause : new Error(String(cause))
        if (!thread.ready) reject(fail.refused(error.message, error))
        else fall(thread, fail.failed(error.message))
      })
      worker.on('exit', () => {
        reject(fail.refused('The thread has ended.'))
        if (thread.ready) fall(thread, fail.failed('The thread has ended.'))
      })
      worker.on('message', (message: ThreadMessage<Answer>) => {
        if (message.kind === 'refused') reject(fail.refused(message.reason))
        else if (message.kind === 'ready') resolve()
        else finish(thread, message)
      })
    })
    thread.ready = true
    if (ended !== undefined) void worker.terminate()
    else give(thread)
  }

  try {
    await Promise.all(Array.from({ length: options.threads ?? 1 }, start))
  } catch (error) {
    await close(error as Error)
    throw error
  }

  return {
    run(request, transfer = []) {
      if (ended !== undefined) return Promise.reject(ended)
      const idle = [...threads].find(({ ready, busy }) => ready && busy === undefined)
      if (idle === undefined && queue.length >= queueMax) {
        const detail = `${queue.length} requests wait for the model.`
        return Promise.reject(generalErrors.overloaded(detail, { extra: { retryAfter: 1 } }))
      }
      return new Promise((resolve, reject) => {
        queue.push({ request, transfer, resolve, reject })
        if (idle !== undefined) give(idle)
      })
    },
    isEnded: () => ended !== undefined,
    close: () => close(fail.failed('It has been closed.')),
  }
}
