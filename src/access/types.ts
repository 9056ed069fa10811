/** A person, a script that plays a person, or Assay itself. The kind never changes. */
export type IdentityKind = 'person' | 'script' | 'system'

/** What an identity may do; `may` holds the table. */
export type Role = 'administrator' | 'approver' | 'analyst' | 'reader' | 'caller'

export interface Identity {
  readonly id: string
  readonly name: string
  readonly kind: IdentityKind
  readonly roles: readonly Role[]
  readonly createdAtUs: number
}

/** Who makes a change and why; every change that the audit log records carries one. */
export interface ChangeBy {
  readonly actor: Pick<Identity, 'id' | 'name' | 'kind'>
  readonly reason: string
}

/** A key as listed. The key itself is shown once, when it is made; only its hash is kept. */
export interface KeyRecord {
  readonly id: string
  readonly identityId: string
  readonly name: string
  readonly createdAtUs: number
  readonly lastUsedAtUs?: number | undefined
  readonly revokedAtUs?: number | undefined
}

export interface IssuedKey {
  /** `ak_` and 43 characters; cannot be shown again. */
  readonly key: string
  readonly identity: Identity
  readonly record: KeyRecord
}

export interface SignInLink {
  readonly token: string
  readonly identityId: string
  readonly expiresAtUs: number
}

export interface SignedIn {
  /** The value of the session cookie; only its hash is kept. */
  readonly session: string
  readonly identity: Identity
  readonly expiresAtUs: number
}

/** What a request carries: an `Authorization: Bearer` key or the session cookie. */
export interface Credentials {
  readonly bearer?: string | undefined
  readonly session?: string | undefined
}

/**
 * What another process needs to authenticate on its own: hashes, never secrets. Published as
 * `published/access.json` after every change.
 */
export interface AccessSnapshot {
  readonly format: 1
  readonly atUs: number
  readonly identities: Readonly<Record<string, Identity>>
  /** SHA-256 of the key → identity id. */
  readonly keys: Readonly<Record<string, string>>
  /** SHA-256 of the session → identity id and expiry. */
  readonly sessions: Readonly<Record<string, { identityId: string; expiresAtUs: number }>>
}

/** Emitted after a change that the published snapshot must show. */
export interface AccessChanged {
  readonly type: 'access.changed'
}
