// What the room needs from outside: an index of ids beside the journal (decide's), and the read
// model that keep builds from the journal's records (decisions, labels, cases).
import type { CaseGroupStore } from './case-ports.ts'
import type { ChallengerReads, ShadowRow } from './challenger-ports.ts'
import type { FailingRule, FailingRulesQuery, RuleFailures } from './failing-rules.ts'
import type { Outcome } from './policy.ts'
import type { Sequenced, Unanswered } from './records.ts'

/** Where a key stands in the journal, and the hash of the body that was given with it. */
export interface IndexEntry {
  readonly sequence: number
  readonly bodyHash: string
}

export interface IndexWrite extends IndexEntry {
  readonly key: string
}

/**
 * Finds journal records by key: those that `keysOf` derives from each record. Derived from the journal:
 * it may lag behind (`through`), and is rebuilt rather than migrated. What `put` acknowledged survives a crash, together with `through`.
 */
export interface DecisionIndex {
  /** The last journal sequence whose keys are in the index, 0 when it is empty. */
  through(): number
  get(key: string): IndexEntry | undefined
  /** Adds keys and moves `through` in one step. A key that exists keeps its first entry unless `replace`. */
  put(
    writes: readonly (IndexWrite & { readonly replace?: boolean })[],
    through: number,
  ): Promise<void> | undefined
  clear(): Promise<void>
  close(): Promise<void>
}

/** By which a decision without a score is sorted: below all others. */
export const NO_SCORE = -1

/** One decision as the page lists it. Times in µs UTC, money in minor units, latencies in µs. */
export interface DecisionRow {
  readonly namespace: string
  readonly sequence: number
  readonly policy: string
  readonly source: string
  readonly eventId: string
  readonly eventTimeUs: number
  readonly receivedAtUs: number
  /** The source's clock when it was decided; differs from `receivedAtUs` in a replay. */
  readonly clockUs: number
  /** The key columns of the contract, by declared name, as text. */
  readonly keys: Readonly<Record<string, string>>
  readonly amountMinor: number | null
  readonly currency: string | null
  /** Null where no model answered. */
  readonly score: number | null
  readonly outcome: Outcome
  readonly mainReason: string | null
  readonly rules: readonly string[]
  readonly late: boolean
  readonly deployment: string
  readonly policyVersion: string
  readonly modelVersion: string
  readonly modelName: string
  readonly modelNumber: number
  readonly latencyUs: number
  /** The challenger that took it; absent where the champion did. */
  readonly challenger?: string
  /** Who did not answer before the one that did, and why; absent where the first one did. */
  readonly unanswered?: readonly Unanswered[]
  /** The label that arrived last, or null. */
  readonly label: CurrentLabel | null
}

export interface CurrentLabel {
  readonly value: string
  readonly positive: boolean
  readonly arrivalTimeUs: number
  readonly author: string
}

/** One label as it arrived; all are kept. */
export interface LabelRow extends CurrentLabel {
  readonly namespace: string
  readonly sequence: number
  /** The name of the labels declaration, and of the source whose events it labels. */
  readonly source: string
  readonly of: string
  readonly eventId: string
}

/** A deployment as it took effect. */
export interface DeploymentRow {
  readonly namespace: string
  readonly sequence: number
  readonly policy: string
  readonly deployment: string
  readonly actor: string
  readonly reason: string
  readonly atUs: number
}

export type CaseStatus = 'open' | 'closed'
export type Verdict = 'fraud' | 'genuine' | 'unsure'

/** A decision that a person is asked to look at; one for every outcome `review`. */
export interface CaseRow {
  /** Namespace, policy and event id, percent-encoded and joined by "~". */
  readonly id: string
  readonly namespace: string
  readonly policy: string
  readonly eventId: string
  readonly sequence: number
  readonly openedAtUs: number
  readonly score: number | null
  readonly amountMinor: number | null
  readonly status: CaseStatus
  readonly verdict: Verdict | null
  /** Identity id of who gave the verdict. */
  readonly by: string | null
  readonly atUs: number | null
  readonly reason: string | null
  /** Whether the verdict replaced an earlier one that had become a label. */
  readonly corrected: boolean
  /** When the verdict may leave as a label; until then it can be undone. Null when nothing is due. */
  readonly labelDueUs: number | null
  /** Why it was opened: the outcome `review`, or a person's wish with their reason. */
  readonly openedBecause: string
}

