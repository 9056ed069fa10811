// The store of online values as a server needs it: there or not, the server starts and decides.
import type { OnlineValues } from '../features/index.ts'
import { featureErrors } from '../features/index.ts'
import { isAssayError } from '../lib/errors.ts'
import type { RoleLog } from './log.ts'

export type OnlineConnection = Pick<OnlineValues, 'declare' | 'write' | 'sets' | 'retire' | 'close'>

export interface OnlineConnectionOptions {
  /** Fails where the store is away; a store that was opened once finds its way back by itself. */
  readonly open: (onTrouble: (detail: string) => void) => Promise<OnlineValues>
  readonly log: Pick<RoleLog, 'info' | 'error'>
  /** Between two attempts, milliseconds. Default: 2,000. */
  readonly retryMs?: number
}

/**
 * Opens the store in the background, again and again until it is there; calls fail at once with
 * `online_store_unavailable` until then. One line says that it went away, one that it is back.
 */
export function connectOnline(options: OnlineConnectionOptions): OnlineConnection {
  const { open, log, retryMs = 2_000 } = options
  let store: OnlineValues | undefined
  let isAway = false
  let isClosed = false
  let timer: NodeJS.Timeout | undefined

  function away(reason: string): void {
    if (isAway || isClosed) return
    isAway = true
    log.error({ reason }, 'Online values cannot be written; decisions go on without them')
  }

  function back(): void {
    if (!isAway) return
    isAway = false
    log.info({}, 'Online values are written again')
  }

  async function attempt(): Promise<void> {
    try {
      const opened = await open(away)
      if (isClosed) return await opened.close()
      store = opened
      back()
    } catch (error) {
      away(messageOf(error))
      if (!isClosed) timer = setTimeout(() => void (attempting = attempt()), retryMs).unref()
    }
  }

  async function call<T>(work: (to: OnlineValues) => Promise<T>): Promise<T> {
    if (store === undefined) {
      const extra = { retryAfter: Math.ceil(retryMs / 1000) }
      throw featureErrors.online_store_unavailable('There is no connection yet.', { extra })
    }
    try {
      const result = await work(store)
      back()
      return result
    } catch (error) {
      if (isAssayError(error, 'online_store_unavailable', 'online_store_refused')) {
        away(messageOf(error))
      }
      throw error
    }
  }

  let attempting = attempt()
  return {
    declare: (set) => call((to) => to.declare(set)),
    write: (set, entities) => call((to) => to.write(set, entities)),
    sets: (namespace) => call((to) => to.sets(namespace)),
    retire: (set) => call((to) => to.retire(set)),
    async close() {
      isClosed = true
      clearTimeout(timer)
      await attempting
      await store?.close()
    },
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
