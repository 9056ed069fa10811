// What a policy is to become. People edit the live policy as data; a draft is checked when it is saved,
// may run beside what is live, and goes live when two who did not write it approved just this version.
import { may, requireReason, type Access, type ChangeBy, type Identity } from '../access/index.ts'
import type { AuditLog } from '../audit/index.ts'
import type { Clock } from '../lib/clock.ts'
import { isAssayError } from '../lib/errors.ts'
import { contentHash } from '../lib/hash.ts'
import type { Ids } from '../lib/ids.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import { draftDocument } from './backtest-draft.ts'
import type { DeployedPolicy } from './deployed.ts'
import { differenceOf, mistakesOf, runTests } from './draft-checks.ts'
import { testMistakes } from './test-mistakes.ts'
import type { PolicyMistake } from './draft-checks.ts'
import { besides, createDraftSettling, LIVE_AT_ONCE } from './draft-settling.ts'
import type { DraftSettlingOptions } from './draft-settling.ts'
import { decisionErrors } from './errors.ts'
import { withParts } from './policy.ts'
import type { CompiledPolicy, PolicyParts } from './policy.ts'
import { notProposed } from './policy-changes.ts'
import type {
  DraftEvidence,
  DraftState,
  DraftStep,
  KeptDraft,
  PolicyStore,
  RuleTest,
  RuleTestResult,
} from './policy-changes.ts'

/** How many people have to approve a draft. */
export const APPROVALS_NEEDED = 2

/** A draft that has so many steps is saved no more; what it needs to go live, or to end, goes on. */
const STEPS_MAX = 1000
const DUE_AT_ONCE = 20

export interface DraftContent {
  readonly parts: PolicyParts
  readonly tests: readonly RuleTest[]
}

/** What is said of content before it is kept. */
export interface DraftCheck {
  readonly mistakes: readonly PolicyMistake[]
  /** Empty where there are mistakes. */
  readonly results: readonly RuleTestResult[]
  readonly differences: readonly string[]
}

export interface PolicyDraftsOptions {
  readonly store: PolicyStore
  readonly access: Pick<Access, 'identity'>
  /** The champion's own document, with nobody beside it. Error: `policy_not_found`. */
  readonly live: (policy: string) => Promise<DeployedPolicy>
  /** Has a policy decide with the present model, from a sequence on; unchanged ones are left. */
  readonly deploy: (policy: CompiledPolicy, by: ChangeBy) => Promise<void>
  /** Runs the rules of a draft beside what decides, or of none any more; where it is so, nothing is done. */
  readonly runShadow: DraftSettlingOptions['runShadow']
  /** What is known of a version that is about to be proposed. */
  readonly evidence: (draft: KeptDraft) => Promise<DraftEvidence>
  readonly unit: UnitOfWork
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
  readonly ids: Ids
}

export interface PolicyDrafts {
  /** Looks without keeping anything. */
  check(policy: string, content: DraftContent): Promise<DraftCheck>
  /**
   * Keeps a draft, or a change of one: that takes it back to `draft` and voids what was approved.
   * Errors: `policy_invalid`, `rule_invalid`, `draft_unchanged`, `draft_state`.
   */
  save(
    request: DraftContent & {
      readonly policy: string
      readonly id?: string | undefined
      /** What was read (`bindingOf`); where it is given and another was saved since: `draft_outdated`. */
      readonly binds?: string | undefined
    },
    by: ChangeBy,
  ): Promise<KeptDraft>
  /**
   * Runs the rules that the draft changes beside the live ones; they answer nothing. One draft of a
   * policy at a time. Errors: `draft_state`, `policy_invalid`, `rule_invalid`.
   */
  shadow(id: string, by: ChangeBy): Promise<KeptDraft>
  /** Asks for approvals. Errors: `draft_tests_failed`, `draft_outdated`. */
  propose(id: string, by: ChangeBy): Promise<KeptDraft>
  /** `binds` is what the approver saw (`bindingOf`). Errors: `draft_verdict`, `draft_outdated`. */
  giveVerdict(
    request: { id: string; verdict: 'approve' | 'refuse'; reason: string; binds: string },
    identityId: string,
  ): Promise<KeptDraft>
  withdraw(id: string, by: ChangeBy): Promise<KeptDraft>
  draft(id: string): Promise<KeptDraft>
  /** Newest first. */
  drafts(policy: string, limit: number): Promise<KeptDraft[]>
  /** The policy that decides, without what runs beside it for a draft. */
  base(policy: string): Promise<CompiledPolicy>
  /** The approved policy that is live; undefined where what is live came with the project. */
  keptPolicy(policy: string): Promise<CompiledPolicy | undefined>
  /** Why somebody may not give a verdict now; undefined where they may. */
  obstacle(draft: KeptDraft, identity: Identity | undefined): string | undefined
  /** Sends what was approved to traffic where that was interrupted. */
  deployDue(): Promise<void>
  /**
   * Brings drafts and what is live to one another, after each deployment or fall: a shadow goes on
   * beside another champion or ends and says why, and the draft that is live is the one that decides.
   */
  settle(policy: string): Promise<void>
}

