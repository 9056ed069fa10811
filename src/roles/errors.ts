import { defineErrors } from '../lib/errors.ts'

export const rolesErrors = defineErrors({
  verdict_not_by_script: {
    status: 403,
    title: 'Only a script gives a verdict this way',
    action: 'Let people approve on the page, under Models.',
  },
  document_missing: {
    status: 409,
    title: 'The published document of a deployment is gone',
    action: 'Run the pipeline again, or restore the home directory from its backup.',
  },
  action_refused: {
    status: 502,
    title: 'An action of a policy was not taken by its receiver',
    action:
      'Mend the receiver or its declaration, then have what was set aside delivered once more.',
  },
  project_missing: {
    status: 409,
    title: 'There is no project yet',
    action: 'Wait until the project was loaded, or start again with --project.',
  },
  source_unknown: {
    status: 404,
    title: 'The project declares no such source',
    action: 'Use one of the names that the message lists, or declare a source.',
  },
  feature_set_unknown: {
    status: 404,
    title: 'The project declares no such feature set',
    action: 'Use one of the names that the message lists.',
  },
  data_missing: {
    status: 422,
    title: 'The project has no data to read',
    action: 'Name a file with --data, or let the project generate one.',
  },
  replay_missing: {
    status: 409,
    title: 'There is nothing to replay',
    action: 'Declare `replay` in the project and run its pipeline; a version must be live.',
  },
  server_running: {
    status: 409,
    title: 'A server uses this home directory',
    action: 'Stop the server first, or give another directory with --home.',
  },
  server_missing: {
    status: 409,
    title: 'No server uses this home directory',
    action: 'Start one with `assay start`, or name another directory with --home.',
  },
  upload_too_large: {
    status: 413,
    title: 'The file is too large to be uploaded',
    action:
      'Send at most 1 GiB: as Parquet or gzip, or fewer columns or rows; `assay learn` on the machine takes any size.',
  },
  uploads_full: {
    status: 429,
    title: 'Too many files are being uploaded at once',
    action: 'Try again in a moment.',
  },
  version_not_servable: {
    status: 409,
    title: 'The version cannot be served',
    action: 'Do as the message says; only models that are data are served.',
  },
})
