// What keep knows of champion and challengers: who answered which event, and what those in shadow would
// have answered.
import type { Path } from './judge.ts'
import type { Outcome } from './policy.ts'

/** A decision by who answered it. */
export interface AnsweredEvent {
  readonly sequence: number
  readonly deployment: string
  /** Whose share it fell to, whether it answered or not; null for the champion's. */
  readonly challenger: string | null
  /** Names of those that were asked and did not answer. */
  readonly unanswered: readonly string[]
  /** Null where nobody answered. */
  readonly score: number | null
  readonly outcome: Outcome
  /** Receipt to decision, µs. */
  readonly latencyUs: number
  /** The label that arrived last, or null. */
  readonly label: { readonly positive: boolean; readonly arrivalTimeUs: number } | null
}

/** What a challenger in shadow would have answered, beside what was answered. */
export interface ShadowAnswer {
  readonly sequence: number
  readonly challenger: string
  readonly score: number | null
  readonly outcome: Outcome
  readonly path: Path
  readonly decision: AnsweredEvent
}

/** The newest come first, at most `limit` of them; of one namespace, under any of the deployments. */
export interface AnswersQuery {
  readonly namespace: string
  /** Hashes of published documents. */
  readonly deployments: readonly string[]
  readonly limit: number
}

/** A decision whose first label came, and what a challenger in shadow would have answered. */
export interface LabelledAnswer {
  readonly decision: AnsweredEvent
  /** As the first label had it: what is corrected later does not change a test that ran. */
  readonly positive: boolean
  /** Null where it was not asked, or did not answer. */
  readonly shadow: Outcome | null
}

/** Labels are numbered in the order in which they came, over all namespaces. */
export interface LabelledQuery {
  readonly namespace: string
  readonly deployments: readonly string[]
  /** The challenger whose answers in shadow are told. */
  readonly challenger: string
  /** Those after this number, to `through`. */
  readonly after: number
  readonly through: number
}

export interface ChallengerReads {
  /**
   * Of the newest decisions, at most `ANSWERS_REACH` of them; where `by` is given, those alone that
   * fell to that challenger, or to the champion (null).
   */
  answeredUnder(
    query: AnswersQuery & { readonly by?: string | null | undefined },
  ): Promise<AnsweredEvent[]>
  shadowsUnder(query: AnswersQuery & { readonly challenger: string }): Promise<ShadowAnswer[]>
  /** In the order in which their first labels came. */
  labelledUnder(query: LabelledQuery): Promise<LabelledAnswer[]>
  /** The number of the newest label that was the first one of a decision; 0 before there is one. */
  lastLabelled(): Promise<number>
}

/** A look at answers never goes further back, however seldom a challenger is asked. */
export const ANSWERS_REACH = 200_000

/** One shadow record as a read model keeps it. */
export interface ShadowRow {
  readonly namespace: string
  readonly sequence: number
  readonly policy: string
  readonly eventId: string
  readonly deployment: string
  readonly challenger: string
  readonly score: number | null
  readonly outcome: Outcome
  readonly path: Path
}
