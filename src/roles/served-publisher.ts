// Which versions are served: what `decide` needs of each approved or live one is published as an
// immutable document, and their list as one small file.
import type { ModelVersion, Registry } from '../registry/index.ts'
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

/** Versions of a status that are served at a time: of more, those of the newest registration. */
const SERVED_MAX = 200

/** Calls after which the registry is looked at anyway, for what nobody tells of. */
const CALLS_BETWEEN = 30

export interface ServedPublisher {
  /** Brings the catalogue to what the registry says; nothing where nothing moved. */
  publish(): Promise<void>
}

export interface ServedPublisherPorts {
  /** Folder of what is published. */
  readonly directory: string
  /** Whether versions changed since it was asked last; deletions and new names need not be told. */
  readonly haveMoved: () => boolean
  readonly registry: Pick<Registry, 'searchVersions'>
  readonly sources: VersionSources
}

export function createServedPublisher(ports: ServedPublisherPorts): ServedPublisher {
  const { directory, registry, sources } = ports
  let published: readonly CatalogueEntry[] | undefined
  /** What the file holds; undefined where there is none or it is damaged. */
  let standing: string | undefined
  /** Calls since the registry was looked at. */
  let idle = CALLS_BETWEEN

  async function entryOf(version: ModelVersion): Promise<CatalogueEntry> {
    const named = {
      name: version.model,
      version: String(version.version),
      record: version.hash,
    }
    const before = published?.find(
      ({ record, name }) => record === version.hash && name === named.name,
    )
    if (before !== undefined) return before
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

  return {
    async publish() {
      if (!ports.haveMoved() && ++idle <= CALLS_BETWEEN) return
      // Until it is done, every call tries again.
      idle = CALLS_BETWEEN
      if (published === undefined) {
        const catalogue = await readCatalogue(directory).catch(() => undefined)
        published = catalogue?.models ?? []
        standing = catalogue && JSON.stringify(catalogue.models)
      }
      const versions = [...(await versionsOf('live')), ...(await versionsOf('approved'))]
      const entries: CatalogueEntry[] = []
      for (const { version } of inOrder(versions)) entries.push(await entryOf(version))
      const text = JSON.stringify(entries)
      if (text !== standing) await writeCatalogue(directory, entries)
      standing = text
      published = entries
      idle = 0
    },
  }
}

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
