// A log of messages in partitions, such as a topic of Kafka: what a stream of events comes by.
import { createWaiters } from '../lib/waiters.ts'

export interface LogMessage {
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: Uint8Array
}

export interface MessageLog {
  /** Those there are now; more may be added while a topic is read, none is taken away. */
  partitions(topic: string): Promise<readonly number[]>
  /**
   * Messages of a partition in order of offset, from `offset` on, `limit` at most; waits up to `waitMs`
   * for the first. Offsets rise, and may leave gaps. Rejects when `signal` is aborted.
   */
  read(request: {
    readonly topic: string
    readonly partition: number
    readonly offset: number
    readonly limit: number
    readonly waitMs: number
    readonly signal: AbortSignal
  }): Promise<readonly LogMessage[]>
  /** The offset from which messages to come will be read, in the log's own unit. */
  end(topic: string, partition: number): Promise<number>
  /** Adds messages, and a stated partition that is not there yet; resolves when they are kept. */
  append(
    topic: string,
    messages: readonly (Omit<LogMessage, 'offset' | 'partition'> & {
      readonly partition?: number
    })[],
  ): Promise<void>
}

/** A log inside the process, for tests and for programs that feed themselves. */
export function createMemoryLog(partitions = 1): MessageLog {
  const topics = new Map<string, LogMessage[][]>()
  const waiters = createWaiters()
  const partsOf = (topic: string) => {
    const known = topics.get(topic) ?? Array.from({ length: partitions }, () => [])
    topics.set(topic, known)
    return known
  }
  return {
    partitions: async (topic) => [...partsOf(topic).keys()],
    async read({ topic, partition, offset, limit, waitMs, signal }) {
      const held = partsOf(topic)[partition]
      if (held.length <= offset && waitMs > 0) await waiters.wait(waitMs, signal)
      signal.throwIfAborted()
      return held.slice(offset, offset + limit)
    },
    end: async (topic, partition) => partsOf(topic)[partition].length,
    async append(topic, messages) {
      const parts = partsOf(topic)
      for (const { key, value, partition = partitionOf(key, parts.length) } of messages) {
        while (parts.length <= partition) parts.push([])
        parts[partition].push({ partition, offset: parts[partition].length, key, value })
      }
      waiters.wake()
    },
  }
}

/** Messages of one key keep their order: they meet the same partition. */
export function partitionOf(key: string | null, partitions: number): number {
  let hash = 0
  for (const char of key ?? '') hash = (Math.imul(hash, 31) + char.codePointAt(0)!) >>> 0
  return hash % partitions
}
