// The core of the decide process: namespaces, each with its own journal, state and index, behind one
// sequencing thread.
import * as path from 'node:path'
import type { OnlineFeedStatistics } from '../features/index.ts'
import { monotonicUs } from '../lib/clock.ts'
import type { Clock } from '../lib/clock.ts'
import type { FileSystem } from '../lib/files.ts'
import type { SealedSegment } from '../lib/journal.ts'
import { decideOn } from './deciding.ts'
import type { DeploymentFiles } from './deployed.ts'
import { decisionErrors } from './errors.ts'
import { ingestRows } from './ingesting.ts'
import { createMeter } from './meter.ts'
import type { DecideMetrics } from './meter.ts'
import { indexNow, namespaceInfo, openNamespace } from './namespace.ts'
import type { OnlineStore } from './online.ts'
import type { OutsideModels } from './outside.ts'
import type { Outcome } from './policy.ts'
import type { DecisionIndex } from './ports.ts'
import type { Origin, Unanswered } from './records.ts'
import type { NamespaceInfo, RowAnswer, DecideStatus, NamespaceClock } from './remote.ts'
import type { Namespace, StateMemory } from './namespace.ts'
import { checkpointNow } from './recovery.ts'
import { createShadows, type ShadowCounts } from './shadows.ts'
import { createTurns } from './turns.ts'

export interface DecisionServiceOptions {
  /** Holds a folder for each namespace: journal, state, index. */
  readonly directory: string
  readonly files: FileSystem
  readonly clock: Clock
  readonly deployments: DeploymentFiles
  /** Opens the index of a namespace in a folder of its own (adapters/lmdb). */
  readonly openIndex: (directory: string) => Promise<DecisionIndex>
  /** Without one, live state takes what memory it needs. */
  readonly stateMemory?: StateMemory | undefined
  /** The folder in which bases are made, from which a lost one can be put back. */
  readonly bases?: string | undefined
  /** Where the newest values of entities are kept up for other programs; without one they are not. */
  readonly online?: OnlineStore | undefined
  /** Asks models that are computed elsewhere; without one they never answer. */
  readonly outsideModels?: OutsideModels | undefined
  /** Removes a namespace's folder with everything in it. */
  readonly removeDirectory: (directory: string) => Promise<void>
  /** Decisions that may wait for the disk at once; beyond it `too_many_in_flight`. Default 512. */
  readonly inFlightMax?: number | undefined
  /** State is written to disk after this many records. Default 20,000. */
  readonly checkpointEvery?: number | undefined
  readonly segmentBytes?: number | undefined
  /** Told of every journal segment that will not change any more. */
  readonly onSealed?: ((namespace: string, segment: SealedSegment) => void) | undefined
  /** Told when a journal failed for good; the process must end, a restart recovers. */
  readonly onFatal: (error: Error) => void
  /** Told what went wrong beside the answers: a checkpoint that could not be written, say. */
  readonly onWarning?: ((message: string, error: unknown) => void) | undefined
}

/** What a door needs of a decision: the exact bytes, and whether they had been given before. */
export type Decided =
  | {
      readonly replayed: false
      readonly body: string
      readonly outcome: Outcome
      /** Rules that could not be evaluated; absent where all could. */
      readonly rulesFailed?: readonly string[]
      /** Models that were asked in vain; absent where the first one answered. */
      readonly unanswered?: readonly Unanswered[]
    }
  | { readonly replayed: true; readonly body: string; readonly outcome?: undefined }

