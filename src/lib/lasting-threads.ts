/**
 * Threads that stay and answer one request after another, with a queue that has an end. A thread that
 * takes longer than it may, or falls, is ended and another takes its place; only what it had begun is
 * lost. Threads that keep falling end the whole.
 *
 * A thread posts `{ kind: 'ready' }` once, or `{ kind: 'refused', reason }`; then, for each
 * `ThreadRequest` it is sent, `{ kind: 'done', id, answer }` or `{ kind: 'failed', id, reason }`. Before
 * that it may post `{ kind: 'away', id }`: it waits for somebody else, and the next request may come.
 */
import type { Transferable, Worker } from 'node:worker_threads'
import { generalErrors } from './errors.ts'

export interface LastingThreads<Request, Answer> {
  /** Error: `overloaded` where too many wait, and what the options make of failures. */
  run(request: Request, transfer?: readonly Transferable[]): Promise<Answer>
  /** Resolves with why, once they were closed or fell too often: nothing is answered any more. */
  readonly ended: Promise<Error>
  /** Refuses those that wait. */
  close(): Promise<void>
}

export interface ThreadRequest<Request> {
  readonly id: number
  readonly request: Request
}

export type ThreadMessage<Answer> =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'done'; readonly id: number; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly id: number; readonly reason: string }
  | { readonly kind: 'away'; readonly id: number }

export interface LastingThreadsOptions {
  readonly start: () => Worker
  /** Absent: 1. */
  readonly threads?: number
  /** Requests that may wait beyond those that are worked on. */
  readonly queueMax: number
  /** How long one request may take. One that is away loses its answer then, others their thread. */
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

type Given<Request, Answer> = Waiting<Request, Answer> & { readonly timer: NodeJS.Timeout }

interface Thread<Request, Answer> {
  readonly worker: Worker
  ready: boolean
  /** The request that it works on. */
  busy: number | undefined
  /** That one and those that are away, whose number is bounded by whoever they wait for. */
  readonly given: Map<number, Given<Request, Answer>>
}

type AboutRequest<Answer> = Extract<ThreadMessage<Answer>, { readonly id: number }>

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
  const ending = Promise.withResolvers<Error>()
  let falls = 0
  let ids = 0

  function end(error: Error): void {
    ended ??= error
    ending.resolve(ended)
    for (const thread of threads) lose(thread, ended)
    for (const waiting of queue.splice(0)) waiting.reject(ended)
  }

  function lose(thread: Thread<Request, Answer>, error: Error): void {
    for (const id of thread.given.keys()) take(thread, id)?.reject(error)
    thread.busy = undefined
  }

  /** Undefined where nobody waits for the answer any more. */
  function take({ given }: Thread<Request, Answer>, id: number) {
    const found = given.get(id)
    given.delete(id)
    clearTimeout(found?.timer)
    return found
  }

  async function close(error: Error): Promise<void> {
    end(error)
    await Promise.all([...threads].map(({ worker }) => worker.terminate()))
  }

  function give(thread: Thread<Request, Answer>): void {
    const next = queue.shift()
    thread.busy = undefined
    if (next !== undefined) {
      const id = ids++
      const timer = setTimeout(() => late(thread, id), runMsMax)
      thread.busy = id
      thread.given.set(id, { ...next, timer })
      const asked: ThreadRequest<Request> = { id, request: next.request }
      thread.worker.postMessage(asked, next.transfer)
    }
    if (thread.given.size === 0) thread.worker.unref()
    else thread.worker.ref()
  }

  function late(thread: Thread<Request, Answer>, id: number): void {
    const error = fail.timedOut(`It took more than ${runMsMax} ms.`)
    if (thread.busy === id) fall(thread, error)
    else take(thread, id)?.reject(error)
  }

  function hear(thread: Thread<Request, Answer>, message: AboutRequest<Answer>): void {
    const { id } = message
    const isBusyWith = thread.busy === id
    if (message.kind !== 'away') {
      falls = 0
      const waiting = take(thread, id)
      if (message.kind === 'done') waiting?.resolve(message.answer)
      else waiting?.reject(fail.failed(message.reason))
    }
    if (isBusyWith || thread.busy === undefined) give(thread)
  }

  /** Ends a thread that hangs or fell, and starts another in its place. */
  function fall(thread: Thread<Request, Answer>, error: Error): void {
    if (!threads.delete(thread)) return
    lose(thread, error)
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
    const thread: Thread<Request, Answer> = {
      worker,
      ready: false,
      busy: undefined,
      given: new Map(),
    }
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
        else hear(thread, message)
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
    ended: ending.promise,
    close: () => close(fail.failed('It has been closed.')),
  }
}
