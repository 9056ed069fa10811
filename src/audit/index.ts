/**
 * The audit room: the tamper-evident log of everything that changes the bank's state.
 *
 * What it owns: the entries (who did what to which object, when and why), the Merkle tree over
 * them, the signed checkpoints, and the offline verifier.
 *
 * What always holds:
 * - An entry is committed in the same transaction as the change it tells of, or neither is.
 * - Entries are only added; entry i has index i, and the tree of any size begins with every
 *   smaller one. A checkpoint is signed only if it does not contradict the one before.
 * - A leaf is the canonical JSON of its entry; what people read is read out of the leaf.
 * - Personal data is never inside, only ids and hashes: an entry cannot be erased.
 * - The verifier shares no code with the writer.
 */
export {
  checkpointNote,
  createCheckpointSigner,
  generateSigningKey,
  type CheckpointSigner,
} from './checkpoint.ts'
export { auditErrors } from './errors.ts'
export { createAuditLog, type AuditLog, type AuditLogDependencies } from './log.ts'
export { createMemoryAuditStore } from './memory.ts'
export type { AuditStore } from './ports.ts'
export type {
  AuditEntry,
  AuditObject,
  AuditQuery,
  AuditRecord,
  Checkpoint,
  ConsistencyProof,
  InclusionProof,
  NewAuditEntry,
} from './types.ts'
export {
  createAuditVerifier,
  verifyAudit,
  verifyAuditExport,
  verifyCheckpoint,
  verifyConsistency,
  verifyInclusion,
  type AuditFinding,
  type AuditFindingKind,
  type AuditVerdict,
  type VerifiableCheckpoint,
  type VerifyOptions,
} from './verify.ts'
