// The document that a draft of a policy would be deployed as, beside the one that is live.
import type { CompiledSource } from '../data/index.ts'
import type { CompiledFeatureSet } from '../features/index.ts'
import type { DeployedPolicy, ScoredBy } from './deployed.ts'
import { checkPolicy, partsOf, withParts } from './policy.ts'
import type { CompiledPolicy, PolicyParts } from './policy.ts'

/** What a draft changes of a policy; the rest stays as it is. */
export type DraftChanges = Partial<PolicyParts>

/** The policy with what a draft changes, checked as a declared one is. Errors: `policy_invalid`, `rule_invalid`. */
export function draftPolicy(
  policy: CompiledPolicy,
  draft: DraftChanges,
  on: { readonly source: CompiledSource; readonly featureSets: readonly CompiledFeatureSet[] },
): CompiledPolicy {
  const changed = withParts(policy, { ...partsOf(policy), ...draft })
  checkPolicy(changed, on.source, on.featureSets)
  return changed
}

/**
 * The live document with a draft in its policy's place, and another champion where one is given.
 * Thresholds that the draft states count; those that it leaves to training are the champion's.
 */
export function draftDocument(
  live: DeployedPolicy,
  policy: CompiledPolicy,
  champion: ScoredBy = live,
): DeployedPolicy {
  const { thresholds } = withStated(policy, champion)
  return { ...live, policy, model: champion.model, thresholds }
}

/** Thresholds that a policy states count for every model that it asks; else they are the model's. */
export function withStated({ thresholds }: CompiledPolicy, scored: ScoredBy): ScoredBy {
  const stated = (name: 'decline' | 'review') => {
    const threshold = thresholds[name]
    return typeof threshold === 'number' ? threshold : scored.thresholds[name]
  }
  return {
    model: scored.model,
    thresholds: { decline: stated('decline'), review: stated('review') },
  }
}
