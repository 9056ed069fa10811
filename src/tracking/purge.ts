import { requireReason, type ChangeBy } from '../access/index.ts'
import type { Context } from './context.ts'
import type { Files } from './files.ts'

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
   * that still holds anything. Each transaction is audited with the ids that went.
   */
  purge(until: { readonly before: number }, by: ChangeBy): Promise<PurgeResult>
}

/** So many runs or models go in one transaction: others need not wait for a large purge. */
const perTransaction = 200

export function purgeOf(context: Context, files: Files): Purge {
  const { store, unit, record } = context

  /** One transaction: what goes of these, and the entry that says so. */
  async function purgeSome(kind: Kind, ids: readonly string[], beforeUs: number, by: ChangeBy) {
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
  async function isStillDeleted(kind: Kind, id: string, beforeUs: number): Promise<boolean> {
    const find = {
      run: store.runHead,
      'logged-model': store.loggedModel,
      experiment: store.experiment,
    }[kind]
    const found = await find(id)
    return found?.deletedAtUs !== undefined && found.deletedAtUs < beforeUs
  }

  async function remove(kind: Kind, ids: readonly string[]): Promise<readonly string[]> {
    if (kind === 'experiment') return store.purgeExperiments(ids)
    await (kind === 'run' ? store.purgeRuns(ids) : store.purgeLoggedModels(ids))
    await files.removeOwners(ids.map((id) => ({ kind, id })))
    return ids
  }

  return {
    async purge({ before }, by) {
      requireReason(by)
      const deleted = await store.deletedBefore(before)
      const gone = { run: 0, 'logged-model': 0, experiment: 0 }
      let keptInAll = 0
      for (const [kind, ids] of [
        ['run', deleted.runs],
        ['logged-model', deleted.models],
        ['experiment', deleted.experiments],
      ] as const) {
        for (const some of chunks(ids)) {
          const result = await purgeSome(kind, some, before, by)
          gone[kind] += result.gone
          keptInAll += result.kept
        }
      }
      const { files: removed } = await files.sweep(context.clock.nowUs())
      return {
        experiments: gone.experiment,
        runs: gone.run,
        loggedModels: gone['logged-model'],
        files: removed,
        kept: keptInAll,
      }
    },
  }
}

type Kind = 'run' | 'logged-model' | 'experiment'

function* chunks<T>(items: readonly T[]): Iterable<readonly T[]> {
  for (let from = 0; from < items.length; from += perTransaction) {
    yield items.slice(from, from + perTransaction)
  }
}
