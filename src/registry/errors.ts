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
  alias_not_found: {
    status: 404,
    title: 'The model has no such alias',
    action: 'List the aliases of the model and take a name from there.',
  },
  model_exists: {
    status: 409,
    title: 'There is a model of this name already',
    action: 'Register a version of it, or take another name.',
  },
  model_name_invalid: {
    status: 422,
    title: 'The name cannot be a model’s',
    action: 'Use 1 to 250 characters without "/" and ":", and not only dots or spaces.',
  },
  model_name_taken: {
    status: 409,
    title: 'The name was another model’s',
    action: 'Take a name that no model had: one name and number never mean two versions.',
  },
  model_governed: {
    status: 409,
    title: 'A model under governance keeps its name',
    action: 'Register the next version under the new name; approvals and decisions cite this one.',
  },
  version_kept: {
    status: 409,
    title: 'A version that is approved or live cannot be deleted',
    action: 'Deploy another version and retire or refuse this one first.',
  },
  version_brought: {
    status: 409,
    title: 'The version was brought from elsewhere and cannot answer traffic',
    action: 'Train it here, or wait until its inputs are bound to features.',
  },
  model_label_invalid: {
    status: 422,
    title: 'A description, tag or stage cannot be kept',
    action: 'Keep tag keys within 250 characters, and values and descriptions within 100,000.',
  },
  search_limit_invalid: {
    status: 422,
    title: 'A page cannot have that many items',
    action: 'Ask for at least one and at most as many as the message says.',
  },
})
