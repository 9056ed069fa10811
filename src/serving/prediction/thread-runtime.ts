/**
 * Models in a thread of their own: what a process does beside them is never held up, neither by loading
 * nor by computing. A thread that hangs is ended after its deadline and started again; it finds its
 * models by their files.
 */
import type { MessagePort, Worker } from 'node:worker_threads'
import { readFile } from 'node:fs/promises'
import { isAssayError } from '../../lib/errors.ts'
import {
  type LastingThreads,
  startLastingThreads,
  type ThreadMessage,
} from '../../lib/lasting-threads.ts'
import { servingErrors } from '../errors.ts'
import { readServedModel } from './document.ts'
import { type OpenRuntime, openRuntime } from './host.ts'
import type { ModelRuntime } from './ports.ts'
import type { ModelSignature } from './signature.ts'
import type { Tensor } from './tensor.ts'
import { warmUp } from './warm-up.ts'

/** A published document: its file, and the hash that names it. */
export interface PublishedModel {
  readonly file: string
  readonly hash: string
}

type Request = PublishedModel & {
  readonly act: 'open' | 'predict' | 'close'
  readonly inputs: readonly Tensor[]
}

type Answer =
  | { readonly kind: 'opened'; readonly platform: string; readonly signature: ModelSignature }
  | { readonly kind: 'predicted'; readonly outputs: readonly Tensor[] }
  | { readonly kind: 'closed' }
  /** What the model itself refused, by the code of its error. */
  | { readonly kind: 'refused'; readonly detail: string }

export interface ModelThread {
  /** Warms the model up in the thread. Errors: `served_model_invalid`, `inference_timeout`, `overloaded`. */
  open(model: PublishedModel): Promise<ModelRuntime>
  close(): Promise<void>
}

export interface ModelThreadOptions {
  readonly start: () => Worker
  /** Requests that may wait; absent: 128. */
  readonly queueMax?: number
  /** How long one request, or loading a model, may take; absent: 10 s. */
  readonly runMsMax?: number
}

/** The thread starts with the first model that is opened. */
export function createModelThread(options: ModelThreadOptions): ModelThread {
  const { start, queueMax = 128, runMsMax = 10_000 } = options
  let current: Promise<LastingThreads<Request, Answer>> | undefined
  let isClosed = false

  const begin = () =>
    startLastingThreads<Request, Answer>({
      start,
      queueMax,
      runMsMax,
      fail: {
        refused: (reason, cause) => servingErrors.inference_failed(reason, { cause }),
        failed: (reason) => servingErrors.inference_failed(reason),
        timedOut: (reason) => servingErrors.inference_timeout(reason),
      },
    })

  /** Those that fell too often are left to others, which begin with the next request. */
  async function threads(): Promise<LastingThreads<Request, Answer>> {
    if (isClosed) throw servingErrors.inference_failed('Its models have been closed.')
    const asked = (current ??= begin())
    const known = await asked.catch(() => undefined)
    if (known !== undefined && !known.isEnded()) return known
    if (current === asked) current = begin()
    return current
  }

  async function ask(act: Request['act'], model: PublishedModel, inputs: readonly Tensor[] = []) {
    const answer = await (await threads()).run({ ...model, act, inputs })
    if (answer.kind === 'refused') throw servingErrors.inference_failed(answer.detail)
    return answer
  }

  return {
    async open(model) {
      const opened = await ask('open', model)
      if (opened.kind !== 'opened') throw new Error('the thread gave another answer')
      const { platform, signature } = opened
      return {
        platform,
        signature,
        async predict(inputs) {
          const answer = await ask('predict', model, inputs)
          if (answer.kind !== 'predicted') throw new Error('the thread gave another answer')
          return answer.outputs
        },
        close: async () => void (await ask('close', model)),
      }
    },
    async close() {
      isClosed = true
      await (await current?.catch(() => undefined))?.close()
    },
  }
}

/** The other side: answers what comes through the port of a thread. */
export function serveModelThread(port: MessagePort, open: OpenRuntime): void {
  const runtimes = new Map<string, Promise<ModelRuntime>>()
  const post = (message: ThreadMessage<Answer>) => port.postMessage(message)

  function runtimeOf({ file, hash }: PublishedModel): Promise<ModelRuntime> {
    const known = runtimes.get(hash) ?? load(file, hash)
    runtimes.set(hash, known)
    known.catch(() => runtimes.delete(hash))
    return known
  }

  async function load(file: string, hash: string): Promise<ModelRuntime> {
    const { body, golden } = readServedModel(await readFile(file), hash)
    const runtime = await openRuntime(body, open)
    await warmUp(runtime, body, golden)
    return runtime
  }

  async function answer(request: Request): Promise<Answer> {
    if (request.act === 'close') {
      const runtime = runtimes.get(request.hash)
      runtimes.delete(request.hash)
      await (await runtime)?.close()
      return { kind: 'closed' }
    }
    const { platform, signature, predict } = await runtimeOf(request)
    if (request.act === 'open') return { kind: 'opened', platform, signature }
    return { kind: 'predicted', outputs: await predict(request.inputs) }
  }

  port.on('message', (request: Request) => {
    answer(request).then(
      (given) => post({ kind: 'done', answer: given }),
      (error: unknown) => {
        const detail = isAssayError(error) ? error.detail : String(error)
        post({ kind: 'done', answer: { kind: 'refused', detail } })
      },
    )
  })
  post({ kind: 'ready' })
}
