import type { AuditLog } from '../audit/index.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids, RandomBytes } from '../lib/ids.ts'
import { isOneLine } from '../lib/one-line.ts'
import { HOUR_US, MINUTE_US } from '../lib/time.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import { accessErrors } from './errors.ts'
import { requireReason, roles as knownRoles } from './permissions.ts'
import type { AccessStore, StoredKey } from './ports.ts'
import { hashSecret, looksLikeSecret, newSecret } from './secrets.ts'
import type {
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

export const signInLinkLifetimeUs = 10 * MINUTE_US
/** The name of the cookie that carries a session; both doors read it. */
export const sessionCookie = 'assay_session'

/** The session that a `Cookie` header carries (RFC 6265, section 5.4). */
export function sessionOf(cookie: string | undefined): string | undefined {
  for (const part of (cookie ?? '').split(';')) {
    const [name, value] = part.trim().split('=', 2)
    if (name === sessionCookie && value) return value
  }
  return undefined
}
export const sessionLifetimeUs = 12 * HOUR_US

/** How often the last use of a key is written down; more often would be a write per request. */
const keyUseRecordedEveryUs = MINUTE_US

/** Assay itself, as the actor of what no person asked for. */
export const systemActor: ChangeBy['actor'] = { id: 'system', name: 'Assay', kind: 'system' }

export interface NewIdentity {
  readonly name: string
  readonly kind: IdentityKind
  readonly roles: readonly Role[]
}

/** Identities and how they prove who they are. Every change is audited in its transaction. */
export interface Access {
  /**
   * While there is no administrator (on the very first start), makes one with a key; afterwards
   * does nothing and returns undefined.
   */
  firstStart(): Promise<IssuedKey | undefined>
  createIdentity(identity: NewIdentity, by: ChangeBy): Promise<Identity>
  /** The identity of that name and kind, made with these roles if it is not there yet. */
  ensureIdentity(identity: NewIdentity, by: ChangeBy): Promise<Identity>
  identity(id: string): Promise<Identity | undefined>
  identities(): Promise<Identity[]>
  setRoles(identityId: string, roles: readonly Role[], by: ChangeBy): Promise<Identity>
  issueKey(request: { identityId: string; name: string }, by: ChangeBy): Promise<IssuedKey>
  keys(): Promise<KeyRecord[]>
  /**
   * Ends the sessions that the key opened too; with the last key of an identity, all of its
   * sessions. Error: `key_not_found`.
   */
  revokeKey(keyId: string, by: ChangeBy): Promise<void>
  /**
   * For a lost key, on the machine itself: revokes every key and session of the first
   * administrator and issues a new key.
   */
  resetAdministrator(by: ChangeBy): Promise<IssuedKey>
  /** A link for one sign-in within ten minutes; for the first administrator unless told. */
  createSignInLink(by: ChangeBy, identityId?: string): Promise<SignInLink>
  /** Takes a link's token or a key and opens a session of twelve hours. */
  signIn(secret: string): Promise<SignedIn>
  signOut(session: string): Promise<void>
  /** Who asks; undefined where nobody is proven. Never says why, so that nothing can be probed. */
  authenticate(credentials: Credentials): Promise<Identity | undefined>
  /** What other processes need to authenticate on their own. */
  snapshot(): Promise<AccessSnapshot>
}

export interface AccessDependencies {
  readonly store: AccessStore
  readonly unit: UnitOfWork
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
  readonly ids: Ids
  readonly random: RandomBytes
  /** A change resolves once this has, if it returns a promise. */
  readonly emit?: (event: AccessChanged) => unknown
}

/** Who was proven; by which key, where it was one. */
interface Proven {
  readonly identity: Identity
  readonly keyId?: string
}

export function createAccess(dependencies: AccessDependencies): Access {
  const { store, unit, audit, clock, ids, random, emit } = dependencies
  const lastUseWritten = new Map<string, number>()

  /** One transaction: the change, its audit entry, and the event once both are on disk. */
  async function change<T>(
    by: ChangeBy,
    action: string,
    work: () => Promise<{ result: T; object: { kind: string; id: string }; details: object }>,
  ): Promise<T> {
    const reason = requireReason(by)
    let told: unknown
    const changed = await unit.transaction(async () => {
      const { result, object, details } = await work()
      await audit.append({ actor: by.actor.id, action, object, reason, details: { ...details } })
      unit.afterCommit(() => {
        told = emit?.({ type: 'access.changed' })
      })
      return result
    })
    await told
    return changed
  }

  async function identityOrFail(id: string): Promise<Identity> {
    const identity = await store.identity(id)
    if (identity === undefined) throw accessErrors.identity_not_found(`No identity has id ${id}.`)
    return identity
  }

  async function firstAdministrator(): Promise<Identity> {
    const administrator = (await store.identities()).find((i) => i.roles.includes('administrator'))
    if (administrator === undefined) {
      throw accessErrors.identity_not_found('No identity is an administrator.')
    }
    return administrator
  }

  const access: Access = {
    async firstStart() {
      return unit.transaction(async () => {
        // Scripts and people may be there before: a command without a server makes them.
        const known = await store.identities()
        if (known.some(({ roles }) => roles.includes('administrator'))) return undefined
        const by = { actor: systemActor, reason: 'First start of this home directory' }
        const identity = await access.createIdentity(
          { name: 'Administrator', kind: 'person', roles: ['administrator', 'approver'] },
          by,
        )
        return access.issueKey({ identityId: identity.id, name: 'First-start key' }, by)
      })
    },

    async createIdentity(input, by) {
      const name = checkedIdentity(input)
      return change(by, 'access.identity-created', async () => {
        const identity: Identity = {
          id: ids('identity'),
          name,
          kind: input.kind,
          roles: [...input.roles],
          createdAtUs: clock.nowUs(),
        }
        await store.insertIdentity(identity)
        return {
          result: identity,
          object: { kind: 'identity', id: identity.id },
          details: { kind: identity.kind, roles: identity.roles },
        }
      })
    },

    async ensureIdentity(input, by) {
      return unit.transaction(async () => {
        const known = (await store.identities()).find(
          (i) => i.name === input.name.trim() && i.kind === input.kind,
        )
        return known ?? access.createIdentity(input, by)
      })
    },

    identity: (id) => store.identity(id),
    identities: () => store.identities(),

    async setRoles(identityId, roles, by) {
      checkRoles(roles)
      return change(by, 'access.roles-set', async () => {
        const before = await identityOrFail(identityId)
        if (before.roles.includes('administrator') && !roles.includes('administrator')) {
          const others = (await store.identities()).filter(
            (i) => i.id !== identityId && i.roles.includes('administrator'),
          )
          if (others.length === 0) {
            throw accessErrors.last_administrator(`${before.name} is the only administrator.`)
          }
        }
        await store.setRoles(identityId, roles)
        return {
          result: { ...before, roles: [...roles] },
          object: { kind: 'identity', id: identityId },
          details: { before: before.roles, after: roles },
        }
      })
    },

    async issueKey({ identityId, name }, by) {
      requireOneLine(name.trim())
      return change(by, 'access.key-issued', async () => {
        const identity = await identityOrFail(identityId)
        const secret = newSecret('ak', random)
        const stored: StoredKey = {
          id: ids('key'),
          identityId,
          name: name.trim().slice(0, 200) || 'Key',
          createdAtUs: clock.nowUs(),
          hash: secret.hash,
        }
        await store.insertKey(stored)
        return {
          result: { key: secret.text, identity, record: withoutHash(stored) },
          object: { kind: 'key', id: stored.id },
          details: { identity: identityId, name: stored.name },
        }
      })
    },

    keys: async () => (await store.keys()).map(withoutHash),

    async revokeKey(keyId, by) {
      return change(by, 'access.key-revoked', async () => {
        const key = await store.key(keyId)
        if (key === undefined) throw accessErrors.key_not_found(`No key has id ${keyId}.`)
        if (key.revokedAtUs === undefined) await store.setKeyRevoked(keyId, clock.nowUs())
        const left = (await store.keys()).filter(
          ({ identityId, revokedAtUs }) =>
            identityId === key.identityId && revokedAtUs === undefined,
        )
        await store.deleteSessionsOfKey(keyId)
        // Which key opened an older session is not known.
        if (left.length === 0) await store.deleteSessionsOf(key.identityId)
        return {
          result: undefined,
          object: { kind: 'key', id: keyId },
          details: { identity: key.identityId },
        }
      })
    },

    async resetAdministrator(by) {
      return change(by, 'access.administrator-reset', async () => {
        const administrator = await firstAdministrator()
        const lost = (await store.keys()).filter(
          (key) => key.identityId === administrator.id && key.revokedAtUs === undefined,
        )
        for (const key of lost) await store.setKeyRevoked(key.id, clock.nowUs())
        await store.deleteSessionsOf(administrator.id)
        const issued = await access.issueKey(
          { identityId: administrator.id, name: 'Key after reset' },
          by,
        )
        return {
          result: issued,
          object: { kind: 'identity', id: administrator.id },
          details: { revoked: lost.map((key) => key.id) },
        }
      })
    },

    async createSignInLink(by, identityId) {
      return change(by, 'access.sign-in-link-created', async () => {
        const identity =
          identityId === undefined ? await firstAdministrator() : await identityOrFail(identityId)
        await store.deleteExpired(clock.nowUs())
        const secret = newSecret('link', random)
        const expiresAtUs = clock.nowUs() + signInLinkLifetimeUs
        await store.insertLink({ hash: secret.hash, identityId: identity.id, expiresAtUs })
        return {
          result: { token: secret.text, identityId: identity.id, expiresAtUs },
          object: { kind: 'identity', id: identity.id },
          details: { expiresAtUs },
        }
      })
    },

    async signIn(secret) {
      return unit.transaction(async () => {
        const { identity, keyId } = await proveSecret(secret)
        const by = { actor: identity, reason: 'Signed in' }
        return change(by, 'access.signed-in', async () => {
          const session = newSecret('session', random)
          const createdAtUs = clock.nowUs()
          const expiresAtUs = createdAtUs + sessionLifetimeUs
          const identityId = identity.id
          const opened = { hash: session.hash, identityId, createdAtUs, expiresAtUs }
          await store.insertSession({ ...opened, ...(keyId !== undefined && { keyId }) })
          return {
            result: { session: session.text, identity, expiresAtUs },
            object: { kind: 'identity', id: identityId },
            details: { with: secret.startsWith('link_') ? 'link' : 'key', expiresAtUs },
          }
        })
      })
    },

    async signOut(session) {
      const identity = await access.authenticate({ session })
      if (identity === undefined) return
      await change({ actor: identity, reason: 'Signed out' }, 'access.signed-out', async () => {
        await store.deleteSession(hashSecret(session))
        return { result: undefined, object: { kind: 'identity', id: identity.id }, details: {} }
      })
    },

    async authenticate({ bearer, session }) {
      if (bearer !== undefined) return (await provenKey(bearer))?.identity
      if (session === undefined || !looksLikeSecret('session', session)) return undefined
      const found = await store.session(hashSecret(session))
      if (found === undefined || found.expiresAtUs <= clock.nowUs()) return undefined
      return store.identity(found.identityId)
    },

    async snapshot() {
      const nowUs = clock.nowUs()
      const identities = await store.identities()
      const keys = (await store.keys()).filter((key) => key.revokedAtUs === undefined)
      const sessions = (await store.sessions()).filter((s) => s.expiresAtUs > nowUs)
      return {
        format: 1,
        atUs: nowUs,
        identities: Object.fromEntries(identities.map((i) => [i.id, i])),
        keys: Object.fromEntries(keys.map((key) => [key.hash, key.identityId])),
        sessions: Object.fromEntries(
          sessions.map(({ hash, identityId, expiresAtUs }) => [hash, { identityId, expiresAtUs }]),
        ),
      }
    },
  }
  return access

  async function provenKey(text: string): Promise<Proven | undefined> {
    if (!looksLikeSecret('ak', text)) return undefined
    const key = await store.keyByHash(hashSecret(text))
    if (key === undefined || key.revokedAtUs !== undefined) return undefined
    const nowUs = clock.nowUs()
    const written = lastUseWritten.get(key.id) ?? key.lastUsedAtUs ?? 0
    if (nowUs - written >= keyUseRecordedEveryUs) {
      lastUseWritten.set(key.id, nowUs)
      await store.setKeyUsed(key.id, nowUs)
    }
    const identity = await store.identity(key.identityId)
    return identity && { identity, keyId: key.id }
  }

  async function proveSecret(secret: string): Promise<Proven> {
    if (looksLikeSecret('link', secret)) {
      const link = await store.link(hashSecret(secret))
      const fresh = link !== undefined && link.expiresAtUs > clock.nowUs()
      if (fresh && (await store.useLink(link.hash, clock.nowUs()))) {
        return { identity: await identityOrFail(link.identityId) }
      }
      throw accessErrors.sign_in_link_invalid('The link was used before, has expired, or is wrong.')
    }
    const proven = await provenKey(secret)
    if (proven === undefined) throw accessErrors.unauthenticated('No identity has this key.')
    return proven
  }
}

function withoutHash({ hash: _, ...record }: StoredKey): KeyRecord {
  return record
}

function checkedIdentity({ name, kind, roles }: NewIdentity): string {
  const trimmed = name.trim()
  if (trimmed === '' || trimmed.length > 200) {
    throw accessErrors.identity_invalid('The name must have 1 to 200 characters.')
  }
  requireOneLine(trimmed)
  if (!['person', 'script', 'system'].includes(kind)) {
    throw accessErrors.identity_invalid(`"${kind}" is no kind of identity.`)
  }
  checkRoles(roles)
  return trimmed
}

/** Names stand in the audit log, on the page and in terminals. */
function requireOneLine(name: string): void {
  if (isOneLine(name)) return
  throw accessErrors.identity_invalid('The name must be one line without control characters.')
}

function checkRoles(roles: readonly Role[]): void {
  const unknown = roles.find((role) => !knownRoles.includes(role))
  if (unknown !== undefined) throw accessErrors.identity_invalid(`"${unknown}" is not a role.`)
}