/**
 * What happened to an alert (up to `label-refused`, which says in its reason why the verdict did not
 * become a label) or to the case that it is in. A verdict is `proposed` where a second person must
 * say yes; then it is `confirmed`, `turned-down` or `withdrawn`.
 */
export type CaseAction =
  | 'verdict'
  | 'undo'
  | 'correct'
  | 'label-sent'
  | 'label-refused'
  | 'assigned'
  | 'released'
  | 'note'
  | 'proposed'
  | 'confirmed'
  | 'turned-down'
  | 'withdrawn'

export interface CaseEvent {
  readonly caseId: string
  readonly atUs: number
  readonly by: string
  readonly action: CaseAction
  readonly verdict: Verdict | null
  readonly reason: string | null
  /** Who has the case from now on, where it was assigned. */
  readonly to?: string
}

/** What one journal record means to the read model; made by `projectRecord`, the same for every store. */
export type ProjectionChange =
  | {
      readonly kind: 'decision'
      readonly row: DecisionRow
      readonly opensCase: CaseRow | null
      readonly failures: readonly RuleFailures[]
    }
  | { readonly kind: 'label'; readonly row: LabelRow }
  | { readonly kind: 'deployment'; readonly row: DeploymentRow }
  | { readonly kind: 'shadow'; readonly row: ShadowRow }

/** Takes records in order and remembers how far it came, in the same transaction. */
export interface ProjectionSink {
  /** The last sequence applied for the namespace, 0 at first. */
  position(namespace: string): Promise<number>
  /** Applies records after `position` and moves it to `through`; a record at or before it is skipped. */
  apply(batch: ProjectionBatch): Promise<void>
}

export interface ProjectionBatch {
  readonly namespace: string
  readonly records: readonly Sequenced[]
  readonly through: number
  /** The names of the features in the layouts that the records use. */
  readonly layouts: Readonly<Record<string, readonly string[]>>
}

/** Filters shared by lists, counts and neighbours; every one that is given must hold. */
export interface DecisionFilter {
  readonly namespace: string
  readonly policy?: string | undefined
  readonly outcomes?: readonly Outcome[] | undefined
  /** Event time, from inclusive, until exclusive. */
  readonly fromUs?: number | undefined
  readonly untilUs?: number | undefined
  /** Anywhere in event id, names of fired rules or main reason; case does not matter. */
  readonly text?: string | undefined
  /** Key columns by declared name, matched whole. */
  readonly keys?: Readonly<Record<string, string>> | undefined
  readonly rule?: string | undefined
  readonly scoreMin?: number | undefined
  /** Minor units, inclusive. */
  readonly amountMinorMin?: number | undefined
  readonly amountMinorMax?: number | undefined
  readonly label?: LabelState | undefined
  readonly late?: boolean | undefined
}

/** Newest and oldest go by (event time, sequence); score and amount descend, then newest. */
export type DecisionOrder = 'newest' | 'oldest' | 'score' | 'amount'

export interface DecisionQuery extends DecisionFilter {
  readonly order?: DecisionOrder | undefined
  /** At most 1,000; default 100. */
  readonly limit?: number | undefined
  /** The `next` of the page before. */
  readonly after?: string | undefined
}

export interface DecisionPage {
  readonly rows: readonly DecisionRow[]
  /** Give it as `after` to continue; null at the end. */
  readonly next: string | null
}

export interface DecisionRange {
  readonly namespace: string
  readonly policy?: string | undefined
  readonly fromUs: number
  readonly untilUs: number
}

export type LabelState = 'positive' | 'negative' | 'none'

/** Decisions of one outcome and one label so far, in one interval of event time. */
export interface OutcomeBucket {
  readonly startUs: number
  readonly outcome: Outcome
  readonly label: LabelState
  readonly n: number
  /** Sum of the events' amounts, minor units of the policy's one currency. */
  readonly amountMinor: number
}

export interface LatencyBucket {
  readonly startUs: number
  readonly n: number
  readonly p50Us: number
  readonly p99Us: number
}

