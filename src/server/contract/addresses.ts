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
  datasetVersions: { method: 'GET', path: '/api/v1/datasets/:dataset/versions' },
  datasetDifference: { method: 'GET', path: '/api/v1/datasets/:dataset/difference' },
  tagDataset: { method: 'POST', path: '/api/v1/datasets/:dataset/tags' },
  holdDataset: { method: 'POST', path: '/api/v1/datasets/:dataset/holds' },
  releaseDataset: { method: 'POST', path: '/api/v1/datasets/:dataset/holds/:hold/release' },
  rollBackDataset: { method: 'POST', path: '/api/v1/datasets/:dataset/rollback' },
  retainDataset: { method: 'PUT', path: '/api/v1/datasets/:dataset/retention' },
  cleanData: { method: 'POST', path: '/api/v1/data/cleaning' },
  quarantine: { method: 'GET', path: '/api/v1/quarantine' },
  resubmit: { method: 'POST', path: '/api/v1/quarantine/resubmit' },

  features: { method: 'GET', path: '/api/v1/features' },
  feature: { method: 'GET', path: '/api/v1/features/:set/:feature' },
  featurePresence: { method: 'GET', path: '/api/v1/features/:set/:feature/presence' },
  explainFeature: { method: 'POST', path: '/api/v1/features/:set/:feature/explain' },

  featureHistory: { method: 'POST', path: '/api/v1/features/:set/history' },
  liveFeatures: { method: 'POST', path: '/api/v1/features/:set/live' },
  auditFeatures: { method: 'POST', path: '/api/v1/features/:set/audit' },

  experiments: { method: 'GET', path: '/api/v1/experiments' },
  renameExperiment: { method: 'PUT', path: '/api/v1/experiments/:experimentId' },
  deleteExperiment: { method: 'DELETE', path: '/api/v1/experiments/:experimentId' },
  restoreExperiment: { method: 'POST', path: '/api/v1/experiments/:experimentId/restore' },
  runs: { method: 'GET', path: '/api/v1/runs' },
  runColumns: { method: 'GET', path: '/api/v1/runs/columns' },
  runCurves: { method: 'GET', path: '/api/v1/runs/curves' },
  compareRuns: { method: 'GET', path: '/api/v1/runs/compare' },
  deleteRuns: { method: 'POST', path: '/api/v1/runs/delete' },
  restoreRuns: { method: 'POST', path: '/api/v1/runs/restore' },
  savedViews: { method: 'GET', path: '/api/v1/run-views' },
  saveView: { method: 'POST', path: '/api/v1/run-views' },
  deleteView: { method: 'DELETE', path: '/api/v1/run-views/:viewId' },
  run: { method: 'GET', path: '/api/v1/runs/:runId' },
  runMetrics: { method: 'GET', path: '/api/v1/runs/:runId/metrics' },
  runFiles: { method: 'GET', path: '/api/v1/runs/:runId/files' },
  runPreview: { method: 'GET', path: '/api/v1/runs/:runId/preview' },
  setRunTag: { method: 'PUT', path: '/api/v1/runs/:runId/tags' },
  deleteRunTag: { method: 'DELETE', path: '/api/v1/runs/:runId/tags/:key' },
  createProgramKey: { method: 'POST', path: '/api/v1/program-keys' },

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
  deleteModel: { method: 'POST', path: '/api/v1/models/:model/delete' },
  restoreModel: { method: 'POST', path: '/api/v1/models/:model/restore' },
  renameModel: { method: 'PUT', path: '/api/v1/models/:model/name' },
  deleteVersion: { method: 'POST', path: '/api/v1/models/:model/versions/:version/delete' },
  restoreVersion: { method: 'POST', path: '/api/v1/models/:model/versions/:version/restore' },
  versionDifference: { method: 'GET', path: '/api/v1/models/:model/difference' },
  champions: { method: 'GET', path: '/api/v1/models/:model/champions' },
  webhooks: { method: 'GET', path: '/api/v1/webhooks' },
  setAlias: { method: 'PUT', path: '/api/v1/models/:model/aliases/:alias' },

  monitoring: { method: 'GET', path: '/api/v1/monitoring' },

  audit: { method: 'GET', path: '/api/v1/audit' },
  auditEntry: { method: 'GET', path: '/api/v1/audit/:index' },
  verifyAudit: { method: 'POST', path: '/api/v1/audit/verify' },

  pipelines: { method: 'GET', path: '/api/v1/pipelines' },
  pipeline: { method: 'GET', path: '/api/v1/pipelines/:pipelineRunId' },
  cancelPipeline: { method: 'POST', path: '/api/v1/pipelines/:pipelineRunId/cancel' },
  pipelineStep: { method: 'GET', path: '/api/v1/pipelines/:pipelineRunId/steps/:step' },
  pipelineStepLog: { method: 'GET', path: '/api/v1/pipelines/:pipelineRunId/steps/:step/log' },
  answerPipelineStep: {
    method: 'POST',
    path: '/api/v1/pipelines/:pipelineRunId/steps/:step/answer',
  },
  lineage: { method: 'GET', path: '/api/v1/lineage' },
  declaredPipelines: { method: 'GET', path: '/api/v1/declared-pipelines' },
  startPipeline: { method: 'POST', path: '/api/v1/declared-pipelines/:pipeline/runs' },
  backfills: { method: 'GET', path: '/api/v1/declared-pipelines/:pipeline/backfills' },
  startBackfill: { method: 'POST', path: '/api/v1/declared-pipelines/:pipeline/backfills' },
  cancelBackfill: {
    method: 'POST',
    path: '/api/v1/declared-pipelines/:pipeline/backfills/:backfill/cancel',
  },
  pipelinePartitions: { method: 'GET', path: '/api/v1/declared-pipelines/:pipeline/partitions' },
  pipelineProducts: { method: 'GET', path: '/api/v1/declared-pipelines/:pipeline/products' },
  governance: { method: 'GET', path: '/api/v1/governance' },
} as const satisfies Record<string, Address>

export type OperationName = keyof typeof addresses