/** What an approval of a draft is for: policy, what it replaces, its evidence and its tests. */
export function bindingOf({ version, base, evidence, tests }: BoundParts): string {
  const parts = { policy: version, base: base.version, evidence: evidence?.hash ?? null }
  return contentHash({ ...parts, tests: contentHash(tests) })
}

type BoundParts = Pick<KeptDraft, 'base' | 'evidence' | 'tests'> & { readonly version: string }

const open: readonly DraftState[] = ['draft', 'shadow', 'proposed']

export function createPolicyDrafts(options: PolicyDraftsOptions): PolicyDrafts {
  const { store, access, live, deploy, unit, audit, clock, ids } = options

  async function found(id: string): Promise<KeptDraft> {
    const draft = await store.draft(id)
    if (draft === undefined) throw decisionErrors.draft_not_found(`There is no draft ${id}.`)
    return draft
  }

  async function inState(id: string, states: readonly DraftState[], act: string) {
    const draft = await found(id)
    if (states.includes(draft.state)) return draft
    throw decisionErrors.draft_state(`The draft is ${draft.state}; it cannot be ${act}.`)
  }

  /** Keeps a draft with its next step and the audit entry, in one transaction. */
  async function step(
    draft: KeptDraft,
    act: string,
    by: ChangeBy,
    changes: readonly string[] = [],
  ): Promise<KeptDraft> {
    const reason = requireReason(by)
    const { id: actorId, name: actorName } = by.actor
    const atUs = clock.nowUs()
    const { version } = draft.body
    const taken: DraftStep = { actorId, actorName, reason, atUs, act, changes, version }
    const next = { ...draft, updatedAtUs: atUs, history: [...draft.history, taken] }
    await store.saveDraft(next)
    await audit.append({
      actor: actorId,
      action: `decisions.draft-${act}`,
      object: { kind: 'policy', id: draft.policy },
      reason,
      details: {
        draft: draft.id,
        version: draft.body.version,
        base: draft.base.version,
        binding: bindingOf({ ...draft, version: draft.body.version }),
        evidence: draft.evidence?.hash ?? null,
      },
    })
    return next
  }

  function looked(document: DeployedPolicy, content: DraftContent) {
    const base = document.policy
    const body = withParts(base, content.parts)
    const mistakes = [
      ...mistakesOf(body, document.source, document.featureSets),
      ...chosenAnew(base, body),
      ...testMistakes(content.tests, body, document),
    ]
    const results =
      mistakes.length > 0 ? [] : runTests(draftDocument(document, body), content.tests)
    return { body, mistakes, results, differences: differenceOf(base, body) }
  }

  /** Approved and not live yet: sent to traffic, and what it replaces is superseded. */
  async function goLive(id: string): Promise<KeptDraft> {
    const draft = await inState(id, ['approved'], 'sent to traffic')
    const by = { actor: lastOf(draft), reason: `Draft ${id} was approved by two people` }
    await deploy(draft.body, by)
    const kept = await unit.transaction(async () => {
      const now = await found(id)
      if (now.state !== 'approved') return now
      const others = { policy: draft.policy, states: ['live'], limit: LIVE_AT_ONCE } as const
      for (const other of await store.drafts(others)) {
        await step({ ...other, state: 'superseded' }, 'superseded', by)
      }
      return step({ ...now, state: 'live', shadow: null }, 'live', by)
    })
    await settle(draft.policy)
    return kept
  }

  const { settle } = createDraftSettling({ ...options, live: liveOrNone, found, step })

  async function liveOrNone(policy: string): Promise<DeployedPolicy | undefined> {
    try {
      return await live(policy)
    } catch (error) {
      if (isAssayError(error, 'policy_not_found')) return undefined
      throw error
    }
  }

  const drafts: PolicyDrafts = {
    async check(policy, content) {
      const document = await live(policy)
      const { mistakes, results, differences } = looked(document, content)
      return { mistakes, results, differences }
    },

    async save({ policy, id, parts, tests, binds }, by) {
      const document = await live(policy)
      const base = document.policy
      const { body, mistakes, results, differences } = looked(document, { parts, tests })
      refuseMistakes(policy, mistakes)
      if (differences.length === 0) {
        throw decisionErrors.draft_unchanged(`It is what policy "${policy}" is already.`)
      }
      const saved = await unit.transaction(async () => {
        const kept = id === undefined ? undefined : await inState(id, open, 'changed')
        if (kept !== undefined && kept.history.length >= STEPS_MAX) {
          throw decisionErrors.draft_state(
            'The draft was changed a thousand times; begin a new one.',
          )
        }
        const now = kept && bindingOf({ ...kept, version: kept.body.version })
        if (binds !== undefined && binds !== now) {
          throw decisionErrors.draft_outdated('Somebody changed the draft since it was read.')
        }
        const nowUs = clock.nowUs()
        const fresh = { evidence: null, verdicts: [], shadow: null, state: 'draft' } as const
        if (kept === undefined) {
          const made: KeptDraft = {
            id: ids('draft'),
            policy,
            body,
            base,
            tests,
            results,
            ...fresh,
            authors: [by.actor.id],
            history: [],
            createdAtUs: nowUs,
            updatedAtUs: nowUs,
          }
          return step(made, 'saved', by, differences)
        }
        const authors = [...new Set([...kept.authors, by.actor.id])]
        const next: KeptDraft = { ...kept, body, base, tests, results, authors, ...fresh }
        return step(next, 'saved', by, differenceOf(kept.body, body))
      })
      if (id !== undefined) await settle(policy)
      return saved
    },

    async shadow(id, by) {
      const { policy } = await found(id)
      const document = await live(policy)
      const kept = await unit.transaction(async () => {
        const draft = await inState(id, ['draft', 'proposed'], 'run in shadow')
        const [running] = await store.drafts({ policy, inShadow: true, limit: 1 })
        if (running !== undefined) {
          throw decisionErrors.draft_state(
            running.id === id
              ? 'It runs in shadow already.'
              : `Draft ${running.id} of this policy runs in shadow; end that first.`,
          )
        }
        const shadow = besides(document, draft)
        if ('sentence' in shadow) {
          if (shadow.rule === null) throw decisionErrors.draft_state(`${shadow.sentence}.`)
          throw decisionErrors.rule_invalid(shadow.sentence, { extra: { ...shadow } })
        }
        const state = draft.state === 'draft' ? 'shadow' : draft.state
        return step({ ...draft, shadow, state }, 'shadowed', by)
      })
      await options.runShadow(policy, { draft: id, with: kept.shadow! }, by)
      return kept
    },

    async propose(id, by) {
      const draft = await inState(id, ['draft', 'shadow'], 'proposed')
      const failed = draft.results.filter(({ passed }) => !passed)
      if (failed.length > 0) {
        const names = failed.map(({ name, sentence }) => `"${name}": ${sentence}`)
        throw decisionErrors.draft_tests_failed(names.join('. '))
      }
      await requireBase(draft)
      const evidence = await options.evidence(draft)
      return unit.transaction(async () => {
        const now = await inState(id, ['draft', 'shadow'], 'proposed')
        return step({ ...now, evidence, verdicts: [], state: 'proposed' }, 'proposed', by)
      })
    },

    async giveVerdict({ id, verdict, reason, binds }, identityId) {
      const draft = await found(id)
      await requireBase(draft)
      const given = await unit.transaction(async () => {
        const now = await inState(id, ['proposed'], 'decided about')
        const identity = await access.identity(identityId)
        const obstacle = drafts.obstacle(now, identity)
        if (obstacle !== undefined || identity === undefined) {
          throw decisionErrors.draft_verdict(obstacle ?? 'Nobody is known under this key.')
        }
        if (binds !== bindingOf({ ...now, version: now.body.version })) {
          throw decisionErrors.draft_outdated(
            'The draft or its evidence changed since it was read.',
          )
        }
        const by = { actor: identity, reason }
        const { id: actorId, name: actorName } = identity
        const spoken = { verdict, binds, actorId, actorName, reason: requireReason(by) }
        const verdicts = [...now.verdicts, { ...spoken, atUs: clock.nowUs() }]
        const approvals = verdicts.filter((each) => each.verdict === 'approve').length
        const state =
          verdict === 'refuse' ? 'refused' : approvals >= APPROVALS_NEEDED ? 'approved' : 'proposed'
        const shadow = state === 'refused' ? null : now.shadow
        const act = verdict === 'refuse' ? 'refused' : 'approved'
        return step({ ...now, verdicts, state, shadow }, act, by)
      })
      if (given.state === 'approved') return goLive(id)
      if (given.state === 'refused') await settle(given.policy)
      return given
    },

    async withdraw(id, by) {
      const kept = await unit.transaction(async () => {
        const draft = await inState(id, open, 'withdrawn')
        return step({ ...draft, shadow: null, state: 'withdrawn' }, 'withdrawn', by)
      })
      await settle(kept.policy)
      return kept
    },

    draft: found,
    drafts: (policy, limit) => store.drafts({ policy, limit }),
    base: async (policy) => (await live(policy)).policy,
    settle,

    async keptPolicy(policy) {
      const base = (await liveOrNone(policy))?.policy
      if (base === undefined) return undefined
      const was = { version: base.version, states: ['live', 'superseded'] } as const
      const [approved] = await store.drafts({ policy, ...was, limit: 1 })
      return approved && base
    },

    obstacle(draft, identity) {
      if (draft.state !== 'proposed') return notProposed[draft.state]
      if (!may(identity, 'approve')) return 'Only an approver may give a verdict.'
      if (identity?.kind !== 'person') return 'A person has to decide about a policy.'
      if (draft.authors.includes(identity.id)) return `${identity.name} wrote a part of the draft.`
      if (draft.verdicts.some(({ actorId }) => actorId === identity.id)) {
        return `${identity.name} has spoken already.`
      }
      return undefined
    },

    async deployDue() {
      for (const { id } of await store.draftsIn('approved', DUE_AT_ONCE)) await goLive(id)
    },
  }

  async function requireBase(draft: KeptDraft): Promise<void> {
    const base = (await live(draft.policy)).policy
    if (base.version === draft.base.version) return
    throw decisionErrors.draft_outdated(
      `Policy "${draft.policy}" is ${base.version.slice(0, 12)} now; the draft was written over ` +
        `${draft.base.version.slice(0, 12)}.`,
    )
  }

  return drafts
}

