// What a backup says of itself: a line that says what it is, a line a file, and a last line with the
// checksum of all before it. Every other byte of a backup is covered by a hash in these lines.
import { createHash } from 'node:crypto'
import { backupErrors } from './errors.ts'

/** Raised with every change that an older version could not read. */
export const BACKUP_FORMAT = 1

export type SecretsAre = 'plain' | 'encrypted' | 'left out'

export interface BackupHead {
  readonly format: typeof BACKUP_FORMAT
  readonly id: string
  /** µs UTC at which the metadata was frozen. */
  readonly takenAtUs: number
  readonly assay: string
  /** The formats of what is inside. */
  readonly formats: {
    readonly home: number
    readonly journal: number
    readonly checkpoint: number
    /** Version of each room's tables. */
    readonly metadata: Readonly<Record<string, number>>
  }
  /** Up to which sequence the journal of each namespace is in it; null: all of a stopped home. */
  readonly namespaces: Readonly<Record<string, number | null>>
  readonly secrets: SecretsAre
}

export interface BackedUpFile {
  /** Below the home, with `/`. */
  readonly path: string
  /** Of the content in the backup. */
  readonly bytes: number
  /** SHA-256 of the content in the backup, in hex, which is its name there. */
  readonly sha256: string
  /** The content is encrypted with the passphrase. */
  readonly encrypted?: true
}

export interface Manifest {
  readonly head: BackupHead
  readonly files: readonly BackedUpFile[]
}

export function encodeManifest({ head, files }: Manifest): string {
  const body = [head, ...files].map((line) => `${JSON.stringify(line)}\n`).join('')
  const end = { files: files.length, sha256: createHash('sha256').update(body).digest('hex') }
  return `${body}${JSON.stringify(end)}\n`
}

/** Reads a manifest and checks it. Errors: `backup_damaged`, `backup_newer`. */
export function decodeManifest(name: string, bytes: Uint8Array): Manifest {
  const damaged = (what: string) => backupErrors.backup_damaged(`The manifest ${name} ${what}.`)
  const text = Buffer.from(bytes).toString('utf8')
  const endAt = text.lastIndexOf('\n', text.length - 2) + 1
  const body = text.slice(0, endAt)
  const sha256 = createHash('sha256').update(body).digest('hex')
  const lines = body.split('\n').slice(0, -1)
  const end = { files: lines.length - 1, sha256 }
  // Written by us, so it is ours to the byte, or damaged.
  if (
    text.slice(endAt) !== `${JSON.stringify(end)}\n` ||
    !Buffer.from(text).equals(Buffer.from(bytes))
  ) {
    throw damaged(`does not fit its checksum; its lines hash to ${sha256}`)
  }
  const [head, ...files] = lines.map((line) => JSON.parse(line) as unknown)
  const { format } = head as { readonly format: unknown }
  if (format !== BACKUP_FORMAT) {
    throw backupErrors.backup_newer(
      `The manifest ${name} has format ${String(format)}; this version reads ${BACKUP_FORMAT}.`,
    )
  }
  for (const { path } of files as BackedUpFile[]) {
    if (!isInside(path)) throw damaged(`names ${JSON.stringify(path)}, which is no path of a home`)
  }
  return { head: head as BackupHead, files: files as BackedUpFile[] }
}

/** Whether a path stays below the home, whoever wrote it. */
function isInside(path: string): boolean {
  return path
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && !/[\\\0]/.test(part))
}
