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
  readonly action: 'deploy' | 'rollback'
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
}

export interface DeployRequest {
  readonly policy: string
  readonly policyHash: string
  readonly document: string
  readonly model: string
  readonly version: number
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
