// The core of the decide process: namespaces, each with its own journal, state and index, behind one
// sequencing thread.
import type { Clock } from '../lib/clock.ts'
import type { FileSystem } from '../lib/files.ts'
import type { SealedSegment } from '../lib/journal.ts'
import type { DeploymentFiles } from './deployed.ts'
import type { DecisionIndex } from './ports.ts'
import type { NamespaceInfo, RowAnswer, DecideStatus, NamespaceClock } from './remote.ts'
import type { Namespace } from './namespace.ts'

export interface DecisionServiceOptions {
  /** Holds a folder for each namespace: journal, state, index. */
  readonly directory: string
  readonly files: FileSystem
  readonly clock: Clock
  readonly deployments: DeploymentFiles
  /** Opens the index of a namespace in a folder of its own (adapters/lmdb). */
  readonly openIndex: (directory: string) => Promise<DecisionIndex>
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

/** What an HTTP door needs of a decision: the exact bytes, and whether they had been given before. */
export interface Decided {
  readonly body: string
  readonly replayed: boolean
}

export interface DecisionService {
  /** Decides on one event. Throws an AssayError for every refusal; refusals keep no key. */
  decide(request: { readonly namespace: string; readonly policy: string; readonly body: unknown }): Promise<Decided>
  /** Feeds rows of a source or of labels, without deciding; one answer a row, once all are on disk. */
  ingest(request: { readonly namespace: string; readonly source: string; readonly rows: readonly unknown[]; readonly author: string }): Promise<RowAnswer[]>
  namespace(name: string): Namespace
  namespaces(): NamespaceInfo[]
  openNamespace(name: string, clock: NamespaceClock): Promise<NamespaceInfo>
  removeNamespace(name: string): Promise<void>
  status(): DecideStatus
  metrics(): DecideMetrics
  /** False while more is waiting than may: a door can refuse before it reads a body. */
  hasRoom(): boolean
  /** Refuses new work from now on, waits for what is on its way, writes checkpoints and closes. */
  close(): Promise<void>
}

/** Figures since the start, for `/metrics`. */
export interface DecideMetrics {
  readonly decisions: Readonly<Record<string, number>>
  readonly replayed: number
  readonly refused: Readonly<Record<string, number>>
  readonly events: number
  readonly labels: number
  /** Receipt to durable answer. */
  readonly latency: HistogramFigures
  /** Append to durable. */
  readonly durable: HistogramFigures
}

/** Cumulative counts by upper bound, in microseconds, the last one without a bound. */
export interface HistogramFigures {
  readonly boundsUs: readonly number[]
  readonly counts: readonly number[]
  readonly sumUs: number
}
