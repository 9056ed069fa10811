import { defineErrors } from '../lib/errors.ts'

export const trackingErrors = defineErrors({
  run_not_found: {
    status: 404,
    title: 'There is no such run',
    action: 'List the runs on the Experiments page and take an id from there.',
  },
  run_ended: {
    status: 409,
    title: 'The run has ended and takes nothing more',
    action: 'Start another run; an ended run is evidence and does not change.',
  },
  experiment_not_found: {
    status: 404,
    title: 'There is no such experiment',
    action: 'List the experiments and take an id from there.',
  },
  tracking_value_invalid: {
    status: 422,
    title: 'The value cannot be tracked',
    action: 'Give names of 1 to 250 characters, finite numbers and bounded texts.',
  },
  artifact_not_found: {
    status: 404,
    title: 'There is no such artifact',
    action: 'List the artifacts of the run and take a name from there.',
  },
  artifact_damaged: {
    status: 500,
    title: 'A stored file is not what its name says',
    action: 'Restore the file from a backup: its content no longer has the hash it is named by.',
  },
})
