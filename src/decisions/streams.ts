// Decisions on a stream: messages of a log in, records of the journal out. One sequencer decides on all
// partitions. A message's offset lies in the record of what it did, so neither can be without the other;
// what is read again after a fall is known by its key and answered as before.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseStrictJson } from '../lib/canonical-json.ts'
import { isAssayError } from '../lib/errors.ts'
import { appendRecord, nextSequence } from './namespace.ts'
import type { Namespace } from './namespace.ts'
import type { LogMessage, MessageLog } from './message-log.ts'
import type { ConsumedRecord, Origin } from './records.ts'
import type { DecisionService } from './service.ts'

export interface StreamOptions {
  readonly namespace: string
  readonly policy: string
  readonly topic: string
  /** Told of what could not be read for now; it is tried again. */
  readonly onWarning: (message: string, error: unknown) => void
}

export interface StreamFigures {
  readonly topic: string
  readonly policy: string
  readonly counts: { readonly decided: number; readonly known: number; readonly refused: number }
  /** What is still to be read of each partition, in the log's unit of offsets: messages, or bytes. */
  readonly lags: readonly { readonly partition: number; readonly lag: number }[]
}

export interface RunningStream {
  /** Messages that were decided on, known before, or set aside, since the start. */
  readonly counts: { decided: number; known: number; refused: number }
  figures(): StreamFigures
  /** Stops reading; resolves when nothing is under way any more. */
  stop(): Promise<void>
}

const BATCH = 256
const WAIT_MS = 1000
const RETRY_MS = 200
/** Of a message that is set aside, what is kept of its text. */
const KEPT_CHARACTERS = 64 * 1024
const BODY_BYTES_MAX = 1024 * 1024
/** A message on which deciding itself fails, a defect, is set aside after so many attempts. */
const ATTEMPTS_MAX = 3
/** What says nothing of the message: it is sent again. */
const RETRIED = [
  'too_many_in_flight',
  'overloaded',
  'decisions_paused',
  'not_ready',
  'policy_not_found',
  'storage_full',
] as const

/** Begins to decide on a topic's messages, each one event as JSON, from where the journal has come to. */
export async function consumeStream(
  service: DecisionService,
  log: MessageLog,
  options: StreamOptions,
): Promise<RunningStream> {
  const stopping = new AbortController()
  const counts = { decided: 0, known: 0, refused: 0 }
  const partitions = await log.partitions(options.topic)
  const lags = new Map(partitions.map((partition) => [partition, 0]))
  const ended = partitions.map((partition) => consumePartition(partition))

  async function consumePartition(partition: number): Promise<void> {
    const { topic, namespace, onWarning } = options
    const { signal } = stopping
    let offset = service.namespace(namespace).offsets.next(topic, partition)
    while (!signal.aborted) {
      try {
        const request = { topic, partition, offset, limit: BATCH, waitMs: WAIT_MS, signal }
        const messages = await log.read(request)
        const taken = messages.map((message, i) => {
          const from = i === 0 ? offset : messages[i - 1].offset + 1
          return takeIn(message, { topic, partition, from, offset: message.offset })
        })
        await Promise.all(taken)
        offset = (messages.at(-1)?.offset ?? offset - 1) + 1
        lags.set(partition, Math.max(0, (await log.end(topic, partition)) - offset))
      } catch (error) {
        if (signal.aborted) return
        onWarning(`Partition ${partition} of ${topic} could not be read; it is tried again.`, error)
        await pause(RETRY_MS, signal)
      }
    }
  }

  /** Until it has an answer: the batch is not left before. */
  async function takeIn(message: LogMessage, origin: Origin): Promise<void> {
    const { namespace, policy, onWarning } = options
    for (let attempts = 1; !stopping.signal.aborted; attempts++) {
      try {
        const body = parseStrictJson(message.value, { maxBytes: BODY_BYTES_MAX })
        const { replayed } = await service.decide({ namespace, policy, body, origin })
        if (!replayed) {
          counts.decided++
          return
        }
        await noteConsumed(origin, { why: 'known' })
        counts.known++
        return
      } catch (error) {
        const refusal = refusalOf(error, attempts)
        if (refusal === undefined) {
          if (!isAssayError(error)) onWarning('A message could not be decided on; again.', error)
          await pause(RETRY_MS, stopping.signal)
          continue
        }
        const body = Buffer.from(message.value).toString('utf8').slice(0, KEPT_CHARACTERS)
        await noteConsumed(origin, { why: 'refused', ...refusal, body })
        counts.refused++
        return
      }
    }
  }

  function noteConsumed(
    origin: Origin,
    what: Pick<ConsumedRecord, 'why' | 'code' | 'detail' | 'body'>,
  ): Promise<void> {
    return recordConsumed(service.namespace(options.namespace), { origin, ...what })
  }

  return {
    counts,
    figures: () => ({
      topic: options.topic,
      policy: options.policy,
      counts: { ...counts },
      lags: [...lags].map(([partition, lag]) => ({ partition, lag })),
    }),
    async stop() {
      stopping.abort()
      await Promise.all(ended)
    },
  }
}

/** Why a message is set aside; undefined where it is worth another attempt. */
function refusalOf(error: unknown, attempts: number): { code: string; detail: string } | undefined {
  if (isAssayError(error, ...RETRIED)) return undefined
  if (isAssayError(error)) return { code: error.code, detail: error.detail }
  if (attempts < ATTEMPTS_MAX) return undefined
  return { code: 'defect', detail: error instanceof Error ? error.message : String(error) }
}

/** A message that led to no decision of its own: its offset is kept by a record of its own. */
async function recordConsumed(
  namespace: Namespace,
  what: Omit<ConsumedRecord, 'type' | 'receivedAtUs'>,
): Promise<void> {
  const record: ConsumedRecord = {
    type: 'consumed',
    ...what,
    receivedAtUs: namespace.options.clock.nowUs(),
  }
  const { durable } = appendRecord(namespace, record, nextSequence(namespace))
  namespace.offsets.note(what.origin)
  await durable
}

/** Ends early, and without a word, when the stream stops. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).catch(() => {})
}
