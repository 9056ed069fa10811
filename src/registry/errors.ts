import { defineErrors } from '../lib/errors.ts'

export const registryErrors = defineErrors({
  model_not_found: {
    status: 404,
    title: 'There is no such model',
    action: 'List the models and take a name from there.',
  },
  version_not_found: {
    status: 404,
    title: 'There is no such model version',
    action: 'List the versions of the model and take a number from there.',
  },
  version_incomplete: {
    status: 422,
    title: 'The version lacks what is needed to train it again',
    action: 'Register it with its run, data snapshots, feature versions, code revision and seed.',
  },
  version_status_conflict: {
    status: 409,
    title: 'The version cannot take that step from where it stands',
    action: 'Look at its history on the Models page; a retired version stays retired.',
  },
  model_json_missing: {
    status: 500,
    title: 'The stored model is missing or changed',
    action: 'Restore the models folder of the home directory from a backup.',
  },
  alias_invalid: {
    status: 422,
    title: 'The alias cannot be used',
    action: 'Use letters, digits, - and _; not "latest" and nothing like "v3".',
  },
})