export interface DecisionService {
  /** Decides on one event. Throws an AssayError for every refusal; refusals keep no key. */
  decide(request: {
    readonly namespace: string
    readonly policy: string
    readonly body: unknown
    /** The message of a log that asks. */
    readonly origin?: Origin | undefined
  }): Promise<Decided>
  /**
   * Feeds rows of a source or of labels, without deciding; one answer a row, once all are on disk. Errors
   * of the whole: `source_not_found`, `batch_too_large`, `draining`, `too_many_in_flight`.
   */
  ingest(request: {
    readonly namespace: string
    readonly source: string
    readonly rows: readonly unknown[]
    readonly author: string
  }): Promise<RowAnswer[]>
  /** Error: `namespace_not_found`. */
  namespace(name: string): Namespace
  namespaces(): NamespaceInfo[]
  /** Makes it where there is none; one that is there keeps its clock. Error: `namespace_invalid`. */
  openNamespace(name: string, clock: NamespaceClock): Promise<NamespaceInfo>
  /** Removes a replay with its files. Errors: `namespace_not_found`, `namespace_invalid` for `live`. */
  removeNamespace(name: string): Promise<void>
  status(): DecideStatus
  metrics(): DecideMetrics & {
    /** How many rules are paused now, by policy; of the live namespace. */
    readonly rulesPaused: Readonly<Record<string, number>>
    /** What became of the questions to challengers in shadow; of the live namespace. */
    readonly shadows: Readonly<ShadowCounts>
  }
  /** How the copies for other programs go, by namespace; empty where none is kept. */
  onlineCopies(): Record<string, OnlineFeedStatistics>
  /**
   * False while more is waiting than may, or for longer than may be: a door asks once a request, and
   * refuses before it reads a body.
   */
  hasRoom(): boolean
  /** Refuses new work from now on, waits for what is on its way, writes checkpoints and closes. */
  close(): Promise<void>
}

function workedUs(): number {
  const { user, system } = process.threadCpuUsage()
  return user + system
}

function idledUs(): number {
  return performance.eventLoopUtilization().idle * 1000
}

/** Whether the disk, or a defect, keeps records from being written. */
const isBroken = ({ pause }: Namespace) => pause !== undefined && pause.isLoading !== true

const IN_FLIGHT_MAX = 512
const CHECKPOINT_EVERY = 20_000
const NAMESPACE_NAME = /^[a-z0-9][a-z0-9-]{0,39}$/

/**
 * Opens all namespaces in the directory, brings their state up to their journals, and is ready to
 * decide. `live` always exists once it was opened.
 */
export async function openDecisionService(
  options: DecisionServiceOptions,
): Promise<DecisionService> {
  const startedAtUs = options.clock.nowUs()
  const begunUs = monotonicUs()
  const opened = new Map<string, Namespace>()
  await options.files.makeDirectory(options.directory)
  for (const file of await options.files.list(options.directory)) {
    const name = path.basename(file, '.json')
    if (file.endsWith('.json')) opened.set(name, await open(options, name, 'wall'))
  }
  const recoveryMs = Math.round((monotonicUs() - begunUs) / 1000)
  return createService(options, opened, { startedAtUs, recoveryMs })
}

function open(
  options: DecisionServiceOptions,
  name: string,
  clockKind: NamespaceClock,
): Promise<Namespace> {
  const { files, clock, deployments, openIndex, segmentBytes } = options
  return openNamespace({
    name,
    directory: path.join(options.directory, name),
    clockKind,
    files,
    clock,
    deployments,
    openIndex,
    outsideModels: options.outsideModels,
    stateMemory: options.stateMemory,
    bases: options.bases,
    online: options.online,
    checkpointEvery: options.checkpointEvery ?? CHECKPOINT_EVERY,
    segmentBytes,
    onSealed: (segment) => options.onSealed?.(name, segment),
    onFatal: options.onFatal,
    onWarning: (message, error) => options.onWarning?.(message, error),
  })
}

interface Start {
  readonly startedAtUs: number
  readonly recoveryMs: number
}

