import { defineErrors } from '../lib/errors.ts'

/** The data room's part of the table of errors. */
export const fail = defineErrors({
  declaration_invalid: {
    status: 422,
    title: 'A source or labels declaration has mistakes',
    action: 'Mend the declaration as the message says and run again; nothing was changed.',
  },
  file_not_found: {
    status: 404,
    title: 'The data file cannot be read',
    action: 'Check the path and that this user may read the file.',
  },
  file_format_unknown: {
    status: 415,
    title: 'The format of the data file is not known',
    action: 'Use .csv, .csv.gz, .ndjson, .ndjson.gz or .parquet, or name the format explicitly.',
  },
  file_empty: {
    status: 422,
    title: 'The data file has no rows to read',
    action: 'Check that the file was written completely; a CSV file starts with a header line.',
  },
  file_truncated: {
    status: 422,
    title: 'The compressed data file is cut off or damaged',
    action: 'Copy the file again and compare its checksum with the original; nothing was stored.',
  },
  file_damaged: {
    status: 422,
    title: 'The data file cannot be decoded',
    action: 'Write the file again, as UTF-8 text or as Parquet; nothing was stored.',
  },
  file_too_large: {
    status: 413,
    title: 'The data file is too large to be held in memory',
    action: 'Leave out columns, or take a sample of the rows.',
  },
  no_row_accepted: {
    status: 422,
    title: 'Not one row of the data passed the contract',
    action: 'Look at the quarantine for what is wrong; the dataset was left as it was.',
  },
  header_mismatch: {
    status: 422,
    title: 'The file’s columns do not match the contract',
    action:
      'Rename the columns, leave out those that are too many, or declare them: `from` names a column, `ignore` leaves one out.',
  },
  entity_rows_invalid: {
    status: 422,
    title: 'Rows that were asked about cannot be read',
    action:
      'Correct what `failures` lists: columns by their declared names, values as they declare.',
  },
  snapshot_not_found: {
    status: 404,
    title: 'There is no such snapshot',
    action: 'List the dataset’s snapshots; an old one may have been removed by retention.',
  },
  snapshot_column_unknown: {
    status: 422,
    title: 'The snapshot has no such column',
    action: 'Ask for columns that the snapshot’s schema lists.',
  },
  snapshot_damaged: {
    status: 500,
    title: 'A stored snapshot is not what its name says',
    action: 'Restore the file from a backup; nothing computed from it should be trusted.',
  },
  snapshot_disk_full: {
    status: 507,
    title: 'There is no room to store the data',
    action: 'Free space on the disk of the home directory and repeat; nothing was half-written.',
  },
  snapshot_write_failed: {
    status: 500,
    title: 'The data could not be stored',
    action: 'Check the home directory’s disk and permissions and repeat; nothing was half-written.',
  },
  dataset_not_found: {
    status: 404,
    title: 'There is no such dataset',
    action: 'List the datasets; one appears with its first ingestion.',
  },
  dataset_version_not_found: {
    status: 404,
    title: 'There is no such version of the dataset',
    action: 'List the versions; name one by number, tag, `latest` or eight digits of its hash.',
  },
  dataset_version_removed: {
    status: 410,
    title: 'Retention has removed this version of the dataset',
    action: 'Use a version that is still kept; tag or hold those that must stay.',
  },
  dataset_version_current: {
    status: 409,
    title: 'The dataset already holds what the roll-back would bring',
    action: 'Nothing needs to be done; list the versions to choose another.',
  },
  dataset_tag_invalid: {
    status: 422,
    title: 'This cannot be the name of a tag',
    action:
      'Begin with a letter, use at most 64 letters, digits, dots, dashes or underscores, and nothing that reads as a number, a hash or `latest`.',
  },
  dataset_tag_not_found: {
    status: 404,
    title: 'The dataset has no such tag',
    action: 'List the versions of the dataset; it shows its tags.',
  },
  dataset_hold_not_found: {
    status: 404,
    title: 'There is no such hold',
    action: 'List the versions of the dataset; it shows what is on hold, with ids.',
  },
  dataset_hold_invalid: {
    status: 422,
    title: 'A hold would end before it begins',
    action: 'Give an end in the future, or none: then it stays until it is released.',
  },
  dataset_retention_invalid: {
    status: 422,
    title: 'A dataset cannot be kept so',
    action: 'Keep at least one version, or the versions of at least one day; at most 100,000.',
  },
  dataset_too_large: {
    status: 413,
    title: 'There are more rows than one file or request may have',
    action: 'Give them in parts, one after the other; split a file of events by time.',
  },
  quarantine_not_found: {
    status: 404,
    title: 'A quarantined row is not there',
    action: 'List the quarantine again and use the ids it shows.',
  },
  quarantine_not_open: {
    status: 409,
    title: 'A quarantined row was already closed',
    action:
      'List the open rows; a resolved row is part of the dataset and cannot be submitted again.',
  },
  resubmission_failed: {
    status: 422,
    title: 'Corrected rows still fail their contract',
    action: 'Mend what `failures` lists and submit again; no row was taken.',
  },
})
