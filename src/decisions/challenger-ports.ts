// What keep knows of champion and challengers: who answered which event, and what those in shadow would
// have answered.
import type { Path } from './judge.ts'
import type { Outcome } from './policy.ts'

/** A decision by who answered it. */
export interface AnsweredEvent {
  readonly sequence: number
  readonly deployment: string
  /** Null where the champion took it. */
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

export interface ChallengerReads {
  answeredUnder(query: AnswersQuery): Promise<AnsweredEvent[]>
  shadowsUnder(query: AnswersQuery & { readonly challenger: string }): Promise<ShadowAnswer[]>
}

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
