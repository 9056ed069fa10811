import { defineErrors } from '../lib/errors.ts'

export const projectErrors = defineErrors({
  home_locked: {
    status: 409,
    title: 'The home directory is in use',
    action: 'Stop the other process, or choose another directory with --home.',
  },
  home_newer: {
    status: 409,
    title: 'The home directory was written by a newer version',
    action: 'Start the newer version again, or choose another directory with --home.',
  },
  home_invalid: {
    status: 409,
    title: 'The directory is not a home directory',
    action: 'Choose an empty directory, or one that Assay made, with --home.',
  },
  home_unwritable: {
    status: 500,
    title: 'The home directory cannot be written',
    action: 'Give this user the right to write there, or choose another directory with --home.',
  },
  home_full: {
    status: 507,
    title: 'The disk of the home directory is full',
    action: 'Make room on that disk, then start again; nothing that was acknowledged is lost.',
  },
  project_not_found: {
    status: 404,
    title: 'There is no project there',
    action: 'Name a folder that holds a project.ts, or make one with `assay init`.',
  },
  project_invalid: {
    status: 422,
    title: 'The project does not hold together',
    action: 'Correct the declaration that the message names and start again.',
  },
  project_features_only: {
    status: 422,
    title: 'The project declares nothing to learn or decide',
    action:
      'Declare it with `project(…)` and what the message names, or use `assay features`, `assay ingest` and `assay pipelines`.',
  },
})
