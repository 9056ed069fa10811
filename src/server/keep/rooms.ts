// Everything that the views of `keep` may ask.
import type { Access } from '../../access/index.ts'
import type { AuditLog } from '../../audit/index.ts'
import type { DatasetCatalog, QuarantineStore } from '../../data/index.ts'
import type { CaseDesk, DecideRemote, DecisionReadModel } from '../../decisions/index.ts'
import type { Governance } from '../../governance/index.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Remote } from '../../lib/rpc.ts'
import type { DriftCountStore } from '../../monitoring/index.ts'
import type { PipelineRunStore, WorkRemote } from '../../pipelines/index.ts'
import type { CompiledProject } from '../../projects/index.ts'
import type { Registry } from '../../registry/index.ts'
import type { Serving } from '../../serving/index.ts'
import type { Tracking } from '../../tracking/index.ts'

export interface Rooms {
  readonly clock: Clock
  readonly access: Access
  readonly audit: AuditLog
  readonly tracking: Tracking
  readonly registry: Registry
  readonly governance: Governance
  readonly serving: Serving
  readonly catalog: DatasetCatalog
  readonly quarantine: QuarantineStore
  readonly decisions: DecisionReadModel
  readonly cases: CaseDesk
  readonly drift: DriftCountStore
  readonly pipelines: PipelineRunStore
  readonly decide: Remote<DecideRemote>
  readonly work: Remote<WorkRemote>
  /** The project that was applied last; undefined until there was one. */
  project(): CompiledProject | undefined
}
