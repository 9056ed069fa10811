/**
 * The versions of a stream's memory in a folder: each a file named by the hash of its content, and a
 * log of who made it, why and when. A version can be returned to; what is not the current one and not
 * among the newest is removed.
 */
import { join } from 'node:path'
import { canonicalJson } from '../../lib/canonical-json.ts'
import { fileErrorCode, type FileSystem, readWholeFile, writeFileAtomic } from '../../lib/files.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { fail } from '../errors.ts'

export type MemoryVersion = {
  /** SHA-256 of the state's canonical JSON. */
  readonly version: string
  readonly before: string | null
  readonly kind: 'learnt' | 'observed' | 'feedback' | 'rolled back'
  readonly actor: string
  readonly reason: string
  readonly atUs: number
  /** How far the stream was: any JSON of the caller's. */
  readonly place: unknown
}

const INDEX = 'versions.json'

export class MemoryVersions {
  readonly #folder: string
  readonly #files: FileSystem
  readonly #kept: number

  /** `kept`: how many of the newest versions can be returned to. */
  constructor(folder: string, files: FileSystem, kept = 8) {
    this.#folder = folder
    this.#files = files
    this.#kept = kept
  }

  /** The oldest first; none in a folder that is new. Error: `novelty_state_damaged`. */
  async list(): Promise<readonly MemoryVersion[]> {
    const bytes = await this.#read(INDEX)
    if (bytes === undefined) return []
    return parsed<readonly MemoryVersion[]>(bytes, INDEX)
  }

  /** Errors: `novelty_version_not_found`, `novelty_state_damaged` where the hash is another. */
  async open(version: string): Promise<unknown> {
    const bytes = /^[0-9a-f]{64}$/.test(version) ? await this.#read(`${version}.json`) : undefined
    if (bytes === undefined) {
      throw fail.novelty_version_not_found(`There is no version "${version}" in ${this.#folder}.`)
    }
    if (sha256Hex(bytes) !== version) {
      throw fail.novelty_state_damaged(`${version}.json does not hold what its name says.`)
    }
    return parsed(bytes, `${version}.json`)
  }

  /** Keeps a state as the current version. Returns its entry. */
  async save(
    state: unknown,
    about: Omit<MemoryVersion, 'version' | 'before'>,
  ): Promise<MemoryVersion> {
    await this.#files.makeDirectory(this.#folder)
    const text = canonicalJson(state)
    const version = sha256Hex(text)
    const all = await this.list()
    await writeFileAtomic(join(this.#folder, `${version}.json`), text, this.#files)
    const entry: MemoryVersion = { ...about, version, before: all.at(-1)?.version ?? null }
    await this.#keep([...all, entry])
    return entry
  }

  /** Makes an earlier version the current one. Error: `novelty_version_not_found`. */
  async rollBack(
    version: string,
    about: Pick<MemoryVersion, 'actor' | 'reason' | 'atUs'>,
  ): Promise<MemoryVersion> {
    await this.open(version)
    const all = await this.list()
    const place = all.findLast((one) => one.version === version)?.place ?? null
    const entry: MemoryVersion = {
      ...about,
      place,
      version,
      before: all.at(-1)?.version ?? null,
      kind: 'rolled back',
    }
    await this.#keep([...all, entry])
    return entry
  }

  /** The index first: a file that it does not name is no version, and goes the next time. */
  async #keep(entries: readonly MemoryVersion[]): Promise<void> {
    const kept = entries.slice(-this.#kept)
    const index = `${JSON.stringify(kept, null, 2)}\n`
    await writeFileAtomic(join(this.#folder, INDEX), index, this.#files)
    const named = new Set(kept.map(({ version }) => `${version}.json`))
    for (const file of await this.#files.list(this.#folder)) {
      if (!/^[0-9a-f]{64}\.json$/.test(file) || named.has(file)) continue
      await this.#files.remove(join(this.#folder, file))
    }
  }

  async #read(name: string): Promise<Uint8Array | undefined> {
    try {
      return await readWholeFile(join(this.#folder, name), this.#files)
    } catch (error) {
      if (fileErrorCode(error) === 'ENOENT') return undefined
      throw error
    }
  }
}

function parsed<T>(bytes: Uint8Array, name: string): T {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as T
  } catch (error) {
    throw fail.novelty_state_damaged(`${name} is no JSON.`, { cause: error })
  }
}
