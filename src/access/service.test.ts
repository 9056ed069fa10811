import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { NewAuditEntry } from '../audit/index.ts'
import { manualClock } from '../lib/clock.ts'
import { createIds } from '../lib/ids.ts'
import { createMemoryUnitOfWork } from '../lib/unit-of-work.ts'
import {
  authenticateWith,
  createAccess,
  createMemoryAccessStore,
  may,
  requireMay,
  type Action,
} from './index.ts'
import { sessionLifetimeUs, signInLinkLifetimeUs, systemActor } from './service.ts'

const by = { actor: systemActor, reason: 'A test' }

function openAccess() {
  const store = createMemoryAccessStore()
  const unit = createMemoryUnitOfWork([store])
  const clock = manualClock(1_000_000_000_000_000)
  const entries: NewAuditEntry[] = []
  let changes = 0
  let auditFails = false
  const audit = {
    append: async (entry: NewAuditEntry) => {
      if (auditFails) throw new Error('audit failed')
      entries.push(entry)
      return { ...entry, index: entries.length - 1, id: 'x', atUs: clock.nowUs() }
    },
  }
  const ids = createIds(clock, randomBytes)
  const emit = async () => {
    await Promise.resolve()
    changes++
  }
  const access = createAccess({ store, unit, audit, clock, ids, random: randomBytes, emit })
  return {
    access,
    store,
    clock,
    entries,
    changes: () => changes,
    failAudit: () => {
      auditFails = true
    },
  }
}

describe('the first start', () => {
  test('makes an administrator with a key, once', async () => {
    const { access } = openAccess()
    const first = await access.firstStart()
    expect(first?.key).toMatch(/^ak_[\w-]{43}$/)
    expect(await access.firstStart()).toBeUndefined()
    expect(await access.authenticate({ bearer: first!.key })).toMatchObject({ kind: 'person' })
  })

  test('keeps no key and writes none into the audit log', async () => {
    const { access, store, entries } = openAccess()
    const { key } = (await access.firstStart())!
    const kept = JSON.stringify([await store.keys(), await access.snapshot(), entries])
    expect(kept).not.toContain(key)
    expect(kept).not.toContain(key.slice(3))
  })
})

describe('keys', () => {
  test('a revoked key authenticates nobody, here and in the snapshot', async () => {
    const { access, clock } = openAccess()
    const { key, record } = (await access.firstStart())!
    const before = await access.snapshot()
    expect(authenticateWith(before, { bearer: key }, clock.nowUs())?.name).toBe('Administrator')
    await access.revokeKey(record.id, by)
    const after = await access.snapshot()
    expect(await access.authenticate({ bearer: key })).toBeUndefined()
    expect(authenticateWith(after, { bearer: key }, clock.nowUs())).toBeUndefined()
  })

  test.each(['', 'ak_', 'ak_short', 'constructor', `ak_${'a'.repeat(43)}`, 'x'.repeat(100_000)])(
    'the guess %j authenticates nobody',
    async (bearer) => {
      const { access, clock } = openAccess()
      await access.firstStart()
      expect(await access.authenticate({ bearer })).toBeUndefined()
      expect(authenticateWith(await access.snapshot(), { bearer }, clock.nowUs())).toBeUndefined()
    },
  )

  test('remember when they were last used, to the minute', async () => {
    const { access, clock } = openAccess()
    const { key } = (await access.firstStart())!
    await access.authenticate({ bearer: key })
    const first = clock.nowUs()
    clock.advance(1_000_000)
    await access.authenticate({ bearer: key })
    expect((await access.keys())[0]?.lastUsedAtUs).toBe(first)
    clock.advance(60_000_000)
    await access.authenticate({ bearer: key })
    expect((await access.keys())[0]?.lastUsedAtUs).toBe(clock.nowUs())
  })

  test('a reset revokes the lost key and every session, and is audited', async () => {
    const { access, entries } = openAccess()
    const { key } = (await access.firstStart())!
    const { session } = await access.signIn(key)
    const issued = await access.resetAdministrator({ ...by, reason: 'The key was lost' })
    expect(await access.authenticate({ bearer: key })).toBeUndefined()
    expect(await access.authenticate({ session })).toBeUndefined()
    expect(await access.authenticate({ bearer: issued.key })).toBeDefined()
    expect(entries.at(-1)).toMatchObject({
      action: 'access.administrator-reset',
      reason: 'The key was lost',
    })
  })
})

describe('a sign-in link', () => {
  test('opens one session, once', async () => {
    const { access, changes } = openAccess()
    await access.firstStart()
    const { token } = await access.createSignInLink(by)
    const { session } = await access.signIn(token)
    expect(await access.authenticate({ session })).toMatchObject({ name: 'Administrator' })
    // Those who authenticate by the snapshot know of it by now.
    expect(changes()).toBe(4)
    await expect(access.signIn(token)).rejects.toMatchObject({ code: 'sign_in_link_invalid' })
  })

  test('works for ten minutes', async () => {
    const { access, clock } = openAccess()
    await access.firstStart()
    const { token } = await access.createSignInLink(by)
    clock.advance(signInLinkLifetimeUs)
    await expect(access.signIn(token)).rejects.toMatchObject({ code: 'sign_in_link_invalid' })
  })
})

