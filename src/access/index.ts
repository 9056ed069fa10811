/**
 * access: identities, keys, sign-in links, sessions and roles; who may do what to which object.
 *
 * What always holds: a key, link or session is 256 random bits, shown once and kept only as its
 * SHA-256; a link signs in once, within ten minutes; every change has an actor and a reason and is
 * audited in the same transaction; there is always an administrator once there was one.
 */
export {
  createAccess,
  sessionCookie,
  sessionOf,
  sessionLifetimeUs,
  signInLinkLifetimeUs,
  systemActor,
} from './service.ts'
export type { Access, AccessDependencies, NewIdentity } from './service.ts'
export { may, requireMay, requireReason, roles } from './permissions.ts'
export type { AccessObject, Action } from './permissions.ts'
export { authenticateWith } from './snapshot.ts'
export { createMemoryAccessStore } from './memory.ts'
export { accessErrors } from './errors.ts'
export type { AccessStore, StoredKey, StoredLink, StoredSession } from './ports.ts'
export type {
  AccessChanged,
  AccessSnapshot,
  ChangeBy,
  Credentials,
  Identity,
  IdentityKind,
  IssuedKey,
  KeyRecord,
  Role,
  SignedIn,
  SignInLink,
} from './types.ts'
