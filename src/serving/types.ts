/** One stretch in which a decision policy was answered by one model version. */
export interface Deployment {
  readonly id: string
  /** Name of the decision policy. */
  readonly policy: string
  /** Content hash of the compiled decision policy, rules included. */
  readonly policyHash: string
  /** Content hash of the document that `decide` loads; it holds policy, model and thresholds. */
  readonly document: string
  readonly model: string
  readonly version: number
  readonly modelHash: string
  /** As approved, with the evidence. */
  readonly thresholds: Readonly<Record<string, number>>
  /**
   * `deploy` and `rollback` change the champion; `challenge`, `advance` (a canary's next step), `end`
   * (a person) and `withdraw` (a guard) change the challengers beside it, `shadow` and `unshadow` the
   * draft whose rules run beside it.
   */
  readonly action: DeploymentAction
  readonly actorId: string
  readonly actorName: string
  readonly reason: string
  readonly fromUs: number
  /** Missing while it is live. */
  readonly toUs?: number | undefined
  /** The deployment that it took over from. */
  readonly replacedId?: string | undefined
  /** Hash of version, gate and evidence that the approvals it went live with bind. */
  readonly binding: string
  /** In order; absent where nothing challenges the champion. */
  readonly challengers?: readonly ChallengerTraffic[] | undefined
  /** The column whose value always meets the same challenger; there where challengers are. */
  readonly sticky?: string | undefined
  /** A draft of the policy whose rules run beside, and the hash of the policy that holds both. */
  readonly shadowed?: { readonly draft: string; readonly policyHash: string } | undefined
  /** The document of the champion alone; absent where it is `document` itself. */
  readonly base?: string | undefined
  /** What answers where the champion does not: the champion before. */
  readonly lastGood?: { readonly model: string; readonly version: number } | undefined
}

export type DeploymentAction =
  | 'deploy'
  | 'rollback'
  | 'challenge'
  | 'advance'
  | 'end'
  | 'withdraw'
  | 'shadow'
  | 'unshadow'

/** One step of a canary: its share of traffic, and what it must have lived through to go on. */
export interface CanaryStep {
  readonly share: number
  readonly holdMinutes: number
  readonly minDecisions: number
}

/**
 * Beyond any of these a challenger is withdrawn. Rates are shares of 1: a rate trips where even the
 * lower end of its 99 % interval lies beyond. Nothing is judged below `minDecisions`.
 */
export interface ChallengerGuards {
  readonly minDecisions: number
  /** Of the events on which it was asked, those that it did not answer. */
  readonly errorRateMax: number
  /** Of its decisions, receipt to decision, milliseconds; not measured in shadow. */
  readonly latencyMsP99Max: number
  /** Population stability index of its scores against the champion's, in ten bins. */
  readonly psiMax: number
  /** Greatest distance of the two distributions of scores (Kolmogorov and Smirnov), 0 to 1. */
  readonly scoreDistanceMax: number
  /** Between the shares that the two allow. */
  readonly approvalDifferenceMax: number
}

/** What somebody wants to try beside the champion. */
export interface ChallengerSpec {
  /** Letters, digits, - and _; of one policy each is another. */
  readonly name: string
  readonly model: string
  readonly version: number
  readonly mode: 'live' | 'shadow'
  /** Of the values of the sticky column, 0 to 1. */
  readonly share: number
  /** Of a live one: CEL over event and features, which must hold besides. */
  readonly when?: string | undefined
  /** Of a live one: the first step's share is where it begins. */
  readonly steps?: readonly CanaryStep[] | undefined
  readonly guards: ChallengerGuards
}

/** A challenger that takes part in the traffic. */
export interface ChallengerTraffic extends ChallengerSpec {
  readonly modelHash: string
  readonly thresholds: Readonly<Record<string, number>>
  /** Since when it takes part. */
  readonly fromUs: number
  /** Index of the canary's step that runs, and since when; absent without steps. */
  readonly step?: number | undefined
  readonly stepFromUs?: number | undefined
}

/** Something that is turned on only once a second person says so too. */
export type Proposal = {
  readonly id: string
  readonly policy: string
  /** The champion's document when it was proposed; another champion makes it outdated. */
  readonly against: string
  readonly proposedBy: string
  readonly proposedByName: string
  readonly reason: string
  readonly atUs: number
  readonly state: 'open' | 'confirmed' | 'withdrawn'
  readonly closed?:
    | {
        readonly identityId: string
        readonly identityName: string
        readonly reason: string
        readonly atUs: number
      }
    | undefined
} & (
  | { readonly kind: 'challenge'; readonly challenger: ChallengerSpec; readonly sticky: string }
  | { readonly kind: 'resume' }
)

/** Whether a policy's champion is asked; kept from its first suspension on. */
export interface Suspension {
  readonly policy: string
  readonly suspended: boolean
  readonly actorId: string
  readonly actorName: string
  readonly reason: string
  readonly atUs: number
}

export interface DeployRequest {
  readonly policy: string
  readonly policyHash: string
  readonly document: string
  readonly model: string
  readonly version: number
  /** As it stands in the document. */
  readonly lastGood?: Deployment['lastGood']
  /**
   * Keeps the challengers where the model stays: makes the document in which those of the deployment
   * before stand beside the new champion.
   */
  readonly keepChallengers?: (before: Deployment) => Promise<string>
}

/** Others beside the same champion; `document` holds them all. */
export interface BesideChange {
  readonly current: Deployment
  readonly document: string
  readonly challengers: readonly ChallengerTraffic[]
  readonly sticky: string | undefined
  readonly shadowed: Deployment['shadowed']
  readonly action: Exclude<DeploymentAction, 'deploy' | 'rollback'>
}

export interface RollbackRequest {
  readonly policy: string
  /** Version number of an earlier deployment; that of the one before the live one unless given. */
  readonly version?: number | undefined
}

/** Emitted after a deployment or roll-back is on disk; wiring hands it to `decide`. */
export interface DeploymentChanged {
  readonly type: 'serving.deployment-changed'
  readonly deployment: Deployment
  readonly previous?: Deployment | undefined
}
