// Which versions are served: what `decide` needs of each approved or live one, and of those that take
// part in a deployment and are computed elsewhere, is published as an immutable document, and their list
// as one small file.
import type { ModelVersion, Registry, VersionName } from '../registry/index.ts'
import { isAssayError } from '../lib/errors.ts'
import {
  type CatalogueEntry,
  goldenOf,
  openRuntime,
  publishServedModel,
  readCatalogue,
  type ServedModel,
  writeCatalogue,
} from '../serving/index.ts'
import { servedModelOf, type VersionSources } from './served-models.ts'
import { type ServedSweep, sweepServedModels } from './served-sweep.ts'

/** Versions of a status that are served at a time: of more, those of the newest registration. */
const SERVED_MAX = 200

/** Calls after which the registry is looked at anyway, for what nobody tells of. */
const CALLS_BETWEEN = 30

/** Looks for which a version that is about to be deployed stays published. */
const LOOKS_WAITED = 60

export interface ServedPublisher {
  /**
   * Brings the catalogue to what the registry says, and what is about to be deployed; nothing where
   * nothing moved.
   */
  publish(about?: readonly VersionName[]): Promise<void>
  /** Removes documents that are served no more; how many. Error: `served_model_invalid`. */
  sweep(options: ServedSweep): Promise<number>
}

export interface ServedPublisherPorts {
  /** Folder of what is published. */
  readonly directory: string
  /** Whether versions changed since it was asked last; deletions and new names need not be told. */
  readonly haveMoved: () => boolean
  readonly registry: Pick<Registry, 'searchVersions' | 'version'>
  readonly sources: VersionSources
  /** All that takes part in a deployment now. */
  readonly deployed: () => Promise<readonly VersionName[]>
}

export function createServedPublisher(ports: ServedPublisherPorts): ServedPublisher {
  const { directory, registry, sources, deployed } = ports
  let published: readonly CatalogueEntry[] | undefined
  /** What the file holds; undefined where there is none or it is damaged. */
  let standing: string | undefined
  /** Calls since the registry was looked at. */
  let idle = CALLS_BETWEEN
  /** What is about to be deployed, and for how many more looks. */
  const awaited = new Map<string, { readonly named: VersionName; looks: number }>()
  let last: Promise<void> = Promise.resolve()

  async function entryOf(version: ModelVersion): Promise<CatalogueEntry> {
    const named = {
      name: version.model,
      version: String(version.version),
      record: version.hash,
    }
    const before = published?.find(
      ({ record, name }) => record === version.hash && name === named.name,
    )
    if (before !== undefined) {
      const { for: _, ...same } = before
      return same
    }
    try {
      const document = await withGolden(await servedModelOf(version, sources))
      return { ...named, document: await publishServedModel(directory, document) }
    } catch (error) {
      if (!isAssayError(error)) throw error
      return { ...named, reason: error.detail }
    }
  }

  async function versionsOf(status: 'approved' | 'live') {
    const { versions } = await registry.searchVersions({
      filter: { field: { of: 'attribute', name: 'status' }, op: '=', value: status },
      prompts: 'without',
      order: [{ field: 'createdAtUs', descending: true }],
      limit: SERVED_MAX,
    })
    return versions
  }

  /** Those that decisions ask for: computed elsewhere, and deployed or about to be. */
  async function versionsAsked(): Promise<ModelVersion[]> {
    for (const [name, each] of awaited) if (--each.looks < 0) awaited.delete(name)
    const named = [...(await deployed()), ...Array.from(awaited.values(), (each) => each.named)]
    const versions = await Promise.all(
      [...new Map(named.map((each) => [keyOf(each), each])).values()].map((each) =>
        registry.version(each.model, each.version),
      ),
    )
    return versions.filter(({ kind }) => kind === 'outside')
  }

  async function publish(about: readonly VersionName[]): Promise<void> {
    for (const named of about) awaited.set(keyOf(named), { named, looks: LOOKS_WAITED })
    const isMoved = ports.haveMoved() || about.length > 0 || awaited.size > 0
    if (!isMoved && ++idle <= CALLS_BETWEEN) return
    // Until it is done, every call tries again.
    idle = CALLS_BETWEEN
    if (published === undefined) {
      const catalogue = await readCatalogue(directory).catch(() => undefined)
      published = catalogue?.models ?? []
      standing = catalogue && JSON.stringify(catalogue.models)
    }
    const offered = [...(await versionsOf('live')), ...(await versionsOf('approved'))]
    const asked = new Map((await versionsAsked()).map((version) => [keyOf(version), version]))
    const entries: CatalogueEntry[] = []
    for (const { version } of inOrder(offered)) {
      const isAsked = asked.delete(keyOf(version))
      entries.push({
        ...(await entryOf(version)),
        ...(isAsked && { for: 'decisions and clients' }),
      })
    }
    for (const version of asked.values()) {
      entries.push({ ...(await entryOf(version)), for: 'decisions' })
    }
    const text = JSON.stringify(entries)
    if (text !== standing) await writeCatalogue(directory, entries)
    standing = text
    published = entries
    idle = 0
  }

  return {
    publish(about = []) {
      const done = last.then(() => publish(about))
      last = done.catch(() => {})
      return done
    },
    sweep(options) {
      // In its turn: a document that is being published again must not go before it is named.
      const done = last.then(() => sweepServedModels(directory, options))
      last = done.then(
        () => {},
        () => {},
      )
      return done
    },
  }
}

const keyOf = ({ model, version }: VersionName) => `${model}@${version}`

/** Of one model the live version last, else the newest: it answers where none is named. */
function inOrder(versions: readonly { readonly version: ModelVersion }[]) {
  const rank = ({ status }: ModelVersion) => (status === 'live' ? 1 : 0)
  return versions.toSorted(
    ({ version: a }, { version: b }) =>
      a.model.localeCompare(b.model) || rank(a) - rank(b) || a.version - b.version,
  )
}

/** Answers of the model as this process computes them, for whoever serves it to compare. */
async function withGolden(document: ServedModel): Promise<ServedModel> {
  const { body } = document
  if (body.kind !== 'engine' && body.kind !== 'prepared') return document
  const runtime = await openRuntime(body, () => Promise.reject(new Error('not computed here')))
  return { ...document, golden: await goldenOf(runtime, body) }
}
