import { defineErrors } from '../lib/errors.ts'

export const servingErrors = defineErrors({
  deployment_policy_unapproved: {
    status: 409,
    title: 'The decision policy is not the one that was approved',
    action: 'Run the gate again with this policy as evidence and have it approved.',
  },
  deployment_unchanged: {
    status: 409,
    title: 'That is live already',
    action: 'Nothing needs to be done.',
  },
  rollback_impossible: {
    status: 409,
    title: 'There is nothing to roll back to',
    action: 'Choose a version that answered this policy before, or deploy an approved one.',
  },
  challenger_invalid: {
    status: 400,
    title: 'The challenger does not hold together',
    action: 'Correct what the message names: name, version, share, condition, steps or guards.',
  },
  challenger_unready: {
    status: 409,
    title: 'The version may not take part in this traffic',
    action: 'Live traffic needs an approved version; shadow needs one whose gate holds.',
  },
  challenger_unknown: {
    status: 404,
    title: 'No such challenger takes part',
    action: 'See the traffic of the policy under Endpoints for those that do.',
  },
  policy_undeployed: {
    status: 409,
    title: 'Nothing answers the policy yet',
    action: 'Deploy an approved version first.',
  },
  proposal_waits: {
    status: 409,
    title: 'This is proposed already',
    action: 'Have another person confirm the open proposal, or withdraw it first.',
  },
  proposal_missing: {
    status: 404,
    title: 'There is no such proposal',
    action: 'See the open proposals of the policy under Endpoints.',
  },
  proposal_closed: {
    status: 409,
    title: 'The proposal is not open any more',
    action: 'Propose it again where it is still wanted.',
  },
  proposal_outdated: {
    status: 409,
    title: 'Another champion is live than when it was proposed',
    action: 'Propose it again, against the champion that is live now.',
  },
  proposal_self: {
    status: 403,
    title: 'Nobody confirms their own proposal, or their own work',
    action: 'Ask a second person, who neither proposed it nor trained or registered the version.',
  },
  proposal_by_script: {
    status: 403,
    title: 'Two people turn things on, and a script is none',
    action: 'Ask a person to propose or confirm it; only an example project accepts a script.',
  },
  suspension_unchanged: {
    status: 409,
    title: 'The model is in that state already',
    action: 'Nothing needs to be done.',
  },
  inputs_mismatch: {
    status: 400,
    title: 'The inputs are not those that the model takes',
    action: 'Compare them with the metadata of the model: names, shapes, datatypes and ranges.',
  },
  served_model_invalid: {
    status: 400,
    title: 'The document of a served model cannot be read',
    action: 'Register or export the model again; the document was changed or damaged.',
  },
  served_model_unknown: {
    status: 404,
    title: 'No such model is served',
    action: 'List the models that are served, and check name and version.',
  },
  served_model_unready: {
    status: 503,
    title: 'The model is not ready',
    action: 'Wait until its readiness is told; if it stays away, look for the reason there.',
  },
  golden_mismatch: {
    status: 500,
    title: 'The model does not give the answers that it was published with',
    action: 'Do not serve it: compare versions of Assay and of what computes the model.',
  },
  inference_failed: {
    status: 500,
    title: 'The model could not compute the request',
    action: 'Look at the reason; if the inputs are sound, report it with them.',
  },
  inference_timeout: {
    status: 504,
    title: 'The model did not answer in time',
    action: 'Send fewer rows at a time, or give it more time.',
  },
  remote_unavailable: {
    status: 503,
    title: 'The server that computes the model cannot be reached',
    action: 'Check that it runs, and that its address may be called from here.',
  },
  batch_changed: {
    status: 409,
    title: 'The batch was begun with something else',
    action: 'Give `--fresh` to begin anew, or what it was begun with, to go on where it stopped.',
  },
  batch_unexplained: {
    status: 422,
    title: 'The model gives no reasons',
    action:
      'Leave `--reasons` out, or score with a tree or linear model that Assay computes itself.',
  },
})
