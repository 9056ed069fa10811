/**
 * Backups of a home: taken while a server runs, checked, and made a home again.
 *
 * What always holds: a manifest names only what is whole on the disk before it; the home is never
 * written to; every byte of a backup is covered by a hash; a restore makes a whole home or none.
 */
export { backupErrors } from './errors.ts'
export type { BackupTarget } from './layout.ts'
export type { Manifest, SecretsAre } from './manifest.ts'
export { manifestOf, restoreBackup, verifyBackups } from './restore.ts'
export { openBackup, openFolderTarget } from './store.ts'
export { takeBackup, type BackupProgress, type TakenBackup } from './take.ts'
export { openTarTarget } from './tar.ts'
