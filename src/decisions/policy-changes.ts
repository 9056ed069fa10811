// What people order of a policy that decides: entries of lists, pauses of rules, and drafts of what it
// is to become. Kept with who and why, so that nothing is in force that nobody answers for.
import type { CompiledPolicy, Outcome } from './policy.ts'

/** Who did something, when and why. */
export interface Act {
  readonly actorId: string
  readonly actorName: string
  readonly reason: string
  readonly atUs: number
}

export type ChangeOf =
  | {
      readonly kind: 'list'
      readonly list: string
      readonly change: 'add' | 'remove'
      readonly values: readonly string[]
      /** By the source's clock, µs UTC; null for good. */
      readonly untilUs: number | null
    }
  | {
      readonly kind: 'rule'
      readonly policy: string
      readonly rule: string
      readonly change: 'pause' | 'resume'
    }

/**
 * An order to what decides. It is kept, and audited, before it is told: `proposed` waits for another
 * person, `ordered` is in force and not told yet, `failed` could not be carried out.
 */
export interface PolicyChange extends Act {
  readonly id: string
  readonly of: ChangeOf
  readonly state: 'proposed' | 'ordered' | 'told' | 'failed' | 'withdrawn'
  /** The second person, where two are needed. */
  readonly confirmed?: Act
  readonly detail?: string
}

export type DraftState =
  | 'draft'
  | 'shadow'
  | 'proposed'
  | 'approved'
  | 'live'
  | 'superseded'
  | 'refused'
  | 'withdrawn'

/** Why nobody can speak of a draft in this state. */
export const notProposed: Readonly<Record<Exclude<DraftState, 'proposed'>, string>> = {
  draft: 'It is not proposed yet.',
  shadow: 'It is in shadow and not proposed yet.',
  approved: 'It is approved already.',
  live: 'It is live.',
  superseded: 'Another has taken its place.',
  refused: 'It was refused.',
  withdrawn: 'It was withdrawn.',
}

/** An example of what a policy must answer. */
export interface RuleTest {
  readonly name: string
  /** By column of the source, as its contract holds them: money in minor units. */
  readonly event: Readonly<Record<string, string | number>>
  /** Those left out are missing. */
  readonly features: Readonly<Record<string, number>>
  /** Null: no model answers. */
  readonly score: number | null
  /** Lists on which the event's value is. */
  readonly listed: readonly string[]
  readonly expect: {
    readonly outcome?: Outcome | undefined
    /** All rules that fire, in any order. */
    readonly rules?: readonly string[] | undefined
  }
}

export interface RuleTestResult {
  readonly name: string
  readonly passed: boolean
  readonly outcome: Outcome
  readonly rules: readonly string[]
  /** What differs, in words. */
  readonly sentence: string
}

/** What was known of a draft when it was proposed. */
export interface DraftEvidence {
  readonly kind: 'trial' | 'backtest'
  readonly hash: string
  /** The version that was tried. */
  readonly version: string
  readonly sentence: string
}

export interface DraftVerdict extends Act {
  readonly verdict: 'approve' | 'refuse'
  readonly binds: string
}

/** One step of a draft's story; `changes` are sentences. */
export interface DraftStep extends Act {
  readonly act: string
  readonly version: string
  readonly changes: readonly string[]
}

export interface KeptDraft {
  readonly id: string
  readonly policy: string
  readonly state: DraftState
  readonly body: CompiledPolicy
  /** What was live when it was written; a draft says what it changes of it. */
  readonly base: CompiledPolicy
  readonly tests: readonly RuleTest[]
  readonly results: readonly RuleTestResult[]
  /** Ids of all who wrote it; none of them approves it. */
  readonly authors: readonly string[]
  readonly evidence: DraftEvidence | null
  readonly verdicts: readonly DraftVerdict[]
  /** The policy that runs the changed rules in shadow; null where they do not run. */
  readonly shadow: CompiledPolicy | null
  readonly history: readonly DraftStep[]
  readonly createdAtUs: number
  readonly updatedAtUs: number
}

/** Which drafts of a policy; all that is said has to hold. */
export interface DraftQuery {
  readonly policy: string
  readonly states?: readonly DraftState[]
  /** Of the policy that the draft would become. */
  readonly version?: string
  /** Only those whose rules run in shadow. */
  readonly inShadow?: true
  readonly limit: number
}

/** Orders and drafts. Orders are kept in the order in which they were given. */
export interface PolicyStore {
  /** Inserts, or replaces the one of that id where it stands. */
  saveChange(change: PolicyChange): Promise<void>
  change(id: string): Promise<PolicyChange | undefined>
  /** Those of one state, oldest first. */
  changesIn(state: PolicyChange['state'], limit: number): Promise<PolicyChange[]>
  /** Newest first. `of` is the name of a list, or `policy/rule`. */
  changes(query: { readonly of?: string; readonly limit: number }): Promise<PolicyChange[]>

  saveDraft(draft: KeptDraft): Promise<void>
  draft(id: string): Promise<KeptDraft | undefined>
  /** Of a policy, newest first. */
  drafts(query: DraftQuery): Promise<KeptDraft[]>
  /** Those of one state, of every policy, oldest first. */
  draftsIn(state: DraftState, limit: number): Promise<KeptDraft[]>
}

/** The name under which an order is looked up. */
export function changedObject(of: ChangeOf): string {
  return of.kind === 'list' ? of.list : `${of.policy}/${of.rule}`
}
