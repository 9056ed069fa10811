import { requireReason, type ChangeBy } from '../access/index.ts'
import type { Context } from './context.ts'
import type { Files } from './files.ts'
import type { Purgeable } from './ports.ts'

/** How many things went for good, and how many stayed because something refers to them. */
export interface PurgeResult {
  readonly experiments: number
  readonly runs: number
  readonly loggedModels: number
  readonly files: number
  readonly kept: number
}

export interface Purge {
  /**
   * Deletes for good what was deleted before an instant (µs), with all that was logged to it, in
   * transactions of bounded size. What something outside refers to stays, and so does an experiment
   * that still holds anything. Each transaction is audited with the ids that went; the signal ends
   * it between two of them. A dry run counts what would go, and of files those that are loose now.
   */
  purge(until: PurgeUntil, by: ChangeBy): Promise<PurgeResult>
}

export interface PurgeUntil {
  readonly before: number
  /** Bytes go that nothing named since before this instant (µs); now unless given. */
  readonly looseBefore?: number | undefined
  readonly dryRun?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** So many runs or models go in one transaction: others need not wait for a large purge. */
const perTransaction = 200

export function purgeOf(context: Context, files: Files): Purge {
  const { store, unit, record } = context

  /** One transaction: what goes of these, and the entry that says so. */
  async function purgeSome(
    kind: Purgeable,
    ids: readonly string[],
    beforeUs: number,
    by: ChangeBy,
  ) {
    return unit.transaction(async () => {
      const going: string[] = []
      for (const id of ids) {
        const isKept = (await context.isKept?.(id)) ?? false
        if (!isKept && (await isStillDeleted(kind, id, beforeUs))) going.push(id)
      }
      const gone = await remove(kind, going)
      const object = { kind, id: 'deleted' }
      if (gone.length > 0) await record(by, 'purged', object, { beforeUs, ids: gone })
      return { gone: gone.length, kept: ids.length - gone.length }
    })
  }

  /** Nobody has restored it since it was listed. */
  async function isStillDeleted(kind: Purgeable, id: string, beforeUs: number): Promise<boolean> {
    const find = {
      run: store.runHead,
      'logged-model': store.loggedModel,
      experiment: store.experiment,
    }[kind]
    const found = await find(id)
    return found?.deletedAtUs !== undefined && found.deletedAtUs < beforeUs
  }

  async function remove(kind: Purgeable, ids: readonly string[]): Promise<readonly string[]> {
    if (kind === 'experiment') return store.purgeExperiments(ids)
    await (kind === 'run' ? store.purgeRuns(ids) : store.purgeLoggedModels(ids))
    await files.removeOwners(ids.map((id) => ({ kind, id })))
    return ids
  }

  /** What would go of these; an experiment stays with whatever of it stays. */
  async function wouldGo(kind: Purgeable, ids: readonly string[], staying: Set<string>) {
    let gone = 0
    for (const id of ids) {
      const isKept = staying.has(id) || ((await context.isKept?.(id)) ?? false)
      if (!isKept) gone++
      else if (kind !== 'experiment') {
        const found = await (kind === 'run' ? store.runHead(id) : store.loggedModel(id))
        if (found !== undefined) staying.add(found.experimentId)
      }
    }
    return { gone, kept: ids.length - gone }
  }

  return {
    async purge(until, by) {
      const { before, dryRun = false, signal } = until
      const { looseBefore = context.clock.nowUs() } = until
      requireReason(by)
      const gone = { run: 0, 'logged-model': 0, experiment: 0 }
      const staying = new Set<string>()
      let keptInAll = 0
      // What an experiment holds goes before it.
      for (const kind of ['run', 'logged-model', 'experiment'] as const) {
        let after: string | undefined
        while (signal?.aborted !== true) {
          const ids = await store.deletedBefore(kind, before, { after, limit: perTransaction })
          if (ids.length === 0) break
          after = ids.at(-1)
          const result = dryRun
            ? await wouldGo(kind, ids, staying)
            : await purgeSome(kind, ids, before, by)
          gone[kind] += result.gone
          keptInAll += result.kept
        }
      }
      const swept = dryRun
        ? await files.loose(looseBefore)
        : (await files.sweep(looseBefore, by, signal)).files
      return {
        experiments: gone.experiment,
        runs: gone.run,
        loggedModels: gone['logged-model'],
        files: swept,
        kept: keptInAll,
      }
    },
  }
}
