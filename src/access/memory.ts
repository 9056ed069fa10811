import type { Restorable } from '../lib/unit-of-work.ts'
import type { AccessStore, StoredKey, StoredLink, StoredSession } from './ports.ts'
import type { Identity } from './types.ts'

/** The simplest right store: maps that a failed transaction puts back. */
export function createMemoryAccessStore(): AccessStore & Restorable {
  let identities = new Map<string, Identity>()
  let keys = new Map<string, StoredKey>()
  let links = new Map<string, StoredLink>()
  let sessions = new Map<string, StoredSession>()

  function changeKey(id: string, change: Partial<StoredKey>): void {
    const key = keys.get(id)
    if (key !== undefined) keys.set(id, { ...key, ...change })
  }

  return {
    save() {
      const saved = [new Map(identities), new Map(keys), new Map(links), new Map(sessions)] as const
      return () => {
        ;[identities, keys, links, sessions] = saved
      }
    },
    async insertIdentity(identity) {
      identities.set(identity.id, identity)
    },
    async setRoles(identityId, roles) {
      const identity = identities.get(identityId)
      if (identity !== undefined) identities.set(identityId, { ...identity, roles: [...roles] })
    },
    identity: async (id) => identities.get(id),
    identities: async () => [...identities.values()].sort(byCreation),

    async insertKey(key) {
      keys.set(key.id, key)
    },
    key: async (id) => keys.get(id),
    keyByHash: async (hash) => [...keys.values()].find((key) => key.hash === hash),
    keys: async () => [...keys.values()].sort(byCreation),
    setKeyRevoked: async (id, atUs) => changeKey(id, { revokedAtUs: atUs }),
    setKeyUsed: async (id, atUs) => changeKey(id, { lastUsedAtUs: atUs }),

    async insertLink(link) {
      links.set(link.hash, link)
    },
    link: async (hash) => links.get(hash),
    async useLink(hash, atUs) {
      const link = links.get(hash)
      if (link === undefined || link.usedAtUs !== undefined) return false
      links.set(hash, { ...link, usedAtUs: atUs })
      return true
    },

    async insertSession(session) {
      sessions.set(session.hash, session)
    },
    session: async (hash) => sessions.get(hash),
    sessions: async () => [...sessions.values()],
    async deleteSession(hash) {
      sessions.delete(hash)
    },
    async deleteSessionsOf(identityId) {
      for (const s of sessions.values()) if (s.identityId === identityId) sessions.delete(s.hash)
    },
    async deleteSessionsOfKey(keyId) {
      for (const s of sessions.values()) if (s.keyId === keyId) sessions.delete(s.hash)
    },
    async deleteExpired(beforeUs) {
      for (const s of sessions.values()) if (s.expiresAtUs < beforeUs) sessions.delete(s.hash)
      for (const l of links.values()) if (l.expiresAtUs < beforeUs) links.delete(l.hash)
    },
  }
}

function byCreation(
  a: { createdAtUs: number; id: string },
  b: { createdAtUs: number; id: string },
) {
  return a.createdAtUs - b.createdAtUs || (a.id < b.id ? -1 : 1)
}
