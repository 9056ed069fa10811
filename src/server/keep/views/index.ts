// All views together: what answers each operation of the contract.
import type { Handlers } from '../handlers.ts'
import type { Rooms } from '../rooms.ts'
import { auditViews } from './audit.ts'
import { caseViews } from './cases.ts'
import { dataViews } from './data.ts'
import { decisionViews } from './decisions.ts'
import { experimentViews } from './experiments.ts'
import { featureViews } from './features.ts'
import { governanceViews } from './governance.ts'
import { learningViews } from './learning.ts'
import { modelViews } from './models.ts'
import { monitoringViews } from './monitoring.ts'
import { overviewViews } from './overview.ts'
import { pipelineViews } from './pipelines.ts'
import { policyViews } from './policy.ts'
import { trainingViews } from './training.ts'

export function keepHandlers(rooms: Rooms): Handlers {
  return {
    ...overviewViews(rooms),
    ...decisionViews(rooms),
    ...policyViews(rooms),
    ...caseViews(rooms),
    ...dataViews(rooms),
    ...featureViews(rooms),
    ...trainingViews(rooms),
    ...experimentViews(rooms),
    ...learningViews(rooms),
    ...modelViews(rooms),
    ...monitoringViews(rooms),
    ...governanceViews(rooms),
    ...pipelineViews(rooms),
    ...auditViews(rooms),
  }
}
