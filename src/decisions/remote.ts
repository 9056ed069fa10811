// What other processes may ask of `decide`, over the local socket: JSON in, JSON out.
import type { Problem } from '../lib/errors.ts'
import type { SealedSegment } from '../lib/journal.ts'
import type { Failure } from '../data/index.ts'
import type { MarginUnit } from '../learning/index.ts'
import type { ListEntry, PausedRule, SuspendedModel } from './controls.ts'
import type { EntityQuestion, EntityValues } from './live-features.ts'
import type { ExplainedFeature, FeatureQuestion } from './feature-explanation.ts'
import type { Path } from './judge.ts'
import type { Outcome } from './policy.ts'
import type {
  DecisionRecord,
  DecisionVersions,
  JournalRecord,
  Reason,
  Sequenced,
  Timings,
  Unanswered,
} from './records.ts'
import type {
  HoldChange,
  RemovableSegment,
  RemovalRequest,
  Removed,
  StandingHold,
} from './removal.ts'

/** Whether a namespace's "now" is the machine's clock, or what a replay says. */
export type NamespaceClock = 'wall' | 'replay'

export interface NamespaceInfo {
  readonly namespace: string
  readonly clock: NamespaceClock
  /** What the source's clock says now, µs UTC; in a replay that has not begun, null. */
  readonly nowUs: number | null
  readonly lastSequence: number
  readonly decisions: number
  readonly events: number
  readonly labels: number
  /** Events of each further source that the features look at; absent before the first. */
  readonly otherEvents?: Readonly<Record<string, number>>
  readonly newestEventTimeUs: number | null
  readonly policies: readonly LivePolicy[]
  /** Hash of the base checkpoint, or null before one was loaded. */
  readonly base: string | null
}

export interface LivePolicy {
  readonly policy: string
  readonly deployment: string
  readonly sequence: number
  readonly modelName: string
  readonly modelNumber: number
}

export interface DecideStatus {
  readonly ready: boolean
  readonly startedAtUs: number
  /** How long opening journals, indexes and state took. */
  readonly recoveryMs: number
  readonly namespaces: readonly NamespaceInfo[]
  readonly inFlight: number
  readonly inFlightMax: number
  readonly shed: number
  /** Receipt to durable answer, over the last 4,096 decisions. */
  readonly latency: {
    readonly n: number
    readonly p50Us: number | null
    readonly p99Us: number | null
  }
  readonly storage: 'ok' | 'full'
}

/** The answer to one row of a batch, in the order of the rows. */
export type RowAnswer =
  | {
      readonly status: 'accepted'
      readonly eventId: string
      readonly sequence: number
      readonly late: boolean
    }
  | {
      readonly status: 'duplicate'
      readonly eventId: string
      /** Of the record that told it first: that of the base where history did. */
      readonly sequence: number
    }
  | {
      readonly status: 'refused'
      readonly eventId: string | null
      readonly code: string
      readonly detail: string
      readonly failures: readonly Failure[]
    }

/** One answer of `decideMany`: the exact answer body, or the problem document. */
export type DecideAnswer =
  | { readonly ok: true; readonly status: 200; readonly body: string; readonly replayed: boolean }
  | { readonly ok: false; readonly status: number; readonly problem: Problem }

/** A decision's answer as clients read it; see docs/guides/decisions.md. */
export interface AnswerBody {
  readonly policy: string
  readonly eventId: string
  readonly outcome: Outcome
  /** Null where no model answered. */
  readonly score: number | null
  readonly path: Path
  /** Up to four, strongest first; empty for `allow`, where `explain` makes them on demand. */
  readonly reasons: readonly {
    readonly kind: Reason['kind']
    readonly name: string
    readonly sentence: string
    readonly contribution: number | null
  }[]
  readonly rules: readonly string[]
  readonly thresholds: { readonly review: number; readonly decline: number }
  /** Who did not answer before the one that did; absent where the first one did. */
  readonly unanswered?: readonly Unanswered[]
  readonly late: boolean
  readonly namespace: string
  readonly sequence: number
  readonly eventTime: string
  readonly decidedAt: string
  readonly versions: DecisionVersions
  readonly timings: Timings
}

