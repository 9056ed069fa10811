/**
 * A model that is made ready, and made ready again with pauses where that failed, or where what computes
 * it ended: it comes back by itself, and nobody waits for it meanwhile.
 */
import { isAssayError } from '../../lib/errors.ts'
import type { ModelRuntime } from './ports.ts'

export type ModelState =
  | { readonly state: 'loading' }
  | { readonly state: 'ready'; readonly runtime: ModelRuntime }
  /** It is tried again. */
  | { readonly state: 'unavailable'; readonly reason: string }
  /** It was published as one that nothing here computes; nobody waits for it. */
  | { readonly state: 'unserved'; readonly reason: string }

export interface KeptReady {
  standing(): ModelState
  /** Resolves when it was tried once. */
  readonly tried: Promise<void>
  close(): Promise<void>
}

export interface KeepReadyOptions {
  /** Makes it ready, warm and compared with its golden set. */
  readonly open: () => Promise<ModelRuntime>
  /** Told of every reason once, until it was ready for a while. */
  readonly onTrouble: (error: unknown) => void
  readonly later?: Later
}

/** Acts after a time, unless what it returns is called before. */
export type Later = (ms: number, act: () => void) => () => void

/** Before the second try; each further one doubles it. */
const PAUSE_MS = 1000
const PAUSE_MS_MAX = 60_000

export function keepReady({ open, onTrouble, later = byTimer }: KeepReadyOptions): KeptReady {
  let standing: ModelState = { state: 'loading' }
  let isClosed = false
  let pauseMs = PAUSE_MS
  let told: string | undefined
  let cancel = () => {}

  async function attempt(): Promise<void> {
    try {
      const runtime = await open()
      if (isClosed) return await runtime.close()
      standing = { state: 'ready', runtime }
      // One that falls again soon waits longer.
      cancel = later(2 * pauseMs, () => {
        pauseMs = PAUSE_MS
        told = undefined
      })
      void runtime.ended?.then(lost)
    } catch (error) {
      lost(error)
    }
  }

  function lost(error: unknown): void {
    if (isClosed) return
    const reason = isAssayError(error) ? error.detail : String(error)
    standing = { state: 'unavailable', reason }
    if (reason !== told) onTrouble(error)
    told = reason
    cancel()
    cancel = later(pauseMs, () => void attempt())
    pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX)
  }

  return {
    standing: () => standing,
    tried: attempt(),
    async close() {
      isClosed = true
      cancel()
      if (standing.state === 'ready') await standing.runtime.close()
    },
  }
}

function byTimer(ms: number, act: () => void): () => void {
  const timer = setTimeout(act, ms)
  timer.unref()
  return () => clearTimeout(timer)
}
