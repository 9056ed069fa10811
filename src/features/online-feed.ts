import type { CompiledSource, Row } from '../data/index.ts'
import { columnPosition } from '../data/index.ts'
import { isAssayError } from '../lib/errors.ts'
import type { CompiledFeatureSet } from './compiled.ts'
import type { EntityKey } from './entity-key.ts'
import { encodeEntityKey } from './entity-key.ts'
import type { OnlineValues } from './online.ts'
import type { FeatureState } from './operator/state.ts'
import type { OnlineKind } from './publish-online.ts'
import { onlineKinds, onlineSetOf, writeOnline } from './publish-online.ts'

export interface OnlineFeedOptions {
  readonly store: Pick<OnlineValues, 'declare' | 'write'>
  readonly namespace: string
  readonly state: FeatureState
  readonly set: CompiledFeatureSet
  readonly source: CompiledSource
  readonly timeToLiveUs?: number | null
  /** Entities of one kind that may wait to be written. Default: 100,000. */
  readonly waitingMax?: number
  /** Entities that one flush writes of a kind: what it costs the thread at once. Default: 200. */
  readonly batch?: number
}

export interface OnlineFeedStatistics {
  /** Entities whose newest values are still to be written. */
  readonly waiting: number
  readonly written: number
  /**
   * Touches that were forgotten: too many entities waited, or the key is too long for a store. An
   * entity's next event brings it back.
   */
  readonly dropped: number
  /** Flushes that the store refused; what they were to write waits again. */
  readonly failures: number
  /** Of the last flush; undefined where it went well. */
  readonly lastFailure: string | undefined
}

/**
 * Keeps online values up with a live state without ever holding it up. `touch` only notes which
 * entities an event concerns. Their values are worked out when they are flushed, of everything that
 * happened until then, so an entity with many events is written once. Whoever wires a feed calls
 * `flush` now and then, between other work.
 */
export interface OnlineFeed {
  /** After the state took the event in: never waits, never fails, costs a look-up a kind. */
  touch(row: Row): void
  /**
   * Writes a batch of each kind. It does not fail: where the store does, its entities wait for the
   * next flush; where the set was retired, nothing more is written. A second call while one runs is
   * the same flush.
   */
  flush(): Promise<OnlineFeedStatistics>
  statistics(): OnlineFeedStatistics
}

export function createOnlineFeed(options: OnlineFeedOptions): OnlineFeed {
  const { waitingMax = 100_000, batch = 200 } = options
  const queues = onlineKinds(options.set).map(
    (kind) => new TouchedEntities(kind, options, waitingMax),
  )
  let written = 0
  let failures = 0
  let lastFailure: string | undefined
  let running: Promise<OnlineFeedStatistics> | undefined

  const statistics = (): OnlineFeedStatistics => ({
    waiting: queues.reduce((sum, queue) => sum + queue.waiting, 0),
    dropped: queues.reduce((sum, queue) => sum + queue.dropped, 0),
    written,
    failures,
    lastFailure,
  })

  async function flushQueue(queue: TouchedEntities): Promise<void> {
    const entities = queue.take(batch)
    if (entities.size === 0) return
    try {
      const request = { ...options, kind: queue.kind, batch, entities: entities.values() }
      const set = onlineSetOf(request)
      if (!queue.declared) await options.store.declare(set)
      queue.declared = true
      const report = await writeOnline(set, request)
      written += report.written
    } catch (error) {
      // A set that was retired is not brought back by events that still come.
      if (isAssayError(error, 'online_set_unknown')) queue.close()
      else {
        queue.giveBack(entities)
        // A server that was away may have come back empty.
        queue.declared = false
      }
      failures++
      lastFailure = error instanceof Error ? error.message : String(error)
    }
  }

  async function flushAll(): Promise<OnlineFeedStatistics> {
    lastFailure = undefined
    for (const queue of queues) await flushQueue(queue)
    return statistics()
  }

  return {
    touch(row) {
      for (const queue of queues) queue.touch(row)
    },
    flush() {
      running ??= flushAll().finally(() => {
        running = undefined
      })
      return running
    },
    statistics,
  }
}

/** Entities of one kind that were touched and not yet written, each once, oldest touch first. */
class TouchedEntities {
  readonly kind: OnlineKind
  declared = false
  dropped = 0
  private closed = false
  private readonly positions: readonly number[]
  private readonly max: number
  private readonly touched = new Map<string, EntityKey>()

  constructor(kind: OnlineKind, { source }: OnlineFeedOptions, max: number) {
    this.kind = kind
    this.max = max
    this.positions = kind.entity.map((column) => columnPosition(source, column))
  }

  get waiting(): number {
    return this.touched.size
  }

  touch(row: Row): void {
    const key: (string | number)[] = []
    for (const position of this.positions) {
      const value = row[position]
      if (value === undefined) return
      key.push(value)
    }
    const name = nameOf(this.kind.entity, key)
    if (name === undefined) this.dropped++
    else this.add(name, key)
  }

  take(count: number): Map<string, EntityKey> {
    const taken = new Map<string, EntityKey>()
    for (const [name, key] of this.touched) {
      if (taken.size === count) break
      taken.set(name, key)
      this.touched.delete(name)
    }
    return taken
  }

  giveBack(entities: ReadonlyMap<string, EntityKey>): void {
    for (const [name, key] of entities) this.add(name, key)
  }

  /** From now on, touches are forgotten. */
  close(): void {
    this.closed = true
    this.touched.clear()
  }

  private add(name: string, key: EntityKey): void {
    if (this.closed) return
    if (this.touched.size >= this.max && !this.touched.has(name)) this.dropped++
    else this.touched.set(name, key)
  }
}

/** Undefined for a key that no store takes: an event that was decided must not fail over it. */
function nameOf(columns: readonly string[], key: EntityKey): string | undefined {
  try {
    return encodeEntityKey(columns, key)
  } catch (error) {
    if (isAssayError(error)) return undefined
    throw error
  }
}
