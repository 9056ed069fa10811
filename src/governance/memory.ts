import type { Restorable } from '../lib/unit-of-work.ts'
import type { CompiledGatePolicy } from './policy.ts'
import type { GovernanceStore } from './ports.ts'
import type { AfterReview, Approval, GateRun, InventoryEntry } from './types.ts'

/** The simplest right store: immutable values that a failed transaction puts back. */
export function createMemoryGovernanceStore(): GovernanceStore & Restorable {
  let gates = new Map<string, CompiledGatePolicy>()
  let entries = new Map<string, InventoryEntry>()
  let runs: readonly GateRun[] = []
  let approvals: readonly Approval[] = []
  let reviews: readonly AfterReview[] = []

  return {
    save() {
      const saved = [new Map(gates), new Map(entries), runs, approvals, reviews] as const
      return () => {
        ;[gates, entries, runs, approvals, reviews] = saved
      }
    },
    async putGate(gate) {
      if (!gates.has(gate.version)) gates.set(gate.version, gate)
    },
    gate: async (hash) => gates.get(hash),

    async putInventory(entry) {
      entries.set(entry.model, entry)
    },
    inventoryEntry: async (model) => entries.get(model),
    inventory: async () => [...entries.values()].sort((a, b) => (a.model < b.model ? -1 : 1)),

    async insertGateRun(run) {
      runs = [...runs, run]
    },
    latestGateRun: async (model, version) =>
      runs.findLast((run) => run.model === model && run.version === version),
    gateRuns: async (model, version) =>
      runs
        .filter((run) => run.model === model)
        .filter((run) => version === undefined || run.version === version)
        .toReversed(),

    async insertApproval(approval) {
      approvals = [...approvals, approval]
    },
    approvals: async (model, version) =>
      approvals.filter((a) => a.model === model && a.version === version),

    async insertAfterReview(review) {
      reviews = [...reviews, review]
    },
    afterReview: async (id) => reviews.find((review) => review.id === id),
    afterReviews: async ({ open, limit }) =>
      reviews
        .filter(({ signed }) => !open || signed === undefined)
        .toReversed()
        .slice(0, limit),
    async signAfterReview(id, signed) {
      reviews = reviews.map((review) => (review.id === id ? { ...review, signed } : review))
    },
  }
}