/** Whether a policy was approved as a draft. */
export async function isApprovedDraft(
  store: Pick<PolicyStore, 'drafts'>,
  policy: string,
  hash: string,
): Promise<boolean> {
  const states = ['approved', 'live', 'superseded'] as const
  return (await store.drafts({ policy, version: hash, states, limit: 1 })).length > 0
}

function refuseMistakes(policy: string, mistakes: readonly PolicyMistake[]): void {
  const [first] = mistakes
  if (first === undefined) return
  const extra = { rule: first.rule, at: first.at, mistakes }
  if (first.rule !== null) throw decisionErrors.rule_invalid(first.sentence, { extra })
  throw decisionErrors.policy_invalid(`policy "${policy}": ${first.sentence}`, { extra })
}

/** A threshold is chosen when a model is trained, so a draft leaves the choice or states a number. */
function chosenAnew(base: CompiledPolicy, body: CompiledPolicy): PolicyMistake[] {
  return (['review', 'decline'] as const).flatMap((name) => {
    const [was, is] = [base.thresholds[name], body.thresholds[name]]
    if (typeof is === 'number' || contentHash(was) === contentHash(is)) return []
    const sentence = `The ${name} threshold must be a number, or stay as it is declared`
    return [{ rule: null, at: null, sentence }]
  })
}

/** Whoever made the last step: the second approver of what goes live. */
function lastOf({ history }: KeptDraft): ChangeBy['actor'] {
  const { actorId: id, actorName: name } = history.at(-1)!
  return { id, name, kind: 'person' }
}
