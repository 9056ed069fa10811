/** The models that the catalogue of a home names, made ready in threads as it changes. */
import { servingErrors } from '../errors.ts'
import { type CatalogueEntry, readCatalogue, servedModelFile } from './catalogue.ts'
import { findIn, hosted, type HostedModel, type ModelHost, runtimeOf } from './host.ts'
import type { KeptReady, KeepReadyOptions } from './keep-ready.ts'
import type { ModelRuntime } from './ports.ts'
import type { ModelThreads } from './thread-runtime.ts'

export interface PublishedHost extends ModelHost {
  /**
   * Brings the models to what the catalogue says now; nothing where it did not change. Resolves when
   * every model that it found new was tried once.
   */
  refresh(): Promise<void>
  /**
   * The model of a document, also one that clients may not ask for. Errors: `served_model_unknown`,
   * `served_model_unready`.
   */
  runtimeOf(document: string): ModelRuntime
  /** Looks at the catalogue, and resolves when the model of a document is ready. Errors as above. */
  ready(document: string): Promise<void>
  /** Resolves when every model that decisions ask for was tried once. */
  decisive(): Promise<void>
  close(): Promise<void>
}

export interface PublishedHostOptions extends Pick<KeepReadyOptions, 'later'> {
  /** Folder of what keep publishes. */
  readonly published: string
  readonly threads: ModelThreads
  readonly onTrouble: (error: unknown, model?: Pick<HostedModel, 'name' | 'version'>) => void
}

interface Entry {
  readonly entry: CatalogueEntry
  readonly model: HostedModel
  /** Undefined where there is nothing to load. */
  readonly kept: KeptReady | undefined
}

/**
 * A version that is in the catalogue no more is answered no more; one that stays is never loaded
 * again, unless what computes it ended.
 */
export function createPublishedHost(options: PublishedHostOptions): PublishedHost {
  const { published, threads, onTrouble, later } = options
  let entries: readonly Entry[] = []
  let offered = new Map<string, HostedModel[]>()
  let last: Promise<unknown> = Promise.resolve()
  let isClosed = false
  let seen = ''

  /** The tries that it began. */
  async function look(): Promise<readonly Promise<void>[]> {
    const catalogue = await readCatalogue(published).catch((error: unknown) => {
      if (seen !== 'damaged') onTrouble(error)
      seen = 'damaged'
      return undefined
    })
    const text = JSON.stringify(catalogue)
    if (catalogue === undefined || isClosed || text === seen) return []
    seen = text
    const before = entries
    const made = new Map(
      inOrder(catalogue.models).map((entry) => {
        const known = before.find((old) => isSame(old.entry, entry))
        return [entry, known === undefined ? begin(entry) : { ...known, entry }]
      }),
    )
    entries = catalogue.models.map((entry) => made.get(entry)!)
    offered = Map.groupBy(
      entries.flatMap(({ entry, model }) => (entry.for === 'decisions' ? [] : [model])),
      ({ name }) => name,
    )
    const stays = new Set(entries.map(({ model }) => model))
    const gone = before.filter(({ model }) => !stays.has(model))
    // A thread that hangs must not hold up what comes next.
    for (const { kept } of gone) kept?.close().catch(onTrouble)
    return entries.flatMap(({ model, kept }) =>
      kept === undefined || before.some((old) => old.model === model) ? [] : [kept.tried],
    )
  }

  function begin(entry: CatalogueEntry): Entry {
    const { name, version, document: hash, reason = 'It was not published.' } = entry
    if (hash === undefined) {
      return {
        entry,
        kept: undefined,
        model: { name, version, standing: { state: 'unserved', reason } },
      }
    }
    const model = hosted(name, version, {
      open: () => threads.open({ file: servedModelFile(published, hash), hash }),
      onTrouble: (error) => onTrouble(error, { name, version }),
      ...(later && { later }),
    })
    return { entry, model, kept: model.kept }
  }

  /** One look after another, which does not wait for what it began. */
  async function lookNext(): Promise<readonly Promise<void>[]> {
    const looked = last.then(look)
    last = looked.catch(onTrouble)
    return looked.catch(() => [])
  }

  function entryOf(document: string): Entry {
    const found = entries.find(({ entry }) => entry.document === document)
    if (found !== undefined) return found
    throw servingErrors.served_model_unknown(`No model of the document ${document} is served here.`)
  }

  return {
    find: (name, version) => findIn(offered.get(name) ?? [], name, version),
    list: () => [...offered.values()].flat(),
    runtimeOf: (document) => runtimeOf(entryOf(document).model),
    async refresh() {
      await Promise.all(await lookNext())
    },
    async ready(document) {
      void (await lookNext())
      const { model, kept } = entryOf(document)
      await kept?.tried
      runtimeOf(model)
    },
    async decisive() {
      void (await lookNext())
      await Promise.all(
        entries.flatMap(({ entry, kept }) =>
          entry.for === undefined || kept === undefined ? [] : [kept.tried],
        ),
      )
    },
    async close() {
      isClosed = true
      const all = entries
      entries = []
      offered = new Map()
      await Promise.all(all.map(async ({ kept }) => kept?.close()))
      await threads.close()
    },
  }
}

/** Threads begin one after another: first those without which decisions fall back. */
function inOrder(models: readonly CatalogueEntry[]): readonly CatalogueEntry[] {
  const rank = (entry: CatalogueEntry) => (entry.for === undefined ? 1 : 0)
  return models.toSorted((a, b) => rank(a) - rank(b))
}

function isSame(one: CatalogueEntry, other: CatalogueEntry): boolean {
  return (
    one.name === other.name &&
    one.version === other.version &&
    one.document === other.document &&
    one.reason === other.reason
  )
}
