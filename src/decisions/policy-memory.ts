import type { Restorable } from '../lib/unit-of-work.ts'
import { changedObject } from './policy-changes.ts'
import type { PolicyChange, KeptDraft, PolicyStore } from './policy-changes.ts'

/** The simplest right store: immutable values that a failed transaction puts back. */
export function createMemoryPolicyStore(): PolicyStore & Restorable {
  let changes = new Map<string, PolicyChange>()
  let drafts = new Map<string, KeptDraft>()

  return {
    save() {
      const saved = [new Map(changes), new Map(drafts)] as const
      return () => {
        ;[changes, drafts] = saved
      }
    },
    async saveChange(change) {
      changes.set(change.id, change)
    },
    change: async (id) => changes.get(id),
    changesIn: async (state, limit) =>
      [...changes.values()].filter((each) => each.state === state).slice(0, limit),
    changes: async ({ of, limit }) =>
      [...changes.values()]
        .filter((each) => of === undefined || changedObject(each.of) === of)
        .toReversed()
        .slice(0, limit),

    async saveDraft(draft) {
      drafts.set(draft.id, draft)
    },
    draft: async (id) => drafts.get(id),
    drafts: async ({ policy, states, version, inShadow, limit }) =>
      [...drafts.values()]
        .filter((each) => each.policy === policy)
        .filter((each) => states === undefined || states.includes(each.state))
        .filter((each) => version === undefined || each.body.version === version)
        .filter((each) => inShadow === undefined || each.shadow !== null)
        .toReversed()
        .slice(0, limit),
    draftsIn: async (state, limit) =>
      [...drafts.values()].filter((each) => each.state === state).slice(0, limit),
  }
}
