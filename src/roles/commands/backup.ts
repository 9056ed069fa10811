// `assay backup` and `assay backup verify`.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import os from 'node:os'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freezeDatabase } from '../../adapters/sqlite/index.ts'
import {
  count,
  exitCodes,
  type BackupOptions,
  type BackupVerifyOptions,
  type Terminal,
} from '../../cli/index.ts'
import type { DecideRemote } from '../../decisions/index.ts'
import { monotonicUs, systemClock } from '../../lib/clock.ts'
import { isAssayError } from '../../lib/errors.ts'
import { systemIds, systemRandomBytes } from '../../lib/ids.ts'
import { remote } from '../../lib/rpc.ts'
import { formatTimestamp } from '../../lib/time.ts'
import type { Home } from '../../projects/index.ts'
import {
  manifestOf,
  openBackup,
  openFolderTarget,
  openTarTarget,
  takeBackup,
  verifyBackups,
  type BackupProgress,
  type SecretsAre,
  type TakenBackup,
} from '../backup/index.ts'
import { recordBackups, type BackupRecords } from '../backup/record.ts'
import { version } from '../config.ts'
import { stopSignal } from '../start.ts'
import { existingHome, runningServer, withMetadata } from './connection.ts'
import { commandErrors } from './errors.ts'

const MIB = 1024 * 1024

interface Beside {
  readonly records: BackupRecords
  readonly lastSequences: () => Promise<Readonly<Record<string, number>> | null>
}

/** Errors: `home_missing`, `home_locked`, those of `takeBackup`. */
export async function backup(options: BackupOptions, terminal: Terminal): Promise<number> {
  const home = existingHome(options.home)
  const place = resolve(options.out)
  if (`${place}/`.startsWith(`${home.root}/`)) {
    throw commandErrors.option_invalid('A backup inside of the home would go with it.')
  }
  const passphrase = readPassphrase(options.passphraseFile)
  if (passphrase !== undefined && !options.secrets) {
    throw commandErrors.option_invalid('--passphrase-file and --no-secrets contradict each other.')
  }
  yieldToOthers()
  const take = (beside: Beside) => takeWith(home, place, passphrase, beside, options, terminal)
  const taken =
    runningServer(home) === undefined
      ? await withMetadata(home.root, (metadata) =>
          take({ records: recordBackups(metadata), lastSequences: async () => null }),
        )
      : await take({
          records: remote<BackupRecords>(home.socket('admin'), 'backups'),
          lastSequences: () => durableSequences(home),
        })
  report(taken, place, options, terminal)
  return exitCodes.ok
}

async function takeWith(
  home: Home,
  place: string,
  passphrase: string | undefined,
  { records, lastSequences }: Beside,
  { secrets, rate }: BackupOptions,
  { err }: Terminal,
): Promise<TakenBackup> {
  const target = place.endsWith('.tar') ? await openTarTarget(place) : await openFolderTarget(place)
  const how: SecretsAre = !secrets ? 'left out' : passphrase === undefined ? 'plain' : 'encrypted'
  const aborted = new AbortController()
  void stopSignal().then(() => aborted.abort(commandErrors.command_stopped('It was stopped.')))
  const id = systemIds('backup')
  try {
    await records.record('backup.begun', id, { place, secrets: how })
    const taken = await takeBackup(
      {
        home,
        assay: version,
        clock: systemClock,
        ids: () => id,
        random: systemRandomBytes,
        freeze: freezeDatabase,
        lastSequences,
        sleep: (ms) => sleep(ms),
        monotonicUs,
      },
      target,
      {
        secrets: how,
        passphrase,
        bytesPerSecond: rate === undefined ? undefined : rate * MIB,
        signal: aborted.signal,
        onProgress: showProgress(err),
      },
    )
    const { files, bytes, copiedBytes, manifest } = taken
    await records.record('backup.taken', id, { place, files, bytes, copiedBytes, manifest })
    return taken
  } finally {
    if (err.interactive) err.raw('\r\u001b[K')
  }
}

