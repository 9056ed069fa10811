import { Type, type Static } from '@sinclair/typebox'
import {
  exportQuery,
  Identity,
  Json,
  Nullable,
  ObjectRef,
  PageOf,
  pageQuery,
  rangeQuery,
  Time,
  Verdict,
} from './shapes.ts'

export const Checkpoint = Type.Object({
  size: Type.Integer(),
  root: Type.String(),
  at: Time,
  keyId: Type.String(),
  signature: Type.String(),
})
export const AuditEntry = Type.Object({
  index: Type.Integer(),
  at: Time,
  actor: Identity,
  action: Type.String({ description: 'noun.verb: version.approve' }),
  object: ObjectRef,
  reason: Type.String(),
  leafHash: Type.String(),
  details: Json,
})
export type AuditEntry = Static<typeof AuditEntry>

export const AuditQuery = Type.Object({
  actor: Type.Optional(Type.String()),
  action: Type.Optional(Type.String()),
  kind: Type.Optional(Type.String()),
  object: Type.Optional(Type.String()),
  text: Type.Optional(Type.String({ maxLength: 200 })),
  ...rangeQuery,
  ...pageQuery,
  ...exportQuery,
})
export const AuditPage = Type.Composite([
  PageOf(AuditEntry),
  Type.Object({
    checkpoint: Nullable(Checkpoint),
    actions: Type.Array(Type.String(), { description: 'All actions there are, for the filter' }),
    actors: Type.Array(Identity),
  }),
])
export type AuditPage = Static<typeof AuditPage>

export const AuditEntryParams = Type.Object({ index: Type.Integer({ minimum: 0 }) })
export const AuditEntryProof = Type.Object({
  entry: AuditEntry,
  treeSize: Type.Integer(),
  root: Type.String(),
  path: Type.Array(Type.String()),
  verdict: Verdict,
})
export type AuditEntryProof = Static<typeof AuditEntryProof>

/** The whole log recomputed by the independent verifier. */
export const AuditVerified = Type.Object({
  verdict: Verdict,
  size: Type.Integer(),
  root: Type.String(),
  checkpoint: Nullable(Checkpoint),
  segments: Type.Integer({ description: 'Sealed journal segments whose hash was checked' }),
  tookMs: Type.Number(),
  command: Type.String({ description: 'How to do the same offline' }),
})
export type AuditVerified = Static<typeof AuditVerified>
