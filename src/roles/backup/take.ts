// Takes a backup of a home, while a server runs on it or not. What refers is frozen before what it refers
// to is looked for, and content before both, so the copy never names what it lacks
// (docs/decisions/0099-backup.md):
//
//   1. content: snapshots, artifacts, models, results — nearly all bytes, and what may be removed later
//   2. the moment: the metadata is frozen, then each journal's last sequence on the disk is asked for
//   3. the metadata, then journals up to those sequences
//   4. everything else, with the content that came since 1
//   5. the manifest
import { promises as fs } from 'node:fs'
import path from 'node:path'
import type { FrozenDatabase } from '../../adapters/sqlite/index.ts'
import type { Clock } from '../../lib/clock.ts'
import { AssayError } from '../../lib/errors.ts'
import { fileErrorCode } from '../../lib/files.ts'
import { sha256Hex } from '../../lib/hash.ts'
import type { Ids, RandomBytes } from '../../lib/ids.ts'
import { corrupt } from '../../lib/journal-segments.ts'
import { HOME_FORMAT, type Home } from '../../projects/index.ts'
import { backupErrors } from './errors.ts'
import { segmentsUpTo } from './journals.ts'
import { manifestPath, type BackupTarget, type Content } from './layout.ts'
import {
  BACKUP_FORMAT,
  encodeManifest,
  type BackedUpFile,
  type BackupHead,
  type SecretsAre,
} from './manifest.ts'
import { encryptSecret } from './secrets.ts'
import { readPieces } from './store.ts'
import { filesOf, isBulk, isSecret, unlessGone } from './walk.ts'

export interface BackupPorts {
  readonly home: Home
  readonly assay: string
  readonly clock: Clock
  readonly ids: Ids
  readonly random: RandomBytes
  readonly freeze: (database: string) => FrozenDatabase
  /** The last sequence on the disk of each open namespace; null where no server runs. */
  readonly lastSequences: () => Promise<Readonly<Record<string, number>> | null>
  readonly sleep: (ms: number) => Promise<void>
  readonly monotonicUs: () => number
}

export interface BackupOptions {
  readonly secrets: SecretsAre
  /** Needed where secrets are encrypted. */
  readonly passphrase?: string | undefined
  /** At most so many bytes a second are read. */
  readonly bytesPerSecond?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: (progress: BackupProgress) => void
}

export interface BackupProgress {
  readonly stage: 'content' | 'metadata' | 'journals' | 'the rest'
  readonly files: number
  /** Read so far. */
  readonly bytes: number
}

export interface TakenBackup {
  readonly id: string
  readonly head: BackupHead
  readonly files: number
  readonly bytes: number
  /** What was not in the target before. */
  readonly copiedFiles: number
  readonly copiedBytes: number
  /** SHA-256 of the manifest: it names all the rest. */
  readonly manifest: string
}

/**
 * Writes one backup and resolves once all of it is on the disk. Where it fails or is aborted the home is
 * as it was, and what was copied serves the next. Errors: `home_changing`, `backup_unwritable`,
 * `metadata_unreadable`, `journal_corrupt`.
 */
