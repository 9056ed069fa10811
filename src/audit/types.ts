/** What a change was made to. */
export interface AuditObject {
  /** The kind of thing, in the words of its room: `model-version`, `identity`, `snapshot` … */
  readonly kind: string
  readonly id: string
}

/** What the caller says about a change. */
export interface NewAuditEntry {
  /** The id of the identity that made the change; `system` for Assay itself. */
  readonly actor: string
  /** Room and past tense, in lower case: `registry.version-registered`. */
  readonly action: string
  readonly object: AuditObject
  /** Why, in the actor's words. Never empty. */
  readonly reason: string
  /** Facts of this action as JSON. Ids and hashes only: personal data never enters the log. */
  readonly details: Readonly<Record<string, unknown>>
}

/** One entry of the log. Its canonical JSON is the leaf that the tree hashes. */
export interface AuditEntry extends NewAuditEntry {
  /** The place in the log, counted from 0. */
  readonly index: number
  readonly id: string
  /** When, in microseconds UTC, by the clock of the process that writes the log. */
  readonly atUs: number
}

/** An entry as it is stored: `leaf` is the truth, and the entry is what it says. */
export interface AuditRecord {
  readonly entry: AuditEntry
  /** The canonical JSON (RFC 8785) of the entry. */
  readonly leaf: string
  /** SHA-256(0x00 ‖ leaf) as hex (RFC 6962 §2.1). */
  readonly leafHash: string
}

/**
 * A signed statement of what the log held at one time. The signature is over the text of a C2SP
 * tlog-checkpoint with the time as its extension line, so that outside witnesses can read it.
 */
export interface Checkpoint {
  /** The name of this log, unique to one home directory. */
  readonly origin: string
  readonly size: number
  /** The root of the tree of the first `size` entries, as hex. */
  readonly root: string
  readonly atUs: number
  /** Eight hex digits that tell keys apart (C2SP signed-note key id). */
  readonly keyId: string
  /** The Ed25519 signature, base64. */
  readonly signature: string
}

/** Which entries are asked for; what is left out is not asked about. */
export interface AuditQuery {
  /** Only entries below this index: the way to the next page. */
  readonly before?: number
  /** At most this many, newest first. */
  readonly limit: number
  readonly actor?: string
  readonly action?: string
  readonly kind?: string
  readonly object?: string
  /** A text that the leaf contains, whatever its case. */
  readonly text?: string
  /** From this time on. */
  readonly fromUs?: number
  /** Before this time. */
  readonly toUs?: number
}

/** A proof that an entry is in the tree of a size (RFC 9162 §2.1.3). */
export interface InclusionProof {
  readonly index: number
  readonly size: number
  readonly leafHash: string
  readonly root: string
  /** Hashes from the leaf upwards, as hex. */
  readonly path: readonly string[]
}

/** A proof that the tree of one size begins with all of a smaller one (RFC 9162 §2.1.4). */
export interface ConsistencyProof {
  readonly fromSize: number
  readonly toSize: number
  readonly fromRoot: string
  readonly toRoot: string
  readonly path: readonly string[]
}
