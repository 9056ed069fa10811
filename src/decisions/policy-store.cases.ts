/** What every store of orders and drafts does, under the services that use it. */
import { expect, test } from 'vitest'
import type { Identity } from '../access/index.ts'
import type { NewAuditEntry } from '../audit/index.ts'
import { manualClock } from '../lib/clock.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import type { DeployedPolicy } from './deployed.ts'
import { bindingOf, createPolicyDrafts, isApprovedDraft } from './drafts.ts'
import { decisionErrors } from './errors.ts'
import { partsOf, withParts } from './policy.ts'
import type { CompiledPolicy } from './policy.ts'
import type { DraftQuery, KeptDraft, PolicyStore } from './policy-changes.ts'
import { createPolicyDesk } from './policy-desk.ts'

/** A store, and a document with rules "huge" and "busy" of a policy "card". */
type Open = () => Promise<{
  readonly store: PolicyStore
  readonly unit: UnitOfWork
  readonly document: DeployedPolicy
}>

const person = (name: string, roles: Identity['roles']): Identity => ({
  id: `id_${name.toLowerCase()}`,
  name,
  kind: 'person',
  roles,
  createdAtUs: 0,
})
const ada = person('Ada', ['analyst'])
const bea = person('Bea', ['approver', 'analyst'])
const cem = person('Cem', ['approver'])
const people = new Map([ada, bea, cem].map((each) => [each.id, each]))
const by = (actor: Identity, reason = 'A test') => ({ actor, reason })

async function opened(open: Open) {
  const { store, unit, document } = await open()
  const entries: NewAuditEntry[] = []
  const audit = { append: async (entry: NewAuditEntry) => void entries.push(entry) as never }
  let made = 0
  const ids = (prefix: string) => `${prefix}_${String((made += 1)).padStart(4, '0')}`
  const base = withParts(document.policy, {
    ...partsOf(document.policy),
    lists: [{ name: 'blocked', column: 'payment_id', description: '' }],
  })
  const common = { store, unit, audit, clock: manualClock(1_000_000), ids }
  return { ...common, entries, base, document }
}

async function openDesk(open: Open) {
  const { base, document: _, ...common } = await opened(open)
  const told: unknown[] = []
  let away = false
  const tell = async (change: object) => {
    if (away) throw decisionErrors.draining('away')
    told.push(change)
    return { sequence: told.length }
  }
  const policies = [{ policy: 'card' }] as never
  const namespaces = async () => [{ namespace: 'live', nowUs: 0, policies }] as never
  const reviews: string[] = []
  const desk = createPolicyDesk({
    ...common,
    decide: {
      namespaces,
      changeList: tell,
      changeRule: tell,
      listEntries: async () => [],
      controls: async () => {
        const rules = told.filter((each) => (each as { rule?: string }).rule !== undefined)
        const last = rules.at(-1) as { rule: string; change: string } | undefined
        const paused = (last?.change === 'pause' ? [last] : []) as never
        return { paused, suspended: null }
      },
    },
    livePolicies: async () => [base],
    forReview: async ({ what }) => reviews.push(what),
  })
  return { ...common, desk, told, reviews, leave: (gone: boolean) => (away = gone) }
}

async function openDrafts(open: Open) {
  const { base, document, ...common } = await opened(open)
  let live: DeployedPolicy = { ...document, policy: base }
  let refuses = false
  let beside: { readonly draft: string; readonly with: CompiledPolicy } | undefined
  const drafts = createPolicyDrafts({
    ...common,
    access: { identity: async (id) => people.get(id) },
    live: async () => live,
    deploy: async (policy: CompiledPolicy) => {
      live = { ...live, policy }
      beside = undefined
    },
    runShadow: async (_policy, shadow) => {
      if (shadow !== undefined && refuses) throw decisionErrors.deployment_invalid('No model')
      beside = shadow
    },
    evidence: async ({ body }) => {
      return { kind: 'trial', hash: 'e1', version: body.version, sentence: 'Nothing changed' }
    },
  })
  const parts = partsOf(base)
  const [huge, ...rest] = parts.rules
  const stricter = { ...parts, rules: [{ ...huge, when: 'event.amount > 1000.0' }, ...rest] }
  const save = (more: object = {}, who = ada) =>
    drafts.save({ policy: 'card', parts: stricter, tests: [], ...more }, by(who))
  const approve = (draft: KeptDraft, who: Identity) =>
    drafts.giveVerdict(
      {
        id: draft.id,
        verdict: 'approve',
        reason: 'Sound',
        binds: bindingOf({ ...draft, version: draft.body.version }),
      },
      who.id,
    )
  return {
    ...common,
    base,
    drafts,
    stricter,
    save,
    approve,
    live: () => live.policy,
    beside: () => beside,
    refuse: () => (refuses = true),
    /** What a project deploys, or a roll-back. */
    project: (policy: CompiledPolicy) => {
      live = { ...live, policy }
      beside = undefined
    },
  }
}

