// All views together: what answers each operation of the contract.
import type { Handlers } from '../handlers.ts'
import type { Rooms } from '../rooms.ts'
import { actionViews } from './actions.ts'
import { auditViews } from './audit.ts'
import { callViews } from './calls.ts'
import { backtestViews } from './backtests.ts'
import { caseViews } from './cases.ts'
import { dataVersionViews } from './data-versions.ts'
import { dataViews } from './data.ts'
import { declaredPipelineViews } from './declared-pipelines.ts'
import { decisionViews } from './decisions.ts'
import { endpointViews } from './endpoints.ts'
import { experimentViews } from './experiments.ts'
import { runFileViews } from './experiments-files.ts'
import { featureViews } from './features.ts'
import { governanceViews } from './governance.ts'
import { learningViews } from './learning.ts'
import { runModels } from './logged-models.ts'
import { historyViews } from './model-history.ts'
import { liveViews } from './live.ts'
import { lineageViews } from './lineage.ts'
import { logViews } from './logs.ts'
import { modelViews } from './models.ts'
import { monitoringViews } from './monitoring.ts'
import { overviewViews } from './overview.ts'
import { pipelineStepViews } from './pipeline-steps.ts'
import { pipelineViews } from './pipelines.ts'
import { policyViews } from './policy.ts'
import { draftViews } from './policy-drafts.ts'
import { listViews } from './policy-lists.ts'
import { storageViews } from './storage.ts'
import { trainingViews } from './training.ts'
import { webhookViews } from './webhooks.ts'

export function keepHandlers(rooms: Rooms): Handlers {
  const withModels = { ...rooms, models: runModels(rooms) }
  return {
    ...overviewViews(rooms),
    ...decisionViews(rooms),
    ...liveViews(rooms),
    ...policyViews(rooms),
    ...draftViews(rooms),
    ...listViews(rooms),
    ...backtestViews(rooms),
    ...caseViews(rooms),
    ...callViews(rooms),
    ...dataViews(rooms),
    ...dataVersionViews(rooms),
    ...featureViews(rooms),
    ...trainingViews(rooms),
    ...experimentViews(withModels),
    ...runFileViews(rooms),
    ...learningViews(rooms),
    ...modelViews(withModels),
    ...endpointViews(rooms),
    ...historyViews(rooms),
    ...webhookViews(rooms),
    ...actionViews(rooms),
    ...monitoringViews(rooms),
    ...storageViews(rooms),
    ...logViews(rooms),
    ...governanceViews(rooms),
    ...lineageViews(rooms),
    ...pipelineViews(rooms),
    ...pipelineStepViews(rooms),
    ...declaredPipelineViews(rooms),
    ...auditViews(rooms),
  }
}
