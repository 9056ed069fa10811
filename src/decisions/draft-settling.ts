// Brings drafts and what is live to one another, after each deployment or fall of a policy.
import { systemActor, type ChangeBy } from '../access/index.ts'
import { isAssayError } from '../lib/errors.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import type { DeployedPolicy } from './deployed.ts'
import { mistakesOf, shadowOf, type PolicyMistake } from './draft-checks.ts'
import { partsOf, withParts, type CompiledPolicy } from './policy.ts'
import type { KeptDraft, PolicyStore } from './policy-changes.ts'

/** How many live drafts of a policy are superseded in one look. There is one, but for a damaged home. */
export const LIVE_AT_ONCE = 20

export interface DraftSettlingOptions {
  readonly store: Pick<PolicyStore, 'drafts'>
  readonly unit: UnitOfWork
  /** What decides, with nobody beside it; undefined where nothing was deployed. */
  readonly live: (policy: string) => Promise<DeployedPolicy | undefined>
  /** Runs the rules of a draft beside what decides, or of none any more; where it is so, nothing is done. */
  readonly runShadow: (
    policy: string,
    shadow: { readonly draft: string; readonly with: CompiledPolicy } | undefined,
    by: ChangeBy,
  ) => Promise<void>
  /** Error: `draft_not_found`. */
  readonly found: (id: string) => Promise<KeptDraft>
  /** Keeps a draft with its next step and the audit entry. */
  readonly step: (draft: KeptDraft, act: string, by: ChangeBy) => Promise<KeptDraft>
}

export function createDraftSettling(options: DraftSettlingOptions): {
  /**
   * A shadow goes on beside another champion or ends and says why, and the draft that is live is the
   * one that decides.
   */
  settle(policy: string): Promise<void>
} {
  const { store, unit, live, runShadow, found, step } = options

  async function settle(policy: string): Promise<void> {
    const document = await live(policy)
    if (document === undefined) return
    const by = (reason: string) => ({ actor: systemActor, reason })
    const running = await unit.transaction(async () => {
      await settleStates(policy, document.policy.version)
      const [draft] = await store.drafts({ policy, inShadow: true, limit: 1 })
      if (draft === undefined) return undefined
      const shadow = besides(document, draft)
      if ('sentence' in shadow) {
        await endShadow(draft, shadow.sentence)
        return undefined
      }
      if (shadow.version !== draft.shadow?.version) {
        const reason = 'Another policy is live; its rules run beside that now'
        await step({ ...draft, shadow }, 'shadow-moved', by(reason))
      }
      return { draft: draft.id, with: shadow }
    })
    const reason =
      running === undefined
        ? 'No draft runs in shadow any more'
        : `Draft ${running.draft} runs in shadow`
    try {
      await runShadow(policy, running, by(reason))
    } catch (error) {
      // What decides is away: it is brought there at the next look.
      if (running === undefined || !isAssayError(error) || error.status >= 500) throw error
      await unit.transaction(async () => endShadow(await found(running.draft), error.detail))
      await runShadow(policy, undefined, by(error.detail))
    }
  }

  function endShadow(draft: KeptDraft, why: string): Promise<KeptDraft> {
    const by = { actor: systemActor, reason: `What is live changed under it. ${why}` }
    const state = draft.state === 'shadow' ? 'draft' : draft.state
    return step({ ...draft, shadow: null, state }, 'shadow-ended', by)
  }

  /** A roll-back takes an approved policy off traffic, or back to it. */
  async function settleStates(policy: string, version: string): Promise<void> {
    const by = { actor: systemActor, reason: 'Another deployment of the policy is live' }
    const live = await store.drafts({ policy, states: ['live'], limit: LIVE_AT_ONCE })
    for (const draft of live.filter(({ body }) => body.version !== version)) {
      await step({ ...draft, state: 'superseded' }, 'superseded', by)
    }
    if (live.some(({ body }) => body.version === version)) return
    const [back] = await store.drafts({ policy, states: ['superseded'], version, limit: 1 })
    if (back === undefined) return
    const reason = 'The deployment that it was approved for is live again'
    await step({ ...back, state: 'live' }, 'live', { ...by, reason })
  }

  return { settle }
}

/** What a draft runs beside a policy: a policy with both, or why it cannot. */
export function besides(
  document: DeployedPolicy,
  { body }: KeptDraft,
): CompiledPolicy | PolicyMistake {
  const base = document.policy
  const rules = shadowOf(base, body)
  if (rules.length === base.rules.length) {
    const sentence = 'It changes no rule, so nothing of it could run in shadow'
    return { rule: null, at: null, sentence }
  }
  const lists = unique([...(base.lists ?? []), ...(body.lists ?? [])])
  const shadow = withParts(base, { ...partsOf(base), lists, rules })
  const [mistake] = mistakesOf(shadow, document.source, document.featureSets)
  return mistake ?? shadow
}

function unique<T extends { readonly name: string }>(named: readonly T[]): T[] {
  return [...new Map(named.toReversed().map((each) => [each.name, each])).values()].toReversed()
}
