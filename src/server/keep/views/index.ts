// All views together: what answers each operation of the contract.
import type { Handlers } from '../handlers.ts'
import type { Rooms } from '../rooms.ts'
import { auditViews } from './audit.ts'
import { caseViews } from './cases.ts'
import { dataVersionViews } from './data-versions.ts'
import { dataViews } from './data.ts'
import { declaredPipelineViews } from './declared-pipelines.ts'
import { decisionViews } from './decisions.ts'
import { experimentViews } from './experiments.ts'
import { runFileViews } from './experiments-files.ts'
import { featureViews } from './features.ts'
import { governanceViews } from './governance.ts'
import { learningViews } from './learning.ts'
import { runModels } from './logged-models.ts'
import { historyViews } from './model-history.ts'
import { lineageViews } from './lineage.ts'
import { modelViews } from './models.ts'
import { monitoringViews } from './monitoring.ts'
import { overviewViews } from './overview.ts'
import { pipelineStepViews } from './pipeline-steps.ts'
import { pipelineViews } from './pipelines.ts'
import { policyViews } from './policy.ts'
import { trainingViews } from './training.ts'
import { webhookViews } from './webhooks.ts'

export function keepHandlers(rooms: Rooms): Handlers {
  const withModels = { ...rooms, models: runModels(rooms) }
  return {
    ...overviewViews(rooms),
    ...decisionViews(rooms),
    ...policyViews(rooms),
    ...caseViews(rooms),
    ...dataViews(rooms),
    ...dataVersionViews(rooms),
    ...featureViews(rooms),
    ...trainingViews(rooms),
    ...experimentViews(withModels),
    ...runFileViews(rooms),
    ...learningViews(rooms),
    ...modelViews(withModels),
    ...historyViews(rooms),
    ...webhookViews(rooms),
    ...monitoringViews(rooms),
    ...governanceViews(rooms),
    ...lineageViews(rooms),
    ...pipelineViews(rooms),
    ...pipelineStepViews(rooms),
    ...declaredPipelineViews(rooms),
    ...auditViews(rooms),
  }
}