export function policyStoreCases(name: string, open: Open): void {
  test(`${name}: what is put on a list is audited without its values, then told`, async () => {
    const { desk, told, entries } = await openDesk(open)
    const change = { list: 'blocked', change: 'add', values: ['a', ' b', 'a'], untilUs: 5 } as const
    expect(await desk.changeList(change, by(ada))).toMatchObject({ state: 'told' })
    expect(told).toMatchObject([
      { list: 'blocked', values: ['a', 'b'], untilUs: 5, actor: 'id_ada' },
    ])
    expect(entries[0]).toMatchObject({ action: 'decisions.list-change-ordered', actor: 'id_ada' })
    expect(JSON.stringify(entries)).not.toContain('"b"')
    expect((await desk.changes({ of: 'blocked', limit: 10 })).length).toBe(1)
  })

  test(`${name}: an order that could not be told is told later, in its order and once`, async () => {
    const { desk, told, leave } = await openDesk(open)
    leave(true)
    const add = { list: 'blocked', change: 'add', values: ['a'], untilUs: null } as const
    expect(await desk.changeList(add, by(ada))).toMatchObject({ state: 'ordered' })
    expect(await desk.changeList({ ...add, change: 'remove' }, by(bea))).toMatchObject({
      state: 'ordered',
    })
    leave(false)
    await desk.tellDue()
    await desk.tellDue()
    expect(told).toMatchObject([{ change: 'add' }, { change: 'remove' }])
  })

  test(`${name}: a list that no policy declares, and values that are none, are refused`, async () => {
    const { desk, entries } = await openDesk(open)
    const add = { list: 'blocked', change: 'add', values: [''], untilUs: null } as const
    await expect(desk.changeList(add, by(ada))).rejects.toMatchObject({
      code: 'list_values_invalid',
    })
    const unknown = { ...add, list: 'gone', values: ['a'] }
    await expect(desk.changeList(unknown, by(ada))).rejects.toMatchObject({ code: 'list_unknown' })
    expect(entries).toEqual([])
  })

  test(`${name}: one person pauses a rule and is reviewed; two let it go on`, async () => {
    const { desk, told, reviews } = await openDesk(open)
    const huge = { policy: 'card', rule: 'huge' }
    await desk.pauseRule(huge, by(ada))
    expect(told).toMatchObject([{ change: 'pause' }])
    await expect(desk.pauseRule(huge, by(bea))).rejects.toMatchObject({ code: 'rule_unchanged' })
    expect(reviews).toEqual(['Rule huge of policy card was paused'])
    const { id } = await desk.proposeResume(huge, by(ada))
    const twice = desk.proposeResume(huge, by(ada))
    await expect(twice).rejects.toMatchObject({ code: 'change_waits' })
    expect(told.length).toBe(1)
    await expect(desk.confirm(id, by(ada))).rejects.toMatchObject({ code: 'change_needs_another' })
    const script = by({ ...bea, kind: 'script' })
    await expect(desk.confirm(id, script)).rejects.toMatchObject({ code: 'change_by_script' })
    await expect(desk.proposeResume(huge, script)).rejects.toMatchObject({
      code: 'change_by_script',
    })
    expect(await desk.confirm(id, by(bea))).toMatchObject({ state: 'told' })
    expect(told[1]).toMatchObject({ change: 'resume' })
    await expect(desk.confirm(id, by(cem))).rejects.toMatchObject({ code: 'change_not_found' })
    await expect(desk.proposeResume(huge, by(ada))).rejects.toMatchObject({
      code: 'rule_unchanged',
    })
  })

  test(`${name}: a draft that another person saved since it was read is not overwritten`, async () => {
    const { save, stricter, drafts } = await openDrafts(open)
    const read = await save()
    const binds = bindingOf({ ...read, version: read.body.version })
    const mine = { id: read.id, binds, parts: { ...stricter, description: 'Mine' } }
    const theirs = { id: read.id, binds, parts: { ...stricter, description: 'Theirs' } }
    await save(mine)
    await expect(save(theirs, bea)).rejects.toMatchObject({ code: 'draft_outdated' })
    expect((await drafts.draft(read.id)).body.description).toBe('Mine')
  })

  test(`${name}: a mistake in a rule is told with its place, and nothing is kept`, async () => {
    const { drafts, stricter, save, entries } = await openDrafts(open)
    const [huge, ...rest] = stricter.rules
    const wrong = { ...stricter, rules: [{ ...huge, when: 'event.amuont > 1.0' }, ...rest] }
    const { mistakes } = await drafts.check('card', { parts: wrong, tests: [] })
    expect(mistakes).toMatchObject([{ rule: 'huge', at: 7 }])
    await expect(save({ parts: wrong })).rejects.toMatchObject({
      code: 'rule_invalid',
      extra: { rule: 'huge', at: 7 },
    })
    expect(entries).toEqual([])
    expect(await drafts.drafts('card', 10)).toEqual([])
  })

  test(`${name}: a draft goes live when two who did not write it approved it`, async () => {
    const { drafts, save, approve, live, store, base } = await openDrafts(open)
    const { id } = await save()
    expect(await isApprovedDraft(store, 'card', live().version)).toBe(false)
    const proposed = await drafts.propose(id, by(ada))
    await expect(approve(proposed, ada)).rejects.toMatchObject({ code: 'draft_verdict' })
    expect(await approve(proposed, bea)).toMatchObject({ state: 'proposed' })
    await expect(approve(proposed, bea)).rejects.toMatchObject({ code: 'draft_verdict' })
    expect(live()).toEqual(base)
    expect(await approve(proposed, cem)).toMatchObject({ state: 'live' })
    expect(live().rules[0].when).toBe('event.amount > 1000.0')
    expect(await isApprovedDraft(store, 'card', live().version)).toBe(true)
    expect(await drafts.keptPolicy('card')).toEqual(live())
  })

  test(`${name}: an author of any part of a draft does not approve it`, async () => {
    const { drafts, save, approve, stricter } = await openDrafts(open)
    const { id } = await save()
    await save({ id, parts: { ...stricter, description: 'Stricter' } }, bea)
    await expect(approve(await drafts.propose(id, by(ada)), bea)).rejects.toMatchObject({
      code: 'draft_verdict',
    })
  })

  test(`${name}: a change voids approvals, and one given for what was is refused`, async () => {
    const { drafts, save, approve, stricter } = await openDrafts(open)
    const { id } = await save()
    const proposed = await drafts.propose(id, by(ada))
    await approve(proposed, bea)
    const parts = { ...stricter, description: 'Stricter' }
    expect(await save({ id, parts })).toMatchObject({
      state: 'draft',
      verdicts: [],
      evidence: null,
    })
    await drafts.propose(id, by(ada))
    await expect(approve(proposed, cem)).rejects.toMatchObject({ code: 'draft_outdated' })
  })

  test(`${name}: what changed in shadow runs beside the live rules until the draft ends`, async () => {
    const { drafts, save, live, beside, base } = await openDrafts(open)
    const { id } = await save()
    await drafts.shadow(id, by(ada))
    expect(live()).toEqual(base)
    expect(beside()?.with.rules.map(({ name, mode }) => [name, mode])).toEqual([
      ['huge', undefined],
      ['busy', undefined],
      ['huge-draft', 'shadow'],
    ])
    expect(await drafts.base('card')).toEqual(base)
    await expect(drafts.shadow(id, by(ada))).rejects.toMatchObject({ code: 'draft_state' })
    await drafts.withdraw(id, by(ada))
    expect(beside()).toBeUndefined()
  })

  test(`${name}: a shadow goes on beside the next model and the next policy`, async () => {
    const { drafts, save, project, beside, stricter, base } = await openDrafts(open)
    const { id } = await save()
    await drafts.shadow(id, by(ada))
    const before = beside()
    project(base)
    await drafts.settle('card')
    expect(beside()).toEqual(before)
    expect(await drafts.draft(id)).toMatchObject({ state: 'shadow', history: { length: 2 } })

    const [huge, busy] = partsOf(base).rules
    const rules = [huge, { ...busy, reason: 'Too often' }]
    project(withParts(base, { ...partsOf(base), rules }))
    await drafts.settle('card')
    const [, , ...shadowed] = beside()!.with.rules
    expect(shadowed.map((rule) => rule.name)).toEqual(['huge-draft', 'busy-draft'])
    const moved = await drafts.draft(id)
    expect(moved.history.at(-1)).toMatchObject({ act: 'shadow-moved', actorId: 'system' })
    expect(moved.shadow?.version).toBe(beside()!.with.version)
    await drafts.settle('card')
    expect(await drafts.draft(id)).toEqual(moved)
    expect(stricter.rules[0].when).toBe(moved.body.rules[0].when)
  })

  test(`${name}: a shadow that cannot go on ends, says why, and begins again by one act`, async () => {
    const { drafts, save, project, beside, stricter, base, entries } = await openDrafts(open)
    const { id } = await save()
    await drafts.propose(id, by(ada))
    await drafts.shadow(id, by(ada))
    expect(await drafts.draft(id)).toMatchObject({ state: 'proposed', verdicts: [] })
    project(withParts(base, stricter))
    await drafts.settle('card')
    expect(beside()).toBeUndefined()
    const ended = await drafts.draft(id)
    expect(ended).toMatchObject({ state: 'proposed', shadow: null })
    expect(ended.history.at(-1)).toMatchObject({
      act: 'shadow-ended',
      reason:
        'What is live changed under it. It changes no rule, so nothing of it could run in shadow',
    })
    expect(entries.at(-1)).toMatchObject({ action: 'decisions.draft-shadow-ended' })
    project(base)
    await drafts.shadow(id, by(ada))
    expect(beside()?.draft).toBe(id)
  })

  test(`${name}: a shadow that no document can hold any more ends instead of being tried for ever`, async () => {
    const { drafts, save, refuse, beside } = await openDrafts(open)
    const { id } = await save()
    await drafts.shadow(id, by(ada))
    refuse()
    await drafts.settle('card')
    expect(beside()).toBeUndefined()
    const ended = await drafts.draft(id)
    expect(ended).toMatchObject({ state: 'draft', shadow: null })
    expect(ended.history.at(-1)?.reason).toBe('What is live changed under it. No model')
  })

  test(`${name}: a shadow goes on beside another draft that goes live`, async () => {
    const { drafts, save, approve, beside, base } = await openDrafts(open)
    const { id } = await save()
    await drafts.shadow(id, by(ada))
    const other = await save({ parts: { ...partsOf(base), description: 'Another' } })
    await expect(drafts.shadow(other.id, by(ada))).rejects.toMatchObject({ code: 'draft_state' })
    const proposed = await drafts.propose(other.id, by(ada))
    await approve(proposed, bea)
    expect(await approve(proposed, cem)).toMatchObject({ state: 'live' })
    expect(beside()).toMatchObject({ draft: id, with: { description: 'Another' } })
    expect(await drafts.draft(id)).toMatchObject({ state: 'shadow' })
  })

  test(`${name}: a draft that is rolled back is superseded, and live again with its deployment`, async () => {
    const { drafts, save, approve, project, base } = await openDrafts(open)
    const { id, body } = await save()
    const proposed = await drafts.propose(id, by(ada))
    await approve(proposed, bea)
    await approve(proposed, cem)
    project(base)
    await drafts.settle('card')
    expect(await drafts.draft(id)).toMatchObject({ state: 'superseded' })
    expect(await drafts.keptPolicy('card')).toBeUndefined()
    project(body)
    await drafts.settle('card')
    expect(await drafts.draft(id)).toMatchObject({ state: 'live' })
    expect(await drafts.keptPolicy('card')).toEqual(body)
  })

  test(`${name}: a draft whose tests do not hold is kept and cannot be proposed`, async () => {
    const { drafts, save } = await openDrafts(open)
    const small = { name: 'a small one', event: { amount: 500_00 }, features: {}, listed: [] }
    const tests = [{ ...small, score: 0.1, expect: { outcome: 'decline', rules: ['huge'] } }]
    const { id, results } = await save({ tests })
    expect(results).toMatchObject([{ passed: false, outcome: 'allow', rules: [] }])
    await expect(drafts.propose(id, by(ada))).rejects.toMatchObject({ code: 'draft_tests_failed' })
    const held = [{ ...small, score: 0.1, expect: { outcome: 'allow', rules: [] } }]
    expect((await save({ id, tests: held })).results).toMatchObject([{ passed: true }])
    await drafts.propose(id, by(ada))
  })

  test(`${name}: a draft over what is live no more is not proposed`, async () => {
    const { drafts, save, approve, stricter } = await openDrafts(open)
    const first = await save()
    const second = await save({ parts: { ...stricter, description: 'Another' } })
    const proposed = await drafts.propose(first.id, by(ada))
    await approve(proposed, bea)
    await approve(proposed, cem)
    await expect(drafts.propose(second.id, by(ada))).rejects.toMatchObject({
      code: 'draft_outdated',
    })
  })

  test(`${name}: what is live is found under any number of later drafts`, async () => {
    const { drafts, save, approve, store, unit, project, base } = await openDrafts(open)
    const { id, body } = await save()
    const shadowed = await save()
    const proposed = await drafts.propose(id, by(ada))
    await drafts.shadow(shadowed.id, by(ada))
    await approve(proposed, bea)
    const live = await approve(proposed, cem)
    await unit.transaction(async () => {
      for (let n = 0; n < 1001; n++) {
        const parts = { ...shadowed, state: 'withdrawn', shadow: null, history: [] } as const
        await store.saveDraft({ ...parts, id: `draft_later_${n}` })
      }
    })
    expect(live.state).toBe('live')
    expect(await isApprovedDraft(store, 'card', body.version)).toBe(true)
    expect(await drafts.keptPolicy('card')).toEqual(body)
    project(base)
    await drafts.settle('card')
    expect(await drafts.draft(id)).toMatchObject({ state: 'superseded' })
    project(body)
    await drafts.settle('card')
    expect(await drafts.draft(id)).toMatchObject({ state: 'live' })
    const next = await save({ parts: { ...partsOf(base), description: 'Next' } })
    const asked = await drafts.propose(next.id, by(ada))
    await approve(asked, bea)
    await approve(asked, cem)
    expect(await drafts.draft(id)).toMatchObject({ state: 'superseded' })
  })

  test(`${name}: drafts are found by state, version and shadow, newest first, of one policy`, async () => {
    const { drafts, save, stricter, store } = await openDrafts(open)
    const first = await save()
    const other = await save({ parts: { ...stricter, description: 'Another' } })
    const again = await save()
    await drafts.withdraw(again.id, by(ada))
    await drafts.shadow(first.id, by(ada))
    await store.saveDraft({ ...other, id: 'draft_elsewhere', policy: 'wire' })
    const found = async (query: Partial<DraftQuery>) => {
      const known = await store.drafts({ policy: 'card', limit: 10, ...query })
      return known.map(({ id }) => id)
    }
    expect(await found({})).toEqual([again.id, other.id, first.id])
    expect(await found({ states: ['draft', 'shadow'] })).toEqual([other.id, first.id])
    const { version } = first.body
    expect(await found({ version })).toEqual([again.id, first.id])
    expect(await found({ version, states: ['shadow'] })).toEqual([first.id])
    expect(await found({ version, limit: 1 })).toEqual([again.id])
    expect(await found({ inShadow: true })).toEqual([first.id])
    expect(await found({ states: [] })).toEqual([])
    expect(await found({ policy: 'wire' })).toEqual(['draft_elsewhere'])
  })

  test(`${name}: a draft of a thousand steps is saved no more, and goes live and off all the same`, async () => {
    const { drafts, save, approve, store, project, base } = await openDrafts(open)
    const made = await save()
    const history = Array.from({ length: 1000 }, () => made.history[0])
    await store.saveDraft({ ...made, history })
    await expect(save({ id: made.id })).rejects.toMatchObject({ code: 'draft_state' })
    const proposed = await drafts.propose(made.id, by(ada))
    await drafts.shadow(made.id, by(ada))
    await approve(proposed, bea)
    expect(await approve(proposed, cem)).toMatchObject({ state: 'live', shadow: null })
    project(base)
    await drafts.settle('card')
    expect(await drafts.draft(made.id)).toMatchObject({ state: 'superseded' })
  })
}
