import { defineErrors } from '../lib/errors.ts'

export const decisionErrors = defineErrors({
  policy_invalid: {
    status: 422,
    title: 'The decision policy does not hold together',
    action: 'Correct the part of the policy that the message names.',
  },
  rule_invalid: {
    status: 422,
    title: 'A rule cannot be used',
    action: 'Correct the rule; the message names it, the place in it and the names it may use.',
  },
  rule_unknown: {
    status: 404,
    title: 'The policy has no such rule',
    action: 'Use the name of a rule of the policy as it is deployed.',
  },
  list_unknown: {
    status: 404,
    title: 'There is no such list here',
    action: 'Use the name of a list that a deployed policy declares; the message names them.',
  },
  list_full: {
    status: 409,
    title: 'The list is full',
    action: 'Remove what has expired, or write a rule for what the values have in common.',
  },
  deployment_invalid: {
    status: 422,
    title: 'The deployment does not hold together',
    action: 'Deploy a document whose policy, features and model were made for one another.',
  },
  deployment_not_found: {
    status: 404,
    title: 'There is no such deployment',
    action: 'Name the hash of a deployment document that was published.',
  },
  state_missing: {
    status: 409,
    title: 'The live state lacks features that the deployment needs',
    action: 'Load a base checkpoint made with these feature sets, then deploy again.',
  },
  checkpoint_invalid: {
    status: 422,
    title: 'The checkpoint cannot be used',
    action:
      'If it lies in the home directory, put it back from a copy and start again; else make it again from the data snapshot.',
  },
  base_lost: {
    status: 500,
    title: 'The state that history ended in is lost',
    action:
      'Stop the server and run `assay repair`, which makes it again from the data that it was made of; or put the file back from a backup.',
  },
  index_damaged: {
    status: 500,
    title: 'The index of what was decided is damaged',
    action: 'Nothing: the process starts again and makes it anew from the journal.',
  },
  namespace_not_found: {
    status: 404,
    title: 'There is no such namespace',
    action: 'Use "live", or the name of a replay that was started.',
  },
  namespace_invalid: {
    status: 422,
    title: 'The name cannot be used for a namespace',
    action: 'Use 1 to 40 lower-case letters, digits and dashes.',
  },
  policy_not_found: {
    status: 404,
    title: 'There is no such decision policy here',
    action: 'Use the name of a deployed policy; the message lists them.',
  },
  source_not_found: {
    status: 404,
    title: 'There is no such source here',
    action: 'Use the name of a source or of labels that a deployed policy declares.',
  },
  decision_not_found: {
    status: 404,
    title: 'There is no such decision',
    action: 'Check the policy and the event id.',
  },
  event_invalid: {
    status: 422,
    title: 'The event does not keep its contract',
    action: 'Correct the columns listed under "failures" and send the event again.',
  },
  event_in_future: {
    status: 422,
    title: 'The event lies in the future',
    action: 'Check the sender’s clock and time zone, then send the event again.',
  },
  event_too_late: {
    status: 422,
    title: 'The event came too late to count',
    action:
      'Ingest it into the dataset of its source, so that history has it, or declare a longer lateness of the source.',
  },
  event_id_conflict: {
    status: 409,
    title: 'This event id already stands for another event',
    action: 'Send the same body again to get the first answer, or use a new event id.',
  },
  label_invalid: {
    status: 422,
    title: 'The label does not keep its contract',
    action: 'Correct the fields listed under "failures" and send the label again.',
  },
  too_many_in_flight: {
    status: 429,
    title: 'More decisions are asked for than can be answered now',
    action: 'Send the event again after the time in Retry-After.',
  },
  draining: {
    status: 503,
    title: 'The service is stopping',
    action: 'Send the event again after the time in Retry-After.',
  },
  decisions_paused: {
    status: 503,
    title: 'Nothing can be recorded at the moment',
    action:
      'Make room on the disk of the home directory; send the event again after the time in Retry-After. Nothing of it was recorded.',
  },
  entity_invalid: {
    status: 422,
    title: 'The entity cannot be looked up',
    action: 'Give the columns of the source that the message names, as they stand in its contract.',
  },
  feature_set_not_live: {
    status: 404,
    title: 'Live state does not compute this feature set',
    action: 'Deploy a policy that uses it, or ask for its history.',
  },
  not_ready: {
    status: 503,
    title: 'The service is not ready yet',
    action: 'Send the event again after the time in Retry-After.',
  },
  record_unknown: {
    status: 500,
    title: 'The journal holds a record that this version does not know',
    action: 'Start the version that wrote it, or a later one.',
  },
  batch_too_large: {
    status: 413,
    title: 'There are too many rows in one request',
    action: 'Send at most 10,000 rows at a time.',
  },
  case_not_found: {
    status: 404,
    title: 'There is no such case',
    action: 'Open the review queue and choose a case from it.',
  },
  case_state: {
    status: 409,
    title: 'The case does not allow this now',
    action: 'Load the case again to see what happened to it; correct a closed case with a reason.',
  },
})
