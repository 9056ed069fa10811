// What one person did at once, because waiting for a second one would have cost customers: it stays on a
// list until another person has looked at it and said whether it was right.
import { requireMay, requireReason, type Access, type ChangeBy } from '../access/index.ts'
import type { AuditLog } from '../audit/index.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { DAY_US } from '../lib/time.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import { governanceErrors } from './errors.ts'
import type { GovernanceStore } from './ports.ts'
import type { ActAtOnce, AfterReview, AfterVerdict } from './types.ts'

export interface AfterReviews {
  /** Puts an act on the list; call it in the transaction of the act itself. */
  open(act: ActAtOnce, by: ChangeBy): Promise<AfterReview>
  /** Newest first; those that nobody signed when `open`. */
  list(query: { readonly open: boolean; readonly limit: number }): Promise<AfterReview[]>
  /**
   * Another person says whether the act was right. It changes nothing else: what was suspended stays
   * so until it is resumed. Errors: `after_review_missing`, `after_review_signed`, `after_review_self`,
   * `after_review_by_script`.
   */
  sign(
    request: { readonly id: string; readonly verdict: AfterVerdict; readonly note: string },
    identityId: string,
  ): Promise<AfterReview>
}

/** Until when somebody else should have looked at an act, µs UTC: a day, so that no shift passes it on. */
export function afterReviewDueUs({ atUs }: Pick<AfterReview, 'atUs'>): number {
  return atUs + DAY_US
}

export interface AfterReviewsDependencies {
  readonly store: GovernanceStore
  readonly access: Pick<Access, 'identity'>
  readonly unit: UnitOfWork
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
  readonly ids: Ids
}

export function createAfterReviews(dependencies: AfterReviewsDependencies): AfterReviews {
  const { store, access, unit, audit, clock, ids } = dependencies
  return {
    async open(act, by) {
      const review: AfterReview = {
        ...act,
        id: ids('afterreview'),
        actorId: by.actor.id,
        actorName: by.actor.name,
        reason: requireReason(by),
        atUs: clock.nowUs(),
      }
      await store.insertAfterReview(review)
      return review
    },
    list: (query) => store.afterReviews(query),
    sign: ({ id, verdict, note }, identityId) =>
      unit.transaction(async () => {
        const object = { kind: 'after-review', id }
        const identity = requireMay(await access.identity(identityId), 'approve', object)
        const reason = requireReason({ actor: identity, reason: note })
        const review = await store.afterReview(id)
        if (review === undefined) {
          throw governanceErrors.after_review_missing(`No act is on the list under ${id}.`)
        }
        if (review.signed !== undefined) {
          throw governanceErrors.after_review_signed(
            `${review.signed.identityName} has said already that it was ${review.signed.verdict}.`,
          )
        }
        if (identity.kind !== 'person') {
          throw governanceErrors.after_review_by_script(`${identity.name} is a ${identity.kind}.`)
        }
        if (review.actorId === identityId) {
          throw governanceErrors.after_review_self(`${identity.name} did it: ${review.what}`)
        }
        const signed = {
          identityId,
          identityName: identity.name,
          verdict,
          note: reason,
          atUs: clock.nowUs(),
        }
        await store.signAfterReview(id, signed)
        await audit.append({
          actor: identityId,
          action: 'governance.reviewed-after',
          object: review.object,
          reason,
          details: { review: id, act: review.act, by: review.actorId, verdict },
        })
        return { ...review, signed }
      }),
  }
}
