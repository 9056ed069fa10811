import type { ModelCard } from './card-schema.ts'

/** A measured value with its confidence interval where one is known, and its number of cases. */
export interface EvidenceMetric {
  readonly value: number
  readonly low?: number | undefined
  readonly high?: number | undefined
  readonly n?: number | undefined
}

/**
 * Candidate against champion: both re-scored on the candidate's test rows. `difference` is
 * candidate − champion in the metric's own units; `low` and `high` are the two-sided interval of
 * the paired bootstrap at `confidence`.
 */
export interface ChampionComparison {
  readonly model: string
  readonly version: number
  readonly versionHash: string
  readonly metric: string
  readonly candidate: number
  readonly champion: number
  readonly difference: number
  readonly low: number
  readonly high: number
  readonly confidence: number
  readonly rows: number
}

/** The decision policy that the version will answer for. */
export interface EvidencePolicy {
  readonly name: string
  /** Content hash of the compiled decision policy, rules included. */
  readonly hash: string
  readonly thresholds: Readonly<Record<string, number>>
}

/** All that a gate looks at. Its content hash is bound by every approval. */
export interface Evidence {
  readonly model: string
  readonly version: number
  /** `ModelVersion.hash` of the registry. */
  readonly versionHash: string
  /** Measured on rows that neither training nor tuning saw. */
  readonly metrics: Readonly<Record<string, EvidenceMetric>>
  /** Content hashes of the test rows: snapshot, split. */
  readonly measuredOn: Readonly<Record<string, string>>
  /** Missing where the model has no champion yet. */
  readonly champion?: ChampionComparison | undefined
  readonly decisionPolicy?: EvidencePolicy | undefined
  readonly card: ModelCard
}

export interface GateCheck {
  /** Stable name: `minimum:roc_auc`, `champion:average_precision`, `card:complete`. */
  readonly name: string
  /** Short, for a table row. */
  readonly title: string
  readonly required: string
  readonly actual: string
  readonly passed: boolean
  /** A sentence for people. */
  readonly message: string
}

export interface GateResult {
  readonly gate: string
  readonly gateHash: string
  readonly evidenceHash: string
  readonly passed: boolean
  readonly checks: readonly GateCheck[]
}

/** A gate result as kept: whose, when, and the evidence it looked at. */
export interface GateRun extends GateResult {
  readonly id: string
  readonly model: string
  readonly version: number
  readonly versionHash: string
  readonly evidence: Evidence
  readonly ranAtUs: number
  readonly ranBy: string
}

export type Verdict = 'approve' | 'refuse'

/** One identity's verdict on one version. `binds` is what it was given for; see `bindingOf`. */
export interface Approval {
  readonly id: string
  readonly model: string
  readonly version: number
  readonly verdict: Verdict
  readonly reason: string
  readonly identityId: string
  readonly identityName: string
  readonly identityKind: 'person' | 'script' | 'system'
  readonly atUs: number
  readonly binds: string
}

/** An approval as shown: whether it still counts, and why not. */
export interface ApprovalView extends Approval {
  readonly counts: boolean
  readonly voidBecause?: string | undefined
}

export type StandingState =
  | 'not-gated'
  | 'gate-failed'
  | 'awaiting-approval'
  | 'approved'
  | 'refused'

/** Where a version stands between candidate and live. */
export interface Standing {
  readonly model: string
  readonly version: number
  readonly state: StandingState
  /** A sentence for people: what is missing, or by whom it was approved. */
  readonly message: string
  readonly required: number
  readonly given: number
  readonly approvals: readonly ApprovalView[]
  readonly gate?: GateRun | undefined
  /** What an approval given now would bind. */
  readonly binding?: string | undefined
  /** The words across the card of a version that scripts approved. */
  readonly watermark?: string | undefined
}

/** A model under governance: whose it is, what it is for, and through which gate it goes. */
export interface InventoryEntry {
  readonly model: string
  readonly project: string
  /** In an example project, and only there, scripts may approve. */
  readonly example: boolean
  readonly owner: string
  readonly purpose: string
  /** Materiality, with the reason for it (SR 26-2, SS1/23 principle 1). */
  readonly tier: 'high' | 'medium' | 'low'
  readonly tierRationale: string
  readonly gate: string
  readonly gateHash: string
  readonly updatedAtUs: number
}

/** Something that one person may do at once. */
export interface ActAtOnce {
  /** Stable name: `model-suspended`, `rolled-back`, `challenger-ended`, `rule-paused`. */
  readonly act: string
  /** A sentence for people: what was done. */
  readonly what: string
  readonly object: { readonly kind: string; readonly id: string }
}

export type AfterVerdict = 'right' | 'wrong'

/** An act of one person, and what another one said of it afterwards. */
export interface AfterReview extends ActAtOnce {
  readonly id: string
  readonly actorId: string
  readonly actorName: string
  readonly reason: string
  readonly atUs: number
  /** Missing while it waits. */
  readonly signed?: AfterSignature | undefined
}

export interface AfterSignature {
  readonly identityId: string
  readonly identityName: string
  readonly verdict: AfterVerdict
  readonly note: string
  readonly atUs: number
}

/** Emitted when a version has passed its gate and has all its approvals. */
export interface VersionApproved {
  readonly type: 'governance.version-approved'
  readonly model: string
  readonly version: number
}

/** Emitted when a gate or a person refused a version. */
export interface VersionRefused {
  readonly type: 'governance.version-refused'
  readonly model: string
  readonly version: number
  readonly by: 'gate' | 'person'
}

/** Emitted when a change voided approvals that counted before. */
export interface ApprovalsVoided {
  readonly type: 'governance.approvals-voided'
  readonly model: string
  readonly version: number
}

export type GovernanceEvent = VersionApproved | VersionRefused | ApprovalsVoided
