import { own } from '../lib/records.ts'
import { hashSecret, looksLikeSecret } from './secrets.ts'
import type { AccessSnapshot, Credentials, Identity } from './types.ts'

/**
 * Authenticates against a published snapshot: how a process that does not own the tables knows who
 * asks, also while the owner is down. Pure; a bearer key wins over a session.
 */
export function authenticateWith(
  snapshot: AccessSnapshot,
  credentials: Credentials,
  nowUs: number,
): Identity | undefined {
  const { bearer, session } = credentials
  if (bearer !== undefined) {
    if (!looksLikeSecret('ak', bearer)) return undefined
    const identityId = own(snapshot.keys, hashSecret(bearer))
    return identityId === undefined ? undefined : own(snapshot.identities, identityId)
  }
  if (session !== undefined && looksLikeSecret('session', session)) {
    const found = own(snapshot.sessions, hashSecret(session))
    if (found === undefined || found.expiresAtUs <= nowUs) return undefined
    return own(snapshot.identities, found.identityId)
  }
  return undefined
}
