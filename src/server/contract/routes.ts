/**
 * The one table of the API: the server registers its handlers from it and makes OpenAPI from it,
 * the page takes its types from it. Lists marked `exports` answer `format=csv` and
 * `format=parquet` with a file of exactly the filtered rows.
 */
import { Type, type Static, type TSchema } from '@sinclair/typebox'
import { actionRoutes } from './actions.ts'
import { addresses, type Address, type OperationName } from './addresses.ts'
import { AuditEntryParams, AuditEntryProof, AuditPage, AuditQuery, AuditVerified } from './audit.ts'
import { callRoutes } from './calls.ts'
import { caseRoutes } from './cases.ts'
import { Done } from './shapes.ts'
import {
  Dataset,
  DatasetParams,
  DatasetQuery,
  Datasets,
  Quarantine,
  QuarantineQuery,
  Resubmit,
  ResubmitAnswer,
} from './data.ts'
import { dataVersionRoutes } from './data-versions.ts'
import { endpointRoutes } from './endpoints.ts'
import {
  DecideAnswer,
  DecideBody,
  DecideParams,
  Decision,
  DecisionParams,
  DecisionQuery,
  DecisionsPage,
  DecisionsQuery,
  EventsAnswer,
  EventsParams,
  Explanation,
  LiveDecisions,
  LiveQuery,
  Policy,
  Recomputed,
} from './decisions.ts'
import {
  CompareQuery,
  ComparedRuns,
  Experiment,
  ExperimentParams,
  Experiments,
  ExperimentsQuery,
  RenameExperiment,
  RunColumns,
  RunColumnsQuery,
  RunCurves,
  RunCurvesQuery,
  RunIds,
  Runs,
  RunsChanged,
  RunsQuery,
  SavedView,
  SavedViewParams,
  SavedViews,
  SaveView,
} from './experiments.ts'
import {
  ExplainedFeature,
  ExplainFeature,
  Feature,
  FeatureParams,
  FeaturePresence,
  Features,
  FeaturesQuery,
} from './features.ts'
import { Governance } from './governance.ts'
import {
  Learning,
  LearningFile,
  LearningFileParams,
  LearningParams,
  Learnings,
  StartLearning,
  Started,
  UploadQuery,
} from './learning.ts'
import { logRoutes } from './logs.ts'
import { modelRoutes } from './model-routes.ts'
import { Monitoring, MonitoringQuery } from './monitoring.ts'
import { Storage } from './storage.ts'
import {
  Overview,
  OverviewQuery,
  Progress,
  Replay,
  ReplayCommand,
  SearchQuery,
  SearchResults,
} from './overview.ts'
import { backtestRoutes } from './backtests.ts'
import { policyRoutes } from './policies.ts'
import { pipelineRoutes } from './pipelines.ts'
import {
  NewProgramKey,
  ProgramKey,
  Run,
  RunFiles,
  RunFilesQuery,
  RunMetrics,
  RunMetricsQuery,
  RunParams,
  RunPreview,
  RunPreviewQuery,
  RunTagParams,
  SetRunTag,
} from './run.ts'
import { Session, SignIn } from './session.ts'
import {
  FeatureAudit,
  FeatureAuditBody,
  FeatureHistory,
  FeatureHistoryBody,
  FeatureHistoryQuery,
  FeatureSetParams,
  LiveFeatures,
  LiveFeaturesBody,
} from './training.ts'

/** What one operation takes and gives. `open` ones need no session. */
export interface RouteSchemas {
  readonly summary: string
  readonly params?: TSchema
  readonly query?: TSchema
  readonly body?: TSchema
  readonly response: TSchema
  readonly exports?: true
  /** The body may also be CSV or Parquet; the answer is Parquet unless JSON is asked for. */
  readonly table?: true
  /** The body is a file of any of `uploadTypes`, read as it comes. */
  readonly upload?: true
  /**
   * Where `text/event-stream` is accepted, it is answered again whenever there is more, from the
   * `place` of the answer before on: one server-sent event an answer, its id the place.
   */
  readonly follows?: true
  readonly open?: true
  /** The front door's own process answers it, with the others dead; all else is `keep`. */
  readonly by?: 'decide'
}

