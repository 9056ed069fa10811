// Removal of bytes. Whatever stops being named goes on a list, from which a sweep takes it; bytes that
// were stored and never named (the process was killed in between) are put on that list when they are
// found, for a day ahead, so that nothing on its way in is ever taken.
import { requireReason, type ChangeBy } from '../access/index.ts'
import type { FilesDependencies } from './files.ts'

export interface Sweep {
  /**
   * Deletes bytes that nothing has named since before an instant (µs UTC); how many files. Each batch
   * has its audit entry, and the signal ends it between two of them.
   */
  sweep(beforeUs: number, by: ChangeBy, signal?: AbortSignal): Promise<{ readonly files: number }>
  /** How many files a sweep up to an instant would delete. */
  loose(beforeUs: number): Promise<number>
  /**
   * Looks through the store for bytes that nothing names and nobody let go of; how many files. From
   * the given instant on a sweep takes them. A dry run only counts.
   */
  findStrays(options: {
    readonly fromUs: number
    readonly dryRun?: boolean | undefined
    readonly signal?: AbortSignal | undefined
  }): Promise<number>
}

const SWEEP_BATCH = 500
const COUNTED_MAX = 1_000_000
/** Of removed contents so many are named in the audit entry; all are counted. */
const NAMED_MAX = 100

export function sweepOf({ store, artifacts, unit, audit, clock }: FilesDependencies): Sweep {
  /**
   * Transactions run one after another, so within one no content can be named that is being removed.
   * Where the transaction fails after a removal, the content is on the list again and nothing names it.
   */
  function sweepSome(beforeUs: number, by: ChangeBy): Promise<number> {
    return unit.transaction(async () => {
      const hashes = await store.loose(beforeUs, SWEEP_BATCH)
      if (hashes.length === 0) return 0
      for (const hash of hashes) await artifacts.remove(hash)
      await store.forget(hashes)
      await audit.append({
        actor: by.actor.id,
        action: 'tracking.contents-removed',
        object: { kind: 'folder', id: 'contents' },
        reason: requireReason(by),
        details: { files: hashes.length, hashes: hashes.slice(0, NAMED_MAX) },
      })
      return hashes.length
    })
  }

  return {
    async sweep(beforeUs, by, signal) {
      // Waiting transactions share one commit: what a change let go of counts once that change is on disk.
      const settledUs = Math.min(beforeUs, clock.nowUs())
      await unit.transaction(async () => {})
      let files = 0
      while (signal?.aborted !== true) {
        const batch = await sweepSome(settledUs, by)
        files += batch
        if (batch < SWEEP_BATCH) break
      }
      return { files }
    },
    loose: async (beforeUs) => (await store.loose(beforeUs, COUNTED_MAX)).length,
    async findStrays({ fromUs, dryRun = false, signal }) {
      let files = 0
      for await (const hashes of artifacts.stored()) {
        if (signal?.aborted === true) break
        if ((await store.strays(hashes)).length === 0) continue
        // Looked at once more in the transaction: it may have been named in between.
        files += await unit.transaction(async () => {
          const strays = await store.strays(hashes)
          if (!dryRun) await store.loosen(strays, fromUs)
          return strays.length
        })
      }
      return files
    },
  }
}
