// Online values of a namespace: what its live state knows of each entity, copied to a store for other
// programs. Nothing waits for the copy, and nothing that a decision does can fail over it.
import type { Row } from '../data/index.ts'
import { createOnlineFeed, onlineKinds } from '../features/index.ts'
import type { OnlineFeed, OnlineFeedStatistics, OnlineValues } from '../features/index.ts'
import type { LiveState } from './live-state.ts'

/** What decisions need of a store of online values (adapters/redis). */
export type OnlineStore = Pick<OnlineValues, 'declare' | 'write' | 'sets' | 'retire'>

export interface OnlineCopyOptions {
  readonly store: OnlineStore
  /** Name of the namespace: its values are never seen in another. */
  readonly namespace: string
  /** Resolves once all that state reflects now is on disk; rejects where the disk refused some. */
  readonly durable: () => Promise<void>
  /** Whether state may reflect what never happened, or be half built. */
  readonly isPaused: () => boolean
  readonly onWarning: (message: string, error: unknown) => void
}

/** Follows one state after another, and tells each event to a feed of every feature set. */
export interface OnlineCopy {
  /** From now on values are those of this state; undefined: of none. */
  follow(state: LiveState | undefined): void
  /** After an event of the state's own source entered it: never waits, never fails. */
  touch(row: Row): void
  /** Begins to write between other work. */
  start(): void
  statistics(): OnlineFeedStatistics
  /** Writes what waits, within about two seconds, and ends. */
  stop(): Promise<void>
  /** Ends, and removes all values of the namespace: another of its name begins at sequence 1. */
  forget(): Promise<void>
}

const FLUSH_MS = 100
/** A store that has just failed is not asked again at once. */
const RETRY_MS = 1000
const LAST_FLUSHES_MS = 2000

export function createOnlineCopy(options: OnlineCopyOptions): OnlineCopy {
  const { namespace, isPaused, onWarning } = options
  const store = onlyDurable(options)
  let feeds: readonly OnlineFeed[] = []
  let past = { written: 0, dropped: 0, failures: 0 }
  let timer: NodeJS.Timeout | undefined
  let flushing: Promise<string | undefined> | undefined
  let ended = false

  function statistics(): OnlineFeedStatistics {
    const now = feeds.map((feed) => feed.statistics())
    const sum = (name: 'waiting' | 'written' | 'dropped' | 'failures') =>
      now.reduce((total, each) => total + each[name], 0)
    return {
      waiting: sum('waiting'),
      written: past.written + sum('written'),
      dropped: past.dropped + sum('dropped'),
      failures: past.failures + sum('failures'),
      lastFailure: now.find(({ lastFailure }) => lastFailure !== undefined)?.lastFailure,
    }
  }

  /** Returns why the store did not take something. One feed after another, one flush at a time. */
  function flush(): Promise<string | undefined> {
    flushing ??= flushFeeds().finally(() => {
      flushing = undefined
    })
    return flushing
  }

  async function flushFeeds(): Promise<string | undefined> {
    for (const feed of feeds) {
      if (isPaused()) return undefined
      const { lastFailure } = await feed.flush()
      if (lastFailure !== undefined) return lastFailure
    }
    return undefined
  }

  function schedule(milliseconds: number): void {
    timer = setTimeout(() => {
      void flush().then((failure) => {
        if (!ended) schedule(failure === undefined ? FLUSH_MS : RETRY_MS)
      })
    }, milliseconds).unref()
  }

  function end(): void {
    ended = true
    clearTimeout(timer)
  }

  return {
    follow(state) {
      const { written, dropped, failures, waiting } = statistics()
      // State that is built anew brings back the events since its checkpoint, and no earlier ones.
      past = { written, failures, dropped: dropped + (state === undefined ? waiting : 0) }
      const sets = state?.featureSets.filter((set) => onlineKinds(set).length > 0) ?? []
      feeds = sets.map((set) => {
        const { operator, source } = state!
        return createOnlineFeed({ store, namespace, state: operator, set, source })
      })
    },
    touch(row) {
      for (const feed of feeds) feed.touch(row)
    },
    start: () => schedule(FLUSH_MS),
    statistics,
    async stop() {
      if (ended) return
      end()
      let timeout: NodeJS.Timeout | undefined
      const late = new Promise<string>((resolve) => {
        timeout = setTimeout(() => resolve('There was no time left.'), LAST_FLUSHES_MS)
      })
      let failure = await Promise.race([flushing, late])
      while (failure === undefined && statistics().waiting > 0 && !isPaused()) {
        failure = await Promise.race([flush(), late])
      }
      clearTimeout(timeout)
      const { waiting } = statistics()
      // A flush that was left under way holds entities that do not count as waiting.
      if (waiting === 0 && failure === undefined) return
      const what = `The newest values of ${waiting} or more entities were not written to the online store.`
      onWarning(what, failure ?? 'Live state was being built anew.')
    },
    async forget() {
      end()
      await flushing
      feeds = []
      try {
        for (const set of await options.store.sets(namespace)) await options.store.retire(set)
      } catch (error) {
        onWarning(`Online values of the removed namespace ${namespace} are still there.`, error)
      }
    },
  }
}

/**
 * State changes before the disk has answered. What the disk then refuses never happened, so values
 * leave only after all that they follow from is on disk: a store keeps the highest sequence for ever.
 */
function onlyDurable(options: OnlineCopyOptions): Pick<OnlineValues, 'declare' | 'write'> {
  const { store, durable, isPaused } = options
  return {
    declare: (set) => store.declare(set),
    async write(set, entities) {
      if (isPaused()) throw new Error('Live state is being built anew.')
      await durable()
      return store.write(set, entities)
    },
  }
}