const schemas = {
  session: { summary: 'Who is signed in, and to which bank', response: Session, open: true },
  signIn: { summary: 'Sign in with a key', body: SignIn, response: Session, open: true },
  signOut: { summary: 'Sign out', response: Done, open: true },

  overview: { summary: 'Are we safe now?', query: OverviewQuery, response: Overview },
  progress: { summary: 'Stages of the running pipeline', response: Progress },
  replay: { summary: 'State of the replay', response: Replay },
  commandReplay: { summary: 'Pause, play, speed…', body: ReplayCommand, response: Replay },
  search: { summary: 'Find any object', query: SearchQuery, response: SearchResults },

  decide: {
    summary: 'Decide one event, durably',
    params: DecideParams,
    body: DecideBody,
    response: DecideAnswer,
    by: 'decide',
  },
  sendEvents: {
    summary: 'Feed a source (JSON or NDJSON) without deciding',
    params: EventsParams,
    body: Type.Unknown(),
    response: EventsAnswer,
    by: 'decide',
  },
  decisions: {
    summary: 'Decisions, filtered',
    query: DecisionsQuery,
    response: DecisionsPage,
    exports: true,
  },
  liveDecisions: {
    summary: 'What was decided since a place: one answer, or a stream of them as it happens',
    query: LiveQuery,
    response: LiveDecisions,
    follows: true,
  },
  decision: {
    summary: 'One decision with its reasons and evidence',
    params: DecisionParams,
    query: DecisionQuery,
    response: Decision,
  },
  decisionExplanation: {
    summary: 'Reasons, made on demand and identical for every asking',
    params: DecisionParams,
    response: Explanation,
  },
  recomputeDecision: {
    summary: 'Compute a recorded decision again and compare bit for bit',
    params: DecisionParams,
    response: Recomputed,
  },
  policy: {
    summary: 'A decision policy as it answers now',
    params: DecideParams,
    response: Policy,
  },

  ...caseRoutes,
  ...callRoutes,

  datasets: { summary: 'Data sets', response: Datasets },
  dataset: {
    summary: 'Contract, snapshots and profile of a data set',
    params: DatasetParams,
    query: DatasetQuery,
    response: Dataset,
  },
  ...dataVersionRoutes,
  quarantine: {
    summary: 'Rows kept apart, with reasons',
    query: QuarantineQuery,
    response: Quarantine,
    exports: true,
  },
  resubmit: { summary: 'Submit mended rows again', body: Resubmit, response: ResubmitAnswer },

  features: {
    summary: 'Declared features, filtered',
    query: FeaturesQuery,
    response: Features,
    exports: true,
  },
  feature: { summary: 'One feature', params: FeatureParams, response: Feature },
  featurePresence: {
    summary: 'How values of a feature came about: zero, missing, absent and stale, counted apart',
    params: FeatureParams,
    response: FeaturePresence,
  },
  explainFeature: {
    summary: 'The present value of an entity, with the windows and events behind it',
    params: FeatureParams,
    body: ExplainFeature,
    response: ExplainedFeature,
  },

  featureHistory: {
    summary: 'Features of entities as of given times: training rows',
    params: FeatureSetParams,
    query: FeatureHistoryQuery,
    body: FeatureHistoryBody,
    response: FeatureHistory,
    table: true,
  },
  liveFeatures: {
    summary: 'Features of entities as of now',
    params: FeatureSetParams,
    body: LiveFeaturesBody,
    response: LiveFeatures,
  },
  auditFeatures: {
    summary: 'Recorded live features against the same, worked out anew from history',
    params: FeatureSetParams,
    body: FeatureAuditBody,
    response: FeatureAudit,
  },

  experiments: {
    summary: 'Experiments with the number of their runs',
    query: ExperimentsQuery,
    response: Experiments,
  },
  renameExperiment: {
    summary: 'Give an experiment another name',
    params: ExperimentParams,
    body: RenameExperiment,
    response: Experiment,
  },
  deleteExperiment: {
    summary: 'Delete an experiment with its runs, until it is restored or purged',
    params: ExperimentParams,
    response: Done,
  },
  restoreExperiment: {
    summary: 'Restore an experiment with its runs',
    params: ExperimentParams,
    response: Done,
  },
  runs: { summary: 'Training runs', query: RunsQuery, response: Runs, exports: true },
  runColumns: {
    summary: 'Names of metrics, params and tags that runs have',
    query: RunColumnsQuery,
    response: RunColumns,
  },
  runCurves: {
    summary: 'One metric of several runs over steps and time',
    query: RunCurvesQuery,
    response: RunCurves,
  },
  compareRuns: { summary: 'Runs side by side', query: CompareQuery, response: ComparedRuns },
  deleteRuns: {
    summary: 'Delete runs, until they are restored or purged',
    body: RunIds,
    response: RunsChanged,
  },
  restoreRuns: { summary: 'Restore deleted runs', body: RunIds, response: RunsChanged },
  savedViews: { summary: 'Saved views of the table of runs', response: SavedViews },
  saveView: { summary: 'Save a view of the table of runs', body: SaveView, response: SavedView },
  deleteView: {
    summary: 'Remove a saved view of one’s own',
    params: SavedViewParams,
    response: Done,
  },
  run: { summary: 'One run', params: RunParams, response: Run },
  runMetrics: {
    summary: 'Metrics of a run with their extremes',
    params: RunParams,
    query: RunMetricsQuery,
    response: RunMetrics,
  },
  runFiles: {
    summary: 'A folder of the files of a run',
    params: RunParams,
    query: RunFilesQuery,
    response: RunFiles,
  },
  runPreview: {
    summary: 'The beginning of a file of a run, as text or table',
    params: RunParams,
    query: RunPreviewQuery,
    response: RunPreview,
  },
  setRunTag: {
    summary: 'Set a tag of a run',
    params: RunParams,
    body: SetRunTag,
    response: Done,
  },
  deleteRunTag: { summary: 'Remove a tag of a run', params: RunTagParams, response: Done },
  createProgramKey: {
    summary: 'Make a key for a program, shown once',
    body: NewProgramKey,
    response: ProgramKey,
  },

  uploadLearningFile: {
    summary: 'Bring a file (CSV, gzip, Parquet) to learn from; answers with its columns',
    query: UploadQuery,
    body: Type.String({ contentEncoding: 'binary', description: 'The bytes of the file' }),
    response: LearningFile,
    upload: true,
  },
  learningFile: {
    summary: 'The columns of a file that was brought',
    params: LearningFileParams,
    response: LearningFile,
  },
  learnings: { summary: 'What was learnt from files, newest first', response: Learnings },
  startLearning: {
    summary: 'Learn from a file that was brought',
    body: StartLearning,
    response: Started,
  },
  learning: {
    summary: 'Progress and report of learning from a file',
    params: LearningParams,
    response: Learning,
  },
  cancelLearning: {
    summary: 'Stop learning from a file',
    params: LearningParams,
    response: Done,
  },

  ...policyRoutes,
  ...backtestRoutes,
  ...modelRoutes,
  ...actionRoutes,
  ...endpointRoutes,

  monitoring: {
    summary: 'Drift, rates, latency, performance',
    query: MonitoringQuery,
    response: Monitoring,
  },
  storage: { summary: 'Bytes per decision, and days until the disk is full', response: Storage },
  ...logRoutes,

  audit: { summary: 'The audit log', query: AuditQuery, response: AuditPage, exports: true },
  auditEntry: {
    summary: 'One entry with its inclusion proof',
    params: AuditEntryParams,
    response: AuditEntryProof,
  },
  verifyAudit: { summary: 'Verify the whole log', response: AuditVerified },

  ...pipelineRoutes,
  governance: { summary: 'Inventory, gates, what waits', response: Governance },
} as const satisfies Record<OperationName, RouteSchemas>

export type Schemas = typeof schemas

export interface Route extends RouteSchemas, Address {
  readonly name: OperationName
}

/** In the order of the table. Static paths (`/cases/bulk`) stand beside `:params`; both match. */
export const routes: readonly Route[] = (Object.keys(schemas) as OperationName[]).map((name) => ({
  name,
  ...addresses[name],
  ...schemas[name],
}))

type Part<Name extends OperationName, Key extends string> = Schemas[Name] extends {
  readonly [K in Key]: infer S extends TSchema
}
  ? Static<S>
  : undefined

export type ParamsOf<Name extends OperationName> = Part<Name, 'params'>
export type QueryOf<Name extends OperationName> = Part<Name, 'query'>
export type BodyOf<Name extends OperationName> = Part<Name, 'body'>
export type ResponseOf<Name extends OperationName> = Part<Name, 'response'>
