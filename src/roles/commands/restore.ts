// `assay restore`: a home out of a backup, checked before it is called one.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { checkDatabase } from '../../adapters/sqlite/index.ts'
import { count, exitCodes, type RestoreOptions, type Terminal } from '../../cli/index.ts'
import { formatTimestamp } from '../../lib/time.ts'
import { homeAt } from '../../projects/index.ts'
import { backupErrors, manifestOf, openBackup, restoreBackup } from '../backup/index.ts'
import { recordBackups } from '../backup/record.ts'
import { readPassphrase } from './backup.ts'
import { withMetadata } from './connection.ts'

/** Errors: those of `restoreBackup`. */
export async function restore(
  place: string,
  options: RestoreOptions,
  { out, err }: Terminal,
): Promise<number> {
  const home = homeAt(options.home)
  const passphrase = readPassphrase(options.passphraseFile)
  const source = await openBackup(resolve(place))
  try {
    const manifest = await manifestOf(source, options.id)
    await restoreBackup(source, manifest, home.root, {
      ...(passphrase !== undefined && { passphrase }),
      onProgress: ({ files, of }) => {
        if (err.interactive) err.raw(`\r\u001b[K${err.style('dim', `… ${files} of ${of} files`)}`)
      },
    })
    if (err.interactive) err.raw('\r\u001b[K')
    const { head, files } = manifest
    const found = checkDatabase(home.database)
    if (found !== 'ok') {
      throw backupErrors.backup_damaged(`keep/assay.sqlite came whole, but SQLite says: ${found}.`)
    }
    out.line(
      `${out.style('green', '✓')} ${home.root} is the home as of ${formatTimestamp(head.takenAtUs)}: ${count(files.length, 'file')}, every hash held`,
    )
    if (existsSync(home.secrets)) {
      await withMetadata(home.root, (metadata) =>
        recordBackups(metadata).record('backup.restored', head.id, { takenAtUs: head.takenAtUs }),
      )
    } else {
      err.line(
        'The backup holds no secrets: put secrets/ of the old home there before anything else, or its audit log cannot go on.',
      )
    }
    err.line(
      `Never run it beside the home that it is a copy of. Check it with \`assay audit verify\`.`,
    )
    return exitCodes.ok
  } finally {
    await source.close()
  }
}
