/** The models that the catalogue of a home names, made ready in a thread as it changes. */
import { isAssayError } from '../../lib/errors.ts'
import { type CatalogueEntry, readCatalogue, servedModelFile } from './catalogue.ts'
import { findIn, type HostedModel, type ModelHost, type ModelState } from './host.ts'
import type { ModelThread } from './thread-runtime.ts'

export interface PublishedHost extends ModelHost {
  /** Brings the models to what the catalogue says now; nothing where it did not change. */
  refresh(): Promise<void>
  close(): Promise<void>
}

export interface PublishedHostOptions {
  /** Folder of what keep publishes. */
  readonly published: string
  readonly thread: ModelThread
  readonly onTrouble: (error: unknown) => void
}

interface Entry {
  readonly entry: CatalogueEntry
  standing: ModelState
}

/**
 * A version that is in the catalogue no more is answered no more; one that stays is never loaded
 * again. What is told of a model that cannot be loaded is its reason.
 */
export function createPublishedHost(options: PublishedHostOptions): PublishedHost {
  const { published, thread, onTrouble } = options
  let entries: readonly Entry[] = []
  let last: Promise<void> = Promise.resolve()
  let isClosed = false
  let seen = ''

  async function look(): Promise<void> {
    const catalogue = await readCatalogue(published).catch((error: unknown) => {
      if (seen !== 'damaged') onTrouble(error)
      seen = 'damaged'
      return undefined
    })
    const text = JSON.stringify(catalogue)
    if (catalogue === undefined || isClosed || text === seen) return
    seen = text
    const before = entries
    entries = catalogue.models.map(
      (entry) => known(before, entry) ?? { entry, standing: start(entry) },
    )
    const gone = before.filter((old) => !entries.includes(old))
    for (const each of entries) if (each.standing.state === 'loading') await load(each)
    for (const { entry, standing } of gone) {
      const isShared = entries.some((each) => each.entry.document === entry.document)
      if (standing.state === 'ready' && !isShared) await standing.runtime.close()
    }
  }

  async function load(each: Entry): Promise<void> {
    const hash = each.entry.document ?? ''
    try {
      const runtime = await thread.open({ file: servedModelFile(published, hash), hash })
      each.standing = { state: 'ready', runtime }
    } catch (error) {
      each.standing = {
        state: 'unavailable',
        reason: isAssayError(error) ? error.detail : String(error),
      }
      onTrouble(error)
    }
  }

  const hosted = ({ entry: { name, version }, standing }: Entry): HostedModel => ({
    name,
    version,
    standing,
  })

  return {
    find: (name, version) =>
      findIn(entries.filter(({ entry }) => entry.name === name).map(hosted), name, version),
    list: () => entries.map(hosted),
    refresh() {
      last = last.then(look).catch(onTrouble)
      return last
    },
    async close() {
      isClosed = true
      entries = []
      await thread.close()
    },
  }
}

function known(entries: readonly Entry[], { name, version, document }: CatalogueEntry) {
  return entries.find(
    ({ entry, standing }) =>
      entry.name === name &&
      entry.version === version &&
      entry.document === document &&
      standing.state === 'ready',
  )
}

function start({ document, reason }: CatalogueEntry): ModelState {
  return document === undefined
    ? { state: 'unavailable', reason: reason ?? 'It was not published.' }
    : { state: 'loading' }
}