export async function takeBackup(
  ports: BackupPorts,
  target: BackupTarget,
  options: BackupOptions,
): Promise<TakenBackup> {
  try {
    return await new Taking(ports, target, options).run()
  } catch (error) {
    await target.abandon()
    const code = fileErrorCode(error)
    if (error instanceof AssayError || !['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code ?? '')) {
      throw error
    }
    throw backupErrors.backup_unwritable(`The place of the backup took no more (${code}).`, {
      cause: error,
    })
  } finally {
    await fs.rm(target.scratch, { force: true })
  }
}

class Taking {
  readonly ports: BackupPorts
  readonly target: BackupTarget
  readonly options: BackupOptions
  readonly files = new Map<string, BackedUpFile>()
  readonly startedUs: number
  stage: BackupProgress['stage'] = 'content'
  readBytes = 0
  copied = { files: 0, bytes: 0 }

  constructor(ports: BackupPorts, target: BackupTarget, options: BackupOptions) {
    this.ports = ports
    this.target = target
    this.options = options
    this.startedUs = ports.monotonicUs()
  }

  async run(): Promise<TakenBackup> {
    const { home, clock, ids, assay, freeze, lastSequences } = this.ports
    await this.takeFiles(isBulk)
    const frozen = freeze(home.database)
    let sequences: Readonly<Record<string, number>> | null
    let takenAtUs: number
    try {
      takenAtUs = clock.nowUs()
      // After the metadata: what it says was sent to the journal is in the journal then.
      sequences = await lastSequences()
      await this.takeMetadata(frozen)
    } finally {
      frozen.close()
    }
    const namespaces = await this.takeJournals(sequences)
    this.stage = 'the rest'
    const cold = await namespacesWithCold(home.decide, Object.keys(namespaces))
    await this.takeFiles((file) => belongs(file, namespaces, cold))
    const id = ids('backup')
    const head: BackupHead = {
      format: BACKUP_FORMAT,
      id,
      takenAtUs,
      assay,
      formats: { home: HOME_FORMAT, journal: 1, checkpoint: 1, metadata: frozen.versions },
      namespaces,
      secrets: this.options.secrets,
    }
    const files = [...this.files.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1))
    const manifest = encodeManifest({ head, files })
    await this.target.finish(id, manifest)
    return {
      id,
      head,
      files: files.length,
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      copiedFiles: this.copied.files,
      copiedBytes: this.copied.bytes,
      manifest: `${manifestPath(id)}, SHA-256 ${sha256Hex(manifest)}`,
    }
  }

  async takeFiles(wanted: (file: string) => boolean): Promise<void> {
    const { home } = this.ports
    for await (const { file, bytes } of filesOf(home.root)) {
      if (!wanted(file) || (isBulk(file) && this.files.has(file))) continue
      if (isSecret(file)) await this.takeSecret(file)
      else {
        // Content that is named by its hash need not be read to be known.
        const [, named] = /(?:^|\/)([0-9a-f]{64})(?:\.\w+)?$/.exec(file) ?? []
        const hash = isBulk(file) ? named : undefined
        const content = () => readPieces(path.join(home.root, file), bytes)
        await this.take(file, content, hash, bytes).catch(unlessGone)
      }
    }
  }

  async takeSecret(file: string): Promise<void> {
    const { secrets, passphrase } = this.options
    if (secrets === 'left out') return
    const plain = await fs.readFile(path.join(this.ports.home.root, file))
    const isEncrypted = secrets === 'encrypted'
    const bytes = isEncrypted ? encryptSecret(plain, passphrase!, this.ports.random) : plain
    await this.take(file, async function* () {
      yield bytes
    })
    if (isEncrypted) this.files.set(file, { ...this.files.get(file)!, encrypted: true })
  }

  async takeMetadata(frozen: FrozenDatabase): Promise<void> {
    this.stage = 'metadata'
    this.tell()
    const { scratch } = this.target
    const { signal } = this.options
    await fs.rm(scratch, { force: true })
    await frozen.copyTo(scratch, { ...(signal && { signal }), onPages: () => this.tell() })
    await this.take('keep/assay.sqlite', () => readPieces(scratch))
    await fs.rm(scratch, { force: true })
  }

  async takeJournals(
    sequences: Readonly<Record<string, number>> | null,
  ): Promise<Record<string, number | null>> {
    this.stage = 'journals'
    const { decide } = this.ports.home
    const names = (await fs.readdir(decide))
      .flatMap((name) => /^(.+)\.json$/.exec(name)?.[1] ?? [])
      .filter((name) => sequences === null || sequences[name] !== undefined)
    const taken: Record<string, number | null> = {}
    for (const name of names.toSorted()) {
      const through = sequences === null ? null : sequences[name]
      try {
        await this.takeJournal(name, through)
        taken[name] = through
      } catch (error) {
        // A replay may be forgotten at any time, and goes with its file first.
        const isGone = !(await fs.readdir(decide)).includes(`${name}.json`)
        if (!isGone || fileErrorCode(error) !== 'ENOENT') throw error
        for (const file of this.files.keys()) {
          if (file.startsWith(`decide/${name}/`)) this.files.delete(file)
        }
      }
    }
    return taken
  }

  async takeJournal(namespace: string, through: number | null): Promise<void> {
    const directory = path.join(this.ports.home.decide, namespace, 'journal')
    for (const { name, bytes, sha256 } of await segmentsUpTo(directory, through)) {
      const file = `decide/${namespace}/journal/${name}`
      const content = () => readPieces(path.join(directory, name), bytes)
      await this.take(file, content, sha256, bytes)
      const found = this.files.get(file)!.sha256
      if (sha256 !== undefined && found !== sha256) {
        throw corrupt(name, `hashes to ${found}, not to ${sha256} as when it was sealed`)
      }
    }
  }

  /** Takes one file; where content of this hash and size is in the target it is not even read. */
  async take(file: string, content: Content, hash?: string, size?: number): Promise<void> {
    this.options.signal?.throwIfAborted()
    if (hash !== undefined && size !== undefined) {
      if ((await this.target.sizeOf(hash)) === size) {
        this.files.set(file, { path: file, bytes: size, sha256: hash })
        return this.tell()
      }
    }
    const { sha256, bytes, known } = await this.target.put(() => this.paced(content()))
    if (!known) {
      this.copied = { files: this.copied.files + 1, bytes: this.copied.bytes + bytes }
    }
    this.files.set(file, { path: file, bytes, sha256 })
    this.tell()
  }

  /** No faster than asked for; ends between two pieces where it is aborted. */
  async *paced(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const { signal, bytesPerSecond } = this.options
    const { sleep, monotonicUs } = this.ports
    for await (const piece of pieces) {
      signal?.throwIfAborted()
      this.readBytes += piece.length
      yield piece
      if (bytesPerSecond === undefined) continue
      const dueUs = this.startedUs + (this.readBytes / bytesPerSecond) * 1e6
      const waitMs = (dueUs - monotonicUs()) / 1000
      if (waitMs > 1) await sleep(waitMs)
    }
  }

  tell(): void {
    const { stage, files, readBytes } = this
    this.options.onProgress?.({ stage, files: files.size, bytes: readBytes })
  }
}

/**
 * Those whose state lies partly in a cold store, which is not taken: a checkpoint without it is none,
 * and the journal makes both anew.
 */
async function namespacesWithCold(decide: string, names: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>()
  for (const name of names) {
    const stat = await fs.stat(path.join(decide, name, 'cold')).catch(unlessGone)
    if (stat !== undefined) found.add(name)
  }
  return found
}

/** Of `decide`, only what belongs to a journal that was taken, and fits to its end. */
function belongs(
  file: string,
  namespaces: Readonly<Record<string, number | null>>,
  cold: ReadonlySet<string>,
): boolean {
  const [, name, rest] = /^decide\/([^/]+?)(?:\.json|\/(.+))$/.exec(file) ?? []
  if (name === undefined) return true
  const through = namespaces[name]
  if (through === undefined) return false
  const [, sequence] = /^state\/(\d{16})\.checkpoint$/.exec(rest ?? '') ?? []
  if (sequence === undefined) return true
  return !cold.has(name) && (through === null || Number(sequence) <= through)
}
