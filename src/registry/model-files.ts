// Files of models that no version names: those of versions that were purged, and of registrations whose
// process was killed in between.
import { requireReason, type ChangeBy } from '../access/index.ts'
import type { AuditLog } from '../audit/index.ts'
import type { UnitOfWork } from '../lib/unit-of-work.ts'
import type { ArtifactStore } from '../tracking/index.ts'
import type { RegistryStore } from './ports.ts'

export interface ModelFiles {
  /**
   * Removes files that no version names, deleted ones count too; how many. Each batch has its audit
   * entry, and the signal ends it between two of them. A dry run only counts.
   */
  sweep(
    options: { readonly dryRun: boolean; readonly signal?: AbortSignal | undefined },
    by: ChangeBy,
  ): Promise<number>
}

/** Of removed files so many are named in the audit entry; all are counted. */
const NAMED_MAX = 100

export function createModelFiles({
  store,
  models,
  unit,
  audit,
}: {
  readonly store: Pick<RegistryStore, 'modelsNamed'>
  readonly models: Pick<ArtifactStore, 'stored' | 'remove'>
  readonly unit: UnitOfWork
  readonly audit: Pick<AuditLog, 'append'>
}): ModelFiles {
  async function unnamedOf(hashes: readonly string[]): Promise<string[]> {
    const named = new Set(await store.modelsNamed())
    return hashes.filter((hash) => !named.has(hash))
  }

  /** A registration looks in its own transaction whether its file is there, so none is missed. */
  function remove(unnamed: readonly string[], by: ChangeBy): Promise<number> {
    return unit.transaction(async () => {
      const going = await unnamedOf(unnamed)
      if (going.length === 0) return 0
      for (const hash of going) await models.remove(hash)
      await audit.append({
        actor: by.actor.id,
        action: 'registry.model-files-removed',
        object: { kind: 'registry', id: 'models' },
        reason: requireReason(by),
        details: { files: going.length, hashes: going.slice(0, NAMED_MAX) },
      })
      return going.length
    })
  }

  return {
    async sweep({ dryRun, signal }, by) {
      let files = 0
      for await (const hashes of models.stored()) {
        if (signal?.aborted === true) break
        // First as it is on disk: what a purge let go of counts once that purge is.
        const unnamed = await unnamedOf(hashes)
        if (unnamed.length === 0) continue
        files += dryRun ? unnamed.length : await remove(unnamed, by)
      }
      return files
    },
  }
}
