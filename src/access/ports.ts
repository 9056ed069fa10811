import type { Identity, KeyRecord, Role } from './types.ts'

export interface StoredKey extends KeyRecord {
  /** SHA-256 of the key, in hex. */
  readonly hash: string
}

export interface StoredLink {
  readonly hash: string
  readonly identityId: string
  readonly expiresAtUs: number
  readonly usedAtUs?: number | undefined
}

export interface StoredSession {
  readonly hash: string
  readonly identityId: string
  /** The key that opened it; missing for a link, and for sessions of before this was kept. */
  readonly keyId?: string | undefined
  readonly createdAtUs: number
  readonly expiresAtUs: number
}

/** Identities and the hashes of what they sign in with. Times are µs UTC. */
export interface AccessStore {
  insertIdentity(identity: Identity): Promise<void>
  setRoles(identityId: string, roles: readonly Role[]): Promise<void>
  identity(id: string): Promise<Identity | undefined>
  /** In order of creation. */
  identities(): Promise<Identity[]>

  insertKey(key: StoredKey): Promise<void>
  key(id: string): Promise<StoredKey | undefined>
  keyByHash(hash: string): Promise<StoredKey | undefined>
  /** In order of creation, revoked ones included. */
  keys(): Promise<StoredKey[]>
  setKeyRevoked(id: string, atUs: number): Promise<void>
  setKeyUsed(id: string, atUs: number): Promise<void>

  insertLink(link: StoredLink): Promise<void>
  link(hash: string): Promise<StoredLink | undefined>
  /** True for the first caller alone: a link is used once. */
  useLink(hash: string, atUs: number): Promise<boolean>

  insertSession(session: StoredSession): Promise<void>
  session(hash: string): Promise<StoredSession | undefined>
  sessions(): Promise<StoredSession[]>
  deleteSession(hash: string): Promise<void>
  deleteSessionsOf(identityId: string): Promise<void>
  /** Those that this key opened. */
  deleteSessionsOfKey(keyId: string): Promise<void>
  /** Forgets sessions and links that expired before the time given. */
  deleteExpired(beforeUs: number): Promise<void>
}
