import type { DriftCount, DriftCountStore } from './ports.ts'

/** Drift counts in memory, for tests. */
export function createMemoryDriftCounts(): DriftCountStore {
  const stored = new Map<string, DriftCount>()
  const positions = new Map<string, number>()
  return {
    position: async (namespace) => positions.get(namespace) ?? 0,
    async add(namespace, counts, through) {
      for (const each of counts) {
        const { policy, reference, column, startUs } = each
        const key = JSON.stringify([namespace, policy, reference, column, startUs])
        const before = stored.get(key)
        const sum = (before?.sum ?? 0) + each.sum
        stored.set(key, {
          ...each,
          sum,
          counts: each.counts.map((count, i) => count + (before?.counts[i] ?? 0)),
        })
      }
      positions.set(namespace, through)
    },
    async counts({ namespace, policy, reference, fromUs, untilUs }) {
      return [...stored.values()]
        .filter((each) => each.namespace === namespace && each.policy === policy)
        .filter((each) => each.reference === reference)
        .filter(({ startUs }) => startUs >= fromUs && startUs < untilUs)
        .sort((a, b) =>
          a.column < b.column ? -1 : a.column > b.column ? 1 : a.startUs - b.startUs,
        )
    },
  }
}
