// Where backups lie: a folder that holds one or more of them, each content once, or one .tar file with
// the same paths inside.
//
//   assay-backup.json            says that it is one, and its format
//   objects/ab/abcd…             content, named by its SHA-256
//   manifests/backup_….ndjson    one backup: which content lies at which path of the home
//
// A manifest is written last, once all that it names is on the disk: a backup that was ended midway has
// none, and what it copied serves the next.
import { BACKUP_FORMAT } from './manifest.ts'

export const MARK_FILE = 'assay-backup.json'
export const MARK_TEXT = `${JSON.stringify({ format: BACKUP_FORMAT, kind: 'assay-backup' })}\n`
export const objectPath = (sha256: string): string => `objects/${sha256.slice(0, 2)}/${sha256}`
export const manifestPath = (id: string): string => `manifests/${id}.ndjson`

/** Opens content to be read from its beginning; what is opened twice must read the same. */
export type Content = () => AsyncIterable<Uint8Array>

export interface StoredContent {
  readonly sha256: string
  readonly bytes: number
  /** It was there already. */
  readonly known: boolean
}

export interface BackupTarget {
  /** A file beside the backup, on the same disk, for what must be whole before it is taken. */
  readonly scratch: string
  /** Size of content that is there already; undefined where it is not. */
  sizeOf(sha256: string): Promise<number | undefined>
  put(content: Content): Promise<StoredContent>
  /** Writes the manifest, by which the backup is one. */
  finish(id: string, manifest: string): Promise<void>
  /** Takes away what was half written. */
  abandon(): Promise<void>
}

export interface BackupSource {
  /** The ids of its backups, oldest first. */
  readonly ids: readonly string[]
  /** The content of a path inside; undefined where there is none. */
  read(inside: string): AsyncIterable<Uint8Array> | undefined
  close(): Promise<void>
}

/** Ids begin with their time, so their order is that of the backups. */
export function idsOf(paths: readonly string[]): string[] {
  return paths.flatMap((each) => /^manifests\/(.+)\.ndjson$/.exec(each)?.[1] ?? []).toSorted()
}
