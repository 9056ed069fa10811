import type { Database, Key } from 'lmdb'

/** Commits what `change` does as one transaction, and returns once it is on disk. */
export async function commit<V, K extends Key, R>(
  database: Database<V, K>,
  change: () => R,
): Promise<R> {
  const result = await database.transaction(change).catch(hearCause)
  // Committed is not yet flushed where the system overlaps the two.
  await database.flushed
  return result
}

/** LMDB tells what refused a commit in a promise beside the error, which must not go unheard. */
function hearCause(error: Error & { readonly commitError?: Promise<never> }): never {
  error.commitError?.catch(() => undefined)
  throw error
}
