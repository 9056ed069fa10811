// Documents of served models that nobody asks for any more. The process that decides reads those that the
// catalogue names, and nobody else reads any: each follows from the registry and the files of its
// version, and is published again when that is served again. So no recorded decision needs them.
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileErrorCode } from '../lib/files.ts'
import { readCatalogue } from '../serving/index.ts'

export interface ServedSweep {
  /** Of those written before this, µs UTC: what is on its way in is not named yet. */
  readonly beforeUs: number
  readonly dryRun: boolean
  readonly signal?: AbortSignal | undefined
}

/** A document, or what a fall left of one. */
const DOCUMENT = /^([0-9a-f]{64})\.json(?:\.[0-9a-f]+\.tmp)?$/

/**
 * Removes them, or counts them alone. Nothing where no catalogue was published. Errors:
 * `served_model_invalid` where it is damaged, because nobody knows then what it named.
 */
export async function sweepServedModels(
  published: string,
  { beforeUs, dryRun, signal }: ServedSweep,
): Promise<number> {
  const catalogue = await readCatalogue(published)
  if (catalogue === undefined) return 0
  const named = new Set(catalogue.models.map(({ document }) => `${document}.json`))
  const directory = join(published, 'served-models')
  let removed = 0
  for (const name of await namesIn(directory)) {
    if (signal?.aborted === true) break
    if (named.has(name) || !DOCUMENT.test(name)) continue
    const file = join(directory, name)
    if ((await stat(file)).mtimeMs * 1000 >= beforeUs) continue
    if (!dryRun) await rm(file, { force: true })
    removed++
  }
  return removed
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return []
    throw error
  }
}