describe('a session', () => {
  test('ends after twelve hours, here and in the snapshot', async () => {
    const { access, clock } = openAccess()
    const { key } = (await access.firstStart())!
    const { session } = await access.signIn(key)
    const snapshot = await access.snapshot()
    expect(authenticateWith(snapshot, { session }, clock.nowUs())).toBeDefined()
    clock.advance(sessionLifetimeUs)
    expect(await access.authenticate({ session })).toBeUndefined()
    expect(authenticateWith(snapshot, { session }, clock.nowUs())).toBeUndefined()
  })

  test('ends when the key that opened it is revoked, here and in the snapshot', async () => {
    const { access, clock } = openAccess()
    const { key, identity, record } = (await access.firstStart())!
    const other = await access.issueKey({ identityId: identity.id, name: 'Phone' }, by)
    const { session } = await access.signIn(key)
    const kept = await access.signIn(other.key)
    await access.revokeKey(record.id, by)
    expect(await access.authenticate({ session })).toBeUndefined()
    const after = await access.snapshot()
    expect(authenticateWith(after, { session }, clock.nowUs())).toBeUndefined()
    expect(await access.authenticate({ session: kept.session })).toMatchObject(identity)
  })

  test('of which no key is known ends with the last key of its identity', async () => {
    const { access } = openAccess()
    const { identity, record } = (await access.firstStart())!
    const other = await access.issueKey({ identityId: identity.id, name: 'Phone' }, by)
    const { session } = await access.signIn((await access.createSignInLink(by)).token)
    await access.revokeKey(record.id, by)
    expect(await access.authenticate({ session })).toBeDefined()
    await access.revokeKey(other.record.id, by)
    expect(await access.authenticate({ session })).toBeUndefined()
  })

  test('ends with signing out', async () => {
    const { access } = openAccess()
    const { key } = (await access.firstStart())!
    const { session } = await access.signIn(key)
    await access.signOut(session)
    expect(await access.authenticate({ session })).toBeUndefined()
  })
})

describe('a change', () => {
  test('without a reason is refused', async () => {
    const { access } = openAccess()
    const identity = { name: 'Ada', kind: 'person', roles: ['reader'] } as const
    const change = access.createIdentity(identity, { ...by, reason: '  ' })
    await expect(change).rejects.toMatchObject({ code: 'reason_missing' })
  })

  test('is undone and told to nobody when its audit entry fails', async () => {
    const { access, changes, failAudit } = openAccess()
    await access.firstStart()
    const before = changes()
    failAudit()
    const identity = { name: 'Ada', kind: 'person', roles: ['reader'] } as const
    await expect(access.createIdentity(identity, by)).rejects.toThrow('audit failed')
    expect(await access.identities()).toHaveLength(1)
    expect(changes()).toBe(before)
  })

  test('cannot take the last administrator away', async () => {
    const { access } = openAccess()
    const { identity } = (await access.firstStart())!
    const change = access.setRoles(identity.id, ['reader'], by)
    await expect(change).rejects.toMatchObject({ code: 'last_administrator' })
  })
})

test('names of identities and keys are one line that shows all of itself', async () => {
  const { access } = openAccess()
  const named = (name: string) =>
    access.createIdentity({ name, kind: 'person', roles: ['reader'] }, by)
  const { id: identityId } = await named('Ada  Lovelace ✓')
  for (const name of ['A\nda', 'Ada\u0000', '\u001b[2JAda', 'adA\u202e']) {
    await expect(named(name), name).rejects.toMatchObject({ code: 'identity_invalid' })
    await expect(access.issueKey({ identityId, name }, by)).rejects.toMatchObject({
      code: 'identity_invalid',
    })
  }
})

describe('roles', () => {
  test('an approver approves and a reader only reads', () => {
    expect(may({ roles: ['approver'] }, 'approve')).toBe(true)
    expect(may({ roles: ['administrator'] }, 'approve')).toBe(false)
    expect(may({ roles: ['reader'] }, 'deploy')).toBe(false)
    expect(may(undefined, 'read')).toBe(false)
  })

  test('a caller asks for decisions and predictions, and does nothing else at all', () => {
    const expected: Readonly<Record<Action, boolean>> = {
      read: false,
      decide: true,
      ingest: false,
      'work-cases': false,
      'run-pipelines': false,
      track: false,
      'write-policies': false,
      approve: false,
      deploy: false,
      'manage-data': false,
      'manage-access': false,
    }
    for (const [action, is] of Object.entries(expected)) {
      expect(may({ roles: ['caller'] }, action as Action), action).toBe(is)
    }
  })

  test('who may not is told so, and who is unknown is asked to sign in', () => {
    const reader = { name: 'Ada', roles: ['reader'] } as const
    expect(() => requireMay(reader, 'deploy')).toThrow('Ada (reader) may not deploy.')
    expect(() => requireMay(undefined, 'read')).toThrow(
      expect.objectContaining({ code: 'unauthenticated' }),
    )
  })
})
