// A log of messages in partitions, such as a topic of Kafka: what a stream of events comes by.
export interface LogMessage {
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: Uint8Array
}

export interface MessageLog {
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
  /** Adds messages; resolves when they are kept. */
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
  const waiting = new Set<() => void>()
  const partsOf = (topic: string) => {
    const known = topics.get(topic) ?? Array.from({ length: partitions }, () => [])
    topics.set(topic, known)
    return known
  }
  return {
    partitions: async (topic) => [...partsOf(topic).keys()],
    async read({ topic, partition, offset, limit, waitMs, signal }) {
      const held = partsOf(topic)[partition]
      if (held.length <= offset && waitMs > 0) await wait(waiting, waitMs, signal)
      signal.throwIfAborted()
      return held.slice(offset, offset + limit)
    },
    end: async (topic, partition) => partsOf(topic)[partition].length,
    async append(topic, messages) {
      const parts = partsOf(topic)
      for (const { key, value, partition = partitionOf(key, parts.length) } of messages) {
        parts[partition].push({ partition, offset: parts[partition].length, key, value })
      }
      for (const wake of waiting) wake()
    },
  }
}

function wait(waiting: Set<() => void>, waitMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer)
      waiting.delete(wake)
      signal.removeEventListener('abort', wake)
      resolve()
    }
    const timer = setTimeout(wake, waitMs)
    waiting.add(wake)
    signal.addEventListener('abort', wake)
  })
}

/** Messages of one key keep their order: they meet the same partition. */
export function partitionOf(key: string | null, partitions: number): number {
  let hash = 0
  for (const char of key ?? '') hash = (Math.imul(hash, 31) + char.codePointAt(0)!) >>> 0
  return hash % partitions
}
