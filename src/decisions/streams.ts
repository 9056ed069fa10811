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
  /** Told of what could not be read or decided on for now; it is tried again. */
  readonly onWarning: (message: string, error: unknown) => void
  /** Told of partitions that were found since the start, and of what goes on again. */
  readonly onNote: (message: string) => void
  /** What this stream shares with the others of the process; absent: it has one of its own. */
  readonly share?: StreamShare
  /** Resolves after so long, or when the signal is aborted; absent: by the machine's clock. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>
}

/** How many messages are decided on at once, so that requests at the door find room beside them. */
export interface StreamShare {
  /** Runs the act once there is room; those who wait are let in in their order. */
  during<T>(act: () => Promise<T>): Promise<T>
}

export interface StreamFigures {
  readonly topic: string
  readonly policy: string
  /** Messages that were decided on, known before, or set aside, since the start. */
  readonly counts: { readonly decided: number; readonly known: number; readonly refused: number }
  /** What is still to be read of each partition, in the log's unit of offsets: messages, or bytes. */
  readonly lags: readonly { readonly partition: number; readonly lag: number }[]
}

export interface RunningStream {
  figures(): StreamFigures
  /** Stops reading; resolves when nothing is under way any more. */
  stop(): Promise<void>
}

const BATCH = 256
const WAIT_MS = 1000
const RETRY_MS = 200
/** Between two looks at which partitions a topic has. */
const PARTITIONS_MS = 5000
const SHARE_MAX = 128
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
/** Of these, what passes by itself within moments and needs no word. */
const BRIEF = ['too_many_in_flight', 'overloaded'] as const

/**
 * Begins to decide on a topic's messages, each one event as JSON, from where the journal has come to. A
 * partition that is added later is found within seconds, and read from its beginning.
 */
export async function consumeStream(
  service: DecisionService,
  log: MessageLog,
  options: StreamOptions,
): Promise<RunningStream> {
  const { topic, onWarning, onNote } = options
  const { share = createStreamShare(SHARE_MAX), pause = pauseOnClock } = options
  const stopping = new AbortController()
  const { signal } = stopping
  const counts = { decided: 0, known: 0, refused: 0 }
  const lags = new Map<number, number>()
  const ended: Promise<void>[] = []
  let isPutOff = false

  for (const partition of await log.partitions(topic)) begin(partition)
  ended.push(findPartitions())

  function begin(partition: number): void {
    lags.set(partition, 0)
    ended.push(consumePartition(partition))
  }

  async function findPartitions(): Promise<void> {
    for (;;) {
      await pause(PARTITIONS_MS, signal)
      if (signal.aborted) return
      try {
        for (const partition of await log.partitions(topic)) {
          if (lags.has(partition)) continue
          onNote(`Partition ${partition} of ${topic} was found; it is read from its beginning.`)
          begin(partition)
        }
      } catch (error) {
        onWarning(
          `The partitions of ${topic} could not be listed; they are looked for again.`,
          error,
        )
      }
    }
  }

  async function consumePartition(partition: number): Promise<void> {
    let offset = service.namespace(options.namespace).offsets.next(topic, partition)
    const measure = async () => {
      lags.set(partition, Math.max(0, (await log.end(topic, partition)) - offset))
    }
    while (!signal.aborted) {
      try {
        const request = { topic, partition, offset, limit: BATCH, waitMs: WAIT_MS, signal }
        const messages = await log.read(request)
        await measure()
        const taken = messages.map((message, i) => {
          const from = i === 0 ? offset : messages[i - 1].offset + 1
          return takeIn(message, { topic, partition, from, offset: message.offset })
        })
        await Promise.all(taken)
        offset = (messages.at(-1)?.offset ?? offset - 1) + 1
        if (messages.length > 0) await measure()
      } catch (error) {
        if (signal.aborted) return
        onWarning(`Partition ${partition} of ${topic} could not be read; it is tried again.`, error)
        await pause(RETRY_MS, signal)
      }
    }
  }

  /** Until it has an answer: the batch is not left before. */
  async function takeIn(message: LogMessage, origin: Origin): Promise<void> {
    const { namespace, policy } = options
    for (let attempts = 1; !signal.aborted; attempts++) {
      try {
        const body = parseStrictJson(message.value, { maxBytes: BODY_BYTES_MAX })
        const { replayed } = await share.during(() =>
          service.decide({ namespace, policy, body, origin }),
        )
        goesOn()
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
          putOff(error)
          await pause(RETRY_MS, signal)
          continue
        }
        const body = Buffer.from(message.value).toString('utf8').slice(0, KEPT_CHARACTERS)
        await noteConsumed(origin, { why: 'refused', ...refusal, body })
        counts.refused++
        return
      }
    }
  }

  /** Said once, however many messages wait, and once more when they go on. */
  function putOff(error: unknown): void {
    if (!isAssayError(error)) onWarning('A message could not be decided on; again.', error)
    else if (!isPutOff && !isAssayError(error, ...BRIEF)) {
      isPutOff = true
      onWarning(
        `The messages of ${topic} wait, and are tried again until they can be decided on.`,
        error,
      )
    }
  }

  function goesOn(): void {
    if (!isPutOff) return
    isPutOff = false
    onNote(`The messages of ${topic} are decided on again.`)
  }

  function noteConsumed(
    origin: Origin,
    what: Pick<ConsumedRecord, 'why' | 'code' | 'detail' | 'body'>,
  ): Promise<void> {
    return recordConsumed(service.namespace(options.namespace), { origin, ...what })
  }

  return {
    figures: () => ({
      topic,
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

function pauseOnClock(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).catch(() => {})
}

/** For at most so many messages of all streams that are given it. */
export function createStreamShare(max: number): StreamShare {
  const waiting: (() => void)[] = []
  let underWay = 0
  return {
    async during(act) {
      if (underWay < max) underWay++
      else await new Promise<void>((enter) => waiting.push(enter))
      try {
        return await act()
      } finally {
        // Whoever waits takes the place over, so that nobody gets in between.
        const enter = waiting.shift()
        if (enter === undefined) underWay--
        else enter()
      }
    },
  }
}