/** Decisions in the order in which keep heard of them, whatever their namespace. */
export interface ArrivedPage {
  /** Oldest first. */
  readonly rows: readonly DecisionRow[]
  /** Give it as `after` to go on; the store's own, and lost when the store is built anew. */
  readonly place: number
  /** False where older ones had to be left out. */
  readonly isWhole: boolean
}

/** The decisions that keep has heard of. */
export interface DecisionStore extends ProjectionSink {
  /** The newest `limit` of those that were heard of after a place; without one, of all. */
  arrived(query: {
    readonly after?: number | undefined
    readonly limit: number
  }): Promise<ArrivedPage>
  get(namespace: string, policy: string, eventId: string): Promise<DecisionRow | undefined>
  query(query: DecisionQuery): Promise<DecisionPage>
  count(filter: DecisionFilter): Promise<number>
  /** The decisions before and after one by (event time, sequence), within a filter. */
  neighbours(
    filter: DecisionFilter,
    of: Pick<DecisionRow, 'eventTimeUs' | 'sequence'>,
  ): Promise<{ newer: DecisionRow | null; older: DecisionRow | null }>
  /** Sums by outcome, label and interval of `bucketUs` (aligned to the epoch); empty ones are left out. */
  outcomesOver(range: DecisionRange & { readonly bucketUs: number }): Promise<OutcomeBucket[]>
  /** Scores and labels of labelled decisions that have a score, for live precision, recall and ranking figures. */
  labelledScores(
    range: DecisionRange & { readonly limit: number },
  ): Promise<{ score: number; positive: boolean; outcome: Outcome }[]>
  /** Quantiles of `latencyUs` by nearest rank in each interval; empty ones are left out. */
  latencyOver(range: DecisionRange & { readonly bucketUs: number }): Promise<LatencyBucket[]>
  /** Rules that failed on events, the most frequent first. */
  failingRules(query: FailingRulesQuery): Promise<FailingRule[]>
  /** All labels of an event of a source, in order of sequence. */
  labels(namespace: string, source: string, eventId: string): Promise<LabelRow[]>
  deployments(namespace: string): Promise<DeploymentRow[]>
  namespaces(): Promise<
    { namespace: string; decisions: number; newestEventTimeUs: number | null }[]
  >
}

export interface CaseQuery {
  readonly namespace: string
  readonly policy?: string | undefined
  readonly status?: CaseStatus | undefined
  readonly verdict?: Verdict | undefined
  /** Filters on the decision behind the case. */
  readonly text?: string | undefined
  readonly keys?: Readonly<Record<string, string>> | undefined
  readonly order?: 'score' | 'newest' | 'oldest' | 'amount' | undefined
  readonly limit?: number | undefined
  readonly after?: string | undefined
}

export interface CaseWithDecision {
  readonly case: CaseRow
  readonly decision: DecisionRow
}

/** The review queue. Cases are opened by the projection and moved on by people through `CaseDesk`. */
export interface CaseStore {
  case(id: string): Promise<CaseWithDecision | undefined>
  cases(query: CaseQuery): Promise<{ rows: CaseWithDecision[]; next: string | null; total: number }>
  /** Open and closed cases, verdicts given since `sinceUs`, and when the oldest open one was opened. */
  caseFigures(
    namespace: string,
    sinceUs: number,
  ): Promise<{ open: number; closed: number; closedSince: number; oldestOpenedAtUs: number | null }>
  /** Opens a case that the projection did not; false where there is one already. */
  insertCase(row: CaseRow): Promise<boolean>
  caseHistory(caseId: string): Promise<CaseEvent[]>
  /** Replaces the case if it still is what `expected` says (status, verdict, atUs, labelDueUs), and adds to its history. */
  updateCase(expected: CaseRow, next: CaseRow, event: CaseEvent | null): Promise<boolean>
  /** Closed cases whose label is due at `nowUs`, oldest first. */
  dueLabels(nowUs: number, limit: number): Promise<CaseRow[]>
}

/** One object that projects and answers both; `adapters/sqlite` and the in-memory version implement it. */
export interface DecisionReadModel
  extends DecisionStore, CaseStore, CaseGroupStore, ChallengerReads {}