function createService(
  options: DecisionServiceOptions,
  opened: Map<string, Namespace>,
  start: Start,
): DecisionService {
  const inFlightMax = options.inFlightMax ?? IN_FLIGHT_MAX
  const meter = createMeter()
  const turns = createTurns({ workedUs, idledUs, atEnd: setImmediate })
  const opening = new Map<string, Promise<Namespace>>()
  let inFlight = 0
  let draining = false

  function namespace(name: string): Namespace {
    const found = opened.get(name)
    if (found !== undefined) return found
    const names = [...opened.keys()].join(', ') || 'none'
    throw decisionErrors.namespace_not_found(
      `There is no namespace "${name}"; there are: ${names}.`,
    )
  }

  /** Runs work that may add to the journal, within bounds, and counts it. */
  async function admitted<T>(work: () => Promise<T>): Promise<T> {
    if (draining) {
      throw decisionErrors.draining('The service is stopping.', { extra: { retryAfter: 2 } })
    }
    if (inFlight >= inFlightMax) {
      meter.shed++
      throw decisionErrors.too_many_in_flight(`${inFlight} requests are waiting for the disk.`, {
        extra: { retryAfter: 1 },
      })
    }
    inFlight++
    try {
      return await work()
    } catch (error) {
      meter.refuse(error)
      throw error
    } finally {
      inFlight--
    }
  }

  async function discard(removed: Namespace): Promise<void> {
    opened.delete(removed.name)
    await removed.online?.forget()
    await closeNamespace(removed)
    await options.files.remove(`${removed.directory}.json`)
    await options.removeDirectory(removed.directory)
  }

  async function openNamed(name: string, clock: NamespaceClock): Promise<NamespaceInfo> {
    if (!NAMESPACE_NAME.test(name)) {
      throw decisionErrors.namespace_invalid(`"${name.slice(0, 60)}" is no name for a namespace.`)
    }
    const known = opened.get(name)
    // Nothing happened in it yet, so it may still run on another clock.
    if (known !== undefined && known.clockKind !== clock && known.journal.lastSequence === 0) {
      await discard(known)
    }
    if (!opened.has(name)) {
      const begun = opening.get(name) ?? open(options, name, clock)
      opening.set(name, begun)
      try {
        opened.set(name, await begun)
      } finally {
        opening.delete(name)
      }
    }
    return namespaceInfo(namespace(name))
  }

  async function closeNamespace(each: Namespace): Promise<void> {
    await each.journal.flush().catch(() => undefined)
    if (each.pause === undefined && each.sinceCheckpoint > 0) {
      await checkpointNow(each).catch((error: unknown) => {
        options.onWarning?.('The last checkpoint was not written; the journal replaces it.', error)
      })
    }
    await each.online?.stop()
    clearTimeout(each.indexTimer)
    each.isClosing = true
    await each.indexing
    await indexNow(each)
    await each.journal.close().catch(() => undefined)
    await each.memory?.cold.close()
    await each.index.close()
  }

  return {
    namespace,
    namespaces: () => [...opened.values()].map(namespaceInfo),
    openNamespace: openNamed,
    hasRoom() {
      // While it stops, whoever asks hears that instead.
      if (draining || (inFlight < inFlightMax && !turns.isOver())) return true
      meter.shed++
      return false
    },
    async removeNamespace(name) {
      if (name === 'live') {
        throw decisionErrors.namespace_invalid('The namespace "live" is never removed.')
      }
      await discard(namespace(name))
    },
    decide: ({ namespace: name, policy, body, origin }) =>
      admitted(async () => {
        const begunUs = monotonicUs()
        const within = namespace(name)
        const decided = await decideOn(within, policy, body, origin)
        meter.decided(decided, monotonicUs() - begunUs)
        considerCheckpoint(within)
        return decided
      }),
    ingest: ({ namespace: name, source, rows, author }) =>
      admitted(async () => {
        const within = namespace(name)
        const answers = await ingestRows(within, source, rows, author)
        meter.ingested(answers, within.labels.has(source))
        considerCheckpoint(within)
        return answers
      }),
    status() {
      const namespaces = [...opened.values()]
      return {
        ready: !draining && namespaces.some(({ policies }) => policies.size > 0),
        ...start,
        namespaces: namespaces.map(namespaceInfo),
        inFlight,
        inFlightMax,
        shed: meter.shed,
        latency: meter.latencyNow(),
        storage: namespaces.some(isBroken) ? 'full' : 'ok',
      }
    },
    metrics: () => {
      const live = opened.get('live')
      const paused = [...(live?.policies.keys() ?? [])].map((policy) => {
        return [policy, live?.controls.pausedRules(policy).size ?? 0] as const
      })
      const { counts } = live?.shadows ?? createShadows()
      return {
        ...meter.figures(),
        rulesPaused: Object.fromEntries(paused),
        shadows: { ...counts },
      }
    },
    onlineCopies: () =>
      Object.fromEntries(
        [...opened.values()].flatMap(({ name, online }) =>
          online === undefined ? [] : [[name, online.statistics()]],
        ),
      ),
    async close() {
      draining = true
      while (inFlight > 0) await new Promise((resolve) => setTimeout(resolve, 5))
      for (const each of opened.values()) await closeNamespace(each)
    },
  }

  function considerCheckpoint(within: Namespace): void {
    const { sinceCheckpoint, checkpointing } = within
    if (sinceCheckpoint < within.options.checkpointEvery || checkpointing !== undefined) return
    checkpointNow(within).catch((error: unknown) => {
      options.onWarning?.('A checkpoint was not written; it is tried again later.', error)
    })
  }
}
