/**
 * Method and path of every operation, without schemas: the page's client carries only this table
 * in its bundle. `routes.ts` adds the schemas and fails to compile where the two differ.
 */
export interface Address {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: `/api/v1/${string}`
}

export const addresses = {
  session: { method: 'GET', path: '/api/v1/session' },
  signIn: { method: 'POST', path: '/api/v1/session' },
  signOut: { method: 'DELETE', path: '/api/v1/session' },

  overview: { method: 'GET', path: '/api/v1/overview' },
  progress: { method: 'GET', path: '/api/v1/progress' },
  replay: { method: 'GET', path: '/api/v1/replay' },
  commandReplay: { method: 'POST', path: '/api/v1/replay' },
  search: { method: 'GET', path: '/api/v1/search' },

  decide: { method: 'POST', path: '/api/v1/decisions/:policy' },
  sendEvents: { method: 'POST', path: '/api/v1/events/:source' },
  decisions: { method: 'GET', path: '/api/v1/decisions' },
  decision: { method: 'GET', path: '/api/v1/decisions/:policy/:eventId' },
  decisionExplanation: {
    method: 'GET',
    path: '/api/v1/decisions/:policy/:eventId/explanation',
  },
  recomputeDecision: { method: 'POST', path: '/api/v1/decisions/:policy/:eventId/recompute' },
  policy: { method: 'GET', path: '/api/v1/policies/:policy' },

  cases: { method: 'GET', path: '/api/v1/cases' },
  openCase: { method: 'POST', path: '/api/v1/cases' },
  case: { method: 'GET', path: '/api/v1/cases/:caseId' },
  giveVerdict: { method: 'POST', path: '/api/v1/cases/:caseId/verdict' },
  undoVerdict: { method: 'DELETE', path: '/api/v1/cases/:caseId/verdict' },
  correctVerdict: { method: 'POST', path: '/api/v1/cases/:caseId/correction' },
  viewCase: { method: 'PUT', path: '/api/v1/cases/:caseId/viewers' },
  leaveCase: { method: 'DELETE', path: '/api/v1/cases/:caseId/viewers' },
  bulkVerdict: { method: 'POST', path: '/api/v1/cases/bulk' },
  bulkUndo: { method: 'POST', path: '/api/v1/cases/bulk/undo' },

  datasets: { method: 'GET', path: '/api/v1/datasets' },
  dataset: { method: 'GET', path: '/api/v1/datasets/:dataset' },
  quarantine: { method: 'GET', path: '/api/v1/quarantine' },
  resubmit: { method: 'POST', path: '/api/v1/quarantine/resubmit' },

  features: { method: 'GET', path: '/api/v1/features' },
  feature: { method: 'GET', path: '/api/v1/features/:set/:feature' },
  featurePresence: { method: 'GET', path: '/api/v1/features/:set/:feature/presence' },
  explainFeature: { method: 'POST', path: '/api/v1/features/:set/:feature/explain' },

  featureHistory: { method: 'POST', path: '/api/v1/features/:set/history' },
  liveFeatures: { method: 'POST', path: '/api/v1/features/:set/live' },
  auditFeatures: { method: 'POST', path: '/api/v1/features/:set/audit' },

  runs: { method: 'GET', path: '/api/v1/runs' },
  compareRuns: { method: 'GET', path: '/api/v1/runs/compare' },
  run: { method: 'GET', path: '/api/v1/runs/:runId' },

  uploadLearningFile: { method: 'POST', path: '/api/v1/learning/files' },
  learningFile: { method: 'GET', path: '/api/v1/learning/files/:fileId' },
  learnings: { method: 'GET', path: '/api/v1/learning' },
  startLearning: { method: 'POST', path: '/api/v1/learning' },
  learning: { method: 'GET', path: '/api/v1/learning/:learningId' },
  cancelLearning: { method: 'DELETE', path: '/api/v1/learning/:learningId' },

  models: { method: 'GET', path: '/api/v1/models' },
  model: { method: 'GET', path: '/api/v1/models/:model' },
  version: { method: 'GET', path: '/api/v1/models/:model/versions/:version' },
  giveApproval: { method: 'POST', path: '/api/v1/models/:model/versions/:version/approvals' },
  deploy: { method: 'POST', path: '/api/v1/models/:model/versions/:version/deploy' },
  rollBack: { method: 'POST', path: '/api/v1/models/:model/rollback' },

  monitoring: { method: 'GET', path: '/api/v1/monitoring' },

  audit: { method: 'GET', path: '/api/v1/audit' },
  auditEntry: { method: 'GET', path: '/api/v1/audit/:index' },
  verifyAudit: { method: 'POST', path: '/api/v1/audit/verify' },

  pipelines: { method: 'GET', path: '/api/v1/pipelines' },
  pipeline: { method: 'GET', path: '/api/v1/pipelines/:pipelineRunId' },
  governance: { method: 'GET', path: '/api/v1/governance' },
} as const satisfies Record<string, Address>

export type OperationName = keyof typeof addresses