/** Up to where each namespace is on the disk, as `decide` knows it. */
async function durableSequences(home: Home): Promise<Record<string, number>> {
  const decide = remote<DecideRemote>(home.socket('decide'), 'decide')
  const found: Record<string, number> = {}
  for (const { namespace, lastSequence } of await decide.namespaces()) {
    try {
      // Asking behind the end reads nothing, and says where the end on the disk is.
      const page = await decide.records({ namespace, after: lastSequence, limit: 1, waitMs: 0 })
      found[namespace] = page.lastSequence
    } catch (error) {
      // A replay that was forgotten between the two questions.
      if (!isAssayError(error, 'namespace_not_found')) throw error
    }
  }
  return found
}

/** Whoever decides and serves goes first, for the processor and, where the system can, the disk. */
function yieldToOthers(): void {
  os.setPriority(os.constants.priority.PRIORITY_LOW)
  if (process.platform === 'linux') {
    spawnSync('ionice', ['-c', '3', '-p', String(process.pid)], { stdio: 'ignore' })
  }
}

export function readPassphrase(file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  let text: string
  try {
    text = readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (cause) {
    throw commandErrors.input_unreadable(`${file}: ${(cause as Error).message}`, { cause })
  }
  if (text.length >= 8) return text
  throw commandErrors.option_invalid(`${file} holds fewer than 8 characters.`)
}

/** A line that is written over, ten times a second at most. */
function showProgress(err: Terminal['err']) {
  let shownUs = -Infinity
  return ({ stage, files, bytes }: BackupProgress) => {
    if (!err.interactive || monotonicUs() - shownUs < 100_000) return
    shownUs = monotonicUs()
    err.raw(
      `\r\u001b[K${err.style('dim', `… ${stage}: ${count(files)} files, ${mib(bytes)} read`)}`,
    )
  }
}

function report(
  taken: TakenBackup,
  place: string,
  { json, home }: BackupOptions,
  { out, err }: Terminal,
): void {
  const { id, head, files, bytes, copiedFiles, copiedBytes, manifest } = taken
  if (json) {
    const { namespaces, secrets } = head
    const takenAt = formatTimestamp(head.takenAtUs)
    const figures = { files, bytes, copiedFiles, copiedBytes, manifest }
    out.line(JSON.stringify({ id, place, takenAt, ...figures, namespaces, secrets }))
  } else {
    out.line(
      `${out.style('green', '✓')} ${id}: ${home} as of ${formatTimestamp(head.takenAtUs)}, in ${place}`,
    )
    out.line(`  ${count(files, 'file')}, ${mib(bytes)}; ${mib(copiedBytes)} of it new there`)
    for (const [name, through] of Object.entries(head.namespaces)) {
      if (through !== null) out.line(`  journal ${name} up to sequence ${count(through)}`)
    }
    out.line(`  ${manifest}`)
  }
  err.line(err.style('dim', secretsSentence[head.secrets]))
}

const secretsSentence: Readonly<Record<SecretsAre, string>> = {
  plain:
    'The signing key and other secrets are in it unencrypted: keep it as you keep the home, or use --passphrase-file.',
  encrypted: 'Secrets are encrypted: without the passphrase the backup cannot be restored.',
  'left out':
    'Secrets are left out: keep the folder secrets/ elsewhere; without it a restored home cannot go on with its audit log.',
}

export function mib(bytes: number): string {
  return `${(bytes / MIB).toLocaleString('en-US', { maximumFractionDigits: 1 })} MiB`
}

/** Ends with `notHeld` where a byte is not as it was written. */
export async function backupVerify(
  place: string,
  { id }: BackupVerifyOptions,
  { out, err }: Terminal,
): Promise<number> {
  try {
    const source = await openBackup(resolve(place))
    try {
      const ids = id === undefined ? source.ids : [id]
      const manifests = [await manifestOf(source, id)]
      for (const each of ids)
        if (each !== manifests[0].head.id) manifests.push(await manifestOf(source, each))
      const { contents, bytes } = await verifyBackups(source, manifests)
      for (const { head } of manifests.toReversed()) {
        out.line(`${out.style('green', 'intact')}: ${head.id}, ${formatTimestamp(head.takenAtUs)}`)
      }
      out.line(`${count(contents, 'content')}, ${mib(bytes)}; every byte fits its hash.`)
      return exitCodes.ok
    } finally {
      await source.close()
    }
  } catch (error) {
    if (!isAssayError(error, 'backup_damaged')) throw error
    err.line(`${err.style('red', 'not intact')}: ${error.detail}`)
    err.line(error.action)
    return exitCodes.notHeld
  }
}
