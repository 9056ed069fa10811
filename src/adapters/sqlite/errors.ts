import { defineErrors } from '../../lib/errors.ts'

export const sqliteErrors = defineErrors({
  metadata_unreadable: {
    status: 500,
    title: 'The metadata file cannot be opened',
    action: 'Check that keep/assay.sqlite in the home directory is whole and may be written.',
  },
  metadata_unwritable: {
    status: 503,
    title: 'The change could not be written and was not made',
    action: 'Make room on the disk of the home directory, then try again.',
  },
  metadata_newer: {
    status: 409,
    title: 'The metadata was written by a newer version',
    action: 'Start the newer version again, or restore a backup from before.',
  },
})
