// Everything that the views of `keep` may ask.
import type { Access, ChangeBy } from '../../access/index.ts'
import type { AuditLog } from '../../audit/index.ts'
import type { DatasetCatalog, DataVersions, QuarantineStore } from '../../data/index.ts'
import type { CaseDesk, DecideRemote, DecisionReadModel } from '../../decisions/index.ts'
import type { Governance } from '../../governance/index.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Remote } from '../../lib/rpc.ts'
import type { DriftCountStore, MonitoringReference } from '../../monitoring/index.ts'
import type {
  FileDescription,
  FileToLearn,
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
import type { Deployments } from '../../serving/index.ts'
import type { RunViews, Tracking } from '../../tracking/index.ts'
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
  readonly clock: Clock
  readonly access: Access
  readonly audit: AuditLog
  readonly tracking: Tracking
  readonly runViews: RunViews
  readonly registry: Registry
  readonly webhooks: Pick<Webhooks, 'webhooks' | 'counts' | 'deliveries'>
  readonly governance: Governance
  readonly serving: Deployments
  readonly catalog: DatasetCatalog
  readonly quarantine: QuarantineStore
  readonly versions: DataVersions
  readonly decisions: DecisionReadModel
  readonly cases: CaseDesk
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
  readonly learning: Remote<LearningRemote>
  readonly learningFiles: LearningFiles
  /** Reads what Python logged and says whether it can be served. */
  describeLogged(files: LoggedFiles): Promise<LoggedDescription>
  /** Sends traffic to an approved version, and `decide` with it. */
  deployVersion(model: string, version: number, by: ChangeBy): Promise<void>
  rollBack(request: { policy: string; version?: number | undefined }, by: ChangeBy): Promise<void>
  /** The project that was applied last; undefined until there was one. */
  project(): DeclaredProject | undefined
}
