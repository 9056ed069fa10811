import { sha256Hex } from '../lib/hash.ts'
import type { Restorable } from '../lib/unit-of-work.ts'
import type { FileEntry, FileOwner, FileStore, PartStore, StoredFile } from './file-ports.ts'
import { prefixOf } from './files-paths.ts'
import { collect } from './files-stream.ts'

/** The simplest right store: a map of files an owner. */
export function createMemoryFileStore(): FileStore & Restorable {
  let owners = new Map<string, Map<string, StoredFile>>()
  let looseSince = new Map<string, number>()

  const keyOf = ({ kind, id }: FileOwner) => `${kind} ${id}`
  const filesOf = (owner: FileOwner) => {
    const files = owners.get(keyOf(owner)) ?? new Map<string, StoredFile>()
    owners.set(keyOf(owner), files)
    return files
  }
  const below = (owner: FileOwner, folder: string) =>
    [...filesOf(owner).values()]
      .filter(({ path }) => path.startsWith(prefixOf(folder)))
      .sort((a, b) => inBytes(a.path, b.path))
  const loosen = (hashes: readonly string[], atUs: number) => {
    for (const hash of hashes) looseSince.set(hash, atUs)
  }
  const isNamed = (hash: string) =>
    [...owners.values()].some((files) => [...files.values()].some(({ sha256 }) => sha256 === hash))

  return {
    save() {
      const files = new Map([...owners].map(([key, own]) => [key, new Map(own)]))
      const saved = [files, new Map(looseSince)] as const
      return () => {
        ;[owners, looseSince] = saved
      }
    },
    async put(owner, file) {
      const known = filesOf(owner)
      const before = known.get(file.path)
      if (before !== undefined && before.sha256 !== file.sha256) {
        loosen([before.sha256], file.putAtUs)
      }
      known.set(file.path, file)
    },
    file: async (owner, path) => filesOf(owner).get(path),
    filesBelow: async (owner, folder, { limit, after }) =>
      below(owner, folder)
        .filter(({ path }) => after === undefined || inBytes(path, after) > 0)
        .slice(0, limit),
    async entries(owner, folder, { limit, after }) {
      const entries = new Map<string, FileEntry>()
      for (const { path, size } of below(owner, folder)) {
        const [name, ...deeper] = path.slice(prefixOf(folder).length).split('/')
        const entry = prefixOf(folder) + name
        const before = entries.get(entry)
        const isFolder = deeper.length > 0 || before?.isFolder === true
        entries.set(entry, { path: entry, isFolder, size: (before?.size ?? 0) + size })
      }
      return [...entries.values()]
        .sort((a, b) => inBytes(a.path, b.path))
        .filter(({ path }) => after === undefined || inBytes(path, after) > 0)
        .slice(0, limit)
    },
    async remove(owner, path, atUs) {
      const files = filesOf(owner)
      const file = files.get(path)
      const gone = file === undefined ? below(owner, path) : [file]
      for (const one of gone) files.delete(one.path)
      loosen(
        gone.map(({ sha256 }) => sha256),
        atUs,
      )
      return gone
    },
    loosen: async (hashes, atUs) => loosen(hashes, atUs),
    async loose(beforeUs, limit) {
      for (const hash of looseSince.keys()) if (isNamed(hash)) looseSince.delete(hash)
      return [...looseSince]
        .filter(([, since]) => since < beforeUs)
        .sort(([a, sinceA], [b, sinceB]) => sinceA - sinceB || inBytes(a, b))
        .map(([hash]) => hash)
        .slice(0, limit)
    },
    strays: async (hashes) => hashes.filter((hash) => !isNamed(hash) && !looseSince.has(hash)),
    async forget(hashes) {
      for (const hash of hashes) looseSince.delete(hash)
    },
  }
}

export function createMemoryPartStore(): PartStore {
  const parts = new Map<string, Uint8Array>()
  return {
    async write(name, content, limitBytes) {
      const bytes = await collect(content, limitBytes)
      parts.set(name, bytes)
      return { sha256: sha256Hex(bytes), size: bytes.length }
    },
    async *read(name) {
      const bytes = parts.get(name)
      if (bytes === undefined) throw new Error(`There is no part ${name}.`)
      yield bytes
    },
    async remove(name) {
      parts.delete(name)
    },
  }
}

function inBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
