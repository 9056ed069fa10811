/**
 * The catalogue of served models: a small file that `keep` replaces as a whole whenever it changes, and
 * the documents that it names by hash. Whoever serves finds all that it needs there, with every other
 * process dead.
 */
import * as path from 'node:path'
import {
  fileErrorCode,
  nodeFiles,
  readWholeFile,
  writeFileAtomic,
  type FileSystem,
} from '../../lib/files.ts'
import { servingErrors } from '../errors.ts'
import { type ServedModel, writeServedModel } from './document.ts'

export interface Catalogue {
  readonly format: 1
  /** Of one name the last one answers where no version is asked for. */
  readonly models: readonly CatalogueEntry[]
}

export interface CatalogueEntry {
  readonly name: string
  readonly version: string
  /** Content hash of the version's record in the registry. */
  readonly record: string
  /** Of the document; absent where there is none, and `reason` says why. */
  readonly document?: string
  /**
   * Who may ask for it; absent: clients. Decisions ask for those that are deployed and not computed in
   * `decide` itself, also while nobody approved them and they answer in shadow alone.
   */
  readonly for?: 'decisions' | 'decisions and clients'
  readonly reason?: string
}

export function catalogueFile(published: string): string {
  return path.join(published, 'served-models.json')
}

export function servedModelFile(published: string, hash: string): string {
  return path.join(published, 'served-models', `${hash}.json`)
}

/** Undefined where nothing was published yet. Error: `served_model_invalid`. */
export async function readCatalogue(
  published: string,
  files: FileSystem = nodeFiles,
): Promise<Catalogue | undefined> {
  let bytes: Uint8Array
  try {
    bytes = await readWholeFile(catalogueFile(published), files)
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    const catalogue = JSON.parse(Buffer.from(bytes).toString('utf8')) as Catalogue
    if (catalogue.format === 1 && Array.isArray(catalogue.models)) return catalogue
  } catch {
    // Told below, as any other content is.
  }
  throw servingErrors.served_model_invalid('The catalogue of served models is damaged.')
}

export async function writeCatalogue(
  published: string,
  models: readonly CatalogueEntry[],
  files: FileSystem = nodeFiles,
): Promise<void> {
  const catalogue: Catalogue = { format: 1, models }
  await writeFileAtomic(catalogueFile(published), JSON.stringify(catalogue), files)
}

/** Writes the document under its hash, which it returns. */
export async function publishServedModel(
  published: string,
  document: ServedModel,
  files: FileSystem = nodeFiles,
): Promise<string> {
  const { hash, text } = writeServedModel(document)
  const file = servedModelFile(published, hash)
  await files.makeDirectory(path.dirname(file))
  await writeFileAtomic(file, text, files)
  return hash
}
