/**
 * governance: the inventory of models, gates, evidence, approvals and model cards.
 *
 * What always holds: a version is approved only while its latest evidence passes the model's
 * present gate and enough different identities, none of whom trained or registered it, approved
 * exactly that version, gate and evidence; a change of any of the three voids their approvals; a
 * script approves in an example project alone, and its approval is watermarked.
 */
export { createGovernance } from './service.ts'
export type {
  CardView,
  Enrolment,
  Governance,
  GovernanceDependencies,
  VerdictRequest,
} from './service.ts'
export { afterReviewDueUs, createAfterReviews } from './after-reviews.ts'
export type { AfterReviews } from './after-reviews.ts'
export { compileGatePolicy, gatePolicy, gateRequirements } from './policy.ts'
export type { CompiledGatePolicy, GatePolicyDeclaration, GatePolicyOptions } from './policy.ts'
export { runGate } from './gate.ts'
export type { Champion } from './gate.ts'
export { bindingOf } from './standing.ts'
export { buildModelCard, missingCardFields, scriptWatermark } from './card.ts'
export type { ModelCardFacts } from './card.ts'
export type { ModelCard } from './card-schema.ts'
export { createMemoryGovernanceStore } from './memory.ts'
export { governanceErrors } from './errors.ts'
export type { GovernanceStore } from './ports.ts'
export type {
  ActAtOnce,
  AfterReview,
  AfterSignature,
  AfterVerdict,
  Approval,
  ApprovalsVoided,
  ApprovalView,
  ChampionComparison,
  Evidence,
  EvidenceMetric,
  EvidencePolicy,
  GateCheck,
  GateResult,
  GateRun,
  GovernanceEvent,
  InventoryEntry,
  Standing,
  StandingState,
  Verdict,
  VersionApproved,
  VersionRefused,
} from './types.ts'
