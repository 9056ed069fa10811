// Reads what Python logged in a thread of its own, within time and memory: a model file comes from
// outside, and reading a large one must not hold up who is served meanwhile.
import { Worker } from 'node:worker_threads'
import type { DescribeOptions, LoggedDescription, LoggedFiles } from '../registry/index.ts'

export type ToReader =
  | {
      readonly kind: 'describe'
      readonly sizes: readonly (readonly [string, number])[]
      readonly options: DescribeOptions
    }
  | { readonly kind: 'content'; readonly bytes: Uint8Array | undefined }

export type FromReader =
  | { readonly kind: 'read'; readonly path: string }
  | { readonly kind: 'described'; readonly description: LoggedDescription }
  | { readonly kind: 'failed'; readonly message: string }

export interface ModelReader {
  /** As `describeLogged`; one model at a time. */
  describe(files: LoggedFiles, options?: DescribeOptions): Promise<LoggedDescription>
  close(): Promise<void>
}

const MS_MAX = 15_000
const MEMORY_MB_MAX = 768
const WAITING_MAX = 200

export function createModelReader(limits: { readonly msMax?: number } = {}): ModelReader {
  const { msMax = MS_MAX } = limits
  let worker: Worker | undefined
  let waiting = 0
  let last: Promise<unknown> = Promise.resolve()

  function thread(): Worker {
    if (worker !== undefined) return worker
    const started = new Worker(new URL('./model-reader-thread.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB_MAX },
    })
    // It holds nothing, so it holds up no stop either.
    started.unref()
    started.once('exit', () => leave(started))
    worker = started
    return started
  }

  /** The next model is read in a new thread. */
  function leave(ended: Worker): void {
    if (worker === ended) worker = undefined
  }

  async function read(files: LoggedFiles, options: DescribeOptions): Promise<LoggedDescription> {
    const reading = thread()
    // Copied, because whoever gave the bytes may still use them.
    const send = (message: ToReader) => reading.postMessage(message, [])
    const { promise, resolve, reject } = Promise.withResolvers<LoggedDescription>()
    let unreadable: Error | undefined
    const onError = (error: Error & { readonly code?: string }) => {
      leave(reading)
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') resolve(unread('more memory than is given'))
      else reject(error)
    }
    const onMessage = (message: FromReader) => {
      switch (message.kind) {
        case 'described':
          return resolve(message.description)
        case 'failed':
          return reject(unreadable ?? new Error(message.message))
        case 'read':
          return void files.read(message.path).then(
            (bytes) => send({ kind: 'content', bytes }),
            (error: Error) => {
              unreadable = error
              send({ kind: 'content', bytes: undefined })
            },
          )
      }
    }
    const timer = setTimeout(() => {
      leave(reading)
      void reading.terminate()
      resolve(unread(`more than ${msMax / 1000} s`))
    }, msMax)
    reading.on('message', onMessage)
    reading.once('error', onError)
    send({ kind: 'describe', sizes: [...files.sizes], options })
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      reading.off('message', onMessage)
      reading.off('error', onError)
    }
  }

  return {
    describe(files, options = {}) {
      if (waiting >= WAITING_MAX) return Promise.resolve(unread('its turn behind many others'))
      waiting++
      const reading = last.then(() => read(files, options)).finally(() => waiting--)
      last = reading.catch(() => undefined)
      return reading
    },
    async close() {
      await worker?.terminate()
    },
  }
}

function unread(needed: string): LoggedDescription {
  return {
    flavors: [],
    signature: undefined,
    format: undefined,
    file: undefined,
    servable: false,
    why: `It was not read: that needs ${needed}.`,
    fix: undefined,
  }
}