/**
 * What pushed a score up and down: `base` + sum of contributions = `margin`, all in `marginUnit`. Null
 * where no model answered.
 */
export interface Explanation {
  readonly marginUnit: MarginUnit
  readonly base: number | null
  readonly margin: number | null
  readonly score: number | null
  readonly outcome: Outcome
  readonly reasons: readonly Reason[]
  /** All features, strongest first. */
  readonly contributions: readonly FeatureContribution[]
  readonly rules: readonly {
    readonly name: string
    /** Null for a signal. */
    readonly then: Outcome | null
    readonly when: string
    readonly fired: boolean
    readonly reason: string
    /** Why it could not be calculated; null where it could. */
    readonly failed: string | null
  }[]
}

export interface FeatureContribution {
  readonly feature: string
  readonly value: number | null
  readonly contribution: number
  /** The feature in words with its value filled in. */
  readonly sentence: string
}

/** A decision made again from its record by the versions it names. */
export type Recomputation =
  | { readonly identical: true; readonly compared: number }
  | {
      readonly identical: false
      readonly compared: number
      readonly differences: readonly Difference[]
    }

export interface Difference {
  readonly field: string
  readonly recorded: unknown
  readonly recomputed: unknown
}

export interface StoredDecision {
  readonly record: Sequenced<DecisionRecord>
  /** The exact body that was answered. */
  readonly answer: string
  /** The names of `record.features`, in order. */
  readonly featureNames: readonly string[]
}

/** A stretch of a namespace's journal. */
export interface RecordsPage {
  readonly records: Sequenced<JournalRecord>[]
  readonly lastSequence: number
  /** Feature names of the layouts that the records use. */
  readonly layouts: Record<string, string[]>
}

/**
 * One step of a tape: at its time an event asks for a decision, a label comes home, or a row of a
 * further source comes in.
 */
export type PlayStep =
  | { readonly atUs: number; readonly event: unknown }
  | { readonly atUs: number; readonly label: unknown }
  | { readonly atUs: number; readonly source: string; readonly row: unknown }

/** The answer to one step: of the event's decision, or of the row of labels or of a source. */
export type PlayAnswer =
  | { readonly step: 'event'; readonly answer: DecideAnswer }
  | { readonly step: 'label'; readonly answer: RowAnswer }
  | { readonly step: 'row'; readonly answer: RowAnswer }

