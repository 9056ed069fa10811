/**
 * novelty: what in the activity of an entity was never seen before, in two stages. Stage 1 (`sequences/`)
 * knows the event sequences that are normal and lets only windows through that are not among them. Stage 2
 * (`memory/`) gathers those, and tells noise, drift, recurrence and novelty apart.
 *
 * What always holds: only what a person or a rule confirmed as normal is learnt; a version is named by the
 * hash of its content and can be returned to; memory is bounded, and what leaves it is counted; a verdict
 * carries its evidence; thresholds come from training data alone.
 */
export { fail as noveltyErrors } from './errors.ts'
export { witnesses, type Witness } from './sequences/calibration.ts'
export {
  SequenceFilter,
  type FilterCounts,
  type FilterOptions,
  type FilterState,
  type SequenceEvent,
  type WindowRule,
  type WindowVerdict,
} from './sequences/filter.ts'
export { SequenceKnowledge, type KnowledgeState } from './sequences/knowledge.ts'
export {
  inWords,
  mainWitness,
  SequenceTally,
  type SequenceMeasures,
} from './sequences/measuring.ts'
export {
  SequenceModel,
  type Difference,
  type SequenceEvidence,
  type SequenceVerdict,
  type UnseenGram,
} from './sequences/model.ts'
export type { SequenceOptions } from './sequences/options.ts'
export { readSessions, type RejectedLine, type SessionsRead } from './sequences/reading.ts'
export {
  SequenceVersions,
  type Confirmation,
  type SequenceChange,
  type VersionsOptions,
  type VersionsState,
} from './sequences/versions.ts'
export { type Digest as AlertDigest } from './memory/alerts.ts'
export { type DeclaredKinds } from './memory/encoding.ts'
export { type EventColumns, type EventFile, openEvents, type RefusedRow } from './memory/reading.ts'
export { type MemorySettings } from './memory/settings.ts'
export {
  NoveltyStream,
  type NoveltyStreamState,
  type StreamDeclaration,
  type StreamEvent,
  type TrainingEvent,
} from './memory/stream.ts'
export type {
  Evidence as NoveltyEvidence,
  Feedback as PatternFeedback,
  Finding as NoveltyFinding,
  Observation as StreamObservation,
  Pattern as StreamPattern,
  Verdict as NoveltyVerdict,
} from './memory/types.ts'
export { type MemoryVersion, MemoryVersions } from './memory/versions.ts'
