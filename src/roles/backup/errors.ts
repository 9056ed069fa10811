import { defineErrors } from '../../lib/errors.ts'

export const backupErrors = defineErrors({
  backup_damaged: {
    status: 409,
    title: 'The backup is damaged',
    action:
      'Restore another backup, or take a new one from the home; the message names what is spoilt.',
  },
  backup_missing: {
    status: 404,
    title: 'There is no backup there',
    action: 'Name the folder or the .tar file that `assay backup --out` wrote.',
  },
  backup_newer: {
    status: 409,
    title: 'The backup was written by a newer version',
    action: 'Restore it with the version that wrote it, or a later one.',
  },
  backup_passphrase: {
    status: 422,
    title: 'The secrets of the backup cannot be opened',
    action: 'Name the file with the passphrase of this backup with --passphrase-file.',
  },
  backup_target_invalid: {
    status: 409,
    title: 'No backup can be written there',
    action: 'Name a new or empty folder, one that holds backups already, or a new .tar file.',
  },
  backup_unwritable: {
    status: 507,
    title: 'The backup cannot be written',
    action: 'Make room there or name another place, then take the backup again.',
  },
  home_changing: {
    status: 409,
    title: 'The home changed in a way that a backup cannot follow',
    action: 'Take the backup again; what was copied already is not copied twice.',
  },
  home_occupied: {
    status: 409,
    title: 'The directory is not empty',
    action: 'Name a directory with --home that is not there yet, or an empty one.',
  },
})
