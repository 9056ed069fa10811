/**
 * Models in threads of their own: what a process does beside them is never held up, neither by loading
 * nor by computing. A thread that hangs is ended after its deadline and started again; it finds its
 * models by their files. The first few models have a thread each, so that none waits for another; of
 * more, some share one, where a model that waits for another server holds up no other.
 */
import type { MessagePort, Worker } from 'node:worker_threads'
import { readFile } from 'node:fs/promises'
import { generalErrors, isAssayError } from '../../lib/errors.ts'
import {
  type LastingThreads,
  startLastingThreads,
  type ThreadMessage,
  type ThreadRequest,
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
  /** What the model itself refused; `code` where it means the same on this side of the thread. */
  | { readonly kind: 'refused'; readonly detail: string; readonly code?: CarriedCode }

/** Of a model that waits for another server: it is away, busy or slow, which says nothing of the rows. */
const carried = {
  remote_unavailable: servingErrors.remote_unavailable,
  inference_timeout: servingErrors.inference_timeout,
  overloaded: generalErrors.overloaded,
} as const

type CarriedCode = keyof typeof carried

function refusalOf({ code, detail }: Extract<Answer, { kind: 'refused' }>): Error {
  if (code === undefined) return servingErrors.inference_failed(detail)
  return carried[code](detail, code === 'inference_timeout' ? {} : { extra: { retryAfter: 1 } })
}

export interface ModelThreads {
  /** Warms the model up in its thread. Errors: `served_model_invalid`, `inference_timeout`, `overloaded`. */
  open(model: PublishedModel): Promise<ModelRuntime>
  close(): Promise<void>
}

export interface ModelThreadsOptions {
  readonly start: () => Worker
  /** Threads, about 35 MB each; further models share them. Absent: 4. */
  readonly threadsMax?: number
  /** Requests that may wait for a thread; absent: 128. */
  readonly queueMax?: number
  /** How long one request, or loading a model, may take; absent: 10 s. */
  readonly runMsMax?: number
}

interface Slot {
  readonly threads: Promise<LastingThreads<Request, Answer>>
  /** How often each is open, by hash. */
  readonly models: Map<string, number>
}

/** A thread starts with a model that is opened, and ends with the last that is closed. */
export function createModelThreads(options: ModelThreadsOptions): ModelThreads {
  const { start, threadsMax = 4, queueMax = 128, runMsMax = 10_000 } = options
  let slots: readonly Slot[] = []
  let isClosed = false
  let last: Promise<unknown> = Promise.resolve()

  /** One after another: a process that starts has other work to do as well. */
  function begin(): Promise<LastingThreads<Request, Answer>> {
    const begun = last.then(startThread)
    last = begun.catch(() => {})
    return begun
  }

  const startThread = () =>
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

  /** That of the model, else one of its own, else the one with the fewest. */
  function slotOf(hash: string): Slot {
    const known = slots.find(({ models }) => models.has(hash))
    if (known !== undefined) return known
    if (slots.length >= threadsMax) {
      return slots.reduce((a, b) => (b.models.size < a.models.size ? b : a))
    }
    const slot: Slot = { threads: begin(), models: new Map() }
    slots = [...slots, slot]
    slot.threads.then(
      ({ ended }) => ended.then(() => forget(slot)),
      () => forget(slot),
    )
    return slot
  }

  function forget(slot: Slot): void {
    slots = slots.filter((each) => each !== slot)
  }

  async function release(slot: Slot, model: PublishedModel): Promise<void> {
    const left = (slot.models.get(model.hash) ?? 0) - 1
    if (left > 0) return void slot.models.set(model.hash, left)
    slot.models.delete(model.hash)
    const threads = await slot.threads.catch(() => undefined)
    if (slot.models.size > 0) {
      await threads?.run({ ...model, act: 'close', inputs: [] }).catch(() => undefined)
    } else {
      forget(slot)
      await threads?.close()
    }
  }

  return {
    async open(model) {
      if (isClosed) throw servingErrors.inference_failed('Its models have been closed.')
      const slot = slotOf(model.hash)
      slot.models.set(model.hash, (slot.models.get(model.hash) ?? 0) + 1)
      try {
        const threads = await slot.threads
        const ask = async (act: 'open' | 'predict', inputs: readonly Tensor[] = []) => {
          const answer = await threads.run({ ...model, act, inputs })
          if (answer.kind === 'refused') throw refusalOf(answer)
          return answer
        }
        const opened = await ask('open')
        if (opened.kind !== 'opened') throw new Error('the thread gave another answer')
        const { platform, signature } = opened
        return {
          platform,
          signature,
          ended: threads.ended,
          async predict(inputs) {
            const answer = await ask('predict', inputs)
            if (answer.kind !== 'predicted') throw new Error('the thread gave another answer')
            return answer.outputs
          },
          close: () => release(slot, model),
        }
      } catch (error) {
        await release(slot, model)
        throw error
      }
    },
    async close() {
      isClosed = true
      await Promise.all(
        slots.map(async ({ threads }) => (await threads.catch(() => undefined))?.close()),
      )
    },
  }
}

/** The other side: answers what comes through the port of a thread. */
export function serveModelThread(port: MessagePort, open: OpenRuntime): void {
  const runtimes = new Map<string, Promise<ModelRuntime>>()
  const loaded = new Set<string>()
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
    loaded.add(hash)
    return runtime
  }

  async function answer({ id, request }: ThreadRequest<Request>): Promise<Answer> {
    if (request.act !== 'close' && !loaded.has(request.hash)) post({ kind: 'away', id })
    if (request.act === 'close') {
      const runtime = runtimes.get(request.hash)
      runtimes.delete(request.hash)
      loaded.delete(request.hash)
      await (await runtime)?.close()
      return { kind: 'closed' }
    }
    const { platform, signature, predict, blocks } = await runtimeOf(request)
    if (request.act === 'open') return { kind: 'opened', platform, signature }
    const outputs = predict(request.inputs)
    if (outputs instanceof Promise && blocks !== true) post({ kind: 'away', id })
    return { kind: 'predicted', outputs: await outputs }
  }

  port.on('message', (asked: ThreadRequest<Request>) => {
    const { id } = asked
    answer(asked).then(
      (given) => post({ kind: 'done', id, answer: given }),
      (error: unknown) => {
        const detail = isAssayError(error) ? error.detail : String(error)
        const isCarried = isAssayError(error, ...(Object.keys(carried) as CarriedCode[]))
        const code = isCarried ? { code: error.code as CarriedCode } : {}
        post({ kind: 'done', id, answer: { kind: 'refused', detail, ...code } })
      },
    )
  })
  post({ kind: 'ready' })
}
