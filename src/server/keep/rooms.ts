// Everything that the views of `keep` may ask.
import type { Access, ChangeBy } from '../../access/index.ts'
import type { AuditLog } from '../../audit/index.ts'
import type { DatasetCatalog, DataVersions, QuarantineStore } from '../../data/index.ts'
import type {
  ActionDelivery,
  Arrivals,
  BacktestReport,
  CaseSettings,
  CaseWork,
  DecideRemote,
  DecisionReadModel,
  DeployedPolicy,
  PolicyDesk,
  PolicyDrafts,
  PolicyParts,
  SetAsideDesk,
} from '../../decisions/index.ts'
import type { AfterReviews, Governance } from '../../governance/index.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Remote } from '../../lib/rpc.ts'
import type { LogStreams } from '../../logs/index.ts'
import type {
  ChallengerTests,
  DriftCountStore,
  MonitoringReference,
} from '../../monitoring/index.ts'
import type {
  FileDescription,
  FileToLearn,
  BacktestsRemote,
  LearningRemote,
  PipelineDesk,
  PipelineEngineStore,
  PipelineLogs,
  PipelineRemote,
  PipelineRunStore,
  WorkRemote,
} from '../../pipelines/index.ts'
import type { DeclaredProject } from '../../projects/index.ts'
import type { LoggedDescription, LoggedFiles, Registry, Webhooks } from '../../registry/index.ts'
import type { Challengers, Deployments } from '../../serving/index.ts'
import type { RunViews, Tracking } from '../../tracking/index.ts'
import type { DiskWatch } from '../disk.ts'
import type { Upload } from './handlers.ts'

/** What live values are compared with; undefined where a version has none. */
export interface References {
  read(modelHash: string): Promise<MonitoringReference | undefined>
  ofDeployment(deployment: string): Promise<MonitoringReference | undefined>
}

/** A file that was brought to learn from, and what it holds. */
export interface LearningFile extends FileToLearn, FileDescription {
  readonly bytes: number
}

/** Where such files are kept for a while. */
export interface LearningFiles {
  /**
   * Takes a file in as it comes, and reads its columns. Errors: `upload_too_large`, `uploads_full`,
   * and those of a file that is no table.
   */
  receive(upload: Upload, name: string): Promise<LearningFile>
  /** Undefined where it never was, or newer ones took its place. */
  get(id: string): Promise<LearningFile | undefined>
}

export interface Rooms {
  readonly logs: LogStreams
  readonly clock: Clock
  readonly disk: Pick<DiskWatch, 'report'>
  readonly access: Access
  readonly audit: AuditLog
  readonly tracking: Tracking
  readonly runViews: RunViews
  readonly registry: Registry
  readonly webhooks: Pick<Webhooks, 'webhooks' | 'counts' | 'deliveries'>
  readonly governance: Governance
  readonly serving: Deployments
  readonly challengers: Challengers
  /** Whether challengers are better, by tests that may be looked at at any time. */
  readonly challengerTests: ChallengerTests
  readonly afterReviews: AfterReviews
  readonly catalog: DatasetCatalog
  readonly quarantine: QuarantineStore
  readonly versions: DataVersions
  readonly decisions: DecisionReadModel
  /** The newest decisions, as they come. */
  readonly arrivals: Arrivals
  readonly cases: CaseWork
  /** How the alerts of a policy are worked. */
  caseSettings(policy: string): Promise<CaseSettings>
  /** Reviews a day of all live policies; null where none states them. */
  reviewCapacity(): Promise<number | null>
  readonly policyDesk: PolicyDesk
  readonly drafts: PolicyDrafts
  /** The document that is live for a policy. Error: `policy_not_found`. */
  livePolicy(policy: string): Promise<DeployedPolicy>
  /** The last decisions answered again with other parts of the live policy. */
  tryPolicy(policy: string, parts: PolicyParts, namespace: string): Promise<BacktestReport>
  /** What policies tell of their decisions. */
  readonly actions: Pick<ActionDelivery, 'figures' | 'dead' | 'messageOf' | 'redrive'>
  /** Messages of streams that could not be decided on. */
  readonly setAside: SetAsideDesk
  readonly drift: DriftCountStore
  readonly references: References
  readonly pipelines: PipelineRunStore
  readonly pipelineEngine: PipelineEngineStore
  readonly pipelineDesk: PipelineDesk
  /** Runs declared pipelines, in `work`. */
  readonly pipelineWork: Pick<Remote<PipelineRemote>, 'start' | 'startBackfill'>
  readonly pipelineLogs: Pick<PipelineLogs, 'read'>
  readonly decide: Remote<DecideRemote>
  readonly work: Remote<WorkRemote>
  readonly backtests: Remote<BacktestsRemote>
  readonly learning: Remote<LearningRemote>
  readonly learningFiles: LearningFiles
  /** Reads what Python logged and says whether it can be served. */
  describeLogged(files: LoggedFiles): Promise<LoggedDescription>
  /** Sends traffic to an approved version, and `decide` with it. */
  deployVersion(model: string, version: number, by: ChangeBy): Promise<void>
  rollBack(request: { policy: string; version?: number | undefined }, by: ChangeBy): Promise<void>
  /** Confirms what another person proposed, and turns it on. */
  confirmProposal(id: string, identityId: string, reason: string): Promise<void>
  endChallenger(
    request: { policy: string; name: string; action: 'end' | 'withdraw' },
    by: ChangeBy,
  ): Promise<void>
  /** From the next decision on the champion is not asked. */
  suspendModel(policy: string, by: ChangeBy): Promise<void>
  /** The project that was applied last; undefined until there was one. */
  project(): DeclaredProject | undefined
}
