/**
 * Decisions: policies (rules and thresholds over a model's score), the engine that applies them, the
 * journal of everything decided, and the review cases that follow.
 *
 * What always holds here: an answer was on disk before it was given; the key (policy, event id) has
 * one answer, byte for byte, for ever; an event enters state once per (source, event id); state
 * changes only by journal records, in the order of their sequence; a recorded decision can be
 * computed again, bit for bit, from its record and the versions it names.
 */
export type { StateMemory } from './namespace.ts'
export type { OnlineStore } from './online.ts'
export type { OutsideModels } from './outside.ts'
export type { OutsideAnswers } from './scorer.ts'
export { decisionErrors } from './errors.ts'
export { changedObject } from './policy-changes.ts'
export type {
  DraftEvidence,
  KeptDraft,
  PolicyChange,
  PolicyStore,
  RuleTest,
} from './policy-changes.ts'
export { createPolicyDesk } from './policy-desk.ts'
export type { PolicyDesk } from './policy-desk.ts'
export { APPROVALS_NEEDED, bindingOf, createPolicyDrafts, isApprovedDraft } from './drafts.ts'
export type { DraftCheck, DraftContent, PolicyDrafts } from './drafts.ts'
export { differenceOf } from './draft-checks.ts'
export { tryDraft } from './trial.ts'
export { action, conditionInWords, targetInWords } from './actions.ts'
export type { ActionTarget, CompiledAction } from './actions.ts'
export { createMemoryActionStore } from './action-store.ts'
export type { ActionCursor, ActionKey, ActionStore, DeadLetter } from './action-store.ts'
export {
  createMemorySetAside,
  createSetAsideDesk,
  createSetAsideSink,
  SET_ASIDE_LISTED,
} from './set-aside.ts'
export type { SetAsideDesk, SetAsideMessage, SetAsideStore } from './set-aside.ts'
export { createActionDelivery } from './action-delivery.ts'
export type { ActionDelivery, ActionFigures, ActionReceiver } from './action-delivery.ts'
export {
  compilePolicy,
  decisionPolicy,
  fallbackDefaults,
  list,
  outcomes,
  partsOf,
  rule,
  typology,
  withParts,
} from './policy.ts'
export type {
  CompiledPolicy,
  CompiledRule,
  DeclaredThreshold,
  Outcome,
  PolicyDeclaration,
  PolicyOptions,
  PolicyParts,
  RuleDeclaration,
} from './policy.ts'
export {
  deploymentHash,
  directoryDeployments,
  publishDeployment,
  readDeployment,
} from './deployed.ts'
export type { DeployedModel, DeployedPolicy, DeploymentFiles, OutsideModel } from './deployed.ts'
export { answerOf, decodeRecord, encodeRecord } from './records.ts'
export type {
  BaseRecord,
  DecisionRecord,
  DecisionVersions,
  DeployRecord,
  EventRecord,
  JournalRecord,
  LabelRecord,
  Reason,
  Sequenced,
  Timings,
} from './records.ts'
export { createBacktest } from './backtest.ts'
export type { Backtest, BacktestReport, PastEvent } from './backtest.ts'
export { sayBacktest } from './backtest-words.ts'
export { draftDocument, draftPolicy, withStated } from './backtest-draft.ts'
export type { DraftChanges } from './backtest-draft.ts'
export { recordedNames, recordedPast, summariseJournal } from './recorded-past.ts'
export type { JournalSummary } from './recorded-past.ts'
export { canonicalVector, createEngine, usualCircumstances } from './engine.ts'
export type { DecisionEngine } from './engine.ts'
export type { ListEntry, PausedRule, SuspendedModel } from './controls.ts'
export { installBase, mendBases } from './base-files.ts'
export type { KnownBase } from './base-files.ts'
export { writeBaseCheckpoint } from './checkpoint.ts'
export type { BaseCheckpoint } from './checkpoint.ts'
export { HELD_VALUES_BYTES_MAX } from './held-events.ts'
export { auditFeatures } from './audit-features.ts'
export type { FeatureAudit, FeatureAuditRequest, FeatureMismatch } from './audit-features.ts'
export type { EntityQuestion, EntityValues } from './live-features.ts'
export { acceptedEvents, readJournalFacts } from './journal-facts.ts'
export type { JournalFacts, JournalLabels, JournalReading } from './journal-facts.ts'
export { exportJournal } from './journal-export.ts'
export type { ExportCell, ExportRow, ExportSink } from './journal-export.ts'
export type { HoldChange, RemovableSegment, StandingHold } from './removal.ts'
export { rebuildLiveState } from './rebuilt-state.ts'
export type { RebuildRequest, RebuiltState } from './rebuilt-state.ts'
export { replayDecision } from './replay.ts'
export type { ReplayDecisionRequest } from './replay.ts'
export { createMemoryLog, partitionOf } from './message-log.ts'
export type { LogMessage, MessageLog } from './message-log.ts'
export { consumeStream, createStreamShare } from './streams.ts'
export type { RunningStream, StreamFigures, StreamOptions, StreamShare } from './streams.ts'
export { openDecisionService } from './service.ts'
export type { Decided, DecisionService, DecisionServiceOptions } from './service.ts'
export type { DecideMetrics, HistogramFigures } from './meter.ts'
export { decideRemote } from './remote-service.ts'
export type {
  AnswerBody,
  DecideAnswer,
  DecideRemote,
  DecideStatus,
  DecisionKey,
  Difference,
  Explanation,
  FeatureContribution,
  LivePolicy,
  NamespaceClock,
  NamespaceInfo,
  PlayAnswer,
  PlayStep,
  Recomputation,
  RowAnswer,
  StoredDecision,
} from './remote.ts'
export type { ExplainedFeature, FeatureQuestion } from './feature-explanation.ts'
export { sumFailures } from './failing-rules.ts'
export type { FailingRule, FailingRulesQuery, RuleFailures } from './failing-rules.ts'
export { ANSWERS_REACH } from './challenger-ports.ts'
export type {
  AnsweredEvent,
  AnswersQuery,
  ChallengerReads,
  LabelledAnswer,
  ShadowAnswer,
  ShadowRow,
} from './challenger-ports.ts'
export { createArrivals } from './arrivals.ts'
export type { Arrivals } from './arrivals.ts'
export { NO_SCORE } from './ports.ts'
export { createMemoryIndex, createMemoryReadModel, matches } from './memory.ts'
export { cutPage, decodeCursor, pageLimit } from './pages.ts'
export { caseId, newCase, projectRecord, replacesLabel } from './projection.ts'
export { createProjector } from './projector.ts'
export type { Projector, ProjectorOptions } from './projector.ts'
export { createCaseWork } from './case-work.ts'
export type { CaseWork } from './case-work.ts'
export { caseSettings, type CaseSettings } from './case-options.ts'
export {
  caseOrders,
  decodeCaseCursor,
  encodeCaseCursor,
  riskMinor,
  type CaseGroup,
  type CaseGroupQuery,
  type CaseGroupStore,
  type NewCaseGroup,
} from './case-ports.ts'
export { createCaseDesk } from './case-desk.ts'
export type { CaseDesk, CaseDeskOptions, VerdictLabels } from './case-desk.ts'
export type {
  CaseEvent,
  CaseQuery,
  CaseRow,
  CaseStatus,
  CaseStore,
  CaseWithDecision,
  CurrentLabel,
  DecisionFilter,
  DecisionIndex,
  DecisionOrder,
  DecisionPage,
  DecisionQuery,
  DecisionRange,
  DecisionReadModel,
  DecisionRow,
  DecisionStore,
  DeploymentRow,
  IndexEntry,
  IndexWrite,
  LabelRow,
  LabelState,
  LatencyBucket,
  OutcomeBucket,
  ProjectionBatch,
  ProjectionChange,
  ProjectionSink,
  Verdict,
} from './ports.ts'
