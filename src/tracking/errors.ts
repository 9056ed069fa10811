import { defineErrors } from '../lib/errors.ts'

export const trackingErrors = defineErrors({
  run_not_found: {
    status: 404,
    title: 'There is no such run',
    action: 'List the runs on the Experiments page and take an id from there.',
  },
  run_ended: {
    status: 409,
    title: 'The run has ended already',
    action: 'Start another run, or set its status to running first.',
  },
  run_deleted: {
    status: 409,
    title: 'The run is deleted',
    action: 'Restore the run before you write to it.',
  },
  experiment_not_found: {
    status: 404,
    title: 'There is no such experiment',
    action: 'List the experiments and take an id from there.',
  },
  experiment_exists: {
    status: 409,
    title: 'There is an experiment of that name already',
    action: 'Choose another name; where the old one is deleted, restore or rename it.',
  },
  experiment_deleted: {
    status: 409,
    title: 'The experiment is deleted',
    action: 'Restore the experiment, or use another.',
  },
  logged_model_not_found: {
    status: 404,
    title: 'There is no such logged model',
    action: 'List the models that the run logged and take an id from there.',
  },
  tag_not_found: {
    status: 404,
    title: 'There is no such tag',
    action: 'Read the tags and take a name from there.',
  },
  param_changed: {
    status: 409,
    title: 'A parameter of a run is written once',
    action: 'Start another run for another value; what may change belongs in a tag.',
  },
  tracking_value_invalid: {
    status: 422,
    title: 'The value cannot be tracked',
    action: 'Give names of 1 to 250 characters, finite numbers and bounded texts.',
  },
  filter_invalid: {
    status: 422,
    title: 'The search cannot be understood',
    action: 'Write comparisons such as metrics.auc > 0.9, joined by AND and OR.',
  },
  artifact_not_found: {
    status: 404,
    title: 'There is no such artifact',
    action: 'List the artifacts of the run and take a name from there.',
  },
  artifact_path_invalid: {
    status: 422,
    title: 'A file cannot have that path',
    action: "Give a relative path of plain parts divided by '/', at most 1024 bytes long.",
  },
  artifact_path_taken: {
    status: 409,
    title: 'A file cannot lie where a folder is, or below another file',
    action: 'Choose another path, or remove what is there first.',
  },
  artifact_too_large: {
    status: 413,
    title: 'The file is larger than is taken',
    action: 'Divide the file, or keep it elsewhere and log its address as a tag.',
  },
  artifact_listing_too_long: {
    status: 422,
    title: 'The folder holds more than one listing can',
    action: 'List one of its folders, or log fewer files in one place.',
  },
  artifact_kept: {
    status: 409,
    title: 'The file belongs to a registered version',
    action: 'Log another model or run; what a version was made of does not change.',
  },
  artifact_store_full: {
    status: 507,
    title: 'The disk for files is full',
    action: 'Make room on the disk of the home directory, or purge what was deleted.',
  },
  upload_not_found: {
    status: 404,
    title: 'There is no such upload in parts',
    action: 'Begin the upload again: it was ended, waited too long, or the server was restarted.',
  },
  upload_invalid: {
    status: 422,
    title: 'The parts of the upload do not fit',
    action: 'Send every part that was announced, and name them all with their tags at the end.',
  },
  part_uploads_full: {
    status: 429,
    title: 'Too many uploads in parts are open',
    action:
      'Complete or abort uploads that are open, or wait until they have ended, and try again.',
  },
  view_not_found: {
    status: 404,
    title: 'There is no such saved view of yours',
    action: 'List the saved views; only the one who saved a view removes it.',
  },
  view_invalid: {
    status: 422,
    title: 'The view cannot be saved',
    action: 'Give it a shorter name, or choose fewer columns.',
  },
  views_full: {
    status: 409,
    title: 'There are as many saved views as one may have',
    action: 'Remove one that is not needed any more.',
  },
  artifact_damaged: {
    status: 500,
    title: 'A stored file is not what its name says',
    action: 'Restore the file from a backup: its content no longer has the hash it is named by.',
  },
})