/** The rpc service `decide`. */
export interface DecideRemote {
  status(): Promise<DecideStatus>
  namespaces(): Promise<NamespaceInfo[]>
  /** Makes a namespace with its own journal, state and labels, or returns the one of that name. */
  openNamespace(request: {
    readonly namespace: string
    readonly clock: NamespaceClock
  }): Promise<NamespaceInfo>
  /** Forgets a replay's namespace and removes its files; `live` is refused. */
  removeNamespace(request: { readonly namespace: string }): Promise<void>
  /** Starts live state from a checkpoint of history (`writeBaseCheckpoint`). */
  loadBase(request: {
    /** Policies whose features the base may lack; each waits until it is deployed anew. */
    readonly supersedes?: readonly string[]
    readonly namespace: string
    readonly path: string
  }): Promise<{ sequence: number; checkpoint: string }>
  /** From the next sequence on the policy decides by this published document. */
  switchDeployment(request: {
    readonly namespace: string
    readonly deployment: string
    readonly actor: string
    readonly reason: string
  }): Promise<{ sequence: number }>
  /** Moves a replay's clock forward; it never goes back. */
  replayClock(request: { readonly namespace: string; readonly nowUs: number }): Promise<void>
  /** Plays steps in their order, the replay's clock moving with them; answers once all are on disk. */
  play(request: {
    readonly namespace: string
    readonly policy: string
    /** Name of the labels declaration. */
    readonly labels: string
    readonly author: string
    readonly steps: readonly PlayStep[]
  }): Promise<PlayAnswer[]>
  decideMany(request: {
    readonly namespace: string
    readonly policy: string
    readonly events: readonly unknown[]
  }): Promise<DecideAnswer[]>
  ingest(request: {
    readonly namespace: string
    readonly source: string
    readonly rows: readonly unknown[]
    readonly author: string
  }): Promise<RowAnswer[]>
  /** Records after a sequence, in order; waits up to `waitMs` for the first when there is none. */
  records(request: {
    readonly namespace: string
    readonly after: number
    readonly limit: number
    readonly waitMs?: number | undefined
  }): Promise<RecordsPage>
  decision(request: DecisionKey): Promise<StoredDecision>
  explain(request: DecisionKey): Promise<Explanation>
  recompute(request: DecisionKey): Promise<Recomputation>
  /** The feature values that an event would get now, without entering state. */
  liveFeatures(request: {
    readonly namespace: string
    readonly policy: string
    readonly event: unknown
  }): Promise<{ names: string[]; values: (number | null)[] }>
  /** Why a feature of an entity has its present value: its windows and the events within. */
  explainFeature(
    request: FeatureQuestion & { readonly namespace: string },
  ): Promise<ExplainedFeature>
  /** The present features of entities, without an event. */
  liveValues(request: EntityQuestion & { readonly namespace: string }): Promise<EntityValues>
  /** The segments of the journal that will not change any more, for the audit log. */
  sealed(request: { readonly namespace: string }): Promise<SealedSegment[]>
  /** A published deployment document, for pages that show its features or rules. */
  deployment(request: { readonly deployment: string }): Promise<unknown>
  /** Puts values on a list, or takes them off it; answers once it is on disk. */
  changeList(request: ListChange & { readonly namespace: string }): Promise<{ sequence: number }>
  /** Pauses a rule, or lets it go on, from the next decision on. */
  changeRule(request: RuleChange & { readonly namespace: string }): Promise<{ sequence: number }>
  /** Suspends a policy's champion, or has it asked again, from the next decision on. */
  changeModel(request: ModelChange & { readonly namespace: string }): Promise<{ sequence: number }>
  listEntries(request: {
    readonly namespace: string
    readonly list: string
  }): Promise<readonly ListEntry[]>
  /** What people have changed of a policy: its paused rules, and its model where it is suspended. */
  controls(request: {
    readonly namespace: string
    readonly policy: string
  }): Promise<{ readonly paused: readonly PausedRule[]; readonly suspended: SuspendedModel | null }>
  /**
   * Sealed segments of which every record was received before a time: what `removeRecords` may be asked
   * for, and which hold keeps it.
   */
  removable(request: {
    readonly namespace: string
    readonly beforeUs: number
  }): Promise<RemovableSegment[]>
  /**
   * Removes the records of segments for good; their keys and events stay. Whoever asks sees to it that
   * all who follow the journal have passed them. Error: `removal_invalid`.
   */
  removeRecords(request: RemovalRequest & { readonly namespace: string }): Promise<Removed>
  /** Periods of receipt of which nothing is removed. */
  holds(request: { readonly namespace: string }): Promise<StandingHold[]>
  /** Error: `decision_hold_invalid`. */
  changeHold(request: HoldChange & { readonly namespace: string }): Promise<{ sequence: number }>
  /** Writes state checkpoints now; for tests and before a planned stop. */
  checkpoint(request: { readonly namespace: string }): Promise<void>
}

export interface ListChange {
  readonly list: string
  readonly change: 'add' | 'remove'
  /** As text, as the list's column has them. */
  readonly values: readonly string[]
  /** Until when the values are on the list, by the source's clock, µs UTC; null for good. */
  readonly untilUs: number | null
  readonly actor: string
  readonly reason: string
}

export interface RuleChange {
  readonly policy: string
  readonly rule: string
  readonly change: 'pause' | 'resume'
  readonly actor: string
  readonly reason: string
}

export interface ModelChange {
  readonly policy: string
  readonly change: 'suspend' | 'resume'
  readonly actor: string
  readonly reason: string
}

export interface DecisionKey {
  readonly namespace: string
  readonly policy: string
  readonly eventId: string
}
